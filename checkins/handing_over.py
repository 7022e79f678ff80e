"""0 in an elder's call: who of the committee is rung out of it, and what became of that.

Rung are the person on duty, then the deputy, each once for an elder and a call, and in working hours only: outside them
nobody but emergencies and unreached elders reaches the duty person (PRODUCT.md, principle 5); the elder hears by when
somebody rings. Who is on a call of ours isn't rung. Whoever takes it by key has the case, and nothing is closed by it:
they talked, and say themselves what they found. The two minutes between calls to one person don't hold: an elder waits.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from checkins import answers, ladder, searches
from checkins.case_rows import case_of, log_event, put_case, served_by
from checkins.escalation.values import Reply, Responder
from checkins.findings import log_said
from checkins.intents import intend, serve
from checkins.ladder import News
from checkins.pace import LIVE, count_alone, lines_taken
from checkins.ports import Callee, CallRequest, Clock, Disposition, PersonOutcome
from checkins.promises import COMMITTEE, promised
from checkins.responders import Rosters, name_of
from checkins.results import LINE, Result, Urgency
from checkins.roster.holidays import is_working_time
from checkins.tables import CallIntent, Checkin, IntentCheckin
from storage.database import Database, to_millis

log = logging.getLogger(__name__)

HAND_OVER = "hand_over"  # purpose of the call, and its flow
RING_S = 20  # an elder waits meanwhile
_WHY: Mapping[str, str] = {Result.NOT_WELL: "说身体不舒服", Result.OTHER_SAYS_UNWELL: "说身体不舒服"}
_TAKEN = "took"  # on the intent: the elders who were taken over
# ── whom to ring ──────────────────────────────────────────────────────────────────────────────────


class Switchboard:
    """`lines`: of the trunk; an elder who waits may have those that are else kept free. `owner` stands in the rows."""

    def __init__(self, db: Database, clock: Clock, *, lines: int, owner: str) -> None:
        self._db, self._clock, self._lines, self._owner = db, clock, lines, owner

    async def whom(self, call_id: str, person_id: str, nth: int, known: str = "") -> CallRequest | None:
        """Whom to ring out of the call `call_id` for this elder, as its `nth` call; its intent is written when this
        returns. The same question has the same answer. None: nobody. `known`: what the elder's call has come to so far,
        for whoever is rung to hear."""
        now = self._clock.now()
        request = await self._db.run(
            lambda session: _whom(session, call_id, person_id, nth, now, self._lines, self._owner)
        )
        return request and _with_why(request, known)


def _whom(
    session: Session, call_id: str, elder_id: str, nth: int, now: datetime, lines: int, owner: str
) -> CallRequest | None:
    count_alone(session)
    call = session.get(CallIntent, call_id, with_for_update=True)
    row = _case(session, call_id, elder_id)
    if call is None or row is None or call.responder is not None or call.state not in LIVE:
        return None
    asked = session.scalars(select(CallIntent).where(CallIntent.for_call == call_id, CallIntent.try_no == nth)).first()
    if asked is not None:
        return _request(asked, row) if asked.state in LIVE else None
    if lines_taken(session) >= lines:
        log.warning("call %s: no line is free to ring somebody for the elder", call_id)
        return None
    return _ring(session, call, row, nth, now, owner)


def _ring(session: Session, call: CallIntent, row: Checkin, nth: int, now: datetime, owner: str) -> CallRequest | None:
    for one in _candidates(session, call, row, now):
        try:
            with session.begin_nested():
                intent = intend(
                    session,
                    one.number or "",
                    HAND_OVER,
                    now,
                    owner,
                    try_no=nth,
                    flow=HAND_OVER,
                    responder=one.id,
                    for_call=call.id,
                )
                serve(session, intent, [row])
                session.flush()
        except IntegrityError:  # on a call of ours since a moment ago
            continue
        detail = {"responder": one.id}
        log_event(session, row, f"hand_over:{one.kind}", owner, now, intent_id=intent.id, detail=detail)
        return _request(intent, row)
    return None


def _candidates(session: Session, call: CallIntent, row: Checkin, now: datetime) -> Iterator[Responder]:
    """Duty, then deputy, but for those who were rung for this elder in this call or are on another one."""
    rosters = Rosters(session, now)
    if not is_working_time(rosters.calendar(row), now):
        return
    query = select(CallIntent.responder).join(IntentCheckin, IntentCheckin.intent_id == CallIntent.id)
    rung = set(session.scalars(query.where(CallIntent.for_call == call.id, IntentCheckin.checkin_id == row.id)))
    busy = set(session.scalars(select(CallIntent.number).where(CallIntent.state.in_(LIVE))))
    people = rosters.people(row, Urgency.SOON)
    for one in (one for who in COMMITTEE for one in people[who]):
        if one.id not in rung and one.number is not None and one.number not in busy:
            yield one


def _request(intent: CallIntent, row: Checkin) -> CallRequest:
    """They hear the elder's name after key 1; the talk is recorded by nobody."""
    elder = Callee(row.elder.id, row.elder.spoken_name, row.elder.language, records=False, transcribes=False)
    variables = {"committee": row.elder.neighbourhood.committee}
    return CallRequest(intent.id, intent.number, HAND_OVER, (elder,), variables, RING_S, for_call=intent.for_call or "")


def _with_why(request: CallRequest, known: str) -> CallRequest:
    """What she has said of herself before she pressed 0 comes before "想找人讲话", the flow's own word."""
    why = _WHY.get(known)
    callees = tuple(replace(callee, variables={**callee.variables, "why": why}) for callee in request.callees if why)
    return replace(request, callees=callees) if why else request


def _case(session: Session, call_id: str, elder_id: str) -> Checkin | None:
    query = served_by(call_id).where(Checkin.elder_id == elder_id)
    found: Checkin | None = session.scalars(query.with_for_update(of=Checkin)).first()
    return found


# ── what became of it ─────────────────────────────────────────────────────────────────────────────


def taken(session: Session, intent_id: str, elder_id: str, now: datetime) -> bool:
    """Whoever was rung has pressed that they take it, and is about to be put through. False: no such call."""
    intent, row = session.get(CallIntent, intent_id, with_for_update=True), _case(session, intent_id, elder_id)
    if intent is None or intent.purpose != HAND_OVER or row is None:
        return False
    _take(session, intent, row, now)
    return True


def ended(
    session: Session,
    intent: CallIntent,
    rows: Iterable[Checkin],
    disposition: Disposition,
    people: Sequence[PersonOutcome],
    now: datetime,
) -> None:
    """The call to somebody is over. Who didn't take it leaves the case as it is: the elder's own call says what
    follows."""
    said = {person.id: person for person in people}
    for row in rows:
        reply = answers.reply_of(disposition, said.get(row.elder_id))
        if reply is Reply.ACCEPTED:
            _take(session, intent, row, now)
        else:
            log_said(session, intent, row, f"not_handed_over:{reply}", LINE, now)


def _take(session: Session, intent: CallIntent, row: Checkin, now: datetime) -> None:
    """Once. An emergency is another matter: nobody has told them of it."""
    took = intent.applied.get(_TAKEN, [])
    if row.elder_id in took:
        return
    intent.applied = {**intent.applied, _TAKEN: [*took, row.elder_id]}
    assert intent.responder is not None
    log_said(session, intent, row, "handed_over", name_of(session, row, intent.responder), now)
    before = case_of(row)
    if before.alarm:
        return
    put_case(row, ladder.apply(before, News(Result.WANTS_PERSON, "key"), now))
    searches.follow(session, row, before, now)
    answers.first(session, intent, row, now)


# ── the elder's own call is over ──────────────────────────────────────────────────────────────────


def talked(session: Session, call: CallIntent, row: Checkin) -> bool:
    """Whether somebody took this elder over out of the call: the case knows already that a person was wanted."""
    legs = session.scalars(select(CallIntent).where(CallIntent.for_call == call.id))
    return any(row.elder_id in leg.applied.get(_TAKEN, []) for leg in legs)


def promise(session: Session, call: CallIntent, row: Checkin, person: PersonOutcome | None, now: datetime) -> None:
    """After a 0 that nobody took: by when the elder was told that somebody rings. The case is looked at by then."""
    detail = person.detail if person else {}
    if detail.get(HAND_OVER) != "nobody" and detail.get("key") != "0":
        return
    by = promised(Rosters(session, now).calendar(row), call.created_at)
    log_event(session, row, "promised", LINE, now, intent_id=call.id, detail={"by": to_millis(by)})
    if row.due_at is not None:
        row.due_at = min(row.due_at, max(by, now))
