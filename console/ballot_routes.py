"""打钩: what is open, a new one that is looked at before it is made, and everything that staff do about one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from checkins.names import is_name
from community import ballot_rows as rows
from community import ballot_staff
from community.ballot import MOST_TOPICS
from community.ballot_doubts import unit_of
from community.ballot_proposals import MOST as MOST_PROPOSALS
from community.ballot_tables import Ballot, BallotSlot
from community.ballot_words import UNIT_ZH
from community.wrong import Unknown, Wrong
from console import ballot_form, ballot_view, letter_routes, paper_routes
from console.ballot_form import Form, UnseenError
from console.deps import Deps
from console.forms import done, fields, name_of, number_in, row_number
from console.guard import PageError
from console.pages import Pages
from console.paper_routes import NO_BALLOT

Typed = Mapping[str, str]
_Change = Callable[[Session, Ballot, Typed, str, datetime], object]

NO_FORM = PageError(404, "没有这个表单。", "there is no such form")
_LOOK_AGAIN = "还没有建：请先看一遍，再建。Nothing was made yet: look at it, then make it."
_UNIT = "told-"


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    _add_list(router, deps, pages)
    _add_new(router, deps, pages)
    paper_routes.add(router, deps, pages)
    letter_routes.add(router, deps)
    _add_one(router, deps, pages)


def _add_list(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.get("/ballots")
    async def listed(request: Request) -> Response:
        now = deps.clock.now()
        page, shell = await pages.look(lambda session: ballot_view.listed(session, now))
        return await pages.shown("ballots.html", shell, name_of(request), here="/ballots", page=page)


def _add_new(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.get("/ballots/new")
    async def new(place: str = "", kind: str = "") -> Response:
        typed = {"place": place, "kind": kind if kind == ballot_form.PROPOSALS else ""}
        rings = {} if typed["kind"] else {"rings": "1"}
        return await _form(deps, pages, {**typed, **rings})

    @router.post("/ballots/new")
    async def make(request: Request) -> Response:
        typed = await fields(request, 80)
        if typed.get("step") != "make":
            return await _form(deps, pages, typed, preview=True)
        by, now = name_of(), deps.clock.now()
        try:
            number = await deps.db.run(lambda session: ballot_form.make(session, typed, by, now).number)
        except UnseenError:
            return await _form(deps, pages, typed, preview=True, wrong=_LOOK_AGAIN)
        except (Wrong, Unknown) as no:
            return await _form(deps, pages, typed, wrong=_not_saved(no))
        return done(f"/ballots/{number}")


async def _form(deps: Deps, pages: Pages, typed: Typed, *, preview: bool = False, wrong: str = "") -> Response:
    now = deps.clock.now()

    def look(session: Session) -> tuple[Form, str]:
        try:
            return ballot_form.form(session, typed, now, preview=preview), wrong
        except (Wrong, Unknown) as no:
            return ballot_form.form(session, typed, now), _not_saved(no)

    (page, said), shell = await pages.look(look)
    values = {"page": page, "wrong": said, "units": UNIT_ZH, "most": MOST_TOPICS, "most_proposals": MOST_PROPOSALS}
    status = 422 if said else 200
    return await pages.shown("ballot_new.html", shell, name_of(), status, here="/ballots/new", **values)


def _add_one(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.get("/ballots/{number}")
    async def one(number: str) -> Response:
        return await _show(deps, pages, row_number(number, NO_BALLOT), {})

    @router.post("/ballots/{number}/{what}")
    async def change(request: Request, number: str, what: str) -> Response:
        typed, which = await fields(request, 100), row_number(number, NO_BALLOT)
        if what not in _CHANGES:
            raise NO_FORM
        by, now = name_of(), deps.clock.now()
        try:
            await deps.db.run(lambda session: _CHANGES[what](session, _ballot(session, which), typed, by, now))
        except (Wrong, Unknown) as no:
            return await _show(deps, pages, which, {**typed, "form": what}, wrong=_not_saved(no))
        return done(f"/ballots/{which}")


async def _show(deps: Deps, pages: Pages, number: int, typed: Typed, *, wrong: str = "") -> Response:
    now = deps.clock.now()
    page, shell = await pages.look(lambda session: ballot_view.one(session, number, now))
    if page is None:
        raise NO_BALLOT
    status, values = 422 if wrong else 200, {"page": page, "typed": typed, "wrong": wrong, "line_number": deps.line}
    return await pages.shown("ballot.html", shell, name_of(), status, here=f"/ballots/{number}", **values)


def _not_saved(no: Wrong | Unknown) -> str:
    return f"没有保存：{no.zh}。Nothing was saved: {no}."


# ── acts ──────────────────────────────────────────────────────────────────────────────────────────


def _ballot(session: Session, number: int) -> Ballot:
    """Locked."""
    try:
        return rows.by_number(session, number)
    except Unknown:
        raise NO_BALLOT from None


def _proxy(session: Session, ballot: Ballot, typed: Typed, by: str, now: datetime) -> None:
    if ballot.sealed_at is not None or ballot.closes_at <= now:
        raise Wrong("这次打钩已经结束", "it is over already")
    unit, name = typed.get("unit", "").strip(), typed.get("name", "").strip()
    if not is_name(name):
        raise Wrong("请写受委托人的姓名", "say who has the proxy")
    ballot_staff.proxy(session, ballot.number, unit, name, typed.get("document", ""), by, now)


def _withdraw(session: Session, ballot: Ballot, typed: Typed, by: str, now: datetime) -> None:
    """Only while it isn't over: what has a result keeps it."""
    if ballot.sealed_at is None and ballot.closes_at <= now:
        raise Wrong("时间已到，正在点票，不能撤回", "its time is over, it is being counted")
    if ballot.withdrawn_by:
        raise Wrong(f"已经由{ballot.withdrawn_by}撤回", "it was withdrawn already")
    ballot_staff.withdraw(session, ballot.number, by, now)


def _told(session: Session, ballot: Ballot, typed: Typed, by: str, now: datetime) -> None:
    """All units that were ticked, or none; what somebody else has told meanwhile stays theirs."""
    ticked = [number_in(key.removeprefix(_UNIT)) for key, value in typed.items() if key.startswith(_UNIT) and value]
    slots = [session.get(BallotSlot, number or 0) for number in ticked]
    units = [unit_of(slot) for slot in slots if slot is not None and slot.ballot_id == ballot.id]
    if not units or len(units) < len(ticked):
        raise Wrong("请勾选告诉了哪几户", "tick the units that you have told")
    ballot_staff.told(session, ballot.number, units, by, now)


_CHANGES: Mapping[str, _Change] = {"proxy": _proxy, "withdraw": _withdraw, "told": _told}
