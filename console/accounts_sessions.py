"""Who is logged in: begun, found again by the cookie, ended. Rules of time are pure."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from console import accounts
from console.accounts_tables import Account, AccountSession
from console.roles import Role

WHOLE = timedelta(hours=12)  # a working day
IDLE = timedelta(hours=2)  # pages that renew themselves do nothing
TOUCH_EVERY = timedelta(minutes=1)  # `seen_at` is no more exact


@dataclass(frozen=True)
class Visitor:
    """Whoever asks for a page. `form`: what each of their forms must bring along; it is bound to the session."""

    account: int
    login: str = field(repr=False)
    name: str = field(repr=False)
    role: Role
    must_change: bool
    cookie: str = field(repr=False)
    seen_at: datetime

    @property
    def form(self) -> str:
        return form_token(self.cookie)


def form_token(cookie: str) -> str:
    """Without the cookie nobody can make it, and from it nobody can make the cookie."""
    return hmac.new(cookie.encode("utf-8", "replace"), b"wenan form", hashlib.sha256).hexdigest()


def begin(session: Session, account: Account, now: datetime, what: str = "login") -> str:
    """The new session's cookie. Always a new one: a cookie that somebody planted is nobody's."""
    cookie = secrets.token_urlsafe(32)
    row = AccountSession(hashed=_hashed(cookie), account_id=account.id, began_at=now, seen_at=now, ends_at=now + WHOLE)
    session.add(row)
    session.execute(delete(AccountSession).where(AccountSession.ends_at < now))
    if what:
        accounts.note(session, account, what, account.name or account.login, now)
    return cookie


def find(session: Session, cookie: str, now: datetime) -> Visitor | None:
    """Who has this cookie, if they are still logged in and may be."""
    row = session.get(AccountSession, _hashed(cookie)) if cookie else None
    account = session.get(Account, row.account_id) if row else None
    if row is None or account is None or account.locked_at is not None or is_over(row.seen_at, row.ends_at, now):
        return None
    must_change = account.one_time_until is not None
    return Visitor(account.id, account.login, account.name, Role(account.role), must_change, cookie, row.seen_at)


def is_over(seen_at: datetime, ends_at: datetime, now: datetime) -> bool:
    return now >= ends_at or now - seen_at >= IDLE


def touch(session: Session, cookie: str, now: datetime) -> None:
    """They have done something."""
    row = session.get(AccountSession, _hashed(cookie))
    if row is not None and row.seen_at < now:
        row.seen_at = now


def end(session: Session, cookie: str, now: datetime) -> None:
    row = session.get(AccountSession, _hashed(cookie))
    if row is not None:
        account = session.get_one(Account, row.account_id)
        accounts.note(session, account, "logout", account.name or account.login, now)
        session.delete(row)


def _hashed(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()
