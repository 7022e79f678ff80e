"""The search for a person under any order of replies, clock jumps and roster edits: it never sleeps, never disturbs
who sleeps or talks, never takes silence for a yes, and nothing but a name ends it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from checkins.escalation import search as core
from checkins.escalation.policy import STAFF, VOLUNTEERS, Escalation, Who
from checkins.escalation.values import (
    Action,
    CallForFinding,
    Confirm,
    Finding,
    Idle,
    NextRung,
    Phase,
    Reply,
    Responder,
    Ring,
    Search,
    TellTaken,
    Wait,
)
from checkins.results import LINE, Urgency
from tests.unit.checkins.escalation.people import Person, at, minutes, person

ZONE = "Asia/Shanghai"
STAFF_NAME = "陈书记"
POOL = {
    Who.BUDDY: [person(Who.BUDDY, f"b{n}") for n in range(3)],
    Who.DUTY: [person(Who.DUTY, "d")],
    Who.DEPUTY: [person(Who.DEPUTY, "e")],
    Who.FAMILY: [person(Who.FAMILY, f"f{n}") for n in range(2)] + [person(Who.FAMILY, "b0")],  # a buddy of the family
    Who.STREET: [person(Who.STREET, "s")],
}
EVERYBODY = sorted({one.id for people in POOL.values() for one in people})
ids = st.sampled_from(EVERYBODY)
steps = st.builds(
    dict,
    who=st.lists(st.sampled_from([who.value for who in Who]), min_size=1, unique=True),
    calls=st.integers(1, 3),
    spacing=st.integers(2, 10),
    together=st.integers(1, 3),
    rounds=st.integers(1, 3),
    every=st.integers(2, 10),
    latest=st.integers(1, 60),
)


def policy_of(several: list[dict[str, object]], loop: int) -> Escalation:
    """Any unreached plan that is allowed: duty is added where it must be."""
    several = [*several, {"who": ["duty"], "latest": 60}]
    return Escalation.from_json({"unreached": {"steps": several, "loop": min(loop, len(several) - 1)}})


policies = st.just(Escalation()) | st.builds(policy_of, st.lists(steps, max_size=3), st.integers(0, 3))
LONGEST_TALK = 8  # minutes of a responder's other call
BAD = (Finding.NEEDS_HELP, Finding.NOBODY_OPENS)


def asleep(who: Who, search: Search, now: datetime) -> bool:
    """Written again on purpose: buddies and family sleep from 21 to 8, but not through an emergency."""
    hour = now.astimezone(ZoneInfo(ZONE)).hour
    return search.urgency is not Urgency.EMERGENCY and who in VOLUNTEERS and not 8 <= hour < 21


@dataclass
class Checks:
    """Holds every action and every transition against the promises."""

    search: Search
    last: dict[str, datetime] = field(default_factory=dict)  # by the line's own clock

    def action(self, action: Action, people: dict[Who, tuple[Person, ...]], busy: set[str], now: datetime) -> None:
        match action:
            case Wait(until, nobody):
                assert now < until <= now + self.allowed(), "sleeps"
                assert nobody is self.nobody(people, now) or self.search.declined, "the auditor is misled"
            case Ring(responders):
                assert self.search.phase is Phase.SEARCHING
                assert responders
                assert len({one.id for one in responders}) == len(responders)
                assert not {one.id for one in responders} & set(self.search.declined), "asked again who can't"
                for one in responders:
                    self.call(one, people, busy, now)
            case CallForFinding(one):
                assert (self.search.phase, self.search.accepted_by) == (Phase.TAKEN, one.id)
                self.call(one, people, busy, now)
            case TellTaken(one, by):
                assert by != one.id, "told that they have it themselves"
                assert by
                self.call(one, people, busy, now)
            case Confirm(after, by, until):
                assert self.search.phase is Phase.CONFIRMING
                assert now < until <= by
                assert 8 <= after.astimezone(ZoneInfo(ZONE)).hour < 21, "the elder sleeps"
                assert after < by <= after + timedelta(hours=2)
            case Idle(by):
                assert (self.search.phase, self.search.ended_by) == (Phase.ENDED, by)
            case NextRung():
                raise AssertionError("advance leaves nothing to climb")

    def allowed(self) -> timedelta:
        if self.search.phase is not Phase.SEARCHING:
            return minutes(30)
        return minutes(10 if self.search.urgency in (Urgency.UNREACHED, Urgency.EMERGENCY) else 60)

    def nobody(self, people: dict[Who, tuple[Person, ...]], now: datetime) -> bool:
        if self.search.phase is not Phase.SEARCHING:
            return False
        roles = {who for step in self.search.plan.steps for who in step.who}
        loud = self.search.urgency in (Urgency.UNREACHED, Urgency.EMERGENCY)
        return not any(people.get(who) for who in roles if not (loud and asleep(who, self.search, now)))

    def call(self, one: Responder, people: dict[Who, tuple[Person, ...]], busy: set[str], now: datetime) -> None:
        roles = [who for who, there in people.items() if one in there and not asleep(who, self.search, now)]
        assert roles, "rung in quiet hours, or though the roster has them no more"
        assert one.number
        assert one.id not in busy, "rung while they talk"
        if before := self.last.get(one.id):
            assert not -minutes(10) <= now - before < minutes(2), "rung twice within two minutes"
        self.last[one.id] = now

    def move(self, after: Search, by: str | None = None) -> None:
        """`by`: who may take or end it in this move; nobody else may."""
        before, self.search = self.search, after
        if after.phase is Phase.ENDED and before.phase is not Phase.ENDED:
            assert after.ended_by == by, "ended by nobody who said so"
            assert (after.ended_by or "").casefold() not in ("", LINE)
        if after.phase is Phase.TAKEN and after.accepted_by != before.accepted_by:
            assert after.accepted_by == by, "taken by nobody who said so"
        assert (after.finding_due is None) == (after.phase is not Phase.TAKEN)
        untold = [item.responder for item in after.untold]
        assert len(set(untold)) == len(untold)
        assert not set(untold) & set(after.told), "told twice"
        assert (after.accepted_by is None) or after.phase is not Phase.SEARCHING


class AnyLife(RuleBasedStateMachine):
    @initialize(
        urgency=st.sampled_from([Urgency.UNREACHED, Urgency.UNREACHED, *Urgency]),
        device=st.booleans(),
        minute=st.integers(0, 24 * 60 - 1),
        missing=st.sets(st.sampled_from(Who)),
        policy=policies,
    )
    def begins(self, urgency: Urgency, device: bool, minute: int, missing: set[Who], policy: Escalation) -> None:
        self.now = at("00:00") + minutes(minute)
        self.people = {who: tuple(people) for who, people in POOL.items() if who not in missing}
        self.busy: set[str] = set()
        self.checks = Checks(core.begin(policy, urgency, self.now, device=device))

    @property
    def search(self) -> Search:
        return self.checks.search

    def decide(self) -> Action:
        search, action = core.advance(self.search, self.people, self.busy, self.now)
        self.checks.move(search, search.found_by if self.search.phase is Phase.CONFIRMING else None)
        return action

    # ── what time and the cycle do ──

    @rule(tenths=st.integers(0, 40) | st.integers(0, 700))
    def time_passes(self, tenths: int) -> None:
        self.now += minutes(tenths / 10)

    @rule(jump=st.integers(-40, 40) | st.sampled_from([-1500, 1500]))
    def the_clock_jumps(self, jump: int) -> None:
        self.now += minutes(jump)

    @rule(asked=st.booleans())
    def the_cycle_serves_it(self, asked: bool) -> None:
        action = self.decide()
        self.checks.action(action, self.people, self.busy, self.now)
        match action:
            case Ring(responders):
                for one in responders:
                    self.checks.move(core.rang(self.search, one.id, self.now))
                assert not isinstance(self.decide(), Ring), "rings the same people again at once"
            case CallForFinding(one):
                self.checks.move(core.rang(self.search, one.id, self.now))
            case TellTaken(one):
                self.checks.move(core.told(self.search, one.id, self.now))
            case Wait(until) if asked:
                self.now = until
            case _:
                pass

    # ── what people do ──

    @rule(one=ids, reply=st.sampled_from(Reply), twice=st.booleans())
    def a_reply_comes(self, one: str, reply: Reply, twice: bool) -> None:
        before = self.search
        self.checks.move(core.replied(before, one, reply, self.now), one if reply is Reply.ACCEPTED else None)
        after = self.search
        if before.phase is Phase.TAKEN and reply is not Reply.DECLINED:
            same = (before.accepted_by, before.finding_due)
            assert (after.accepted_by, after.finding_due) == same, "the first to accept wins, and isn't given more time"
        if reply not in (Reply.ACCEPTED, Reply.DECLINED):
            assert after.phase is before.phase, "silence decides nothing"
        if twice:
            assert core.replied(after, one, reply, self.now + minutes(3)) == after, "told twice is told once"

    @rule(one=ids, finding=st.sampled_from(Finding), twice=st.booleans())
    def somebody_says_what_they_found(self, one: str, finding: Finding, twice: bool) -> None:
        before = self.search
        who = next(who for who, people in POOL.items() if one in [there.id for there in people])
        self.checks.move(core.found(before, one, finding, self.now, who=who), one)
        after = self.search
        if finding is Finding.NEEDS_HELP:
            assert after.phase in (Phase.SEARCHING, Phase.TAKEN), "a call for help is lost"
            assert after.loud
        if finding is Finding.FINE_HEARD and before.loud:
            assert after.phase is before.phase, "heard is not seen"
        if finding is Finding.FINE_SEEN and before.loud and before.phase is not Phase.ENDED:
            theirs = one == before.accepted_by or (before.phase is Phase.SEARCHING and not before.bad)
            assert after.phase is Phase.CONFIRMING or (after == before and not theirs), (
                "the line hears the elder itself"
            )
        if finding in BAD and who not in STAFF and after is not before:
            assert Who.DUTY in after.plan.steps[after.rung].who, "duty is next"
            assert after.phase is Phase.SEARCHING
        if twice:
            again = core.found(after, one, finding, self.now + minutes(3), who=who)
            assert (again.phase, again.finding_due, again.confirm_by) == (
                after.phase,
                after.finding_due,
                after.confirm_by,
            )

    @rule(answers=st.booleans())
    def the_elder_is_rung_to_confirm(self, answers: bool) -> None:
        move = core.confirmed if answers else core.unconfirmed
        before = self.search
        self.checks.move(move(before, self.now), before.found_by)
        if before.phase is Phase.CONFIRMING and not answers:
            assert (self.search.phase, self.search.rung) == (Phase.SEARCHING, 0)

    @precondition(lambda self: self.search.phase is not Phase.ENDED)
    @rule()
    def staff_take_over(self) -> None:
        self.checks.move(core.take_over(self.search, STAFF_NAME, self.now), STAFF_NAME)
        assert self.search.phase is Phase.TAKEN

    @precondition(lambda self: self.search.phase is not Phase.ENDED)
    @rule(dice=st.integers(0, 3))
    def staff_close(self, dice: int) -> None:
        if not dice:
            self.checks.move(core.stop(self.search, STAFF_NAME, self.now), STAFF_NAME)

    # ── what others change ──

    @rule(who=st.sampled_from(Who), people=st.data())
    def the_roster_is_edited(self, who: Who, people: st.DataObject) -> None:
        self.people[who] = tuple(people.draw(st.lists(st.sampled_from(POOL[who]), unique=True)))

    @rule(one=ids)
    def somebody_begins_or_ends_another_call(self, one: str) -> None:
        self.busy ^= {one}

    @invariant()
    def it_survives_the_database(self) -> None:
        assert Search.from_json(json.loads(json.dumps(self.search.to_json()))) == self.search

    @invariant()
    def the_next_action_is_near(self) -> None:
        action = self.decide()
        match action:
            case Wait(until):
                assert until <= self.now + self.checks.allowed()
            case Idle():
                assert self.search.ended_by
            case _:
                pass


AnyLife.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestAnyLife = AnyLife.TestCase


# ── whole days ────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Day:
    """24 h of one search (3 h of an emergency) in which replies get lost, come late and twice. Nobody accepts before
    `accepts_after`."""

    dice: Random
    urgency: Urgency
    start: datetime
    accepts_after: timedelta
    loss: float

    def __post_init__(self) -> None:
        self.now = self.start
        self.people: dict[Who, tuple[Person, ...]] = {who: tuple(people) for who, people in POOL.items()}
        self.checks = Checks(core.begin(Escalation(), self.urgency, self.now))
        self.lines: dict[str, datetime] = {}  # who is on a call until when
        self.news: list[tuple[datetime, str, Reply]] = []
        self.rings: list[tuple[datetime, str]] = []
        self.taken: datetime | None = None

    def live(self) -> None:
        end = self.start + timedelta(hours=3 if self.urgency is Urgency.EMERGENCY else 24)
        while self.now < end and self.checks.search.phase is not Phase.ENDED:
            self.hear()
            self.serve()

    def hear(self) -> None:
        due = sorted(item for item in self.news if item[0] <= self.now)
        self.news = [item for item in self.news if item[0] > self.now]
        for _, one, reply in due:
            self.checks.move(core.replied(self.checks.search, one, reply, self.now), one)
        if self.checks.search.phase is Phase.TAKEN and self.taken is None:
            self.taken = self.now

    def serve(self) -> None:
        busy = {one for one, until in self.lines.items() if until > self.now}
        if self.dice.random() < 0.1:
            self.lines[self.dice.choice(EVERYBODY)] = self.now + minutes(self.dice.randint(1, LONGEST_TALK))
        search, action = core.advance(self.checks.search, self.people, busy, self.now)
        self.checks.move(search)
        self.checks.action(action, self.people, busy, self.now)
        match action:
            case Ring(responders):
                for one in responders:
                    self.ring(one.id)
            case CallForFinding(one):
                self.find(one.id)
            case TellTaken(one):
                self.checks.move(core.told(self.checks.search, one.id, self.now))
            case Confirm(after, by):
                self.now = min(by, max(self.now, after) + minutes(self.dice.randint(0, 130)))
                well = self.dice.random() < 0.5 and self.now < by
                move = core.confirmed if well else core.unconfirmed
                self.checks.move(move(self.checks.search, self.now), self.checks.search.found_by)
            case Wait(until):
                self.now = min([until, *(moment for moment, _, _ in self.news)])

    def ring(self, one: str) -> None:
        self.rings.append((self.now, one))
        self.checks.move(core.rang(self.checks.search, one, self.now))
        ends = self.now + minutes(self.dice.choice([0.3, 0.75, 0.75, 2, 5]))
        self.lines[one] = ends
        reply = self.dice.choice(list(Reply))
        if reply is Reply.ACCEPTED and self.now < self.start + self.accepts_after:
            reply = Reply.NO_ANSWER
        for _ in range(self.dice.choice([1, 1, 2])):
            late = minutes(self.dice.choice([0, 0, 0, 15]))
            self.news += [(ends + late, one, reply)] if self.dice.random() >= self.loss else []

    def find(self, one: str) -> None:
        self.checks.move(core.rang(self.checks.search, one, self.now))
        if self.dice.random() < 0.5:
            who = Who.DUTY if one in ("d", "e") else Who.BUDDY
            finding = self.dice.choice(list(Finding))
            self.checks.move(core.found(self.checks.search, one, finding, self.now, who=who), one)
        else:
            self.now += minutes(0.5)


days = st.builds(
    Day,
    st.integers(0, 2**32).map(Random),
    st.sampled_from([Urgency.UNREACHED, Urgency.UNREACHED, Urgency.EMERGENCY, Urgency.SOON, Urgency.TODAY]),
    st.integers(0, 24 * 60 - 1).map(lambda minute: at("00:00") + minutes(minute)),
    st.sampled_from([0, 30, 30, 90, 90, 240, 240, 24 * 60]).map(minutes),
    st.sampled_from([0.0, 0.1, 0.3, 0.8]),
)


@given(days)
@settings(max_examples=200, deadline=None)
def test_whole_days_of_one_search(day: Day) -> None:
    """Every day: somebody is rung again and again until somebody has it; duty within the hour; then a finding."""
    day.live()
    loud = day.urgency in (Urgency.UNREACHED, Urgency.EMERGENCY)
    if not loud:
        return
    until = min(day.taken or day.now, day.now)
    moments = [day.start, *(moment for moment, _ in day.rings if moment <= until), until]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert max(gaps) <= minutes(10 + LONGEST_TALK + 1), "nobody is rung for a while"
    duty = next((moment for moment, one in day.rings if one == "d"), None)
    if until - day.start > minutes(70):
        assert duty is not None
        assert duty - day.start <= minutes(60 + LONGEST_TALK)
