"""After a clock that was fast (checkins.fast_clock): who logged in by it logs in again, a one-time password holds no
longer than one that was given now, and what was done to accounts ahead of time counts as done now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, update
from sqlalchemy.orm import Session

from console.accounts import ONE_TIME
from console.accounts_sessions import WHOLE
from console.accounts_tables import Account, AccountEvent, AccountSession

_WRITTEN = (Account.locked_at, Account.made_at, AccountEvent.at)


def accept(session: Session, now: datetime) -> int:
    """The clock is right at `now`; how many moments lay ahead. Safe to repeat."""
    ahead = or_(AccountSession.began_at > now, AccountSession.seen_at > now, AccountSession.ends_at > now + WHOLE)
    ended = _count(session, delete(AccountSession).where(ahead))
    latest = now + ONE_TIME
    void = update(Account).where(Account.one_time_until > latest).values(one_time_until=latest)
    return ended + _count(session, void) + sum(_pull(session, column, now) for column in _WRITTEN)


def _pull(session: Session, column: Any, now: datetime) -> int:
    return _count(session, update(column.class_).where(column > now).values({column.key: now}))


def _count(session: Session, statement: Any) -> int:
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]
