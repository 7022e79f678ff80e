"""Without a line, cases that wait for one are due at every second, and nothing comes of it until a call may start.
How long that is so is found out by asking them what they would do then: seconds at which they would do the same as now
need no tick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from checkins.escalation.scene import POLL
from checkins.escalation.values import Action, Ring, Search
from simulation.cases import Row

TICK = timedelta(seconds=1)  # Cycle.run
Ask = Callable[[Row, Search, datetime], tuple[Search, Action]]


@dataclass(frozen=True)
class Standstill:
    """Cases that are due and wait for the line, and `others` that may come to share one of their calls."""

    waiting: Sequence[Row]
    others: Sequence[Row]
    ask: Ask  # Cases.advance

    def ends(self, now: datetime, limit: datetime) -> datetime:
        """The first second after `now` at which one of them would do something else; `limit` if that comes first."""
        plans = [self._plan(row, now) for row in self.waiting]
        first, last = 1, int((limit - now) / TICK)
        if None in plans:
            return now + TICK
        if last > 1 and self._same(plans, limit - TICK):
            return limit
        while first < last:
            middle = (first + last) // 2
            if self._same(plans, now + middle * TICK):
                first = middle + 1
            else:
                last = middle
        return now + first * TICK

    def _same(self, plans: Sequence[Action | None], at: datetime) -> bool:
        if any(self._plan(row, at) != plan for row, plan in zip(self.waiting, plans, strict=True)):
            return False
        rung = {one.id for plan in plans if isinstance(plan, Ring) for one in plan.responders}
        return not any(self._joins(row, rung, at) for row in self.others)

    def _plan(self, row: Row, at: datetime) -> Action | None:
        """What it would do; None: its search would move on."""
        assert row.search is not None
        search, action = self.ask(row, row.search, at)
        return action if search is row.search else None

    def _joins(self, row: Row, rung: set[str], at: datetime) -> bool:
        if row.case.due_at is None or row.case.due_at > at + POLL:
            return False
        action = self._plan(row, at)
        return isinstance(action, Ring) and any(one.id in rung for one in action.responders)
