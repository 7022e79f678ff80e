"""What is written down of a simulated neighbourhood. Plain numbers: a city's are its neighbourhoods' added up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from checkins.escalation.policy import APART, VOLUNTEERS
from checkins.line_rules import LIMITS, Purpose
from checkins.results import LINE, Status, Urgency
from simulation.cases import Row
from simulation.life import Answer, Trouble, daytime, local_hour
from simulation.line import Call

_PEOPLE = ("buddy", "family", "staff", "street")
_APART = timedelta(minutes=APART)
UNSEEN = timedelta(hours=36)  # after a check-in, the whole day, and the next one until a buddy is there


@dataclass
class Figures:
    """Moments are seconds, counts are counts."""

    elder_days: int = 0
    calls: Counter[str] = field(default_factory=Counter)  # "kind hour"
    ended: Counter[str] = field(default_factory=Counter)  # by whom cases were closed
    reasons: Counter[str] = field(default_factory=Counter)  # why a person was needed
    broken: Counter[str] = field(default_factory=Counter)  # promises and rules that didn't hold: must be empty
    open_at_end: int = 0
    unreached: list[int] = field(default_factory=list)  # last missed call → somebody is on the way
    emergencies: list[int] = field(default_factory=list)  # cry for help → the same
    others: list[int] = field(default_factory=list)  # not well, silent, to be called by a person …
    trouble: list[int] = field(default_factory=list)  # in trouble → somebody is on the way
    helped: list[int] = field(default_factory=list)  # in trouble → somebody is there
    unseen: int = 0  # in trouble since the last check-in of the last day: nothing has asked for them yet
    not_taken: int = 0  # cases for a person that were closed without anybody accepting by telephone
    waits: list[int] = field(default_factory=list)  # slot → first call
    peaks: list[int] = field(default_factory=list)  # most calls at once, each day
    lines: Counter[int] = field(default_factory=Counter)  # calls at once → seconds, while there were any
    buddy_tasks: list[int] = field(default_factory=list)  # accepted, each buddy
    buddy_calls: list[int] = field(default_factory=list)
    shift_calls: list[int] = field(default_factory=list)  # to duty, deputy and street, each day or night
    night_calls: list[int] = field(default_factory=list)  # each night, 21:00 to 8:00
    shift_work: list[int] = field(default_factory=list)  # minutes of all staff, each day and night
    warnings: Counter[str] = field(default_factory=Counter)

    def add(self, other: Figures) -> None:
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            setattr(self, one.name, mine + theirs if not isinstance(mine, Counter) else _sum(mine, theirs))

    @property
    def good(self) -> bool:
        """Nobody was forgotten, and no rule was broken."""
        return not self.open_at_end and not self.broken


def _sum(one: Counter[Any], other: Counter[Any]) -> Counter[Any]:
    one.update(other)
    return one


@dataclass(eq=False)
class Watch:
    """Writes it down while it happens, and checks the line rules by itself. Satisfies simulation.town.Watching."""

    figures: Figures = field(default_factory=Figures)
    days: int = 0
    _rung: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    _alarmed: dict[tuple[str, str], datetime] = field(default_factory=dict)  # by number and elder
    _busy_until: list[tuple[datetime, datetime]] = field(default_factory=list)
    _trouble: dict[str, datetime] = field(default_factory=dict)
    _by_person: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _shifts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    # ── while it happens ──

    def call(self, call: Call, answer: Answer) -> None:
        kind = call.purpose if call.responder is None else call.flow
        self.figures.calls[f"{kind} {local_hour(call.at)}"] += 1
        self._busy_until.append((call.at, call.at + timedelta(seconds=answer.seconds)))
        self._rules(call)
        if call.responder is None:
            return
        person = call.responder.partition("-")[0]
        self._by_person[call.responder][f"{person} calls"] += 1
        if person in ("staff", "street"):
            self._shifts[_shift(call.at)]["calls"] += 1

    def _rules(self, call: Call) -> None:
        """PRODUCT.md, line rules, in words of our own."""
        before, broken = self._rung[call.number], self.figures.broken
        if call.purpose == Purpose.EMERGENCY:
            return
        if call.responder is None:
            broken["elder rung outside 8:00-21:00"] += not daytime(call.at)
            for most, period in LIMITS:
                broken["elder rung too often"] += sum(moment > call.at - period for moment in before) >= most
        else:
            broken["rung twice within 2 min"] += self._too_soon(call)
            asleep = call.purpose in VOLUNTEERS and not daytime(call.at)
            broken["volunteer rung at night, and no emergency"] += asleep and not call.urgent
        before.append(call.at)
        del before[:-6]

    def _too_soon(self, call: Call) -> bool:
        """An emergency doesn't wait for what else they were rung for; of itself it does."""
        if not call.urgent:
            before = self._rung[call.number]
            return bool(before) and call.at - before[-1] < _APART
        last = [self._alarmed.get((call.number, elder)) for elder in call.elders]
        self._alarmed |= {(call.number, elder): call.at for elder in call.elders}
        return all(moment is not None and call.at - moment < _APART for moment in last)

    def accepted(self, call: Call, elder: str, now: datetime) -> None:
        assert call.responder is not None
        self._by_person[call.responder]["tasks"] += 1
        if elder in self._trouble:
            self.figures.trouble.append(_seconds(now - self._trouble.pop(elder)))

    def fell(self, trouble: Trouble) -> None:
        self._trouble[trouble.elder] = trouble.since

    def worked(self, who: str, begins: datetime, ends: datetime) -> None:
        self._shifts[_shift(begins)]["work"] += _seconds(ends - begins) // 60

    def helped(self, trouble: Trouble, now: datetime) -> None:
        self.figures.helped.append(_seconds(now - trouble.since))
        self._trouble.pop(trouble.elder, None)

    # ── afterwards ──

    def cases(self, rows: Iterable[Row]) -> None:
        """Cases that are closed for good."""
        for row in rows:
            self._case(row)

    def _case(self, row: Row) -> None:
        case, figures = row.case, self.figures
        figures.elder_days += 1
        if row.first_call is not None:
            figures.waits.append(_seconds(row.first_call - case.slot))
        if case.status is not Status.CLOSED or not case.closed_by:
            figures.open_at_end += 1
            return
        figures.ended[_capacity(case.closed_by)] += 1
        if row.needed_at is None:
            return
        figures.reasons[str(row.reason)] += 1
        if row.taken_at is None:
            figures.not_taken += 1
            return
        waited = {Urgency.UNREACHED: figures.unreached, Urgency.EMERGENCY: figures.emergencies}
        waited.get(row.urgency or Urgency.TODAY, figures.others).append(_seconds(row.taken_at - row.needed_at))

    def day_ends(self) -> None:
        """Lines, from the calls of the day."""
        moments = sorted([(at, 1) for at, _ in self._busy_until] + [(at, -1) for _, at in self._busy_until])
        busy = most = 0
        for (at, step), (following, _) in pairwise(moments):
            busy += step
            most = max(most, busy)
            if busy:
                self.figures.lines[busy] += _seconds(following - at)
        self.figures.peaks.append(most)
        self._busy_until.clear()
        self.days += 1

    def still_in_trouble(self, elders: Iterable[Trouble], end: datetime) -> None:
        """At the end of the last day."""
        for trouble in elders:
            found = end - trouble.since > UNSEEN
            self.figures.broken["in trouble for longer than a day and a half"] += found
            self.figures.unseen += not found

    def ends(self, buddies: int) -> Figures:
        """All that is counted by person and by shift, those who had nothing to do too."""
        people = [who for who in self._by_person if who.startswith("buddy")]
        idle = [0] * (buddies - len(people))
        self.figures.buddy_tasks = [self._by_person[who]["tasks"] for who in people] + idle
        self.figures.buddy_calls = [self._by_person[who]["buddy calls"] for who in people] + idle
        days = [counts for shift, counts in self._shifts.items() if shift.endswith("day")]
        nights = [counts for shift, counts in self._shifts.items() if shift.endswith("night")]
        self.figures.shift_calls = _padded([counts["calls"] for counts in days], self.days)
        self.figures.night_calls = _padded([counts["calls"] for counts in nights], self.days)
        self.figures.shift_work = _padded([counts["work"] for counts in days], self.days)
        self.figures.broken = Counter({what: count for what, count in self.figures.broken.items() if count})
        return self.figures


def _padded(some: list[int], to: int) -> list[int]:
    return some + [0] * max(0, to - len(some))


def _shift(at: datetime) -> str:
    return f"{at:%Y-%m-%d} {'day' if daytime(at) else 'night'}"


def _capacity(closed_by: str) -> str:
    kind = closed_by.partition("-")[0]
    return "elder" if kind == LINE else kind if kind in _PEOPLE else "register"


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
