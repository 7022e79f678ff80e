"""What only who is on the line may know is kept nowhere once the call is over: whoever ends it, whatever comes late."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from callflows.events import Key, Say, Started, Verdict
from callflows.loader import shipped
from callflows.session import Session
from ivr.ports import Callee, CallOrder, Disposition
from ivr.records import Call
from ivr.reports import context_of
from ivr.twilio.turns import turn_of
from tests.unit.ivr.test_calls import Book, news

ORDER = CallOrder("i1", "+862155500001", "ballot", (Callee("e1", "王阿婆"),), {})
TOPIC = {"place": "第一项", "question": "要不要装电梯?", "options": "要,请按1;不要,请按2。"}
CHOSEN, BEFORE = "不装了", "都可以"


@pytest_asyncio.fixture
async def book(any_url: str) -> AsyncIterator[Book]:
    book = Book(any_url)
    yield book
    book.db.close()


def talk() -> tuple[dict[str, Any], dict[str, Any]]:
    """She hears what she chose before, chooses, and has it read back: the session, and the turn by plain verbs."""
    session = Session(shipped("ballot"), context_of(ORDER))
    session.feed(Started())
    session.feed(Key("1", 5000))
    session.feed(Verdict("open", {"title": "电梯"}))
    outputs = session.feed(Verdict("topic", {**TOPIC, "before": BEFORE}))
    told = session.to_json()
    assert BEFORE in str(told)
    session.feed(Key("2", 9000))
    outputs = session.feed(Verdict("noted", {"chosen": CHOSEN}))
    assert any(isinstance(output, Say) and output.name == "choose.say" for output in outputs)
    return told, turn_of(3, outputs, session.wait)


async def kept(book: Book) -> Call:
    call = await book.calls.get("i1")
    assert call is not None
    return call


async def by_stream(book: Book, session: dict[str, Any]) -> None:
    await book.calls.save_session("i1", session)
    await book.calls.talked("i1", [], Disposition.ANSWERED, session)


async def by_the_carrier(book: Book, session: dict[str, Any]) -> None:
    await book.calls.save_session("i1", session)
    await book.calls.status("i1", news("completed", 2))


async def late(book: Book, session: dict[str, Any]) -> None:
    await book.calls.status("i1", news("completed", 2))
    await book.calls.save_session("i1", session)


async def told_late(book: Book, session: dict[str, Any]) -> None:
    await book.calls.status("i1", news("completed", 2))
    await book.calls.talked("i1", [], Disposition.ANSWERED, session)


@pytest.mark.parametrize("end", [by_stream, by_the_carrier, late, told_late])
async def test_what_was_told_to_her_alone_goes_with_the_call(book: Book, end: Any) -> None:
    await book.calls.order(ORDER)
    await book.calls.picked_up("i1", "CA1")
    session, _ = talk()
    await end(book, session)
    call = await kept(book)
    assert call.disposition is not None
    assert BEFORE not in str(call.session)
    assert TOPIC["question"] in str(call.session), "all else stays"
    Session.from_json(shipped("ballot"), call.session or {})


async def test_nor_does_the_last_turn_by_plain_verbs_stay(book: Book) -> None:
    await book.calls.order(ORDER)
    await book.calls.picked_up("i1", "CA1")
    session, verbs = talk()
    assert CHOSEN in str(verbs)
    assert await book.calls.save_turn("i1", 0, verbs, session)
    assert CHOSEN in str((await kept(book)).verbs), "while the call goes on it may be asked for again"
    await book.calls.status("i1", news("completed", 2))
    call = await kept(book)
    assert (CHOSEN in str(call.verbs), BEFORE in str(call.session)) == (False, False)
    assert (call.verbs or {})["turn"] == 3


def test_what_is_read_to_her_alone_is_known_by_name() -> None:
    for flow in ("ballot", "rings_in", "stranger"):
        assert shipped(flow).tells_secrets == {"before.say", "choose.say"}
    assert not shipped("daily_checkin").tells_secrets
