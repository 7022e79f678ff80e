"""The control plane against the fake carrier: what a call comes to, and what forged, lost, late and broken news do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select

from callflows.events import Key, Started
from callflows.loader import shipped
from callflows.session import Session
from ivr.calls import LAST_WORD, LogEntry
from ivr.ports import Disposition, Placing, Trace
from ivr.records import Call, CallEvent, CallNews, CallState, WebhookInbox
from ivr.reports import context_of
from ivr.telephone import LINGERS
from ivr.twilio.incoming import MAX_BODY
from ivr.virtual import twiml
from ivr.virtual.signature import sign
from ivr.virtual.stream import HandshakeError, open_socket
from tests.e2e.control import ELDER, NEXT_TOKEN, Control, control, order
from tests.fakes.carrier import AUTH_TOKEN, FakeCarrier

VOICE = {"CallSid": "CA1", "CallStatus": "in-progress", "Direction": "outbound-api", "To": ELDER}


@pytest_asyncio.fixture
async def room(carrier: FakeCarrier, tmp_path: Path) -> AsyncIterator[Control]:
    async with control(carrier, tmp_path) as room:
        yield room


# ── what a call comes to ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("phone", "disposition"),
    [
        ("busy", Disposition.BUSY),
        ("no_answer", Disposition.NO_ANSWER),
        ("line_error", Disposition.LINE_ERROR),
        ("unassigned", Disposition.BAD_NUMBER),
    ],
)
async def test_calls_that_nobody_takes(
    carrier: FakeCarrier, room: Control, phone: str, disposition: Disposition
) -> None:
    call = carrier.expect_call(ELDER, phone)
    assert await room.telephone.place(order()) is Placing.PLACED
    await call.ended()
    (report,) = room.listener.reports
    assert (report.id, report.final, report.disposition, report.people) == ("i1", True, disposition, ())
    assert room.telephone.active_calls() == 0
    row = await room.row()
    assert (row.carrier_sid, row.state, row.disposition) == (call.sid, CallState.OVER, disposition)


async def test_a_number_that_the_carrier_refuses(carrier: FakeCarrier, room: Control) -> None:
    carrier.expect_call(ELDER, "bad_number")
    assert await room.telephone.place(order()) is Placing.BAD_NUMBER
    assert await room.telephone.place(order()) is Placing.BAD_NUMBER
    assert room.telephone.active_calls() == 0
    assert not room.listener.reports  # the answer said it


async def test_a_crash_between_the_carriers_no_and_the_care_room(carrier: FakeCarrier, room: Control) -> None:
    """The answer was lost with the process: asked later, the telephone reports it."""
    carrier.expect_call(ELDER, "bad_number")
    await room.telephone.place(order())
    assert await room.telephone.trace("i1", ELDER, carrier.clock.now()) is Trace.OVER
    assert [report.disposition for report in room.listener.finals] == [Disposition.BAD_NUMBER]


async def test_the_same_order_is_never_dialled_twice(carrier: FakeCarrier, room: Control) -> None:
    call = carrier.expect_call(ELDER, "busy")
    answers = await asyncio.gather(*(room.telephone.place(order()) for _ in range(5)))
    assert answers.count(Placing.PLACED) >= 1
    assert set(answers) <= {Placing.PLACED, Placing.UNKNOWN}
    await call.ended()
    assert carrier.tally() == {ELDER: 1}
    assert await room.telephone.place(order()) is Placing.PLACED
    assert carrier.tally() == {ELDER: 1}


async def test_the_order_as_the_carrier_gets_it(carrier: FakeCarrier, room: Control) -> None:
    call = carrier.expect_call(ELDER, "busy")
    await room.telephone.place(order(ring_s=45))
    await call.ended()
    got = carrier.calls[call.sid].resource.orders
    assert (got.to, got.ring_s, got.detect_machine) == (ELDER, 45, "DetectMessageEnd")
    assert got.events == {"initiated", "ringing", "answered", "completed"}
    addresses = (got.url, got.fallback_url, got.status_callback, got.amd_callback)
    assert all(url.startswith(room.config.public_url + "/twilio/") and "call=i1" in url for url in addresses)


async def test_an_answered_call_that_nobody_talked_on_is_interrupted(carrier: FakeCarrier, room: Control) -> None:
    call = carrier.expect_call(ELDER)
    await room.telephone.place(order())
    await call.waits(0.5)
    call.hangs_up()
    await call.ended()
    row = await room.row()
    assert row.session is not None  # the plain verbs had begun to ask
    (report,) = room.listener.finals
    assert report.disposition is Disposition.ANSWERED
    assert [person.result for person in report.people] == ["hung_up"]


# ── asking the carrier ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fault", "placing"),
    [("refuse_429", Placing.REFUSED), ("break_500", Placing.UNKNOWN), ("never_accept", Placing.UNKNOWN)],
)
async def test_rest_faults_before_anything_rings(
    carrier: FakeCarrier, room: Control, fault: str, placing: Placing
) -> None:
    carrier.rest_fault(fault)  # type: ignore[arg-type]
    assert await room.telephone.place(order()) is placing
    traced = await room.telephone.trace("i1", ELDER, carrier.clock.now())
    assert traced is (Trace.OVER if placing is Placing.REFUSED else Trace.NOT_FOUND)
    assert room.telephone.active_calls() == 0
    assert not carrier.calls


@pytest.mark.parametrize("fault", ["accept_then_hang", "cut"])
async def test_an_unknown_answer_is_found_in_the_call_list(carrier: FakeCarrier, room: Control, fault: str) -> None:
    call = carrier.expect_call(ELDER, "busy")
    for event in ("initiated", "completed"):
        carrier.lose(event)
    carrier.rest_fault(fault)  # type: ignore[arg-type]
    since = carrier.clock.now()
    assert await room.telephone.place(order()) is Placing.UNKNOWN
    await call.ended()
    carrier.clock.advance(60)
    assert not room.listener.reports
    assert await room.telephone.trace("i1", ELDER, since) is Trace.OVER
    assert [report.disposition for report in room.listener.finals] == [Disposition.BUSY]
    assert (await room.row()).carrier_sid == call.sid
    assert carrier.tally() == {ELDER: 1}


async def test_a_call_that_is_another_orders_is_not_taken_for_ours(carrier: FakeCarrier, room: Control) -> None:
    call = carrier.expect_call(ELDER, "busy")
    await room.telephone.place(order("earlier"))
    await call.ended()
    carrier.rest_fault("never_accept")
    assert await room.telephone.place(order("i2")) is Placing.UNKNOWN
    assert await room.telephone.trace("i2", ELDER, carrier.clock.now()) is Trace.NOT_FOUND


async def test_an_unknown_call_that_rings_after_all(carrier: FakeCarrier, room: Control) -> None:
    call = carrier.expect_call(ELDER)
    carrier.rest_fault("accept_then_hang")
    assert await room.telephone.place(order()) is Placing.UNKNOWN
    await call.answered()
    assert await room.telephone.trace("i1", ELDER, carrier.clock.now()) is Trace.ALIVE
    call.hangs_up()
    await call.ended()
    assert len(room.listener.finals) == 1


async def test_an_order_that_never_reached_the_book(room: Control, carrier: FakeCarrier) -> None:
    assert await room.telephone.trace("never", ELDER, carrier.clock.now()) is Trace.NOT_FOUND


async def test_a_carrier_that_cant_be_reached(carrier: FakeCarrier, room: Control) -> None:
    await carrier.stop()
    assert await room.telephone.place(order()) is Placing.REFUSED  # the connection never stood: nothing rings
    await room.calls.order(order("i2"))
    assert await room.telephone.trace("i2", ELDER, carrier.clock.now()) is Trace.UNREACHABLE


# ── callbacks ─────────────────────────────────────────────────────────────────────────────────────────


async def test_duplicates_change_nothing(carrier: FakeCarrier, room: Control) -> None:
    for event in ("initiated", "ringing", "completed"):
        carrier.duplicate(event)
    call = carrier.expect_call(ELDER, "no_answer")
    await room.telephone.place(order())
    await call.ended()
    await carrier.again("completed")
    await carrier.again("ringing")
    assert len(room.listener.reports) == 1
    assert await count(room, WebhookInbox) == 3


async def test_late_and_reordered_callbacks(carrier: FakeCarrier, room: Control) -> None:
    for event in ("initiated", "ringing", "completed"):
        carrier.hold(event)
    call = carrier.expect_call(ELDER, "no_answer")
    await room.telephone.place(order())
    await call.ended()
    assert not room.listener.reports
    await carrier.release(reverse=True)
    assert [report.disposition for report in room.listener.reports] == [Disposition.NO_ANSWER]
    assert (await room.row()).state == CallState.OVER


async def test_a_forged_end_changes_nothing_and_the_carrier_is_asked(carrier: FakeCarrier, room: Control) -> None:
    carrier.forge("completed")
    call = carrier.expect_call(ELDER, "busy")
    await room.telephone.place(order())
    await call.ended()
    assert not room.listener.reports
    assert await room.telephone.trace("i1", ELDER, carrier.clock.now()) is Trace.OVER
    assert [report.disposition for report in room.listener.finals] == [Disposition.BUSY]


async def test_a_lost_end_after_the_conversation(carrier: FakeCarrier, room: Control) -> None:
    """Nobody waits for it, but the line must not count as taken for ever."""
    carrier.lose("completed")
    call = carrier.expect_call(ELDER)
    await room.telephone.place(order())
    await call.answered()
    await room.calls.talked("i1", [], Disposition.ANSWERED, {})
    await call.waits(1)
    await call.ended() if call.status is None else None
    assert room.telephone.active_calls() == 1
    carrier.clock.advance_to(carrier.clock.now() + LINGERS)
    await room.telephone.sweep()
    assert room.telephone.active_calls() == 0
    assert len(room.listener.finals) == 1


async def test_what_the_care_room_cant_take_in_is_told_again(
    carrier: FakeCarrier, room: Control, errors_logged: list[str]
) -> None:
    room.listener.fails = 1
    call = carrier.expect_call(ELDER, "busy")
    await room.telephone.place(order())
    await call.ended()
    assert not room.listener.reports
    carrier.clock.advance(10)
    await room.telephone.sweep()
    await room.telephone.sweep()
    assert [report.disposition for report in room.listener.reports] == [Disposition.BUSY]
    assert "told again" in errors_logged.pop()


async def test_an_alarm_is_told_once_and_before_the_end(carrier: FakeCarrier, room: Control) -> None:
    await room.calls.order(order())
    room.listener.fails = 0
    await room.calls.alarm("i1", "e1", "distress", {"text": "救命"})
    await room.calls.alarm("i1", "e1", "distress", {"text": "救命"})
    await room.calls.talked("i1", [], Disposition.ANSWERED, {})
    await room.calls.talked("i1", [], Disposition.INTERRUPTED, {})
    assert [(r.final, r.alarm, r.disposition) for r in room.listener.reports] == [
        (False, "distress", None),
        (True, None, Disposition.ANSWERED),
    ]


# ── crashes ───────────────────────────────────────────────────────────────────────────────────────────


async def conversation(room: Control, *keys: str) -> None:
    """A call in mid-conversation, as the book has it."""
    session = Session(shipped("daily_checkin"), context_of(order()))
    session.feed(Started())
    for at, key in enumerate(keys):
        session.feed(Key(key, 5000 * at))
    await room.calls.save_session("i1", session.to_json())


@pytest.mark.parametrize(
    ("keys", "disposition", "result"),
    [
        ("", Disposition.INTERRUPTED, "interrupted"),
        ("1", Disposition.INTERRUPTED, "interrupted"),
        ("11", Disposition.ANSWERED, "well"),
        ("12", Disposition.ANSWERED, "not_well"),
    ],
)
async def test_a_process_that_dies_in_mid_call(
    carrier: FakeCarrier, room: Control, tmp_path: Path, keys: str, disposition: Disposition, result: str
) -> None:
    """A clear answer stands; anything less was not the elder's doing. The carrier's news of the end were lost, too."""
    for event in ("answered", "completed"):
        carrier.lose(event)
    call = carrier.expect_call(ELDER)
    await room.telephone.place(order())
    await call.answered()
    await room.calls.picked_up("i1", call.sid)
    call.hangs_up()
    await call.ended()
    await conversation(room, *keys)
    async with control(carrier, tmp_path) as again:
        await again.telephone.recover()
        await again.telephone.recover()
        (report,) = again.listener.finals
        assert report.disposition is disposition
        assert [person.result for person in report.people] == [result]
        assert again.telephone.active_calls() == 0


async def test_a_report_stored_and_not_told_is_told_after_the_start(
    carrier: FakeCarrier, room: Control, tmp_path: Path, errors_logged: list[str]
) -> None:
    room.listener.fails = 9
    call = carrier.expect_call(ELDER, "busy")
    await room.telephone.place(order())
    await call.ended()
    errors_logged.clear()
    async with control(carrier, tmp_path) as again:
        await again.telephone.recover()
        assert [report.disposition for report in again.listener.finals] == [Disposition.BUSY]


async def test_a_media_side_that_says_nothing_more(carrier: FakeCarrier, room: Control) -> None:
    """The stream began, the carrier says completed, and no finding comes: after a while the saved session counts."""
    await room.calls.order(order())
    await room.calls.placed("i1", "CA1")
    token = await room.calls.issue_token("i1")
    assert token is not None
    await room.calls.picked_up("i1", "CA1")
    assert await room.calls.accept_stream(token, "CA1") is not None
    await conversation(room, "1", "1")
    await room.post("status?call=i1", {"CallSid": "CA1", "CallStatus": "completed", "SequenceNumber": "3"})
    assert not room.listener.reports
    carrier.clock.advance_to(carrier.clock.now() + LAST_WORD + timedelta(seconds=1))
    await room.telephone.sweep()
    await room.calls.talked("i1", [], Disposition.INTERRUPTED, {})
    (report,) = room.listener.finals
    assert [person.result for person in report.people] == ["well"]


# ── the media stream ──────────────────────────────────────────────────────────────────────────────────


async def test_a_stream_opens_with_its_token_once(carrier: FakeCarrier, room: Control) -> None:
    call = carrier.expect_call(ELDER)
    await room.telephone.place(order())
    await call.hears("greet.ask")  # the stand-in closed the stream; the plain verbs go on
    call.hangs_up()
    await call.ended()
    assert room.media.accepted == [True]
    (start,) = room.media.starts
    assert start[1] == call.sid
    assert await room.calls.accept_stream(*start) is None


async def test_a_token_counts_for_its_own_call_only(room: Control) -> None:
    await room.calls.order(order())
    await room.calls.placed("i1", "CA1")
    token = await room.calls.issue_token("i1")
    assert token is not None
    assert await room.calls.accept_stream(token, "CA2") is None
    assert await room.calls.accept_stream(token + "x", "CA1") is None
    assert await room.calls.accept_stream("", "CA1") is None
    assert await room.calls.accept_stream(token, "CA1") is not None
    assert await room.calls.issue_token("i1") is None


@pytest.mark.parametrize("signature", ["", "nonsense", sign("another token", "ws://x/twilio/media"), "ü"])
async def test_an_unsigned_handshake_is_refused(room: Control, signature: str) -> None:
    with pytest.raises(HandshakeError, match="403"):
        await open_socket(room.config.media_url, signature)
    assert not room.media.starts


# ── who may speak to us ───────────────────────────────────────────────────────────────────────────────


PATHS = ["voice", "status", "amd", "verbs", "verbs/key", "verbs/recorded", "verbs/recording"]


async def count(room: Control, table: type) -> int:
    return await room.db.view(lambda session: session.scalar(select(func.count()).select_from(table)) or 0)


async def state(room: Control) -> list[object]:
    """Everything that a webhook could change."""
    row = await room.row()
    columns = [getattr(row, column.key) for column in Call.__table__.columns if column.key != "call_order"]
    counts = [await count(room, table) for table in (CallEvent, CallNews, WebhookInbox)]
    return [columns, counts, len(room.listener.reports)]


@pytest_asyncio.fixture
async def ringing(room: Control) -> Control:
    await room.calls.order(order())
    await room.calls.placed("i1", "CA1")
    return room


@pytest.mark.parametrize("path", PATHS)
async def test_unsigned_and_tampered_requests_change_nothing(ringing: Control, path: str) -> None:
    before = await state(ringing)
    url = f"{ringing.config.public_url}/twilio/{path}?call=i1&turn=0"
    form = {**VOICE, "AnsweredBy": "human", "SequenceNumber": "1"}
    good = sign(AUTH_TOKEN, url, form.items())
    async with httpx.AsyncClient(trust_env=False) as client:
        tried = [
            await client.post(url, data=form),
            await client.post(url, data=form, headers={"X-Twilio-Signature": "nonsense"}),
            await client.post(url, data=form, headers={"X-Twilio-Signature": sign("other", url, form.items())}),
            await client.post(url, data={**form, "CallStatus": "busy"}, headers={"X-Twilio-Signature": good}),
            await client.post(url + "&more=1", data=form, headers={"X-Twilio-Signature": good}),
            await client.post(url.replace("i1", "i2"), data=form, headers={"X-Twilio-Signature": good}),
            await client.post(url, content=b"\xff\xfe", headers={"X-Twilio-Signature": good}),
        ]
    assert [answer.status_code for answer in tried] == [403] * len(tried)
    assert await state(ringing) == before


async def test_the_host_header_plays_no_part(ringing: Control) -> None:
    form = {"CallSid": "CA1", "CallStatus": "ringing", "SequenceNumber": "1"}
    assert (await ringing.post("status?call=i1", form, host="evil.example")).status_code == 204
    assert (await ringing.row()).state == CallState.RINGING


async def test_the_next_token_counts_already(ringing: Control) -> None:
    form = {"CallSid": "CA1", "CallStatus": "ringing", "SequenceNumber": "1"}
    assert (await ringing.post("status?call=i1", form, token=NEXT_TOKEN)).status_code == 204
    assert (await ringing.row()).state == CallState.RINGING


async def test_another_calls_news_under_our_address_is_ignored(ringing: Control, errors_logged: list[str]) -> None:
    before = await state(ringing)
    form = {"CallSid": "CAother", "CallStatus": "busy", "SequenceNumber": "9"}
    assert (await ringing.post("status?call=i1", form)).status_code == 204
    assert await state(ringing) == before
    assert "another call" in errors_logged.pop()


@pytest.mark.parametrize("path", PATHS)
async def test_long_bodies_are_cut_off(ringing: Control, path: str) -> None:
    url = f"{ringing.config.public_url}/twilio/{path}?call=i1"
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(url, content=b"a=" + b"x" * MAX_BODY, headers={"X-Twilio-Signature": "x"})
    assert answer.status_code == 413


async def test_a_status_without_status_is_refused(ringing: Control) -> None:
    assert (await ringing.post("status?call=i1", {"CallSid": "CA1"})).status_code == 400
    assert (await ringing.post("amd?call=i1", {"CallSid": "CA1"})).status_code == 400


# ── documents ─────────────────────────────────────────────────────────────────────────────────────────


def verbs_of(answer: httpx.Response) -> list[str]:
    """The document's verbs, checked against the allow-list."""
    assert answer.status_code == 200
    return [verb.name for verb in twiml.parse(answer.content, answer.headers["content-type"])]


async def test_a_call_begins_with_its_stream(ringing: Control) -> None:
    assert verbs_of(await ringing.post("voice?call=i1", VOICE)) == ["Connect", "Redirect"]
    assert verbs_of(await ringing.post("voice?call=i1", VOICE)) == ["Connect", "Redirect"]  # asked twice: not begun yet


async def test_calls_that_we_dont_know_hear_a_sentence(ringing: Control, errors_logged: list[str]) -> None:
    assert verbs_of(await ringing.post("voice?call=nobody", VOICE)) == ["Play", "Hangup"]
    assert verbs_of(await ringing.post("voice?call=i1", {**VOICE, "CallSid": "CAother"})) == ["Play", "Hangup"]
    assert verbs_of(await ringing.post("voice", {**VOICE, "Direction": "inbound"})) == ["Play", "Hangup"]
    errors_logged.clear()


async def test_after_the_report_there_is_nothing_more_to_say(ringing: Control) -> None:
    await ringing.calls.talked("i1", [], Disposition.ANSWERED, {})
    for path in ("voice?call=i1", "verbs?call=i1"):
        assert verbs_of(await ringing.post(path, VOICE))[-1] == "Hangup"


async def test_the_carriers_error_leads_to_plain_verbs(ringing: Control, errors_logged: list[str]) -> None:
    answer = await ringing.post("voice?call=i1&fallback=1", {**VOICE, "ErrorCode": "12100", "ErrorUrl": "x"})
    assert verbs_of(answer) == ["Gather"]
    assert "12100" in errors_logged.pop()


@pytest.mark.usefixtures("hurried")
async def test_trouble_inside_is_an_apology_in_time(
    ringing: Control, errors_logged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that does not answer: the elder hears a sentence, then it is tried by plain verbs, then goodbye."""

    async def hangs(*_: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(ringing.calls, "picked_up", hangs)
    began = time.monotonic()
    assert verbs_of(await ringing.post("voice?call=i1", VOICE)) == ["Play", "Redirect"]
    assert time.monotonic() - began < 10  # of 60 s for which the database hangs
    assert verbs_of(await ringing.post("verbs?call=i1&tries=3", VOICE)) == ["Play", "Hangup"]
    assert all("TimeoutError" in message for message in errors_logged)
    errors_logged.clear()


async def test_a_status_that_cant_be_stored_comes_again(
    ringing: Control, errors_logged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> bool:
        raise OSError("王阿婆")

    form = {"CallSid": "CA1", "CallStatus": "ringing", "SequenceNumber": "1"}
    with monkeypatch.context() as patch:
        patch.setattr(ringing.calls, "status", fails)
        assert (await ringing.post("status?call=i1", form)).status_code == 503
    assert "王阿婆" not in errors_logged.pop()
    assert (await ringing.post("status?call=i1", form)).status_code == 204
    assert (await ringing.row()).state == CallState.RINGING


async def test_machine_detection_is_kept_and_passed_on(ringing: Control) -> None:
    form = {"CallSid": "CA1", "AnsweredBy": "machine_end_beep"}
    for _ in range(2):
        assert (await ringing.post("amd?call=i1", form)).status_code == 204
    assert ringing.media.machines == [("i1", "machine_end_beep")]
    assert (await ringing.row()).answered_by == "machine_end_beep"
    await ringing.post("voice?call=i1", VOICE)
    await ringing.post("status?call=i1", {"CallSid": "CA1", "CallStatus": "completed", "SequenceNumber": "3"})
    assert [report.disposition for report in ringing.listener.finals] == [Disposition.MACHINE]


async def test_observers_see_the_log(ringing: Control) -> None:
    seen: list[tuple[str, str]] = []
    ringing.calls.observers.append(lambda call_id, entry: seen.append((call_id, entry.kind)))
    await ringing.calls.log("i1", [LogEntry("prompt", 20, {"name": "greet.ask"})])
    await ringing.post("status?call=i1", {"CallSid": "CA1", "CallStatus": "ringing", "SequenceNumber": "1"})
    assert seen == [("i1", "prompt"), ("i1", "status")]


@pytest.mark.parametrize(
    "address", ["line/0/0/{}/line.sorry", "i1/1/0/{}/greet.ask", "line/0/0/{}/nothing", "i1/9/0/{}/x", "%00/x/y/{}/z"]
)
async def test_audio_needs_its_seal(ringing: Control, address: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        for seal in ("0" * 32, "x"):
            url = f"{ringing.config.public_url}/twilio/audio/" + address.format(seal)
            assert (await client.get(url)).status_code == 403
