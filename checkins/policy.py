"""How one elder is called, and how soon a person must act: a value, stored as JSON, frozen into the case when it opens.
Whom to ring when a person must act is the other policy (`checkins.escalation.policy`).

Numbers are PRODUCT.md's table "The ladder" and its line rules; minutes unless named otherwise; clock times are
minutes of the neighbourhood's day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

FINDING_WITHIN = 30  # of a case that somebody has taken over; where people are searched for, the search's plan says it
# Entries of before that changed nothing here, and where they belong: cases and columns that hold them are read as ever.
MOVED = {"finding_within": "the escalation policy, in the plan of an urgency"}
CALLS_FROM, CALLS_UNTIL = 8 * 60, 21 * 60  # the line rules of domestic carriers: no routine call outside


@dataclass(frozen=True)
class Policy:
    """How one elder is called and how soon a person must act. Raises ValueError when it breaks a promise."""

    ring_s: int = 45
    # Try n comes this long after the first try was missed (PRODUCT.md: the slot, +15 min, +45 min).
    try_after: tuple[int, ...] = (0, 15, 45)
    busy_after: int = 5
    # A line error says nothing about the elder: own delays, not counted as tries; after the last one a person.
    line_error_after: tuple[int, ...] = (2, 5, 10)
    calls_from: int = CALLS_FROM
    calls_until: int = CALLS_UNTIL
    unserved_at: int = 11 * 60
    unserved_grace: int = 30  # a slot given late in the morning still gets this long
    # A call that line rules put off by more than this is no retry any more: a person, now.
    longest_delay: int = 30
    # From here on: what is shown as due, and how often it reminds where the roster has nobody. The search for a person
    # goes by the escalation policy.
    emergency_every: int = 2
    unreached_every: int = 10
    soon_within: int = 30
    today_within: int = 120
    remind_every: int = 60

    def __post_init__(self) -> None:
        if not self.try_after or self.try_after[0] != 0 or list(self.try_after) != sorted(set(self.try_after)):
            raise ValueError("policy: try_after must start with 0 and rise")
        if not 1 <= self.unreached_every <= 10 or not 1 <= self.emergency_every <= 10:
            raise ValueError("policy: an unreached case never sleeps longer than 10 minutes")
        if not CALLS_FROM <= self.calls_from < self.calls_until <= CALLS_UNTIL:
            raise ValueError("policy: calls_from must lie before calls_until, and both within 08:00 to 21:00")
        if not self.calls_from <= self.unserved_at < self.calls_until:
            raise ValueError("policy: unserved_at must lie within the hours of calls")
        if not 1 <= self.remind_every <= 60:
            raise ValueError("policy: remind_every must be 1 to 60 minutes")
        for name, most in (
            ("soon_within", 120),
            ("today_within", 240),
            ("longest_delay", 120),
            ("unserved_grace", 120),
        ):
            if not 1 <= getattr(self, name) <= most:
                raise ValueError(f"policy: {name} must be 1 to {most} minutes")
        if not 10 <= self.ring_s <= 60:
            raise ValueError("policy: ring_s must be 10 to 60 seconds")

    @property
    def tries(self) -> int:
        return len(self.try_after)

    def to_json(self) -> dict[str, Any]:
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, *documents: Mapping[str, Any]) -> Policy:
        """A later document goes over an earlier one, entry by entry; what none names takes its default. An unknown
        entry or a wrong type is a ValueError that names it."""
        known = {field.name: field.default for field in fields(cls)}
        given: dict[str, Any] = {}
        if not all(isinstance(document, Mapping) for document in documents):
            raise ValueError("policy: must be an object of entries")
        for name, entry in (pair for document in documents for pair in document.items()):
            if name in MOVED:
                continue
            if name not in known:
                raise ValueError(f"policy: unknown entry {name!r}")
            given[name] = _entry(name, entry, isinstance(known[name], tuple))
        return cls(**given)


def _entry(name: str, entry: Any, several: bool) -> int | tuple[int, ...]:
    if several:
        if not isinstance(entry, list | tuple) or not all(_whole(item) for item in entry):
            raise ValueError(f"policy: {name} must be a list of whole numbers of minutes")
        return tuple(entry)
    if not _whole(entry):
        raise ValueError(f"policy: {name} must be a whole number, not negative")
    return int(entry)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
