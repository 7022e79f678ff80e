"""Call intents as rows: written before the carrier is asked, by whoever wants a call. And when a number was rung."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.line_rules import LOOK_BACK, Purpose
from checkins.tables import CallIntent, Checkin, IntentCheckin, IntentState

INBOUND = "inbound"  # purpose of a call that somebody made to us
NEWS_WITHIN = timedelta(seconds=60)  # without news of a call for so long the carrier is asked


def intend(
    session: Session,
    number: str,
    purpose: str,
    now: datetime,
    owner: str,
    *,
    try_no: int = 1,
    flow: str | None = None,
    responder: str | None = None,
    trunk: str | None = None,
    for_call: str | None = None,
    intent_id: str | None = None,
    state: IntentState = IntentState.INTENDED,
) -> CallIntent:
    """A new intent, flushed: IntegrityError when a call to the number is live already. `intent_id`: of a call that is
    on the line, and has an id."""
    intent = CallIntent(
        id=intent_id or str(uuid4()),
        state=state,
        number=number,
        purpose=purpose,
        flow=flow,
        responder=responder,
        trunk=trunk,
        for_call=for_call,
        try_no=try_no,
        created_at=now,
        check_at=now + NEWS_WITHIN,
        owner=owner,
    )
    session.add(intent)
    session.flush()
    return intent


def serve(session: Session, intent: CallIntent, rows: Iterable[Checkin]) -> None:
    """The cases that the call serves, in the order in which they are asked after."""
    session.add_all(
        IntentCheckin(intent_id=intent.id, checkin_id=row.id, position=position) for position, row in enumerate(rows)
    )


def dialled(session: Session, number: str, now: datetime) -> list[datetime]:
    """When this elder's number was rung for routine purposes; calls to responders and emergencies are exempt."""
    query = select(CallIntent.created_at).where(
        CallIntent.number == number, CallIntent.dialled, CallIntent.created_at > now - LOOK_BACK
    )
    query = query.where(CallIntent.purpose != Purpose.EMERGENCY, CallIntent.responder.is_(None))
    return list(session.scalars(query))
