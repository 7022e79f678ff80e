"""One complaint: its page, its recordings, what is done with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from community import desk, rows
from community.tables import Dictation
from community.words import CATEGORIES
from console import complaint_view
from console.complaint_acts import ACTS, Act
from console.complaint_view import ASK_ZH, OUTCOME_ZH, WISH_ZH, deed_zh
from console.deadlines import deadline_zh, moment_zh
from console.deps import Deps
from console.dictated import NO_RECORDING, audio_of, played
from console.fetched import Fetched
from console.forms import done, fields, name_of, row_number, seen_in
from console.guard import PageError
from console.pages import Pages
from console.phone_routes import account
from console.ranges import UnsatisfiableError, given, ranged
from console.saving import saved, stale
from console.typed import Deed
from console.wav import wav

MOST_FIELDS = 30
NO_COMPLAINT = PageError(404, "没有这个诉求。", "there is no such complaint")
NO_ACT = PageError(404, "没有这一页。", "there is no such page")


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    fetched = Fetched()

    @router.get("/complaints/{number}")
    async def complaint(number: str) -> Response:
        return await _show(deps, pages, row_number(number, NO_COMPLAINT))

    @router.get("/complaints/{number}/said/{said}")
    async def listen(request: Request, number: str, said: str) -> Response:
        which = row_number(number, NO_COMPLAINT), row_number(said, NO_RECORDING)

        def whole(path: str, size: int) -> bool:
            with suppress(UnsatisfiableError):
                return fetched.whole(account(), path, *given(request, size), size)
            return False

        return ranged(request, await _heard(deps, *which, name_of(), whole), "audio/wav")

    @router.get("/complaints/{number}/reply/{nth}")
    async def spoken_reply(request: Request, number: str, nth: str) -> Response:
        """The committee's own voice: nobody's to be logged."""
        which = row_number(number, NO_COMPLAINT), row_number(nth, NO_RECORDING)
        path = await deps.db.browse(lambda session: _reply(session, *which))
        return await played(request, await audio_of(deps, path))

    @router.post("/complaints/{number}/{what}")
    async def act(request: Request, number: str, what: str) -> Response:
        which, work = row_number(number, NO_COMPLAINT), ACTS.get(what)
        if work is None:
            raise NO_ACT
        typed = await fields(request, MOST_FIELDS)
        if wrong := await _do(deps, which, what, work, typed):
            return await _show(deps, pages, which, wrong=wrong, typed={**typed, "act": what})
        return done(f"/complaints/{which}")


async def _do(deps: Deps, number: int, what: str, act: Act, typed: Mapping[str, str]) -> str:
    """Does it; a sentence when it can't be done."""
    by, now, sound = name_of(), deps.clock.now(), typed.get("sound", "") if what == "reply" else ""

    def work(session: Session, recording: str | None) -> None:
        row = rows.by_number(session, number)
        stale(complaint_view.since(session, row, seen_in(typed.get("seen", ""))), "complaint")
        act(session, Deed(number, by, now, typed, recording), deps.deadlines)

    async def run() -> None:
        async with deps.sounds.stored(sound, account(), f"complaint-{number}", "reply", now) as recording:
            await deps.db.run(lambda session: work(session, recording))

    return await saved(run)


async def _show(
    deps: Deps, pages: Pages, number: int, *, wrong: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    now = deps.clock.now()
    try:
        page, shell = await pages.look(lambda session: complaint_view.look(session, number))
    except LookupError:
        raise NO_COMPLAINT from None
    return await pages.shown(
        "complaint.html",
        shell,
        name_of(),
        422 if wrong else 200,
        here=f"/complaints/{number}",
        page=page,
        typed=typed or {},
        wrong=wrong,
        now_at=now,
        deadline=deadline_zh,
        moment=moment_zh,
        deed_zh=deed_zh,
        told=complaint_view.told,
        status_zh=desk.STATUS_ZH,
        wish_zh=WISH_ZH,
        outcome_zh=OUTCOME_ZH,
        ask_zh=ASK_ZH,
        categories=CATEGORIES,
    )


async def _heard(deps: Deps, number: int, said: int, who: str, whole: Callable[[str, int], bool]) -> bytes:
    """What was dictated, as WAV; who opens it is written down before it is heard, and whether all of it is given."""

    def known(session: Session) -> Dictation:
        try:
            found = desk.look(session, number).dictations
        except LookupError:
            raise NO_COMPLAINT from None
        one = next((each for each in found if each.id == said and each.recording), None)
        if one is None:
            raise NO_RECORDING
        return one

    one = await deps.db.browse(known)
    audio = await asyncio.to_thread(wav, await audio_of(deps, one.recording))
    now, all_of_it = deps.clock.now(), whole(one.recording, len(audio))
    await deps.db.run(lambda session: complaint_view.listens(session, number, one, who, now, whole=all_of_it))
    return audio


def _reply(session: Session, number: int, nth: int) -> str:
    try:
        row = rows.known(session, number)
    except LookupError:
        raise NO_COMPLAINT from None
    answer = rows.reply_of(session, row, nth)
    if answer is None or not answer.recording:
        raise NO_RECORDING
    return answer.recording
