"""A house of the pure cores alone: ladder, search, roster and line rules over values in memory.

Between them it does what `claims`, `finder`, `searches`, `settling`, `answers` and `confirming` do with rows, in their
plainest form: no lines to count, no leases. The house with the database (sql_house.py) has the real ones.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from checkins import ladder
from checkins.answers import finding_of, reply_of
from checkins.escalation import search as core
from checkins.escalation.policy import Escalation, Who
from checkins.escalation.scene import POLL
from checkins.escalation.values import (
    Action,
    CallForFinding,
    Confirm,
    Finding,
    Idle,
    Phase,
    Reply,
    Responder,
    Responders,
    Ring,
    Search,
    TellTaken,
    Wait,
)
from checkins.ladder import Case, NeedPerson, News, PlaceCall, Remind
from checkins.line_rules import Purpose, allowed_at
from checkins.policy import Policy
from checkins.ports import Callee, CallOutcome, CallRequest, Disposition, PersonOutcome, Placed, Trace
from checkins.results import LINE, SLEEPLESS, URGENCIES, Reason, Result, Status, Urgency
from checkins.roster import resolve
from checkins.roster.holidays import next_working_time
from checkins.roster.values import Elder, Kind, Leave, Pair, Roster, Rotation
from checkins.roster.values import Responder as Listed
from checkins.schedule import day_of
from checkins.settling import result_of
from tests.property.town.values import (
    BUDDIES,
    CHECKIN,
    DAY,
    ELDERS,
    FAMILY,
    NUMBERS,
    PAIRS,
    RELATIVES,
    SLOTS,
    STAFF,
    STREET,
    ZONE,
    Carrier,
    Held,
    Role,
    Weather,
    at,
)

POLICY, ESCALATION = Policy(), Escalation()
TODAY = day_of(ZONE, DAY, POLICY)
NEWS_WITHIN = timedelta(seconds=60)
NEVER = datetime.max.replace(tzinfo=UTC)
AGAIN = (Result.BUSY, Result.LINE_ERROR, Result.INTERRUPTED, Result.CANCELLED)


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Row:
    elder: str
    case: Case
    search: Search | None = None

    @property
    def due(self) -> datetime:
        return self.case.due_at or NEVER


@dataclass
class Intent:
    request: CallRequest
    rows: list[Row]
    at: datetime
    check_at: datetime
    kind: Who | None = None  # None: it rings the elder
    responder: str = ""
    confirms: bool = False
    live: bool = True
    dialled: bool = True
    final: bool = False
    over: bool = False  # by the carrier's word, and nobody told what came of it
    placed: bool = False  # the carrier has answered the order
    alarms: set[str] = field(default_factory=set)


Wanted = dict[tuple[str, str], tuple[Responder, list[Row]]]  # by whom and flow: who is rung, about whom


def roster_of(missing: frozenset[Role]) -> Roster:
    """Everybody of the town, without whole groups."""
    groups = {Role.BUDDIES: BUDDIES, Role.STAFF: STAFF, Role.FAMILY: FAMILY}
    there = [one for role, group in groups.items() if role not in missing for one in group]
    return Roster(
        people={one: Listed(one, one, one, NUMBERS[one]) for one in there},
        elders={elder: Elder(elder, elder) for elder in ELDERS},
        pairs={elder: tuple(Pair(elder, buddy) for buddy in PAIRS[elder]) for elder in ELDERS},
        substitutes=("b3",),
        rotation=Rotation(STAFF, anchor=DAY),
        family=RELATIVES,
        street=None if Role.STREET in missing else Listed(STREET, STREET, STREET, NUMBERS[STREET], Kind.STREET),
    )


class PureHouse:
    def __init__(self, weather: Weather, carrier: Carrier) -> None:
        self.now = at(weather.begins)
        self._carrier = carrier
        self._roster = roster_of(weather.missing)
        self._rows: dict[str, Row] = {}
        self._intents: dict[str, Intent] = {}
        self._opens = self.now  # the office, next: perhaps already
        self._recent: list[Intent] = []  # all that may be live, and the newest ones
        self._stops: dict[str, Reason] = {}
        self._gone: set[str] = set()
        self._newest = self.now
        self._ids = count(1)
        self._dies = 0
        self._ticked: datetime | None = None
        self._edges: list[datetime] = []  # where somebody's leave begins or ends
        self._asked_at: tuple[int, int, int] | None = None
        self._asked: dict[tuple[str, bool], Responders] = {}

    # ── ticking ──

    def tick(self) -> bool:
        if self._newest > self.now + timedelta(seconds=5):
            return False
        if self._ticked is None or self.now < self._ticked:
            self._set_back()
        self._ticked = self.now
        for work in (self._claim, self._reconcile, self._claim):
            if work == self._reconcile or self._anything_due():
                try:
                    work()
                except Killed:
                    work()  # started again, with what was kept
        return True

    def _anything_due(self) -> bool:
        return len(self._rows) < len(ELDERS) or any(row.due <= self.now for row in self._rows.values())

    def _set_back(self) -> None:
        """By the clock, as it is now, nothing that never sleeps lies too far ahead."""
        for row in self._rows.values():
            most = timedelta(minutes=30 if row.case.owner else 10)
            loud = row.case.status is Status.NEEDS_PERSON and row.case.urgency in SLEEPLESS
            if loud and row.due > self.now + most:
                row.case = replace(row.case, due_at=self.now)
        self._recent = list(self._intents.values())  # what was a while ago is now a moment ago again
        for intent in self._recent:
            intent.check_at = min(intent.check_at, self.now + NEWS_WITHIN)

    def _claim(self) -> None:
        self._plan()
        wanted: Wanted = {}
        orders: list[Intent] = []
        for row in self._due(Status.NEEDS_PERSON):
            self._look(row, wanted, orders)
        if wanted:
            self._ride_along(wanted)
        for (_, flow), (one, rows) in wanted.items():
            self._ring(one, flow, rows, orders)
        for row in {row.elder: row for _, rows in wanted.values() for row in rows}.values():
            self._after(row)
        for row in self._due(Status.PLANNED, Status.WAITING):
            if row.case.dialling:  # not taken with its neighbour a moment ago
                self._call(row, orders)
        for intent in orders:
            self._dial(intent)

    def _plan(self) -> None:
        for elder in ELDERS:
            if elder not in self._rows:
                slot = max(at(SLOTS[elder]), self.now)
                self._rows[elder] = Row(elder, ladder.open_case(POLICY, slot, TODAY))

    def _due(self, *status: Status) -> list[Row]:
        due = [row for row in self._rows.values() if row.case.status in status and row.due <= self.now]
        return sorted(due, key=lambda row: (URGENCIES[row.case.urgency] if row.case.urgency else 9, row.due))

    def _put(self, row: Row, case: Case) -> None:
        row.case, self._newest = case, max(self._newest, self.now)

    def _dial(self, intent: Intent) -> None:
        self._dies -= 1
        if self._dies == 0:
            raise Killed
        answer = self._carrier.place(intent.request)
        intent.placed = answer is Placed.PLACED
        if answer in (Placed.REFUSED, Placed.BAD_NUMBER):
            intent.dialled = False
            bad = answer is Placed.BAD_NUMBER
            disposition = Disposition.BAD_NUMBER if bad else Disposition.LINE_ERROR
            self.settle(CallOutcome(intent.request.id, self.now, final=True, disposition=disposition))

    def _reconcile(self) -> None:
        for intent in list(self._recent):
            if not intent.live or intent.check_at > self.now:
                continue
            intent.check_at = self.now + NEWS_WITHIN
            for row in intent.rows:
                if row.case.status is Status.CALLING:
                    row.case = replace(row.case, due_at=intent.check_at)
            trace, age = self._carrier.trace(intent.request.id), self.now - intent.at
            over = trace is Trace.OVER and intent.kind is not None
            untold, intent.over = over and intent.over, intent.over or over
            lost = age >= timedelta(minutes=10 if trace is Trace.UNREACHABLE else 15)
            if trace is Trace.UNREACHABLE and intent.kind is not None and not intent.placed:
                self._over(intent, CallOutcome(intent.request.id, self.now, True, Disposition.LINE_ERROR))
                intent.live = False
                continue
            intent.placed = intent.placed or trace is Trace.ALIVE
            if trace is Trace.NOT_FOUND or lost or untold:
                never = trace is Trace.NOT_FOUND and intent.kind is not None
                disposition = Disposition.LINE_ERROR if never else Disposition.UNKNOWN
                self._over(intent, CallOutcome(intent.request.id, self.now, True, disposition))
                intent.live = False

    # ── calls to elders ──

    def _call(self, row: Row, orders: list[Intent]) -> None:
        if reason := self._stops.get(row.elder):
            self._move(row, ladder.need_person(row.case, reason, Urgency.TODAY, self.now))
            return
        match ladder.decide(row.case, self.now):
            case ladder.Wait(until):
                row.case = replace(row.case, due_at=until)
            case NeedPerson(reason, urgency):
                self._move(row, ladder.need_person(row.case, reason, urgency, self.now))
            case PlaceCall():
                self._place(row, orders)
            case other:
                raise AssertionError(other)

    def _place(self, row: Row, orders: list[Intent]) -> None:
        number = NUMBERS[row.elder]
        allowed = allowed_at(Purpose.CHECKIN, self._routine(number), self.now)
        if allowed > self.now:
            self._move(row, ladder.postpone(row.case, allowed, self.now))
        elif number in self._taken():
            row.case = replace(row.case, due_at=self.now + NEWS_WITHIN)
        else:
            orders.append(self._intend(number, CHECKIN, [row, *self._others(row)]))
            for each in orders[-1].rows:
                self._put(each, ladder.calling(each.case, self.now + NEWS_WITHIN))

    def _others(self, row: Row) -> list[Row]:
        """Who shares the telephone and is due soon is asked in the same call."""
        soon = self.now + timedelta(minutes=15)
        return [
            other
            for other in self._rows.values()
            if other is not row and NUMBERS[other.elder] == NUMBERS[row.elder] and other.case.dialling
            and other.due <= soon and other.elder not in self._stops
            and isinstance(ladder.decide(replace(other.case, due_at=self.now), self.now), PlaceCall)
        ]  # fmt: skip

    def _routine(self, number: str) -> list[datetime]:
        calls = self._intents.values()
        return [one.at for one in calls if one.request.number == number and one.dialled and one.kind is None]

    def _intend(self, number: str, flow: str, rows: list[Row], one: Responder | None = None) -> Intent:
        callees = tuple(Callee(row.elder, row.elder) for row in rows)
        request = CallRequest(f"c{next(self._ids)}", number, flow, callees)
        kind, responder = (Who(one.kind), one.id) if one else (None, "")
        intent = Intent(request, rows, self.now, self.now + NEWS_WITHIN, kind, responder)
        self._intents[request.id] = intent
        self._recent.append(intent)
        self._newest = max(self._newest, self.now)
        return intent

    def _taken(self, *, urgent: bool = False) -> set[str]:
        """Numbers on a call of ours, and responders' that were rung a moment ago, but for emergencies."""
        near = self.now - timedelta(minutes=2)
        self._recent = [one for one in self._recent if one.live or one.at > near]
        return {
            one.request.number
            for one in self._recent
            if one.live or (not urgent and one.kind is not None and one.dialled and one.at > near)
        }

    # ── the search for a person ──

    def _advance(self, row: Row, search: Search) -> tuple[Search, Action]:
        urgent = search.urgency is Urgency.EMERGENCY
        taken, people = self._taken(urgent=urgent), self._people(row.elder, urgent)
        busy = {one.id for some in people.values() for one in some if one.number in taken}
        return core.advance(search, people, busy, self.now, working_from=max(self._opens, self.now))

    def _people(self, elder: str, emergency: bool) -> Responders:
        """By the roster as it is now. It changes where leave begins or ends, else on half hours at most."""
        at = (int(self.now.timestamp()) // 1800, bisect_right(self._edges, self.now), id(self._roster))
        if self._asked_at != at:
            self._asked_at, self._asked = at, {}
            self._opens = next_working_time(self._roster.calendar, self.now)
        if (elder, emergency) not in self._asked:
            found = resolve.responders(self._roster, elder, self.now, emergency=emergency)
            self._asked[elder, emergency] = {Who(kind.value): some for kind, some in found.items()}
        return self._asked[elder, emergency]

    def _look(self, row: Row, wanted: Wanted, orders: list[Intent]) -> None:
        assert isinstance(ladder.decide(row.case, self.now), Remind)
        search, action = self._advance(row, row.search or self._begin(row.case))
        match action:
            case Wait(until, nobody_to_ring=True):
                self._remind(row, search, until)
            case Wait(until):
                self._keep(row, search, until)
            case Ring() | CallForFinding():
                self._note(row, search, action, wanted)
            case TellTaken(one):
                row.search = core.told(search, one.id, self.now)
                self._look(row, wanted, orders)
            case Confirm() if self._stops.get(row.elder):
                row.search = core.confirmed(search, self.now)
                self._look(row, wanted, orders)
            case Confirm():
                self._confirm(row, search, action, orders)
            case Idle():
                self._keep(row, search)

    def _remind(self, row: Row, search: Search, until: datetime) -> None:
        row.search = search
        self._put(row, ladder.remind(row.case, self.now))
        if row.case.urgency in SLEEPLESS and not row.case.owner:
            row.case = replace(row.case, due_at=min(row.due, until))

    def _note(self, row: Row, search: Search, action: Ring | CallForFinding, wanted: Wanted) -> None:
        self._keep(row, search)
        flow = "dispatch" if isinstance(action, Ring) else "finding"
        for one in action.responders if isinstance(action, Ring) else (action.responder,):
            wanted.setdefault((one.id, flow), (one, []))[1].append(row)

    def _ride_along(self, wanted: Wanted) -> None:
        """Who waits for somebody who was on a call until now goes with the call that is made now."""
        for row in self._rows.values():
            soon = self.now < row.due <= self.now + POLL and row.case.status is Status.NEEDS_PERSON
            if not soon or row.search is None:
                continue
            search, action = self._advance(row, row.search)
            if isinstance(action, Ring) and any((one.id, "dispatch") in wanted for one in action.responders):
                self._note(row, search, action, wanted)

    def _ring(self, one: Responder, flow: str, rows: list[Row], orders: list[Intent]) -> None:
        urgent = any(row.case.urgency is Urgency.EMERGENCY for row in rows)
        if one.number is None or one.number in self._taken(urgent=urgent):
            return
        orders.append(self._intend(one.number, flow, rows, one))
        for row in rows:
            assert row.search is not None
            row.search = core.rang(row.search, one.id, self.now)

    def _after(self, row: Row) -> None:
        assert row.search is not None
        search, action = self._advance(row, row.search)
        if isinstance(action, Wait):
            self._keep(row, search, self.now + NEWS_WITHIN if action.nobody_to_ring else action.until)

    def _confirm(self, row: Row, search: Search, action: Confirm, orders: list[Intent]) -> None:
        number = NUMBERS[row.elder]
        moments = [action.after + (action.by - action.after) / 4]
        mine = (one.at for one in self._intents.values() if one.confirms and row in one.rows)
        moments += [moment + timedelta(minutes=5) for moment in mine if search.found_at and moment >= search.found_at]
        when = max([*moments, allowed_at(Purpose.CHECKIN, self._routine(number), self.now)])
        if when <= self.now and number in self._taken():
            when = self.now + NEWS_WITHIN
        if when > self.now:
            self._keep(row, search, min(when, action.until, self.now + timedelta(minutes=30)))
            return
        self._keep(row, search, min(action.until, self.now + NEWS_WITHIN))
        orders.append(self._intend(number, CHECKIN, [row]))
        orders[-1].confirms = True

    def _begin(self, case: Case) -> Search:
        search = core.begin(ESCALATION, case.urgency or Urgency.TODAY, self.now, zone=ZONE)
        return core.take_over(search, case.owner, self.now) if case.owner else search

    def _start(self, row: Row) -> None:
        had = row.search.accepted_by if row.search and row.search.phase is Phase.TAKEN else None
        search = self._begin(row.case)
        if row.case.owner and had:
            search = core.take_over(self._begin(replace(row.case, owner=None)), had, self.now)
        if not row.case.owner:
            search, action = self._advance(row, search)
            if not isinstance(action, Wait):
                row.case = replace(row.case, due_at=self.now)
            elif not action.nobody_to_ring:
                row.case = replace(row.case, due_at=action.until)
        row.search = search

    def _move(self, row: Row, case: Case) -> None:
        """What the ladder made of a case, and its search with it."""
        before = row.case
        self._put(row, case)
        if case.status is Status.CLOSED:
            self._end(row, row.elder if case.closed_by == LINE else case.closed_by or "")
        elif case.status is Status.NEEDS_PERSON and (before.status, before.urgency) != (case.status, case.urgency):
            self._start(row)

    def _end(self, row: Row, by: str) -> None:
        if row.search is not None and row.search.phase is not Phase.ENDED:
            row.search = self._told(core.stop(row.search, by, self.now))

    def _told(self, search: Search) -> Search:
        for item in search.untold:
            search = core.told(search, item.responder, self.now)
        return search

    def _keep(self, row: Row, search: Search, due: datetime | None = None) -> None:
        """What the search came to; the next look at it, unless it has ended, is now or at `due`."""
        case, search = row.case, self._told(search)
        if search.phase is Phase.ENDED:
            if case.status is not Status.CLOSED:
                self._put(row, ladder.close(case, search.ended_by or "", "平安", self.now))
        else:
            if case.status is not Status.NEEDS_PERSON:
                reason = case.reason or Reason.OTHER_SAYS_UNWELL
                case = ladder.need_person(case, reason, Urgency.UNREACHED, self.now)
            holders = {Phase.TAKEN: search.accepted_by, Phase.CONFIRMING: search.found_by}
            owner = holders.get(search.phase)
            self._put(row, replace(case, owner=owner, urgency=search.urgency, due_at=due or self.now))
        row.search = search

    # ── news ──

    def settle(self, news: CallOutcome) -> bool:
        intent = self._intents[news.intent_id]
        changed = bool(news.alarm) and self._cried(intent, news)
        if not news.final or intent.final:
            return changed
        intent.final, intent.live = True, False
        self._over(intent, news)
        return True

    def _over(self, intent: Intent, news: CallOutcome) -> None:
        people = {person.id: person for person in news.people}
        disposition = news.disposition or Disposition.UNKNOWN
        for row in intent.rows:
            if intent.kind is None:
                self._heard(intent, row, disposition, people.get(row.elder))
            else:
                self._answered(intent, row, disposition, people.get(row.elder))

    def _cried(self, intent: Intent, news: CallOutcome) -> bool:
        whom = [row for row in intent.rows if news.alarm_person in (None, row.elder)] or intent.rows
        new = [row for row in whom if row.elder not in intent.alarms]
        intent.alarms |= {row.elder for row in new}
        for row in new:
            if intent.kind is None:
                self._apply(row, News(Result.EMERGENCY))
            elif intent.request.flow == "finding":
                self._found(intent, row, Finding.NEEDS_HELP)
        return bool(new)

    def _heard(self, intent: Intent, row: Row, disposition: Disposition, person: PersonOutcome | None) -> None:
        result, evidence = result_of(disposition, person)
        if result is Result.EMERGENCY:
            if row.elder in intent.alarms:
                return
            intent.alarms.add(row.elder)
        news = News(result, evidence)
        if row.elder in self._gone and result is not Result.EMERGENCY:
            return
        if not (intent.confirms and self._confirmed(row, news)):
            self._apply(row, news)
        if result is Result.REFUSED:
            self._stops.setdefault(row.elder, Reason.REFUSED)
        if result is Result.BAD_NUMBER:
            self._stops |= {one: Reason.BAD_NUMBER for one in ELDERS if NUMBERS[one] == NUMBERS[row.elder]}

    def _apply(self, row: Row, news: News) -> None:
        before = row.case
        looked_bad = before.status is Status.NEEDS_PERSON and row.search is not None and row.search.bad
        if looked_bad and news.result is not Result.EMERGENCY:
            return
        self._move(row, ladder.apply(before, news, self.now))
        again = before.alarm and news.result is Result.EMERGENCY
        if again and (row.search is None or core.answered_before(row.search)):
            row.case = replace(row.case, owner=None)
            self._start(row)
            row.case = replace(row.case, due_at=self.now)

    def _confirmed(self, row: Row, news: News) -> bool:
        search = row.search
        if search is None or search.phase is not Phase.CONFIRMING or row.case.status is not Status.NEEDS_PERSON:
            return False
        if news.result in AGAIN:
            self._put(row, replace(row.case, due_at=self.now))
        elif news.result is Result.WELL:
            row.case = replace(row.case, result=news.result, evidence=news.evidence)
            self._keep(row, core.confirmed(search, self.now))
        else:
            after = ladder.apply(replace(row.case, owner=None), news, self.now)
            same = after.reason is row.case.reason and news.result is not Result.EMERGENCY
            if after.status is not Status.NEEDS_PERSON or same:
                self._keep(row, core.unconfirmed(search, self.now))
            else:
                self._put(row, after)
                self._start(row)
        return True

    def _answered(self, intent: Intent, row: Row, disposition: Disposition, person: PersonOutcome | None) -> None:
        found = finding_of(disposition, person) if intent.request.flow == "finding" else None
        if found is not None:
            self._found(intent, row, found)
        else:
            self._replied(intent, row, reply_of(disposition, person))

    def _replied(self, intent: Intent, row: Row, reply: Reply) -> None:
        search = self._search(row)
        after = core.replied(search, intent.responder, reply, self.now, since=intent.at)
        again = core.replied(after, intent.responder, reply, self.now, since=intent.at)
        assert again == after, "told twice, counted twice"
        if after != search:
            self._keep(row, after)

    def _found(self, intent: Intent, row: Row, finding: Finding) -> None:
        assert intent.kind is not None
        search = self._search(row)
        after = core.found(search, intent.responder, finding, self.now, who=intent.kind, since=intent.at)
        if after != search:
            self._keep(row, after)

    def _search(self, row: Row) -> Search:
        if row.search is None:
            self._start(row)
        if row.case.status is Status.CLOSED:
            self._end(row, row.case.closed_by if row.case.closed_by != LINE else row.elder)  # type: ignore[arg-type]
        assert row.search is not None
        return row.search

    def first(self, call: str, elder: str) -> bool:
        intent, row = self._intents[call], self._rows[elder]
        self._replied(intent, row, Reply.ACCEPTED)
        return row.search is not None and row.search.accepted_by == intent.responder

    # ── people ──

    def take_over(self, elder: str, by: str) -> None:
        row = self._rows[elder]
        self._put(row, ladder.take_over(row.case, by, self.now))
        if row.search is None or row.search.phase is Phase.ENDED:
            self._start(row)
        else:
            row.search = self._told(core.take_over(row.search, by, self.now))

    def close(self, elder: str, by: str) -> None:
        row = self._rows[elder]
        self._put(row, ladder.close(row.case, by, "在女儿家", self.now))
        self._end(row, by)

    def rings_in(self, elder: str) -> None:
        row, news = self._rows.get(elder), News(Result.WELL, "key")
        if row is None or (not row.case.alarm and self._confirmed(row, news)):
            return
        looked_bad = row.case.status is Status.NEEDS_PERSON and row.search is not None and row.search.bad
        if not looked_bad:
            self._move(row, ladder.rang_in_well(row.case, news, self.now))

    def leave(self, person: str, minutes: float) -> None:
        leave = Leave(self.now, self.now + timedelta(minutes=minutes))
        self._edges = sorted([*self._edges, leave.begins, leave.ends])
        more = {person: (*self._roster.leave.get(person, ()), leave)}
        self._roster = replace(self._roster, leave={**self._roster.leave, **more})

    def stops(self, elder: str, state: str) -> None:
        row = self._rows[elder]
        self._gone |= {elder} if state in ("died", "moved") else set()
        self._stops[elder] = Reason.REFUSED if state == "refused" else Reason.HUMAN_CONTACT
        if row.case.status is not Status.CLOSED and state != "refused":
            self._put(row, ladder.close(row.case, "register", f"state: {state}", self.now))
        elif row.case.dialling:
            self._move(row, ladder.need_person(row.case, Reason.REFUSED, Urgency.TODAY, self.now))

    def dies(self, after: int) -> None:
        """Here there is one moment at which it shows: an intent is written, and the carrier not asked."""
        self._dies = 1 + after % 3

    # ── looking ──

    def held(self) -> list[Held]:
        return [self._held(row) for row in self._rows.values()]

    def _held(self, row: Row) -> Held:
        case, search = row.case, row.search
        confirming = search is not None and search.phase is Phase.CONFIRMING
        return Held(
            row.elder, case.status, case.due_at, case.urgency, case.owner, case.closed_by, case.result, case.evidence,
            confirming,
        )  # fmt: skip

    def next_due(self) -> datetime | None:
        dues: Iterable[datetime | None] = (row.case.due_at for row in self._rows.values())
        checks = (one.check_at for one in self._recent if one.live)
        return min((moment for moment in (*dues, *checks) if moment is not None), default=None)

    def shut(self) -> None:
        """Nothing to close."""
