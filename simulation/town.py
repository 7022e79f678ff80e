"""One neighbourhood's days in virtual time: moments in order, people who answer, go and look, close what they found.

What the line does comes from a desk: simulation.desk.Desk in memory, or (in a test) the product's own cycle on a
database. The town is the same for both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from checkins.ports import CallOutcome
from checkins.schedule import local_date
from checkins.tables import State
from checkins.telling import TAKEN
from simulation.chance import Chance
from simulation.life import Answer, Life, Trouble
from simulation.line import Call
from simulation.people import ZONE
from simulation.rates import Rates

IN_HOSPITAL = timedelta(days=7)


class AnyDesk(Protocol):
    """What the line does."""

    def next_tick(self) -> datetime | None: ...
    def tick(self, now: datetime) -> list[Call]: ...
    def first(self, call: str, elder: str, now: datetime) -> bool: ...
    def settle(self, outcome: CallOutcome, now: datetime) -> None: ...
    def is_open(self, elder: str) -> bool: ...
    def staff_closes(self, elder: str, by: str, finding: str, now: datetime) -> None: ...
    def change(self, elder: str, **values: object) -> None: ...


class Watching(Protocol):
    """Who writes down what happens."""

    def call(self, call: Call, answer: Answer) -> None: ...
    def accepted(self, call: Call, elder: str, now: datetime) -> None: ...
    def worked(self, who: str, begins: datetime, ends: datetime) -> None: ...
    def fell(self, trouble: Trouble) -> None: ...
    def helped(self, trouble: Trouble, now: datetime) -> None: ...


@dataclass(eq=False)
class Town:
    rates: Rates
    chance: Chance
    life: Life
    desk: AnyDesk
    watching: Watching
    _events: list[tuple[datetime, int, Callable[[datetime], None]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _free: dict[str, datetime] = field(default_factory=dict)  # when who works on one case after the other is free
    _found: dict[tuple[str, str], str] = field(default_factory=dict)  # what responders found, to be told when asked
    _going: set[tuple[str, str]] = field(default_factory=set)
    _told: set[tuple[str, str]] = field(default_factory=set)  # who knows that somebody else has a case
    _lost: dict[str, set[str]] = field(default_factory=dict)  # by call: elders to whom somebody else was first

    # ── time ──

    def at(self, moment: datetime, work: Callable[[datetime], None]) -> None:
        heappush(self._events, (moment, next(self._order), work))

    def run(self, until: datetime) -> None:
        """Everything that happens before `until`."""
        while True:
            ticks = self.desk.next_tick()
            moments = [*([self._events[0][0]] if self._events else []), *([ticks] if ticks else [])]
            if not moments or (now := min(moments)) >= until:
                return
            while self._events and self._events[0][0] <= now:
                heappop(self._events)[2](now)
            for call in self.desk.tick(now):
                self._dial(call)

    def morning(self, elders: Iterable[str], now: datetime) -> None:
        """A day begins (at midnight): who falls ill or down on it."""
        day = local_date(ZONE, now)
        for elder in elders:
            trouble = self.life.trouble_on(elder, day)
            if trouble is not None and elder not in self.life.trouble:
                self.at(max(now, trouble.since), lambda _now, trouble=trouble: self._falls(trouble))  # type: ignore[misc]

    def _falls(self, trouble: Trouble) -> None:
        self.life.trouble[trouble.elder] = trouble
        self.watching.fell(trouble)

    # ── calls ──

    def _dial(self, call: Call) -> None:
        answer = self.life.elder_call(call) if call.responder is None else self.life.responder_call(call, self._found)
        self.watching.call(call, answer)
        if answer.cries:
            self._after(call, answer.cries[0], lambda now: self._cries(call, answer, now))
        for seconds, elder in answer.accepts:
            self._after(call, seconds, lambda now, elder=elder: self._accepts(call, elder, now))  # type: ignore[misc]
        self._after(call, answer.seconds, lambda now: self._ends(call, answer, now))

    def _after(self, call: Call, seconds: int, work: Callable[[datetime], None]) -> None:
        self.at(call.at + timedelta(seconds=seconds), work)

    def _cries(self, call: Call, answer: Answer, now: datetime) -> None:
        assert answer.cries
        self.desk.settle(CallOutcome(call.id, now, False, alarm="救命", alarm_person=answer.cries[1]), now)

    def _ends(self, call: Call, answer: Answer, now: datetime) -> None:
        who = call.responder or ""
        if call.flow == TAKEN and answer.people:  # whoever has not begun with it leaves it
            self._told |= {(who, elder) for elder in call.elders}
        lost = self._lost.pop(call.id, set())
        people = tuple(replace(one, result="taken") if one.id in lost else one for one in answer.people)
        self.desk.settle(CallOutcome(call.id, now, True, answer.disposition, people), now)

    # ── people on their way ──

    def _accepts(self, call: Call, elder: str, now: datetime) -> None:
        assert call.responder is not None
        who = call.responder
        if not self.desk.first(call.id, elder, now):
            self._lost.setdefault(call.id, set()).add(elder)
            return  # somebody else goes, and they have just heard it
        self.watching.accepted(call, elder, now)
        self._told.discard((who, elder))
        if (who, elder) in self._going:
            return
        self._going.add((who, elder))
        if call.purpose in ("buddy", "family"):
            way = self.rates.walk if call.purpose == "buddy" else self.rates.family_way
            self.at(now + self._minutes(way, "way", who, elder, now), lambda at: self._arrives(who, elder, at))
        else:
            begins = max(now, self._free.get(who, now))
            ends = begins + timedelta(minutes=self.rates.staff_call)
            self._free[who] = ends
            self.at(ends, lambda at: self._rings_up(who, elder, begins, at))

    def _arrives(self, who: str, elder: str, now: datetime) -> None:
        """A buddy, or family, at the door."""
        self._going.discard((who, elder))
        if (who, elder) in self._told:
            return
        gets_in = self.chance.of("key", who, elder) < self.rates.has_key
        if elder in self.life.trouble:
            self._found[who, elder] = "needs_help" if gets_in else "nobody_opens"
            if gets_in:
                self._helped(elder, now)
        else:
            self._found[who, elder] = "fine_seen" if self.life.at_home(elder, now) else "nobody_opens"

    def _rings_up(self, who: str, elder: str, begins: datetime, now: datetime) -> None:
        """Staff ring the elder; who doesn't answer is visited."""
        if (who, elder) in self._told or not self.desk.is_open(elder):
            self._going.discard((who, elder))
            return
        self.watching.worked(who, begins, now)
        if elder not in self.life.trouble and self.life.hears_telephone(elder, now):
            self._closes(who, elder, "电话里听到本人", now)
            return
        self._found[who, elder] = "needs_help"  # who asks meanwhile hears that they are at it
        begins = max(now, self._free.get(who, now))
        ends = begins + self._minutes(self.rates.staff_visit, "visit", who, elder, now)
        self._free[who] = ends
        self.at(ends, lambda at: self._visits(who, elder, begins, at))

    def _visits(self, who: str, elder: str, begins: datetime, now: datetime) -> None:
        self.watching.worked(who, begins, now)
        if elder not in self.life.trouble and self.life.at_home(elder, now):
            self._closes(who, elder, "已见到本人", now)
            return
        self._found[who, elder] = "nobody_opens"
        ends = now + self._minutes(self.rates.staff_search, "search", who, elder, now)
        self._free[who] = max(ends, self._free.get(who, ends))
        self.at(ends, lambda at: self._finds(who, elder, now, at))

    def _finds(self, who: str, elder: str, begins: datetime, now: datetime) -> None:
        """Neighbours, the hospital, a locksmith: somebody knows."""
        self.watching.worked(who, begins, now)
        if elder in self.life.trouble:
            self._helped(elder, now)
            self._closes(who, elder, "已送医院", now)
            until = local_date(ZONE, now) + IN_HOSPITAL
            self.desk.change(elder, state=State.PAUSED, state_until=until, state_source=who)
        else:
            self._closes(who, elder, "在亲戚家", now)

    def _closes(self, who: str, elder: str, finding: str, now: datetime) -> None:
        self._going.discard((who, elder))
        self._found.pop((who, elder), None)
        if self.desk.is_open(elder):
            self.desk.staff_closes(elder, who, finding, now)
        if self.life.silent(elder):  # now somebody knows how this elder answers best
            self.life.understood.add(elder)

    def _helped(self, elder: str, now: datetime) -> None:
        self.watching.helped(self.life.trouble.pop(elder), now)

    def _minutes(self, span: tuple[int, int], *about: object) -> timedelta:
        return timedelta(minutes=int(self.chance.between(span, *about)))
