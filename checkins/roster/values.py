"""The roster of one neighbourhood as a value. Moments are aware UTC, clock times minutes of the local day.

Names and numbers are personal: they are kept out of `repr`, and so out of the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from checkins.roster.holidays import Calendar
from checkins.roster.spans import DAY, Minutes, checked

VOLUNTEERS_HOURS: Minutes = ((8 * 60, 21 * 60),)  # PRODUCT.md, line rules: nobody else is rung outside them
WEEK = 7


class Kind(StrEnum):
    """In which capacity somebody is rung."""

    BUDDY = "buddy"
    DUTY = "duty"
    DEPUTY = "deputy"
    FAMILY = "family"
    STREET = "street"  # the street office's 24-hour number


@dataclass(frozen=True)
class Responder:
    """Somebody whom the line may ring. `number` is E.164; None: none that works, so they are never rung."""

    id: str
    name: str = field(repr=False)
    spoken_name: str = field(repr=False)  # as the line says it: "李阿姨"
    number: str | None = field(repr=False)
    kind: Kind = Kind.BUDDY
    language: str = "zh"


@dataclass(frozen=True)
class Elder:
    """`shares`: who may hear of this elder (consents). An emergency is told to all of them all the same."""

    id: str
    spoken_name: str = field(repr=False)
    shares: frozenset[Kind] = frozenset({Kind.BUDDY, Kind.FAMILY, Kind.STREET})


@dataclass(frozen=True)
class Pair:
    """One buddy of one elder, and who is rung instead of them, in order."""

    elder_id: str
    buddy_id: str
    substitutes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shift:
    """A weekly time in which a buddy may be rung; `weekday` 0 is Monday."""

    weekday: int
    begins: int
    ends: int

    def __post_init__(self) -> None:
        if not 0 <= self.weekday < WEEK:
            raise ValueError("shift: the weekday must be 0 (Monday) to 6 (Sunday)")
        checked(((self.begins, self.ends),), "shift")


@dataclass(frozen=True)
class Leave:
    """Not to be rung in [begins, ends), by anybody, for anything."""

    begins: datetime
    ends: datetime

    def __post_init__(self) -> None:
        _rises("leave", self.begins, self.ends)


@dataclass(frozen=True)
class Override:
    """In [begins, ends) `person_id` stands in for `instead_of` (for one elder, or wherever that one would be rung);
    with an elder alone, is rung first for that elder."""

    person_id: str
    begins: datetime
    ends: datetime
    instead_of: str | None = None
    elder_id: str | None = None

    def __post_init__(self) -> None:
        _rises("override", self.begins, self.ends)
        if self.instead_of is None and self.elder_id is None:
            raise ValueError("override: say instead of whom, or for which elder")
        if self.instead_of == self.person_id:
            raise ValueError("override: nobody stands in for themselves")


@dataclass(frozen=True)
class Rotation:
    """Duty round the clock, in turns of `days` days. The first of `people` has the turn that begins on the first
    `weekday` (0: Monday) from `anchor` on; every turn begins at clock time `minute`. The order goes on in both
    directions, the past too. At that time of `until` the rotation ends (None: never)."""

    people: tuple[str, ...]
    anchor: date
    weekday: int = 0
    minute: int = 8 * 60 + 30
    days: int = WEEK
    until: date | None = None

    def __post_init__(self) -> None:
        if not self.people:
            raise ValueError("rotation: at least one person is needed")
        if not 0 <= self.weekday < WEEK:
            raise ValueError("rotation: the weekday must be 0 (Monday) to 6 (Sunday)")
        if not 0 <= self.minute < DAY:
            raise ValueError("rotation: the hand-over must lie between 00:00 and 23:59")
        if self.days < 1:
            raise ValueError("rotation: a turn lasts at least one day")


@dataclass(frozen=True)
class Duty:
    """Who is on duty. None: nobody is to be had."""

    first: Responder | None
    deputy: Responder | None


@dataclass(frozen=True)
class Roster:
    """All that decides who is rung in one neighbourhood. Ids that `people` does not have count as nobody.

    `pairs` and `family` are by elder, in the order in which people are rung; `overrides` oldest first: of two that
    contradict each other, the later one counts."""

    zone: str = "Asia/Shanghai"
    people: Mapping[str, Responder] = field(default_factory=dict)
    elders: Mapping[str, Elder] = field(default_factory=dict)
    pairs: Mapping[str, tuple[Pair, ...]] = field(default_factory=dict)
    substitutes: tuple[str, ...] = ()
    shifts: Mapping[str, tuple[Shift, ...]] = field(default_factory=dict)
    leave: Mapping[str, tuple[Leave, ...]] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    rotation: Rotation | None = None
    deputy_id: str | None = None
    family: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    street: Responder | None = None
    calendar: Calendar = field(default_factory=Calendar)
    # Names of those who moved, died or refused calls, by id: a roster that names them has a gap.
    gone: Mapping[str, str] = field(default_factory=dict, repr=False)


def _rises(what: str, begins: datetime, ends: datetime) -> None:
    if begins.tzinfo is None or ends.tzinfo is None:
        raise ValueError(f"{what}: naive moments; pass aware ones (UTC)")
    if begins >= ends:
        raise ValueError(f"{what}: it must begin before it ends")
