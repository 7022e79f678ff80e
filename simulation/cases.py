"""Cases in memory, and what becomes of them: checkins.searches, answers, confirming and settling without rows.

The rules are the product's: ladder, search, roster and the meaning of answers are imported. What is said again here is
only what those four do between them, under their names and in their order; tests/unit/simulation lets both live through
the same days and compares every call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from heapq import heappush

from checkins import ladder
from checkins.answers import finding_of, reply_of
from checkins.confirming import AGAIN
from checkins.emergency import Rung
from checkins.errands import CONFIRM, FINDING
from checkins.escalation import search as core
from checkins.escalation.policy import AWAKE, Escalation, Who
from checkins.escalation.policy import FINDING as FINDING_WITHIN
from checkins.escalation.values import Action, Phase, Reply, Search, Wait
from checkins.escalation.values import Finding as Found
from checkins.ladder import Case, News
from checkins.line_rules import Purpose
from checkins.ports import CallOutcome, Disposition, PersonOutcome
from checkins.results import LINE, SLEEPLESS, Reason, Result, Status, Urgency
from checkins.roster.values import Kind, Roster
from checkins.searches import FINDING_ZH
from checkins.settling import result_of
from checkins.tables import NumberState, Person, State
from checkins.telling import TAKEN
from simulation.line import Call, Line
from simulation.telling import Tellings
from simulation.whom import Whom

Due = tuple[datetime, int, int]  # moment, row, version: what a newer version replaced counts no more


@dataclass(eq=False, slots=True)
class Row:
    """A case with its elder and its search. `version` rises with every change of `due_at` or status."""

    id: int
    elder: Person
    date: date
    case: Case
    search: Search | None = None
    version: int = 0
    first_call: datetime | None = None
    needed_at: datetime | None = None  # since when a person was needed, the first time
    reason: Reason | None = None  # why, then
    urgency: Urgency | None = None
    taken_at: datetime | None = None  # when the first one accepted
    taken_by: str | None = None
    asked: tuple[Search, datetime, int, tuple[Search, Action]] | None = None  # Cases.advance, the last time


@dataclass(eq=False, slots=True)
class Out:
    """A call that is out, the rows it serves, and whose alarm it has raised."""

    call: Call
    rows: list[Row]
    cried: set[str] = field(default_factory=set)


def _nobody(row: Row, who: str, now: datetime) -> None:
    """Nobody listens."""


@dataclass(eq=False)
class Cases:
    """All cases of one neighbourhood. `taken` hears of everybody who accepts a case that nobody had."""

    roster: Roster
    line: Line
    escalation: Escalation
    taken: Callable[[Row, str, datetime], None] = _nobody
    rows: dict[int, Row] = field(default_factory=dict)
    newest: dict[str, Row] = field(default_factory=dict)  # by elder
    out: dict[str, Out] = field(default_factory=dict)  # by call
    last_results: dict[str, tuple[Result | None, str | None]] = field(default_factory=dict)  # of the day before
    tellings: Tellings = field(default_factory=Tellings)
    rung: dict[int, list[Rung]] = field(default_factory=dict)  # elders in an emergency, by case
    whom: Whom = field(init=False)
    asleep: int = 0  # how often an unreached case slept longer than it may; must stay 0
    _people_due: list[Due] = field(default_factory=list)
    _calls_due: list[Due] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.whom = Whom(self.roster)

    # ── rows ──

    def put(self, row: Row, case: Case, now: datetime) -> None:
        row.case, row.version = case, row.version + 1
        if case.status is Status.NEEDS_PERSON:
            if row.needed_at is None:
                row.needed_at, row.reason, row.urgency = now, case.reason, case.urgency
            self.asleep += case.urgency in SLEEPLESS and case.due_at is not None and case.due_at - now > awake(case)
        if case.due_at is not None and case.status is not Status.CALLING:
            heap = self._people_due if case.status is Status.NEEDS_PERSON else self._calls_due
            heappush(heap, (case.due_at, row.id, row.version))

    def due(self, row: Row, moment: datetime, now: datetime) -> None:
        self.put(row, replace(row.case, due_at=moment), now)

    def current(self, due: Due) -> Row | None:
        row = self.rows.get(due[1])
        return row if row is not None and row.version == due[2] else None

    def advance(self, row: Row, search: Search, now: datetime) -> tuple[Search, Action]:
        """Rosters.advance. The same question at the same moment has the same answer, until a call begins or ends."""
        asked = row.asked
        if asked is not None and asked[0] is search and asked[1:3] == (now, self.line.changes):
            return asked[3]
        urgent = search.urgency is Urgency.EMERGENCY
        few = self.whom.few(row.elder.id, now, emergency=urgent, vital=search.urgency in SLEEPLESS)
        busy = few.busy(lambda number: self.line.taken(number, now, urgent=urgent))
        answer = core.advance(search, few.people, busy, now, working_from=self.whom.working_from(now))
        row.asked = (search, now, self.line.changes, answer)
        return answer

    def name(self, who: str) -> str:
        """Ids are names here, but for the street's number."""
        street = self.roster.street
        return street.name if who == Kind.STREET and street is not None else who

    # ── checkins.searches ──

    def begin(self, case: Case, now: datetime) -> Search:
        search = core.begin(self.escalation, case.urgency or Urgency.TODAY, now, zone=self.roster.zone)
        return core.take_over(search, case.owner, now) if case.owner else search

    def follow(self, row: Row, before: Case, now: datetime) -> None:
        after = row.case
        if after.status is Status.CLOSED:
            self.end(row, now)
        elif after.status is Status.NEEDS_PERSON and (before.status, before.urgency) != (after.status, after.urgency):
            self.start(row, now)

    def start(self, row: Row, now: datetime) -> None:
        case, old = row.case, row.search
        search = self.begin(case, now)
        if case.owner and old is not None and old.phase is Phase.TAKEN and old.accepted_by:
            search = core.take_over(self.begin(replace(case, owner=None), now), old.accepted_by, now)
        if not case.owner:
            search, action = self.advance(row, search, now)
            if not isinstance(action, Wait):
                self.due(row, now, now)
            elif not action.nobody_to_ring:
                self.due(row, action.until, now)
        row.search = search

    def end(self, row: Row, now: datetime) -> None:
        if row.search is None or row.search.phase is Phase.ENDED:
            return
        named = row.case.closed_by if row.case.closed_by != LINE else None
        row.search = self.tell_all(row, core.stop(row.search, named or row.elder.id, now), now)

    def tell_all(self, row: Row, search: Search, now: datetime) -> Search:
        for item in search.untold:
            search = self.tell(row, search, item.responder, now)
        return search

    def tell(self, row: Row, search: Search, responder: str, now: datetime) -> Search:
        self.tellings.queue(row.id, responder, now)
        called = search.called(responder)
        search = core.told(search, responder, now)
        if called is None:
            return search
        return replace(search, calls=tuple(called if one.responder == responder else one for one in search.calls))

    def keep(self, row: Row, search: Search, now: datetime) -> None:
        search = self.tell_all(row, search, now)
        if search.phase is not Phase.ENDED:
            case = row.case
            if case.status is not Status.NEEDS_PERSON:
                case = ladder.need_person(case, case.reason or Reason.OTHER_SAYS_UNWELL, Urgency.UNREACHED, now)
            self.put(row, replace(case, owner=self._holder(search), urgency=search.urgency, due_at=now), now)
        elif row.case.status is not Status.CLOSED:
            assert search.ended_by is not None
            finding = FINDING_ZH[search.finding] if search.finding else "已有人处理"
            self.put(row, ladder.close(row.case, self.name(search.ended_by), finding, now), now)
        row.search = search

    def _holder(self, search: Search) -> str | None:
        if search.phase is Phase.TAKEN:
            who = search.accepted_by
        else:
            who = search.found_by if search.phase is Phase.CONFIRMING else None
        return self.name(who) if who else None

    # ── checkins.cases ──

    def close(self, row: Row, by: str, finding: str, now: datetime) -> None:
        self.put(row, ladder.close(row.case, by, finding, now), now)
        self.end(row, now)

    # ── checkins.settling ──

    def settle(self, outcome: CallOutcome, now: datetime) -> None:
        out = self.out[outcome.intent_id]
        if out.call.responder is None and outcome.alarm:
            self._alarm(out, outcome, now)
        if not outcome.final:
            return
        disposition = outcome.disposition or Disposition.UNKNOWN
        people = {person.id: person for person in outcome.people}
        if out.call.flow == TAKEN:
            told = {one.id for one in outcome.people if one.result == "told"}
            self.tellings.ended(out.call, [(row.id, row.elder.id) for row in out.rows], disposition, told)
        elif out.call.responder is None:
            for row in out.rows:
                self._apply(out, row, disposition, people.get(row.elder.id), now)
                self._off_the_line(row, now)
        else:
            for row in out.rows:
                self._answered(out.call, row, disposition, people.get(row.elder.id), now)
            elsewhere = {one.id for one in outcome.people if one.result == "taken"}
            self.tellings.heard(out.call, [row.id for row in out.rows if row.elder.id in elsewhere])
        if disposition is Disposition.BAD_NUMBER:
            self._flag(out.rows, NumberState.BAD)
        self.line.over(out.call, disposition, now)
        del self.out[outcome.intent_id]

    def _alarm(self, out: Out, outcome: CallOutcome, now: datetime) -> None:
        whom = [row for row in out.rows if outcome.alarm_person in (None, row.elder.id)] or out.rows
        for row in whom:
            if row.elder.id not in out.cried:
                self._news(row, News(Result.EMERGENCY), now)
        out.cried |= {row.elder.id for row in whom}

    def _apply(self, out: Out, row: Row, disposition: Disposition, person: PersonOutcome | None, now: datetime) -> None:
        if out.call.purpose == Purpose.EMERGENCY:
            self.rung[row.id][-1] = Rung(out.call.at, disposition)
            if person is None or person.result != Result.EMERGENCY:
                return
        result, evidence = result_of(disposition, person)
        if result is Result.EMERGENCY:
            if row.elder.id in out.cried:
                return
            out.cried.add(row.elder.id)
        news = News(result, evidence, result is Result.OTHER_SAYS_WELL and self._reported_last_time(row))
        if out.call.purpose == CONFIRM and self._heard(row, news, now):
            return
        self._news(row, news, now)
        if result is Result.REFUSED and row.elder.state == State.ACTIVE:
            row.elder.state = State.REFUSED
        if result is Result.WRONG_NUMBER:
            self._flag(out.rows, NumberState.SUSPECT)

    def _off_the_line(self, row: Row, now: datetime) -> None:
        case = row.case
        if case.status is Status.NEEDS_PERSON and case.urgency is Urgency.EMERGENCY and not case.owner:
            self.due(row, now, now)

    def _news(self, row: Row, news: News, now: datetime) -> None:
        before = row.case
        looked_bad = before.status is Status.NEEDS_PERSON and row.search is not None and row.search.bad
        if looked_bad and news.result is not Result.EMERGENCY:
            return
        self.put(row, ladder.apply(before, news, now), now)
        self.follow(row, before, now)
        if before.alarm and news.result is Result.EMERGENCY:
            self._cried_again(row, now)

    def _cried_again(self, row: Row, now: datetime) -> None:
        """searches.cried_again."""
        if row.search is None or core.answered_before(row.search):
            self.put(row, replace(row.case, owner=None, due_at=now), now)
            self.start(row, now)
            self.due(row, now, now)

    def _reported_last_time(self, row: Row) -> bool:
        result, closed_by = self.last_results.get(row.elder.id, (None, None))
        return result is Result.OTHER_SAYS_WELL and closed_by in (None, LINE)

    def _flag(self, rows: list[Row], state: NumberState) -> None:
        """The number is suspended for everybody behind it."""
        number = rows[0].elder.number
        for row in self.newest.values():
            if row.elder.number == number:
                row.elder.number_state = state

    # ── checkins.confirming ──

    def _heard(self, row: Row, news: News, now: datetime) -> bool:
        search = row.search
        if search is None or search.phase is not Phase.CONFIRMING or row.case.status is not Status.NEEDS_PERSON:
            return False
        if news.result in AGAIN:
            self.due(row, now, now)
        elif news.result is Result.WELL:
            row.case = replace(row.case, result=news.result, evidence=news.evidence)
            self.keep(row, core.confirmed(search, now), now)
        elif not self._worse(row, news, now):
            self.keep(row, core.unconfirmed(search, now), now)
        return True

    def _worse(self, row: Row, news: News, now: datetime) -> bool:
        before = row.case
        after = ladder.apply(replace(before, owner=None), news, now)
        same = after.reason is before.reason and news.result is not Result.EMERGENCY
        if after.status is not Status.NEEDS_PERSON or same:
            return False
        self.put(row, after, now)
        self.start(row, now)
        return True

    # ── checkins.answers ──

    def first(self, call: str, elder: str, now: datetime) -> bool:
        """A responder has just pressed that they go, in mid-call: whether it is theirs."""
        out = self.out[call]
        row = next(row for row in out.rows if row.elder.id == elder)
        self._replied(out.call, row, Reply.ACCEPTED, now)
        search = row.search
        return search is not None and search.phase is Phase.TAKEN and search.accepted_by == out.call.responder

    def _answered(
        self, call: Call, row: Row, disposition: Disposition, person: PersonOutcome | None, now: datetime
    ) -> None:
        finding = finding_of(disposition, person) if call.flow == FINDING else None
        if finding is not None:
            self._found(call, row, finding, now)
        else:
            self._replied(call, row, reply_of(disposition, person), now)

    def _replied(self, call: Call, row: Row, reply: Reply, now: datetime) -> None:
        assert call.responder is not None
        search = self._search(row, now)
        after = core.replied(search, call.responder, reply, now, since=call.at)
        if after != search and reply is Reply.LINE_ERROR and self.line.down(now):
            after = core.forgiven(after, call.responder)
        if after == search:
            return
        if after.phase is Phase.TAKEN and search.phase is not Phase.TAKEN:
            row.taken_at, row.taken_by = row.taken_at or now, call.responder
            self.taken(row, call.responder, now)
        self.keep(row, after, now)

    def _found(self, call: Call, row: Row, finding: Found, now: datetime) -> None:
        assert call.responder is not None
        search = self._search(row, now)
        after = core.found(search, call.responder, finding, now, who=Who(call.purpose), since=call.at)
        if after != search:
            self.keep(row, after, now)

    def _search(self, row: Row, now: datetime) -> Search:
        if row.case.status is Status.CLOSED:
            self.end(row, now)
        if row.search is None:
            self.start(row, now)
        assert row.search is not None
        return row.search


def awake(case: Case) -> timedelta:
    """How far ahead the next action of a case that must not sleep may lie."""
    return timedelta(minutes=FINDING_WITHIN if case.owner else AWAKE)
