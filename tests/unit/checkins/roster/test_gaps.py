"""Gaps are found ahead and said so that whoever keeps the roster can close them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from checkins.roster.gaps import Gap, GapKind, gaps, shown_ahead
from checkins.roster.holidays import Calendar
from checkins.roster.sentences import Sentence, sentence
from checkins.roster.values import Elder, Override, Pair, Roster, Rotation, Shift
from tests.unit.checkins.roster.street import (
    MONDAY,
    NEXT_MONDAY,
    PEOPLE,
    SATURDAY,
    STREET,
    SUNDAY,
    TUESDAY,
    WEDNESDAY,
    at,
    instead,
    leave,
)

BEGIN, UNTIL = at(MONDAY, "09:00"), at(date(2026, 3, 16), "00:00")
ONE = Rotation(("chen",), anchor=MONDAY)
ALONE = replace(STREET, rotation=ONE, deputy_id=None)  # one worker on duty, week after week


def said(roster: Roster) -> list[tuple[str, str]]:
    sentences = (sentence(roster, gap, BEGIN, UNTIL) for gap in gaps(roster, BEGIN, UNTIL))
    return [(each.zh, each.en) for each in sentences]


def test_a_street_that_is_well_kept_has_no_gap() -> None:
    assert gaps(STREET, BEGIN, UNTIL) == []


def test_nobody_is_on_duty_on_saturday_from_six_in_the_evening() -> None:
    roster = replace(ALONE, leave=leave(at(SATURDAY, "18:00"), at(date(2026, 4, 1), "00:00"), "chen"))
    assert said(roster) == [("周六18:00起没有人值班", "nobody is on duty from Sat 18:00 on")]


def test_a_gap_that_ends_says_when() -> None:
    roster = replace(ALONE, leave=leave(at(SATURDAY, "18:00"), at(SUNDAY, "08:30"), "chen"))
    assert said(roster) == [("周六18:00至周日08:30没有人值班", "nobody is on duty from Sat 18:00 to Sun 08:30")]


def test_an_override_closes_the_gap_for_as_long_as_it_holds() -> None:
    away = leave(at(SATURDAY, "18:00"), at(SUNDAY, "08:30"), "chen")
    whole = instead("wu", "chen", at(SATURDAY, "18:00"), at(SUNDAY, "08:30"))
    assert gaps(replace(ALONE, leave=away, overrides=(whole,)), BEGIN, UNTIL) == []
    evening = replace(whole, ends=at(SATURDAY, "22:00"))
    (gap,) = gaps(replace(ALONE, leave=away, overrides=(evening,)), BEGIN, UNTIL)
    assert gap == Gap(GapKind.NO_DUTY, at(SATURDAY, "22:00"), at(SUNDAY, "08:30"))


def test_a_day_more_than_six_days_off_is_named_with_its_date() -> None:
    roster = replace(ALONE, leave=leave(at(NEXT_MONDAY, "18:00"), at(date(2026, 3, 10), "08:00"), "chen"))
    assert said(roster) == [
        (
            "3月9日周一18:00至3月10日周二08:00没有人值班",
            "nobody is on duty from Mon 2026-03-09 18:00 to Tue 2026-03-10 08:00",
        )
    ]


def test_the_end_of_the_rotation_is_said_and_so_is_that_nobody_follows() -> None:
    roster = replace(ALONE, rotation=replace(ONE, until=SUNDAY))
    assert said(roster) == [
        ("周日08:30起没有人值班", "nobody is on duty from Sun 08:30 on"),
        ("周日08:30起值班轮换没有排下去", "the duty rotation has ended from Sun 08:30 on"),
    ]


def test_an_elder_without_anybody_is_named() -> None:
    roster = replace(STREET, pairs={"he": STREET.pairs["he"]}, substitutes=())
    assert said(roster) == [("现在起，王阿婆没有老伙伴，也没有替补", "王阿婆: no buddy and no substitute from now on")]


def test_elders_who_lack_somebody_at_the_same_time_are_named_together() -> None:
    elders = {f"e{number}": Elder(f"e{number}", f"{number}号阿婆") for number in range(1, 6)}
    roster = replace(STREET, elders=elders, pairs={}, substitutes=())
    ((zh, en),) = said(roster)
    assert zh == "现在起，1号阿婆、2号阿婆、3号阿婆等5位老人没有老伙伴，也没有替补"
    assert en == "1号阿婆, 2号阿婆, 3号阿婆 and 2 others: no buddy and no substitute from now on"


def test_a_gap_of_buddies_is_one_gap_over_the_night_and_counts_no_hour_of_sleep() -> None:
    away = leave(at(TUESDAY, "15:00"), at(WEDNESDAY, "10:00"), "li", "zhang", "zhou")
    found = gaps(replace(STREET, leave=away), BEGIN, UNTIL)
    assert found == [Gap(GapKind.NO_BUDDY, at(TUESDAY, "15:00"), at(WEDNESDAY, "10:00"), ("he", "wang"))]
    asleep = leave(at(TUESDAY, "21:00"), at(WEDNESDAY, "08:00"), "li", "zhang", "zhou")
    assert gaps(replace(STREET, leave=asleep), BEGIN, UNTIL) == []


def test_shifts_that_leave_a_sunday_open_are_found_every_week() -> None:
    shifts = tuple(Shift(day, 8 * 60, 21 * 60) for day in range(6))
    roster = replace(STREET, pairs={"wang": (Pair("wang", "li"),)}, substitutes=(), shifts={"li": shifts})
    roster = replace(roster, elders={"wang": STREET.elders["wang"]})
    sundays = [(at(day, "08:00"), at(day, "21:00")) for day in (SUNDAY, date(2026, 3, 15))]
    assert [(gap.begins, gap.ends) for gap in gaps(roster, BEGIN, UNTIL + timedelta(days=1))] == sundays


def test_an_override_for_one_elder_closes_her_gap_only() -> None:
    named = Override("chen", at(MONDAY, "00:00"), at(date(2026, 4, 1), "00:00"), elder_id="wang")
    roster = replace(STREET, pairs={}, substitutes=(), overrides=(named,))
    assert [gap.who for gap in gaps(roster, BEGIN, UNTIL)] == [("he",)]


def test_who_stands_in_and_leaves_early_leaves_a_gap() -> None:
    stand_in = instead("zhou", "li", at(TUESDAY, "00:00"), at(WEDNESDAY, "00:00"))
    roster = replace(STREET, elders={"wang": STREET.elders["wang"]}, pairs={"wang": (Pair("wang", "li"),)})
    away = leave(at(TUESDAY, "12:00"), at(TUESDAY, "15:00"), "zhou")
    roster = replace(roster, substitutes=(), overrides=(stand_in,), leave=away)
    assert gaps(roster, BEGIN, UNTIL) == [Gap(GapKind.NO_BUDDY, at(TUESDAY, "12:00"), at(TUESDAY, "15:00"), ("wang",))]


def test_who_wants_no_buddy_lacks_none() -> None:
    roster = replace(STREET, elders={"wang": Elder("wang", "王阿婆", frozenset())}, pairs={}, substitutes=())
    assert gaps(roster, BEGIN, UNTIL) == []


@pytest.mark.parametrize("person", ["li", "zhang", "zhou", "chen", "sun", "daughter"])
def test_everybody_whom_the_roster_names_needs_a_number(person: str) -> None:
    silent = replace(PEOPLE[person], number=None)
    roster = replace(STREET, people={**PEOPLE, person: silent})
    assert said(roster) == [(f"{silent.name}没有能打通的电话号码", f"{silent.name} has no telephone number that works")]


def test_the_next_year_without_holidays_is_said_in_december() -> None:
    begin = at(date(2029, 12, 20), "09:00")
    (gap, after) = gaps(STREET, begin, at(date(2030, 1, 10), "00:00"))
    assert (gap.begins, gap.ends) == (begin, at(date(2030, 1, 1), "00:00"))
    assert (after.begins, after.ends) == (gap.ends, at(date(2030, 1, 10), "00:00"))
    assert sentence(STREET, after, begin, after.ends).zh.startswith("2030年的放假安排还没有")


def test_staff_are_shown_a_year_without_holidays_a_month_before() -> None:
    roster, two_weeks = replace(STREET, calendar=Calendar(days={date(2029, 10, 1): False})), timedelta(days=14)
    assert shown_ahead(roster, at(date(2029, 11, 30), "09:00"), two_weeks) == []
    (gap,) = shown_ahead(roster, at(date(2029, 12, 2), "09:00"), two_weeks)
    assert (gap.kind, gap.begins) == (GapKind.YEAR_UNKNOWN, at(date(2030, 1, 1), "00:00"))


def test_no_time_has_no_gap() -> None:
    assert gaps(Roster(), BEGIN, BEGIN) == gaps(Roster(), UNTIL, BEGIN) == []


def test_sentences_stay_out_of_the_log() -> None:
    assert "王" not in repr(Sentence("王阿婆没有老伙伴", "王阿婆: no buddy"))


def test_of_four_thousand_elders_those_of_the_buddy_who_is_away_are_found() -> None:
    elders = {f"e{number}": Elder(f"e{number}", "某阿婆") for number in range(4000)}
    pairs = {each: (Pair(each, "li" if number % 2 else "zhang"),) for number, each in enumerate(elders)}
    weekend = leave(at(SATURDAY, "08:00"), at(SATURDAY, "08:00") + timedelta(days=2), "li")
    roster = replace(STREET, elders=elders, pairs=pairs, substitutes=(), leave=weekend)
    (gap,) = gaps(roster, BEGIN, UNTIL)
    assert len(gap.who) == 2000
