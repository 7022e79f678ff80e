"""The carrier's <Dial> against a very small application: ringing, whisper, talking. The product is not here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ivr.virtual import wav
from ivr.virtual.acoustics import sounds, tone
from tests.e2e.test_carrier_calls import ELDER, LINE, dial, sdk
from tests.fakes.call import FakeCall
from tests.fakes.carrier import FakeCarrier
from tests.fakes.tiny_app import TinyApp

DUTY = "+862155520001"
DIAL = (
    '<Response><Dial action="{base}/dialled" timeout="20" timeLimit="30" callerId="' + LINE + '" answerOnBridge="true">'
    '<Number url="{base}/whisper" statusCallback="{base}/leg" '
    f'statusCallbackEvent="initiated ringing answered completed">{DUTY}</Number></Dial></Response>'
)
WHISPER = (
    '<Response><Gather input="dtmf" numDigits="1" timeout="4" finishOnKey="" action="{base}/key">'
    "<Play>{base}/hello.wav</Play></Gather><Hangup/></Response>"
)
VOICE = tone(300, 0.6)


@pytest_asyncio.fixture
async def app() -> AsyncIterator[TinyApp]:
    documents = {
        "/voice": DIAL,
        "/whisper": WHISPER,
        "/key": "<Response/>",
        "/dialled": "<Response><Hangup/></Response>",
    }
    async with TinyApp(documents, files={"/hello.wav": wav.write(tone(440, 0.5))}).serve() as tiny:
        yield tiny


def heard(call: FakeCall, voice: bytes = VOICE) -> bool:
    return voice[:1600] in call.heard


def outcome(app: TinyApp) -> dict[str, str]:
    (form,) = app.forms("/dialled")
    return {key: form[key] for key in ("DialCallStatus", "DialBridged", "CallStatus")}


async def test_both_hear_each_other_once_the_other_has_accepted(carrier: FakeCarrier, app: TinyApp) -> None:
    elder, duty = carrier.expect_call(ELDER), carrier.expect_call(DUTY)
    sid = await dial(carrier, app)
    await duty.hears("hello.wav")
    assert any(sounds(elder.heard[at : at + 160]) for at in range(0, len(elder.heard), 160))  # it rings
    duty.presses("1")
    await duty.bridged()
    elder.keeps_quiet(0.5)
    elder.says(VOICE)
    await elder.waits(3)
    assert heard(duty)
    assert elder.seen("bridged")
    duty.says(tone(500, 0.6))
    await duty.waits(2)
    assert heard(elder, tone(500, 0.6))
    duty.hangs_up()
    await elder.ended()
    assert outcome(app) == {"DialCallStatus": "completed", "DialBridged": "true", "CallStatus": "in-progress"}
    assert app.forms("/dialled")[0]["DialCallSid"] == duty.sid
    assert [form["CallStatus"] for form in app.forms("/leg")] == ["initiated", "ringing", "in-progress", "completed"]
    assert {(form["Direction"], form["ParentCallSid"], form["From"]) for form in app.forms("/leg")} == {
        ("outbound-dial", sid, LINE)
    }
    assert sdk(carrier).calls(duty.sid) is not None


@pytest.mark.parametrize(
    ("phone", "status"),
    [("busy", "busy"), ("no_answer", "no-answer"), ("line_error", "failed"), ("machine", "completed")],
)
async def test_nobody_is_put_through(carrier: FakeCarrier, app: TinyApp, phone: str, status: str) -> None:
    """A machine picks up and presses nothing."""
    elder, _ = carrier.expect_call(ELDER), carrier.expect_call(DUTY, phone)
    began = carrier.clock.now()
    await dial(carrier, app)
    await elder.ended()
    assert outcome(app) == {"DialCallStatus": status, "DialBridged": "false", "CallStatus": "in-progress"}
    assert not elder.seen("bridged")
    assert (carrier.clock.now() - began).total_seconds() < 32


async def test_the_elder_hangs_up_while_it_rings(carrier: FakeCarrier, app: TinyApp) -> None:
    elder, duty = carrier.expect_call(ELDER), carrier.expect_call(DUTY, rings=4)
    await dial(carrier, app)
    elder.keeps_quiet(3)
    elder.hangs_up()
    await elder.ended()
    assert outcome(app)["DialCallStatus"] == "canceled"
    assert duty.status == "canceled"


async def test_a_talk_ends_at_its_limit(carrier: FakeCarrier, app: TinyApp) -> None:
    elder, duty = carrier.expect_call(ELDER), carrier.expect_call(DUTY)
    await dial(carrier, app)
    await duty.hears("hello.wav")
    duty.presses("1")
    began = carrier.clock.now()
    await elder.ended()
    assert 30 <= (carrier.clock.now() - began).total_seconds() < 35
    assert outcome(app)["DialBridged"] == "true"


async def test_the_elder_hangs_up_in_the_talk(carrier: FakeCarrier, app: TinyApp) -> None:
    """The application is told all the same."""
    elder, duty = carrier.expect_call(ELDER), carrier.expect_call(DUTY)
    await dial(carrier, app)
    await duty.hears("hello.wav")
    duty.presses("1")
    elder.keeps_quiet(5)
    elder.hangs_up()
    await elder.ended()
    assert (outcome(app)["DialBridged"], outcome(app)["CallStatus"]) == ("true", "completed")
    assert duty.status == "completed"
