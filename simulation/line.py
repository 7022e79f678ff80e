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
from checkins.line_rules import LOOK_BACK, Purpose
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
        self._rate = trunk.rate
        self.live: dict[str, Call] = {}  # by number
        self.changes = 0  # rises with every call that begins or ends
        self._starts: deque[datetime] = deque()
        self._last: datetime | None = None
        self._rung: dict[str, datetime] = {}  # responders' numbers
        self._dialled: dict[str, list[datetime]] = defaultdict(list)  # elders' numbers
        self._through: datetime | None = None
        self._failures: deque[tuple[datetime, str]] = deque()

    # ── what may start ──

    def lines(self, now: datetime, due: bool) -> Lines:
        """`due`: an elder's call is due, and tries the line when that is down."""
        pace = self._pace(now, self.trunk.lines)
        every = self.trunk.lines + self.trunk.reserved
        urgent = min(pace.urgent, max(0, every - len(self.live)))
        return Lines(pace, urgent, due) if pace.line_down else Lines(pace, urgent)

    def next_start(self, now: datetime) -> datetime:
        """When a routine call may start by time, lines apart."""
        return self._pace(now, self.trunk.lines).next_start

    def shut_until(self, now: datetime) -> datetime:
        """No routine call may start before then, unless a call ends: all lines are taken (for so long, at least until
        one is free), or the line counts as down. Else `now`."""
        if len(self.live) >= self.trunk.lines:
            return now + PROBE_EVERY
        if not self.down(now):
            return now
        return max(now, min(self._failures[0][0] + DOWN_MEMORY, self._pace(now, self.trunk.lines).next_start))

    def _pace(self, now: datetime, lines: int) -> Pace:
        free, rate = max(0, lines - len(self.live)), self._rate
        while self._starts and self._starts[0] <= now - rate.memory:
            self._starts.popleft()
        routine, urgent, next_start = rate.room(self._starts, now)
        if self.down(now):
            probe = now if self._last is None else max(now, self._last + PROBE_EVERY)
            return Pace(min(free, int(probe <= now)), probe, line_down=True, urgent=urgent)
        return Pace(min(free, routine), next_start, urgent=urgent)

    def down(self, now: datetime) -> bool:
        since = max(self._through or now - DOWN_MEMORY, now - DOWN_MEMORY)
        while self._failures and self._failures[0][0] <= since:
            self._failures.popleft()
        if len(self._failures) < DOWN_AFTER_NUMBERS:
            return False
        return len({number for _, number in self._failures}) >= DOWN_AFTER_NUMBERS

    # ── whom it may ring ──

    def taken(self, number: str | None, now: datetime, *, urgent: bool = False) -> bool:
        """On a call of ours, or a responder's number that was rung less than 2 min ago, which counts for nothing in
        an emergency."""
        if urgent:
            return number in self.live
        rung = None if number is None else self._rung.get(number)
        return number in self.live or (rung is not None and rung > now - _APART)

    def free_from(self, number: str, now: datetime) -> datetime | None:
        """When it isn't taken any more; None: when its call ends."""
        rung = self._rung.get(number)
        return None if number in self.live else max(now, rung + _APART) if rung is not None else now

    def dialled(self, number: str, now: datetime) -> Sequence[datetime]:
        """When this elder's number was rung for routine purposes."""
        moments = self._dialled[number]
        while moments and moments[0] <= now - LOOK_BACK:
            del moments[0]
        return moments

    # ── what happened ──

    def placed(self, call: Call) -> None:
        self.live[call.number] = call
        self.changes += 1
        self._starts.append(call.at)
        self._last = call.at
        if call.responder is not None:
            self._rung[call.number] = call.at
        elif call.purpose != Purpose.EMERGENCY:
            self._dialled[call.number].append(call.at)

    def over(self, call: Call, disposition: Disposition, now: datetime) -> None:
        del self.live[call.number]
        self.changes += 1
        if disposition in _FAILED:
            self._failures.append((now, call.number))
        elif disposition not in _NOT_THROUGH:
            self._through = now
