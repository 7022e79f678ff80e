"""The cycle in memory: what checkins.claims and checkins.finder do with rows that are due, and the plan of a day by the
real planner. One tick gives the calls to be placed, in the order in which the cycle would place them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from checkins import emergency, ladder, planning
from checkins.claims import FLOW, JOIN_WITHIN, Trunk
from checkins.errands import CONFIRM, DISPATCH
from checkins.errands import FINDING as ASK
from checkins.escalation import search as core
from checkins.escalation.policy import Escalation, Who
from checkins.escalation.scene import POLL, TELL_WITHIN, ago
from checkins.escalation.values import (
    CallForFinding,
    Confirm,
    Finding,
    Idle,
    Phase,
    Responder,
    Ring,
    Search,
    TellTaken,
    Wait,
)
from checkins.finder import CONFIRM_AGAIN, MOST
from checkins.intents import NEWS_WITHIN
from checkins.ladder import NeedPerson, PlaceCall
from checkins.line_rules import Purpose, allowed_at
from checkins.people import stops_calls
from checkins.policy import Policy
from checkins.results import SLEEPLESS, URGENCIES, Reason, Status, Urgency
from checkins.roster import loading
from checkins.schedule import Day, day_of, local_date
from checkins.tables import GONE, Checkin, Neighbourhood, NumberState, Person, Role, State
from checkins.teller import AGAIN as TELL_AGAIN
from checkins.telling import TAKEN, TELL
from simulation.cases import Cases, Due, Out, Row, awake
from simulation.line import Call, Line
from simulation.standstill import TICK, Standstill
from simulation.telling import Telling


@dataclass(eq=False)
class _Errand:
    responder: Responder
    flow: str
    rows: list[Row] = field(default_factory=list)

    @property
    def urgent(self) -> bool:
        return any(map(_emergency, self.rows))


class Desk(Cases):
    """`session`: an in-memory database with the neighbourhood, for the planner; elders are its objects."""

    def __init__(self, session: Session, place: Neighbourhood, trunk: Trunk, begin: datetime) -> None:
        roster = loading.load(session, place.id, begin)
        super().__init__(roster, Line(trunk), Escalation.from_json(place.escalation or {}))
        self._session, self._place, self._policy = session, place, Policy.from_json(place.policy)
        self._elders = {
            person.id: person for person in session.scalars(select(Person).where(Person.role == Role.ELDER))
        }
        self._ids = count(1)
        self._moments: list[tuple[datetime, int]] = []  # when a case that waits for a line needs a person instead
        self._confirmed: dict[int, datetime] = {}  # the last confirming call of each case
        self._ticked = begin
        self._waiting: list[tuple[Row, int]] = []  # for a line, with their versions
        self._errands: dict[tuple[str, str], _Errand] = {}
        self._noted: dict[int, Row] = {}
        self._emergencies: list[Row] = []
        self._lines = self.line.lines(begin, False)
        self._placed: list[Call] = []
        self.limited = False
        self.warning: str | None = None

    # ── the plan ──

    def plan(self, now: datetime) -> list[Row]:
        """Today's cases, by checkins.planning on the register as it is."""
        day = local_date(self._place.timezone, now)
        self._session.flush()
        report = planning.plan_day(self._session, self._place, day, now, self.line.trunk.lines)
        self.warning = report.warning or self.warning
        columns = (Checkin.id, Checkin.elder_id, Checkin.slot, Checkin.status, Checkin.reason, Checkin.urgency)
        query = select(*columns).where(Checkin.date == day).order_by(Checkin.id)
        hours = day_of(self._place.timezone, day, self._policy)
        rows = [self._row(day, hours, found) for found in self._session.execute(query)]
        self._session.execute(delete(Checkin).where(Checkin.date < day))  # not before: ids would come again
        for row in rows:
            self.put(row, row.case, now)
        return rows

    def _row(self, day: date, hours: Day, found: Any) -> Row:
        case = ladder.open_case(self._policy, found.slot, hours)
        if found.status != Status.PLANNED:
            reason, urgency = Reason(found.reason), Urgency(found.urgency)
            case = replace(case, status=Status(found.status), reason=reason, urgency=urgency)
        row = Row(found.id, self._elders[found.elder_id], day, case)
        if case.reason:
            row.needed_at, row.reason, row.urgency = found.slot, case.reason, case.urgency
        last = self.newest.get(row.elder.id)
        if last is not None:
            self.last_results[row.elder.id] = (last.case.result, last.case.closed_by)
        self.rows[row.id] = self.newest[row.elder.id] = row
        grace = timedelta(minutes=self._policy.unserved_grace)
        heappush(self._moments, (max(hours.unserved, found.slot + grace), row.id))
        return row

    def forget(self, rows: Sequence[Row]) -> None:
        """Cases that are closed for good."""
        for row in rows:
            del self.rows[row.id]

    # ── what people do in the console ──

    def is_open(self, elder: str) -> bool:
        row = self.newest.get(elder)
        return row is not None and row.case.status is not Status.CLOSED

    def staff_closes(self, elder: str, by: str, finding: str, now: datetime) -> None:
        self.close(self.newest[elder], by, finding, now)

    def change(self, elder: str, **values: object) -> None:
        """Somebody changes the register."""
        for name, value in values.items():
            setattr(self._elders[elder], name, value)

    # ── ticks ──

    def next_tick(self) -> datetime | None:
        """When there is something to do, unless news come before; later than the last tick, on a whole second."""
        people, calls = self._head(self._people_due), self._head(self._calls_due)
        moments = [self._next_telling(), self._moments[0][0] if self._moments else None]
        if calls is not None and calls <= self._ticked:  # it waits for a line, or for the rate
            start = self.line.next_start(self._ticked)
            calls = start if start > self._ticked else None  # for a line: the end of a call comes by itself
        if people is not None and people <= self._ticked:
            people = self._standstill_until()
        due = min((moment for moment in (*moments, people, calls) if moment is not None), default=None)
        return None if due is None else max(whole_second(due), self._ticked + TICK)

    def _standstill_until(self) -> datetime:
        """Until when nothing comes of cases that are due: at least for a second, without a line for longer."""
        shut = self.line.shut_until(self._ticked)
        if shut <= self._ticked + TICK:
            return self._ticked
        soon = [row for due in self._people_due if due[0] <= shut + POLL and (row := self.current(due)) is not None]
        waiting = [row for row in soon if _due(row) <= self._ticked]
        others = [row for row in soon if _due(row) > self._ticked]
        if any(row.search is None or _emergency(row) for row in waiting):
            return self._ticked
        limit = whole_second(min([shut, *map(_due, others)]))
        self._waiting = [(row, row.version) for row in waiting]
        return Standstill(waiting, [row for row in others if row.search], self.advance).ends(self._ticked, limit)

    def _next_telling(self) -> datetime | None:
        """Who talks to us, or was rung just now, isn't looked at every second until they may be rung: the end of a call
        comes by itself."""
        return min((self._telling_from(one) for one in self.tellings.waiting.values()), default=None)

    def _telling_from(self, one: Telling) -> datetime:
        number = self._number(one.responder)
        if one.due_at > self._ticked or number is None:
            return one.due_at
        old = one.since + TELL_WITHIN
        free = self.line.free_from(number, self._ticked)
        return old if free is None else min(old, max(free, self.line.shut_until(self._ticked), self._ticked + TICK))

    def _head(self, heap: list[Due]) -> datetime | None:
        while heap and self.current(heap[0]) is None:
            heappop(heap)
        return heap[0][0] if heap else None

    def tick(self, now: datetime) -> list[Call]:
        """claims.claim: people first, then calls while there are lines."""
        self._looked_until(now)
        self._ticked, self._placed, self.limited = now, [], False
        if not self._anything(now):
            return self._placed
        calls = self._head(self._calls_due)
        self._lines = self.line.lines(now, calls is not None and calls <= now)
        rows = self._take_due(now)
        for row in sorted(rows, key=_urgent_first):
            self.look(row, now)
        if self._errands:
            self._join(now)
        self._ring(now)
        self._tell(now)
        self._calls(now)
        return self._placed

    def _looked_until(self, now: datetime) -> None:
        """Those who wait for a line were looked at in every second until now."""
        if now > self._ticked + TICK:
            for row, version in self._waiting:
                if row.version == version:
                    self.due(row, now - TICK, now)
        self._waiting.clear()

    def _anything(self, now: datetime) -> bool:
        heads = (self._head(self._people_due), self._head(self._calls_due), self.tellings.next_due())
        if any(head is not None and head <= now for head in heads):
            return True
        return bool(self._moments) and self._moments[0][0] <= now

    def _take_due(self, now: datetime) -> list[Row]:
        rows = []
        while (head := self._head(self._people_due)) is not None and head <= now:
            row = self.current(heappop(self._people_due))
            assert row is not None
            rows.append(row)
        return rows

    def _calls(self, now: datetime) -> None:
        while self._lines.pace.budget and (head := self._head(self._calls_due)) is not None and head <= now:
            row = self.current(heappop(self._calls_due))
            assert row is not None
            self._handle(row, now)
        while self._moments and self._moments[0][0] <= now:
            row = self.rows.get(heappop(self._moments)[1])
            if row is not None and row.case.dialling:
                self._without_line(row, now)
        self.limited |= (head := self._head(self._calls_due)) is not None and head <= now

    def _without_line(self, row: Row, now: datetime) -> None:
        """What needs no line isn't held up by the want of one; else it is asked again when the day's calls end."""
        due = row.case.due_at is not None and row.case.due_at <= now
        if due and not isinstance(ladder.decide(row.case, now), PlaceCall):
            self._handle(row, now)
        elif now < row.case.day.closes:
            heappush(self._moments, (row.case.day.closes, row.id))

    # ── checkins.claims ──

    def _handle(self, row: Row, now: datetime) -> None:
        if reason := stops_calls(row.elder):
            self._not_called(row, reason, now)
            return
        match ladder.decide(row.case, now):
            case ladder.Wait(until):
                self.due(row, until, now)
            case NeedPerson(reason, urgency):
                self._to_person(row, reason, urgency, now)
            case PlaceCall():
                self._call(row, now)

    def _not_called(self, row: Row, reason: Reason, now: datetime) -> None:
        if row.elder.state in (State.PAUSED, *GONE):
            by = (row.elder.state_source or "").strip() or "register"
            self.put(row, ladder.close(row.case, by, f"state: {row.elder.state}", now), now)
            return
        self._to_person(row, reason, Urgency.TODAY, now)

    def _to_person(self, row: Row, reason: Reason, urgency: Urgency, now: datetime) -> None:
        before = row.case
        self.put(row, ladder.need_person(before, reason, urgency, now), now)
        self.follow(row, before, now)

    def _call(self, row: Row, now: datetime) -> None:
        number = row.elder.number
        assert number is not None
        allowed = allowed_at(Purpose.CHECKIN, self.line.dialled(number, now), now)
        if allowed > now:
            before = row.case
            self.put(row, ladder.postpone(before, allowed, now), now)
            self.follow(row, before, now)
        elif number in self.line.live:
            self.due(row, now + NEWS_WITHIN, now)
        else:
            self._lines.pace.budget -= 1
            rows = [row, *self._others(row, number, now)]
            self._write(number, FLOW, Purpose.CHECKIN, rows, now)
            for one in rows:
                one.first_call = one.first_call or now
                self.put(one, ladder.calling(one.case, now + NEWS_WITHIN), now)

    def _others(self, row: Row, number: str, now: datetime) -> list[Row]:
        """Who shares the number comes next to the elder in the register (simulation.people)."""
        near = (self.newest.get(name) for name in _neighbours(row.elder.id))
        others = [one for one in near if one is not None and one.elder.number == number and one.date == row.date]
        joins = [one for one in others if one.case.dialling and self._joins(one, now)]
        return sorted(joins, key=lambda one: (one.case.due_at or now, one.id))

    def _joins(self, other: Row, now: datetime) -> bool:
        due = other.case.due_at
        if due is None or due > now + JOIN_WITHIN or stops_calls(other.elder):
            return False
        return isinstance(ladder.decide(replace(other.case, due_at=now), now), PlaceCall)

    def _write(
        self, number: str, flow: str, purpose: str, rows: list[Row], now: datetime, responder: str | None = None
    ) -> Call:
        elders, urgent = tuple(row.elder.id for row in rows), any(map(_emergency, rows))
        call = Call(str(next(self._ids)), now, number, flow, purpose, elders, responder, urgent)
        self.line.placed(call)
        self.out[call.id] = Out(call, rows)
        self._placed.append(call)
        return call

    # ── checkins.finder ──

    def look(self, row: Row, now: datetime) -> None:
        if _emergency(row):
            self._emergencies.append(row)
        before = search = row.search or self.begin(row.case, now)
        while True:
            search, action = self.advance(row, search, now)
            match action:
                case Wait(until, nobody_to_ring=True):
                    self._remind(row, before, until, now)
                    return
                case Wait(until):
                    self._wait(row, search, until, now)
                    return
                case Ring() | CallForFinding():
                    self._note(row, action)
                    self._wait(row, search, now, now)
                    return
                case TellTaken(responder):
                    search = self.tell(row, search, responder.id, now)
                case Confirm() if stops_calls(row.elder):
                    search = core.confirmed(search, now)
                case Confirm():
                    self._confirm(row, search, action, now)
                    return
                case Idle():
                    self.keep(row, search, now)
                    return

    def _remind(self, row: Row, search: Search, until: datetime, now: datetime) -> None:
        row.search = search
        case = ladder.remind(row.case, now)
        if not case.owner and case.urgency in SLEEPLESS and case.due_at:
            case = replace(case, due_at=min(case.due_at, until))
        self.put(row, case, now)

    def _wait(self, row: Row, search: Search, until: datetime, now: datetime) -> None:
        self.keep(row, search, now)
        if until > now:
            self.due(row, until if row.case.urgency not in SLEEPLESS else min(until, now + awake(row.case)), now)

    def _note(self, row: Row, action: Ring | CallForFinding) -> None:
        people = action.responders if isinstance(action, Ring) else (action.responder,)
        flow = DISPATCH if isinstance(action, Ring) else ASK
        for one in people:
            self._errands.setdefault((one.id, flow), _Errand(one, flow)).rows.append(row)
        self._noted[row.id] = row

    def _join(self, now: datetime) -> None:
        """finder.joined: cases looked at within a minute go with the call that somebody gets now."""
        soon = (self.current(due) for due in self._people_due if now < due[0] <= now + POLL)
        for row in sorted({row for row in soon if row is not None and row.search is not None}, key=_urgent_first):
            assert row.search is not None
            search, action = self.advance(row, row.search, now)
            if isinstance(action, Ring) and any((one.id, DISPATCH) in self._errands for one in action.responders):
                self._note(row, action)
                self._wait(row, search, now, now)

    def _ring(self, now: datetime) -> None:
        errands, rows = sorted(self._errands.values(), key=_first_case), list(self._noted.values())
        self._errands.clear()
        self._noted.clear()
        for errand in errands:
            self._ring_one(errand, now)
        for row in rows:
            self._after(row, now)
        for row in self._emergencies:
            self._elder(row, now)
        self._emergencies.clear()

    def _ring_one(self, errand: _Errand, now: datetime) -> None:
        number = errand.responder.number
        if number is None or self.line.taken(number, now, urgent=errand.urgent):
            return
        if not self._lines.free(urgent=errand.urgent):
            self.limited = True
            return
        rows = sorted(errand.rows, key=_urgency)[:MOST]
        self._write(number, errand.flow, Who(errand.responder.kind), rows, now, errand.responder.id)
        self._lines.take()
        for row in rows:
            assert row.search is not None
            row.search = core.rang(row.search, errand.responder.id, now)

    def _after(self, row: Row, now: datetime) -> None:
        assert row.search is not None
        search, action = self.advance(row, row.search, now)
        if isinstance(action, Wait) and not action.nobody_to_ring:
            self._wait(row, search, action.until, now)
        elif isinstance(action, Wait):
            self.due(row, now + NEWS_WITHIN, now)

    def _elder(self, row: Row, now: datetime) -> None:
        if not self._wanted(row):
            return
        number, since = row.elder.number or "", row.search.since if row.search else now
        rung = [call for call in self.rung.get(row.id, ()) if call.at >= since]
        when = emergency.next_call(rung, now)
        if when is None or self.line.taken(number, now, urgent=True):
            return
        if when > now or not self._lines.free(urgent=True):
            self.limited |= when <= now
            self.due(row, min(row.case.due_at or when, when), now)
        else:
            self.rung.setdefault(row.id, []).append(emergency.Rung(now, None))
            self._write(number, emergency.ALARM, Purpose.EMERGENCY, [row], now)
            self._lines.take()

    def _wanted(self, row: Row) -> bool:
        case, elder = row.case, row.elder
        open_ = case.status is Status.NEEDS_PERSON and _emergency(row) and not case.owner
        hers = elder.number is not None and elder.number_state == NumberState.OK and elder.state not in GONE
        return open_ and hers and (row.search is None or row.search.phase is Phase.SEARCHING)

    # ── checkins.teller ──

    def _tell(self, now: datetime) -> None:
        for some in self.tellings.by_responder(now):
            if news := [one for one in some if self._is_news(one, now)]:
                self._tell_one(news[0].responder, news, now)

    def _is_news(self, one: Telling, now: datetime) -> bool:
        row = self.rows[one.case]
        if ago(one.since, now) >= TELL_WITHIN or _theirs(row, one.responder):
            self.tellings.done(one)
            return False
        if row.case.status is not Status.CLOSED and (row.search is None or row.search.phase is Phase.SEARCHING):
            one.due_at = now + POLL
        return one.due_at <= now

    def _tell_one(self, responder: str, news: list[Telling], now: datetime) -> None:
        number = self._number(responder)
        if number is None:
            for one in news:
                self.tellings.done(one)
        elif self.line.taken(number, now):
            return
        elif not self._lines.free(urgent=False):
            self.limited = True
        else:
            rows = [self.rows[one.case] for one in news[:MOST]]
            self._write(number, TAKEN, TELL, rows, now, responder)
            self._lines.take()
            for one in news[:MOST]:
                one.tries, one.due_at = one.tries + 1, now + TELL_AGAIN

    def _number(self, responder: str) -> str | None:
        street = self.roster.street
        if street is not None and responder == street.id:
            return street.number
        person = self.roster.people.get(responder)
        return None if person is None else person.number

    # ── checkins.finder: the elder who was seen ──

    def _confirm(self, row: Row, search: Search, action: Confirm, now: datetime) -> None:
        number = row.elder.number
        assert number is not None
        when = self._confirm_from(row, search, action, number, now)
        if when <= now and self.line.taken(number, now):
            when = now + NEWS_WITHIN
        if when > now:
            self._wait(row, search, min(when, action.until), now)
        elif not self._lines.free(urgent=False):
            self.limited = True
            self.due(row, now, now)
        else:
            self._wait(row, search, min(action.until, now + NEWS_WITHIN), now)
            self._confirmed[row.id] = now
            self._write(number, FLOW, CONFIRM, [row], now)
            self._lines.take()

    def _confirm_from(self, row: Row, search: Search, action: Confirm, number: str, now: datetime) -> datetime:
        moments = [now, action.after + (action.by - action.after) / 4]
        last = self._confirmed.get(row.id)
        if last is not None and search.found_at is not None and last >= search.found_at:
            moments.append(last + CONFIRM_AGAIN)
        moments.append(allowed_at(Purpose.CHECKIN, self.line.dialled(number, now), now))
        return max(moments)


def whole_second(moment: datetime) -> datetime:
    """The first tick from `moment` on."""
    down = moment.replace(microsecond=0)
    return down if down == moment else down + TICK


def _emergency(row: Row) -> bool:
    return row.case.urgency is Urgency.EMERGENCY


def _theirs(row: Row, responder: str) -> bool:
    search = row.search
    if search is not None and search.stays(responder):
        return True
    if search is None or search.phase is Phase.SEARCHING:
        return False
    if search.phase is Phase.TAKEN:
        return search.accepted_by == responder
    there = search.found_by if search.finding is not Finding.NOBODY_OPENS else None
    return responder in (search.ended_by, there)


def _neighbours(elder: str) -> tuple[str, str]:
    kind, index = elder.split("-")
    return f"{kind}-{int(index) - 1}", f"{kind}-{int(index) + 1}"


def _due(row: Row) -> datetime:
    assert row.case.due_at is not None
    return row.case.due_at


def _urgent_first(row: Row) -> tuple[int, datetime, int]:
    return *_urgency(row)[:1], _due(row), row.id


def _urgency(row: Row) -> tuple[int, int]:
    return (URGENCIES[row.case.urgency] if row.case.urgency else len(URGENCIES)), row.id


def _first_case(errand: _Errand) -> tuple[int, int]:
    return min(_urgency(row) for row in errand.rows)
