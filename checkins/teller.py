"""Rings those who must hear that somebody else has a case: one call for all that one responder must hear, two calls at
most, 5 min apart, never while they are on another one nor within 2 min of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from checkins import searches
from checkins.case_rows import log_event, select_cases
from checkins.device_tables import Telling
from checkins.errands import request
from checkins.escalation.scene import POLL, TELL_WITHIN, ago
from checkins.escalation.values import Finding, Phase
from checkins.finder import MOST, Lines, one_call
from checkins.intents import intend, serve
from checkins.ports import Callee, CallRequest
from checkins.responders import Rosters, same_phone
from checkins.results import Status
from checkins.roster.loading import may_ring
from checkins.roster.tables import RosterDuty
from checkins.roster.values import Kind, Responder
from checkins.tables import GONE, CallIntent, Checkin, Person
from checkins.telling import NEEDLESS, TAKEN, TELL, UNHEARD, done

AGAIN = timedelta(minutes=5)
_Pair = tuple[Checkin, Telling]


@dataclass
class Teller:
    """For one transaction at one moment. `requests` is the claim's list: what must be dialled after the commit."""

    session: Session
    now: datetime
    owner: str
    rosters: Rosters
    lines: Lines
    requests: list[CallRequest]
    limited: bool = False

    def ring(self) -> None:
        """Writes the calls that are due. What can't be made now stays due."""
        for pairs in self._due().values():
            case_id = pairs[0][0].id
            with one_call(self.session, self.lines, self.requests, case_id, "nobody can be told of it"):
                self._ring([pair for pair in pairs if self._is_news(*pair)])

    def _due(self) -> Mapping[tuple[int, str], Sequence[_Pair]]:
        """By responder (the street office's id is the same everywhere): the cases, oldest first."""
        query = select_cases().join(Telling, Telling.checkin_id == Checkin.id).add_columns(Telling)
        query = query.where(Telling.done_at.is_(None), Telling.due_at <= self.now)
        query = query.order_by(Telling.id).with_for_update(of=Telling, skip_locked=True)
        found: dict[tuple[int, str], list[_Pair]] = defaultdict(list)
        for row, telling in self.session.execute(query).all():
            found[row.neighbourhood_id, telling.responder].append((row, telling))
        return found

    def _is_news(self, row: Checkin, telling: Telling) -> bool:
        """Whether somebody else has the case now, and this responder would go all the same. While nobody has it they
        hear nothing: they may be the one who goes."""
        old = ago(telling.since, self.now) >= TELL_WITHIN
        if old or _theirs(self.session, row, telling.responder):
            done(self.session, row, telling, UNHEARD if old else NEEDLESS, self.now)
        elif not _taken(row):
            telling.due_at = self.now + POLL
        return telling.done_at is None and telling.due_at <= self.now

    def _ring(self, pairs: Sequence[_Pair]) -> None:
        if not pairs:
            return
        (row, telling), pairs = pairs[0], pairs[:MOST]
        whom = _responder(self.session, row, telling.responder)
        if whom is None or whom.number is None:
            for each, item in pairs:
                done(self.session, each, item, UNHEARD, self.now)
        elif self.rosters.taken(whom.number):
            return
        elif not self.lines.free(urgent=False):
            self.limited = True
        else:
            self._call(whom, whom.number, pairs)

    def _call(self, whom: Responder, number: str, pairs: Sequence[_Pair]) -> None:
        rows = [row for row, _ in pairs]
        intent = intend(self.session, number, TELL, self.now, self.owner, flow=TAKEN, responder=whom.id)
        serve(self.session, intent, rows)
        self.rosters.rings(number)
        self.lines.take()
        for row, telling in pairs:
            telling.tries, telling.due_at = telling.tries + 1, self.now + AGAIN
            self._log(row, intent, whom)
        callees = tuple(Callee(row.elder.id, row.elder.spoken_name, row.elder.language, False, False) for row in rows)
        person = self.session.get(Person, whom.id)
        self.requests.append(request(intent, rows[0], whom, callees, person))

    def _log(self, row: Checkin, intent: CallIntent, whom: Responder) -> None:
        detail = {"responder": whom.id}
        log_event(self.session, row, "ring:taken", self.owner, self.now, intent_id=intent.id, detail=detail)


def _taken(row: Checkin) -> bool:
    search = searches.search_of(row)
    return row.status == Status.CLOSED or (search is not None and search.phase is not Phase.SEARCHING)


def _theirs(session: Session, row: Checkin, responder: str) -> bool:
    """They have it (again), saw the elder, closed it, or were told to stay there."""
    search = searches.search_of(row)
    if search is None or search.stays(responder):
        return search is not None
    if search.phase is Phase.TAKEN:
        has_it = search.accepted_by or ""
        return has_it == responder or same_phone(session, has_it, responder)
    there = search.found_by if search.finding is not Finding.NOBODY_OPENS else None
    return responder in (search.ended_by, there) and search.phase is not Phase.SEARCHING


def _responder(session: Session, row: Checkin, responder: str) -> Responder | None:
    """As they are rung now: by the register, not the roster, for who went on leave meanwhile must hear it, too."""
    if responder == Kind.STREET:
        duty = session.get(RosterDuty, row.neighbourhood_id)
        name = (duty.street_name if duty else None) or "街道"
        return Responder(responder, name, name, duty.street_number, Kind.STREET, "zh") if duty else None
    person = session.get(Person, responder)
    if person is None or person.state in GONE:
        return None
    number = person.number if may_ring(person.number_state, person.role) else None
    return Responder(person.id, person.name, person.spoken_name, number, Kind.DUTY, person.language)
