"""The page of accounts, for supervisors: made, changed, locked, logged out; a new password is shown once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from console import accounts, accounts_view
from console.accounts import LastSupervisorError
from console.accounts_tables import Account
from console.deps import Deps
from console.forms import Text, done, name_of, row_number, seen_in
from console.guard import PageError
from console.login_routes import CROWDED
from console.pages import Pages
from console.passwords import CrowdedError, one_time
from console.roles import Role
from console.shown_once import OneTime, ShownOnce
from console.visiting import visitor

NO_ACCOUNT = PageError(404, "没有这个账号。", "there is no such account")
NO_ACT = PageError(404, "没有这个表单。", "there is no such form")
LAST = (
    "没有保存：这是最后一个能用的主管账号，锁了或改了就没有人能管账号了。请先另建一个主管，等他换好自己的密码。"
    "Nothing was saved: this is the last supervisor with a password of their own."
)
STALE = (
    "没有保存：这个账号刚刚有人改过，请看清现在的样子再做。"
    "Nothing was saved: somebody changed this account meanwhile; see below how it stands now."
)
OWN = "自己的密码请在“改密码”里换。Your own password is changed on its own page."
_ACTS = ("role", "lock", "unlock", "reset", "end")


class _WrongError(Exception):
    """A sentence for the page; nothing was written."""


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    desk = _Desk(deps, pages)

    @router.get("/accounts")
    async def shown(request: Request) -> Response:
        background = bool(request.headers.get("x-background"))
        return await desk.show(once=None if background else desk.taken())

    @router.post("/accounts")
    async def new(login: Text = "", name: Text = "", role: Text = "") -> Response:
        return await desk.new({"login": login[:64], "name": name[:200], "role": role[:32]})

    @router.post("/accounts/{number}/{what}")
    async def change(number: str, what: str, role: Text = "", seen: Text = "") -> Response:
        if what not in _ACTS:
            raise NO_ACT
        return await desk.change(row_number(number, NO_ACCOUNT), what, role, seen_in(seen))


class _Desk:
    def __init__(self, deps: Deps, pages: Pages) -> None:
        self._deps, self._pages, self._once = deps, pages, ShownOnce()

    def taken(self) -> OneTime | None:
        return self._once.take(_cookie(), self._deps.clock.now())

    async def show(
        self, *, once: OneTime | None = None, wrong: str = "", typed: Mapping[str, str] | None = None
    ) -> Response:
        now = self._deps.clock.now()
        page, shell = await self._pages.look(lambda session: accounts_view.look(session, now))
        values = {"page": page, "roles": list(Role), "once": once, "wrong": wrong, "typed": typed or {}}
        return self._pages.show("accounts.html", shell, name_of(), 422 if wrong else 200, here="/accounts", **values)

    async def new(self, typed: Mapping[str, str]) -> Response:
        by, now = name_of(), self._deps.clock.now()
        password = one_time()
        hashed = await self._hash(password)

        def work(session: Session) -> Account:
            return accounts.add(session, typed["login"], typed["name"], typed["role"], hashed, by, now)

        try:
            account = await self._deps.db.run(work)
        except ValueError as error:
            return await self.show(wrong=_not_made(str(error)), typed=typed)
        return self._told(account.login, password, now)

    async def change(self, number: int, what: str, role: str, seen: int) -> Response:
        by, now, who = name_of(), self._deps.clock.now(), visitor()
        assert who is not None, "the table of routes says so"
        if what == "reset" and number == who.account:
            return await self.show(wrong=OWN)
        password = one_time() if what == "reset" else ""
        hashed = await self._hash(password) if password else ""
        try:
            login = await self._deps.db.run(
                lambda session: _changed(session, number, what, role, hashed, seen, by, now)
            )
        except _WrongError as wrong:
            return await self.show(wrong=str(wrong))
        if password:
            return self._told(login, password, now)
        return done("/" if number == who.account else "/accounts")  # they may not see this page any more

    def _told(self, login: str, password: str, now: datetime) -> Response:
        self._once.keep(_cookie(), OneTime(login, password), now)
        return done("/accounts")

    async def _hash(self, password: str) -> str:
        try:
            return await self._deps.door.hasher.hash(password)
        except CrowdedError:
            raise CROWDED from None


def _changed(
    session: Session, number: int, what: str, role: str, hashed: str, seen: int, by: str, now: datetime
) -> str:
    """The account's login. _WrongError for a page that is older than the account's last change."""
    account = session.get(Account, number, with_for_update=True)
    if account is None:
        raise NO_ACCOUNT
    if accounts_view.last_change(session, number) != seen:
        raise _WrongError(STALE)
    try:
        _act(session, account.login, what, role, hashed, by, now)
    except LastSupervisorError:
        raise _WrongError(LAST) from None
    except ValueError:
        raise _WrongError("没有保存：请选一个角色。Nothing was saved: choose a role.") from None
    return account.login


def _act(session: Session, login: str, what: str, role: str, hashed: str, by: str, now: datetime) -> None:
    if what == "role":
        accounts.set_role(session, login, role, by, now)
    elif what == "lock":
        accounts.lock(session, login, by, now)
    elif what == "unlock":
        accounts.unlock(session, login, by, now)
    elif what == "reset":
        accounts.reset(session, login, hashed, by, now)
    else:
        accounts.end_sessions(session, login, by, now)


def _not_made(error: str) -> str:
    zh = next((zh for part, zh in _NOT_MADE.items() if part in error), "请写清账号、姓名和角色")
    return f"没有建：{zh}。No account was made: {error}."


_NOT_MADE = {
    "a login is": "账号要 2 到 32 个小写字母、数字、点或横线，以字母开头",
    "already": "这个账号已经有了",
    "another account has this name": "别的账号已经用了这个姓名，请加上能分清的字（李老师二组）",
    "say who": "请写姓名",
    "a name": "姓名不对，请写本人的姓名",
    "a role": "请选一个角色",
}


def _cookie() -> str:
    who = visitor()
    return who.cookie if who else ""
