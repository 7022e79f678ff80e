"""The page of accounts, over HTTP: who may, what is shown once, and what is refused."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from console import accounts
from console.accounts_tables import Account, AccountEvent
from console.roles import Role
from tests.e2e.office import NASTY, Office, open_office
from tests.e2e.test_console_accounts import log_in

BOSS = "钱主管"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        office.log_in(BOSS, Role.SUPERVISOR)
        yield office


def number(office: Office, name: str) -> int:
    with office.world.db.read() as session:
        found = session.scalar(select(Account.id).where(Account.name == name))
        assert found is not None
        return found


def role(office: Office, name: str) -> str:
    with office.world.db.read() as session:
        return session.scalars(select(Account).where(Account.name == name)).one().role


def log(office: Office) -> list[tuple[str, str, str]]:
    with office.world.db.read() as session:
        query = select(AccountEvent.what, AccountEvent.by, Account.login).join(Account).order_by(AccountEvent.id)
        return [tuple(row) for row in session.execute(query.where(AccountEvent.what != "login"))]


async def act(office: Office, name: str, what: str, seen: str | None = None, **form: str) -> httpx.Response:
    page = (await office.client.get("/accounts")).text
    row = re.search(rf'id="account-{number(office, name)}".*?name="seen" value="(\d+)"', page, re.S)
    assert row
    return await office.send(f"/accounts/{number(office, name)}/{what}", seen=seen or row.group(1), **form)


async def test_a_new_account_shows_its_password_once_and_only_to_who_made_it(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        made = await office.send("/accounts", login="li", name="李老师", role="worker")
    assert (made.status_code, made.headers["location"]) == (303, "/accounts")
    assert "一次性密码：" not in (await office.client.get("/accounts", headers={"x-background": "1"})).text
    mine = office.client.cookies["wenan_session"]
    office.log_in("孙主管", Role.SUPERVISOR)
    assert "一次性密码：" not in (await office.client.get("/accounts")).text, "not hers"
    office.client.cookies.set("wenan_session", mine, domain="127.0.0.1")
    page = (await office.client.get("/accounts")).text
    found = re.search(r'class="secret">([a-z0-9-]+)<', page)
    assert found
    assert found.group(1) not in caplog.text
    assert "一次性密码：" not in (await office.client.get("/accounts")).text, "once"
    office.client.cookies.clear()
    entered = await log_in(office, "li", found.group(1))
    assert entered.status_code == 303
    assert (await office.client.get("/")).headers["location"] == "/password"
    assert ("added", BOSS, "li") in log(office)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"login": "李", "name": "李老师", "role": "worker"}, "账号要 2 到 32 个"),
        ({"login": "li", "name": "", "role": "worker"}, "请写姓名"),
        ({"login": "li", "name": BOSS, "role": "worker"}, "别的账号已经用了这个姓名"),
        ({"login": "li", "name": "=1+1", "role": "worker"}, "姓名不对"),
        ({"login": "li", "name": "李老师", "role": "king"}, "请选一个角色"),
        ({"login": "u01", "name": "李老师", "role": "worker"}, "这个账号已经有了"),
    ],
)
async def test_what_can_be_no_account_is_said_and_what_was_typed_stays(
    office: Office, form: dict[str, str], said: str
) -> None:
    answer = await office.send("/accounts", **form)
    assert (answer.status_code, said in answer.text) == (422, True)
    if form["login"] != "李":
        assert f'value="{form["login"]}"' in answer.text
    with office.world.db.read() as session:
        assert {one.login for one in accounts.listed(session)} <= {"u01", "u02"}


async def test_a_name_that_is_a_script_is_text_on_the_page(office: Office) -> None:
    await office.send("/accounts", login="li", name=NASTY, role="duty")
    page = (await office.client.get("/accounts")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


async def test_acts_are_done_and_written_down(office: Office) -> None:
    await office.send("/accounts", login="li", name="李老师", role="worker")
    assert (await act(office, "李老师", "role", role="duty")).status_code == 303
    assert role(office, "李老师") == Role.DUTY
    assert (await act(office, "李老师", "lock")).status_code == 303
    assert "已锁" in (await office.client.get("/accounts")).text
    assert (await act(office, "李老师", "unlock")).status_code == 303
    assert (await act(office, "李老师", "reset")).status_code == 303
    assert "一次性密码：" in (await office.client.get("/accounts")).text
    assert [what for what, by, login in log(office) if (by, login) == (BOSS, "li")] == [
        "added",
        "role",
        "locked",
        "unlocked",
        "reset",
    ]


async def test_who_is_logged_out_by_a_supervisor_is_out_at_the_next_step(office: Office) -> None:
    office.log_in("李老师")
    theirs = office.client.cookies["wenan_session"]
    office.log_in(BOSS, Role.SUPERVISOR)
    assert (await act(office, "李老师", "end")).status_code == 303
    office.client.cookies.set("wenan_session", theirs, domain="127.0.0.1")
    assert (await office.client.get("/items", headers={"accept": "text/html"})).status_code == 303
    assert log(office)[-1][0] == "ended"


async def test_a_page_that_is_older_than_the_last_change_changes_nothing(office: Office) -> None:
    office.log_in("李老师")
    office.log_in(BOSS, Role.SUPERVISOR)
    await act(office, "李老师", "lock")
    answer = await act(office, "李老师", "role", seen="0", role="supervisor")
    assert (answer.status_code, "刚刚有人改过" in answer.text) == (422, True)
    assert role(office, "李老师") == Role.WORKER


@pytest.mark.parametrize("what", ["lock", "role"])
async def test_the_last_supervisor_stays(office: Office, what: str) -> None:
    await office.send("/accounts", login="sun", name="孙主管", role="supervisor")
    answer = await act(office, BOSS, what, role="worker")
    assert (answer.status_code, "最后一个能用的主管" in answer.text) == (422, True), "the other one has no password yet"
    office.log_in("周主管", Role.SUPERVISOR)
    office.log_in(BOSS, Role.SUPERVISOR)
    answer = await act(office, BOSS, what, role="worker")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    office.log_in("周主管", Role.SUPERVISOR)
    assert (await act(office, "周主管", what, role="auditor")).status_code == 422


async def test_of_two_supervisors_who_lock_each_other_at_once_one_stays(office: Office) -> None:
    sent = []
    for name in (BOSS, "孙主管"):
        office.log_in(name, Role.SUPERVISOR)
    for name, other in ((BOSS, "孙主管"), ("孙主管", BOSS)):
        office.log_in(name, Role.SUPERVISOR)
        form = {"token": await office.token(), "seen": "0"}
        sent.append(office.client.build_request("POST", f"/accounts/{number(office, other)}/lock", data=form))
    await asyncio.gather(*(office.client.send(one) for one in sent))
    with office.world.db.read() as session:
        able = [one for one in accounts.listed(session) if one.locked_at is None and one.role == Role.SUPERVISOR]
    assert len(able) == 1


async def test_nobody_resets_their_own_and_what_isnt_there_is_said(office: Office) -> None:
    assert (await act(office, BOSS, "reset")).status_code == 422
    assert (await office.send("/accounts/999/lock", seen="0")).status_code == 404
    assert (await office.send("/accounts/x/lock", seen="0")).status_code == 404
    assert (await office.send(f"/accounts/{number(office, BOSS)}/delete", seen="0")).status_code == 404
