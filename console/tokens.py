"""Tokens for the JSON API: made, found again by what a program sends, revoked.

A token is 256 random bits. Nobody can try so many, so its SHA-256 may stand in the database and be looked up at each
request; a slow hash with salt, as passwords need it that people choose, would only cost time.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.names import named
from console.accounts_tables import Account
from console.scopes import Scope
from console.tokens_tables import ApiToken

PREFIX = "wenan_"  # so that whoever finds one in a file knows what it opens
MAX_NAME = 60
MAX_DAYS, DAYS = 730, 365


@dataclass(frozen=True)
class Caller:
    """Whose token it is that asks."""

    token_id: int
    name: str = field(repr=False)
    scopes: frozenset[str]
    used_on: date | None

    def acting(self, person: str | None) -> str:
        """As it stands in cases and logs. ValueError when it is no name."""
        return f"{named(person)}（{self.name}）" if person else self.name


def make(session: Session, name: str, scopes: Collection[str], days: int, by: str, now: datetime) -> tuple[int, str]:
    """Its row and the token itself, which is nowhere else. ValueError says what is wrong."""
    name, by = _free_name(session, name), named(by)
    if not scopes or set(scopes) - set(Scope):
        raise ValueError(f"--scopes: one or more of {', '.join(Scope)}")
    if not 1 <= days <= MAX_DAYS:
        raise ValueError(f"--days: 1 to {MAX_DAYS}")
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(name=name, hashed=_hashed(token), scopes=sorted(set(scopes)), made_by=by[:100], made_at=now)
    row.expires_at = now + timedelta(days=days)
    session.add(row)
    session.flush()
    return row.id, token


def find(session: Session, token: str, now: datetime) -> Caller | None:
    """None for what was never made, is revoked, or has expired."""
    row = session.scalars(select(ApiToken).where(ApiToken.hashed == _hashed(token))).one_or_none()
    if row is None or row.revoked_at is not None or now >= row.expires_at:
        return None
    return Caller(row.id, row.name, frozenset(row.scopes), row.used_on)


def touch(session: Session, token_id: int, day: date) -> None:
    session.get_one(ApiToken, token_id).used_on = day


def revoke(session: Session, token_id: int, by: str, now: datetime) -> ApiToken:
    """Nobody gets in with it from now on. The same again changes nothing; LookupError when there is none."""
    row, by = session.get(ApiToken, token_id, with_for_update=True), named(by)
    if row is None:
        raise LookupError("there is no such token (`tokens list`)")
    if row.revoked_at is None:
        row.revoked_by, row.revoked_at = by[:100], now
    return row


def listed(session: Session) -> list[ApiToken]:
    """Those that open something first."""
    return list(session.scalars(select(ApiToken).order_by(ApiToken.revoked_at.is_not(None), ApiToken.name)))


def by_name(session: Session, name: str) -> ApiToken:
    row = session.scalars(select(ApiToken).where(ApiToken.name == name.strip())).one_or_none()
    if row is None:
        raise LookupError(f"there is no token “{name}” (`tokens list`)")
    return row


def _free_name(session: Session, text: str) -> str:
    """One that is nobody's: two that are one in the log say nothing."""
    name = named(text)
    if len(name) > MAX_NAME:
        raise ValueError(f"a token's name has at most {MAX_NAME} signs")
    taken = select(ApiToken.id).where(ApiToken.name == name), select(Account.id).where(Account.name == name)
    if any(session.scalar(query) for query in taken):
        raise ValueError("this name is taken: name the program and its office, e.g. 曹杨街道平台")
    return name


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
