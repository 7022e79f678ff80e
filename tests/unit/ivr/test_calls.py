"""The book of calls on both databases: each row once, each report once, nothing lost between writing and telling."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from callflows.events import Key, Started
from callflows.loader import shipped
from callflows.session import Session
from ivr import fast_clock
from ivr.calls import LAST_WORD, Calls, LogEntry, StatusNews
from ivr.ports import Callee, CallOrder, CallReport, Disposition, PersonResult
from ivr.records import CallState
from ivr.reports import context_of, order_from_json, order_to_json, report_from_json, report_to_json
from storage.database import Base, Database
from tests.fakes.clock import WarpClock

CALLEES = (Callee("e1", "王阿婆"), Callee("e2", "李阿公", records=False))
ORDER = CallOrder("i1", "+862155500001", "daily_checkin", CALLEES, {"notice": "停水"})


class Listener:
    def __init__(self) -> None:
        self.told: list[CallReport] = []
        self.fails = 0

    async def call_reported(self, report: CallReport) -> None:
        if self.fails:
            self.fails -= 1
            raise OSError
        self.told.append(report)


class Book:
    def __init__(self, url: str) -> None:
        self.clock = WarpClock()
        self.db = Database(url)
        Base.metadata.create_all(self.db.engine)
        self.listener = Listener()
        self.calls = Calls(self.db, self.clock.now, listener=self.listener)

    async def state(self) -> str:
        call = await self.calls.get("i1")
        assert call is not None
        return call.state


@pytest_asyncio.fixture
async def book(any_url: str) -> AsyncIterator[Book]:
    book = Book(any_url)
    yield book
    book.db.close()


def news(status: str, sequence: int | None = None, sid: str = "CA1", **more: str) -> StatusNews:
    return StatusNews(f"status:{sid}:{sequence if sequence is not None else status}", sid, status, sequence, **more)


async def test_an_order_is_written_once(book: Book) -> None:
    written = await asyncio.gather(*(book.calls.order(ORDER) for _ in range(8)))
    assert sorted(written) == [False] * 7 + [True]
    call = await book.calls.get("i1")
    assert call is not None
    assert order_from_json(call.order) == ORDER
    assert book.calls.live == {"i1"}


async def test_a_call_ends_once_whoever_says_so(book: Book) -> None:
    await book.calls.order(ORDER)
    await asyncio.gather(
        *(book.calls.status("i1", news("busy", n)) for n in range(4)),
        *(book.calls.talked("i1", [], Disposition.ANSWERED, {}) for _ in range(4)),
        *(book.calls.carrier_says("i1", "completed") for _ in range(4)),
    )
    assert len([report for report in book.listener.told if report.final]) == 1
    assert await book.state() == CallState.OVER
    assert not book.calls.live


async def test_the_same_callback_at_the_same_moment(book: Book) -> None:
    await book.calls.order(ORDER)
    taken = await asyncio.gather(*(book.calls.status("i1", news("ringing", 1)) for _ in range(6)))
    assert taken.count(True) == 1
    assert await book.state() == CallState.RINGING


async def test_lower_sequence_numbers_come_too_late(book: Book) -> None:
    await book.calls.order(ORDER)
    assert await book.calls.status("i1", news("in-progress", 2))
    assert not await book.calls.status("i1", news("ringing", 1))
    assert await book.state() == CallState.TALKING


async def test_a_call_without_sequence_numbers(book: Book) -> None:
    """Compatible carriers may not count."""
    await book.calls.order(ORDER)
    for status in ("ringing", "in-progress", "completed"):
        assert await book.calls.status("i1", news(status))
    assert [report.disposition for report in book.listener.told] == [Disposition.INTERRUPTED]


async def test_a_token_is_used_once(book: Book) -> None:
    await book.calls.order(ORDER)
    await book.calls.picked_up("i1", "CA1")
    token = await book.calls.issue_token("i1")
    assert token is not None
    starts = await asyncio.gather(*(book.calls.accept_stream(token, "CA1") for _ in range(5)))
    (start,) = [start for start in starts if start is not None]
    assert (start.call_id, start.call_sid, start.order, start.session) == ("i1", "CA1", ORDER, None)


async def test_a_newer_token_replaces_an_unused_one(book: Book) -> None:
    await book.calls.order(ORDER)
    await book.calls.picked_up("i1", "CA1")
    old, new = await book.calls.issue_token("i1"), await book.calls.issue_token("i1")
    assert old is not None
    assert new is not None
    assert await book.calls.accept_stream(old, "CA1") is None
    assert await book.calls.accept_stream(new, "CA1") is not None


async def test_one_turn_wins(book: Book) -> None:
    await book.calls.order(ORDER)
    saved = await asyncio.gather(*(book.calls.save_turn("i1", 0, {"turn": 1}, {}) for _ in range(5)))
    assert saved.count(True) == 1
    assert not await book.calls.save_turn("i1", 0, {"turn": 1}, {})
    assert await book.calls.save_turn("i1", 1, {"turn": 2}, {})


async def test_reports_wait_until_they_are_taken_in(book: Book) -> None:
    await book.calls.order(ORDER)
    book.listener.fails = 2
    await book.calls.alarm("i1", "e1", "distress", {"text": "救命"})
    await book.calls.talked("i1", [PersonResult("e1", "emergency", "speech", {"a": 1})], Disposition.ANSWERED, {})
    assert not book.listener.told
    assert await book.calls.retell() == 2
    assert await book.calls.retell() == 0
    assert [(report.final, report.alarm) for report in book.listener.told] == [(False, "distress"), (True, None)]


async def test_news_that_a_fast_clock_wrote_waits_for_nothing(book: Book) -> None:
    right = book.clock.now()
    book.clock.advance(hours=3)
    await book.calls.order(ORDER)
    await book.calls.picked_up("i1", "CA1")
    book.listener.fails = 1
    await book.calls.alarm("i1", "e1", "distress", {"text": "救命"})
    book.clock._now = right
    again = Calls(book.db, book.clock.now, listener=book.listener)
    assert await again.open() == ["i1"]
    assert (await again.get("i1")).interrupted_at == right  # type: ignore[union-attr]
    assert await again.retell(timedelta(seconds=5)) == 1
    assert [report.alarm for report in book.listener.told] == ["distress"]
    with book.db.write() as session:
        assert fast_clock.accept(session, right) > 0
        assert fast_clock.accept(session, right) == 0
    assert (await again.get("i1")).answered_at == right  # type: ignore[union-attr]


async def test_without_a_listener_everything_waits(book: Book) -> None:
    await book.calls.order(ORDER)
    book.calls.outbox.listener = None
    await book.calls.status("i1", news("busy", 1))
    assert await book.calls.retell() == 0
    book.calls.outbox.listener = book.listener
    assert await book.calls.retell() == 1


async def test_an_alarm_that_cant_be_written_is_told_all_the_same(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise OSError("disk full")

    await book.calls.order(ORDER)
    monkeypatch.setattr(book.db, "run", full)
    with pytest.raises(OSError, match="disk full"):
        await book.calls.alarm("i1", "e1", "double_zero", {})
    assert [report.alarm for report in book.listener.told] == ["double_zero"]


async def test_the_log_is_kept_and_seen(book: Book) -> None:
    seen: list[str] = []

    def broken(call_id: str, entry: LogEntry) -> None:
        raise ValueError

    book.calls.observers += [broken, lambda call_id, entry: seen.append(f"{call_id} {entry.kind} {entry.at_ms}")]
    await book.calls.order(ORDER)
    await book.calls.log("i1", [LogEntry("heard", 1200, {"text": "蛮好"}), LogEntry("key", 1300)])
    assert seen == ["i1 heard 1200", "i1 key 1300"]


async def test_after_a_start_broken_conversations_are_known(book: Book) -> None:
    """One call talked, one rang, one is over; a call that this process took itself is not broken off."""
    for call_id, number in (("i1", "1"), ("i2", "2"), ("i3", "3")):
        await book.calls.order(CallOrder(call_id, number, "daily_checkin", CALLEES))
    await book.calls.picked_up("i1", "CA1")
    await book.calls.status("i2", news("ringing", 1, "CA2"))
    await book.calls.status("i3", news("busy", 1, "CA3"))
    book.clock.advance(60)
    again = Calls(book.db, book.clock.now, listener=book.listener)
    await again.order(CallOrder("i4", "4", "daily_checkin", CALLEES))
    book.clock.advance(1)
    await again.picked_up("i4", "CA4")
    assert await again.open() == ["i1", "i2", "i4"]
    marked = [(await again.get(call_id)).interrupted_at is not None for call_id in ("i1", "i2", "i3", "i4")]  # type: ignore[union-attr]
    assert marked == [True, False, False, False]


async def test_a_conversation_that_cant_be_read_ends_as_interrupted(book: Book) -> None:
    await book.calls.order(ORDER)
    await book.calls.picked_up("i1", "CA1")
    await book.calls.save_session("i1", {"flow": "daily_checkin", "version": -1})
    await book.calls.status("i1", news("completed", 3))
    assert [report.disposition for report in book.listener.told] == [Disposition.INTERRUPTED]


async def test_the_last_word_is_waited_for(book: Book) -> None:
    await book.calls.order(ORDER)
    await book.calls.picked_up("i1", "CA1")
    token = await book.calls.issue_token("i1")
    assert token is not None
    await book.calls.accept_stream(token, "CA1")
    session = Session(shipped("daily_checkin"), context_of(ORDER))
    for event in (Started(), Key("1", 1000), Key("1", 3000)):
        session.feed(event)
    await book.calls.save_session("i1", session.to_json())
    await book.calls.status("i1", news("completed", 3))
    assert await book.calls.finish_overdue() == 0
    book.clock.advance_to(book.clock.now() + LAST_WORD)
    assert await book.calls.finish_overdue() == 1
    (report,) = book.listener.told
    assert [person.result for person in report.people] == ["well", "hung_up"]


def test_orders_and_reports_survive_json() -> None:
    assert order_from_json(order_to_json(ORDER)) == ORDER
    for report in (
        CallReport("i1", WarpClock().now(), False, alarm="distress", alarm_person="e1", reason="distress"),
        CallReport(
            "i1", WarpClock().now(), True, Disposition.ANSWERED, (PersonResult("e1", "well", "key", {"key": "1"}),)
        ),
    ):
        assert report_from_json(report_to_json(report)) == report


def test_recording_needs_everybodys_consent() -> None:
    assert not context_of(ORDER).consent_recording


def test_each_person_keeps_their_own_variables_from_the_order_to_the_session() -> None:
    first = Callee("e1", "王阿婆", variables={"why": "三次没接电话", "urgent": "1"})
    dispatch = CallOrder("i2", "+862155500009", "dispatch", (first, Callee("e2", "张阿公")), {"responder": "李阿姨"})
    read = order_from_json(json.loads(json.dumps(order_to_json(dispatch))))
    assert read == dispatch
    context = context_of(read)
    assert [dict(person.variables) for person in context.people] == [{"why": "三次没接电话", "urgent": "1"}, {}]
    assert dict(context.variables) == {"responder": "李阿姨"}


def test_an_order_that_was_written_before_persons_had_variables_is_read() -> None:
    written = order_to_json(ORDER)
    for callee in written["callees"]:
        del callee["variables"]
    assert order_from_json(written) == ORDER
