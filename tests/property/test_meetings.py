"""Whatever the parties, staff and time do with meetings, in any order: at most one is ahead, nobody's news of one ends
with another, and whom one of them leaves alone has an item."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import items
from checkins.intents import INBOUND, intend
from checkins.line_rules import Purpose
from checkins.people import set_state
from checkins.tables import IntentState, Neighbourhood, Person, State
from community import complaints, meeting_calls, meeting_state, meetings, rows, staff, waiting
from community.meeting_state import Came
from community.meeting_tables import MeetingParty, MeetingPlan
from community.tables import Complaint, Meeting, Outcome, Status
from tests.unit.checkins.world import empty_database

NAME = "陈老师"
days, both = st.integers(1, 3), st.integers(0, 1)
rarely = st.integers(0, 5).map(lambda n: n == 5)


class AnyMeetings(RuleBasedStateMachine):
    """One complains of the other. `news`: of which meeting somebody has to tell them, kept apart from the code."""

    @initialize()
    def opens(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.db = empty_database(f"sqlite:///{self.folder.name}/any.db")
        self.now = datetime(2026, 3, 2, 1, tzinfo=UTC)
        self.news: dict[str, datetime] = {}
        with self.db.write() as session:
            place = Neighbourhood(name="曹杨", committee="曹杨居委会")
            session.add(place)
            session.flush()
            more = {"neighbourhood_id": place.id, "consents": {"calls": True}}
            people = [Person(name=f"王{n}", spoken_name=f"王{n}", number=f"+86211000000{n}", **more) for n in range(2)]
            session.add_all(people)
            session.flush()
            self.people, self.alive = [each.id for each in people], {each.id for each in people}
            self.number = complaints.file(session, "call", self.people[0], self.now).number
            staff.hear(session, self.number, NAME, self.now)
            staff.reply(session, self.number, NAME, self.now, text="明天来修。")

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.db.close()
            self.folder.cleanup()

    # ── the parties ──

    @rule(
        who=both,
        key=st.sampled_from(["first", "second", "yes", "no", "known", "cant", *Came]),
        ours=st.booleans(),
    )
    def they_press_a_key(self, who: int, key: str, ours: bool) -> None:
        def press(session: Session) -> None:
            query = select(MeetingParty).where(MeetingParty.person_id == self.people[who])
            party = session.scalars(query.order_by(MeetingParty.id.desc())).first()
            if party is None or self.people[who] not in self.alive:
                return
            plan = session.get_one(MeetingPlan, party.plan_id)
            call = self.call(session, Purpose.REPLY if ours else INBOUND)
            at, before = meeting_state.chosen_time(plan), self.written(session)
            told = key == "known" and ours and party.ask in ("told", "remind")
            acts: dict[str, Callable[[], Any]] = {
                "first": lambda: meetings.choose(session, plan, party, 0, call, self.now),
                "second": lambda: meetings.choose(session, plan, party, 1, call, self.now),
                "yes": lambda: meetings.agree(session, plan, party, call, self.now, yes=True),
                "no": lambda: meetings.agree(session, plan, party, call, self.now, yes=False),
                "known": lambda: meetings.known(session, plan, party, call, self.now),
                "cant": lambda: meetings.cant(session, plan, party, call, self.now),
            }
            if key in acts:
                acts[key]()
            elif at is not None and at <= self.now:
                meetings.came(session, plan, party, Came(key), call, self.now)
            if told and self.news.get(self.people[who]) == at:
                del self.news[self.people[who]]
            self.over(self.written(session) - before)

        with self.db.write() as session:
            press(session)

    @rule(outcome=st.sampled_from([Outcome.SOLVED, Outcome.NOT_SOLVED]))
    def it_is_called(self, outcome: Outcome) -> None:
        self.try_to(lambda session: complaints.say(session, self.row(session), outcome, self.now))

    @precondition(lambda self: len(self.alive) == 2)
    @rule(really=rarely)
    def the_other_dies(self, really: bool) -> None:
        if not really:
            return
        self.alive -= {self.people[1]}
        self.news.pop(self.people[1], None)
        with self.db.write() as session:
            set_state(session, self.people[1], State.DIED, NAME, self.now)
            meeting_calls.keep(session, self.now)
            waiting.keep(session, self.now)

    # ── staff ──

    @rule(first=days, second=days, other=st.booleans())
    def staff_offer(self, first: int, second: int, other: bool) -> None:
        times = [self.day(first), self.day(second)]
        other_id = self.people[1] if other else None
        self.try_to(
            lambda session: meetings.offer(session, self.number, times, "居委会", "邻居", NAME, self.now, other_id)
        )

    @rule(what=st.lists(st.sampled_from(["book", "outcome", "cancel", "time"]), min_size=1, max_size=6), day=days)
    def staff_go_on(self, what: list[str], day: int) -> None:
        acts: dict[str, Callable[[], None]] = {
            "book": lambda: self.staff_book(day),
            "outcome": self.staff_write_the_outcome,
            "cancel": self.staff_call_off,
            "time": lambda: self.time_passes(30),
        }
        for each in what:
            acts[each]()
            self.nobody_s_news_is_lost()

    def staff_book(self, day: int) -> None:
        at = self.day(day)

        def book(session: Session) -> None:
            known = {meeting.at for meeting in meeting_state.ahead(session, self.row(session), self.now)}
            staff.meet(session, self.number, at, "居委会", "邻居", NAME, self.now)
            if at not in known:
                self.hear(session, at)

        self.try_to(book)

    def staff_write_the_outcome(self) -> None:
        self.try_to(lambda session: self.over({staff.met(session, self.number, "谈了", NAME, self.now).at}))

    def staff_call_off(self) -> None:
        def call_off(session: Session) -> None:
            before, row = self.written(session), self.row(session)
            staff.call_off(session, self.number, "算了", NAME, self.now)
            off = self.written(session) - before
            self.over(off)
            for at in off:
                if at > self.now or row.status != Status.CLOSED:
                    self.hear(session, at)

        self.try_to(call_off)

    @precondition(lambda self: self.news)
    @rule(really=rarely)
    def somebody_ticks_off_all_items(self, really: bool) -> None:
        if not really:
            return

        def tick(session: Session) -> None:
            for item in items.open_items(session):
                items.done(session, item.id, NAME, self.now)

        self.news.clear()
        self.try_to(tick)

    @rule(hours=st.sampled_from([7, 30]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        with self.db.write() as session:
            meeting_calls.keep(session, self.now)
            waiting.keep(session, self.now)

    # ── what always holds ──

    @invariant()
    def at_most_one_is_ahead(self) -> None:
        with self.db.read() as session:
            assert len(meeting_state.ahead(session, self.row(session), self.now)) <= 1

    @invariant()
    def nobody_s_news_is_lost(self) -> None:
        with self.db.read() as session:
            found = {item.person_id for item in waiting.open_items(session, self.row(session), waiting.APPOINTED)}
            assert self.news.keys() <= found, f"{self.news}: nobody tells them"

    @invariant()
    def who_is_left_alone_has_an_item(self) -> None:
        with self.db.read() as session:
            row = self.row(session)
            for meeting in meeting_state.ahead(session, row, self.now):
                since = meeting_state.broken_since(session, row, meeting)
                mine = items.open_items(session) + list(session.scalars(select(items.Item)))
                for each in meeting_state.concerned(session, row) if since is not None else ():
                    assert any(
                        item.person_id == each
                        and item.kind in waiting.ARRANGE
                        and (item.done_at is None or item.done_at >= since)
                        for item in mine
                    )

    @invariant()
    def nobody_arranges_what_is_over(self) -> None:
        with self.db.read() as session:
            row = self.row(session)
            if not meeting_state.unwritten(session, row) and meeting_state.plan_of(session, row) is None:
                assert not waiting.open_items(session, row, waiting.ARRANGE)

    # ── how ──

    def call(self, session: Session, purpose: str) -> str:
        intent = intend(session, "+862110000009", purpose, self.now, "one")
        intent.state = IntentState.SETTLED
        return intent.id

    def hear(self, session: Session, at: datetime) -> None:
        """Who complains hears of it, and whoever was asked, or told, in the last offer."""
        last = session.scalars(select(MeetingPlan).order_by(MeetingPlan.id.desc())).first()
        asked = [each.person_id for each in meeting_state.parties(session, last)] if last is not None else []
        knows = last is not None and (last.chosen is not None or bool(last.struck))
        for each in {self.people[0], *(asked if knows else [])} & self.alive:
            self.news[each] = at

    def over(self, times: set[datetime]) -> None:
        self.news = {who: at for who, at in self.news.items() if at not in times}

    def written(self, session: Session) -> set[datetime]:
        session.flush()
        return set(session.scalars(select(Meeting.at).where(Meeting.outcome.is_not(None)))) - {
            meeting.at for meeting in meeting_state.unwritten(session, self.row(session))
        }

    def row(self, session: Session) -> Complaint:
        return rows.by_number(session, self.number)

    def day(self, days: int) -> datetime:
        return self.now.replace(hour=6, minute=0) + timedelta(days=days)

    def try_to(self, act: Callable[[Session], Any]) -> None:
        with suppress(ValueError, LookupError), self.db.write() as session:
            act(session)


TestAnyMeetings = AnyMeetings.TestCase
TestAnyMeetings.settings = settings(max_examples=8, stateful_step_count=30, deadline=None)
