"""Logging in and out, and choosing one's own password."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from console import accounts, accounts_sessions, tour
from console.accounts import ChangedError
from console.accounts_sessions import Visitor, form_token
from console.accounts_tables import Account
from console.door import Door
from console.forms import Text, ours
from console.guard import PageError, check_origin, check_token
from console.knocks import network
from console.pages import Pages
from console.passwords import CrowdedError, PasswordError, check_choice
from console.visiting import visitor

DOOR_COOKIE = "wenan_door"  # before anybody is known: binds the login form to the browser that got it
WRONG = "账号或密码不对。Wrong login or password."
VOID = (
    "一次性密码已过期，请找主管重新发一个。The one-time password is void: ask for a new one (accounts reset-password)."
)
CHANGED = PageError(
    409,
    "密码刚刚改过，这次没有保存。请重新登录。",
    "the password was changed just now; nothing was saved: log in again",
)
CROWDED = PageError(503, "现在登录的人太多，请过一分钟再试。", "too many log in at once; try again in a minute")


@dataclass(frozen=True)
class _Found:
    """What must be known to check a password outside a transaction."""

    id: int
    hashed: str = field(repr=False)
    void: bool


def add(router: APIRouter, door: Door, pages: Pages) -> None:
    desk = _Desk(door, pages)

    @router.get("/login")
    async def login_page(request: Request, back: str = "/") -> Response:
        return desk.login_page(request, back)

    @router.post("/login")
    async def login(
        request: Request, login: Text = "", password: Text = "", token: Text = "", back: Text = "/"
    ) -> Response:
        return await desk.login(request, login, password, token, back)

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        return await desk.logout(request)

    @router.get("/password")
    async def password_page() -> Response:
        return pages.small("password.html", who=visitor(), wrong="", name="")

    @router.post("/password")
    async def password(request: Request, now: Text = "", new: Text = "", again: Text = "", name: Text = "") -> Response:
        return await desk.choose(request, now, new, again, name)


class _Desk:
    def __init__(self, door: Door, pages: Pages) -> None:
        self._door, self._pages = door, pages

    def login_page(self, request: Request, back: str, wrong: str = "", login: str = "", status: int = 200) -> Response:
        cookie = self._door.cookie(request, DOOR_COOKIE) or secrets.token_urlsafe(32)
        page = self._pages.small(
            "login.html", status, token=form_token(cookie), back=ours(back), wrong=wrong, login=login[:32]
        )
        self._door.set_cookie(request, page, cookie, DOOR_COOKIE)
        return page

    async def login(self, request: Request, login: str, password: str, token: str, back: str) -> Response:
        check_origin(request.headers)
        cookie = self._door.cookie(request, DOOR_COOKIE)
        check_token(form_token(cookie) if cookie else "", token)
        login, now = login.strip().casefold()[:64], self._door.clock.now()
        if left := self._door.knocks.begin(login, self._door.address(request), now):
            minutes = -(-int(left.total_seconds()) // 60)
            wait = f"密码错得太多，请 {minutes} 分钟后再试。Too many wrong ones: try again in {minutes} min."
            return self.login_page(request, back, wait, login, 429)
        found = await self._door.db.view(lambda session: _found(session, login, now))
        right = await self._matches(request, login, found, password)
        if not right or found is None:
            await self._door.db.run(lambda session: _refused(session, login, now))
            return self.login_page(request, back, WRONG, login, 422)
        self._door.knocks.right(login, self._door.address(request))
        if found.void:
            return self.login_page(request, back, VOID, login, 422)
        return await self._in(request, found, password, back)

    async def _in(self, request: Request, found: _Found, password: str, back: str) -> Response:
        """A session of its own: whatever cookie the browser came with is nobody's from now on."""
        now, old = self._door.clock.now(), self._door.cookie(request)
        anew = await self._hash(password) if self._door.hasher.is_old(found.hashed) else ""

        def work(session: Session) -> str | None:
            account = session.get_one(Account, found.id, with_for_update=True)
            if account.hashed != found.hashed or account.locked_at is not None:
                return None  # somebody changed it while we looked
            account.hashed = anew or account.hashed
            if old:
                accounts_sessions.end(session, old, now)
            return accounts_sessions.begin(session, account, now)

        cookie = await self._door.db.run(work)
        if cookie is None:
            return self.login_page(request, back, WRONG, status=422)
        response = RedirectResponse(ours(back), 303)
        self._door.set_cookie(request, response, cookie)
        response.delete_cookie(self._door.cookie_name(request, DOOR_COOKIE), secure=self._door.is_secure(request))
        return response

    async def logout(self, request: Request) -> Response:
        now, cookie = self._door.clock.now(), self._door.cookie(request)
        await self._door.db.run(lambda session: accounts_sessions.end(session, cookie, now))
        response = RedirectResponse("/login", 303, {"Clear-Site-Data": '"cache"'})
        response.delete_cookie(self._door.cookie_name(request), secure=self._door.is_secure(request))
        return response

    async def choose(self, request: Request, current: str, new: str, again: str, name: str) -> Response:
        who, now = visitor(), self._door.clock.now()
        assert who is not None, "the table of routes says so"
        found = await self._door.db.view(lambda session: _found(session, who.login, now))
        wrong = await self._wrong_choice(request, who, found, current, new, again)
        if not wrong and found is not None:
            hashed = await self._hash(new)
            try:
                cookie = await self._door.db.run(lambda session: _chosen(session, found, hashed, name, now))
            except ChangedError:
                raise CHANGED from None
            except ValueError as error:
                wrong = f"姓名：请写您自己的姓名，不能和别人的一样。Your name: {error}."
        if wrong:
            return self._pages.small("password.html", 422, who=who, wrong=wrong, name=name[:100])
        response = RedirectResponse("/", 303)
        self._door.set_cookie(request, response, cookie)
        if who.must_change:
            tour.begin(response, secure=self._door.is_secure(request))
        return response

    async def _wrong_choice(
        self, request: Request, who: Visitor, found: _Found | None, current: str, new: str, again: str
    ) -> str:
        now, address = self._door.clock.now(), self._door.address(request)
        if self._door.knocks.begin(who.login, address, now):
            return "密码错得太多，请过一会儿再试。Too many wrong ones: try again later."
        if not await self._matches(request, who.login, found, current) or found is None:
            return "现在的密码不对。The present password is wrong."
        self._door.knocks.right(who.login, address)
        if found.void:
            return VOID
        if new != again:
            return "两次输入的新密码不一样。The new passwords differ."
        if new == current:
            return "新密码要和现在的不一样。The new password must be another one."
        try:
            check_choice(new, who.login, who.name)
        except PasswordError as error:
            return f"{error.zh}。{error}."
        return ""

    async def _matches(self, request: Request, login: str, found: _Found | None, password: str) -> bool:
        address = self._door.address(request)
        try:
            return await self._door.hasher.matches(found.hashed if found else None, password, network(address))
        except CrowdedError:
            self._door.knocks.unheard(login, address)
            raise CROWDED from None

    async def _hash(self, password: str) -> str:
        try:
            return await self._door.hasher.hash(password)
        except CrowdedError:
            raise CROWDED from None


def _found(session: Session, login: str, now: datetime) -> _Found | None:
    """None for an account that is locked, too: nobody learns that it is."""
    account = accounts.find(session, login)
    if account is None or account.locked_at is not None:
        return None
    void = account.one_time_until is not None and now >= account.one_time_until
    return _Found(account.id, account.hashed, void)


def _refused(session: Session, login: str, now: datetime) -> None:
    account = accounts.find(session, login)
    if account is not None:
        accounts.note(session, account, "refused", "?", now)


def _chosen(session: Session, found: _Found, hashed: str, name: str, now: datetime) -> str:
    account = accounts.choose(session, found.id, found.hashed, hashed, name, now)
    return accounts_sessions.begin(session, account, now, what="")
