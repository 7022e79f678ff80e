"""A stream that broke and the plain verbs that went on: whoever has the call now has the last word."""

from __future__ import annotations

from pathlib import Path

from callflows.events import Key, Started
from callflows.loader import shipped
from callflows.session import Session
from ivr.ports import Disposition, PersonResult
from ivr.reports import context_of
from tests.e2e.control import Control, control, order
from tests.fakes.carrier import FakeCarrier

VOICE = {"CallSid": "CA1", "CallStatus": "in-progress"}


async def taken_over(room: Control) -> Session:
    """She said that she is not well, by key, after the stream had broken; the stream's session as it stood before."""
    await room.calls.order(order())
    await room.calls.placed("i1", "CA1")
    await room.post("voice?call=i1", VOICE)
    stale = Session(shipped("daily_checkin"), context_of(order()))
    stale.feed(Started())
    stale.feed(Key("1", 1000))
    await room.calls.save_session("i1", stale.to_json())
    await room.post("verbs?call=i1", VOICE)
    room.carrier.clock.advance(5)
    await room.post("verbs/key?call=i1&turn=1", {**VOICE, "Digits": "2"})
    return stale


async def test_what_a_broken_stream_still_says_does_not_undo_a_clear_answer(
    carrier: FakeCarrier, tmp_path: Path
) -> None:
    async with control(carrier, tmp_path) as room:
        stale = await taken_over(room)
        stale.feed(Key("1", 9000))
        await room.calls.save_session("i1", stale.to_json())
        await room.calls.talked("i1", [PersonResult("e1", "well", "speech")], Disposition.ANSWERED, stale.to_json())
        await room.post("status?call=i1", {"CallSid": "CA1", "CallStatus": "completed", "SequenceNumber": "3"})
        carrier.clock.advance(60)
        await room.telephone.sweep()
        (final,) = room.listener.finals
        assert [person.result for person in final.people] == ["not_well"]
