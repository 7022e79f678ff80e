"""Under any answers, faults, edits, crashes and clocks: nobody is ever without a closing name or a next action as near
as PRODUCT.md demands, nobody is taken without a key, nobody is rung when they must not be (town/promises.py).

Here some hundred days on the pure cores and some on the database; `make nobody-forgotten` has many more of both.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome, Placed, Trace
from tests.property.town.day import STAFF_NAME, Day
from tests.property.town.doomed import Doomed
from tests.property.town.promises import Promises
from tests.property.town.pure_house import PureHouse
from tests.property.town.sql_house import SqlHouse
from tests.property.town.values import BUDDIES, ELDERS, STAFF, House, Weather

UNHURRIED = [HealthCheck.too_slow]


@pytest.mark.parametrize("first", range(0, 500, 50))
def test_five_hundred_days(first: int) -> None:
    """Always the same ones; `make nobody-forgotten` goes on from there."""
    for number in range(first, first + 50):
        try:
            Day(Weather.of(number).short(3)).live()
        except AssertionError as error:
            error.add_note(f"day {number}")
            raise


def test_a_day_on_which_the_ends_of_three_calls_are_lost() -> None:
    """Two searches waited for a duty person whose call was over, as the carrier said when it was asked."""
    Day(Weather.of(9833796).short(3)).live()


@pytest.mark.parametrize("number", range(12))
def test_some_mornings_on_the_database(number: int) -> None:
    Day(Weather.of(number).short(1), SqlHouse).live()


def test_killed_between_two_commits() -> None:
    """Deaths spread over one morning: whoever goes on with the database forgets nobody. All of them, and those within
    a transaction, in `make nobody-forgotten`."""
    commits = Doomed(0).live().sql.writes.done
    assert commits > 40
    for moment in range(3, commits, commits // 6):
        assert Doomed(moment).live().sql.deaths == 1


# ── any order of acts ─────────────────────────────────────────────────────────────────────────────

MISSES = [Disposition.NO_ANSWER, Disposition.BUSY, Disposition.MACHINE, Disposition.LINE_ERROR]
WORDS = ["accepted", "declined", "fine_seen", "needs_help", "nobody_opens", "no_reply", "well", "not_well", "emergency"]
ends = st.sampled_from([*MISSES, *WORDS])
QUIET = Weather.of(0)


@dataclass
class Quiet:
    """A carrier that rings, and tells what the machine below says."""

    promises: Promises | None = None
    live: dict[str, CallRequest] = field(default_factory=dict)
    refuses: bool = False

    def place(self, request: CallRequest) -> Placed:
        assert self.promises is not None
        self.promises.order(request)
        if self.refuses:
            self.promises.ordered(request, Placed.REFUSED)
            return Placed.REFUSED
        self.live[request.id] = request
        return Placed.PLACED

    def trace(self, intent_id: str) -> Trace:
        return Trace.ALIVE if intent_id in self.live else Trace.OVER

    def talks(self, number: str) -> bool:
        return any(request.number == number for request in self.live.values())


class AnyMorning(RuleBasedStateMachine):
    def build(self, weather: Weather, carrier: Quiet) -> House:
        return PureHouse(weather, carrier)

    @initialize(begins=st.sampled_from([8 * 60, 8 * 60 + 30, 20 * 60 + 30]))
    def starts(self, begins: int) -> None:
        self.carrier = Quiet()
        weather = replace(QUIET, begins=begins, missing=frozenset())
        self.house = self.build(weather, self.carrier)
        self.carrier.promises = self.promises = Promises(self.house, self.carrier.talks)
        self.old: list[CallOutcome] = []
        self.since: dict[str, datetime] = {}
        self.house.tick()

    @rule(minutes=st.sampled_from([0.2, 1, 3, 11, 26, 31]))
    def time_passes(self, minutes: float) -> None:
        until = self.house.now + timedelta(minutes=minutes)
        while self.house.now < until:
            due = self.house.next_due() or until
            self.house.now = min(until, max(due, self.house.now + timedelta(minutes=1)))
            self._hang_up_what_lasts_too_long()
            self.house.tick()

    def _hang_up_what_lasts_too_long(self) -> None:
        """A call has a hard limit of 10 min."""
        for request in list(self.carrier.live.values()):
            since = self.since.setdefault(request.id, self.house.now)
            if self.house.now - since > timedelta(minutes=9):
                del self.carrier.live[request.id]

    @rule(
        which=st.integers(0, 5), end=st.sampled_from([*MISSES, *WORDS]), how=st.sampled_from(["key", "speech", "none"])
    )
    def a_call_ends(self, which: int, end: Disposition | str, how: str) -> None:
        live = list(self.carrier.live.values())
        if not live:
            return
        request = live[which % len(live)]
        del self.carrier.live[request.id]
        talked = not isinstance(end, Disposition)
        people = tuple(PersonOutcome(one.id, str(end), how, {"certain": True}) for one in request.callees)
        disposition = Disposition.ANSWERED if talked else Disposition(end)
        news = CallOutcome(request.id, self.house.now, True, disposition, people if talked else ())
        self.promises.said(request, news)
        self.house.settle(news)
        self.old.append(news)
        self.house.tick()

    @rule(which=st.integers(0, 9))
    def old_news_comes_again(self, which: int) -> None:
        if self.old:
            assert not self.house.settle(self.old[which % len(self.old)]), "told twice, counted twice"

    @rule(takes=st.booleans(), elder=st.sampled_from(ELDERS))
    def staff_act(self, takes: bool, elder: str) -> None:
        held = {held.elder: held for held in self.house.held()}
        if held[elder].status == "needs_person":
            self.promises.spoke.add((STAFF_NAME, elder))
            (self.house.take_over if takes else self.house.close)(elder, STAFF_NAME)

    @rule(one=st.sampled_from([*BUDDIES, STAFF[0]]))
    def goes_on_leave(self, one: str) -> None:
        self.house.leave(one, 40)

    @rule(elder=st.sampled_from(ELDERS), state=st.sampled_from(["died", "refused", "moved"]), dice=st.integers(0, 3))
    def the_register_says(self, elder: str, state: str, dice: int) -> None:
        if not dice:
            self.promises.stops(elder, state)
            self.house.stops(elder, state)

    @rule(after=st.integers(0, 30))
    def crashes(self, after: int) -> None:
        self.house.dies(after)
        self.house.now += timedelta(minutes=2)
        self._hang_up_what_lasts_too_long()
        self.house.tick()

    @rule(dead=st.booleans())
    def the_line(self, dead: bool) -> None:
        self.carrier.refuses = dead

    @invariant()
    def promises_hold(self) -> None:
        if hasattr(self, "promises"):
            self.promises.rest()
            self.promises.everybody()

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.shut()


class AnyMorningOnTheDatabase(AnyMorning):
    def build(self, weather: Weather, carrier: Quiet) -> House:
        return SqlHouse(weather, carrier)


AnyMorning.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
AnyMorningOnTheDatabase.TestCase.settings = settings(max_examples=6, stateful_step_count=12, deadline=None)
TestAnyMorning = AnyMorning.TestCase
TestAnyMorningOnTheDatabase = AnyMorningOnTheDatabase.TestCase
