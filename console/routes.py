"""The pages for staff: who needs a person, one case with its calls and recordings, the sheet to print."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import deciding, sheet
from checkins.alarms import open_alarms
from checkins.deciding import Refused, TakenError
from checkins.names import says_something
from checkins.tables import Neighbourhood
from console import (
    account_routes,
    audit_routes,
    ballot_routes,
    board_routes,
    complaint_routes,
    elder_routes,
    export_routes,
    files,
    flagged_routes,
    flagged_view,
    flow_routes,
    hall_routes,
    help_routes,
    import_routes,
    item_routes,
    live_routes,
    login_routes,
    notice_routes,
    phone_routes,
    policy_routes,
    prompt_routes,
    recorded,
    roster_routes,
    settings_routes,
    sound_routes,
    ticket_routes,
    today_routes,
    token_routes,
    view,
)
from console.api import routes as api
from console.deps import Deps
from console.fetched import Fetched
from console.forms import Text, done, heard_in, name_of, row_number, seen_in
from console.guard import CSP, PageError
from console.guarded import guarded
from console.health import Writes
from console.pages import Pages
from console.ranges import UnsatisfiableError, given, ranged
from console.visiting import visitor
from storage.faults import where

MAX_FINDING = 2000

NO_CASE = PageError(404, "没有这个个案。", "there is no such case")


def routes(deps: Deps) -> APIRouter:
    """All pages of the console, each behind the door (console/access.py)."""
    pages = Pages(deps)
    router = APIRouter(route_class=guarded(pages.error, deps.door), default_response_class=HTMLResponse)
    login_routes.add(router, deps.door, pages)
    _add_pages(router, deps, pages)
    _add_forms(router, deps, pages)
    _add_files(router, deps)
    files.add(router)
    live_routes.add(router, deps, pages)
    today_routes.add(router, deps, pages)
    flagged_routes.add(router, deps, pages)
    elder_routes.add(router, deps, pages)
    item_routes.add(router, deps, pages)
    help_routes.add(router, deps, pages)
    flow_routes.add(router, deps, pages)
    prompt_routes.add(router, deps, pages)
    phone_routes.add(router, deps, pages)
    roster_routes.add(router, deps, pages)
    notice_routes.add(router, deps, pages)
    ballot_routes.add(router, deps, pages)
    account_routes.add(router, deps, pages)
    audit_routes.add(router, deps, pages)
    import_routes.add(router, deps, pages)
    export_routes.add(router, deps, pages)
    sound_routes.add(router, deps)
    policy_routes.add(router, deps, pages)
    settings_routes.add(router, deps, pages)
    token_routes.add(router, deps, pages)
    api.add(router, deps, pages)
    board_routes.add(router, deps, pages)
    complaint_routes.add(router, deps, pages)
    ticket_routes.add(router, deps, pages)
    hall_routes.add(router, deps, pages)
    return router


def _add_pages(router: APIRouter, deps: Deps, pages: Pages) -> None:
    writes = Writes(deps.db, deps.folders)

    @router.get("/case/{case_id}")
    async def case(request: Request, case_id: str) -> Response:
        return await _show_case(deps, pages, case_id, by=name_of(request))

    @router.get("/sheet")
    async def sheets(place: str = "") -> Response:
        now = deps.clock.now()
        page = await deps.db.browse(lambda session: _sheet(session, place, now))
        csp = CSP.replace("style-src 'self'", f"style-src '{sheet.STYLE_HASH}'")
        return HTMLResponse(page, headers={"Content-Security-Policy": csp})

    @router.get("/healthz")
    async def healthz() -> Response:
        return await _health(deps, writes)


def _add_forms(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.post("/case/{case_id}/take-over")
    async def take_over(case_id: str, back: Text = "", had: Text = "", finding: Text = "") -> Response:
        by = name_of()
        try:
            wrong = await _act(
                deps, case_id, lambda session, number, now: deciding.take_over(session, number, by, now, had=had)
            )
        except TakenError as taken:
            wrong = f"没有接手：{taken.zh}。{taken}."
            return await _show_case(deps, pages, case_id, by=by, finding=finding, wrong=wrong, had=taken.owner)
        if wrong:
            return await _show_case(deps, pages, case_id, by=by, finding=finding, wrong=wrong)
        return done(_back(case_id, back))

    @router.post("/case/{case_id}/close")
    async def close(case_id: str, finding: Text = "", back: Text = "", seen: Text = "", heard: Text = "") -> Response:
        by = name_of()

        def act(session: Session, number: int, now: datetime) -> None:
            recorded_at = flagged_view.recorded_at(session, number)
            deciding.close(
                session,
                number,
                by,
                finding,
                now,
                recorded_at=recorded_at,
                seen=seen_in(seen),
                heard=heard_in(heard),
            )

        wrong = wrong_finding(finding) or await _act(deps, case_id, act)
        if wrong:
            return await _show_case(deps, pages, case_id, by=by, finding=finding, wrong=wrong)
        return done(_back(case_id, back))


def _add_files(router: APIRouter, deps: Deps) -> None:
    fetched = Fetched()

    @router.get("/recording/{case_id}/{path:path}")
    async def recording(request: Request, case_id: str, path: str) -> Response:
        who, number = visitor(), row_number(case_id, NO_CASE)
        assert who is not None, "the door lets nobody unknown in"

        def whole(size: int) -> bool:
            with suppress(UnsatisfiableError):
                return fetched.whole(who.account, path, *given(request, size), size)
            return False

        return ranged(request, await recorded.opened(deps, number, path, who.name, whole), "audio/wav")


# ── pieces ────────────────────────────────────────────────────────────────────────────────────────


async def _show_case(
    deps: Deps, pages: Pages, case_id: str, *, by: str, finding: str = "", wrong: str = "", had: str = ""
) -> Response:
    number, now = row_number(case_id, NO_CASE), deps.clock.now()
    page, shell = await pages.look(lambda session: view.case(session, number, now))
    if page is None:
        raise NO_CASE
    return await pages.shown(
        "case.html",
        shell,
        by,
        422 if wrong else 200,
        here=f"/case/{number}",
        page=page,
        finding=finding,
        wrong=wrong,
        had=had,
    )


def wrong_finding(finding: str) -> str:
    if not says_something(finding):
        return "请写清结果（见到本人了吗？情况怎样？），没有结果不能办结。A case is closed with a finding."
    if len(finding) > MAX_FINDING:
        return f"结果请不超过 {MAX_FINDING} 个字。The finding is too long."
    return ""


async def _act(deps: Deps, case_id: str, act: Any) -> str:
    """Does it; a sentence when somebody was faster."""
    number, now = row_number(case_id, NO_CASE), deps.clock.now()
    try:
        await deps.db.run(lambda session: act(session, number, now))
    except TakenError:
        raise
    except Refused as no:
        return f"没有保存：{no.zh}。Nothing was saved: {no}."
    except LookupError:
        raise NO_CASE from None
    except ValueError:
        return "这个个案已经办结，没有改动。This case is closed already; nothing was changed."
    return ""


def _back(case_id: str, back: str) -> str:
    return f"/case/{row_number(case_id, NO_CASE)}" if back == "case" else "/"


def _sheet(session: Session, place: str, now: datetime) -> str:
    query = select(Neighbourhood).order_by(Neighbourhood.id)
    if place:
        query = query.where(Neighbourhood.id == row_number(place, NO_CASE))
    found = session.scalars(query.limit(1)).first()
    if found is None:
        raise PageError(404, "没有这个居委。", "there is no such neighbourhood")
    return sheet.render(session, found, now, home="/", icon=files.static_url("icon.svg"))


async def _health(deps: Deps, writes: Writes) -> Response:
    """200 when the database answers and takes what is written, there is room on the disk, the rounds that must not
    fail go well, and the clock is right; what else is amiss is told beside it."""
    now = deps.clock.now()
    try:
        state = await deps.db.view(lambda session: view.house(session, now))
        alarms = await deps.db.view(lambda session: len(open_alarms(session)))
        if wrong := await writes.wrong():
            return JSONResponse({"ok": False, "database": f"can't be written: {wrong}"}, 503)
    except Exception as error:
        return JSONResponse({"ok": False, "database": where(error)}, 503)
    if failing := deps.failing():
        return JSONResponse({"ok": False, "database": "ok", "failing": list(failing)}, 503)
    told = {
        "ok": state.well,
        "database": "ok",
        "clock_behind": state.clock_behind,
        "line_down": state.line_down,
        "late": len(deps.late()),
        "alarms": alarms,
        "engines": {engine.name: engine.ready for engine in deps.ears_status()},
    }
    return JSONResponse(told, 200 if state.well else 503)
