"""A trunk on which nobody else calls: how much may start, who is on a call. The bounds are the line's own
(checkins.pace, checkins.line_rules)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from checkins.claims import Trunk
from checkins.escalation.policy import APART
from checkins.finder import Lines
from checkins.line_rules import Purpose, allowed_at
from checkins.pace import Pace

_APART = timedelta(minutes=APART)


@dataclass(eq=False)
class QuietTrunk:
    trunk: Trunk
    live: set[str] = field(default_factory=set)
    _starts: list[datetime] = field(default_factory=list)
    _rung: dict[str, datetime] = field(default_factory=dict)  # responders' numbers
    _dialled: list[datetime] = field(default_factory=list)  # the elder's, for routine purposes

    def lines(self, now: datetime) -> Lines:
        rate, trunk = self.trunk.rate, self.trunk
        self._starts = [start for start in self._starts if start > now - rate.memory]
        routine, urgent, next_start = rate.room(self._starts, now)
        free = max(0, trunk.lines - len(self.live))
        every = max(0, trunk.lines + trunk.reserved - len(self.live))
        return Lines(Pace(min(free, routine), next_start, urgent=urgent), min(urgent, every))

    def taken(self, number: str | None, now: datetime, *, urgent: bool) -> bool:
        """checkins.responders.Rosters.taken."""
        rung = self._rung.get(number or "")
        return number in self.live or (not urgent and rung is not None and rung > now - _APART)

    def allowed_at(self, now: datetime) -> datetime:
        """When the elder may be rung (again), by the line rules."""
        return allowed_at(Purpose.CHECKIN, self._dialled, now)

    def elder_rung(self, number: str, now: datetime, *, routine: bool) -> None:
        self._begins(number, now)
        if routine:
            self._dialled.append(now)

    def responder_rung(self, number: str, now: datetime) -> None:
        self._begins(number, now)
        self._rung[number] = now

    def _begins(self, number: str, now: datetime) -> None:
        self.live.add(number)
        self._starts.append(now)
