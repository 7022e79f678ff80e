"""Whatever callers, staff and time do with complaints, in any order and told twice: only "solved" closes one, or
three calls in vain and a visit; every open one waits for somebody; nothing that was said is lost."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins import items
from checkins.other_calls import Ended
from checkins.ports import CallOutcome, Disposition, PersonOutcome
from checkins.results import LINE
from checkins.tables import Mode, Neighbourhood, Person
from community import complaints, intake, rows, staff, waiting
from community.reply_calls import CALLING, ReplyCalls
from community.tables import Complaint, ComplaintEvent, Dictation, Outcome, Reply, Status
from tests.unit.checkins.world import empty_database

NAME = "陈老师"
OUTCOMES = st.sampled_from([Outcome.SOLVED, Outcome.NOT_SOLVED, Outcome.TALK])
which = st.integers(0, 3)
calls = st.integers(0, 3).map(lambda n: f"call-{n}")
whose = st.integers(0, 2)


class AnyComplaints(RuleBasedStateMachine):
    """`ended`: by number, what may have closed it; kept apart from the code that closes."""

    @initialize(visit=st.booleans())
    def opens(self, visit: bool) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.db = empty_database(f"sqlite:///{self.folder.name}/any.db")
        self.now = datetime(2026, 3, 2, 1, tzinfo=UTC)
        self.recorded: set[str] = set()
        self.solved: set[int] = set()
        self.in_vain: dict[int, int] = {}  # calls since the last answer
        self.on_the_line: set[int] = set()  # in one of the calls with the last answer
        self.rung = 0
        self.visited: set[int] = set()  # since the last answer
        self.events = 0
        with self.db.write() as session:
            place = Neighbourhood(name="曹杨", committee="曹杨居委会")
            session.add(place)
            session.flush()
            more = {"neighbourhood_id": place.id, "consents": {"calls": True}}
            people = [Person(name=f"王{n}", spoken_name=f"王{n}", number=f"+86211000000{n}", **more) for n in range(2)]
            people[1].mode = Mode.VISIT if visit else Mode.KEYS
            session.add_all(people)
            session.flush()
            self.people: list[str | None] = [*(each.id for each in people), None]

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.db.close()
            self.folder.cleanup()

    # ── what callers do ──

    @rule(call=calls, who=whose, adds=st.booleans(), twice=st.booleans())
    def somebody_sends(self, call: str, who: int, adds: bool, twice: bool) -> None:
        person = self.people[who]
        self.do(lambda session: complaints.another(session, call, person, self.now))
        if adds:
            self.do(lambda session: complaints.adding(session, call, person, self.now))
        sent = self.do(lambda session: complaints.send(session, call, person, self.now)[0].number)
        if twice:
            assert self.do(lambda session: complaints.send(session, call, person, self.now)[0].number) == sent

    @rule(call=calls, who=whose, n=st.integers(1, 3), twice=st.booleans())
    def a_call_ends(self, call: str, who: int, n: int, twice: bool) -> None:
        person = self.people[who] or ""
        said = [{"complaint_recording": f"{call}-{who}-{i}", "complaint_text": "电梯坏了"} for i in range(n)]
        news = CallOutcome(
            call, self.now, True, people=(PersonOutcome(person, "rang_in", "key", {**said[0], "more": said[1:]}),)
        )
        for _ in range(2 if twice else 1):
            self.do(lambda session: intake.settle(session, news, self.now))
        self.recorded |= {one["complaint_recording"] for one in said}

    @rule(which=which, call=calls, outcome=OUTCOMES, twice=st.booleans())
    def they_say_what_they_think(self, which: int, call: str, outcome: Outcome, twice: bool) -> None:
        number = self.one(which)
        for _ in range(2 if twice and number else 1):
            if number and self.do(lambda session: self.say(session, number, call, outcome)):
                self.thought(number, outcome)

    def say(self, session: Session, number: int, call: str, outcome: Outcome) -> bool:
        return complaints.say(session, rows.by_number(session, number), outcome, self.now, call_id=call)

    def thought(self, number: int, outcome: Outcome) -> None:
        self.solved = self.solved | {number} if outcome is Outcome.SOLVED else self.solved - {number}

    # ── what the committee does ──

    @rule(which=which, act=st.sampled_from(["hear", "reply", "visit", "assign", "above", "discuss"]))
    def staff_act(self, which: int, act: str) -> None:
        number = self.one(which)
        acts: dict[str, Callable[[Session], Any]] = {
            "hear": lambda session: staff.hear(session, number, NAME, self.now),
            "reply": lambda session: staff.reply(session, number, NAME, self.now, text=f"{self.now}"),
            "visit": lambda session: staff.visited(session, number, "看过了", NAME, self.now),
            "assign": lambda session: staff.assign(session, number, "张老师", NAME, self.now),
            "above": lambda session: staff.level_above(session, number, NAME, self.now),
            "discuss": lambda session: staff.discuss(session, number, "物业", "来修", NAME, self.now),
        }
        if not self.try_to(acts[act]):
            return
        if act == "reply":
            self.in_vain[number] = 0
            self.on_the_line.discard(number)
            self.visited.discard(number)
        elif act == "visit":
            self.visited.add(number)

    @rule(which=which, outcome=OUTCOMES, in_person=st.booleans())
    def staff_write_down_what_they_said(self, which: int, outcome: Outcome, in_person: bool) -> None:
        number = self.one(which)

        def said(session: Session) -> Complaint:
            return staff.said(session, number, outcome, "是这样", NAME, self.now, in_person=in_person)

        if self.try_to(said):
            self.thought(number, outcome)

    @rule(which=which, found=st.sampled_from(["", "看过了"]))
    def staff_close(self, which: int, found: str) -> None:
        number = self.one(which)
        if self.try_to(lambda session: staff.close(session, number, NAME, self.now, found=found)) and found:
            self.visited.add(number)

    @rule(which=which, end=st.sampled_from(["nobody", "heard", "failed"]), twice=st.booleans())
    def a_reply_call_brings_no_word(self, which: int, end: str, twice: bool) -> None:
        number = self.one(which)
        if not number:
            return
        self.rung += 1
        call, rung = f"reply-{self.rung}", self.do(lambda session: self.ring(session, number, f"reply-{self.rung}"))
        ends = {"nobody": Disposition.NO_ANSWER, "heard": Disposition.ANSWERED, "failed": Disposition.LINE_ERROR}
        said = (PersonOutcome("", "no_reply", "key"),) if end == "heard" else ()
        for _ in range(2 if twice else 1):
            self.do(lambda session: ReplyCalls().ended(session, Ended(call, ends[end], said), self.now))
        if rung and end == "nobody":
            self.in_vain[number] = self.in_vain.get(number, 0) + 1
        self.on_the_line |= {number} if rung and end == "heard" else set()

    def ring(self, session: Session, number: int, call: str) -> bool:
        """As the claim would; False: no call is due about it."""
        complaint = rows.by_number(session, number)
        answer = rows.last_reply(session, complaint)
        if answer is None or answer.outcome is not None:
            return False
        rows.note(session, complaint, CALLING, LINE, self.now, call_id=call, detail={"round": answer.round})
        return True

    @rule(which=which)
    def no_call_can_be_made_any_more(self, which: int) -> None:
        def give_up(session: Session) -> None:
            answer = rows.last_reply(session, rows.by_number(session, number))
            if answer is not None and answer.outcome is None:
                staff.by_person(session, answer, self.now, reached=number in self.on_the_line)

        if number := self.one(which):
            self.do(give_up)

    @rule()
    def somebody_ticks_off_all_items(self) -> None:
        def tick(session: Session) -> None:
            for item in items.open_items(session):
                items.done(session, item.id, NAME, self.now)

        self.do(tick)

    @rule(hours=st.sampled_from([1, 5, 30, 24 * 20]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.do(lambda session: waiting.keep(session, self.now))

    # ── what always holds ──

    @invariant()
    def nothing_is_closed_but_by_the_rules(self) -> None:
        for row in self.rows():
            if row.status == Status.CLOSED:
                vain = self.in_vain.get(row.number, 0) >= 3 and row.number in self.visited
                vain = vain and row.number not in self.on_the_line
                assert row.number in self.solved or vain, f"{row.number} was closed by nobody's word"
                assert row.closed_by
                assert row.close_reason == ("solved" if row.number in self.solved else "unreached")
            else:
                assert row.number not in self.solved, f"{row.number} was called solved"
                assert row.closed_by is row.closed_at is row.close_reason is None

    @invariant()
    def every_open_one_waits_for_somebody(self) -> None:
        with self.db.read() as session:
            waiting.keep(session, self.now + timedelta(days=90))  # rolled back
            for row in session.scalars(select(Complaint).where(Complaint.status != Status.CLOSED)):
                rung = session.scalar(select(Reply.id).where(Reply.complaint_id == row.id, Reply.due_at.is_not(None)))
                assert rung or waiting.open_items(session, row), f"{row.number} ({row.status}) waits for nobody"
            for row in session.scalars(select(Complaint).where(Complaint.status == Status.CLOSED)):
                assert not waiting.open_items(session, row, waiting.WHILE_OPEN)
            unheard = session.scalars(select(Complaint).where(Complaint.heard_due.is_not(None)))
            assert all(waiting.open_items(session, row, waiting.LISTEN) for row in unheard)

    @invariant()
    def nothing_that_was_said_is_lost_and_numbers_are_given_once(self) -> None:
        with self.db.read() as session:
            assert self.recorded == set(session.scalars(select(Dictation.recording)))
            assert session.scalar(select(func.count(Dictation.id))) == len(self.recorded)
            numbers = session.scalars(select(Complaint.number)).all()
            assert sorted(numbers) == list(range(1001, 1001 + len(numbers)))
            events = session.scalar(select(func.count(ComplaintEvent.id))) or 0
            assert events >= self.events, "the log only grows"
            self.events = events
            staff_acts = ("heard", "replied", "assigned", "discussed", "visited", "closed")
            by = session.scalars(select(ComplaintEvent.who).where(ComplaintEvent.what.in_(staff_acts)))
            assert set(by) <= {NAME}

    # ── help ──

    def rows(self) -> list[Complaint]:
        with self.db.read() as session:
            return list(session.scalars(select(Complaint)))

    def one(self, which: int) -> int:
        """A number that there is, when there is one; else 0."""
        numbers = [row.number for row in self.rows()]
        return numbers[which % len(numbers)] if numbers else 0

    def do(self, work: Callable[[Session], Any]) -> Any:
        with self.db.write() as session:
            return work(session)

    def try_to(self, work: Callable[[Session], Any]) -> bool:
        with suppress(ValueError, LookupError):
            self.do(work)
            return True
        return False


TestAnyComplaints = AnyComplaints.TestCase
TestAnyComplaints.settings = settings(max_examples=8, stateful_step_count=25, deadline=None)
