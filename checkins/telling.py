"""Who must hear that a case isn't theirs (any more): a queue of its own, since the case may be closed by then.

Only who believes that they must go is in it: they had accepted, or stand before the door. So they are told at any hour.
`teller.py` rings them; what they heard in another call counts as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.case_rows import log_event
from checkins.device_tables import Telling
from checkins.ports import Disposition, PersonOutcome
from checkins.responders import name_of
from checkins.tables import CallIntent, Checkin

TAKEN = "taken"  # the flow
TELL = "tell"  # the purpose of its calls
CALLS = 2
_LINE_FAILED = (Disposition.LINE_ERROR, Disposition.CANCELLED)  # nothing rang: no call
HEARD, UNHEARD, NEEDLESS = "heard", "unheard", "needless"


def queue(session: Session, row: Checkin, responder: str, now: datetime) -> None:
    """They are to be rung, once for this case; who waits for it already isn't added again."""
    if waiting(session, row, responder) is None:
        session.add(Telling(checkin_id=row.id, responder=responder, since=now, due_at=now, tries=0))
        session.flush()


def waiting(session: Session, row: Checkin, responder: str) -> Telling | None:
    query = select(Telling).where(
        Telling.checkin_id == row.id, Telling.responder == responder, Telling.done_at.is_(None)
    )
    return session.scalar(query.with_for_update())


def done(session: Session, row: Checkin, telling: Telling, outcome: str, now: datetime, intent_id: str = "") -> None:
    """No call is ahead for it."""
    telling.done_at, telling.outcome = now, outcome
    who = name_of(session, row, telling.responder)
    detail = {"responder": telling.responder}
    log_event(session, row, f"told:{outcome}", who, now, intent_id=intent_id or None, detail=detail)


def ended(
    session: Session,
    intent: CallIntent,
    rows: Iterable[Checkin],
    disposition: Disposition,
    people: Sequence[PersonOutcome],
    now: datetime,
) -> None:
    """What a call of the flow `taken` came to. A failure of the line is not counted as a call."""
    assert intent.responder is not None
    heard = {person.id for person in people if person.result == "told"}
    for row in rows:
        telling = waiting(session, row, intent.responder)
        if telling is None:
            continue
        if row.elder_id in heard:
            done(session, row, telling, HEARD, now, intent.id)
        elif disposition in _LINE_FAILED:
            telling.tries = max(0, telling.tries - 1)
        elif telling.tries >= CALLS:
            done(session, row, telling, UNHEARD, now, intent.id)


def heard_elsewhere(
    session: Session, intent: CallIntent, rows: Iterable[Checkin], people: Sequence[PersonOutcome], now: datetime
) -> None:
    """In a call that asked whether they go, they were told that somebody else was first."""
    assert intent.responder is not None
    heard = {person.id for person in people if person.result == "taken"}
    for row in rows:
        telling = waiting(session, row, intent.responder) if row.elder_id in heard else None
        if telling is not None:
            done(session, row, telling, HEARD, now, intent.id)
