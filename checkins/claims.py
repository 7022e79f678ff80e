"""One transaction that takes due cases and writes call intents. Nothing is dialled here.

On SQLite the transaction begins IMMEDIATE; on PostgreSQL due rows are locked with SKIP LOCKED (a row that staff or
news hold right now comes next time) and one claimer at a time counts the trunk's lines (an advisory lock). A case
is taken by compare-and-set on its status and lease; a crash leaves an intent that the reconciliation finds.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import case as sql_case
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from checkins import devices, ladder, other_calls, promises, searches
from checkins.case_rows import case_of, log_event, put_case, select_cases
from checkins.errands import herself
from checkins.escalation.scene import POLL
from checkins.finder import Finder, lines_now
from checkins.intents import NEWS_WITHIN, dialled, intend, serve
from checkins.ladder import Case, NeedPerson, PlaceCall, Remind, Wait
from checkins.line_rules import Purpose, allowed_at
from checkins.other_calls import Errands
from checkins.pace import BURST, LIVE, Pace, Rate, count_alone, pace_now
from checkins.people import stops_calls
from checkins.ports import CallRequest
from checkins.responders import Rosters
from checkins.results import URGENCIES, Reason, Status, Urgency
from checkins.tables import GONE, CallIntent, Checkin, Neighbourhood, Person, State
from checkins.teller import Teller

log = logging.getLogger(__name__)

FLOW = "daily_checkin"
JOIN_WITHIN = timedelta(minutes=15)  # a second elder of the number, due so soon, is asked in the same call
BATCH = 200
_MOST_URGENT = sql_case({urgency.value: rank for urgency, rank in URGENCIES.items()}, value=Checkin.urgency)


@dataclass
class Claimed:
    """What one transaction took."""

    requests: list[CallRequest] = field(default_factory=list)
    to_person: int = 0
    reminded: int = 0
    postponed: int = 0
    line_down: bool = False
    limited: bool = False  # due calls wait for a free line or for the next second
    seen: int = 0  # rows looked at

    @property
    def more(self) -> bool:
        """There may be more to do at this moment: a full batch was looked at, and something of it done."""
        return self.seen >= BATCH and bool(self.requests or self.to_person or self.reminded or self.postponed)


class NotNowError(Exception):
    """A call can't be made ahead of its time. `why` is half a sentence; `until`: when it may be, as far as known."""

    def __init__(self, why: str, until: datetime | None = None) -> None:
        super().__init__(why)
        self.why, self.until = why, until


@dataclass(frozen=True)
class Trunk:
    """What may be used for outgoing calls. `lines` excludes those kept free for people ringing in (`reserved`), which
    emergencies may use all the same, as they may start `burst` calls ahead of the rate."""

    lines: int
    starts_per_s: float
    reserved: int = 0
    burst: int = BURST
    second: bool = False  # there is another one, for what must get out when this one is dead

    @property
    def rate(self) -> Rate:
        return Rate(self.starts_per_s, self.burst)


def claim(
    session: Session,
    now: datetime,
    owner: str,
    trunk: Trunk,
    *,
    urgent_only: bool = False,
    errands: Sequence[Errands] = (),
) -> Claimed:
    """Takes what is due at `now`: decides, writes intents, reminds. Commit before dialling anything. `urgent_only`: no
    calls but those of emergencies; all others stay due. `errands`: other rooms' calls, with what lines are left."""
    devices.take_in_open(session, now)
    work = _begin(session, now, owner, trunk)
    if urgent_only:
        work.pace.budget = 0
    finder = work.finder
    for row in _due(session, now, calls=False, limit=BATCH):
        work.handle(row)
    finder.joined(_soon(session, now))
    finder.ring()
    teller = Teller(session, now, owner, finder.rosters, finder.lines, work.claimed.requests)
    teller.ring()
    work.claimed.reminded, work.claimed.limited = finder.reminded, finder.limited or teller.limited
    _calls(work, now)
    if not (urgent_only or work.claimed.limited or work.pace.line_down):
        work.claimed.requests += other_calls.claim(session, now, owner, work.pace.budget, errands)
    return work.claimed


def _soon(session: Session, now: datetime) -> Iterator[Checkin]:
    """Cases that are looked at within the time after which somebody on a call is looked for again."""
    for row in _due(session, now + POLL, calls=False, limit=BATCH):
        if row.due_at is not None and row.due_at > now:
            yield row


def claim_one(session: Session, now: datetime, owner: str, trunk: Trunk, checkin_id: int) -> Claimed:
    """Takes one case's next call now, ahead of its time: the line rules and the pause between two tries hold. Takes
    nothing when no call is ahead. Raises NotNowError, and has changed nothing, when it can't be made now."""
    work = _begin(session, now, owner, trunk)
    query = select_cases().where(Checkin.id == checkin_id, Checkin.status.in_((Status.PLANNED, Status.WAITING)))
    row = session.scalars(query.with_for_update(of=Checkin)).one_or_none()
    if row is not None:
        work.call_ahead(row)
    return work.claimed


def _begin(session: Session, now: datetime, owner: str, trunk: Trunk) -> _Work:
    count_alone(session)
    pace = pace_now(session, now, trunk.lines, trunk.rate)
    lines = lines_now(session, now, pace, trunk.lines + trunk.reserved)
    claimed = Claimed(line_down=pace.line_down)
    finder = Finder(session, now, owner, Rosters(session, now), lines, claimed.requests, trunk.second)
    return _Work(session, now, owner, claimed, pace, finder)


def _calls(work: _Work, now: datetime) -> None:
    """Due calls in order of their promise; with no line free they stay due, at no cost but a look at the row. What
    needs no line (the register has changed, a person is due) is never held up, wherever in the queue it stands."""
    for row in _due(work.session, now, calls=True, limit=BATCH):
        if row.status not in (Status.PLANNED, Status.WAITING):  # taken with its neighbour a moment ago
            continue
        if not work.pace.budget and work.waits_for_line(row):
            work.claimed.seen += 1
            work.claimed.limited = True
        else:
            work.handle(row)


def _due(session: Session, now: datetime, *, calls: bool, limit: int) -> Sequence[Checkin]:
    status = (Status.PLANNED, Status.WAITING) if calls else (Status.NEEDS_PERSON,)
    query = (
        select_cases()
        .where(Checkin.status.in_(status), Checkin.due_at <= now)
        .where(Checkin.lease_until.is_(None) | (Checkin.lease_until <= now))
        .order_by(*([] if calls else [_MOST_URGENT]), Checkin.due_at, Checkin.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Checkin)
    )
    return session.scalars(query).all()


@dataclass
class _Work:
    """The hands of one claim."""

    session: Session
    now: datetime
    owner: str
    claimed: Claimed
    pace: Pace
    finder: Finder

    def handle(self, row: Checkin) -> None:
        """One broken row breaks nothing for others: it stays due, and the auditor raises it."""
        self.claimed.seen += 1
        row_id, budget, requests = row.id, self.pace.budget, len(self.claimed.requests)
        try:
            with self.session.begin_nested():
                self._handle(row)
        except (ValueError, LookupError, AssertionError) as error:
            log.error("case %s cannot be handled: %s", row_id, type(error).__name__)
            self.pace.budget = budget
            del self.claimed.requests[requests:]

    def waits_for_line(self, row: Checkin) -> bool:
        """Whether a call is all that this due row needs. A broken row is no such row: `handle` reports it."""
        try:
            return self._joins(row)
        except ValueError:
            return False

    def call_ahead(self, row: Checkin) -> None:
        """Places this case's call now, or raises NotNowError. Who must not be called any more goes to a person."""
        if stops_calls(row.elder):
            self._not_called(row)
            return
        case = case_of(row)
        match ladder.decide(replace(case, due_at=self.now), self.now):
            case Wait(until):
                raise NotNowError("no calls are made at this hour", until)
            case NeedPerson(reason, urgency):
                self._to_person(row, case, reason, urgency)
            case PlaceCall():
                self._check_ahead(case, row.elder.number or "")
                self._call(row, case)

    def _check_ahead(self, case: Case, number: str) -> None:
        """A retry keeps its distance from the try before, also when somebody asks for it; a first call has none."""
        if (case.tries or case.busy) and case.due_at and case.due_at > self.now:
            raise NotNowError("this elder was tried already, and a try keeps its distance", case.due_at)
        if _busy_with(self.session, number):
            raise NotNowError("somebody behind this number is being called right now")
        allowed = allowed_at(Purpose.CHECKIN, dialled(self.session, number, self.now), self.now)
        if allowed > self.now:
            raise NotNowError("the number was called as often as the line rules allow", allowed)
        if not self.pace.budget:
            down = self.pace.line_down
            raise NotNowError("the line is down" if down else "no line is free", self.pace.next_start if down else None)

    def _handle(self, row: Checkin) -> None:
        if row.status != Status.NEEDS_PERSON and stops_calls(row.elder):
            self._not_called(row)
            return
        case = case_of(row)
        match ladder.decide(case, self.now):
            case Wait(until):
                row.due_at = until
            case Remind():
                self.finder.look(row)
            case NeedPerson(reason, urgency):
                self._to_person(row, case, reason, urgency)
            case PlaceCall():
                self._call(row, case)

    def _not_called(self, row: Checkin) -> None:
        """The register changed after the plan: it holds before the next call."""
        case = case_of(row)
        if row.elder.state in (State.PAUSED, *GONE):
            by = (row.elder.state_source or "").strip() or "register"
            put_case(row, ladder.close(case, by, f"state: {row.elder.state}", self.now))
            self._log(row, f"closed:{row.elder.state}")
            return
        self._to_person(row, case, stops_calls(row.elder) or Reason.HUMAN_CONTACT, Urgency.TODAY)

    def _to_person(self, row: Checkin, case: Case, reason: Reason, urgency: Urgency) -> None:
        put_case(row, ladder.need_person(case, reason, urgency, self.now))
        searches.follow(self.session, row, case, self.now, self.finder.rosters)
        self.claimed.to_person += 1
        self._log(row, f"needs_person:{reason}")

    def _call(self, row: Checkin, case: Case) -> None:
        number = row.elder.number
        assert number is not None
        if not self.pace.budget:
            self.claimed.limited = True
            return
        allowed = allowed_at(Purpose.CHECKIN, dialled(self.session, number, self.now), self.now)
        if allowed > self.now:
            self._postpone(row, case, allowed)
        elif _busy_with(self.session, number):
            row.due_at = self.now + NEWS_WITHIN  # somebody of this number is being called right now
        else:
            self.pace.budget -= 1
            self._intend(number, [row, *self._others(row, number)])

    def _postpone(self, row: Checkin, case: Case, allowed: datetime) -> None:
        after = ladder.postpone(case, allowed, self.now)
        put_case(row, after)
        searches.follow(self.session, row, case, self.now, self.finder.rosters)
        self.claimed.postponed += after.dialling
        self.claimed.to_person += not after.dialling
        self._log(row, "postponed:line_rules" if after.dialling else f"needs_person:{after.reason}")

    def _others(self, row: Checkin, number: str) -> list[Checkin]:
        """Others behind the same number who are due now or soon: one call asks them all."""
        query = (
            select_cases()
            .where(Person.number == number, Checkin.id != row.id, Checkin.date == row.date)
            .where(Checkin.status.in_((Status.PLANNED, Status.WAITING)))
            .where(Checkin.due_at <= self.now + JOIN_WITHIN)
            .order_by(Checkin.due_at, Checkin.id)
            .with_for_update(skip_locked=True, of=Checkin)
        )
        return [other for other in self.session.scalars(query) if self._joins(other)]

    def _joins(self, other: Checkin) -> bool:
        if stops_calls(other.elder):
            return False
        case = replace(case_of(other), due_at=self.now)
        return isinstance(ladder.decide(case, self.now), PlaceCall)

    def _intend(self, number: str, rows: list[Checkin]) -> None:
        cases = [case_of(row) for row in rows]
        try_no = max(case.tries for case in cases) + 1
        intent = intend(self.session, number, Purpose.CHECKIN, self.now, self.owner, try_no=try_no)
        self.finder.rosters.rings(number)
        taken = [row for row, case in zip(rows, cases, strict=True) if self._take(row, case, intent.check_at)]
        serve(self.session, intent, taken)
        for row in taken:
            log_event(self.session, row, f"call:{try_no}", self.owner, self.now, intent_id=intent.id)
        assert taken, "due rows are locked; nobody else can have taken them"
        told = promises.variables(self.finder.rosters, taken[0], self.now)
        self.claimed.requests.append(_request(intent, taken, max(case.policy.ring_s for case in cases), told))

    def _take(self, row: Checkin, case: Case, until: datetime) -> bool:
        """Compare-and-set: nobody else has taken or changed the case since we read it."""
        mine = (
            update(Checkin)
            .where(Checkin.id == row.id, Checkin.status == row.status, Checkin.due_at == row.due_at)
            .where(Checkin.lease_until.is_(None) | (Checkin.lease_until <= self.now))
            .values(lease_owner=self.owner, lease_until=until)
            .execution_options(synchronize_session=False)
        )
        if self.session.execute(mine).rowcount != 1:  # type: ignore[attr-defined]
            return False
        put_case(row, ladder.calling(case, until))
        row.lease_owner, row.lease_until = self.owner, until
        return True

    def _log(self, row: Checkin, what: str) -> None:
        log_event(self.session, row, what, self.owner, self.now)


def _busy_with(session: Session, number: str) -> bool:
    live = select(func.count()).where(CallIntent.number == number, CallIntent.state.in_(LIVE))
    return bool(session.scalar(live))


def _request(intent: CallIntent, rows: list[Checkin], ring_s: int, told: Mapping[str, str]) -> CallRequest:
    place: Neighbourhood = rows[0].elder.neighbourhood
    variables = {**told, "committee": place.committee} | ({"notice": place.notice} if place.notice else {})
    callees = tuple(herself(row) for row in rows)
    return CallRequest(intent.id, intent.number, FLOW, callees, variables, ring_s)
