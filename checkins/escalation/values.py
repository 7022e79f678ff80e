"""What the search for a person holds, what comes to it, and what it wants done. Ids only, no names, no numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from pydantic import AwareDatetime, ConfigDict

from checkins.escalation import as_json
from checkins.escalation.policy import Hours, Plan, Who
from checkins.results import Urgency


class Responder(Protocol):
    """Somebody whom the line may ring, as the roster knows them. No number: never rung."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def spoken_name(self) -> str: ...
    @property
    def number(self) -> str | None: ...
    @property
    def kind(self) -> str: ...
    @property
    def language(self) -> str: ...


class Reply(StrEnum):
    """What a call to a responder came to. Only ACCEPTED, and that only by key, takes the case."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    MACHINE = "machine"
    BUSY = "busy"
    LINE_ERROR = "line_error"
    SILENT = "silent"
    WRONG_PERSON = "wrong_person"


class Finding(StrEnum):
    """What a responder found."""

    FINE_SEEN = "fine_seen"  # in person
    FINE_HEARD = "fine_heard"  # by telephone, through the door
    NEEDS_HELP = "needs_help"
    NOBODY_OPENS = "nobody_opens"


class Phase(StrEnum):
    SEARCHING = "searching"  # people are rung
    TAKEN = "taken"  # a named person is on the way; their finding is awaited
    CONFIRMING = "confirming"  # seen in person and fine: the line's own call to the elder is ahead
    ENDED = "ended"  # by a name


@dataclass(frozen=True)
class Called:
    """The calls to one responder: the last one, and how many in this round."""

    __pydantic_config__: ClassVar[ConfigDict] = as_json.STRICT

    responder: str
    last: AwareDatetime
    outcome: Reply | None = None  # of the last call; None: not known (yet)
    calls: int = 0  # in this round; failures of the line aren't counted
    errors: int = 0  # failures of the line in this round


@dataclass(frozen=True)
class Untold:
    """Somebody who believes the case is theirs, since when they must hear that it isn't."""

    __pydantic_config__: ClassVar[ConfigDict] = as_json.STRICT

    responder: str
    since: AwareDatetime


@dataclass(frozen=True)
class Search:
    """The search for a person for one case. `plan`, `worse` and `hours` are frozen when it begins; `worse` is followed
    once somebody found that help is needed, or that nobody opens, where it had not been urgent."""

    __pydantic_config__: ClassVar[ConfigDict] = as_json.STRICT

    urgency: Urgency
    plan: Plan
    worse: Plan | None
    hours: Hours
    zone: str
    since: AwareDatetime
    pass_since: AwareDatetime  # the ladder is climbed in passes; a "can't" holds for one pass
    round_since: AwareDatetime
    phase: Phase = Phase.SEARCHING
    rung: int = 0
    round: int = 0
    calls: tuple[Called, ...] = ()
    declined: tuple[str, ...] = ()
    went: tuple[str, ...] = ()  # had accepted, and lost the case again without a word
    accepted_by: str | None = None
    accepted_at: AwareDatetime | None = None
    finding_due: AwareDatetime | None = None
    finding: Finding | None = None
    found_by: str | None = None
    found_at: AwareDatetime | None = None
    confirm_after: AwareDatetime | None = None
    confirm_by: AwareDatetime | None = None
    untold: tuple[Untold, ...] = ()
    told: tuple[str, ...] = ()
    ended_by: str | None = None
    ended_at: AwareDatetime | None = None

    @property
    def loud(self) -> bool:
        """Never sleeps longer than 10 min."""
        return self.urgency in (Urgency.UNREACHED, Urgency.EMERGENCY)

    @property
    def bad(self) -> bool:
        """Somebody there has said that help is needed, or that nobody opens, and nobody better since."""
        return self.finding in (Finding.NEEDS_HELP, Finding.NOBODY_OPENS) and self.phase is not Phase.ENDED

    def stays(self, responder: str) -> bool:
        """They were told to stay: with an elder who needs help, or before a shut door until it is over."""
        return responder == self.found_by and (self.bad or self.finding is Finding.NEEDS_HELP)

    def called(self, responder: str) -> Called | None:
        for call in self.calls:
            if call.responder == responder:
                return call
        return None

    def to_json(self) -> dict[str, Any]:
        return as_json.dump(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Search:
        """ValueError names the entry that is missing, unknown or of a wrong type."""
        return as_json.load(cls, value, "search")


# ── what it wants done ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Ring:
    """Ring these people now, all at once, with the question whether they go. Then `rang` for each."""

    responders: tuple[Responder, ...]


@dataclass(frozen=True)
class Wait:
    """Nothing to do before `until`, unless news comes. `nobody_to_ring`: nobody is left whom it could ring."""

    until: datetime
    nobody_to_ring: bool = False


@dataclass(frozen=True)
class NextRung:
    """The search moves on: `climb`. `again`: a new pass begins, "can't" is forgiven."""

    rung: int
    round: int = 0
    again: bool = False


@dataclass(frozen=True)
class CallForFinding:
    """Ring the one who accepted and ask what they found. Then `rang`."""

    responder: Responder


@dataclass(frozen=True)
class TellTaken:
    """Ring and say that `by` (an id or a name) has it. Then `told`."""

    responder: Responder
    by: str


@dataclass(frozen=True)
class Confirm:
    """The line must hear the elder itself between `after` and `by`: `confirmed` or `unconfirmed`. Ask again at `until`,
    when somebody may have to be told, or the time is over."""

    after: datetime
    by: datetime
    until: datetime


@dataclass(frozen=True)
class Idle:
    """Ended by a name, and everybody knows."""

    by: str


Action = Ring | Wait | NextRung | CallForFinding | TellTaken | Confirm | Idle

Responders = Mapping[Who, Sequence[Responder]]  # who may be rung now in each capacity, in the roster's order
