"""回访: who is rung with an answer, when, and what becomes of it. On both databases where that matters."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from checkins import items
from checkins.cycle import Cycle
from checkins.intents import INBOUND, intend
from checkins.items import ItemKind
from checkins.line_rules import Purpose
from checkins.other_calls import Ended, Lines
from checkins.people import set_state
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome, Placed, Told, Trace
from checkins.results import Status as CaseStatus
from checkins.tables import Checkin, IntentState, NumberState, State
from community import complaints, desk, rows, staff, waiting
from community.counter import Counter
from community.reply_calls import AFTER_LINE_ERROR, FLOW, ReplyCalls
from community.rounds import ComplaintRounds
from community.tables import Complaint, Outcome, Reply, Status
from storage.database import Database
from tests.fakes import postgres
from tests.unit.checkins.world import DAY, World

TUESDAY, WEDNESDAY, THURSDAY = (DAY + timedelta(days=days) for days in (1, 2, 3))
TEXT = "楼道的灯今天修好了。"


class Hall:
    """A world with answers to be told. Elders are well by half past eight."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.cycle = self.another_cycle("cycle-1")
        self.counter = Counter(world.db, world.clock)

    def another_cycle(self, owner: str, db: Database | None = None) -> Cycle:
        world = self.world
        return Cycle(db or world.db, world.placer, world.clock, owner=owner, errands=[ReplyCalls()], **world.limits)

    async def answered(self, elder: str, text: str = TEXT, recording: str | None = None) -> int:
        """A complaint of the elder that staff have heard and answered; its number."""
        now = self.world.clock.now()

        def work(session: Any) -> int:
            number = complaints.file(session, f"call-{text}", elder, now).number
            staff.hear(session, number, "陈老师", now)
            staff.reply(session, number, "陈老师", now, None if recording else text, recording)
            return number

        return await self.world.db.run(work)

    def elder(self, name: str = "王秀英", **more: Any) -> str:
        return self.world.elder(name, **{"slot": 8 * 60, **more})

    async def morning(self, *elders: str, day: date = DAY) -> None:
        """They are well."""
        await self.world.to("08:00", day)
        for elder in elders:
            await self.world.ends(elder, "well", after=timedelta())

    async def ends(self, call_id: str, end: Disposition, *said: PersonOutcome) -> None:
        now = self.world.clock.now()
        await self.world.cycle.settle(CallOutcome(call_id, now, final=True, disposition=end, people=said))

    async def asks(self, call: CallRequest, *queries: str) -> list[Told]:
        (person,) = call.callees
        return [await self.counter.ask(call.id, query, person.id) for query in queries]

    def replies(self) -> Sequence[CallRequest]:
        return [call for call in self.world.placer.requests if call.flow == FLOW]

    def complaint(self, number: int) -> tuple[Complaint, Reply, list[str]]:
        with self.world.db.read() as session:
            complaint = rows.by_number(session, number)
            answer = rows.last_reply(session, complaint)
            assert answer is not None
            return complaint, answer, [event.what for event in rows.events(session, complaint)]

    def items(self) -> list[str]:
        with self.world.db.read() as session:
            return [item.kind for item in items.open_items(session) if item.kind.startswith("complaint")]


@pytest.fixture
def hall(world: World) -> Hall:
    return Hall(world)


@pytest.fixture
def any_hall(any_world: World) -> Hall:
    return Hall(any_world)


def said(elder: str, result: str, evidence: str = "key", **detail: Any) -> PersonOutcome:
    return PersonOutcome(elder, result, evidence, detail)


async def test_rung_after_the_check_in_and_solved(any_hall: Hall) -> None:
    hall, elder = any_hall, any_hall.elder()
    number = await hall.answered(elder)
    await hall.world.to("07:59")
    await hall.world.to("08:00")
    assert hall.replies() == [], "her own call comes first"
    await hall.world.ends(elder, "well")
    await hall.world.to("10:31")
    (call,) = hall.replies()
    assert [callee.id for callee in call.callees] == [elder]
    assert TEXT not in str(call), "told to nobody but her"
    assert hall.world.intents()[-1].purpose == Purpose.REPLY
    told = await hall.asks(call, "reply.next", "reply.next", "reply.solved", "reply.solved", "reply.next")
    values = {"number": "一零零一", "reply": TEXT}
    assert told == [Told("reply", values), Told("reply", values), Told("noted"), Told("noted"), Told("none")]
    await hall.ends(call.id, Disposition.ANSWERED, said(elder, "solved"))
    complaint, answer, events = hall.complaint(number)
    assert (complaint.status, answer.outcome, answer.due_at, answer.calls) == (Status.CLOSED, Outcome.SOLVED, None, 0)
    assert events[-4:] == ["replied", "calling", "told", "solved"]
    await hall.world.to("20:00")
    assert len(hall.replies()) == 1


async def test_two_cycles_on_one_database_ring_once(any_hall: Hall) -> None:
    hall, elder = any_hall, any_hall.elder()
    await hall.answered(elder)
    await hall.morning(elder)
    hall.world.clock.advance_to(hall.world.at("10:31"))
    other = Database(hall.world.url)
    try:
        await asyncio.gather(hall.world.cycle.tick(), hall.another_cycle("two", other).tick())
    finally:
        other.close()
    assert len(hall.replies()) == 1


async def test_the_calls_last_word_counts_when_nothing_could_be_written_in_it(any_hall: Hall) -> None:
    hall, elder = any_hall, any_hall.elder()
    number = await hall.answered(elder)
    await hall.morning(elder)
    await hall.world.to("10:31")
    (call,) = hall.replies()
    await hall.asks(call, "reply.next")
    for _ in range(2):
        await hall.ends(call.id, Disposition.ANSWERED, said(elder, "not_solved", "speech"))
    complaint, answer, events = hall.complaint(number)
    assert (complaint.status, complaint.rounds, answer.outcome) == (Status.REOPENED, 1, Outcome.NOT_SOLVED)
    assert events.count("not_solved") == 1


@pytest.mark.parametrize("detail", [{}, {"certain": False}])
async def test_solved_needs_a_key_or_a_certain_ear(hall: Hall, detail: dict[str, Any]) -> None:
    elder = hall.elder()
    number = await hall.answered(elder)
    await hall.morning(elder)
    await hall.world.to("10:31")
    (call,) = hall.replies()
    await hall.asks(call, "reply.next")
    await hall.ends(call.id, Disposition.ANSWERED, said(elder, "solved", "speech", **detail))
    assert hall.complaint(number)[0].status == Status.ANSWERED


async def test_solved_is_no_answer_to_what_was_not_told(hall: Hall) -> None:
    elder = hall.elder()
    number = await hall.answered(elder)
    await hall.morning(elder)
    await hall.world.to("10:31")
    await hall.ends(hall.replies()[0].id, Disposition.ANSWERED, said(elder, "solved"))
    assert hall.complaint(number)[0].status == Status.ANSWERED


async def test_one_call_for_all_the_answers_that_wait_and_each_is_answered_by_itself(any_hall: Hall) -> None:
    hall, elder = any_hall, any_hall.elder()
    numbers = [await hall.answered(elder, text) for text in ("灯修好了。", "下周换。")]
    await hall.morning(elder)
    await hall.world.to("10:31")
    (call,) = hall.replies()
    told = await hall.asks(call, "reply.next", "reply.solved", "reply.next", "reply.not_solved", "reply.next")
    assert [each.word for each in told] == ["reply", "noted", "reply", "noted", "none"]
    await hall.ends(call.id, Disposition.ANSWERED, said(elder, "not_solved"))
    first, second = (hall.complaint(number)[0] for number in numbers)
    assert (first.status, second.status) == (Status.CLOSED, Status.REOPENED)
    assert second.rounds == 1


async def test_the_last_word_of_a_call_about_two_answers_closes_neither(hall: Hall) -> None:
    elder = hall.elder()
    numbers = [await hall.answered(elder, text) for text in ("灯修好了。", "下周换。")]
    await hall.morning(elder)
    await hall.world.to("10:31")
    (call,) = hall.replies()
    await hall.asks(call, "reply.next", "reply.solved", "reply.next")  # and she hangs up
    await hall.ends(call.id, Disposition.ANSWERED, said(elder, "solved"))
    assert [hall.complaint(number)[0].status for number in numbers] == [Status.CLOSED, Status.ANSWERED]
    assert hall.complaint(numbers[1])[1].due_at == hall.world.clock.now() + timedelta(hours=27)


@pytest.mark.parametrize("end", [Disposition.NO_ANSWER, Disposition.BUSY, Disposition.MACHINE])
async def test_three_unreached_at_different_hours_then_somebody_goes_there(hall: Hall, end: Disposition) -> None:
    elder = hall.elder(policy={"try_after": [0]})
    number = await hall.answered(elder)
    await hall.morning(elder)
    at = []
    for clock_time, day in (("10:31", DAY), ("13:31", DAY), ("16:31", TUESDAY)):
        await hall.morning(elder, day=day) if day != DAY else None
        await hall.world.to(clock_time, day)
        at.append(len(hall.replies()))
        await hall.ends(hall.replies()[-1].id, end)
        await hall.world.to(clock_time, day)
    assert at == [1, 2, 3]
    complaint, answer, _ = hall.complaint(number)
    assert (complaint.status, answer.calls, answer.outcome) == (Status.ANSWERED, 3, Outcome.UNREACHED)
    assert hall.items() == [ItemKind.COMPLAINT_VISIT]
    now = hall.world.clock.now()
    with pytest.raises(ValueError, match="nobody has been there"):
        await hall.world.db.run(lambda session: staff.close(session, number, "陈老师", now))
    await hall.world.db.run(lambda session: staff.close(session, number, "陈老师", now, "当面说好了"))
    assert hall.complaint(number)[0].status == Status.CLOSED
    assert hall.items() == []


async def test_heard_without_an_answer_is_asked_again_the_next_day(hall: Hall) -> None:
    elder = hall.elder()
    number = await hall.answered(elder)
    await hall.morning(elder)
    await hall.world.to("10:31")
    (call,) = hall.replies()
    await hall.asks(call, "reply.next")
    await hall.ends(call.id, Disposition.ANSWERED, said(elder, "no_reply"))
    await hall.world.to("20:30")
    assert len(hall.replies()) == 1
    await hall.morning(elder, day=TUESDAY)
    await hall.world.to("13:31", TUESDAY)
    assert len(hall.replies()) == 2
    assert hall.complaint(number)[0].status == Status.ANSWERED


async def test_three_times_on_the_line_and_no_clear_answer_is_asked_by_a_person_and_never_closed(hall: Hall) -> None:
    """Two calls reach nobody, in one she hears the answer: a visit closes nothing."""
    elder = hall.elder(policy={"try_after": [0]})
    number = await hall.answered(elder)
    await hall.morning(elder)
    for n, (clock_time, day) in enumerate((("10:31", DAY), ("13:31", DAY), ("16:31", TUESDAY)), 1):
        await hall.morning(elder, day=day) if day != DAY else None
        await hall.world.to(clock_time, day)
        assert len(hall.replies()) == n
        if n == 3:
            await hall.asks(hall.replies()[-1], "reply.next")
        end = Disposition.ANSWERED if n == 3 else Disposition.NO_ANSWER
        await hall.ends(hall.replies()[-1].id, end, *([said(elder, "no_reply")] if n == 3 else []))
    complaint, answer, _ = hall.complaint(number)
    assert (complaint.status, answer.calls, answer.outcome) == (Status.ANSWERED, 2, Outcome.UNCLEAR)
    assert hall.items() == [ItemKind.COMPLAINT_ASK]
    now = hall.world.clock.now()
    with pytest.raises(ValueError, match="ask them, then `cases said`"):
        await hall.world.db.run(lambda session: staff.close(session, number, "陈老师", now, "去过了"))
    solved = Outcome.SOLVED
    await hall.world.db.run(lambda session: staff.said(session, number, solved, "好了", "陈老师", now))
    assert (hall.complaint(number)[0].status, hall.items()) == (Status.CLOSED, [])


@pytest.mark.parametrize(
    ("result", "reached"), [("no_reply", True), ("wants_person", True), ("absent", False), ("not_reached", False)]
)
async def test_who_was_on_the_line_counts_also_when_nothing_could_be_told(
    hall: Hall, result: str, reached: bool
) -> None:
    elder = hall.elder()
    number = await hall.answered(elder)
    await hall.morning(elder)
    await hall.world.to("10:31")
    await hall.ends(hall.replies()[0].id, Disposition.ANSWERED, said(elder, result))
    assert hall.complaint(number)[1].calls == (0 if reached else 1)


async def test_that_she_was_on_the_line_after_all_takes_the_visit_back(hall: Hall) -> None:
    """The end of the third call is told after it was given up."""
    elder = hall.elder(policy={"try_after": [0]})
    number = await hall.answered(elder)
    await hall.morning(elder)
    for clock_time, day in (("10:31", DAY), ("13:31", DAY), ("16:31", TUESDAY)):
        await hall.morning(elder, day=day) if day != DAY else None
        await hall.world.to(clock_time, day)
        if day == DAY:
            await hall.ends(hall.replies()[-1].id, Disposition.NO_ANSWER)
    (*_, last) = hall.replies()
    hall.world.placer.traces[last.id] = Trace.NOT_FOUND
    hall.world.clock.advance(minutes=2)
    await hall.world.cycle.reconcile()
    assert hall.items() == [ItemKind.COMPLAINT_VISIT]
    await hall.ends(last.id, Disposition.ANSWERED, said(elder, "no_reply"))
    assert (hall.complaint(number)[1].outcome, hall.items()) == (Outcome.UNCLEAR, [ItemKind.COMPLAINT_ASK])


async def test_while_the_line_is_down_what_a_person_was_told_counts(hall: Hall) -> None:
    elder = hall.elder()
    number = await hall.answered(elder)
    talk, later = Outcome.TALK, hall.world.clock.now() + timedelta(days=1, minutes=1)
    await hall.world.db.run(lambda session: staff.said(session, number, talk, "再商量", "陈老师", later))
    assert hall.complaint(number)[0].status == Status.REOPENED


# ── rows that somebody else holds, on PostgreSQL ──────────────────────────────────────────────────


@pytest.fixture
def on_postgres(postgres_server: str, postgres_tables: str) -> Iterator[Hall]:
    with postgres.database(postgres_server, postgres_tables) as url, World(url) as world:
        yield Hall(world)


@pytest.mark.parametrize("held", [Checkin, Complaint])
async def test_the_claim_waits_for_nobody(on_postgres: Hall, held: type[Checkin] | type[Complaint]) -> None:
    hall, elder = on_postgres, on_postgres.elder()
    await hall.answered(elder)
    await hall.morning(elder)
    hall.world.clock.advance_to(hall.world.at("10:31"))
    with hall.world.db.write() as session:
        session.execute(select(held).with_for_update()).all()
        tick = asyncio.create_task(hall.world.cycle.tick())
        await asyncio.wait({tick}, timeout=20)
        assert tick.done(), "it waits for a row that somebody holds"
    assert hall.replies() == []
    await hall.world.to("10:42")
    assert len(hall.replies()) == 1


async def test_complaints_are_locked_by_their_id_whatever_the_order_of_the_answers(on_postgres: Hall) -> None:
    hall, elder = on_postgres, on_postgres.elder()
    numbers = [await hall.answered(elder, text) for text in ("一。", "二。")]
    now = hall.world.clock.now()
    await hall.world.db.run(
        lambda session: staff.reply(session, numbers[0], "陈老师", now + timedelta(seconds=1), "三。")
    )
    await hall.morning(elder)
    await hall.world.to("10:31")
    (call,) = hall.replies()
    first, second = (select(Complaint.id).where(Complaint.number == number) for number in numbers)
    with hall.world.db.write() as session:
        session.execute(first.with_for_update()).all()
        ending = asyncio.create_task(hall.ends(call.id, Disposition.NO_ANSWER))
        async with asyncio.timeout(20):
            while not await hall.world.db.view(lambda other: other.scalar(text(WAITING))):
                await asyncio.sleep(0.02)
        session.execute(second.with_for_update(nowait=True)).all()  # not taken by whoever waits
    await ending
    assert [hall.complaint(number)[1].calls for number in numbers] == [1, 1]


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def test_a_line_that_failed_says_nothing_about_them(hall: Hall) -> None:
    elder = hall.elder()
    number = await hall.answered(elder)
    await hall.morning(elder)
    await hall.world.to("10:31")
    await hall.ends(hall.replies()[0].id, Disposition.LINE_ERROR)
    _, answer, _ = hall.complaint(number)
    assert (answer.calls, answer.due_at) == (0, hall.world.clock.now() + AFTER_LINE_ERROR)


async def test_refused_by_the_carrier_before_it_rang(hall: Hall) -> None:
    elder = hall.elder()
    number = await hall.answered(elder)
    await hall.morning(elder)
    hall.world.placer.answers[hall.world.person(elder).number or ""].append(Placed.REFUSED)
    await hall.world.to("10:31")
    assert hall.complaint(number)[1].due_at == hall.world.clock.now() + AFTER_LINE_ERROR
    await hall.world.to("10:46")
    assert len(hall.replies()) == 2


async def test_nobody_knows_its_end_and_then_it_comes_after_all(any_hall: Hall) -> None:
    hall, elder = any_hall, any_hall.elder()
    number = await hall.answered(elder)
    await hall.morning(elder)
    await hall.world.to("10:31")
    (call,) = hall.replies()
    await hall.asks(call, "reply.next")
    hall.world.placer.traces[call.id] = Trace.NOT_FOUND
    hall.world.clock.advance(minutes=2)
    assert await hall.world.cycle.reconcile() == 1
    _, answer, _ = hall.complaint(number)
    assert (answer.calls, answer.outcome) == (0, None), "she was on the line"
    assert answer.due_at is not None
    await hall.ends(call.id, Disposition.ANSWERED, said(elder, "solved"))
    assert hall.complaint(number)[0].status == Status.CLOSED


async def test_a_crash_before_the_dial_loses_nothing(any_hall: Hall) -> None:
    hall, elder = any_hall, any_hall.elder()
    number = await hall.answered(elder)
    await hall.morning(elder)
    hall.world.clock.advance_to(hall.world.at("10:31"))
    await hall.world.dies_before_the_dial()
    hall.world.cycle = hall.another_cycle("restarted")
    hall.world.clock.advance(minutes=2)
    await hall.world.cycle.reconcile()
    assert hall.complaint(number)[1].due_at is not None
    await hall.world.to("13:40")
    assert len(hall.replies()) == 1


@pytest.mark.parametrize("state", [State.REFUSED, State.PAUSED, State.MOVED, State.DIED])
async def test_whom_no_machine_may_call_a_person_tells(hall: Hall, state: State) -> None:
    elder = hall.elder()
    number = await hall.answered(elder)
    now, until = hall.world.clock.now(), THURSDAY if state is State.PAUSED else None
    await hall.world.db.run(lambda session: set_state(session, elder, state, "女儿", now, until=until))
    await hall.world.to("10:31")
    assert hall.replies() == []
    assert hall.items() == [ItemKind.COMPLAINT_TELL]
    assert hall.complaint(number)[1].due_at is None


async def test_without_consent_to_calls_or_a_good_number_a_person_tells(hall: Hall) -> None:
    silent = hall.elder(consents={"recording": True})
    wrong = hall.elder(number_state=NumberState.SUSPECT)
    for elder in (silent, wrong):
        await hall.answered(elder, elder)
    await hall.world.to("10:31")
    assert hall.replies() == []
    assert hall.items() == [ItemKind.COMPLAINT_TELL] * 2


async def test_refusing_in_the_call_holds_before_the_next_one(hall: Hall) -> None:
    elder = hall.elder()
    number = await hall.answered(elder)
    await hall.morning(elder)
    await hall.world.to("10:31")
    await hall.ends(hall.replies()[0].id, Disposition.ANSWERED, said(elder, "refused"))
    assert hall.world.person(elder).state == State.REFUSED
    await hall.world.to("20:00")
    assert len(hall.replies()) == 1
    assert hall.complaint(number)[0].status == Status.ANSWERED
    assert hall.items() == [ItemKind.COMPLAINT_TELL]


async def test_a_wrong_number_is_suspended(hall: Hall) -> None:
    elder = hall.elder()
    await hall.answered(elder)
    await hall.morning(elder)
    await hall.world.to("10:31")
    await hall.ends(hall.replies()[0].id, Disposition.ANSWERED, said(elder, "wrong_number"))
    assert hall.world.person(elder).number_state == NumberState.SUSPECT


async def test_not_at_night(hall: Hall) -> None:
    elder = hall.elder()
    await hall.morning(elder)
    await hall.world.to("21:00")
    number = await hall.answered(elder)
    await hall.world.to("21:00")
    assert hall.replies() == []
    assert hall.complaint(number)[1].due_at == hall.world.at("08:00", TUESDAY)


async def test_three_calls_are_left_to_the_next_check_in(hall: Hall) -> None:
    """Two since a quarter to nine, and the tries at 8:00, 8:15 and 8:45: five in 24 hours."""
    elder = hall.elder()
    person = hall.world.person(elder)
    await hall.answered(elder)
    await hall.morning(elder)
    await hall.world.to("10:00")
    hall.world.clock.advance_to(hall.world.at("11:00"))
    (call,) = hall.replies()
    await hall.ends(call.id, Disposition.NO_ANSWER)
    await hall.world.db.run(lambda session: _rung(session, person.number or "", hall.world, times=1))
    await hall.world.to("14:00")
    await hall.world.to("20:00")
    assert len(hall.replies()) == 1
    await hall.morning(elder, day=TUESDAY)
    await hall.world.to("10:00", TUESDAY)
    assert len(hall.replies()) == 2


def _rung(session: Any, number: str, world: World, times: int) -> None:
    for _ in range(times):
        intent = intend(session, number, Purpose.CHECKIN, world.clock.now(), "test")
        intent.state, intent.disposition = IntentState.SETTLED, Disposition.NO_ANSWER


async def test_where_the_rules_leave_no_room_for_days_somebody_goes_there(hall: Hall) -> None:
    """Who is rung for other things every day, all day long."""
    elder = hall.elder()
    number = await hall.answered(elder)
    for day in (DAY, TUESDAY, WEDNESDAY, THURSDAY):
        await hall.morning(elder, day=day)
        hall.world.clock.advance_to(hall.world.at("09:00", day))
        await hall.world.db.run(lambda session: _rung(session, hall.world.person(elder).number or "", hall.world, 2))
        await hall.world.to("10:31", day)
    assert hall.replies() == []
    assert hall.items() == [ItemKind.COMPLAINT_VISIT]
    assert hall.complaint(number)[1].calls == 0


async def test_while_somebody_looks_for_them_no_answer_is_told(hall: Hall) -> None:
    elder = hall.elder(policy={"try_after": [0]})
    await hall.answered(elder)
    await hall.world.to("10:30")
    await hall.world.ends(elder, Disposition.NO_ANSWER)
    assert hall.world.row(elder).status is CaseStatus.NEEDS_PERSON
    await hall.world.to("15:00")
    assert hall.replies() == []


async def test_never_while_the_number_is_on_a_call(hall: Hall) -> None:
    elder = hall.elder()
    number = hall.world.person(elder).number or ""
    await hall.answered(elder)
    await hall.morning(elder)
    placed = IntentState.PLACED
    await hall.world.db.run(lambda s: intend(s, number, INBOUND, hall.world.clock.now(), INBOUND, state=placed))
    await hall.world.to("10:31")
    assert hall.replies() == []


async def test_check_ins_have_the_lines_first(hall: Hall) -> None:
    """Four lines: four check-ins that are due, and not one answer."""
    answered = [hall.elder(name) for name in ("王秀英", "李桂芳")]
    await hall.morning(*answered)
    for elder in answered:
        await hall.answered(elder, elder)
    others = [hall.elder(name, slot=15 * 60) for name in ("赵", "钱", "孙", "周")]
    assert len(others) == 4
    await hall.world.to("15:00")
    assert [call.flow for call in hall.world.placer.requests[-4:]] == ["daily_checkin"] * 4
    assert hall.replies() == []


async def test_none_while_only_emergencies_may_ring(hall: Hall) -> None:
    elder = hall.elder()
    await hall.answered(elder)
    await hall.morning(elder)
    hall.world.cycle.urgent_only = True
    await hall.world.to("10:31")
    assert hall.replies() == []


async def test_another_rooms_fault_stops_no_check_in(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(ReplyCalls):
        def claim(self, session: Any, now: Any, lines: Lines) -> Sequence[CallRequest]:
            lines.ring(hall.world.person(first), Purpose.REPLY, FLOW)
            raise KeyError("secret")

        def ended(self, session: Any, end: Ended, now: Any) -> None:
            raise KeyError("secret")

    first, second = hall.elder(), hall.elder("李桂芳")
    await hall.morning(first)
    world = hall.world
    world.cycle = Cycle(world.db, world.placer, world.clock, errands=[Broken()], **world.limits)
    await world.to("10:31")
    assert world.calls(second) == 1
    assert hall.replies() == []
    assert {intent.purpose for intent in world.intents()} == {Purpose.CHECKIN}, "nothing half written"
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert errors
    assert not any("secret" in error for error in errors)


async def test_an_answer_taken_back_is_told_to_nobody(hall: Hall) -> None:
    elder = hall.elder()
    number = await hall.answered(elder)
    await hall.morning(elder)
    await hall.world.to("10:31")
    (call,) = hall.replies()
    now = hall.world.clock.now()
    await hall.world.db.run(lambda session: staff.reply(session, number, "陈老师", now, "明天再来修。"))
    assert await hall.asks(call, "reply.next") == [Told("none")]
    await hall.ends(call.id, Disposition.ANSWERED, said(elder, "no_reply"))
    assert hall.complaint(number)[1].calls == 0


async def test_the_counter_answers_its_own_call_only(hall: Hall) -> None:
    elder, other = hall.elder(), hall.elder("李桂芳")
    await hall.answered(elder)
    await hall.morning(elder, other)
    await hall.world.to("10:31")
    (call,) = hall.replies()
    assert await hall.counter.ask(call.id, "reply.next", other) == Told("none")
    assert await hall.counter.ask("another", "reply.next", elder) == Told("none")


async def test_a_spoken_answer_is_played(hall: Hall) -> None:
    elder = hall.elder()
    await hall.answered(elder, recording="replies/7.wav")
    await hall.morning(elder)
    await hall.world.to("10:31")
    (told,) = await hall.asks(hall.replies()[0], "reply.next")
    assert told.values == {"number": "一零零一", "reply_audio": "replies/7.wav"}


async def test_an_answer_that_cannot_be_played_is_told_by_a_person_and_rung_no_more(hall: Hall) -> None:
    elder = hall.elder()
    number = await hall.answered(elder, recording="replies/7.wav")
    await hall.morning(elder)
    await hall.world.to("10:31")
    (call,) = hall.replies()
    await hall.asks(call, "reply.next")
    for _ in range(2):
        assert await hall.counter.ask(call.id, "reply.unspoken", elder, "一零零一") == Told("noted")
    assert await hall.asks(call, "reply.next") == [Told("none")]
    assert hall.items() == [ItemKind.COMPLAINT_TELL], "at once"
    await hall.ends(call.id, Disposition.ANSWERED, said(elder, "no_reply"))
    complaint, answer, events = hall.complaint(number)
    assert (complaint.status, answer.outcome, answer.due_at, answer.calls) == (Status.ANSWERED, None, None, 0)
    assert events.count("unspoken") == 1
    await hall.world.to("10:31", THURSDAY)
    assert len(hall.replies()) == 1
    now, solved = hall.world.clock.now(), Outcome.SOLVED
    await hall.world.db.run(lambda session: staff.said(session, number, solved, "好了", "陈老师", now))
    assert (hall.complaint(number)[0].status, hall.items()) == (Status.CLOSED, [])


async def test_what_they_say_of_themselves_is_the_care_rooms(hall: Hall) -> None:
    """Solved says nothing of how they are; not well does."""
    elder, other = hall.elder(), hall.elder("李桂芳")
    for each in (elder, other):
        await hall.answered(each, each)
    await hall.morning(elder, other)
    await hall.world.to("10:31")
    first, second = hall.replies()
    await hall.asks(first, "reply.next", "reply.solved")
    await hall.ends(first.id, Disposition.ANSWERED, said(first.callees[0].id, "solved"))
    await hall.ends(second.id, Disposition.ANSWERED, said(second.callees[0].id, "not_well"))
    well, unwell = (hall.world.row(call.callees[0].id) for call in (first, second))
    assert (well.status, well.result) == (CaseStatus.CLOSED, "well")
    assert (unwell.status, unwell.reason) == (CaseStatus.NEEDS_PERSON, "not_well")


async def test_a_carrier_that_refuses_for_days_ends_with_a_visit(hall: Hall) -> None:
    elder = hall.elder()
    await hall.answered(elder)
    for day in (DAY, TUESDAY, WEDNESDAY, THURSDAY):
        await hall.morning(elder, day=day)
        hall.world.placer.answers[hall.world.person(elder).number or ""].append(Placed.REFUSED)
        await hall.world.to("10:31", day)
    await hall.world.to("10:46", THURSDAY)
    assert hall.items() == [ItemKind.COMPLAINT_VISIT]


async def test_a_moment_that_a_fast_clock_wrote_is_not_waited_for(hall: Hall) -> None:
    elder = hall.elder()
    number = await hall.answered(elder)
    await hall.morning(elder)
    with hall.world.db.write() as session:
        answer = rows.last_reply(session, rows.by_number(session, number))
        assert answer is not None
        answer.due_at = hall.world.clock.now() + timedelta(days=400)
    await hall.world.to("10:31")
    assert len(hall.replies()) == 1


async def test_when_the_line_is_down_for_a_day_a_person_is_told(hall: Hall) -> None:
    elder = hall.elder()
    await hall.answered(elder)
    hall.world.clock.advance(hours=23)
    await hall.world.db.run(lambda session: waiting.keep(session, hall.world.clock.now()))
    assert hall.items() == []
    hall.world.clock.advance(hours=2)
    await hall.world.db.run(lambda session: waiting.keep(session, hall.world.clock.now()))
    assert hall.items() == [ItemKind.COMPLAINT_TELL]


# ── rows that can't be read ───────────────────────────────────────────────────────────────────────

BROKEN = "UPDATE complaint SET opened_at = 'soon' WHERE number = :number"


async def test_a_row_that_cannot_be_read_keeps_nobody_else_waiting(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = hall.elder(), hall.elder("李桂芳")
    number = await hall.answered(first, "灯修好了。")
    await hall.answered(second, "下周换。")
    with hall.world.db.write() as session:
        session.execute(text(BROKEN), {"number": number})
    await hall.morning(first, second)
    await hall.world.to("10:31")
    assert [callee.id for call in hall.replies() for callee in call.callees] == [second]
    caplog.clear()
    await hall.world.to("10:45")
    assert "can't be rung out" not in caplog.text, "not again and again"
    caplog.clear()


async def test_what_nobody_can_read_is_an_item_and_the_others_are_watched_and_listed(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    elder = hall.elder()
    numbers = [await hall.answered(elder, each) for each in ("灯修好了。", "下周换。")]
    third = await hall.world.db.run(lambda session: complaints.file(session, "call-3", elder, hall.world.clock.now()))
    with hall.world.db.write() as session:
        session.execute(text(BROKEN), {"number": numbers[0]})
        session.execute(text("UPDATE complaint_reply SET at = 'soon' WHERE id = 2"))
        session.execute(text("UPDATE item SET done_by = 'somebody', done_at = 0"))
    hall.world.clock.advance(days=2)
    watch = ComplaintRounds(hall.world.db, hall.world.clock, lambda _session, _calls: {})
    for _ in range(2):
        await watch.look()
    with hall.world.db.read() as session:
        found = [(item.kind, item.key.rpartition(" ")[2]) for item in items.open_items(session)]
        assert [each.row.number for each in desk.listed(session)] == [third.number]
    assert sorted(kind for kind, _ in found) == ["complaint_new", "unreadable", "unreadable"]
    assert {about for kind, about in found if kind == "unreadable"} == set(map(str, numbers))
    assert "can't be shown" in caplog.text
    caplog.clear()
