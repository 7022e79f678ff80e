"""What can be seen of a virtual call from outside: for live tables, stories and error reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "dialled",
    "ringing",
    "answered",
    "prompt",  # a prompt was played to its end (detail: the mark's name)
    "cleared",  # playing was cut off (detail: the mark's name, "" when none was queued)
    "said",  # detail: the clip's name
    "pressed",  # detail: the key
    "machine",  # answering-machine detection was reported (detail: AnsweredBy)
    "stream",  # the media stream is open
    "bridged",  # put through to the party of another call (detail: its CallSid)
    "hung_up",  # the callee hung up
    "ended",  # detail: final call status
    "error",  # something a carrier would log as an error (detail says what)
]


@dataclass(frozen=True)
class Observation:
    """`at_ms` is audio time since answer (0 before). `number` is personal: show it, never log it."""

    call_sid: str
    number: str
    kind: Kind
    detail: str = ""
    at_ms: int = 0


Observe = Callable[[Observation], None]
