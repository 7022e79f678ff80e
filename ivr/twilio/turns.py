"""One turn of a conversation by plain TwiML verbs, as JSON in the call's row.

    {"turn": 3, "says": [{"name": "greet.ask", "language": "zh", "parts": ["您好", …]}], "wait": {"kind": "listen", …}}

A part is a text, or {"recording": path} for a stored recording that is played.

`wait.kind`: "listen" (timeout_s; where digits are entered also most, secret), "dictate" (max_s, silence_s, no_speech_s,
finish_key), "hand_over", "put_through" (the end, but the line stays up: whoever waits is put through), "hangup";
`wait.node` names the flow's node. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from callflows.events import Alarm, Dictate, HandOver, Hangup, Listen, Output, Part, Say, StopPlaying
from ivr.secrecy import is_secret


def turn_of(number: int, outputs: Sequence[Output], wait: Listen | Dictate | HandOver | None) -> dict[str, Any]:
    """The turn that these outputs make; what a later key has cut is not said. Without a wait among them the session's
    open one goes on; without any: the end."""
    waits = [output for output in outputs if isinstance(output, Listen | Dictate | HandOver | Hangup)]
    cut = max((at for at, output in enumerate(outputs) if isinstance(output, StopPlaying)), default=0)
    says = [_say(output) for output in outputs[cut:] if isinstance(output, Say)]
    return {"turn": number, "says": says, "wait": _wait(waits[-1] if waits else wait)}


def alarms(outputs: Sequence[Output]) -> list[Alarm]:
    return [output for output in outputs if isinstance(output, Alarm)]


def _say(say: Say) -> dict[str, Any]:
    return {"name": say.name, "language": say.language, "parts": list(map(_part, say.parts))}


def _part(part: Part) -> str | dict[str, str]:
    return {"recording": part.recording} if part.recording else part.text


def _wait(wait: Listen | Dictate | HandOver | Hangup | None) -> dict[str, Any]:
    match wait:
        case HandOver():
            return {"kind": "hand_over", "node": "", "number": wait.number}
        case Listen():
            digits = {"most": wait.digits.most, "secret": is_secret(wait)} if wait.digits else {}
            return {"kind": "listen", "node": wait.node, "timeout_s": wait.timeout_s, **digits}
        case Dictate():
            return {
                "kind": "dictate",
                "node": wait.node,
                "max_s": wait.max_s,
                "silence_s": wait.silence_s,
                "no_speech_s": wait.no_speech_s,
                "finish_key": wait.finish_key,
            }
    return {"kind": "hangup", "node": ""}
