"""Who is rung: stories of one week in one street."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from checkins.roster.resolve import buddies_for, family_of, on_duty, responders, street
from checkins.roster.values import Elder, Kind, Leave, Override, Pair, Responder, Roster, Rotation, Shift
from tests.unit.checkins.roster.street import (
    MONDAY,
    NEXT_MONDAY,
    PEOPLE,
    SATURDAY,
    STREET,
    SUNDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    at,
    ids,
    instead,
    leave,
)

NOON = at(TUESDAY, "12:00")
WEEK = (at(MONDAY, "00:00"), at(NEXT_MONDAY, "00:00"))


def first(roster: Roster, when: datetime) -> str | None:
    duty = on_duty(roster, when).first
    return duty and duty.id


def deputy(roster: Roster, when: datetime) -> str | None:
    duty = on_duty(roster, when).deputy
    return duty and duty.id


def test_an_ordinary_day_the_buddy_then_her_substitute_then_the_streets() -> None:
    assert ids(buddies_for(STREET, "wang", NOON)) == ["li", "zhang", "zhou"]
    assert ids(buddies_for(STREET, "he", NOON)) == ["zhang", "zhou"]


def test_an_elder_with_two_buddies_has_both_rung_before_any_substitute() -> None:
    pairs = {"wang": (Pair("wang", "li", ("zhou",)), Pair("wang", "zhang", ("li",)))}
    assert ids(buddies_for(replace(STREET, pairs=pairs), "wang", NOON)) == ["li", "zhang", "zhou"]


def test_while_the_buddy_is_with_her_grandchild_the_substitute_goes() -> None:
    roster = replace(STREET, leave=leave(at(TUESDAY, "09:00"), at(THURSDAY, "18:00"), "li"))
    assert ids(buddies_for(roster, "wang", at(TUESDAY, "08:59")))[0] == "li"
    assert ids(buddies_for(roster, "wang", at(TUESDAY, "09:00"))) == ["zhang", "zhou"]
    assert ids(buddies_for(roster, "wang", at(THURSDAY, "17:59"))) == ["zhang", "zhou"]
    assert ids(buddies_for(roster, "wang", at(THURSDAY, "18:00")))[0] == "li"


def test_one_day_the_neighbour_stands_in_for_a_buddy_with_all_her_elders() -> None:
    roster = replace(STREET, overrides=(instead("zhou", "zhang", at(TUESDAY, "08:00"), at(WEDNESDAY, "08:00")),))
    assert ids(buddies_for(roster, "he", NOON)) == ["zhou"]
    assert ids(buddies_for(roster, "wang", NOON)) == ["li", "zhou"]  # as a substitute she is replaced, too
    assert ids(buddies_for(roster, "he", at(WEDNESDAY, "08:00"))) == ["zhang", "zhou"]


def test_an_override_for_one_elder_leaves_the_others_as_they_are() -> None:
    roster = replace(STREET, overrides=(instead("zhou", "zhang", *WEEK, elder="he"),))
    assert ids(buddies_for(roster, "he", NOON)) == ["zhou"]
    assert ids(buddies_for(roster, "wang", NOON)) == ["li", "zhang", "zhou"]


def test_the_worker_who_knows_the_case_goes_first_and_the_buddies_stay_behind_her() -> None:
    roster = replace(STREET, overrides=(Override("chen", *WEEK, elder_id="wang"),))
    rung = buddies_for(roster, "wang", NOON)
    assert ids(rung) == ["chen", "li", "zhang", "zhou"]
    assert {each.kind for each in rung} == {Kind.BUDDY}  # she is rung as one who goes and looks, not as duty


def test_of_two_overrides_the_later_one_counts() -> None:
    earlier, later = instead("zhang", "li", *WEEK), instead("zhou", "li", *WEEK)
    assert ids(buddies_for(replace(STREET, overrides=(earlier, later)), "wang", NOON))[0] == "zhou"
    assert ids(buddies_for(replace(STREET, overrides=(later, earlier)), "wang", NOON))[0] == "zhang"


def test_who_stands_in_falls_ill_and_somebody_stands_in_for_her() -> None:
    chain = (instead("zhang", "li", *WEEK), instead("zhou", "zhang", *WEEK))
    roster = replace(STREET, overrides=chain, leave=leave(*WEEK, "zhang"))
    assert ids(buddies_for(roster, "wang", NOON)) == ["zhou"]


def test_two_buddies_swap_their_elders_for_a_day() -> None:
    swap = (instead("zhang", "li", *WEEK), instead("li", "zhang", *WEEK))
    roster = replace(STREET, pairs={"wang": (Pair("wang", "li"),), "he": (Pair("he", "zhang"),)}, overrides=swap)
    assert ids(buddies_for(roster, "wang", NOON)) == ["zhang", "zhou"]
    assert ids(buddies_for(roster, "he", NOON)) == ["li", "zhou"]


def test_overrides_in_a_ring_of_people_who_are_all_away_ring_nobody() -> None:
    ring = (instead("zhang", "li", *WEEK), instead("zhou", "zhang", *WEEK), instead("li", "zhou", *WEEK))
    roster = replace(STREET, overrides=ring, leave=leave(*WEEK, "li", "zhang", "zhou"))
    assert buddies_for(roster, "wang", NOON) == ()


def test_volunteers_sleep_but_an_alarm_wakes_them() -> None:
    assert buddies_for(STREET, "wang", at(TUESDAY, "07:59")) == ()
    assert ids(buddies_for(STREET, "wang", at(TUESDAY, "08:00")))[0] == "li"
    assert buddies_for(STREET, "wang", at(TUESDAY, "21:00")) == ()
    assert ids(buddies_for(STREET, "wang", at(TUESDAY, "03:00"), emergency=True)) == ["li", "zhang", "zhou"]


def test_a_buddy_with_weekly_shifts_is_rung_in_them_only() -> None:
    shifts = {"li": (Shift(1, 8 * 60, 12 * 60), Shift(3, 13 * 60, 24 * 60))}
    roster = replace(STREET, shifts=shifts)
    assert ids(buddies_for(roster, "wang", at(TUESDAY, "11:59")))[0] == "li"
    assert ids(buddies_for(roster, "wang", NOON))[0] == "zhang"
    assert ids(buddies_for(roster, "wang", at(WEDNESDAY, "11:00")))[0] == "zhang"
    assert ids(buddies_for(roster, "wang", at(THURSDAY, "20:59")))[0] == "li"
    assert buddies_for(roster, "wang", at(THURSDAY, "21:30")) == ()  # a shift does not lengthen volunteers' hours
    assert ids(buddies_for(roster, "wang", at(WEDNESDAY, "02:00"), emergency=True))[0] == "li"


def test_an_override_is_a_shift_of_its_own() -> None:
    roster = replace(
        STREET,
        shifts={"zhou": (Shift(6, 9 * 60, 10 * 60),)},
        overrides=(instead("zhou", "li", at(TUESDAY, "08:00"), at(WEDNESDAY, "08:00"), elder="wang"),),
    )
    assert ids(buddies_for(roster, "wang", NOON)) == ["zhou", "zhang"]
    assert ids(buddies_for(roster, "he", NOON)) == ["zhang"]  # for others her weekly times hold


def test_somebody_whose_number_is_bad_is_passed_over() -> None:
    silent = replace(PEOPLE["li"], number=None)
    roster = replace(STREET, people={**PEOPLE, "li": silent})
    assert ids(buddies_for(roster, "wang", NOON)) == ["zhang", "zhou"]


def test_an_elder_who_shares_with_nobody_has_nobody_rung_except_in_an_emergency() -> None:
    roster = replace(STREET, elders={"wang": Elder("wang", "王阿婆", frozenset())})
    assert buddies_for(roster, "wang", NOON) == family_of(roster, "wang", NOON) == ()
    assert ids(buddies_for(roster, "wang", NOON, emergency=True)) == ["li", "zhang", "zhou"]
    assert ids(family_of(roster, "wang", NOON, emergency=True)) == ["daughter"]


def test_the_street_office_is_rung_without_consent_only_where_nobody_knows_how_they_are() -> None:
    roster = replace(STREET, elders={"wang": Elder("wang", "王阿婆", frozenset({Kind.BUDDY}))})
    assert responders(roster, "wang", NOON)[Kind.STREET] == ()
    assert ids(responders(roster, "wang", NOON, vital=True)[Kind.STREET]) == ["street"]
    assert ids(responders(roster, "wang", NOON, emergency=True)[Kind.STREET]) == ["street"]
    assert ids(responders(STREET, "wang", NOON)[Kind.STREET]) == ["street"]


def test_an_elder_whom_the_roster_does_not_know_has_nobody() -> None:
    assert buddies_for(STREET, "stranger", NOON, emergency=True) == family_of(STREET, "stranger", NOON) == ()


def test_duty_is_handed_over_on_monday_at_half_past_eight() -> None:
    assert first(STREET, at(MONDAY, "08:29")) == "sun"  # the order goes on into the past
    assert first(STREET, at(MONDAY, "08:30")) == "chen"
    assert first(STREET, at(SUNDAY, "03:00")) == "chen"  # round the clock
    assert first(STREET, at(NEXT_MONDAY, "08:30")) == "wu"


def test_a_turn_of_one_day_goes_through_everybody_in_three_days() -> None:
    daily = replace(STREET, rotation=Rotation(("chen", "wu", "sun"), anchor=MONDAY, days=1, minute=18 * 60))
    turns = [first(daily, at(MONDAY, "18:00") + timedelta(days=day)) for day in range(4)]
    assert turns == ["chen", "wu", "sun", "chen"]


def test_the_first_turn_begins_on_the_hand_over_day_after_the_anchor() -> None:
    roster = replace(STREET, rotation=Rotation(("chen", "wu"), anchor=TUESDAY, weekday=4))
    assert first(roster, at(date(2026, 3, 6), "08:29")) == "wu"
    assert first(roster, at(date(2026, 3, 6), "08:30")) == "chen"


def test_at_the_turn_of_the_year_the_order_goes_on() -> None:
    assert first(STREET, at(date(2026, 12, 28), "08:30")) == "wu"
    assert first(STREET, at(date(2027, 1, 1), "00:00")) == "wu"
    assert first(STREET, at(date(2027, 1, 4), "08:30")) == "sun"


def test_who_is_on_leave_in_her_turn_is_replaced_by_the_next() -> None:
    roster = replace(STREET, leave=leave(at(SATURDAY, "18:00"), at(SUNDAY, "18:00"), "chen"))
    assert first(roster, at(SATURDAY, "17:59")) == "chen"
    assert first(roster, at(SATURDAY, "18:00")) == "wu"


def test_an_override_goes_before_the_next_in_the_rotation() -> None:
    roster = replace(STREET, leave=leave(*WEEK, "chen"), overrides=(instead("sun", "chen", *WEEK),))
    assert first(roster, NOON) == "sun"
    assert deputy(roster, NOON) == "wu"  # the deputy is on duty herself: the next one is rung beside her


def test_who_stands_in_on_duty_and_is_on_leave_herself_is_not_rung() -> None:
    roster = replace(STREET, leave=leave(*WEEK, "sun"), overrides=(instead("sun", "chen", *WEEK),))
    assert first(roster, NOON) == "wu"
    assert deputy(roster, NOON) == "chen"  # not on leave, only replaced: better than nobody


def test_with_everybody_of_the_rotation_away_the_deputy_is_on_duty() -> None:
    roster = replace(STREET, leave=leave(*WEEK, "chen", "wu"), rotation=Rotation(("chen", "wu"), anchor=MONDAY))
    assert first(roster, NOON) == "sun"
    assert deputy(roster, NOON) is None


def test_after_its_end_the_rotation_has_nobody() -> None:
    rotation = Rotation(("chen", "wu"), anchor=MONDAY, until=SATURDAY)
    roster = replace(STREET, rotation=rotation, deputy_id=None)
    assert first(roster, at(SATURDAY, "08:29")) == "chen"
    assert first(roster, at(SATURDAY, "08:30")) is None


def test_a_roster_that_nobody_has_filled_in_answers_all_the_same() -> None:
    empty = Roster(elders={"wang": Elder("wang", "王阿婆")})
    assert set(responders(empty, "wang", NOON).values()) == {()}
    assert (on_duty(empty, NOON).first, on_duty(empty, NOON).deputy) == (None, None)


def test_everybody_for_one_elder_by_capacity() -> None:
    rung = {kind: ids(each) for kind, each in responders(STREET, "wang", NOON).items()}
    assert rung == {
        Kind.BUDDY: ["li", "zhang", "zhou"],
        Kind.DUTY: ["chen"],
        Kind.DEPUTY: ["sun"],
        Kind.FAMILY: ["daughter"],
        Kind.STREET: ["street"],
    }
    assert street(replace(STREET, street=None)) == ()


def test_a_daughter_on_a_flight_is_not_rung() -> None:
    roster = replace(STREET, leave=leave(*WEEK, "daughter"))
    assert family_of(roster, "wang", NOON, emergency=True) == ()


def test_clocks_that_change_keep_the_hand_over_at_its_time_of_day() -> None:
    sunday = date(2026, 3, 29)  # in Berlin 02:00 becomes 03:00
    rotation = Rotation(("chen", "wu"), anchor=sunday, weekday=6, minute=8 * 60)
    roster = replace(STREET, zone="Europe/Berlin", rotation=rotation)
    assert first(roster, at(sunday, "07:59", "Europe/Berlin")) == "wu"
    assert first(roster, at(sunday, "08:00", "Europe/Berlin")) == "chen"
    assert ids(buddies_for(roster, "wang", at(sunday, "08:00", "Europe/Berlin")))[0] == "li"


def test_the_example_week_of_the_workers_page() -> None:
    """docs/roster.md, "An example week"."""
    mornings = tuple(Shift(day, 9 * 60, 12 * 60) for day in (1, 3))
    away = leave(at(TUESDAY, "09:00"), at(THURSDAY, "18:00"), "li")
    weekend = instead("wu", "chen", at(SATURDAY, "18:00"), at(SUNDAY, "18:00"))
    roster = replace(STREET, shifts={"zhou": mornings}, leave=away, overrides=(weekend,))
    told = {
        (MONDAY, "10:00"): ["li", "zhang"],
        (TUESDAY, "08:30"): ["li", "zhang"],
        (TUESDAY, "10:00"): ["zhang", "zhou"],
        (TUESDAY, "14:00"): ["zhang"],
        (WEDNESDAY, "10:00"): ["zhang"],
        (THURSDAY, "10:00"): ["zhang", "zhou"],
        (THURSDAY, "18:00"): ["li", "zhang"],
        (SUNDAY, "10:00"): ["li", "zhang"],
    }
    assert {when: ids(buddies_for(roster, "wang", at(*when))) for when in told} == told
    weekend_duty = [(SATURDAY, "17:59"), (SATURDAY, "18:00"), (SUNDAY, "17:59"), (SUNDAY, "18:00")]
    assert [first(roster, at(*when)) for when in weekend_duty] == ["chen", "wu", "wu", "chen"]


def test_names_and_numbers_stay_out_of_the_log() -> None:
    shown = repr(STREET)
    assert not [each for each in PEOPLE.values() if each.name in shown or str(each.number) in shown]
    assert "王阿婆" not in shown


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Shift(7, 480, 600), "weekday"),
        (lambda: Shift(0, 600, 600), "rise"),
        (lambda: Shift(0, 600, 1441), "24:00"),
        (lambda: Leave(NOON, NOON), "before it ends"),
        (lambda: Leave(datetime(2026, 3, 2), datetime(2026, 3, 3)), "naive"),  # noqa: DTZ001
        (lambda: Override("li", *WEEK), "instead of whom"),
        (lambda: Override("li", *WEEK, instead_of="li"), "themselves"),
        (lambda: Rotation((), anchor=MONDAY), "at least one"),
        (lambda: Rotation(("li",), anchor=MONDAY, days=0), "one day"),
        (lambda: Rotation(("li",), anchor=MONDAY, minute=1440), "hand-over"),
        (lambda: Rotation(("li",), anchor=MONDAY, weekday=-1), "weekday"),
    ],
)
def test_values_that_make_no_sense_are_refused(make: object, why: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=why):
        make()


def test_a_responder_is_rung_in_the_capacity_of_the_moment() -> None:
    duty = on_duty(STREET, NOON)
    assert isinstance(duty.first, Responder)
    assert (duty.first.kind, duty.deputy and duty.deputy.kind) == (Kind.DUTY, Kind.DEPUTY)
