"""What the telephone room offers and needs, as values and protocols. `house.py` joins it to the care room.

*answered* (somebody or something picked up) ≠ *heard* (a key or speech came) ≠ *acknowledged* (by key).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class Disposition(StrEnum):
    """How a call ended, seen from the telephone."""

    ANSWERED = "answered"  # picked up; what was said is in `people`
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    MACHINE = "machine"  # an answering machine took it, no person gave an answer
    LINE_ERROR = "line_error"  # carrier or trunk failed; says nothing about the elder
    BAD_NUMBER = "bad_number"  # the number doesn't exist or is refused as malformed
    INTERRUPTED = "interrupted"  # answered, then we broke off (crash, dropped stream) before an answer
    CANCELLED = "cancelled"  # we took it back before it was answered


@dataclass(frozen=True)
class Callee:
    """A person to ask after in this call. `spoken_name` and `variables` are personal: never logged."""

    id: str
    spoken_name: str
    language: str = "zh"
    records: bool = True  # consent to record
    transcribes: bool = True  # consent to have dictations written down
    variables: Mapping[str, str] = field(default_factory=dict)  # of the flow, of this person alone; personal


@dataclass(frozen=True)
class CallOrder:
    """Place this call. `id` is the intent's id (unique; the same id is never dialled twice)."""

    id: str
    number: str  # E.164; personal
    flow: str
    callees: tuple[Callee, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    ring_s: int = 45
    trunk: str = ""  # by which of our accounts; the line's own, or one for alarms only
    for_call: str = ""  # dialled out of that call, to be put through to it; else a call of its own
    urgent: bool = False  # of an emergency: goes ahead of all others


@dataclass(frozen=True)
class PersonResult:
    """What one person's part of a call came to. `result` is the flow's word for it ("well", "not_well", …)."""

    id: str
    result: str
    evidence: str  # "key", "speech", "none"
    detail: Mapping[str, Any] = field(default_factory=dict)  # text, confidence, engine, recording, …; personal


@dataclass(frozen=True)
class CallReport:
    """News of a call: stored before it is told, may be told twice. `final` once, when the call is over.

    A report that is not final carries an `alarm` (act now, in mid-call).
    """

    id: str
    at: datetime
    final: bool
    disposition: Disposition | None = None
    people: tuple[PersonResult, ...] = ()
    alarm: str | None = None  # "distress", "double_zero"
    alarm_person: str | None = None
    reason: str = ""


class Placing(StrEnum):
    PLACED = "placed"
    BAD_NUMBER = "bad_number"
    REFUSED = "refused"  # carrier said no for another reason: a line error
    UNKNOWN = "unknown"  # time-out: may or may not ring; reconcile, never repeat


class Trace(StrEnum):
    """What the carrier knows of an order when asked later."""

    ALIVE = "alive"
    OVER = "over"  # a final report follows or was sent
    NOT_FOUND = "not_found"
    UNREACHABLE = "unreachable"  # the carrier could not be asked


class CallListener(Protocol):
    """Who is told of calls. Must be idempotent; returns when the news is durable on its side."""

    async def call_reported(self, report: CallReport) -> None: ...


@dataclass(frozen=True)
class Told:
    """The answer to a flow's question: one of the words that its step lists ("": nobody can say), and what the flow's
    variables of these names hold from then on. `values` are personal: never logged."""

    word: str
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


class Answers(Protocol):
    """Who answers what a flow asks of the program in mid-call ("is this PIN right?", "who was first?").

    `query` is the flow's word for the question, `person_id` whom the call is about at that moment; `value`, the digits
    that were just pressed, may be secret: it goes into no log and no error. Has 2 s, is cancelled then, and may be
    asked the same again.
    """

    async def ask(self, call_id: str, query: str, person_id: str, value: str) -> Told: ...


class Unserved(StrEnum):
    """What somebody who rings in hears instead of a conversation."""

    STRANGER = "stranger"  # nobody knows the number: no name is said
    NOTED = "noted"  # known, and rung back by a person
    WHO = "who"  # asked first whether they ring to help, by key: then the same is asked again, with the key


class Reception(Protocol):
    """Who knows who rings in."""

    async def rang_in(self, call_id: str, number: str, key: str | None = None) -> CallOrder | Unserved:
        """The conversation with whoever rings from `number` (as the carrier gives it: it may be withheld, or no number
        at all), under the id `call_id`; its intent is written. Asked the same again it answers the same. Has 0.9 s:
        after that the caller is asked to wait a moment, and hears the answer then. `key`: what they pressed when asked
        who it is ("": nothing); None: they have not been asked."""
        ...


class Switchboard(Protocol):
    """Who knows whom to ring when an elder in a call wants a human being."""

    async def whom(self, call_id: str, person_id: str, nth: int, known: str) -> CallOrder | None:
        """Whom to ring out of the call `call_id` now, as its `nth` (from 1): an order whose intent is written, with
        `for_call` set. `known`: what this call has come to for the person so far. Asked the same again it
        answers the same. None: nobody, or nobody is left.

        Whoever accepts in the order's flow (result "accepted", by key) is put through when it ends."""
        ...


class Telephone(Protocol):
    """What the telephone room offers to the others."""

    async def place(self, order: CallOrder) -> Placing: ...

    async def trace(self, order_id: str, number: str, since: datetime) -> Trace: ...

    def active_calls(self) -> int: ...
