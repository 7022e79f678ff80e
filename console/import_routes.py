"""The register from a spreadsheet, by the page: sent, looked at row by row, then done, or taken back before that."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import spreadsheet
from checkins.schedule import local_date
from checkins.spreadsheet import MAX_BYTES
from checkins.tables import Neighbourhood
from community.register_lines import Kind
from community.register_trial import Order
from console import fault_words, import_desk
from console.access import access
from console.deps import Deps
from console.forms import Text, done, name_of, number_in
from console.guard import PageError
from console.import_desk import FullError, ImportDesk, Job, State
from console.pages import Pages
from console.raw_body import raw_body
from console.visiting import visitor

NO_JOB = PageError(
    404,
    "没有这份表格了：已经撤回、过了半小时，或者不是您传的。",
    "this file isn't there any more, or somebody else's",
)
KIND_ZH: Mapping[Kind, tuple[str, str]] = {
    Kind.WRONG: ("有问题", "wrong"),
    Kind.NEW: ("新增", "new"),
    Kind.CHANGED: ("要改", "changed"),
    Kind.DIFFERS: ("和登记不一样，不改", "differ, left as they are"),
    Kind.KEPT: ("以本人说的为准，不改", "kept, somebody said so"),
    Kind.NOTED: ("请看一眼", "worth a look"),
    Kind.SAME: ("没有变化", "unchanged"),
}
STEP_ZH = {
    "": "排队，前面还有一份",
    "read": "正在读文件",
    "rows": "正在一行一行看",
    "judge": "正在和登记比",
    "write": "正在写入",
}


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    desk = deps.imports
    page = _Page(desk, deps, pages)

    @router.get("/import")
    async def shown() -> Response:
        return await page.first()

    @router.post("/import")
    async def send(request: Request) -> Response:
        return await page.send(request)

    @router.get("/import/{job}")
    async def judged(job: str, show: str = "", begin: str = "") -> Response:
        return await page.job(_job(desk, job), show, number_in(begin) or 0)

    @router.post("/import/{job}/{what}")
    async def act(job: str, what: str, hash: Text = "", mark: Text = "") -> Response:
        return await page.act(_job(desk, job), what, hash, mark)


class _Page:
    def __init__(self, desk: ImportDesk, deps: Deps, pages: Pages) -> None:
        self._desk, self._deps, self._pages = desk, deps, pages

    async def first(self) -> Response:
        now = self._deps.clock.now()
        places, shell = await self._pages.look(_places)
        today = local_date(places[0].timezone, now) if places else now.date()
        jobs, by = self._desk.of(_account()), name_of()
        values: dict[str, Any] = {"places": places, "jobs": jobs, "most": MAX_BYTES, "today": today, "states": State}
        return self._pages.show("import.html", shell, by, here="/import", **values)

    async def send(self, request: Request) -> Response:
        """Answers what the page's script reads: where to go on, or what is wrong."""
        raw = await raw_body(request)
        typed = {key: value.strip() for key, value in request.query_params.items()}
        by, now = name_of(), self._deps.clock.now()
        order = await self._deps.db.browse(lambda session: _order(session, typed, by, now))
        if not raw:
            order = "文件是空的。The file is empty."
        if isinstance(order, str):
            return JSONResponse({"wrong": order}, 422)
        try:
            job = await asyncio.to_thread(self._desk.take, _account(), raw, order)
        except FullError:
            return JSONResponse({"wrong": "现在有太多表格在看，请过一会儿再传。Too many files at once."}, 503)
        self._desk.begin(job, self._still_may())
        return JSONResponse({"go": f"/import/{job.id}"}, 202)

    async def job(self, job: Job, show: str, begin: int, wrong: str = "") -> Response:
        job = replace(job)  # as it is now: it goes on while the page is made
        counts = job.result.counts if job.result else {}
        kinds = [(kind, *KIND_ZH[kind], counts.get(kind, 0)) for kind in Kind if counts.get(kind)]
        kind = Kind(show) if show in list(Kind) and counts.get(Kind(show)) else next(iter(kinds), (Kind.WRONG,))[0]
        lines, more = await asyncio.to_thread(import_desk.page, job, kind, begin)
        _, shell = await self._pages.look(lambda _session: None)
        values = {"job": job, "kinds": kinds, "kind": kind, "lines": lines, "more": more, "states": State}
        values |= {"step": STEP_ZH.get(job.step, ""), "words": fault_words, "wrong": wrong, "begin": begin}
        here = f"/import/{job.id}"
        return self._pages.show("import_job.html", shell, name_of(), 422 if wrong else 200, here=here, **values)

    async def act(self, job: Job, what: str, seen_hash: str, seen_mark: str) -> Response:
        if what not in ("do", "again", "with", "drop"):
            raise NO_JOB
        if job.busy:
            return done(f"/import/{job.id}")
        if what == "drop":
            await asyncio.to_thread(self._desk.drop, job)
            return done("/import")
        if what == "do" and (wrong := _not_to_be_done(job, seen_hash, seen_mark)):
            return await self.job(job, "", 0, wrong)
        update = {"do": job.order.update, "again": job.order.update, "with": True}[what]
        job.state = State.WAITING  # at once: of two who press the button together one does it
        await asyncio.to_thread(self._desk.agree, job, update, write=what == "do")
        self._desk.begin(job, self._still_may())
        return done(f"/import/{job.id}")

    def _still_may(self) -> import_desk.StillMay:
        """Whoever was locked, or given another role, while it waited, writes nothing."""
        who = visitor()
        assert who is not None, "the table of routes says so"
        return lambda: self._deps.door.still(who, access("POST", "/import/{job}/{what}"))


def _not_to_be_done(job: Job, seen_hash: str, seen_mark: str) -> str:
    if not job.may_be_written():
        return "没有写入：还有问题，或者没有什么要改。Nothing was written: something is wrong, or nothing would change."
    if job.result is None or (seen_hash, seen_mark) != (job.hash, job.result.mark):
        return (
            "没有写入：您看的不是最后一次的结果，请看清下面的再做。Nothing was written: look at the newer result first."
        )
    return ""


def _places(session: Session) -> list[Neighbourhood]:
    return list(session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)))


def _order(session: Session, typed: Mapping[str, str], by: str, now: datetime) -> Order | str:
    """A sentence when something is wrong."""
    place = session.get(Neighbourhood, number_in(typed.get("place", "")) or 0)
    if place is None:
        return "请选居委。Choose a committee."
    on = typed.get("on", "")
    try:
        if on and spreadsheet.read_date(on) > local_date(place.timezone, now):
            return "日期还没有到。The date is still to come."
    except ValueError:
        return "日期请写成 2026-03-02。Write a date as 2026-03-02."
    return Order(
        url="",
        place_id=place.id,
        path="",
        name=typed.get("name", "")[-100:] or "表格",
        folder="",
        by=by,
        source=typed.get("source", "")[:100],
        on=spreadsheet.read_date(on).isoformat() if on else "",
        now=now.isoformat(),
        roster=typed.get("what") == "roster",
        update=typed.get("update") == "1",
    )


def _job(desk: ImportDesk, job_id: str) -> Job:
    job = desk.find(job_id, _account())
    if job is None:
        raise NO_JOB
    return job


def _account() -> int:
    who = visitor()
    assert who is not None, "the table of routes says so"
    return who.account
