"""公告: what holds, a new one that is looked at before it is published, and whom one has not reached."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from community import notice_papers, notices
from community.notice_papers import Door, Facts
from community.notice_sheets import door_of, facts_of
from community.notice_tables import FIRST_NOTICE, Notice, NoticeEvent, Topic
from community.wrong import Unknown, Wrong
from console import notice_form, notice_view, notice_words, papers
from console.deps import Deps
from console.forms import done, fields, name_of, row_number, seen_in
from console.guard import PageError
from console.notice_form import Form, UnseenError
from console.pages import Pages
from console.phone_routes import account
from console.ranges import ranged
from console.sounds import GoneError
from console.wav import wav
from ivr.recordings import RecordingBrokenError

Typed = Mapping[str, str]
_Change = Callable[[Session, Notice, Typed, str, datetime], object]

NO_NOTICE = PageError(404, "没有这个公告。", "there is no such notice")
NO_RECORDING = PageError(404, "没有录音，或录音已损坏。", "there is no recording, or it is damaged")
NO_FORM = PageError(404, "没有这个表单。", "there is no such form")
NO_DOORS = PageError(404, "这个公告不用上门。", "nobody goes from door to door with this one")
_NOT_STORED = "录音存不下，没有发布。Nothing was published: "
_LOOK_AGAIN = "还没有发布：请先看会传到谁，再发布。Nothing was published yet: look at whom it reaches, then publish."
_PERSON = "told-"
_MOST_ASKED = 50


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    _add_list(router, deps, pages)
    _add_new(router, deps, pages)
    _add_papers(router, deps)
    _add_one(router, deps, pages)


def _add_list(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.get("/notices")
    async def listed(request: Request, all: str = "") -> Response:
        now, everything = deps.clock.now(), all == "1"
        page, shell = await pages.look(lambda session: notice_view.listed(session, now, everything=everything))
        here = "/notices?all=1" if everything else "/notices"
        values: dict[str, Any] = {"page": page, "everything": everything, "notice_words": notice_words}
        return await pages.shown("notices.html", shell, name_of(request), here=here, **values)


def _add_new(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.get("/notices/new")
    async def new(request: Request, place: str = "", answer: str = "") -> Response:
        return await _form(deps, pages, {"place": place, "complaint": answer, "topic": Topic.NOTICE})

    @router.post("/notices/new")
    async def send(request: Request) -> Response:
        typed = await fields(request, 100)
        if typed.get("step") != "publish":
            return await _form(deps, pages, typed, preview=True)
        by, now = name_of(), deps.clock.now()
        sound, about = typed.get("sound", ""), f"notice-{now:%Y%m%d%H%M%S%f}"
        try:
            async with deps.sounds.stored(sound, account(), about, "notice", now) as kept:
                made = await deps.db.run(lambda session: notice_form.publish(session, typed, kept, by, now).number)
        except UnseenError:
            return await _form(deps, pages, typed, preview=True, wrong=_LOOK_AGAIN)
        except GoneError as gone:
            return await _form(deps, pages, {**typed, "sound": ""}, wrong=str(gone))
        except (Wrong, Unknown) as no:
            return await _form(deps, pages, typed, wrong=_not_saved(no))
        except LookupError as full:
            return await _form(deps, pages, typed, wrong=f"{_NOT_STORED}{full}.")
        return done(f"/notices/{made}")


async def _form(deps: Deps, pages: Pages, typed: Typed, *, preview: bool = False, wrong: str = "") -> Response:
    by, now = name_of(), deps.clock.now()

    def look(session: Session) -> tuple[Form, str]:
        try:
            return notice_form.form(session, typed, by, now, preview=preview), wrong
        except (Wrong, Unknown) as no:
            return notice_form.form(session, typed, by, now), _not_saved(no)

    (page, said), shell = await pages.look(look)
    values = {"page": page, "wrong": said, "notice_words": notice_words}
    return await pages.shown("notice_new.html", shell, by, 422 if said else 200, here="/notices/new", **values)


def _add_one(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.get("/notices/{number}")
    async def one(number: str, q: str = "") -> Response:
        return await _show(deps, pages, row_number(number, NO_NOTICE), q.strip()[:_MOST_ASKED])

    @router.post("/notices/{number}/{what}")
    async def change(request: Request, number: str, what: str) -> Response:
        typed, which = await fields(request, 100), row_number(number, NO_NOTICE)
        if what not in _CHANGES:
            raise NO_FORM
        by, now = name_of(), deps.clock.now()
        try:
            await deps.db.run(lambda session: _CHANGES[what](session, _notice(session, which), typed, by, now))
        except (Wrong, Unknown) as no:
            return await _show(deps, pages, which, "", wrong=_not_saved(no))
        return done(f"/notices/{which}")


async def _show(deps: Deps, pages: Pages, number: int, asked: str, *, wrong: str = "") -> Response:
    now = deps.clock.now()
    page, shell = await pages.look(lambda session: notice_view.one(session, number, asked, now))
    if page is None:
        raise NO_NOTICE
    values = {"page": page, "asked": asked, "wrong": wrong, "notice_words": notice_words}
    status, here = 422 if wrong else 200, f"/notices/{number}"
    return await pages.shown("notice.html", shell, name_of(), status, here=here, **values)


def _not_saved(no: Wrong | Unknown) -> str:
    return f"没有保存：{no.zh}。Nothing was saved: {no}."


# ── acts ──────────────────────────────────────────────────────────────────────────────────────────


def _notice(session: Session, number: int) -> Notice:
    """Locked."""
    try:
        return notices.by_number(session, number)
    except Unknown:
        raise NO_NOTICE from None


def _withdraw(session: Session, notice: Notice, typed: Typed, by: str, now: datetime) -> None:
    _still(notice, now)
    since = select(NoticeEvent.who).where(NoticeEvent.notice_id == notice.id, NoticeEvent.what == notices.AGAIN)
    since = since.where(NoticeEvent.id > seen_in(typed.get("seen", ""))).order_by(NoticeEvent.id.desc())
    if who := session.scalars(since.limit(1)).first():
        raise Wrong(f"{who}刚才又发布了一次，请看过再撤回", f"{who} has published it again meanwhile")
    notices.withdraw(session, notice.number, by, now)


def _told(session: Session, notice: Notice, typed: Typed, by: str, now: datetime) -> None:
    """All who were ticked, or nobody."""
    _still(notice, now)
    ticked = [key.removeprefix(_PERSON) for key, value in typed.items() if key.startswith(_PERSON) and value]
    if not ticked:
        raise Wrong("请勾选告诉了谁", "tick whom you have told")
    for person_id in ticked:
        notices.told(session, notice.number, person_id, by, now)


def _still(notice: Notice, now: datetime) -> None:
    if notice.withdrawn_at is not None:
        raise Wrong(f"这个公告已经由{notice.withdrawn_by}撤回", "it was withdrawn")
    if notice.valid_until <= now:
        raise Wrong("这个公告已经过了有效期", "it is over")


_CHANGES: Mapping[str, _Change] = {"withdraw": _withdraw, "told": _told}


# ── papers ────────────────────────────────────────────────────────────────────────────────────────


def _add_papers(router: APIRouter, deps: Deps) -> None:
    @router.get("/notices/{number}/poster.pdf")
    async def poster(number: str) -> Response:
        which = row_number(number, NO_NOTICE)
        facts = await deps.db.browse(lambda session: facts_of(session, _looked_at(session, which)))
        pdf = await papers.drawn(lambda: notice_papers.poster(facts))
        return papers.download(pdf, f"notice-{which}-poster")

    @router.get("/notices/{number}/recording")
    async def recording(request: Request, number: str) -> Response:
        """What staff have spoken for all: no listening is written down."""
        which = row_number(number, NO_NOTICE)
        path = await deps.db.browse(lambda session: _looked_at(session, which).recording)
        try:
            audio = await asyncio.to_thread(deps.recordings_read, path or "")
        except (RecordingBrokenError, OSError):
            raise NO_RECORDING from None
        return ranged(request, await asyncio.to_thread(wav, audio), "audio/wav")

    @router.get("/notices/{number}/doors.pdf")
    async def doors(number: str) -> Response:
        """It has names: who printed it is written down."""
        which, by, now = row_number(number, NO_NOTICE), name_of(), deps.clock.now()
        facts, sheet = await deps.db.browse(lambda session: _doors(session, _looked_at(session, which), now))
        pdf = await papers.drawn(lambda: notice_papers.door_sheet(facts, sheet))
        await deps.db.run(lambda session: notices.note(session, _notice(session, which), notices.PRINTED, by, now))
        return papers.download(pdf, f"notice-{which}-doors")


def _looked_at(session: Session, number: int) -> Notice:
    """Not locked."""
    notice = session.get(Notice, number - FIRST_NOTICE + 1)
    if notice is None:
        raise NO_NOTICE
    return notice


def _doors(session: Session, notice: Notice, now: datetime) -> tuple[Facts, list[Door]]:
    if notice.topic != Topic.NOTICE or not notices.holds(notice, now):
        raise NO_DOORS
    return facts_of(session, notice), [door_of(*each) for each in notices.unreached(session, notice)]
