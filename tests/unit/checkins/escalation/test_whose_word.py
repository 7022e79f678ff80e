"""Several people speak about one elder: whose word counts, and who is told what."""

from __future__ import annotations

import pytest

from checkins.escalation.policy import Who
from checkins.escalation.search import found, replied, stop, take_over, told
from checkins.escalation.values import Confirm, Finding, Idle, Phase, Reply, TellTaken, Wait
from tests.unit.checkins.escalation.people import PEOPLE, Line, at
from tests.unit.checkins.escalation.test_search import finds, hears, taken_by_buddy

BAD = [Finding.NEEDS_HELP, Finding.NOBODY_OPENS]


@pytest.fixture
def line() -> Line:
    return Line()


def duty_goes_after(line: Line, finding: Finding) -> None:
    """李阿姨 stands there and has said so at 09:50; duty goes from 09:52."""
    taken_by_buddy(line)
    finds(line, "李阿姨", finding, "09:50")
    assert line.rings("09:50") == ("陈老师",)
    hears(line, "陈老师", Reply.ACCEPTED, "09:52")


# ── after bad news ──


@pytest.mark.parametrize("finding", BAD)
@pytest.mark.parametrize("fine", [Finding.FINE_SEEN, Finding.FINE_HEARD])
@pytest.mark.parametrize("who", ["周阿姨", "李阿姨"])
def test_fine_by_anybody_else_calls_nobody_off(line: Line, finding: Finding, fine: Finding, who: str) -> None:
    duty_goes_after(line, finding)
    before = line.search
    finds(line, who, fine, "09:55")
    assert line.search == before


@pytest.mark.parametrize("finding", BAD)
def test_fine_by_somebody_else_stops_no_search(line: Line, finding: Finding) -> None:
    taken_by_buddy(line)
    finds(line, "李阿姨", finding, "09:50")
    before = line.search
    finds(line, "周阿姨", Finding.FINE_SEEN, "09:51")
    assert line.search == before


@pytest.mark.parametrize("finding", BAD)
def test_who_goes_finds_out(line: Line, finding: Finding) -> None:
    duty_goes_after(line, finding)
    finds(line, "陈老师", Finding.FINE_HEARD, "10:00", Who.DUTY)
    assert (line.search.phase, line.search.finding) == (Phase.TAKEN, finding), "they must go and see"
    finds(line, "陈老师", Finding.FINE_SEEN, "10:10", Who.DUTY)
    assert line.search.phase is Phase.CONFIRMING


def test_who_said_that_nobody_opens_and_then_got_in_may_say_so_while_nobody_else_goes(line: Line) -> None:
    taken_by_buddy(line)
    finds(line, "李阿姨", Finding.NOBODY_OPENS, "09:50")
    line.search = found(line.search, "李阿姨", Finding.FINE_SEEN, at("09:58"), since=at("09:45"))
    assert line.search.phase is Phase.SEARCHING, "said in a call that was older than the bad news"
    line.search = found(line.search, "李阿姨", Finding.FINE_SEEN, at("09:58"), since=at("09:57"))
    assert line.search.phase is Phase.CONFIRMING


def test_staff_who_take_over_from_there_take_the_bad_news_with_them(line: Line) -> None:
    duty_goes_after(line, Finding.NEEDS_HELP)
    line.search = take_over(line.search, "陈书记", at("09:55"))
    assert (line.search.bad, line.search.finding) == (True, Finding.NEEDS_HELP)


# ── another is on the way ──


def test_fine_by_a_buddy_whom_nobody_sent_doesnt_call_off_who_is_on_the_way(line: Line) -> None:
    taken_by_buddy(line)
    before = line.search
    finds(line, "周阿姨", Finding.FINE_SEEN, "09:50")
    assert line.search == before


# ── who stands there ──


def test_who_was_told_to_stay_is_never_sent_away(line: Line) -> None:
    duty_goes_after(line, Finding.NEEDS_HELP)
    assert line.at("09:53") == Wait(at("10:17"))
    line.search = stop(line.search, "陈老师", at("10:10"))
    assert line.at("10:10") == Idle("陈老师")


def test_who_waits_before_a_shut_door_is_sent_home_when_it_is_over_and_not_before(line: Line) -> None:
    duty_goes_after(line, Finding.NOBODY_OPENS)
    assert line.at("09:53") == Wait(at("10:17"))
    finds(line, "陈老师", Finding.FINE_SEEN, "10:10", Who.DUTY)
    assert line.at("10:10") == TellTaken(PEOPLE[Who.BUDDY][0], "陈老师")
    line.search = told(line.search, "李阿姨", line.now)
    assert isinstance(line.act(), Confirm)


def test_who_waits_before_a_shut_door_hears_that_somebody_closed_it(line: Line) -> None:
    duty_goes_after(line, Finding.NOBODY_OPENS)
    line.search = stop(line.search, "陈老师", at("10:10"))
    assert line.at("10:10") == TellTaken(PEOPLE[Who.BUDDY][0], "陈老师")


def test_staff_who_found_that_help_is_needed_are_not_sent_away_by_who_takes_over() -> None:
    line = Line(people={**PEOPLE, Who.BUDDY: ()})
    line.rings("09:30")
    hears(line, "陈老师", Reply.ACCEPTED, "09:31")
    finds(line, "陈老师", Finding.NEEDS_HELP, "09:50", Who.DUTY)
    line.search = take_over(line.search, "陈书记", at("09:55"))
    assert isinstance(line.at("09:55"), Wait)


# ── old news ──


def test_an_old_yes_that_comes_after_a_later_cant_takes_nothing(line: Line) -> None:
    assert line.rings("09:30") == ("李阿姨",)
    hears(line, "李阿姨", Reply.NO_ANSWER, "09:33")
    assert line.rings("09:35") == ("李阿姨",)
    hears(line, "李阿姨", Reply.DECLINED, "09:36")
    before = line.search
    line.search = replied(line.search, "李阿姨", Reply.ACCEPTED, at("09:37"), since=at("09:30"))
    assert line.search == before


def test_an_old_cant_that_comes_after_a_later_yes_gives_nothing_up(line: Line) -> None:
    assert line.rings("09:30") == ("李阿姨",)
    hears(line, "李阿姨", Reply.NO_ANSWER, "09:33")
    assert line.rings("09:35") == ("李阿姨",)
    hears(line, "李阿姨", Reply.ACCEPTED, "09:36")
    before = line.search
    line.search = replied(line.search, "李阿姨", Reply.DECLINED, at("09:37"), since=at("09:30"))
    assert line.search == before


def test_an_old_yes_counts_while_they_have_said_nothing_since(line: Line) -> None:
    assert line.rings("09:30") == ("李阿姨",)
    hears(line, "李阿姨", Reply.NO_ANSWER, "09:33")
    assert line.rings("09:35") == ("李阿姨",)
    line.search = replied(line.search, "李阿姨", Reply.ACCEPTED, at("09:36"), since=at("09:30"))
    assert line.search.accepted_by == "李阿姨"
