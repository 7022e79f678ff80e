"""Tokens of other programs: a supervisor makes and revokes them. A new one is shown once, on the page after
the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from console import hook_routes, tokens
from console.deps import Deps
from console.forms import done, fields, name_of, number_in, row_number
from console.guard import PageError
from console.pages import Pages
from console.scopes import SCOPE_ZH, Scope
from console.shown_once import OneTime, ShownOnce
from console.tokens_tables import ApiToken
from console.visiting import visitor

NO_TOKEN = PageError(404, "没有这个口令。", "there is no such token")
_MOST_FIELDS = 40
_WRONG = "没有保存：请写系统的名称（没有别的账号或口令叫这个）、天数，并选至少一项。"


@dataclass(frozen=True)
class TokenLine:
    """`state`: of one that opens nothing any more, why."""

    id: int
    name: str = field(repr=False)
    scopes: tuple[tuple[str, str], ...]
    made: str
    used: str
    until: str
    state: str


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    desk = _Desk(deps, pages)

    @router.get("/tokens")
    async def shown(request: Request) -> Response:
        return await desk.show(once=None if request.headers.get("x-background") else desk.taken())

    @router.post("/tokens")
    async def make(request: Request) -> Response:
        return await desk.make(await fields(request, _MOST_FIELDS))

    @router.post("/tokens/hooks")
    async def make_hook(request: Request) -> Response:
        return await desk.make_hook(await fields(request, _MOST_FIELDS))

    @router.post("/tokens/{token_id}/revoke")
    async def revoke(token_id: str) -> Response:
        number, by, now = row_number(token_id, NO_TOKEN), name_of(), deps.clock.now()
        try:
            await deps.db.run(lambda session: tokens.revoke(session, number, by, now))
        except LookupError:
            raise NO_TOKEN from None
        return done("/tokens")

    hook_routes.add(router, deps)


class _Desk:
    def __init__(self, deps: Deps, pages: Pages) -> None:
        self._deps, self._pages, self._once = deps, pages, ShownOnce()

    def taken(self) -> OneTime | None:
        return self._once.take(_cookie(), self._deps.clock.now())

    async def make(self, typed: Mapping[str, str]) -> Response:
        by, now = name_of(), self._deps.clock.now()
        scopes = [scope for scope in Scope if typed.get(f"scope-{scope}")]
        name, days = typed.get("name", ""), number_in(typed.get("days", "")) or 0
        try:
            _, new = await self._deps.db.run(lambda session: tokens.make(session, name, scopes, days, by, now))
        except ValueError as error:
            return await self.show(wrong=f"{_WRONG}Nothing was saved: {error}.", typed=typed)
        self._once.keep(_cookie(), OneTime(name, new), now)
        return done("/tokens")

    async def make_hook(self, typed: Mapping[str, str]) -> Response:
        by = name_of()
        try:
            secret = await self._deps.db.run(lambda session: hook_routes.make(session, typed, by, self._deps))
        except (ValueError, LookupError) as error:
            return await self.show(wrong=f"{hook_routes.WRONG}Nothing was saved: {error}.", typed=typed)
        self._once.keep(_cookie(), OneTime("签名密钥 secret", secret), self._deps.clock.now())
        return done("/tokens")

    async def show(
        self, *, once: OneTime | None = None, wrong: str = "", typed: Mapping[str, str] | None = None
    ) -> Response:
        now = self._deps.clock.now()

        def look(session: Session) -> tuple[list[TokenLine], list[hook_routes.HookLine], list[tuple[int, str]]]:
            shown = [_line(each, now) for each in tokens.listed(session)]
            return shown, hook_routes.lines(session), hook_routes.places(session)

        (lines, hooks, places), shell = await self._pages.look(look)
        values: dict[str, Any] = {
            "once": once,
            "wrong": wrong,
            "typed": typed or {},
            "lines": lines,
            "hooks": hooks,
            "places": places,
            "sorts": hook_routes.SORT_ZH,
            "days": tokens.DAYS,
        }
        values["scopes"] = [(str(scope), zh) for scope, zh in SCOPE_ZH.items()]
        return self._pages.show("tokens.html", shell, name_of(), 422 if wrong else 200, here="/tokens", **values)


def _cookie() -> str:
    who = visitor()
    return who.cookie if who else ""


def _line(row: ApiToken, now: datetime) -> TokenLine:
    state = "已停用" if row.revoked_at else "已过期" if now >= row.expires_at else ""
    return TokenLine(
        row.id,
        row.name,
        tuple((scope, SCOPE_ZH[Scope(scope)]) for scope in row.scopes if scope in list(Scope)),
        f"{row.made_by} {row.made_at:%Y-%m-%d}",
        f"{row.used_on:%Y-%m-%d}" if row.used_on else "",
        f"{row.expires_at:%Y-%m-%d}",
        state,
    )
