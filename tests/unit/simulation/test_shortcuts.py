"""What the simulation leaves out to be quick changes nothing: the roster is asked only when it may answer something
else, and seconds in which nobody can be rung are passed over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checkins.escalation.policy import Who
from checkins.roster import resolve
from checkins.roster.holidays import Calendar, next_working_time
from checkins.roster.values import Elder, Kind, Leave, Override, Pair, Responder, Roster, Rotation, Shift
from simulation.city import City, live
from simulation.desk import Desk
from simulation.neighbourhood import Outage
from simulation.people import ZONE
from simulation.rates import Rates
from simulation.whom import Whom

BEGIN = datetime(2026, 2, 12, 16, tzinfo=UTC)  # midnight in Shanghai, before the New Year's holidays


def at(hours: float) -> datetime:
    return BEGIN + timedelta(hours=hours)


def somebody(who: str, kind: Kind) -> Responder:
    return Responder(who, who, who, f"+86{who}", kind)


ROSTER = Roster(
    zone=ZONE,
    people={
        **{who: somebody(who, Kind.BUDDY) for who in ("b1", "b2", "b3")},
        **{who: somebody(who, Kind.DUTY) for who in ("s1", "s2", "s3")},
    },
    elders={"e": Elder("e", "e")},
    pairs={"e": (Pair("e", "b1", ("b2",)),)},
    substitutes=("b3",),
    shifts={"b2": (Shift(4, 9 * 60 + 15, 11 * 60),)},
    leave={"s1": (Leave(at(33.25), at(57.5)),), "b1": (Leave(at(10.1), at(14.2)),)},
    overrides=(Override("b3", at(35.7), at(60.3), elder_id="e"), Override("s3", at(10), at(12), instead_of="s1")),
    rotation=Rotation(("s1", "s2"), date(2026, 2, 9), minute=17 * 60 + 45, days=1),
    deputy_id="s3",
    calendar=Calendar(ZONE),
)


@example([(33301, False), (33300, False)])
@given(st.lists(st.tuples(st.integers(0, 8 * 24 * 60 * 60), st.booleans()), max_size=30))
def test_the_roster_answers_as_if_it_were_asked_each_time(asked: list[tuple[int, bool]]) -> None:
    whom = Whom(ROSTER)
    for seconds, emergency in asked:
        moment = BEGIN + timedelta(seconds=seconds)
        real = resolve.responders(ROSTER, "e", moment, emergency=emergency)
        assert whom.few("e", moment, emergency=emergency).people == {Who(kind): some for kind, some in real.items()}
        assert max(whom.working_from(moment), moment) == next_working_time(ROSTER.calendar, moment)


@pytest.mark.parametrize(
    "city",
    [
        City(24, 1, seed=9, outages=(Outage(8 * 60 + 30, 10 * 60),), rates=replace(Rates(), trouble=0.1, out=0.3)),
        City(30, 1, seed=8, lines=3, rates=replace(Rates(), corrected=0, silent=0.6, not_well=0.2)),
    ],
    ids=["the trunk is dead", "one line"],
)
def test_seconds_without_a_line_are_passed_over(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks: dict[bool, int] = {True: 0, False: 0}
    tick = Desk.tick

    def counted(quick: bool) -> object:
        def count(desk: Desk, now: datetime) -> object:
            ticks[quick] += 1
            return tick(desk, now)

        return count

    monkeypatch.setattr(Desk, "tick", counted(True))
    figures = live(city, 1)
    monkeypatch.setattr(Desk, "tick", counted(False))
    monkeypatch.setattr(Desk, "_standstill_until", lambda desk: desk._ticked)
    assert live(city, 1) == figures
    assert ticks[True] < ticks[False]
