"""Papers of a ballot as PDF: the sheet on which one chooses by hand, and the owners' letters."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from checkins.names import says_something
from community import ballot_letters, ballot_papers
from community.ballot_facts import facts_of
from community.ballot_letters import Addressee, Letter
from community.ballot_papers import Addressed, Facts
from community.wrong import Unknown, Wrong
from console import papers
from console.deps import Deps
from console.forms import Text, heard_in, name_of, row_number
from console.guard import PageError
from console.paper_routes import NO_BALLOT

MOST = 200  # letters at once: some 10 s of hashing
_MOST_LINE = 40


@dataclass(frozen=True)
class Meant:
    """One unit's letter; a batch's anew; with neither those of all that have none."""

    unit: str = ""
    batch: datetime | None = None


def add(router: APIRouter, deps: Deps) -> None:
    @router.get("/ballots/{number}/sheet.pdf")
    async def sheet(number: str) -> Response:
        """It names nobody."""
        which = row_number(number, NO_BALLOT)
        facts = await deps.db.browse(lambda session: _facts(session, which, ""))
        pdf = await papers.drawn(lambda: ballot_papers.sheet(facts))
        return papers.download(pdf, f"ballot-{which}-sheet")

    @router.post("/ballots/{number}/letters")
    async def letters(number: str, unit: Text = "", batch: Text = "", line: Text = "") -> Response:
        """First the paper, then what counts; who made them stands in the log."""
        which, by = row_number(number, NO_BALLOT), name_of()
        ringing = line.strip()[:_MOST_LINE] or deps.line
        if not says_something(ringing):
            raise PageError(422, "请写老人和业主打的是哪个号码，信上要印。", "say which number is rung: it is printed")
        try:
            meant = Meant(unit.strip(), heard_in(batch) if batch else None)
            pdf, made = await _made(deps, which, meant, ringing)
            await deps.db.run(lambda session: _post(session, which, made, meant, by, deps.clock.now()))
        except (Wrong, Unknown) as no:
            raise PageError(422, f"没有做信：{no.zh}。", f"no letter was made: {no}") from None
        return papers.download(pdf, f"ballot-{which}-letters")


async def _made(deps: Deps, number: int, meant: Meant, line: str) -> tuple[bytes, list[Letter]]:
    now = deps.clock.now()
    to, facts = await deps.db.browse(lambda session: (_to(session, number, meant, now), _facts(session, number, line)))
    made = await asyncio.to_thread(lambda: [ballot_letters.letter(each) for each in to])
    addressed = [Addressed(each.unit, each.number, each.pin) for each in made]
    return await papers.drawn(lambda: ballot_papers.letters(facts, addressed)), made


def _to(session: Session, number: int, meant: Meant, now: datetime) -> list[Addressee]:
    if meant.batch is not None:
        return ballot_letters.again(session, number, now, meant.batch)
    found = ballot_letters.addressees(session, number, now, meant.unit)
    if not found:
        raise Wrong("每一户都有信了；要重新做，请写室号", "all units have their letter")
    return found[:MOST]


def _post(session: Session, number: int, made: list[Letter], meant: Meant, by: str, now: datetime) -> None:
    """What somebody else has made meanwhile counts: these would make theirs void."""
    still = {each.slot_id for each in _to(session, number, meant, now)}
    if any(letter.slot_id not in still for letter in made):
        raise Wrong("刚才有别人做了这些信，请用那一份", "somebody else has made these letters meanwhile")
    ballot_letters.post(session, number, made, by, now)


def _facts(session: Session, number: int, line: str) -> Facts:
    try:
        return facts_of(session, number, line)
    except Unknown:
        raise NO_BALLOT from None
