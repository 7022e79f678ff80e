"""Cycle, roster, search and database together, under any answers, faults and edits: nobody is ever without a closing
name or a next action as near as PRODUCT.md demands, nobody is taken without a key, no responder is rung twice within
two minutes. Short, on SQLite; the pure search has its own (test_escalation.py)."""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Coroutine
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from checkins import auditor, cases
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome, Placed
from checkins.results import LINE, Status
from checkins.roster import edits
from checkins.tables import CallIntent, Checkin
from tests.unit.checkins.street import LI, ZHOU, Street
from tests.unit.checkins.world import World

T = TypeVar("T")
MISSES = [Disposition.NO_ANSWER, Disposition.BUSY, Disposition.MACHINE, Disposition.LINE_ERROR]
WORDS = ["accepted", "declined", "fine_seen", "needs_help", "nobody_opens", "no_reply", "well", "not_well", "emergency"]
ends = st.sampled_from(MISSES) | st.just("accepted") | st.sampled_from(WORDS)
STAFF_NAME = "李老师"


class Crash(BaseException):
    """The process dies: nothing may catch it."""


class AnyMorning(RuleBasedStateMachine):
    @initialize(minute=st.sampled_from([0, 30, 12 * 60 + 30]), how=st.sampled_from(["fresh", "unreached", "emergency"]))
    def begins(self, minute: int, how: str) -> None:
        """A fresh morning, or one on which both elders were tried three times in vain, or cried for help."""
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.world = World(f"sqlite:///{self.folder.name}/wenan.db", lines=8)
        self.street = Street.of(self.world)
        minute = minute if how == "fresh" else 0
        self.elders = [self.street.elder(name, slot=480 + minute) for name in ("王秀英", "张桂兰")]
        self.over: set[str] = set()
        self.world.clock.advance_to(self.world.at("08:00") + timedelta(minutes=minute))
        if how == "unreached":
            self.run(self.street.unreached(*self.elders))
        self.tick()
        if how == "emergency":
            for request in list(self.world.placer.requests):
                self.over.add(request.id)
                self.settles(request, "emergency", "key")
        if how == "unreached":
            self.over |= {request.id for request in self.world.placer.requests if request.flow == "daily_checkin"}
        self.tick()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def tick(self) -> None:
        self.run(self.world.cycle.tick())
        self.run(self.world.cycle.reconcile())
        self.run(self.world.cycle.tick())

    @rule(minutes=st.sampled_from([0.2, 1, 1, 3, 5, 11, 26, 31]))
    def time_passes(self, minutes: float) -> None:
        until = self.world.clock.now() + timedelta(minutes=minutes)
        while self.world.clock.now() < until:  # the cycle ticks all the time; once a minute is enough here
            self.world.clock.advance_to(min(until, self.world.clock.now() + timedelta(minutes=1)))
            self.tick()

    @rule(which=st.integers(0, 5), end=ends, evidence=st.sampled_from(["key", "speech", "none"]))
    def a_call_ends(self, which: int, end: Disposition | str, evidence: str) -> None:
        live = [request for request in self.world.placer.requests if request.id not in self.over]
        if not live:
            return
        request = live[which % len(live)]
        self.over.add(request.id)
        owners = {elder: self.world.row(elder).owner for elder in self.elders}
        self.settles(request, end, evidence)
        for elder in self.elders:
            taken = self.world.row(elder).owner not in (None, owners[elder])
            assert not taken or evidence == "key" or end in ("needs_help", "nobody_opens"), "taken without a key"

    def settles(self, request: CallRequest, end: Disposition | str, evidence: str) -> None:
        talked = not isinstance(end, Disposition)
        people = [PersonOutcome(one.id, str(end), evidence) for one in request.callees] if talked else []
        disposition = Disposition.ANSWERED if talked else Disposition(end)
        now = self.world.clock.now()
        news = CallOutcome(request.id, now, final=True, disposition=disposition, people=tuple(people))
        self.run(self.world.cycle.settle(news))
        assert not self.run(self.world.cycle.settle(news)), "told twice, counted twice"
        self.run(self.world.cycle.tick())

    @rule(takes=st.booleans(), which=st.integers(0, 1))
    def staff_act(self, takes: bool, which: int) -> None:
        row = self.world.row(self.elders[which])
        if row.status is not Status.NEEDS_PERSON:
            return
        with self.world.db.write() as session:
            if takes:
                cases.take_over(session, row.checkin_id, STAFF_NAME, self.world.clock.now())
            else:
                cases.close_case(session, row.checkin_id, STAFF_NAME, "在女儿家", self.world.clock.now())

    @rule(number=st.sampled_from([LI, ZHOU]))
    def goes_on_leave(self, number: str) -> None:
        now = self.world.clock.now()
        with self.world.db.write() as session:
            edits.put_on_leave(session, self.street.ids[number], now, now + timedelta(minutes=40), "书记", now)

    @rule()
    def crashes_before_it_dials(self) -> None:
        async def dies(_request: CallRequest) -> Placed:
            raise Crash

        placer = self.world.placer
        placer.place = dies  # type: ignore[method-assign]
        self.world.clock.advance(minutes=5)
        try:
            self.run(self.world.cycle.tick())
        except Crash:
            self.world.cycle = self.world.another_cycle("restarted")
        finally:
            del placer.place  # type: ignore[method-assign]
        self.tick()

    @invariant()
    def nobody_is_late(self) -> None:
        with self.world.db.read() as session:
            assert auditor.late(session, self.world.clock.now()) == []

    @invariant()
    def everybody_has_a_name_or_a_next_action(self) -> None:
        now = self.world.clock.now()
        with self.world.db.read() as session:
            rows = list(session.scalars(select(Checkin)))
        for row in rows:
            if row.status == Status.CLOSED:
                assert row.closed_by
                assert row.closed_by != LINE or row.evidence in ("key", "speech")
            else:
                assert row.due_at is not None
                if row.status == Status.NEEDS_PERSON and row.urgency in ("unreached", "emergency"):
                    assert row.due_at - now <= timedelta(minutes=30 if row.owner else 10), "sleeps"

    @invariant()
    def nobody_is_rung_twice_within_two_minutes(self) -> None:
        with self.world.db.read() as session:
            query = select(CallIntent.number, CallIntent.created_at).where(
                CallIntent.responder.is_not(None), CallIntent.dialled
            )
            calls: dict[str, list[datetime]] = defaultdict(list)
            for number, at in session.execute(query):
                calls[number].append(at)
        for moments in calls.values():
            assert all(b - a >= timedelta(minutes=2) for a, b in pairwise(sorted(moments))), "rung too soon"

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.db.close()
            self.loop.close()
            assert Path(self.folder.name).exists()
            self.folder.cleanup()


AnyMorning.TestCase.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
TestAnyMorning = AnyMorning.TestCase
