"""Flagged calls: the queue, one call with its player, and what is decided about it."""

from __future__ import annotations

import asyncio
from datetime import datetime

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from checkins import deciding
from checkins.deciding import Decision, Refused
from console import flagged_view, waveform
from console.deps import Deps
from console.flagged_view import Listening
from console.forms import Text, done, heard_in, name_of, row_number, seen_in
from console.guard import CSP, PageError
from console.pages import Pages
from console.presence import Presence
from ivr.recordings import RecordingBrokenError

# Of the style element that the waveform's library brings with it, for a height of 72; a test holds it.
WAVE_STYLE = "sha256-XGW/cX2BkTPWNNT3NdyASrPEWZfPnKdPJaJ2aN7R+v8="
MAX_NOTE = 2000
NO_CASE = PageError(404, "没有这个个案。", "there is no such case")
DECISIONS = (
    (Decision.FINE, "平安，办结", "fine, close"),
    (Decision.CONTACT, "我来打电话联系", "I ring them"),
    (Decision.DISPATCH, "派人去看", "somebody goes and looks"),
    (Decision.WRONG_NUMBER, "打错了，停用号码", "wrong number"),
)


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    presence = Presence()

    @router.get("/flagged")
    async def queue() -> Response:
        found, shell = await pages.look(flagged_view.queue)
        who, now = name_of(), deps.clock.now()
        opened = {one.row.checkin_id: presence.others(one.row.checkin_id, who, now) for one in found.rows}
        return await pages.shown("flagged_queue.html", shell, name_of(), here="/flagged", page=found, opened=opened)

    @router.get("/flagged/{case_id}")
    async def listen(case_id: str, call: str = "") -> Response:
        return await _show(deps, pages, presence, case_id, call)

    @router.get("/flagged/{case_id}/who")
    async def who_else(case_id: str) -> Response:
        number, who, now = row_number(case_id, NO_CASE), name_of(), deps.clock.now()
        page = await deps.db.browse(lambda session: flagged_view.listening(session, number))
        if page is None:
            raise NO_CASE
        if presence.here(number, who, now):
            deps.live.say(f"open-{number}", "open")
        return pages.part("flagged_who.html", case=number, others=presence.others(number, who, now), page=page)

    @router.post("/flagged/{case_id}/decide")
    async def decide(case_id: str, decision: Text = "", note: Text = "", seen: Text = "", heard: Text = "") -> Response:
        number, by = row_number(case_id, NO_CASE), name_of()
        if wrong := await _decide(deps, number, decision, by, note, seen_in(seen), heard_in(heard)):
            typed = {"note": note, "decision": decision}
            return await _show(deps, pages, presence, case_id, "", wrong=wrong, typed=typed)
        presence.gone(number, name_of())
        deps.live.say("open")
        queue = await deps.db.browse(flagged_view.queue)
        after = queue.after(number)
        return done(f"/flagged/{after}" if after else "/flagged")


async def _decide(deps: Deps, case: int, decision: str, by: str, note: str, seen: int, heard: datetime | None) -> str:
    """Does it; a sentence when it can't be done."""
    if decision not in list(Decision):
        return "请选一个决定（1–4）。Choose what is to be done."
    if len(note) > MAX_NOTE:
        return f"备注请不超过 {MAX_NOTE} 个字。The note is too long."
    now = deps.clock.now()

    def act(session: Session) -> None:
        recorded_at = flagged_view.recorded_at(session, case)
        deciding.decide(
            session, case, Decision(decision), by, note, now, recorded_at=recorded_at, seen=seen, heard=heard
        )

    try:
        await deps.db.run(act)
    except Refused as no:
        return f"没有保存：{no.zh}。Nothing was saved: {no}."
    except LookupError:
        raise NO_CASE from None
    except ValueError:
        return "这个个案已经办结，没有改动。This case is closed already; nothing was changed."
    return ""


async def _show(
    deps: Deps,
    pages: Pages,
    presence: Presence,
    case_id: str,
    call: str,
    *,
    wrong: str = "",
    typed: dict[str, str] | None = None,
) -> Response:
    number, who, now = row_number(case_id, NO_CASE), name_of(), deps.clock.now()
    (page, queue), shell = await pages.look(
        lambda session: (flagged_view.listening(session, number, call), flagged_view.queue(session))
    )
    if page is None:
        raise NO_CASE
    if presence.here(number, who, now):
        deps.live.say(f"open-{number}", "open")
    answer = await pages.shown(
        "flagged.html",
        shell,
        who,
        422 if wrong else 200,
        here=f"/flagged/{number}",
        page=page,
        after=queue.after(number),
        waits=len(queue.rows),
        peaks=await _peaks(deps, page),
        others=presence.others(number, who, now),
        case=number,
        decisions=DECISIONS,
        wrong=wrong,
        typed=typed or {},
    )
    answer.headers["Content-Security-Policy"] = CSP.replace("style-src 'self'", f"style-src 'self' '{WAVE_STYLE}'")
    return answer


async def _peaks(deps: Deps, page: Listening) -> tuple[list[int], float] | None:
    """What the recording looks like, and its length in seconds; None when it can't be read. Nobody hears it by that."""
    if page.played is None:
        return None
    path = page.played.track.path
    try:
        audio = await asyncio.to_thread(deps.recordings_read, path)
    except (RecordingBrokenError, OSError):
        return None
    return await asyncio.to_thread(lambda: (waveform.peaks(audio), waveform.seconds(audio)))
