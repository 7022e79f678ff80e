"""By which trunk a call goes that must get out, where the line has a second one (an account for alarms, keys only)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from checkins.pace import is_line_down
from checkins.ports import Disposition
from checkins.tables import CallIntent

SECOND = "alarm"
FAILED = (Disposition.LINE_ERROR, Disposition.CANCELLED, Disposition.UNKNOWN)  # ringing twice harms nobody here


def trunk_for(session: Session, now: datetime, *calls: ColumnElement[bool]) -> str:
    """SECOND while the line is down; the other one when the last of these calls met a line error; else "", the line's
    own."""
    query = select(CallIntent.trunk, CallIntent.disposition).where(*calls)
    last = session.execute(query.order_by(CallIntent.created_at.desc()).limit(1)).one_or_none()
    if last is not None and last.disposition in FAILED:
        return "" if last.trunk else SECOND
    return SECOND if is_line_down(session, now) else ""
