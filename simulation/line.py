"""The trunk in memory: what checkins.pace, checkins.intents and checkins.responders ask the rows of calls, asked of
calls that are held here. The same numbers and the same constants; tests/unit/simulation holds the two together."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from checkins.claims import Trunk
from checkins.escalation.policy import APART
from checkins.finder import Lines
from checkins.line_rules import LOOK_BACK
from checkins.pace import DOWN_AFTER_NUMBERS, DOWN_MEMORY, PROBE_EVERY, Pace
from checkins.ports import Disposition

_APART = timedelta(minutes=APART)
_FAILED = (Disposition.LINE_ERROR, Disposition.UNKNOWN)
_NOT_THROUGH = (*_FAILED, Disposition.INTERRUPTED)


@dataclass(frozen=True)
class Call:
    """A call that was placed. `elders`: whom it is about; `responder`: whom it rings, when not the elder."""

    id: str
    at: datetime
    number: str
    flow: str
    purpose: str
    elders: tuple[str, ...]
    responder: str | None = None
    urgent: bool = False  # about an emergency, among others


class Line:
    def __init__(self, trunk: Trunk) -> None:
        self.trunk = trunk
        self.live: dict[str, Call] = {}  # by number
        self._window = timedelta(seconds=max(1.0, 1 / trunk.starts_per_s))
        self._most = max(1, int(trunk.starts_per_s * self._window.total_seconds()))
        self._starts: deque[datetime] = deque()
        self._last: datetime | None = None
        self._rung: dict[str, datetime] = {}  # responders' numbers
        self._dialled: dict[str, list[datetime]] = defaultdict(list)  # elders' numbers
        self._through: datetime | None = None
        self._failures: deque[tuple[datetime, str]] = deque()

    # ── what may start ──

    def lines(self, now: datetime) -> Lines:
        pace = self._pace(now, self.trunk.lines)
        every = self.trunk.lines + self.trunk.reserved
        urgent = max(0, every - len(self.live)) if pace.line_down else self._pace(now, every).budget
        return Lines(pace, urgent)

    def next_start(self, now: datetime) -> datetime:
        """When a routine call may start by time, lines apart."""
        return self._pace(now, self.trunk.lines).next_start

    def _pace(self, now: datetime, lines: int) -> Pace:
        free = max(0, lines - len(self.live))
        if self._down(now):
            probe = now if self._last is None else max(now, self._last + PROBE_EVERY)
            return Pace(min(free, int(probe <= now)), probe, line_down=True)
        while self._starts and self._starts[0] <= now - self._window:
            self._starts.popleft()
        started = len(self._starts)
        next_start = now if started < self._most else self._starts[0] + self._window
        return Pace(min(free, max(0, self._most - started)), next_start)

    def _down(self, now: datetime) -> bool:
        since = max(self._through or now - DOWN_MEMORY, now - DOWN_MEMORY)
        while self._failures and self._failures[0][0] <= since:
            self._failures.popleft()
        if len(self._failures) < DOWN_AFTER_NUMBERS:
            return False
        return len({number for _, number in self._failures}) >= DOWN_AFTER_NUMBERS

    # ── whom it may ring ──

    def taken(self, number: str | None, now: datetime) -> bool:
        """On a call of ours, or a responder's number that was rung less than 2 min ago."""
        rung = None if number is None else self._rung.get(number)
        return number in self.live or (rung is not None and rung > now - _APART)

    def dialled(self, number: str, now: datetime) -> Sequence[datetime]:
        """When this elder's number was rung for routine purposes."""
        moments = self._dialled[number]
        while moments and moments[0] <= now - LOOK_BACK:
            del moments[0]
        return moments

    # ── what happened ──

    def placed(self, call: Call) -> None:
        self.live[call.number] = call
        self._starts.append(call.at)
        self._last = call.at
        if call.responder is None:
            self._dialled[call.number].append(call.at)
        else:
            self._rung[call.number] = call.at

    def over(self, call: Call, disposition: Disposition, now: datetime) -> None:
        del self.live[call.number]
        if disposition in _FAILED:
            self._failures.append((now, call.number))
        elif disposition not in _NOT_THROUGH:
            self._through = now
