"""The log of acts: one page over all logs, and the same as a file; whoever takes a file is in the log, too."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from checkins import office_log, spreadsheet, workbook
from console import audit_view, view
from console.audit_sources import SOURCES, Key, Narrowed
from console.audit_view import Found, Line
from console.audit_words import KIND_ZH
from console.deps import Deps
from console.forms import fields, name_of, number_in
from console.guard import PageError
from console.pages import Pages, may

MOST_ROWS = 20_000  # of a file
HEAD = ("时间", "谁", "类别", "做了什么", "关于谁", "个案")
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
NO_TYPE = PageError(404, "没有这种文件。", "there is no such kind of file")
BUSY = PageError(503, "另一个文件正在做，请过一会儿再试。", "another file is being made; try again in a while")
_ASKED = ("kind", "who", "elder", "text", "since", "until")
_NAMES = frozenset(source.name for source in SOURCES)


@dataclass(frozen=True)
class Asked:
    """The form above the log, as it was filled in."""

    kind: str = ""
    who: str = field(default="", repr=False)
    elder: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    since: str = ""
    until: str = ""

    @classmethod
    def of(cls, typed: Mapping[str, str]) -> Asked:
        return cls(**{name: typed.get(name, "").strip()[:100] for name in _ASKED})

    def query(self, before: Key | None = None) -> str:
        """The address's part behind "?"; "" for nothing."""
        parts = {name: getattr(self, name) for name in _ASKED if getattr(self, name)}
        return urlencode(parts | ({"before": _written(before)} if before else {}))


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    one_file = asyncio.Lock()

    @router.get("/audit")
    async def shown(request: Request) -> Response:
        return await _show(pages, Asked.of(request.query_params), _key(request.query_params.get("before", "")))

    @router.post("/audit/export")
    async def export(request: Request) -> Response:
        typed = await fields(request, 20)
        kind = typed.get("file", "")
        if kind not in TYPES:
            raise NO_TYPE
        if one_file.locked():
            raise BUSY
        async with one_file:
            return await _file(deps, pages, Asked.of(typed), kind)


async def _show(pages: Pages, asked: Asked, before: Key | None, wrong: str = "") -> Response:
    by_elder = may("GET", "/elder/{person_id}")  # here: whoever asks isn't known to the thread that reads

    def look(session: Session) -> tuple[Found, list[str], str]:
        narrowed, why = _narrowed(session, asked, by_elder=by_elder)
        found = Found((), None) if narrowed is None else audit_view.page(session, narrowed, asked.text, before)
        return found, audit_view.names(session), why

    (found, names, why), shell = await pages.look(look)
    wrong = wrong or why
    values = {"found": found, "names": names, "asked": asked, "kinds": KIND_ZH, "wrong": wrong, "before": before}
    older = f"/audit?{asked.query(found.older)}" if found.older else ""
    here = "/audit"
    return pages.show("audit.html", shell, name_of(), 422 if wrong else 200, here=here, older=older, **values)


def _narrowed(session: Session, asked: Asked, *, by_elder: bool) -> tuple[Narrowed | None, str]:
    """None, and why, when what was asked for can be nothing."""
    about = None
    if asked.elder:
        if not by_elder:
            return None, "您的账号不能按老人查。Your account may not ask for one elder."
        about = audit_view.people_like(session, asked.elder)
        if not about:
            return None, "没有叫这个名字的人。Nobody has this name."
    try:
        since, until = _midnight(asked.since, 0), _midnight(asked.until, 1)
    except ValueError:
        return None, "日期请写成 2026-03-02。Write a date as 2026-03-02."
    kind = asked.kind if asked.kind in KIND_ZH else ""
    return Narrowed(kind, asked.who, about, since, until), ""


def _midnight(text: str, days: int) -> datetime | None:
    """When that day begins in the house's zone, or the one so many days later."""
    if not text:
        return None
    day = date.fromisoformat(text)
    if not 2000 <= day.year < 2200:
        raise ValueError("no day of ours")
    day += timedelta(days=days)
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(view.HOME)).astimezone(UTC)


def _written(key: Key) -> str:
    return f"{key.millis}.{key.source}.{key.id}"


def _key(text: str) -> Key | None:
    """None for what no page of ours has written: the newest ones are shown."""
    millis, _, rest = text[:80].partition(".")
    source, _, number = rest.partition(".")
    at, row = number_in(millis[:14]), number_in(number)
    return Key(at, source, row) if at is not None and row is not None and source in _NAMES else None


# ── as a file ─────────────────────────────────────────────────────────────────────────────────────


async def _file(deps: Deps, pages: Pages, asked: Asked, kind: str) -> Response:
    """Read beside everything else; who took it is written down before it goes out."""
    by, now = name_of(), deps.clock.now()
    by_elder = may("GET", "/elder/{person_id}")
    lines, wrong = await asyncio.to_thread(_read, deps, asked, by_elder=by_elder)
    if wrong:
        return await _show(pages, asked, None, wrong)
    raw = await asyncio.to_thread(_made, lines, kind)
    narrowed = sorted(name for name in ("who", "elder", "text") if getattr(asked, name))
    detail = {"list": "audit", "rows": len(lines), "kind": asked.kind, "since": asked.since, "until": asked.until}
    detail |= {"narrowed": narrowed}
    await deps.db.run(lambda session: office_log.note(session, office_log.EXPORTED, by, now, detail=detail))
    name = f"wenan-audit-{now.astimezone(ZoneInfo(view.HOME)):%Y%m%d-%H%M}.{kind}"
    return Response(raw, media_type=TYPES[kind], headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _read(deps: Deps, asked: Asked, *, by_elder: bool) -> tuple[list[Line], str]:
    with deps.db.read() as session:
        narrowed, why = _narrowed(session, asked, by_elder=by_elder)
        if narrowed is None:
            return [], why
        lines = audit_view.everything(session, narrowed, asked.text, MOST_ROWS + 1)
    if len(lines) > MOST_ROWS:
        return [], f"超过 {MOST_ROWS} 行：请把日期写窄一些。More than {MOST_ROWS} lines: ask for fewer days."
    return lines, ""


def _made(lines: list[Line], kind: str) -> bytes:
    rows = [list(HEAD), *map(_cells, lines)]
    if kind == "xlsx":
        return workbook.write({"日志": rows})
    return spreadsheet.to_csv(rows).encode("utf-8-sig")  # spreadsheets take it for UTF-8


def _cells(line: Line) -> list[str]:
    at = line.at.astimezone(ZoneInfo(view.HOME)).strftime("%Y-%m-%d %H:%M:%S")
    about = "、".join(one.name for one in line.about)
    return [at, line.by, line.kind_zh, line.zh, about, "" if line.case is None else str(line.case)]
