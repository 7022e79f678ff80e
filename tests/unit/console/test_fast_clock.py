"""A clock that was fast and is right again: nobody stays logged in by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from console import accounts_sessions, fast_clock
from console.accounts import ONE_TIME
from console.accounts_tables import Account, AccountEvent, AccountSession
from storage.database import Base, Database, UtcTime
from tests.unit.checkins.world import empty_database

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
FAST = NOW + timedelta(days=3)
MOVED = {"account.one_time_until", "account_session.began_at", "account_session.seen_at", "account_session.ends_at"}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    made = empty_database(f"sqlite:///{tmp_path}/wenan.db")
    yield made
    made.close()


def account(login: str, at: datetime) -> Account:
    return Account(login=login, name="陈", role="worker", hashed="", one_time_until=at + ONE_TIME, made_at=at)


def test_who_logged_in_by_a_fast_clock_logs_in_again_and_others_stay(db: Database) -> None:
    with db.write() as session:
        wrong, right = account("wrong", FAST), account("right", NOW)
        session.add_all([wrong, right])
        session.flush()
        fast = accounts_sessions.begin(session, wrong, FAST)
        kept = accounts_sessions.begin(session, right, NOW)
        wrong.locked_at = FAST
    with db.write() as session:
        assert fast_clock.accept(session, NOW) == 5
        assert fast_clock.accept(session, NOW) == 0
    with db.read() as session:
        assert accounts_sessions.find(session, fast, NOW) is None
        assert accounts_sessions.find(session, kept, NOW) is not None
        assert len(session.scalars(select(AccountSession)).all()) == 1
        assert {each.at for each in session.scalars(select(AccountEvent))} == {NOW}
        for each in session.scalars(select(Account)):
            assert (each.one_time_until, each.made_at) == (NOW + ONE_TIME, NOW)


def test_no_moment_of_the_accounts_is_left_ahead() -> None:
    """A new column must be thought of."""
    tables = [Base.metadata.tables[name] for name in ("account", "account_session", "account_event")]
    moments = {f"{table.name}.{c.name}" for table in tables for c in table.columns if isinstance(c.type, UtcTime)}
    pulled = {f"{column.class_.__tablename__}.{column.key}" for column in fast_clock._WRITTEN}
    assert moments == pulled | MOVED
