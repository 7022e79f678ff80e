"""What came of a call, for tickets: what was dictated is attached; what was chosen and never sent is a ticket all the
same, and a person rings back. The same news again changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.ports import CallOutcome, Clock
from checkins.results import LINE
from checkins.tables import Person
from community import tickets
from community import tickets_rows as rows
from community import tickets_waiting as waiting
from community.intake import CUT, YOUNG, Cut, Spoken, kept_as, written
from community.tickets_policy import CLOCK, ReplyClock
from community.tickets_tables import Ticket, TicketDictation, TicketKind, TicketStatus
from storage.database import Database

REQUEST = "request"  # what the flow keeps dictations as
CAME_LATER = "came_later"  # an event: a recording came when somebody had it already


class TicketIntake:
    """Takes in what the telephone room tells of calls."""

    def __init__(self, db: Database, clock: Clock, within: ReplyClock = CLOCK) -> None:
        self._db, self._clock, self._within = db, clock, within

    async def settle(self, outcome: CallOutcome, cut: Cut | None = None) -> None:
        """Durable when it returns. Only of calls that are over."""
        if not outcome.final:
            return
        cut = cut if cut is not None and cut[1].name == REQUEST else None
        chosen = await self._db.view(lambda session: bool(rows.of_call(session, outcome.intent_id)))
        if chosen or cut is not None or any(list(_dictated(person.detail)) for person in outcome.people):
            now = self._clock.now()
            await self._db.run(lambda session: settle(session, outcome, now, self._within, cut))


def settle(
    session: Session,
    outcome: CallOutcome,
    now: datetime,
    clock: ReplyClock = CLOCK,
    cut: Cut | None = None,
) -> None:
    """`cut`: who was still dictating, and what is left of it."""
    said = {person.id: list(_dictated(person.detail)) for person in outcome.people if person.id}
    if cut is not None and cut[0]:
        said[cut[0]] = [*said.get(cut[0], []), replace(cut[1], name=f"{REQUEST}-{CUT}")]
    for person_id, dictated in said.items():
        if dictated and session.get(Person, person_id) is not None:
            _keep(session, outcome.intent_id, person_id, dictated, now, clock)
    for ticket in rows.of_call(session, outcome.intent_id):
        ticket = rows.locked(session, ticket)
        if ticket.status == TicketStatus.INTERRUPTED:
            waiting.show(session, ticket, LINE, now)


def _dictated(detail: Mapping[str, Any]) -> Iterator[Spoken]:
    return kept_as(detail, lambda name: name == REQUEST)


def _keep(session: Session, call_id: str, person_id: str, said: list[Spoken], now: datetime, clock: ReplyClock) -> None:
    mine = [each for each in rows.of_call(session, call_id) if each.person_id == person_id]
    if not mine:  # neither the choice nor the sending could be written down
        mine = [tickets.choose(session, call_id, person_id, TicketKind.OTHER, now, clock)]
    query = select(TicketDictation.name).join(Ticket, Ticket.id == TicketDictation.ticket_id)
    known = set(session.scalars(query.where(TicketDictation.call_id == call_id, Ticket.person_id == person_id)))
    one_each = len(said) == len(mine)
    for nth, each in enumerate(said):
        if each.name not in known:
            _attach(session, mine[nth if one_each else 0], call_id, each, now)


def _attach(session: Session, ticket: Ticket, call_id: str, said: Spoken, now: datetime) -> None:
    session.add(written(TicketDictation(ticket_id=ticket.id), call_id, said, now))
    session.flush()
    if ticket.status not in (TicketStatus.INTERRUPTED, TicketStatus.WAITING):
        rows.note(session, ticket, CAME_LATER, LINE, now, call_id=call_id)


# ── what a slower engine makes of it afterwards ───────────────────────────────────────────────────


def young(session: Session, now: datetime) -> list[TicketDictation]:
    """What was dictated not long ago: a second text of it may still come."""
    query = select(TicketDictation).where(TicketDictation.at > now - YOUNG, TicketDictation.recording != "")
    return list(session.scalars(query))


def differs(row: TicketDictation, found: Spoken) -> bool:
    return (row.transcript, row.engine) != (found.text, found.engine[:32])


def better(session: Session, text_of: Mapping[str, Spoken]) -> None:
    """What a slower engine made of recordings after their calls, by recording. The text that was made during the call
    stays in the call's own log."""
    for row in session.scalars(select(TicketDictation).where(TicketDictation.recording.in_(text_of))).all():
        found = text_of[row.recording]
        if differs(row, found):
            row.transcript, row.engine, row.confidence = found.text, found.engine[:32], found.confidence
