"""A small city in virtual time: nobody is forgotten, no rule is broken, the same seed gives the same days."""

from __future__ import annotations

import queue
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from checkins.ladder import open_case
from checkins.policy import Policy
from checkins.schedule import day_of
from checkins.tables import Person
from simulation import command, report
from simulation.cases import Row
from simulation.chance import Chance
from simulation.city import City, _follow, live
from simulation.command import read_outages
from simulation.measures import Figures, Watch
from simulation.neighbourhood import Outage
from simulation.rates import Rates

SMALL = City(elders=200, days=3, together=100)
QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def figures() -> Figures:
    return live(SMALL, processes=1)


def test_every_case_is_closed_by_a_name_and_no_rule_is_broken(figures: Figures) -> None:
    assert figures.good
    assert figures.open_at_end == 0
    assert not figures.broken
    assert figures.elder_days == sum(figures.ended.values()) == 600


def test_what_is_told_adds_up(figures: Figures) -> None:
    assert figures.unreached
    assert max(figures.unreached) < 2 * 3600
    assert len(figures.buddy_tasks) == 40  # one buddy to five elders, those too who did nothing
    assert len(figures.peaks) == 6
    assert sum(count for kind, count in figures.calls.items() if kind.startswith("checkin")) > 500
    text = [" ".join(line.values) for line in report.lines(SMALL, figures, 1.0)]
    assert any("200 elders × 3 d" in line for line in text)


def test_the_same_seed_gives_the_same_days_and_another_one_others(figures: Figures) -> None:
    small = replace(SMALL, elders=60, days=1)
    assert live(small, 1) == live(small, 1)
    assert live(small, 1) != live(replace(small, seed=2), 1)


def test_two_processes_tell_what_one_tells() -> None:
    small = replace(SMALL, elders=20, days=1, together=10)
    assert live(small, 2) == live(small, 1)


def test_a_process_that_died_is_heard_at_once_whatever_the_others_do() -> None:
    running, dead = Future[Figures](), Future[Figures]()
    dead.set_exception(BrokenProcessPool("killed"))
    with pytest.raises(BrokenProcessPool):
        _follow([running, dead], queue.Queue(), lambda _elder_days: None)


def test_draws_depend_on_what_they_are_about_alone() -> None:
    chance = Chance("a")
    assert chance.of("x", 1) == chance.of("x", 1)
    assert len({chance.of("x", 1), chance.of("x", 2), chance.of("x1"), Chance("b").of("x", 1)}) == 4
    assert abs(sum(chance.of(number) for number in range(2000)) / 2000 - 0.5) < 0.03


def test_who_is_in_trouble_is_found(figures: Figures) -> None:
    city = City(elders=60, days=2, rates=Rates(trouble=0.1))  # 5 of them
    found = live(city, 1)
    assert found.good
    assert len(found.helped) >= 4
    assert len(found.helped) + found.unseen >= 5
    assert max(found.helped) < timedelta(days=2).total_seconds()


def test_with_the_trunk_dead_for_a_while_nobody_is_forgotten() -> None:
    found = live(replace(SMALL, elders=30, days=1, outages=(Outage(8 * 60, 8 * 60 + 10),)), 1)
    assert found.open_at_end == 0
    assert max(found.waits) >= 60  # they wait for the line


def test_an_open_case_and_a_broken_rule_are_told_by_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    for bad in (Figures(open_at_end=1), Figures()):
        if not bad.open_at_end:
            bad.broken["elder rung too often"] += 1
        monkeypatch.setattr(command, "live", lambda *_args, bad=bad: bad)
        assert command.run(SMALL, None, 1, QUIET) == 1
    monkeypatch.setattr(command, "live", lambda *_args: Figures())
    assert command.run(SMALL, None, 1, QUIET) == 0


def test_a_case_nobody_closed_counts() -> None:
    day = date(2026, 3, 2)
    hours = day_of("Asia/Shanghai", day, Policy())
    watch = Watch()
    watch.cases([Row(1, Person(id="elder-1"), day, open_case(Policy(), hours.opens, hours))])
    figures = watch.ends(0)
    assert figures.open_at_end == 1
    assert not figures.good


def test_the_watch_sees_broken_rules() -> None:
    from datetime import UTC, datetime

    from checkins.ports import Disposition
    from simulation.life import Answer
    from simulation.line import Call

    watch, night = Watch(), datetime(2026, 3, 2, 14, tzinfo=UTC)  # 22:00
    answer = Answer(45, Disposition.NO_ANSWER)
    for second in range(4):
        watch.call(Call("1", night + timedelta(seconds=second), "e", "daily_checkin", "checkin", ("elder-1",)), answer)
        at = night + timedelta(seconds=second)
        watch.call(Call("2", at, "b", "dispatch", "buddy", ("elder-1",), "buddy-1"), answer)
    broken = watch.ends(1).broken
    assert set(broken) == {
        "elder rung outside 8:00-21:00",
        "elder rung too often",
        "rung twice within 2 min",
        "volunteer rung at night, and no emergency",
    }


def test_the_report_is_a_page_with_pictures(figures: Figures, tmp_path: Path) -> None:
    from simulation.plots import draw

    page = report.write(report.lines(SMALL, figures, 1.0), draw(figures, 3, tmp_path), tmp_path)
    text = page.read_text("utf-8")
    assert text.count("<img") == len(list(tmp_path.glob("*.png"))) == 5
    assert "没有结案的老人·天" in text


@pytest.mark.parametrize(
    ("text", "outage"), [("09:00-10:00", Outage(540, 600)), ("2 09:00-10:00", Outage(540, 600, 2))]
)
def test_outages_as_people_write_them(text: str, outage: Outage) -> None:
    assert read_outages([text]) == (outage,)


@pytest.mark.parametrize("text", ["9-10", "10:00-09:00", "x 09:00-10:00", "09:00"])
def test_an_outage_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"outage|time"):
        read_outages([text])
