"""The ports that the care room needs. `house.py` satisfies them with the telephone room (values map one to one)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class Clock(Protocol):
    """Time comes from outside; `now()` is aware UTC and read once per decision."""

    def now(self) -> datetime: ...


class Disposition(StrEnum):
    """How a call ended (same words as the telephone room's; the composition root maps them by value)."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    MACHINE = "machine"
    LINE_ERROR = "line_error"
    BAD_NUMBER = "bad_number"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"  # could not be found out: a human, no redial


TALKED = (Disposition.ANSWERED, Disposition.INTERRUPTED)  # somebody was on the line, to the end or not


@dataclass(frozen=True)
class Callee:
    id: str
    spoken_name: str
    language: str = "zh"
    records: bool = True
    transcribes: bool = True
    variables: Mapping[str, str] = field(default_factory=dict)  # of the flow, of this person alone; personal


@dataclass(frozen=True)
class CallRequest:
    """Asks for one call; `id` is the intent row's id, written before this is sent."""

    id: str
    number: str
    flow: str
    callees: tuple[Callee, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    ring_s: int = 45
    trunk: str = ""  # the line's own; else one that is for alarms only
    for_call: str = ""  # dialled out of that call, to be put through to it
    urgent: bool = False  # of an emergency: goes ahead of all others


@dataclass(frozen=True)
class PersonOutcome:
    """`result`: see checkins.results.Result. `evidence`: "key", "speech" or "none"."""

    id: str
    result: str
    evidence: str
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def clear(self) -> bool:
        """By key, or by speech of which the ear was certain: only so does good news count."""
        return self.evidence == "key" or (self.evidence == "speech" and self.detail.get("certain") is True)


@dataclass(frozen=True)
class CallOutcome:
    """News of a call. Not final: an alarm in mid-call. Applying the same news twice changes nothing."""

    intent_id: str
    at: datetime
    final: bool
    disposition: Disposition | None = None
    people: tuple[PersonOutcome, ...] = ()
    alarm: str | None = None
    alarm_person: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class Told:
    """The answer to what a flow asks in mid-call: its word ("": nobody can say), and the values of the flow's variables
    that go with it. `values` are personal: never logged."""

    word: str
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


class Answers(Protocol):
    """Who answers what a flow asks in mid-call. `value`: what was pressed or recorded right before; may be secret."""

    async def ask(self, call_id: str, query: str, person_id: str, value: str) -> Told: ...


class Placed(StrEnum):
    PLACED = "placed"
    BAD_NUMBER = "bad_number"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Trace(StrEnum):
    ALIVE = "alive"
    OVER = "over"
    NOT_FOUND = "not_found"
    UNREACHABLE = "unreachable"


class CallPlacer(Protocol):
    async def place(self, request: CallRequest) -> Placed: ...

    async def trace(self, intent_id: str, number: str, since: datetime) -> Trace: ...


@dataclass(frozen=True)
class AlarmMessage:
    """An alarm to be told. `key` is the same when the same message is sent again. Sentences name nobody."""

    key: str
    what: str  # "raised" or "over"
    kind: str
    title: str
    text: str
    round: int
    raised_at: datetime
    over_at: datetime | None
    at: datetime
    zone: str = "Asia/Shanghai"


class NotToldError(Exception):
    """A way didn't take a message; it is tried again. Its text goes into the log: no secret, nothing personal."""


class Messenger(Protocol):
    """A way out of this machine: mail, webhook."""

    @property
    def name(self) -> str: ...

    async def tell(self, message: AlarmMessage) -> None:
        """Raises NotToldError. May be asked to send the same message twice."""
