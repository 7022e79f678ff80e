"""Lists that go out as files: the register, and what the committee hands upward. Who takes one is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from checkins import office_log, spreadsheet, workbook
from checkins.tables import Neighbourhood
from community import register_export, upward
from community.register_export import Rows
from console import accounts
from console.audit_routes import BUSY, TYPES
from console.deps import Deps
from console.forms import Text, name_of, row_number
from console.guard import PageError
from console.pages import Pages

NO_LIST = PageError(404, "没有这种名单。", "there is no such list")
NO_PLACE = PageError(404, "没有这个居委。", "there is no such neighbourhood")
NO_MONTH = PageError(422, "月份请写成 2026-03。没有导出。", "write a month as 2026-03; nothing was given out")
_Sheets = Mapping[str, Rows]


def add(router: APIRouter, deps: Deps, _pages: Pages) -> None:
    one_file = asyncio.Lock()

    @router.post("/exports")
    async def export(which: Text = "", place: Text = "", month: Text = "") -> Response:
        kind, _, suffix = which.partition("-")
        if which not in _LISTS:
            raise NO_LIST
        number, by, now = row_number(place, NO_PLACE), name_of(), deps.clock.now()
        if one_file.locked():
            raise BUSY
        async with one_file:
            raw, rows = await asyncio.to_thread(_made, deps, which, number, month.strip(), now)
        detail = {"list": kind, "rows": rows} | ({"month": month.strip()} if kind == "month" else {})
        await deps.db.run(
            lambda session: office_log.note(session, office_log.EXPORTED, by, now, place_id=number, detail=detail)
        )
        name = f"wenan-{kind}-{now:%Y%m%d}.{suffix}"
        return Response(
            raw, media_type=TYPES[suffix], headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )


def _made(deps: Deps, which: str, number: int, month: str, now: datetime) -> tuple[bytes, int]:
    """The file, and how many lines are in it but for headings. Beside everything else."""
    with deps.db.read() as session:
        place = session.get(Neighbourhood, number)
        if place is None:
            raise NO_PLACE
        sheets = _LISTS[which](session, place, month, now)
    rows = sum(len(sheet) - 1 for sheet in sheets.values())
    if which.endswith("csv"):
        return spreadsheet.to_csv(next(iter(sheets.values()))).encode("utf-8-sig"), rows
    return workbook.write(sheets), rows


def _register(session: Session, place: Neighbourhood, _month: str, now: datetime) -> _Sheets:
    return register_export.register_book(session, place, now)


def _people(session: Session, place: Neighbourhood, _month: str, now: datetime) -> _Sheets:
    name, rows = next(iter(register_export.register_book(session, place, now).items()))
    return {name: rows}


def _street(session: Session, place: Neighbourhood, _month: str, now: datetime) -> _Sheets:
    return {"结对名册": register_export.upward(session, place, now)[0]}


def _monthly(session: Session, place: Neighbourhood, month: str, now: datetime) -> _Sheets:
    try:
        span = upward.month(month or f"{now.astimezone(ZoneInfo(place.timezone)):%Y-%m}", place.timezone)
    except (ValueError, OverflowError):
        raise NO_MONTH from None
    return upward.sheets(session, place, span, now, [each.name for each in accounts.listed(session)])


_LISTS: Mapping[str, Callable[[Session, Neighbourhood, str, datetime], _Sheets]] = {
    "register-xlsx": _register,
    "register-csv": _people,
    "street-xlsx": _street,
    "month-xlsx": _monthly,
}
