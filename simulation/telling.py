"""Who must hear that a case isn't theirs, in memory: checkins.telling without rows. Who rings them is the desk's matter
(checkins.teller)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from checkins.ports import Disposition
from checkins.telling import CALLS
from simulation.line import Call

_LINE_FAILED = (Disposition.LINE_ERROR, Disposition.CANCELLED)


@dataclass(eq=False, slots=True)
class Telling:
    case: int
    responder: str
    since: datetime
    due_at: datetime
    tries: int = 0


@dataclass(eq=False)
class Tellings:
    """Those that wait, in the order in which they came."""

    waiting: dict[tuple[int, str], Telling] = field(default_factory=dict)

    def queue(self, case: int, responder: str, now: datetime) -> None:
        self.waiting.setdefault((case, responder), Telling(case, responder, now, now))

    def done(self, one: Telling) -> None:
        del self.waiting[one.case, one.responder]

    def next_due(self) -> datetime | None:
        return min((one.due_at for one in self.waiting.values()), default=None)

    def by_responder(self, now: datetime) -> Iterator[list[Telling]]:
        found: dict[str, list[Telling]] = {}
        for one in self.waiting.values():
            if one.due_at <= now:
                found.setdefault(one.responder, []).append(one)
        yield from list(found.values())

    def ended(self, call: Call, rows: Iterable[tuple[int, str]], disposition: Disposition, told: set[str]) -> None:
        """What a call that told came to; rows as case and elder."""
        for case, elder in rows:
            one = self.waiting.get((case, call.responder or ""))
            if one is None:
                continue
            if elder in told:
                self.done(one)
            elif disposition in _LINE_FAILED:
                one.tries = max(0, one.tries - 1)
            elif one.tries >= CALLS:
                self.done(one)

    def heard(self, call: Call, cases: Iterable[int]) -> None:
        """In a call that asked whether they go they were told that somebody else was first."""
        for case in cases:
            if (case, call.responder or "") in self.waiting:
                self.done(self.waiting[case, call.responder or ""])
