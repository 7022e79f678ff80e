"""The pages of settings, and the forms of what a committee itself may set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import policies
from checkins.roster import edits
from checkins.roster.announcement import write_announcement
from checkins.roster.loading import calendar_of
from checkins.schedule import read_minute
from checkins.tables import Neighbourhood
from console import roster_words, settings_view
from console.deps import Deps
from console.forms import done, fields, name_of, number_in
from console.guard import PageError
from console.pages import Pages
from console.setting_words import SOURCE_ZH

Typed = Mapping[str, str]
_Change = Callable[[Session, Typed, str, datetime], None]

NO_PLACE = PageError(404, "没有这个居委。", "there is no such neighbourhood")
SPANS = 3  # working hours of a day
ROWS = 12  # stretches of a year's notice
_MOST_FIELDS = 60
_STALE = "没有保存：刚才有人改过，这一页是旧的。请打开最新的，再改一次。Nothing was saved: this page is out of date."


class WrongError(ValueError):
    """What was typed can't be saved."""


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.get("/settings")
    async def index(request: Request) -> Response:
        found, shell = await pages.look(lambda _session: settings_view.links())
        return await pages.shown("settings.html", shell, name_of(request), here="/settings", links=found)

    @router.get("/settings/hours")
    async def hours() -> Response:
        return await _hours(deps, pages)

    @router.post("/settings/hours")
    async def change_hours(request: Request) -> Response:
        return await _change(request, deps, pages, "hours", _work)

    @router.post("/settings/holidays")
    async def change_holidays(request: Request) -> Response:
        return await _change(request, deps, pages, "holidays", _holidays)

    @router.get("/settings/lines")
    async def lines() -> Response:
        return await _lines(deps, pages)

    @router.post("/settings/lines")
    async def change_lines(request: Request) -> Response:
        return await _change(request, deps, pages, "lines", _of_the_trunk)


async def _change(request: Request, deps: Deps, pages: Pages, form: str, change: _Change) -> Response:
    typed, by, now = await fields(request, _MOST_FIELDS), name_of(), deps.clock.now()
    page = _lines if form == "lines" else _hours
    try:
        await deps.db.run(lambda session: change(session, typed, by, now))
    except WrongError as wrong:
        return await page(deps, pages, str(wrong), {**typed, "form": form})
    return done("/settings/lines" if form == "lines" else "/settings/hours")


async def _hours(deps: Deps, pages: Pages, wrong: str = "", typed: Typed | None = None) -> Response:
    now = deps.clock.now()
    page, shell = await pages.look(lambda session: settings_view.hours(session, now))
    values: dict[str, Any] = {"page": page, "wrong": wrong, "typed": typed or {}, "spans": SPANS, "rows": ROWS}
    values |= {"day_zh": roster_words.day_zh, "why_zh": settings_view.WHY_ZH}
    status = 422 if wrong else 200
    return await pages.shown("settings_hours.html", shell, name_of(), status, here="/settings/hours", **values)


async def _lines(deps: Deps, pages: Pages, wrong: str = "", typed: Typed | None = None) -> Response:
    now = deps.clock.now()
    page, shell = await pages.look(lambda session: settings_view.lines(session, now, deps.trunk, deps.setup))
    values: dict[str, Any] = {"page": page, "wrong": wrong, "typed": typed or {}, "source_zh": SOURCE_ZH}
    status = 422 if wrong else 200
    return await pages.shown("settings_lines.html", shell, name_of(), status, here="/settings/lines", **values)


# ── the changes ───────────────────────────────────────────────────────────────────────────────────


def _place(session: Session, typed: Typed) -> Neighbourhood:
    """Of two who save at once, the second one sees what the first has written."""
    query = select(Neighbourhood).where(Neighbourhood.id == (number_in(typed.get("place", "")) or 0))
    found = session.scalars(query.with_for_update()).one_or_none()
    if found is None:
        raise NO_PLACE
    return found


def _work(session: Session, typed: Typed, by: str, now: datetime) -> None:
    """Working hours of one place."""
    place = _place(session, typed)
    if typed.get("stamp") != settings_view.hours_stamp(calendar_of(session, place.id)):
        raise WrongError(_STALE)
    spans = tuple(_spans(typed))
    if not spans:
        raise WrongError("没有保存：请写上班时间，比如 08:30 到 17:00。Write working hours.")
    try:
        edits.set_working_hours(session, place.id, spans, by, now)
    except ValueError:
        raise WrongError(
            "没有保存：上班时间要一段比一段晚，不能重叠。Working hours must rise and not overlap."
        ) from None


def _spans(typed: Typed) -> Iterator[tuple[int, int]]:
    for index in range(SPANS):
        begins, ends = (typed.get(f"{name}-{index}", "").strip() for name in ("from", "until"))
        if not begins and not ends:
            continue
        try:
            yield read_minute(begins), read_minute(ends)
        except ValueError:
            raise WrongError("没有保存：时间要写全，比如 08:30 到 17:00。Write both times, e.g. 08:30.") from None


def _holidays(session: Session, typed: Typed, by: str, now: datetime) -> None:
    """The notice for a year, for all committees."""
    session.scalars(select(Neighbourhood.id).order_by(Neighbourhood.id).limit(1).with_for_update()).all()
    if typed.get("stamp") != settings_view.days_stamp(session):
        raise WrongError(_STALE)
    rows = [(index + 1, cells) for index in range(ROWS) if (cells := _row(typed, index))]
    done_ = write_announcement(session, rows, by, now)
    if done_.errors:
        raise WrongError(f"没有保存：{'；'.join(map(_error_zh, done_.errors))}")


def _row(typed: Typed, index: int) -> Mapping[str, str]:
    cells = {name: typed.get(f"{name}-{index}", "").strip() for name in ("from", "until", "kind")}
    return cells if cells["from"] or cells["until"] else {}


_ERRORS_ZH = (
    ("is named twice", "同一天写了两次"),
    ("is a holiday by law", "法定假日不会上班：年份对吗？"),
    ("must not lie before", "“到”要在“从”之后，最多十五天"),
    ("names no day", "请至少写一行"),
    ("column from", "“从”要写日期"),
    ("column until", "“到”要写日期"),
    ("column kind", "请选放假或上班"),
)


def _error_zh(error: str) -> str:
    zh = next((zh for en, zh in _ERRORS_ZH if en in error), "")
    row = error.removeprefix("row ").split(",")[0] if error.startswith("row ") else ""
    return f"{f'第 {row} 行：' if row else ''}{zh}（{error}）"


def _of_the_trunk(session: Session, typed: Typed, by: str, now: datetime) -> None:
    """How many of the trunk's lines are planned with for one place."""
    place, text = _place(session, typed), typed.get("lines", "").strip()
    if typed.get("was", "") != str(place.lines or ""):
        raise WrongError(_STALE)
    lines = number_in(text)
    if text and (not lines or lines > policies.MOST_LINES):
        raise WrongError(
            f"没有保存：请写 1 到 {policies.MOST_LINES} 的整数，空着就是全部。Write a whole number, or nothing."
        )
    policies.put_lines(session, place, lines, by, now)
