"""A pile of papers of a ballot, entered one after the other: find whose it is, its choices, the next one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from community import ballot_acts, ballot_staff
from community import ballot_rows as rows
from community.ballot import BY_STAFF, Channel, Refusal, Unit
from community.ballot_doubts import unit_of
from community.ballot_tables import Ballot, BallotSlot
from community.ballot_words import CHANGEABLE, CHANNEL_ZH, REFUSAL_ZH
from community.wrong import Unknown, Wrong
from console import paper_view
from console.deps import Deps
from console.forms import done, fields, name_of, number_in, row_number
from console.guard import PageError
from console.pages import Pages

Typed = Mapping[str, str]

NO_BALLOT = PageError(404, "没有这次打钩。", "there is no such ballot")
YES = "1"
NOT_ON_ROLL = "not-on-roll"  # a paper of somebody who isn't there
_MOST_ASKED = 50


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.get("/ballots/{number}/papers")
    async def pile(request: Request, number: str, q: str = "") -> Response:
        asked = {name: request.query_params.get(name, "")[:_MOST_ASKED] for name in ("slot", "who", "channel", "done")}
        typed = {**asked, "q": q.strip()[:_MOST_ASKED]}
        return await _show(deps, pages, row_number(number, NO_BALLOT), typed)

    @router.post("/ballots/{number}/papers")
    async def enter(request: Request, number: str) -> Response:
        typed, which = await fields(request, 60), row_number(number, NO_BALLOT)
        by, now = name_of(), deps.clock.now()
        try:
            why = await deps.db.run(lambda session: _enter(session, which, typed, by, now))
        except (Wrong, Unknown) as no:
            return await _show(deps, pages, which, typed, wrong=f"没有保存：{no.zh}。Nothing was saved: {no}.")
        if why is not None:
            return await _show(deps, pages, which, typed, refused=why)
        back = {"done": typed.get("slot", ""), "channel": _channel(typed)}
        return done(f"/ballots/{which}/papers?{urlencode(back)}")


async def _show(
    deps: Deps, pages: Pages, number: int, typed: Typed, *, wrong: str = "", refused: Refusal | None = None
) -> Response:
    by, now = name_of(), deps.clock.now()
    slot, entered = (number_in(typed.get(name, "")) or 0 for name in ("slot", "done"))
    asked, who = typed.get("q", ""), typed.get("who", "")
    page, shell = await pages.look(lambda session: paper_view.look(session, number, asked, slot, who, entered, by, now))
    if page is None:
        raise NO_BALLOT
    values = {"page": page, "typed": typed, "wrong": wrong, "asked": asked, "channel": _channel(typed)}
    values |= {"refused": REFUSAL_ZH[refused] if refused else "", "changeable": refused in CHANGEABLE}
    values |= {"channels": {str(one): CHANNEL_ZH[one] for one in BY_STAFF}, "off_roll": refused is Refusal.NOT_ON_ROLL}
    status, here = 422 if wrong or refused else 200, f"/ballots/{number}/papers"
    return await pages.shown("papers.html", shell, by, status, here=here, **values)


def _channel(typed: Typed) -> str:
    given = typed.get("channel", "")
    return given if given in BY_STAFF else Channel.PAPER


# ── one paper ─────────────────────────────────────────────────────────────────────────────────────


def _enter(session: Session, number: int, typed: Typed, by: str, now: datetime) -> Refusal | None:
    """Refusals are logged, whatever they are; Wrong and Unknown change nothing."""
    try:
        ballot = rows.by_number(session, number)
    except Unknown:
        raise NO_BALLOT from None
    if typed.get("step") == NOT_ON_ROLL:
        return ballot_acts.refuse(session, ballot, Refusal.NOT_ON_ROLL, by, now)
    slot = session.get(BallotSlot, number_in(typed.get("slot", "")) or 0)
    if slot is None or slot.ballot_id != ballot.id:
        raise Unknown("名册上没有这一处，请重新找", "there is no such place on the roll")
    if paper_view.last_choice(session, slot) != (number_in(typed.get("seen", "")) or 0):
        raise Wrong("刚才有人替这一处选过，请看过再存", "somebody has chosen for this place meanwhile")
    whose = unit_of(slot) if ballot.unit == Unit.OWNER else _member(session, slot, typed)
    who, change = typed.get("signer", ""), typed.get("change") == YES
    choices, channel = _choices(session, ballot, typed), Channel(_channel(typed))
    return ballot_staff.enter(session, number, whose, choices, channel, by, now, who=who, change=change)


def _member(session: Session, slot: BallotSlot, typed: Typed) -> str:
    who = typed.get("who", "")
    if who not in [person.id for person in rows.members(session, slot)]:
        raise Unknown("名册上没有这一处，请重新找", "nobody of this place has signed it")
    return who


def _choices(session: Session, ballot: Ballot, typed: Typed) -> dict[int, int]:
    """Of the topics that are filled in; what is no number is no option."""
    positions = [topic.position for topic in rows.topics(session, ballot)]
    given = {position: typed.get(f"topic-{position}", "").strip() for position in positions}
    return {position: number_in(text) or 0 for position, text in given.items() if text}
