"""TwiML documents: what we tell the carrier to do next. Pure; built with the official SDK's classes.

The SDK doesn't validate; tests hold every document against an allow-list of verbs and attributes.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Mapping
from typing import Any

from twilio.twiml.voice_response import Gather, VoiceResponse

from ivr.ports import CallOrder
from ivr.twilio.config import TwilioConfig

# The line's own sentences, outside every flow (rendered ahead like a flow's).
SENTENCES = {
    "line.sorry": "对不起,电话出了点问题,请稍等。",
    "line.broken": "对不起,电话出了问题。居委会的工作人员会再给您打电话。再见。",
    "line.inbound": "您好,这里是居委会的自动语音电话。有事请直接打居委会的电话。要紧的话,请打120或110。再见。",
    "line.noted": "您好,这里是居委会的自动语音电话。居委会的人会给您打电话。要紧的话,请打120或110。再见。",
    "line.who": "您好,这里是居委会的自动语音电话。要登记看望老人,请按1;自己有事,请按2。",
    "line.unknown": "对不起,这个电话打错了。再见。",
}
WHO_S = 3  # to press who it is; who presses nothing is listened to as an elder
SECOND_KEY_S = 1  # after "wait a moment", which is spoken for 3 s and more: then a second 0 would have come
TALK_LIMIT_S = 30 * 60  # two people who were put through may talk so long
RING_TONE = "cn"
LEG_EVENTS = "initiated ringing answered completed"
LINE = "line"  # stands for the call in the address of the line's own sentences
MAX_TRIES = 3


def stream(config: TwilioConfig, call_id: str, token: str) -> str:
    """Talk over a media stream; when we close it, the carrier asks what to do next."""
    response = VoiceResponse()
    response.connect().stream(url=config.media_url).parameter(name="token", value=token)
    response.redirect(config.webhook("verbs", call=call_id), method="POST")
    return str(response)


def redirect(config: TwilioConfig, call_id: str) -> str:
    response = VoiceResponse()
    response.redirect(config.webhook("verbs", call=call_id), method="POST")
    return str(response)


def hang_up() -> str:
    response = VoiceResponse()
    response.hangup()
    return str(response)


def goodbye(config: TwilioConfig, sentence: str) -> str:
    """One of the line's own sentences, then hang up."""
    response = VoiceResponse()
    response.play(audio_url(config, LINE, 0, 0, sentence))
    response.hangup()
    return str(response)


def who(config: TwilioConfig) -> str:
    """Asked before any conversation, where helpers and elders have one telephone. One key, at any moment; silence is an
    answer, too."""
    response = VoiceResponse()
    action = config.webhook("voice", asked=1)
    gather = Gather(
        input="dtmf",
        num_digits=1,
        timeout=WHO_S,
        finish_on_key="",
        action=action,
        method="POST",
        action_on_empty_result=True,
    )
    _play(gather, [audio_url(config, LINE, 0, 0, "line.who")])
    response.append(gather)
    return str(response)


def sorry(config: TwilioConfig, call_id: str, tries: int) -> str:
    """Something inside failed: an apology, then another try by plain verbs; the last time goodbye."""
    if not call_id or tries >= MAX_TRIES:
        return goodbye(config, "line.broken")
    response = VoiceResponse()
    response.play(audio_url(config, LINE, 0, 0, "line.sorry"))
    response.redirect(config.webhook("verbs", call=call_id, tries=tries + 1), method="POST")
    return str(response)


def dial(config: TwilioConfig, call_id: str, leg: CallOrder) -> str:
    """Rings somebody else, who hears our documents (`url`) before they are put through; the elder hears it ring until
    then. Nothing of the talk is recorded. However it ends, we are asked what to do next (`action`).
    Source: Twilio, "TwiML Voice: <Dial>", "<Number>"."""
    response = VoiceResponse()
    ringing = response.dial(
        action=config.webhook("verbs/dialled", call=call_id, leg=leg.id),
        method="POST",
        timeout=leg.ring_s,
        time_limit=TALK_LIMIT_S,
        caller_id=config.from_number,
        answer_on_bridge=True,
        ring_tone=RING_TONE,
    )
    ringing.number(
        leg.number,
        url=config.webhook("verbs", call=leg.id),
        method="POST",
        status_callback=config.webhook("status", call=leg.id),
        status_callback_method="POST",
        status_callback_event=LEG_EVENTS,
    )
    return str(response)


def turn(config: TwilioConfig, call_id: str, verbs: Mapping[str, Any]) -> str:
    """One turn of the conversation by plain verbs. `verbs`: see ivr.twilio.turns."""
    number, wait = verbs["turn"], verbs["wait"]
    prompts = [audio_url(config, call_id, number, i, say["name"]) for i, say in enumerate(verbs["says"])]
    response = VoiceResponse()
    match wait["kind"]:
        case "listen":
            _gather(response, config.webhook("verbs/key", call=call_id, turn=number), wait, prompts)
        case "dictate":
            _record(response, config, call_id, number, wait, prompts)
        case "hand_over":
            wait = {"timeout_s": SECOND_KEY_S}
            _gather(response, config.webhook("verbs/key", call=call_id, turn=number), wait, prompts)
        case "put_through":
            _play(response, prompts)
        case _:
            _play(response, prompts)
            response.hangup()
    return str(response)


def _gather(response: VoiceResponse, action: str, wait: Mapping[str, Any], prompts: list[str]) -> None:
    """A key stops the prompt. Keys only: no speech goes to anybody's recogniser. Where digits are entered, `#` ends
    them; elsewhere `#` and `*` are keys like others."""
    gather = Gather(
        input="dtmf",
        num_digits=wait.get("most", 1),
        timeout=max(1, math.ceil(wait["timeout_s"])),
        finish_on_key="#" if "most" in wait else "",
        action=action,
        method="POST",
        action_on_empty_result=True,
    )
    _play(gather, prompts)
    response.append(gather)


def _record(
    response: VoiceResponse,
    config: TwilioConfig,
    call_id: str,
    number: int,
    wait: Mapping[str, Any],
    prompts: list[str],
) -> None:
    """An empty recording has no action: then the redirect says so. `timeout` is silence, before the first word and
    after the last one: slow speakers get the longer of the two. The prompt can't be cut by a key here: gathering keys
    under it would cost the first second of speech."""
    action = config.webhook("verbs/recorded", call=call_id, turn=number)
    _play(response, prompts)
    response.record(
        action=action,
        method="POST",
        timeout=math.ceil(max(wait["silence_s"], wait["no_speech_s"])),
        max_length=math.ceil(wait["max_s"]),
        finish_on_key=wait["finish_key"] + "0*",  # a person, and repeat, work here too
        play_beep=False,
        trim="do-not-trim",
        recording_status_callback=config.webhook("verbs/recording", call=call_id, turn=number),
        recording_status_callback_method="POST",
        recording_status_callback_event="completed",
    )
    response.redirect(action, method="POST")


def _play(parent: VoiceResponse | Gather, prompts: list[str]) -> None:
    for url in prompts:
        parent.play(url)


# ── audio ─────────────────────────────────────────────────────────────────────────────────────────────


def audio_url(config: TwilioConfig, call_id: str, number: int, index: int, name: str) -> str:
    """Where the carrier finds a prompt. Carriers don't sign these fetches, so the address itself is sealed; what is
    said stands in the database, not in the address."""
    sealed = seal(config.tokens[0], call_id, str(number), str(index), name)
    return config.audio(call_id, str(number), str(index), sealed, name)


def seal(token: str, *parts: str) -> str:
    return hmac.new(token.encode(), "\0".join(parts).encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]


def sealed(config: TwilioConfig, given: str, *parts: str) -> bool:
    """Whether an audio address is one of ours, under any valid token."""
    sent = given.encode("utf-8", "replace")
    return any([hmac.compare_digest(seal(token, *parts).encode(), sent) for token in config.tokens])
