"""People who are logged in, without the login page: its hashing costs time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
from argon2 import PasswordHasher
from sqlalchemy import select

from checkins.ports import Clock
from console import accounts, accounts_sessions
from console.accounts_tables import Account, AccountSession
from console.door import Door
from console.passwords import Hasher
from console.roles import Role
from storage.database import Database

WORKER = "周老师"


def session_cookie(
    db: Database,
    name: str = WORKER,
    role: Role = Role.WORKER,
    now: datetime | None = None,
    lasts: timedelta = timedelta(),
) -> str:
    """Of an account with that name, made where there is none; `wenan_session` is the cookie's name. `lasts`: so much
    longer than it would, for stories of many days."""
    now = now or datetime.now(UTC)
    with db.write() as session:
        account = session.scalars(select(Account).where(Account.name == name)).first()
        if account is None:
            login = f"u{len(accounts.listed(session)) + 1:02d}"
            account = Account(login=login, name=name, role=role, hashed="", made_at=now)
            session.add(account)
            session.flush()
        account.role = role
        cookie = accounts_sessions.begin(session, account, now)
        for one in session.scalars(select(AccountSession).where(AccountSession.account_id == account.id)):
            one.seen_at, one.ends_at = one.seen_at + lasts, one.ends_at + lasts
        return cookie


def log_in(
    db: Database,
    client: httpx.AsyncClient,
    name: str = WORKER,
    role: Role = Role.WORKER,
    now: datetime | None = None,
    lasts: timedelta = timedelta(),
) -> None:
    """The client is this person's browser from now on."""
    client.cookies.set("wenan_session", session_cookie(db, name, role, now, lasts), domain="127.0.0.1")


def cheap_door(db: Database, clock: Clock, url: str = "") -> Door:
    """Hashes at once: tests are no attackers."""
    return Door(db, clock, url, Hasher(PasswordHasher(1, 8, 1), 0))
