"""Accounts: made, changed and locked by a name; a password that others know is good once.

Functions here take hashes, never passwords: hashing is slow and is done outside of any transaction.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from checkins.names import named
from console.accounts_tables import Account, AccountEvent, AccountSession
from console.roles import Role

ONE_TIME = timedelta(days=7)  # so long a printed password is good
FIRST_LOGIN = "admin"
SYSTEM = "start"  # who made the first account
MAX_NAME = 100
_LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,31}")


class NoAccountError(LookupError):
    def __init__(self, login: str) -> None:
        super().__init__(f"there is no account {login!r} (`accounts list`)")


class LastSupervisorError(ValueError):
    """Nobody would be left who may make, change or open accounts."""

    def __init__(self) -> None:
        super().__init__("this is the last supervisor with a password of their own: make another one first")


class ChangedError(Exception):
    """The password that was given is not the account's any more, or the account is locked: somebody was faster."""


def clean_login(text: str) -> str:
    """As it is kept; ValueError for what can be none."""
    login = text.strip().casefold()
    if not _LOGIN.fullmatch(login):
        raise ValueError("a login is 2 to 32 of a-z, 0-9, dot, dash, and begins with a letter")
    return login


def none_yet(session: Session) -> bool:
    return session.scalar(select(func.count()).select_from(Account)) == 0


def first(session: Session, hashed: str, now: datetime) -> bool:
    """Makes the first account, a supervisor's whose owner gives a name; False when there is any account."""
    if not none_yet(session):
        return False
    _make(session, FIRST_LOGIN, "", Role.SUPERVISOR, hashed, SYSTEM, now)
    return True


def add(session: Session, login: str, name: str, role: str, hashed: str, by: str, now: datetime) -> Account:
    """A new account with a one-time password. ValueError says what is wrong."""
    login, by = clean_login(login), named(by)
    if session.scalar(select(Account.id).where(Account.login == login)):
        raise ValueError(f"there is an account {login!r} already")
    return _make(session, login, free_name(session, name), _role(role), hashed, by, now)


def _make(session: Session, login: str, name: str, role: Role, hashed: str, by: str, now: datetime) -> Account:
    account = Account(login=login, name=name, role=role, hashed=hashed, one_time_until=now + ONE_TIME, made_at=now)
    session.add(account)
    session.flush()
    note(session, account, "added", by, now, role)
    return account


def free_name(session: Session, text: str, but: int | None = None) -> str:
    """A person's name that no other account has: two that are one in the log say nothing."""
    name = named(text)
    if len(name) > MAX_NAME:
        raise ValueError(f"a name has at most {MAX_NAME} signs")
    if session.scalar(select(Account.id).where(Account.name == name, Account.id != (but or 0))):
        raise ValueError("another account has this name: add something that tells them apart (李老师二组)")
    return name


def set_role(session: Session, login: str, role: str, by: str, now: datetime) -> Account:
    account, new = known(session, login), _role(role)
    if new != Role.SUPERVISOR:
        _another_is_left(session, account)
    account.role = new
    note(session, account, "role", named(by), now, account.role)
    return account


def lock(session: Session, login: str, by: str, now: datetime) -> Account:
    """Nobody gets in any more, and who is in is out at the next step."""
    account = known(session, login)
    _another_is_left(session, account)
    account.locked_at = account.locked_at or now
    end_all(session, account)
    note(session, account, "locked", named(by), now)
    return account


def unlock(session: Session, login: str, by: str, now: datetime) -> Account:
    account = known(session, login)
    account.locked_at = None
    note(session, account, "unlocked", named(by), now)
    return account


def reset(session: Session, login: str, hashed: str, by: str, now: datetime) -> Account:
    """A one-time password instead of the one that was lost; all sessions end."""
    account = known(session, login)
    account.hashed, account.one_time_until = hashed, now + ONE_TIME
    end_all(session, account)
    note(session, account, "reset", named(by), now)
    return account


def end_sessions(session: Session, login: str, by: str, now: datetime) -> Account:
    """Logged out everywhere; the password stays."""
    account = known(session, login)
    end_all(session, account)
    note(session, account, "ended", named(by), now)
    return account


def choose(session: Session, account_id: int, given: str, hashed: str, name: str, now: datetime) -> Account:
    """The owner's own password instead of the one whose hash is `given`, which is spent by that; all sessions end, the
    one in which it was chosen, too. `name` counts only where none is known: ValueError when that is none. ChangedError
    when another one was chosen or printed in the meantime, or the account locked."""
    account = session.get_one(Account, account_id, with_for_update=True)
    if account.hashed != given or account.locked_at is not None:
        raise ChangedError
    if not account.name:
        account.name = free_name(session, name, account.id)
    account.hashed, account.one_time_until = hashed, None
    end_all(session, account)
    note(session, account, "password", account.name, now)
    return account


def listed(session: Session) -> list[Account]:
    return list(session.scalars(select(Account).order_by(Account.login)))


def last_login(session: Session) -> dict[int, datetime]:
    """By account."""
    query = select(AccountEvent.account_id, func.max(AccountEvent.at)).where(AccountEvent.what == "login")
    return {account: at for account, at in session.execute(query.group_by(AccountEvent.account_id))}


def find(session: Session, login: str) -> Account | None:
    return session.scalars(select(Account).where(Account.login == login.strip().casefold()[:64])).first()


def known(session: Session, login: str) -> Account:
    account = find(session, login)
    if account is None:
        raise NoAccountError(login)
    return account


def end_all(session: Session, account: Account) -> None:
    session.execute(delete(AccountSession).where(AccountSession.account_id == account.id))


def note(session: Session, account: Account, what: str, by: str, now: datetime, detail: str | None = None) -> None:
    session.add(AccountEvent(account_id=account.id, at=now, what=what, by=by, detail=detail))


def _another_is_left(session: Session, but: Account) -> None:
    """A password that is good once may never be used. Held until the end of the transaction: of two supervisors who
    lock each other at once one stays."""
    query = select(Account).where(Account.role == Role.SUPERVISOR, Account.locked_at.is_(None)).order_by(Account.id)
    able = list(session.scalars(query.with_for_update()))
    if but in able and not any(one is not but and one.one_time_until is None for one in able):
        raise LastSupervisorError


def _role(text: str) -> Role:
    if text not in list(Role):
        raise ValueError(f"a role is one of {', '.join(Role)}")
    return Role(text)
