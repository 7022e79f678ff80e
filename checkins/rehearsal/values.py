"""What a rehearsal is given, and what it tells. Names and numbers are in the roster's values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from checkins.claims import Trunk
from checkins.escalation.policy import Escalation, Who
from checkins.escalation.values import Responder
from checkins.policy import Policy
from checkins.results import Reason
from checkins.roster.values import Roster
from checkins.schedule import Day


class Happens(StrEnum):
    """What becomes of the elder's call; or what is told by her alarm button instead of one."""

    NO_ANSWER = "no_answer"
    NOT_WELL = "not_well"
    UNCLEAR = "unclear"
    CRIES = "cries"
    BUTTON = "button"


class Answers(StrEnum):
    """What those say who are rung for her."""

    NOBODY = "nobody"
    BUDDY_GOES = "buddy_goes"  # the first buddy who is rung accepts, and nothing more is heard of them
    BUDDIES_CANT = "buddies_cant"


@dataclass(frozen=True)
class Given:
    """`at`: the slot, the moment from which a person is needed (`reason`), or that of the alarm button. `number`: the
    elder's, when it is known to be hers."""

    elder_id: str
    number: str | None = field(repr=False)
    at: datetime
    reason: Reason | None
    day: Day
    policy: Policy
    escalation: Escalation
    roster: Roster = field(repr=False)
    trunk: Trunk
    happens: Happens = Happens.NO_ANSWER
    answers: Answers = Answers.NOBODY


class Kind(StrEnum):
    # calls
    TRY = "try"  # the elder's call of the day
    RING = "ring"  # somebody is asked whether they go
    ASK = "ask"  # who accepted is asked what they found
    ELDER = "elder"  # the elder herself, in an emergency
    # what else is told
    PERSON = "person"  # from now on somebody is looked for
    GOES = "goes"  # a responder has accepted
    NO_WORD = "no_word"  # and said nothing in time
    LACKS = "lacks"  # a rung's role has nobody who may be rung
    ASLEEP = "asleep"  # it isn't rung at this hour
    NOBODY = "nobody"  # nobody at all is left to ring
    AGAIN = "again"  # the ladder begins anew, at this rung


CALLS = frozenset({Kind.TRY, Kind.RING, Kind.ASK, Kind.ELDER})


@dataclass(frozen=True)
class Moment:
    """`who`: whom the call rings, None: the elder. `number`: which try it is. `rung`, from 0, and `role`: of the
    ladder."""

    at: datetime
    kind: Kind
    who: Responder | None = field(default=None, repr=False)
    number: int = 0
    rung: int | None = None
    role: Who | None = None
    reason: Reason | None = None

    @property
    def is_call(self) -> bool:
        return self.kind in CALLS
