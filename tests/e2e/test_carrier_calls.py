"""The carrier itself against a very small application: protocol, statuses, verbs, faults. The product is not here."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from ivr.virtual import wav
from ivr.virtual.acoustics import sounds, tone
from ivr.virtual.behaviour import ElderDirectory
from ivr.virtual.carrier import VirtualCarrier
from ivr.virtual.elder import ElderScript
from ivr.virtual.observation import Observation
from ivr.virtual.phone import FRAME_BYTES
from tests.fakes.carrier import ACCOUNT_SID, AUTH_TOKEN, FakeCarrier
from tests.fakes.clock import WarpClock
from tests.fakes.tiny_app import TinyApp

ELDER = "+862155500001"
LINE = "+862155500000"
STREAM = (
    '<Response><Connect><Stream url="{ws}/media"><Parameter name="token" value="t0k&amp;n"/></Stream></Connect>'
    "<Redirect>{base}/continue</Redirect></Response>"
)
VOICE = b"".join([tone(300, 1.0)])


@pytest_asyncio.fixture
async def app() -> AsyncIterator[TinyApp]:
    async with TinyApp({"/voice": STREAM}).serve() as tiny:
        yield tiny


class Rerouted(TwilioHttpClient):
    def __init__(self, base: str) -> None:
        super().__init__(timeout=2, max_retries=0)
        self._base = base

    def request(self, method: str, url: str, *args: object, **kwargs: object) -> object:  # type: ignore[override]
        return super().request(method, url.replace("https://api.twilio.com", self._base), *args, **kwargs)  # type: ignore[arg-type]


def sdk(carrier: VirtualCarrier, token: str = AUTH_TOKEN) -> Client:
    return Client(carrier.account_sid, token, http_client=Rerouted(carrier.base_url))


async def dial(carrier: VirtualCarrier, app: TinyApp, to: str = ELDER, **more: object) -> str:
    orders = {
        "to": to,
        "from_": LINE,
        "url": f"{app.base}/voice?call=i1",
        "status_callback": f"{app.base}/status?call=i1",
        "status_callback_event": ["initiated", "ringing", "answered", "completed"],
        **more,
    }
    created = await asyncio.to_thread(lambda: sdk(carrier).calls.create(**orders))  # type: ignore[arg-type]
    assert created.sid is not None
    return created.sid


def statuses(app: TinyApp) -> list[str]:
    return [form["CallStatus"] for form in app.forms("/status")]


async def test_a_call_by_key_over_the_stream(carrier: FakeCarrier, app: TinyApp) -> None:
    call = carrier.expect_call(ELDER)
    sid = await dial(carrier, app)
    await call.hears("greet.ask")
    assert any(sounds(call.heard[i : i + FRAME_BYTES]) for i in range(0, len(call.heard), FRAME_BYTES))
    call.presses("1")
    await call.hears("health.ask")
    call.presses("1")
    await call.hears("bye.say")
    assert await call.ended() == "completed"
    assert call.sid == sid
    assert statuses(app) == ["initiated", "ringing", "in-progress", "completed"]
    assert [form["SequenceNumber"] for form in app.forms("/status")] == ["0", "1", "2", "3"]
    assert app.forms("/continue")[0]["CallStatus"] == "in-progress"


async def test_messages_are_numbered_and_shaped_as_twilio_sends_them(carrier: FakeCarrier, app: TinyApp) -> None:
    call = carrier.expect_call(ELDER)
    await dial(carrier, app)
    await call.hears("greet.ask")
    call.presses("5")
    await call.hears("health.ask")
    call.hangs_up()
    await call.ended()
    connected, start, *rest = app.messages
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start["start"]["customParameters"] == {"token": "t0k&n"}
    assert start["start"]["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    assert [int(m["sequenceNumber"]) for m in (start, *rest)] == list(range(1, len(rest) + 2))
    media = [m["media"] for m in rest if m["event"] == "media"]
    assert [int(m["chunk"]) for m in media] == list(range(1, len(media) + 1))
    assert [int(m["timestamp"]) for m in media] == [20 * i for i in range(len(media))]
    assert [m["dtmf"]["digit"] for m in rest if m["event"] == "dtmf"] == ["5"]
    assert rest[-1]["event"] == "stop"


async def test_requests_are_signed_as_the_official_validator_wants(carrier: FakeCarrier, app: TinyApp) -> None:
    call = carrier.expect_call(ELDER)
    await dial(carrier, app)
    await call.hears("greet.ask")
    call.hangs_up()
    await call.ended()
    validator = RequestValidator(AUTH_TOKEN)
    path, form, signature = app.requests[-1]
    assert path == "/status"
    assert validator.validate(f"{app.base}/status?call=i1", form, signature)
    assert not validator.validate(f"{app.base}/status?call=i2", form, signature)
    assert validator.validate(f"ws{app.base[4:]}/media", {}, app.signature)


async def test_barge_in_clears_the_prompt_and_its_mark_comes_back(carrier: FakeCarrier, app: TinyApp) -> None:
    call = carrier.expect_call(ELDER)
    await dial(carrier, app)
    await call.hears("greet.ask")
    call.presses("1")
    await call.waits(0.4)  # health.ask lasts a second
    call.presses("1")
    await call.hears("bye.say")
    await call.ended()
    assert call.seen("prompt") == ["greet.ask", "bye.say"]
    assert "health.ask" in [m["mark"]["name"] for m in app.messages if m["event"] == "mark"]


async def test_time_passes_on_the_line_not_on_the_wall(
    carrier: FakeCarrier, app: TinyApp, warp_clock: WarpClock
) -> None:
    before, began = warp_clock.now(), time.monotonic()
    call = carrier.expect_call(ELDER, rings=3)
    await dial(carrier, app)
    await call.hears("greet.ask")
    await call.waits(30)
    call.hangs_up()
    await call.ended()
    assert timedelta(seconds=45) < warp_clock.now() - before < timedelta(seconds=47)
    assert time.monotonic() - began < 40  # less than the 45 s that pass on the line
    sent = sum(m["event"] == "media" for m in app.messages)
    assert 1500 < sent < 1560  # 20 ms each


@pytest.mark.parametrize(
    ("phone", "expected", "events"),
    [
        ("busy", "busy", ["initiated", "busy"]),
        ("no_answer", "no-answer", ["initiated", "ringing", "no-answer"]),
        ("line_error", "failed", ["initiated", "failed"]),
        ("unassigned", "failed", ["initiated", "failed"]),
    ],
)
async def test_calls_that_nobody_takes(
    carrier: FakeCarrier, app: TinyApp, phone: str, expected: str, events: list[str]
) -> None:
    call = carrier.expect_call(ELDER, phone)
    await dial(carrier, app, timeout=45)
    assert await call.ended() == expected
    assert statuses(app) == events
    assert not app.forms("/voice")


async def test_a_bad_number_is_refused_with_twilios_code(carrier: FakeCarrier, app: TinyApp) -> None:
    carrier.expect_call(ELDER, "bad_number")
    with pytest.raises(TwilioRestException) as refused:
        await dial(carrier, app)
    assert (refused.value.status, refused.value.code) == (400, 21211)
    with pytest.raises(TwilioRestException) as malformed:
        await dial(carrier, app, to="12345")
    assert malformed.value.code == 21211
    assert not carrier.calls


async def test_a_wrong_password_is_refused(carrier: FakeCarrier) -> None:
    with pytest.raises(TwilioException, match="20003"):
        await asyncio.to_thread(lambda: sdk(carrier, "wrong").calls.list())


async def test_answering_machine_detection_after_the_beep(carrier: FakeCarrier, app: TinyApp) -> None:
    call = carrier.expect_call(ELDER, "machine", greeting=VOICE * 3)
    await dial(
        carrier,
        app,
        machine_detection="DetectMessageEnd",
        async_amd="true",
        async_amd_status_callback=f"{app.base}/amd?call=i1",
    )
    await call.ended()
    (form,) = app.forms("/amd")
    assert form["AnsweredBy"] == "machine_end_beep"
    assert 4000 < int(form["MachineDetectionDuration"]) < 5000  # 0.5 s, 3 s of greeting, 0.2 s, beep


async def test_a_person_taken_for_a_machine(carrier: FakeCarrier, app: TinyApp) -> None:
    call = carrier.expect_call(ELDER, amd="machine_start")
    await dial(carrier, app, machine_detection="Enable", async_amd="true", async_amd_status_callback=f"{app.base}/amd")
    await call.waits(3)
    call.hangs_up()
    await call.ended()
    assert [form["AnsweredBy"] for form in app.forms("/amd")] == ["machine_start"]


async def test_the_call_list_by_number_and_time(carrier: FakeCarrier, app: TinyApp, warp_clock: WarpClock) -> None:
    calls = [carrier.expect_call(number, "busy") for number in (ELDER, ELDER, "+862155500002")]
    first = await dial(carrier, app)
    await calls[0].ended()
    warp_clock.advance(minutes=10)
    since = warp_clock.now()
    second = await dial(carrier, app)
    await dial(carrier, app, to="+862155500002")
    await calls[1].ended()
    await calls[2].ended()
    client = sdk(carrier)
    found = await asyncio.to_thread(lambda: client.calls.list(to=ELDER, start_time_after=since))
    assert [call.sid for call in found] == [second]
    everything = await asyncio.to_thread(lambda: client.calls.list(to=ELDER, page_size=1))
    assert [call.sid for call in everything] == [second, first]
    assert everything[0].status == "busy"


async def test_rest_ends_a_ringing_and_a_running_call(carrier: FakeCarrier, app: TinyApp) -> None:
    call = carrier.expect_call(ELDER)
    sid = await dial(carrier, app)
    await call.hears("greet.ask")
    await asyncio.to_thread(lambda: sdk(carrier).calls(sid).update(status="completed"))
    assert await call.ended() == "completed"
    assert app.messages[-1]["event"] == "stop"


async def test_a_live_call_is_sent_elsewhere(carrier: FakeCarrier, app: TinyApp) -> None:
    app.documents["/voice"] = '<Response><Pause length="2"/><Pause length="2"/></Response>'
    app.documents["/other"] = "<Response><Hangup/></Response>"
    call = carrier.expect_call(ELDER)
    sid = await dial(carrier, app)
    await call.waits(1)
    await asyncio.to_thread(lambda: sdk(carrier).calls(sid).update(url=f"{app.base}/other"))
    await call.ended()
    assert len(app.forms("/other")) == 1


async def test_plain_verbs_gather_play_and_record(carrier: FakeCarrier, app: TinyApp) -> None:
    app.files["/audio/ask.wav"] = wav.write(tone(440, 1.0))
    app.documents["/voice"] = (
        '<Response><Gather input="dtmf" numDigits="1" timeout="8" action="/gather">'
        "<Play>/audio/ask.wav</Play></Gather><Hangup/></Response>"
    )
    app.documents["/gather"] = '<Response><Record action="/recorded" timeout="4" finishOnKey="#"/></Response>'
    app.documents["/recorded"] = "<Response><Hangup/></Response>"
    call = carrier.expect_call(ELDER)
    await dial(carrier, app)
    await call.hears("ask.wav")
    call.presses("2")
    call.keeps_quiet(1.0)
    call.says(VOICE * 2)
    call.presses("#")
    await call.ended()
    assert app.forms("/gather")[0]["Digits"] == "2"
    recorded = app.forms("/recorded")[0]
    assert (recorded["Digits"], recorded["RecordingDuration"]) == ("#", "4")  # 3.2 s, rounded up
    await _fetch_and_delete(carrier, recorded["RecordingUrl"])


async def _fetch_and_delete(carrier: FakeCarrier, url: str) -> None:
    async with httpx.AsyncClient(auth=(ACCOUNT_SID, AUTH_TOKEN), trust_env=False) as client:
        sound = wav.read((await client.get(url + ".wav")).content)
        assert sum(sounds(sound[i : i + 160]) for i in range(0, len(sound), 160)) >= 100
        assert (await client.delete(url + ".json")).status_code == 204
        assert (await client.get(url + ".wav")).status_code == 404


async def test_gather_goes_on_when_nobody_presses(carrier: FakeCarrier, app: TinyApp) -> None:
    app.documents["/voice"] = (
        '<Response><Gather input="dtmf" timeout="8" action="/gather"/><Redirect>/after</Redirect></Response>'
    )
    call = carrier.expect_call(ELDER)
    await dial(carrier, app)
    await call.ended()
    assert not app.forms("/gather")
    assert len(app.forms("/after")) == 1


async def test_the_fallback_hears_of_the_error(carrier: FakeCarrier, app: TinyApp) -> None:
    app.documents["/voice"] = '<Response><Play colour="red">/x.wav</Play></Response>'
    app.documents["/fallback"] = "<Response><Hangup/></Response>"
    call = carrier.expect_call(ELDER)
    call.errors_allowed = True
    await dial(carrier, app, fallback_url=f"{app.base}/fallback")
    await call.ended()
    (form,) = app.forms("/fallback")
    assert (form["ErrorCode"], form["ErrorUrl"]) == ("12200", f"{app.base}/voice?call=i1")
    assert call.seen("error") == ["12200: <Play> does not take colour"]


async def test_a_webhook_is_tried_again_when_the_policy_says_so(carrier: FakeCarrier, app: TinyApp) -> None:
    app.documents["/voice"] = "<Response><Hangup/></Response>"
    app.status["/voice"] = deque([503])
    call = carrier.expect_call(ELDER)
    await dial(carrier, app, url=f"{app.base}/voice?call=i1#rc=2&rp=5xx")
    await call.ended()
    assert len(app.forms("/voice")) == 2


@pytest.mark.parametrize(
    "bad", ["{", '{"event":"media","streamSid":"SID","media":{"payload":"!!"}}', '{"event":"mark","streamSid":"SID"}']
)
async def test_a_broken_stream_is_stopped_and_the_call_goes_on(carrier: FakeCarrier, app: TinyApp, bad: str) -> None:
    def speaks(message: dict[str, object]) -> list[str]:
        return [bad.replace("SID", str(message["streamSid"]))] if message["event"] == "media" else []

    app.speaks = speaks  # type: ignore[assignment]
    call = carrier.expect_call(ELDER)
    call.errors_allowed = True
    await dial(carrier, app)
    await call.ended()
    assert call.seen("error")[0].startswith("31951")
    assert len(app.forms("/continue")) == 1


# ── faults on demand ──────────────────────────────────────────────────────────────────────────────────


async def test_callbacks_lost_doubled_late_and_reordered(carrier: FakeCarrier, app: TinyApp) -> None:
    call = carrier.expect_call(ELDER)
    carrier.lose("initiated")
    carrier.duplicate("ringing")
    carrier.hold("answered")
    carrier.hold("completed")
    await dial(carrier, app)
    await call.hears("greet.ask")
    call.hangs_up()
    await call.ended()
    assert statuses(app) == ["ringing", "ringing"]
    await carrier.release(reverse=True)
    assert statuses(app) == ["ringing", "ringing", "completed", "in-progress"]
    await carrier.again("completed")
    assert statuses(app)[-1] == "completed"


async def test_a_forged_callback_does_not_verify(carrier: FakeCarrier, app: TinyApp) -> None:
    call = carrier.expect_call(ELDER, "busy")
    carrier.forge("completed")
    await dial(carrier, app)
    await call.ended()
    _, form, signature = app.requests[-1]
    assert form["CallStatus"] == "busy"
    assert not RequestValidator(AUTH_TOKEN).validate(f"{app.base}/status?call=i1", form, signature)


async def test_rest_faults(carrier: FakeCarrier, app: TinyApp) -> None:
    call = carrier.expect_call(ELDER, "busy")
    for fault, status in (("refuse_429", 429), ("break_500", 500)):
        carrier.rest_fault(fault)  # type: ignore[arg-type]
        with pytest.raises(TwilioRestException) as refused:
            await dial(carrier, app)
        assert refused.value.status == status
    carrier.rest_fault("never_accept")
    with pytest.raises(Exception, match="timed out"):
        await dial(carrier, app)
    assert not carrier.calls
    carrier.rest_fault("accept_then_hang")
    with pytest.raises(Exception, match="timed out"):
        await dial(carrier, app)
    assert await call.ended() == "busy"
    cut = carrier.expect_call(ELDER, "busy")
    carrier.rest_fault("cut")
    with pytest.raises(Exception, match=r"(?i)aborted|broken|incomplete"):
        await dial(carrier, app)
    assert await cut.ended() == "busy"


async def test_an_unexpected_call_fails_the_test(warp_clock: WarpClock, app: TinyApp) -> None:
    async with FakeCarrier(warp_clock) as fake:
        await dial(fake, app)
        await fake.idle()
    with pytest.raises(AssertionError, match="nobody expected"):
        fake.verify()


async def test_an_expected_call_that_never_comes_fails_the_test(warp_clock: WarpClock) -> None:
    async with FakeCarrier(warp_clock) as fake:
        fake.expect_call(ELDER)
    with pytest.raises(AssertionError, match="never came"):
        fake.verify()


async def test_a_story_that_does_not_come_true_says_what_happened(carrier: FakeCarrier, app: TinyApp) -> None:
    call = carrier.expect_call(ELDER)
    await dial(carrier, app)
    with pytest.raises(AssertionError, match=r"(?s)no prompt other\.ask.*greet\.ask"):
        await call.hears("other.ask", within_s=5)
    call.hangs_up()
    await call.ended()


# ── scripted elders ───────────────────────────────────────────────────────────────────────────────────


async def test_a_scripted_elder_in_virtual_time(warp_clock: WarpClock, app: TinyApp) -> None:
    elder = ElderScript.from_mapping(
        {"number": ELDER, "reactions": {"answered": {"say": "wei"}, "*.ask": {"press": "1", "after_s": 1.0}}}
    )
    async with FakeCarrier(warp_clock, clips={"wei": VOICE}.__getitem__) as fake:
        call = fake.expect_call(ELDER, script=elder.call(0))
        await dial(fake, app)
        await call.ended()
    fake.verify()
    assert [(o.kind, o.detail) for o in call.log if o.kind in ("said", "pressed", "prompt")] == [
        ("said", "wei"),
        ("prompt", "greet.ask"),
        ("pressed", "1"),
        ("prompt", "health.ask"),
        ("pressed", "1"),
        ("prompt", "bye.say"),
    ]


async def test_real_time(app: TinyApp) -> None:
    """Wall pace: two calls at once, paced by the shared tick, ringing hurried."""
    seen: list[Observation] = []
    numbers = (ELDER, "+862155500002")
    scripts = [ElderScript.from_mapping({"number": n, "reactions": {"*.ask": {"press": "1"}}}) for n in numbers]
    elders = ElderDirectory(tuple(scripts), {}.__getitem__)
    async with VirtualCarrier(ACCOUNT_SID, AUTH_TOKEN, elders, hurry=50, observe=seen.append) as carrier:
        await asyncio.gather(*(dial(carrier, app, to=number) for number in numbers))
        began = time.monotonic()
        await carrier.idle()
        took = time.monotonic() - began
    assert [o.detail for o in seen if o.kind == "ended"] == ["completed", "completed"]
    assert not [o for o in seen if o.kind == "error"]
    assert took > 2.5  # 1.7 s of prompts and twice 0.5 s of thinking
    kinds_seen = [o.kind for o in seen]
    first_end = kinds_seen.index("ended")
    assert kinds_seen[:first_end].count("answered") == 2, "one after the other"
    assert statuses(app).count("completed") == 2
