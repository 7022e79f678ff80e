"""The page of a roster, and the forms for the changes of an ordinary week. Whatever else is changed comes by
spreadsheet (`roster import`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from checkins.roster import edits
from checkins.roster.errors import RosterError
from checkins.roster.tables import RosterLeave, RosterOverride
from checkins.schedule import at_minute
from checkins.tables import GONE, Neighbourhood, Person, Role
from console import roster_calendar, roster_view, roster_words
from console.deps import Deps
from console.forms import done, fields, name_of, number_in, row_number
from console.guard import PageError
from console.pages import Pages

Typed = Mapping[str, str]
_Change = Callable[[Session, Neighbourhood, Typed, str, datetime], object]

NO_PLACE = PageError(404, "没有这个居委。", "there is no such neighbourhood")
NO_FORM = PageError(404, "没有这个表单。", "there is no such form")
_MAX_ASKED = 50
_YEARS = (2000, 2200)


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.get("/roster")
    async def roster(request: Request, place: str = "", q: str = "") -> Response:
        number = row_number(place, NO_PLACE) if place else None
        return await _show(deps, pages, number, q.strip()[:_MAX_ASKED], by=name_of(request))

    @router.post("/roster/{place}/{what}")
    async def change(request: Request, place: str, what: str) -> Response:
        typed = await fields(request, 20)
        if what not in _CHANGES:
            raise NO_FORM
        number, by, now = row_number(place, NO_PLACE), name_of(), deps.clock.now()
        try:
            await deps.db.run(lambda session: _CHANGES[what](session, _place(session, number), typed, by, now))
        except RosterError as error:
            wrong = f"没有保存：{error.zh}。Nothing was saved: {error}."
            return await _show(deps, pages, number, "", by=by, wrong=wrong, typed={**typed, "form": what})
        return done(f"/roster?place={number}")


async def _show(
    deps: Deps, pages: Pages, place: int | None, asked: str, *, by: str, wrong: str = "", typed: Typed | None = None
) -> Response:
    now = deps.clock.now()
    page, shell = await pages.look(lambda session: roster_view.look(session, place, asked, now))
    if page is None:
        raise NO_PLACE
    status, here = 422 if wrong else 200, f"/roster?place={page.place_id}"
    values = {"page": page, "wrong": wrong, "typed": typed or {}, "roster_words": roster_words}
    values |= {"calendar": roster_calendar.calendar(page)}
    return await pages.shown("roster.html", shell, by, status, here=here, **values)


def _place(session: Session, number: int) -> Neighbourhood:
    place = session.get(Neighbourhood, number)
    if place is None:
        raise NO_PLACE
    return place


# ── the changes ───────────────────────────────────────────────────────────────────────────────────


def _leave(session: Session, place: Neighbourhood, typed: Typed, by: str, now: datetime) -> None:
    begins, ends = _span(place, typed)
    edits.put_on_leave(session, _chosen(session, place, typed, "person"), begins, ends, by, now)


def _override(session: Session, place: Neighbourhood, typed: Typed, by: str, now: datetime) -> None:
    begins, ends = _span(place, typed)
    person = _chosen(session, place, typed, "person")
    instead = _chosen(session, place, typed, "instead_of") if typed.get("instead_of") else None
    elder = _elder(session, place, typed["elder"].strip()) if typed.get("elder", "").strip() else None
    edits.override(session, person, begins, ends, by, now, instead_of=instead, elder_id=elder)


def _day(session: Session, place: Neighbourhood, typed: Typed, by: str, now: datetime) -> None:
    working = {"1": True, "0": False}.get(typed.get("working", ""))
    edits.set_working_day(session, _date(typed.get("day", "")), working, by, now)


def _take_off(session: Session, place: Neighbourhood, typed: Typed, by: str, now: datetime) -> None:
    person = session.get(Person, typed.get("person", ""))
    if person is None or person.neighbourhood_id != place.id:
        raise RosterError("say whom", "请选一个人")
    edits.take_off(session, person.id, by, now)


def _undo_leave(session: Session, place: Neighbourhood, typed: Typed, by: str, now: datetime) -> None:
    row = session.get(RosterLeave, _row(typed))
    if row is None or row.neighbourhood_id != place.id:
        raise RosterError("there is no such leave any more", "没有这条请假了")
    edits.end_leave(session, row.id, by, now)


def _undo_override(session: Session, place: Neighbourhood, typed: Typed, by: str, now: datetime) -> None:
    row = session.get(RosterOverride, _row(typed))
    if row is None or row.neighbourhood_id != place.id:
        raise RosterError("there is no such override any more", "没有这条顶班了")
    edits.end_override(session, row.id, by, now)


_CHANGES: Mapping[str, _Change] = {
    "leave": _leave,
    "override": _override,
    "day": _day,
    "take-off": _take_off,
    "undo-leave": _undo_leave,
    "undo-override": _undo_override,
}


# ── reading what was typed ────────────────────────────────────────────────────────────────────────


def _chosen(session: Session, place: Neighbourhood, typed: Typed, field: str) -> str:
    person = session.get(Person, typed.get(field, ""))
    if person is None or person.neighbourhood_id != place.id:
        raise RosterError("say whom", "请选一个人")
    return person.id


def _elder(session: Session, place: Neighbourhood, name: str) -> str:
    query = select(Person.id).where(Person.neighbourhood_id == place.id, Person.role == Role.ELDER)
    query = query.where(Person.state.not_in(GONE), or_(Person.name == name, Person.id == name))
    found = session.scalars(query).all()
    if len(found) != 1:
        en = (
            "no elder has this name" if not found else f"{len(found)} elders have this name: write the id (people list)"
        )
        zh = "没有叫这个名字的老人" if not found else f"有{len(found)}位老人叫这个名字，请写编号（people list）"
        raise RosterError(en, zh)
    return found[0]


def _span(place: Neighbourhood, typed: Typed) -> tuple[datetime, datetime]:
    """Without an end: to the end of the day on which it begins."""
    begins = _moment(place.timezone, typed.get("begins", ""))
    if not typed.get("ends", "").strip():
        local = begins.astimezone(ZoneInfo(place.timezone))
        return begins, at_minute(place.timezone, local.date(), 24 * 60)
    return begins, _moment(place.timezone, typed["ends"])


def _moment(zone: str, text: str) -> datetime:
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        raise RosterError("give date and time", "请写全日期和时间") from None
    if local.tzinfo is not None or not _YEARS[0] <= local.year < _YEARS[1]:
        raise RosterError("give date and time", "请写全日期和时间")
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise RosterError("give a date", "请写日期") from None


def _row(typed: Typed) -> int:
    return number_in(typed.get("id", "")) or 0
