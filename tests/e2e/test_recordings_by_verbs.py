"""Recordings in prompts where the conversation goes by plain TwiML verbs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from callflows import loader
from ivr import playback
from ivr.ports import Callee, CallOrder, Told
from ivr.virtual.acoustics import tone
from tests.e2e.control import ELDER, Control, control
from tests.e2e.test_responder_calls import Desk
from tests.fakes.call import FakeCall
from tests.fakes.carrier import FakeCarrier

TELLER = loader.load(Path(__file__).parents[1] / "fakes/flows/teller.yaml")
REPLY = tone(300, 2.0)


@pytest_asyncio.fixture
async def room(carrier: FakeCarrier, tmp_path: Path) -> AsyncIterator[Control]:
    async with control(carrier, tmp_path, media="verbs") as room:
        room.verbs._flow = room.calls._flow = lambda name: TELLER
        yield room


async def rung(carrier: FakeCarrier, room: Control, *answers: Told) -> FakeCall:
    room.verbs._answers = Desk(*answers)
    call = carrier.expect_call(ELDER)
    await room.telephone.place(CallOrder("t1", ELDER, "teller", (Callee("e1", "王阿婆"),)))
    await call.hears("menu.ask")
    return call


async def recorded(carrier: FakeCarrier, room: Control) -> str:
    return (await room.recordings.add("i0", "reply-1", carrier.clock.now(), REPLY)).path


async def test_a_recorded_reply_is_fetched_under_a_sealed_address_and_played(
    carrier: FakeCarrier, room: Control
) -> None:
    path = await recorded(carrier, room)
    call = await rung(carrier, room, Told("answered", {"reply_audio": path}), Told("none"))
    call.presses("2")
    await call.hears("status.play")
    await call.hears("bye.say")
    await call.ended()
    prompt = await playback.as_prompt(room.recordings, path)
    assert prompt
    assert prompt in call.heard


async def test_a_recording_that_is_gone_when_it_is_fetched_leaves_no_silence(
    carrier: FakeCarrier, room: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await recorded(carrier, room)
    call = await rung(carrier, room, Told("answered", {"reply_audio": path}), Told("none"))

    async def gone(*_: object) -> None:
        return None

    monkeypatch.setattr(playback, "as_prompt", gone)
    call.presses("2")
    await call.hears("status.play")
    await call.ended()
    assert playback.INSTEAD in room.prompts.asked


async def test_one_that_is_missing_is_passed_over(
    carrier: FakeCarrier, room: Control, errors_logged: list[str]
) -> None:
    told = Told("answered", {"reply_audio": "2026/01/01/gone.ulaw"})
    call = await rung(carrier, room, told, Told("none"))
    call.presses("2")
    await call.hears("status.number")
    await call.hears("bye.say")
    await call.ended()
    assert not [seen for seen in call.log if seen.detail == "status.play"]
    (error,) = errors_logged
    assert "2026/01/01/gone.ulaw is missing or broken" in error
    errors_logged.clear()


async def test_what_the_carrier_has_recorded_is_not_read_back_but_kept(carrier: FakeCarrier, room: Control) -> None:
    call = await rung(carrier, room)
    call.presses("3")
    await call.hears("complaint.record")
    call.says(tone(300, 3.0))
    call.presses("#")
    await call.hears("complaint.ask")
    call.presses("1")
    await call.ended()
    await room.fetcher.wait()
    assert not [seen for seen in call.log if seen.detail == "complaint.back"]
    (person,) = room.listener.finals[0].people
    assert person.result == "rang_in"
    assert room.recordings.read(person.detail["complaint_recording"])
