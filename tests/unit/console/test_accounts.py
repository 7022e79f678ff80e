"""Accounts without a browser: passwords, waits, sessions, and what the command line does to them."""

from __future__ import annotations

import asyncio
import io
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from sqlalchemy import select

from cli import account_commands
from console import accounts, accounts_sessions, knocks, passwords
from console.accounts_sessions import IDLE, WHOLE
from console.accounts_tables import Account, AccountEvent, AccountSession
from console.knocks import FIRST, FREE, LONGEST, Knocks
from console.passwords import CrowdedError, Hasher, PasswordError, check_choice, one_time
from console.roles import Role
from database_in_use import migrate
from settings import Settings
from storage.database import Database
from tests.unit.checkins.world import empty_database

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
CHEAP = PasswordHasher(1, 8, 1)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    made = empty_database(f"sqlite:///{tmp_path}/wenan.db")
    yield made
    made.close()


def an_account(db: Database, login: str = "li", name: str = "李老师", role: Role = Role.WORKER) -> int:
    with db.write() as session:
        return accounts.add(session, login, name, role, "hash", "站长", NOW).id


# ── passwords ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "bad",
    ["", "short", "a" * 129, "aaaaaaaaaaaa", "1212121212", "1234567890", "qwertyuiop", "Password123", "wangli12345"],
)
def test_what_is_tried_first_is_no_password(bad: str) -> None:
    with pytest.raises(PasswordError):
        check_choice(bad, "wangli", "王丽")


@pytest.mark.parametrize(
    "good", ["correct horse", "七月的雨落在老屋的瓦上", "k7fm-2xqp-vw3h-9nde", "wangli and the seven seas"]
)
def test_sentences_are_passwords(good: str) -> None:
    check_choice(good, "wangli", "王丽", "")


def test_one_time_passwords_are_long_readable_and_never_the_same() -> None:
    made = {one_time() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", one) and not set(one) & set("01lio") for one in made)


async def test_only_the_right_password_matches_and_an_account_that_is_not_there_costs_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hasher, verified = Hasher(CHEAP, 0), []
    hashed = await hasher.hash("correct horse")
    verify = hasher._verify
    monkeypatch.setattr(hasher, "_verify", lambda *given: (verified.append(given), verify(*given))[1])
    assert "$argon2id$" in hashed
    assert await hasher.matches(hashed, "correct horse")
    assert not await hasher.matches(hashed, "correct horsE")
    assert not await hasher.matches("no hash at all", "correct horse")
    assert not await hasher.matches(None, "correct horse")
    assert len(verified) == 4
    assert Hasher().is_old(hashed), "made cheaply, for tests"


async def test_who_floods_the_login_waits_one_by_one_and_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "WAITING", 2)
    hasher = Hasher(CHEAP, 0)
    async with hasher._one:
        waiting = [asyncio.create_task(hasher.matches(None, "x")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(CrowdedError):
            await hasher.matches(None, "x")
        with pytest.raises(CrowdedError):
            await hasher.hash("x")
    assert await asyncio.gather(*waiting) == [False, False]
    assert not hasher._waiting


async def test_who_floods_the_login_from_one_address_keeps_nobody_else_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "WAITING_FROM_ONE", 2)
    hasher = Hasher(CHEAP, 0)
    hashed = await hasher.hash("correct horse")
    async with hasher._one:
        flood = [asyncio.create_task(hasher.matches(None, "x", "10.0.0.9")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(CrowdedError):
            await hasher.matches(None, "x", "10.0.0.9")
        colleague = asyncio.create_task(hasher.matches(hashed, "correct horse", "10.0.0.8"))
        await asyncio.sleep(0)
    assert [await one for one in (*flood, colleague)] == [False, False, True]


async def test_never_more_than_one_password_is_hashed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher, running, most = Hasher(CHEAP, 0), [], []

    def slow(*_given: str) -> str:
        running.append(1)
        time.sleep(0.01)
        most.append(len(running))
        running.pop()
        return "hash"

    monkeypatch.setattr(hasher, "argon2", type("Slow", (), {"hash": slow, "verify": slow})())
    await asyncio.gather(*(hasher.hash("x") for _ in range(4)), *(hasher.matches("hash", "x") for _ in range(4)))
    assert max(most) == 1


# ── waits ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_wait_after_wrong_ones_doubles_and_never_grows_beyond_a_quarter_of_an_hour() -> None:
    known, now, waits = Knocks(), NOW, []
    for _ in range(FREE + 8):
        waits.append(known.begin("li", "10.0.0.9", now))
        now += waits[-1]
        if waits[-1]:
            assert known.begin("li", "10.0.0.9", now) == timedelta(), "then it is looked at"
    assert waits[:FREE] == [timedelta()] * FREE
    assert waits[FREE : FREE + 3] == [FIRST, 2 * FIRST, 4 * FIRST]
    assert max(waits) == LONGEST


def test_whoever_tries_from_elsewhere_keeps_nobody_out() -> None:
    known = Knocks()
    for _ in range(100):
        known.begin("li", "10.0.0.9", NOW)
    assert known.begin("li", "10.0.0.9", NOW) == FIRST
    assert known.begin("li", "10.0.0.8", NOW) == timedelta(), "she sits at another machine"
    assert known.begin("wang", "10.0.0.9", NOW) == timedelta(), "a colleague at the same one"
    known.right("li", "10.0.0.9")
    assert known.begin("li", "10.0.0.9", NOW) == timedelta()


def test_a_try_that_was_not_looked_at_makes_nobody_wait() -> None:
    known = Knocks()
    for _ in range(FREE + 3):
        assert known.begin("li", "10.0.0.9", NOW) == timedelta()
        known.unheard("li", "10.0.0.9")
    known.unheard("nobody", "10.0.0.9")


def test_a_household_has_one_network_and_the_memory_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert knocks.network("2001:db8::1") == knocks.network("2001:db8::2") != knocks.network("2001:db8:1::1")
    assert knocks.network("nonsense") == knocks.network("") == ""
    monkeypatch.setattr(knocks, "MOST_KEPT", 10)
    known = Knocks()
    for i in range(30):
        known.begin(f"u{i}", "10.0.0.9", NOW)
    assert len(known._tries) == 10


@given(wrong=st.integers(0, 10_000), ago=st.integers(-(10**7), 10**7))
def test_a_wait_is_never_longer_than_the_longest_whatever_the_clock_does(wrong: int, ago: int) -> None:
    left = knocks.wait(knocks.Tries(wrong, NOW), NOW + timedelta(seconds=ago))
    assert timedelta() <= left <= LONGEST


# ── sessions ──────────────────────────────────────────────────────────────────────────────────────


def test_a_session_ends_when_nobody_does_anything_and_at_the_latest_after_a_day_at_work(db: Database) -> None:
    an_account(db)
    with db.write() as session:
        cookie = accounts_sessions.begin(session, accounts.known(session, "li"), NOW)
    with db.read() as session:
        assert accounts_sessions.find(session, cookie, NOW + IDLE - timedelta(seconds=1))
        for nobody in (cookie + "x", "", "x" * 500, "王"):
            assert accounts_sessions.find(session, nobody, NOW) is None
        assert accounts_sessions.find(session, cookie, NOW + IDLE) is None
        assert cookie not in str([row.hashed for row in session.scalars(select(AccountSession))])
    at = NOW
    while at < NOW + WHOLE:
        with db.write() as session:
            assert accounts_sessions.find(session, cookie, at)
            accounts_sessions.touch(session, cookie, at)
        at += timedelta(hours=1)
    with db.read() as session:
        assert accounts_sessions.find(session, cookie, at) is None


@pytest.mark.parametrize("act", ["lock", "reset", "choose"])
def test_whoever_is_locked_reset_or_chooses_anew_is_out_everywhere(db: Database, act: str) -> None:
    number = an_account(db)
    with db.write() as session:
        cookies = [accounts_sessions.begin(session, accounts.known(session, "li"), NOW) for _ in range(2)]
        match act:
            case "lock":
                accounts.lock(session, "li", "站长", NOW)
            case "reset":
                accounts.reset(session, "li", "other", "站长", NOW)
            case _:
                accounts.choose(session, number, "hash", "other", "", NOW)
    with db.read() as session:
        assert [accounts_sessions.find(session, one, NOW) for one in cookies] == [None, None]


def test_a_form_s_token_is_the_session_s_and_tells_nothing_of_the_cookie(db: Database) -> None:
    an_account(db)
    with db.write() as session:
        first, second = (accounts_sessions.begin(session, accounts.known(session, "li"), NOW) for _ in range(2))
        who = accounts_sessions.find(session, first, NOW)
    assert who is not None
    assert who.form == accounts_sessions.form_token(first) != accounts_sessions.form_token(second)
    assert first not in who.form
    assert first not in repr(who)
    assert "李老师" not in repr(who)


# ── accounts ──────────────────────────────────────────────────────────────────────────────────────


def test_the_first_account_is_a_supervisor_s_with_a_name_still_to_be_given_and_there_is_no_second_first(
    db: Database,
) -> None:
    with db.write() as session:
        assert accounts.first(session, "hash", NOW)
        assert not accounts.first(session, "other", NOW)
        (one,) = accounts.listed(session)
        assert (one.login, one.role, one.name, one.hashed) == ("admin", Role.SUPERVISOR, "", "hash")
        assert one.one_time_until == NOW + accounts.ONE_TIME
        with pytest.raises(ValueError, match="named person"):
            accounts.choose(session, one.id, "hash", "mine", "line", NOW)
        chosen = accounts.choose(session, one.id, "hash", "mine", "站长", NOW)
        assert (chosen.name, chosen.hashed, chosen.one_time_until) == ("站长", "mine", None)
        assert accounts.choose(session, one.id, "mine", "again", "别人", NOW).name == "站长"
        with pytest.raises(accounts.ChangedError):
            accounts.choose(session, one.id, "mine", "too late", "", NOW)


@pytest.mark.parametrize(
    ("login", "name", "role"),
    [
        ("li", "王老师", "worker"),
        ("wang", "李老师", "worker"),
        ("wang", " 李老师", "worker"),
        ("wang", "line", "worker"),
        ("wang", "王老师", "boss"),
        ("王", "王老师", "worker"),
        ("w", "王老师", "worker"),
        ("wang", "王" * 101, "worker"),
    ],
)
def test_an_account_that_would_be_another_s_or_nobody_s_is_refused(
    db: Database, login: str, name: str, role: str
) -> None:
    an_account(db)
    with db.write() as session, pytest.raises(ValueError, match=r"."):
        accounts.add(session, login, name, role, "hash", "站长", NOW)


async def test_the_command_line_makes_changes_locks_and_resets_accounts_and_prints_each_password_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_commands, "Hasher", lambda: Hasher(CHEAP, 0))
    settings = Settings(database_url=f"sqlite:///{tmp_path}/wenan.db", data_dir=tmp_path)
    migrate(settings)
    said = io.StringIO()
    out = Console(file=said, width=120)
    assert await account_commands.show(settings, out) == 0
    await account_commands.add(settings, "Li", "李老师", "worker", "站长", out)
    await account_commands.set_role(settings, "li", "duty", "站长", out)
    await account_commands.lock(settings, "li", "站长", out, undo=False)
    await account_commands.reset(settings, "li", "站长", out)
    await account_commands.lock(settings, "li", "站长", out, undo=True)
    await account_commands.show(settings, out)
    told = re.findall(r"one-time password ([a-z2-9-]{19})", said.getvalue())
    assert len(set(told)) == 2
    assert "duty 值班人员" in said.getvalue()
    assert "accounts lock li --undo" in said.getvalue()
    with pytest.raises(LookupError, match="no account 'nobody'"):
        await account_commands.reset(settings, "nobody", "站长", out)
    db = Database(settings.database_url)
    with db.read() as session:
        (account,) = session.scalars(select(Account))
        assert CHEAP.verify(account.hashed, told[1])
        events = [(one.what, one.by) for one in session.scalars(select(AccountEvent).order_by(AccountEvent.id))]
    db.close()
    assert [what for what, _ in events] == ["added", "role", "locked", "reset", "unlocked"]
    assert {by for _, by in events} == {"站长"}
