"""One ticket: its page, its recordings, what is done with it."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from community import tickets_rows as rows
from community.board import TICKET_STATUS_ZH
from community.tickets_tables import TicketDictation
from community.tickets_waiting import KIND_ZH
from console import ticket_view
from console.deadlines import deadline_zh, moment_zh
from console.deps import Deps
from console.dictated import NO_RECORDING, audio_of, played
from console.forms import done, fields, name_of, row_number, seen_in
from console.guard import PageError
from console.pages import Pages
from console.phone_routes import account
from console.saving import saved, stale
from console.ticket_acts import ACTS, Act
from console.ticket_view import HEARD_ZH, deed_zh
from console.typed import Deed

MOST_FIELDS = 20
NO_TICKET = PageError(404, "没有这张单子。", "there is no such ticket")
NO_ACT = PageError(404, "没有这一页。", "there is no such page")


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.get("/tickets/{number}")
    async def ticket(number: str) -> Response:
        return await _show(deps, pages, row_number(number, NO_TICKET))

    @router.get("/tickets/{number}/said/{said}")
    async def listen(request: Request, number: str, said: str) -> Response:
        which = row_number(number, NO_TICKET), row_number(said, NO_RECORDING)
        return await played(request, await _heard(deps, *which, name_of()))

    @router.get("/tickets/{number}/booking/{nth}")
    async def spoken_booking(request: Request, number: str, nth: str) -> Response:
        """The committee's own voice: nobody's to be logged."""
        which = row_number(number, NO_TICKET), row_number(nth, NO_RECORDING)
        path = await deps.db.browse(lambda session: _booked(session, *which))
        return await played(request, await audio_of(deps, path))

    @router.post("/tickets/{number}/{what}")
    async def act(request: Request, number: str, what: str) -> Response:
        which, work = row_number(number, NO_TICKET), ACTS.get(what)
        if work is None:
            raise NO_ACT
        typed = await fields(request, MOST_FIELDS)
        if wrong := await _do(deps, which, what, work, typed):
            return await _show(deps, pages, which, wrong=wrong, typed={**typed, "act": what})
        return done(f"/tickets/{which}")


async def _do(deps: Deps, number: int, what: str, act: Act, typed: Mapping[str, str]) -> str:
    """Does it; a sentence when it can't be done."""
    by, now, sound = name_of(), deps.clock.now(), typed.get("sound", "") if what == "book" else ""

    def work(session: Session, recording: str | None) -> None:
        row = rows.by_number(session, number)
        stale(ticket_view.since(session, row, seen_in(typed.get("seen", ""))), "ticket")
        act(session, Deed(number, by, now, typed, recording), deps.reply_clock)

    async def run() -> None:
        async with deps.sounds.stored(sound, account(), f"ticket-{number}", "booking", now) as recording:
            await deps.db.run(lambda session: work(session, recording))

    return await saved(run)


async def _show(
    deps: Deps, pages: Pages, number: int, *, wrong: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    now = deps.clock.now()
    try:
        page, shell = await pages.look(lambda session: ticket_view.look(session, number))
    except LookupError:
        raise NO_TICKET from None
    return await pages.shown(
        "ticket.html",
        shell,
        name_of(),
        422 if wrong else 200,
        here=f"/tickets/{number}",
        page=page,
        typed=typed or {},
        wrong=wrong,
        now_at=now,
        deadline=deadline_zh,
        moment=moment_zh,
        deed_zh=deed_zh,
        told=ticket_view.told,
        kind_zh=KIND_ZH,
        status_zh=TICKET_STATUS_ZH,
        heard_zh=HEARD_ZH,
    )


async def _heard(deps: Deps, number: int, said: int, who: str) -> bytes:
    """What was dictated; who opens it is written down before it is heard."""

    def known(session: Session) -> TicketDictation:
        try:
            found = rows.dictations(session, rows.known(session, number))
        except LookupError:
            raise NO_TICKET from None
        one = next((each for each in found if each.id == said and each.recording), None)
        if one is None:
            raise NO_RECORDING
        return one

    one = await deps.db.browse(known)
    audio = await audio_of(deps, one.recording)
    now = deps.clock.now()
    await deps.db.run(lambda session: ticket_view.listens(session, number, one, who, now))
    return audio


def _booked(session: Session, number: int, nth: int) -> str:
    try:
        row = rows.known(session, number)
    except LookupError:
        raise NO_TICKET from None
    found = next((each.recording for each in rows.bookings(session, row) if each.round == nth), None)
    if not found:
        raise NO_RECORDING
    return found
