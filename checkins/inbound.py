"""Calls that somebody makes to us, as intents: written before the conversation begins, and dialled by nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from checkins.intents import INBOUND, intend, serve
from checkins.pace import LIVE
from checkins.tables import CallIntent, Checkin, IntentState


def take(
    session: Session,
    call_id: str,
    number: str,
    flow: str,
    now: datetime,
    rows: Sequence[Checkin] = (),
    responder: str | None = None,
) -> CallIntent:
    """It counts against no limit. While it lasts the number is taken, so that nobody rings there; `number` "" is
    nobody's."""
    write = partial(intend, session, number, INBOUND, now, INBOUND, flow=flow, responder=responder, intent_id=call_id)
    live = select(CallIntent.id).where(CallIntent.number == number, CallIntent.state.in_(LIVE))
    free = bool(number) and session.scalar(live) is None
    try:
        with session.begin_nested():
            intent = write(state=IntentState.PLACED if free else IntentState.UNKNOWN)
    except IntegrityError:  # we began to ring them at this very moment
        intent = write(state=IntentState.UNKNOWN)
    intent.dialled = False
    serve(session, intent, rows)
    session.flush()
    return intent
