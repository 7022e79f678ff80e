"""The page of accounts: who has one, what they may, whether they are logged in. Three queries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console import accounts
from console.accounts_sessions import IDLE
from console.accounts_tables import Account, AccountEvent, AccountSession
from console.roles import ROLE_ZH, Role

_COMINGS = ("login", "logout", "refused")  # who comes and goes changes nothing of an account


@dataclass(frozen=True)
class Shown:
    """`seen`: the last change that the page knows of; `since`: when whoever is logged in last did something."""

    id: int
    login: str = field(repr=False)
    name: str = field(repr=False)
    role: Role
    locked: datetime | None
    one_time_until: datetime | None
    void: bool
    last: datetime | None
    since: datetime | None
    seen: int

    @property
    def role_zh(self) -> str:
        return ROLE_ZH[self.role]


def look(session: Session, now: datetime) -> list[Shown]:
    """Who may do most comes first, who is locked last."""
    last, since, seen = accounts.last_login(session), _logged_in(session, now), _changes(session)
    found = [_shown(one, now, last, since, seen) for one in accounts.listed(session)]
    order = {Role.SUPERVISOR: 0, Role.WORKER: 1, Role.DUTY: 2, Role.AUDITOR: 3}
    return sorted(found, key=lambda one: (one.locked is not None, order[one.role], one.login))


def last_change(session: Session, account_id: int) -> int:
    """The number of what was last done to the account; 0: nothing."""
    query = select(func.max(AccountEvent.id)).where(AccountEvent.account_id == account_id)
    return session.scalar(query.where(AccountEvent.what.not_in(_COMINGS))) or 0


def _changes(session: Session) -> dict[int, int]:
    query = select(AccountEvent.account_id, func.max(AccountEvent.id)).where(AccountEvent.what.not_in(_COMINGS))
    return {account: number for account, number in session.execute(query.group_by(AccountEvent.account_id))}


def _logged_in(session: Session, now: datetime) -> dict[int, datetime]:
    query = select(AccountSession.account_id, func.max(AccountSession.seen_at))
    query = query.where(AccountSession.ends_at > now, AccountSession.seen_at > now - IDLE)
    return {account: at for account, at in session.execute(query.group_by(AccountSession.account_id))}


def _shown(
    one: Account, now: datetime, last: dict[int, datetime], since: dict[int, datetime], seen: dict[int, int]
) -> Shown:
    return Shown(
        id=one.id,
        login=one.login,
        name=one.name,
        role=Role(one.role),
        locked=one.locked_at,
        one_time_until=one.one_time_until,
        void=one.one_time_until is not None and now >= one.one_time_until,
        last=last.get(one.id),
        since=None if one.locked_at else since.get(one.id),
        seen=seen.get(one.id, 0),
    )
