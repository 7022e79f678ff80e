"""The cycle's hands for the search: asks each due case's search what to do, and writes the calls that follow.

Two passes in one transaction. First every due case is looked at: what needs no call is done, and who is to be rung is
noted. Then each responder gets one call that carries all the cases that wait for them, the most urgent first. A
responder's number is never rung while it is on a call of ours (the partial unique index on live numbers holds the same
against every other process), nor twice within 2 min; emergencies keep the 2 min each by itself (Rosters.taken).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from checkins import emergency, ladder, searches
from checkins.case_rows import case_of, log_event, put_case
from checkins.errands import CONFIRM, DISPATCH, FINDING, callee, confirm_request, request, who_said
from checkins.escalation import search as core
from checkins.escalation.policy import AWAKE, Who
from checkins.escalation.policy import FINDING as FINDING_WITHIN
from checkins.escalation.values import (
    CallForFinding,
    Confirm,
    Idle,
    Phase,
    Responder,
    Ring,
    Search,
    TellTaken,
    Wait,
)
from checkins.intents import NEWS_WITHIN, dialled, intend, serve
from checkins.line_rules import Purpose, allowed_at
from checkins.pace import Pace, lines_sure
from checkins.people import stops_calls
from checkins.ports import Callee, CallRequest
from checkins.responders import Rosters
from checkins.results import SLEEPLESS, URGENCIES, Status, Urgency
from checkins.second_trunk import trunk_for
from checkins.tables import CallIntent, Checkin, IntentCheckin, Person

log = logging.getLogger(__name__)

CONFIRM_AGAIN = timedelta(minutes=5)  # after a busy or broken line
FAILED_WITHIN = timedelta(minutes=10)  # a line error so long ago says nothing about the trunk now
MOST = 20  # cases in one call: about what its 10 min hold; the others are rung with the next one
_MOVES = 20  # of one search at one moment; more would be a fault


@dataclass
class Lines:
    """What may be started now. `urgent` counts the lines that are else kept free for people ringing in, and starts
    ahead of the rate."""

    pace: Pace
    urgent: int
    probed: bool = False  # the line is down, and the one call that may try it is an elder's who is due

    def free(self, *, urgent: bool) -> bool:
        return self.urgent > 0 if urgent else self.pace.budget > 0 and not self.probed

    def take(self) -> None:
        self.pace.budget, self.urgent = max(0, self.pace.budget - 1), self.urgent - 1


def lines_now(session: Session, now: datetime, pace: Pace, all_lines: int) -> Lines:
    """An emergency may use every line, those of orders that the carrier doesn't answer, too, and tries also while the
    line counts as down. For all else a dead line is tried
    by one call at a time: an elder's who is due, if there is one, so that it sends out no buddies."""
    urgent = min(pace.urgent, max(0, all_lines - lines_sure(session, now)))
    if not pace.line_down:
        return Lines(pace, urgent)
    due = select(Checkin.id).where(Checkin.status.in_((Status.PLANNED, Status.WAITING)), Checkin.due_at <= now).limit(1)
    return Lines(pace, urgent, session.scalar(due) is not None)


@contextmanager
def one_call(session: Session, lines: Lines, requests: list[CallRequest], case_id: int, failed: str) -> Iterator[None]:
    """What is written of one call, or nothing of it: a call that can't be written breaks nothing for others, and its
    cases stay due. `failed`: what the log says then."""
    made, urgent, budget = len(requests), lines.urgent, lines.pace.budget
    try:
        with session.begin_nested():
            yield
    except (ValueError, LookupError, AssertionError, IntegrityError) as error:
        log.error("case %s: %s: %s", case_id, failed, type(error).__name__)
        lines.urgent, lines.pace.budget = urgent, budget
        del requests[made:]


@dataclass
class _Errand:
    """One call to one responder, and whose cases it carries."""

    responder: Responder
    kind: str
    flow: str
    rows: list[Checkin] = field(default_factory=list)

    @property
    def urgent(self) -> bool:
        return any(row.urgency == Urgency.EMERGENCY for row in self.rows)


@dataclass
class Finder:
    """For one transaction at one moment. `requests` is the claim's list: what must be dialled after the commit."""

    session: Session
    now: datetime
    owner: str
    rosters: Rosters
    lines: Lines
    requests: list[CallRequest]
    second: bool = False  # there is another trunk, for emergencies on a dead line
    limited: bool = False
    reminded: int = 0
    _errands: dict[tuple[str, str, str], _Errand] = field(default_factory=dict)
    _waiting: dict[int, Checkin] = field(default_factory=dict)  # cases whose calls are still to be written
    _emergencies: list[Checkin] = field(default_factory=list)

    # ── looking ───────────────────────────────────────────────────────────────────────────────────

    def look(self, row: Checkin) -> None:
        """Does what this due case's search wants, but for calls to responders: those are noted for `ring`."""
        if row.urgency == Urgency.EMERGENCY:
            self._emergencies.append(row)
        before = search = searches.search_of(row) or searches.begin(row, case_of(row), self.now)
        for _ in range(_MOVES):
            search, action = self.rosters.advance(row, search)
            match action:
                case Wait(until, nobody_to_ring=True):
                    self._remind(row, before, until)
                    return
                case Wait(until):
                    self._wait(row, search, until)
                    return
                case Ring() | CallForFinding():
                    self._note(row, action)
                    self._wait(row, search, self.now)
                    return
                case TellTaken(responder, by):
                    search = searches.tell(self.session, row, search, responder.id, by, self.now)
                case Confirm() if reason := stops_calls(row.elder):  # closed by who saw them: they may not be rung
                    log_event(self.session, row, f"not_confirmed:{reason}", "line", self.now)
                    search = core.confirmed(search, self.now)
                case Confirm():
                    self._confirm(row, search, action)
                    return
                case Idle():
                    searches.keep(self.session, row, search, self.now)
                    return
        raise ValueError("a search does not come to rest")

    def _remind(self, row: Checkin, search: Search, until: datetime) -> None:
        """Nobody is left whom the line could ring: the case stays as it is, for eyes on the console."""
        searches.put_search(row, search)
        case = case_of(row)
        put_case(row, ladder.remind(case, self.now))
        if not case.owner:
            log.warning("case %s: nobody to ring; it waits on the console", row.id)
            if row.urgency in SLEEPLESS and row.due_at:
                row.due_at = min(row.due_at, until)
        self.reminded += 1
        log_event(self.session, row, "reminded", self.owner, self.now)

    def _wait(self, row: Checkin, search: Search, until: datetime) -> None:
        """The next look; what the search has come to meanwhile (nobody has it any more) shows in the case."""
        had, before = row.owner, searches.search_of(row)
        searches.keep(self.session, row, search, self.now)
        if had and not row.owner and before is not None and before.phase is Phase.TAKEN:
            log_event(self.session, row, "no_finding", had, self.now)
        if until > self.now:
            row.due_at = until if row.urgency not in SLEEPLESS else min(until, self.now + _asleep(row))

    def _note(self, row: Checkin, action: Ring | CallForFinding) -> None:
        people = action.responders if isinstance(action, Ring) else (action.responder,)
        flow = DISPATCH if isinstance(action, Ring) else FINDING
        for one in people:
            errand = self._errands.setdefault(self._whom(one, flow), _Errand(one, str(Who(one.kind)), flow))
            errand.rows.append(row)
        self._waiting[row.id] = row

    def join(self, row: Checkin) -> None:
        """A case that is looked at a little later, as one that waits for somebody on a call is, goes with the call that
        they get now: else others' cases could keep them from it for as long as they are rung."""
        search = searches.search_of(row)
        if search is None:
            return
        search, action = self.rosters.advance(row, search)
        if isinstance(action, Ring) and any(self._whom(one, DISPATCH) in self._errands for one in action.responders):
            self._note(row, action)
            self._wait(row, search, self.now)

    def joined(self, rows: Iterable[Checkin]) -> None:
        for row in rows if self._errands else ():
            self._guarded(row, lambda row=row: self.join(row))  # type: ignore[misc]

    @staticmethod
    def _whom(one: Responder, flow: str) -> tuple[str, str, str]:
        return one.id, one.number or "", flow  # every street office has the same id

    # ── ringing ───────────────────────────────────────────────────────────────────────────────────

    def ring(self) -> None:
        """Writes the calls that were noted, then asks each case again when it is to be looked at next."""
        for errand in sorted(self._errands.values(), key=_order):
            self._guarded(errand.rows[0], lambda errand=errand: self._ring(errand))  # type: ignore[misc]
        for row in self._waiting.values():
            self._guarded(row, lambda row=row: self._after(row))  # type: ignore[misc]
        for row in self._emergencies:
            self._guarded(row, lambda row=row: self._elder(row))  # type: ignore[misc]

    def _ring(self, errand: _Errand) -> None:
        number = errand.responder.number
        if number is None or self.rosters.taken(number, urgent=errand.urgent):
            return
        if not self.lines.free(urgent=errand.urgent):
            self.limited = True
            return
        rows = sorted(errand.rows, key=_urgency)[:MOST]
        trunk = self._trunk(errand)
        intent = self._intend(number, errand.kind, rows, flow=errand.flow, responder=errand.responder.id, trunk=trunk)
        for row in rows:
            search = searches.search_of(row)
            assert search is not None
            searches.put_search(row, core.rang(search, errand.responder.id, self.now))
            detail = {"responder": errand.responder.id}
            what = "ring" if errand.flow == DISPATCH else "ask"
            log_event(
                self.session, row, f"{what}:{errand.kind}", self.owner, self.now, intent_id=intent.id, detail=detail
            )
        callees = tuple(self._callee(row, errand) for row in rows)
        person = self.session.get(Person, errand.responder.id)
        made = request(intent, rows[0], errand.responder, callees, person)
        self.requests.append(replace(made, urgent=errand.urgent, trunk=trunk))

    def _trunk(self, errand: _Errand) -> str:
        """In an emergency the other trunk is tried when the line is dead, or failed them a moment ago."""
        if not (self.second and errand.urgent):
            return ""
        near = CallIntent.created_at > self.now - FAILED_WITHIN
        return trunk_for(self.session, self.now, CallIntent.responder == errand.responder.id, near)

    def _callee(self, row: Checkin, errand: _Errand) -> Callee:
        search = searches.search_of(row)
        shares = errand.responder.kind != Who.STREET or bool(row.elder.consents.get("street"))
        asked = callee(row, search, errand.flow, shares=shares)
        return replace(asked, variables={**asked.variables, **who_said(self.session, search, errand.responder)})

    def _after(self, row: Checkin) -> None:
        """What comes next, now that the calls are written. Who could not be rung is tried again with the next tick."""
        search = searches.search_of(row)
        assert search is not None
        search, action = self.rosters.advance(row, search)
        if isinstance(action, Wait) and not action.nobody_to_ring:
            self._wait(row, search, action.until)
        elif isinstance(action, Wait):
            row.due_at = self.now + min(NEWS_WITHIN, timedelta(minutes=AWAKE))

    def _intend(
        self,
        number: str,
        purpose: str,
        rows: list[Checkin],
        *,
        flow: str | None = None,
        responder: str | None = None,
        trunk: str = "",
    ) -> CallIntent:
        intent = intend(
            self.session, number, purpose, self.now, self.owner, flow=flow, responder=responder, trunk=trunk or None
        )
        serve(self.session, intent, rows)
        self.session.flush()
        self.rosters.rings(number)
        self.lines.take()
        return intent

    def _guarded(self, row: Checkin, work: Callable[[], None]) -> None:
        with one_call(self.session, self.lines, self.requests, row.id, "its search cannot go on"):
            work()

    # ── the elder's own calls ─────────────────────────────────────────────────────────────────────

    def _elder(self, row: Checkin) -> None:
        """In an emergency she is asked as well, unless she is on the line."""
        search = searches.search_of(row)
        if not emergency.wanted(row, search):
            return
        # A search that begins in the future was written by a clock that ran fast: her calls count all the same.
        number, since = row.elder.number or "", min(search.since, self.now) if search else self.now
        when = emergency.next_call(emergency.calls_since(self.session, row, since), self.now)
        if when is None or self.rosters.taken(number, urgent=True):
            return  # she talks to us: the end of her call brings the case back here
        if when > self.now or not self.lines.free(urgent=True):
            self.limited |= when <= self.now
            row.due_at = min(row.due_at or when, when)
        else:
            intent = self._intend(number, Purpose.EMERGENCY, [row], flow=emergency.ALARM)
            log_event(self.session, row, "ring:elder", self.owner, self.now, intent_id=intent.id)
            self.requests.append(emergency.request(intent, row))

    def _confirm(self, row: Checkin, search: Search, action: Confirm) -> None:
        """Rings the elder who was seen and well, a while later, by the line rules for elders; once more after a busy or
        broken line."""
        number = row.elder.number
        assert number is not None
        when = self._confirm_from(row, search, action, number)
        if when <= self.now and self.rosters.taken(number):
            when = self.now + NEWS_WITHIN
        if when > self.now:
            self._wait(row, search, min(when, action.until))
        elif not self.lines.free(urgent=False):
            self.limited = True
        else:
            self._wait(row, search, min(action.until, self.now + NEWS_WITHIN))
            intent = self._intend(number, CONFIRM, [row])
            log_event(self.session, row, "ring:confirm", self.owner, self.now, intent_id=intent.id)
            self.requests.append(confirm_request(intent, row, case_of(row).policy.ring_s))

    def _confirm_from(self, row: Checkin, search: Search, action: Confirm, number: str) -> datetime:
        """A quarter of the time is left to whoever is still with the elder; the rest is room for a second try."""
        moments = [action.after + (action.by - action.after) / 4]
        query = (
            select(func.max(CallIntent.created_at))
            .join(IntentCheckin, IntentCheckin.intent_id == CallIntent.id)
            .where(IntentCheckin.checkin_id == row.id, CallIntent.purpose == CONFIRM)
        )
        last = self.session.scalar(query)
        if last is not None and search.found_at is not None and last >= search.found_at:
            moments.append(last + CONFIRM_AGAIN)
        moments.append(allowed_at(Purpose.CHECKIN, dialled(self.session, number, self.now), self.now))
        return max(moments)


def _asleep(row: Checkin) -> timedelta:
    """How long a case that must not sleep may wait for its next look."""
    return timedelta(minutes=FINDING_WITHIN if row.owner else AWAKE)


def _urgency(row: Checkin) -> tuple[int, int]:
    return (URGENCIES[Urgency(row.urgency)] if row.urgency else len(URGENCIES)), row.id


def _order(errand: _Errand) -> tuple[int, int]:
    return min(_urgency(row) for row in errand.rows)
