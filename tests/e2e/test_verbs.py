"""The daily check-in by plain TwiML verbs: the fallback when streaming or recognition is down. Keys and recordings."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select

from callflows.loader import shipped
from ivr.calls import LAST_WORD
from ivr.ports import Callee, Disposition, Told
from ivr.records import CallEvent, CarrierRecording
from ivr.twilio import documents
from ivr.twilio.verbs import Verbs
from ivr.virtual import twiml, wav
from ivr.virtual.acoustics import tone
from tests.e2e.control import ELDER, TONE, Control, control, order
from tests.fakes.call import FakeCall
from tests.fakes.carrier import AUTH_TOKEN, FakeCarrier

VOICE = {"CallSid": "CA1", "CallStatus": "in-progress", "Direction": "outbound-api", "To": ELDER}
SPEECH = tone(300, 3.0)


@pytest_asyncio.fixture
async def room(carrier: FakeCarrier, tmp_path: Path) -> AsyncIterator[Control]:
    async with control(carrier, tmp_path, media="verbs") as room:
        yield room


async def rung(carrier: FakeCarrier, room: Control, **more: object) -> FakeCall:
    call = carrier.expect_call(ELDER)
    await room.telephone.place(order(**more))
    return call


async def outcome(room: Control) -> tuple[Disposition | None, list[str], list[str]]:
    (report,) = room.listener.finals
    return report.disposition, [each.result for each in report.people], [each.evidence for each in report.people]


async def kinds(room: Control, call_id: str = "i1") -> list[str]:
    query = select(CallEvent.kind).where(CallEvent.call_id == call_id).order_by(CallEvent.id)
    found = await room.db.view(lambda session: session.scalars(query).all())
    return [kind for kind in found if kind not in ("status", "machine")]


async def test_she_is_well(carrier: FakeCarrier, room: Control) -> None:
    call = await rung(carrier, room)
    await call.hears("greet.ask")
    call.presses("1")
    await call.hears("health.ask")
    call.presses("1")
    await call.hears("message.ask")
    call.presses("2")
    await call.hears("bye.say")
    assert await call.ended() == "completed"
    assert await outcome(room) == (Disposition.ANSWERED, ["well"], ["key"])
    assert room.telephone.active_calls() == 0
    assert await kinds(room) == ["verbs", "prompt", "key", "prompt", "key", "prompt", "key", "prompt"]
    assert "王阿婆" in room.prompts.asked


async def test_a_key_cuts_the_prompt(carrier: FakeCarrier, room: Control) -> None:
    call = await rung(carrier, room)
    await call.waits(0.2)
    call.presses("1")
    await call.hears_cut("greet.ask")
    await call.hears("health.ask")
    call.hangs_up()
    await call.ended()
    assert await outcome(room) == (Disposition.ANSWERED, ["present_unconfirmed"], ["key"])


async def test_nobody_presses_anything(carrier: FakeCarrier, room: Control) -> None:
    call = await rung(carrier, room)
    for prompt in ("greet.ask", "greet.again", "greet.again2", "silence.keys"):
        await call.hears(prompt)
    await call.hears("silence.bye", within_s=90)
    await call.ended()
    assert await outcome(room) == (Disposition.ANSWERED, ["silent"], ["none"])


async def test_she_is_not_well_and_says_why(carrier: FakeCarrier, room: Control) -> None:
    """The recording is fetched, checked, stored under the name that the finding bears, and deleted at the carrier."""
    call = await rung(carrier, room)
    await call.hears("greet.ask")
    call.presses("1")
    await call.hears("health.ask")
    call.presses("2")
    await call.hears("unwell.ask")
    call.says(SPEECH)
    call.presses("#")
    await call.hears("unwell.bye")
    await call.ended()
    await room.fetcher.wait()
    (person,) = room.listener.finals[0].people
    assert (person.result, person.evidence) == ("not_well", "key")
    audio = room.recordings.read(person.detail["recording"])
    assert len(audio) >= len(SPEECH)
    assert not carrier.recordings
    (row,) = await recordings(room)
    assert (row.path, row.stored_at is not None, row.deleted_at is not None) == (person.detail["recording"], True, True)
    assert (await kinds(room)).count("recording") == 1


async def recordings(room: Control) -> list[CarrierRecording]:
    return list(await room.db.view(lambda session: session.scalars(select(CarrierRecording)).all()))


async def test_she_says_nothing_into_the_recording(carrier: FakeCarrier, room: Control) -> None:
    call = await rung(carrier, room)
    await call.hears("greet.ask")
    call.presses("1")
    await call.hears("health.ask")
    call.presses("2")
    await call.hears("unwell.ask")
    await call.ended(within_s=120)
    assert await outcome(room) == (Disposition.ANSWERED, ["not_well"], ["key"])
    assert not await recordings(room)


async def test_she_hangs_up_while_she_is_being_recorded(carrier: FakeCarrier, room: Control) -> None:
    call = await rung(carrier, room)
    await call.hears("greet.ask")
    call.presses("1")
    await call.hears("health.ask")
    call.presses("2")
    await call.hears("unwell.ask")
    call.says(SPEECH)
    call.hangs_up()
    await call.ended()
    await room.fetcher.wait()
    (report,) = room.listener.finals
    assert report.people[0].result == "not_well"
    assert room.recordings.read(report.people[0].detail["recording"])


async def test_a_recording_that_cant_be_fetched_is_fetched_later(carrier: FakeCarrier, room: Control) -> None:
    """The carrier keeps it until it is on our disk."""
    kept, carrier.recordings = carrier.recordings, {}
    call = await rung(carrier, room)
    await call.hears("greet.ask")
    call.presses("1")
    await call.hears("health.ask")
    call.presses("2")
    await call.hears("unwell.ask")
    call.says(SPEECH)
    call.presses("#")
    carrier.recordings = _Hidden(kept)
    await call.ended()
    await room.fetcher.wait()
    assert len(kept) == 1
    assert [row.stored_at for row in await recordings(room)] == [None]
    carrier.recordings = kept
    await room.telephone.sweep()
    assert len(kept) == 1  # not at once
    carrier.clock.advance(40)
    await room.telephone.sweep()
    assert not kept
    assert [row.stored_at is not None for row in await recordings(room)] == [True]


class _Hidden(dict):  # type: ignore[type-arg]
    """The carrier has stored it, but does not show it yet."""

    def __init__(self, kept: dict[str, object]) -> None:
        super().__init__()
        self._kept = kept

    def __setitem__(self, key: str, value: object) -> None:
        self._kept[key] = value


async def test_without_consent_nothing_is_recorded(carrier: FakeCarrier, room: Control) -> None:
    call = await rung(carrier, room, callees=(Callee("e1", "王阿婆", records=False),))
    await call.hears("greet.ask")
    call.presses("1")
    await call.hears("health.ask")
    call.presses("2")
    await call.hears("unwell.bye")
    await call.ended()
    assert await outcome(room) == (Disposition.ANSWERED, ["not_well"], ["key"])
    assert not await recordings(room)
    assert not carrier.recordings


async def test_zero_twice_is_an_emergency(carrier: FakeCarrier, room: Control) -> None:
    call = await rung(carrier, room)
    await call.hears("greet.ask")
    call.presses("00")
    await call.hears("emergency.ask")
    (alarm,) = room.listener.reports
    assert (alarm.final, alarm.alarm, alarm.alarm_person) == (False, "double_zero", "e1")
    call.says(SPEECH)
    call.presses("#")
    await call.hears("emergency.hold")
    call.hangs_up()
    await call.ended()
    assert await outcome(room) == (Disposition.ANSWERED, ["emergency"], ["key"])


async def test_zero_once_is_a_person(carrier: FakeCarrier, room: Control) -> None:
    call = await rung(carrier, room)
    await call.hears("greet.ask")
    call.presses("0")
    await call.hears("person.none")
    await call.ended()
    assert await outcome(room) == (Disposition.ANSWERED, ["wants_person"], ["key"])
    assert len(room.listener.reports) == 1


async def test_zero_in_a_recording(carrier: FakeCarrier, room: Control) -> None:
    """Keys lead on at any moment; what was said before the key stays."""
    call = await rung(carrier, room)
    await call.hears("greet.ask")
    call.presses("1")
    await call.hears("health.ask")
    call.presses("2")
    await call.hears("unwell.ask")
    call.says(SPEECH)
    call.presses("0")
    call.keeps_quiet(1)
    call.presses("0")
    await call.hears("emergency.ask")
    call.hangs_up()
    await call.ended()
    await room.fetcher.wait()
    assert [report.alarm for report in room.listener.reports] == ["double_zero"]
    carrier.clock.advance_to(carrier.clock.now() + LAST_WORD)  # a last recording might have come
    await room.telephone.sweep()
    (person,) = room.listener.finals[0].people
    assert person.result == "emergency"
    assert room.recordings.read(person.detail["recording"])


async def test_an_answering_machine(carrier: FakeCarrier, room: Control) -> None:
    call = carrier.expect_call(ELDER, "machine", greeting=tone(300, 3.0))
    await room.telephone.place(order())
    await call.hears("machine.message", within_s=120)
    await call.ended()
    assert [(r.disposition, r.people) for r in room.listener.finals] == [(Disposition.MACHINE, ())]


async def test_a_person_taken_for_a_machine_may_still_answer(carrier: FakeCarrier, room: Control) -> None:
    call = carrier.expect_call(ELDER, amd="machine_end_beep")
    await room.telephone.place(order())
    await call.hears("greet.ask")
    call.presses("1")
    await call.hears("health.ask")
    await call.waits(5)  # detection has spoken
    await call.hears("health.again")
    call.presses("1")
    await call.hears("message.ask")
    call.presses("2")
    await call.ended()
    assert await outcome(room) == (Disposition.ANSWERED, ["well"], ["key"])


async def test_the_stream_is_away_and_the_verbs_go_on(carrier: FakeCarrier, tmp_path: Path) -> None:
    """The stand-in for the media server takes the stream and drops it: the elder hears an apology and is asked."""
    async with control(carrier, tmp_path) as room:
        call = await rung(carrier, room)
        await call.hears("greet.ask")
        assert room.media.accepted == [True]
        call.presses("1")
        await call.hears("health.ask")
        call.presses("1")
        await call.hears("message.ask")
        call.hangs_up()
        await call.ended()
        assert await outcome(room) == (Disposition.ANSWERED, ["well"], ["key"])


async def test_a_crash_between_two_turns(carrier: FakeCarrier, room: Control, tmp_path: Path) -> None:
    """Another process on the same database answers the next key."""
    await room.calls.order(order())
    await room.calls.placed("i1", "CA1")
    await room.post("voice?call=i1", VOICE)
    await room.post("verbs/key?call=i1&turn=1", {**VOICE, "Digits": "1"})
    carrier.clock.advance(3)
    async with control(carrier, tmp_path, media="verbs") as again:
        await again.calls.open()
        await again.post("verbs/key?call=i1&turn=2", {**VOICE, "Digits": "1"})
        await again.post("status?call=i1", {"CallSid": "CA1", "CallStatus": "completed", "SequenceNumber": "3"})
        assert await outcome(again) == (Disposition.ANSWERED, ["well"], ["key"])


async def test_a_request_that_comes_twice_gets_the_same_answer(room: Control) -> None:
    await room.calls.order(order())
    await room.calls.placed("i1", "CA1")
    first = await room.post("voice?call=i1", VOICE)
    assert (await room.post("voice?call=i1", VOICE)).text == first.text
    answers = [await room.post("verbs/key?call=i1&turn=1", {**VOICE, "Digits": "1"}) for _ in range(3)]
    assert len({answer.text for answer in answers}) == 1
    assert "health.ask" in answers[0].text
    assert (await kinds(room)).count("key") == 1


class OneAfterTheOther:
    """Answers to tell, one after the other."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def ask(self, call_id: str, query: str, person_id: str, value: str) -> Told:
        self.asked.append((query, value))
        nth = sum(name == "reply.next" for name, _ in self.asked)
        await asyncio.sleep(0)
        return (
            Told("reply", {"number": "一二三"[nth - 1], "reply": "好了。"}) if query == "reply.next" else Told("noted")
        )


async def test_the_same_key_at_the_same_time_says_it_once_and_of_what_was_spoken(room: Control) -> None:
    desk = OneAfterTheOther()
    verbs = Verbs(room.calls, room.config, room.fetcher, shipped, desk)
    await room.calls.order(replace(order(), flow="reply"))
    await room.calls.placed("i1", "CA1")
    call, now = await room.calls.picked_up("i1", "CA1"), room.calls.now()
    assert call is not None
    await verbs.go_on(call)
    await verbs.key(call, 1, "1", now)
    call = await room.row()
    later = now + timedelta(seconds=20)
    first, second = await asyncio.gather(*(verbs.key(call, 2, "1", later) for _ in range(2)))
    assert first == second
    assert desk.asked == [("reply.next", ""), ("reply.solved", "一"), ("reply.next", "")]


async def test_the_prompts_addresses(room: Control) -> None:
    """Sealed, current, and without a word of what is said."""
    await room.calls.order(order())
    await room.calls.placed("i1", "CA1")
    (gather,) = twiml.parse((await room.post("voice?call=i1", VOICE)).content)
    (play,) = gather.children
    assert "王" not in play.text
    async with httpx.AsyncClient(trust_env=False) as client:
        found = await client.get(play.text)
        assert found.status_code == 200
        assert len(wav.read(found.content)) == 5 * len(TONE)  # five parts, one piece of audio
        assert (await client.head(play.text)).status_code == 200
        assert (await client.get(play.text.replace("greet.ask", "greet.again"))).status_code == 403
        line = documents.audio_url(room.config, documents.LINE, 0, 0, "line.sorry")
        assert len(wav.read((await client.get(line)).content)) == len(TONE)
        await room.post("verbs/key?call=i1&turn=1", {**VOICE, "Digits": "1"})
        assert (await client.get(play.text)).status_code == 404


async def test_ten_minutes_are_enough(carrier: FakeCarrier, room: Control) -> None:
    call = await rung(carrier, room)
    await call.hears("greet.ask")
    carrier.clock.advance(minutes=10)
    call.presses("1")
    await call.hears("limit.bye")
    await call.ended()


@pytest.mark.parametrize("digits", ["", "A", "12", "一", "1" * 50])
async def test_odd_digits(room: Control, digits: str) -> None:
    await room.calls.order(order())
    await room.calls.placed("i1", "CA1")
    await room.post("voice?call=i1", VOICE)
    answer = await room.post("verbs/key?call=i1&turn=1", {**VOICE, "Digits": digits})
    assert twiml.parse(answer.content)[0].name == "Gather"


async def test_no_name_number_or_word_in_the_log(
    carrier: FakeCarrier, room: Control, caplog: pytest.LogCaptureFixture
) -> None:
    """At the lowest level, libraries included."""
    caplog.set_level("DEBUG")
    call = await rung(carrier, room)
    await call.hears("greet.ask")
    call.presses("1")
    await call.hears("health.ask")
    call.hangs_up()
    await call.ended()
    await room.telephone.trace("i1", ELDER, carrier.clock.now())
    await room.calls.order(order("i2"))
    await room.telephone.trace("i2", ELDER, carrier.clock.now())
    carriers = ("ivr.virtual", "uvicorn.access")  # the other side's; access logs are off outside the test runner
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(carriers)]
    assert any("twilio" in line for line in ours)
    for secret in (ELDER, ELDER[1:], "王阿婆", "身体好", AUTH_TOKEN):
        assert not [line for line in ours if secret in line]


# ── a database that is busy ───────────────────────────────────────────────────────────────────────────


@contextmanager
def busy(folder: Path) -> Iterator[None]:
    """Another process writes for as long as the context is open."""
    other = sqlite3.connect(folder / "wenan.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def prompts_of(answer: httpx.Response) -> list[str]:
    return re.findall(r"/([\w]+\.[\w]+)<", answer.text)


async def asked_to_press_zero_again(room: Control) -> None:
    await room.calls.order(order())
    await room.calls.placed("i1", "CA1")
    await room.post("voice?call=i1", VOICE)
    answer = await room.post("verbs/key?call=i1&turn=1", {**VOICE, "Digits": "0"})
    assert prompts_of(answer) == ["person.none"]


async def until_told(room: Control) -> list[str]:
    async with asyncio.timeout(10):
        while not room.listener.reports:
            await asyncio.sleep(0.01)
    return [report.alarm or "" for report in room.listener.reports]


@pytest.mark.usefixtures("hurried")
async def test_the_second_zero_counts_also_when_the_database_is_busy_for_long(
    carrier: FakeCarrier, room: Control, tmp_path: Path, errors_logged: list[str]
) -> None:
    """The elder hears an apology after 0.9 s; the alarm is raised as soon as it can be, by the moment of the key."""
    await asked_to_press_zero_again(room)
    carrier.clock.advance(1.5)
    with busy(tmp_path):
        late = await room.post("verbs/key?call=i1&turn=2", {**VOICE, "Digits": "0"})
        assert prompts_of(late) == ["line.sorry"]
        carrier.clock.advance(5)  # the database is busy: by now the two keys would be too far apart
    assert await until_told(room) == ["double_zero"]
    onward = await room.post("verbs?call=i1&tries=1", VOICE)  # where the apology leads
    assert prompts_of(onward) == ["emergency.ask"]
    assert (await kinds(room)).count("key") == 2
    assert "TimeoutError" in errors_logged[0]
    errors_logged.clear()


@pytest.mark.usefixtures("hurried")
async def test_what_comes_after_a_late_key_waits_for_it(
    carrier: FakeCarrier, room: Control, tmp_path: Path, errors_logged: list[str]
) -> None:
    await asked_to_press_zero_again(room)
    with busy(tmp_path):
        await room.post("verbs/key?call=i1&turn=2", {**VOICE, "Digits": "0"})
        onward = asyncio.create_task(room.post("verbs?call=i1&tries=1", VOICE))
        await asyncio.sleep(0.1)
    assert prompts_of(await onward) == ["emergency.ask"]
    errors_logged.clear()


async def test_the_alarm_is_raised_before_anything_is_logged(
    room: Control, errors_logged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the log's table broken, somebody would be told all the same."""
    await asked_to_press_zero_again(room)

    async def broken(*_: object) -> None:
        raise OSError("no room for a log")

    monkeypatch.setattr(room.calls, "log", broken)
    await room.post("verbs/key?call=i1&turn=2", {**VOICE, "Digits": "0"})
    assert await until_told(room) == ["double_zero"]
    monkeypatch.undo()
    assert prompts_of(await room.post("verbs?call=i1&tries=1", VOICE)) == ["emergency.ask"]
    errors_logged.clear()


@pytest.mark.usefixtures("hurried")
async def test_detection_of_machines_is_not_lost_when_the_database_is_busy(
    room: Control, tmp_path: Path, errors_logged: list[str]
) -> None:
    await room.calls.order(order())
    await room.calls.placed("i1", "CA1")
    with busy(tmp_path):
        answer = await room.post("amd?call=i1", {"CallSid": "CA1", "AnsweredBy": "machine_start"})
        assert answer.status_code == 503
    async with asyncio.timeout(10):
        while not room.media.machines:
            await asyncio.sleep(0.01)
    assert room.media.machines == [("i1", "machine_start")]
    errors_logged.clear()
