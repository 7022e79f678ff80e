"""A spreadsheet beside a server that goes on writing: nobody waits for its judgement, and one that no longer stands
writes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from checkins.judged import CHANGED, TRIES
from checkins.roster import edits
from checkins.tables import Person
from community import register_book, register_people
from tests.unit.checkins.world import World
from tests.unit.community.test_register import counts, read

ROWS = [["王秀英", "王阿婆", "62345678", "", "老伙伴", ""], ["李建国", "李阿公", "62345679", "", "", ""]]
ELDER = {"number": "+862162345678", "consents": {"buddy": True}}


def in_the_middle(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """`act` comes when the rows have been judged, and the roster is about to be."""
    planned = register_people.planned

    def halfway(*args: Any, **more: Any) -> list[Any]:
        act()
        return planned(*args, **more)

    monkeypatch.setattr(register_people, "planned", halfway)


def another_writes(world: World) -> None:
    """At once, or sqlite3.OperationalError: database is locked."""
    database = make_url(world.url).database
    assert database is not None
    other = sqlite3.connect(database, timeout=0)
    with other:
        other.execute("UPDATE neighbourhood SET area_code = '021'")
    other.close()


@pytest.mark.parametrize("wrong", [False, True], ids=["a dry run", "a refused import"])
def test_another_writer_comes_through_in_the_middle(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: bool
) -> None:
    world.elder("王秀英", **ELDER)
    world.elder("李梅", role="buddy")
    before, begun, written = counts(world), Barrier(2, timeout=20), Barrier(2, timeout=20)
    failed: list[Exception] = []

    def server() -> None:
        begun.wait()
        try:
            another_writes(world)
        except sqlite3.OperationalError as error:
            failed.append(error)
        written.wait()

    def wait_for_it() -> None:
        begun.wait()
        written.wait()

    in_the_middle(monkeypatch, wait_for_it)
    beside = Thread(target=server)
    beside.start()
    roster = [["结对", "王秀英", "没有" if wrong else "李梅"]]
    report = read(world, tmp_path, ROWS, dry=not wrong, roster=roster)
    beside.join()
    assert failed == []
    assert (bool(report.errors), report.added, report.lists) == (wrong, 0 if wrong else 1, 0 if wrong else 1)
    assert counts(world) == before


def test_what_changes_between_judging_and_writing_is_judged_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elder = world.elder("王秀英", **ELDER)
    buddy = world.elder("李梅", role="buddy")
    times = []

    def consent_is_taken_back() -> None:
        if not times:
            with world.db.write() as session:
                session.get_one(Person, elder).consents = {}
        times.append(1)

    in_the_middle(monkeypatch, consent_is_taken_back)
    rows = [["王秀英", "王阿婆", "62345678", "", "", ""], ROWS[1]]
    before = counts(world)
    report = read(world, tmp_path, rows, roster=[["结对", "王秀英", buddy]])
    assert [error.split(":")[0:2] for error in report.errors] == [["值班表", " row 2, column elder"]]
    assert (len(times), counts(world)) == (2, before)


def test_a_roster_that_changes_meanwhile_is_looked_at_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elder, buddy = world.elder("王秀英", **ELDER), world.elder("李梅", role="buddy")
    times = []

    def somebody_pairs_them() -> None:
        if not times:
            with world.db.write() as session:
                edits.pair(session, elder, buddy, "陈老师", world.clock.now())
        times.append(1)

    in_the_middle(monkeypatch, somebody_pairs_them)
    report = read(world, tmp_path, ROWS, roster=[["结对", "王秀英", "李梅"]])
    assert (report.errors, report.added, report.lists) == ((), 1, 0)


def test_who_is_never_let_alone_gives_up_and_says_so(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elder = world.elder("王秀英", **ELDER)
    times: list[str] = []

    def somebody_writes() -> None:
        times.append("x")
        with world.db.write() as session:
            session.get_one(Person, elder).notes = "".join(times)

    in_the_middle(monkeypatch, somebody_writes)
    world.elder("李梅", role="buddy")
    before = counts(world)
    report = read(world, tmp_path, ROWS, roster=[["结对", "王秀英", "李梅"]])
    assert (report.errors, len(times), counts(world)) == ((CHANGED,), TRIES, before)


def test_what_changes_nothing_takes_no_lock(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(world, tmp_path, ROWS)

    def never(*_args: Any) -> None:
        raise AssertionError("there was nothing to write")

    monkeypatch.setattr(register_book, "_carry_out", never)
    assert read(world, tmp_path, ROWS).known == 2
