"""Rows that can't be read (a moment that is none, written by hand or by a broken disk), and what goes wrong with one of
many: the others are seen to all the same, and somebody is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from checkins import items
from checkins.items import ItemKind
from checkins.tables import Person
from community.tables import Complaint, Reply, Status
from community.tickets_tables import Booking, Ticket, TicketStatus
from storage.database import Base
from storage.faults import where

log = logging.getLogger(__name__)

WHILE = timedelta(minutes=15)

Row = TypeVar("Row", bound=Base)


@dataclass(frozen=True)
class Broken:
    """A complaint or a ticket of which something can't be read."""

    number: int
    neighbourhood_id: int
    what: str  # 诉求, 一键通


@contextmanager
def apart(session: Session, failed: str) -> Iterator[None]:
    """What goes wrong with this one undoes its own work alone, and is told in the log; a database that is away, all."""
    try:
        with session.begin_nested():
            yield
            session.flush()
    except DBAPIError:
        raise
    except Exception as error:
        log.error("%s (%s)", failed, where(error))


def each(session: Session, table: type[Row], ids: Sequence[Any]) -> Iterator[Row]:
    """These rows, but for those that can't be read."""
    for id_ in ids:
        if (row := _read(session, table, id_)) is not None:
            yield row


def many(session: Session, table: type[Row], ids: Sequence[Any]) -> dict[Any, Row]:
    """These rows by their id, in one query, but for those that can't be read."""
    bad = set(_unreadable(session, table, ids))
    query = select(table).where(table.id.in_([id_ for id_ in ids if id_ not in bad]))  # type: ignore[attr-defined]
    return {row.id: row for row in session.scalars(query)}  # type: ignore[attr-defined]


def _read(session: Session, table: type[Row], id_: Any) -> Row | None:
    try:
        return session.get(table, id_)
    except DBAPIError:
        raise
    except Exception:
        return None


def _unreadable(session: Session, table: type[Base], ids: Sequence[Any]) -> list[Any]:
    """Mostly none: they are read at once. Which, is found out only when that fails."""
    try:
        session.scalars(select(table).where(table.id.in_(ids))).all()  # type: ignore[attr-defined]
    except DBAPIError:
        raise
    except Exception:
        return [id_ for id_ in ids if _read(session, table, id_) is None]
    return []


def complaints(session: Session) -> list[Broken]:
    """Open ones of which the row, an answer, or who complains can't be read."""
    open_ = or_(Complaint.status != Status.CLOSED, Complaint.heard_due.is_not(None))
    whose = {id_: of_ for id_, of_ in session.execute(select(Complaint.id, Complaint.person_id).where(open_))}
    answers = select(Reply.id, Reply.complaint_id).where(Reply.complaint_id.in_(whose))
    of = {id_: of_ for id_, of_ in session.execute(answers)}
    return _facts(session, Complaint, _bad(session, Complaint, Reply, whose, of), "诉求")


def tickets(session: Session) -> list[Broken]:
    """The same of tickets and what was booked."""
    open_ = Ticket.status != TicketStatus.CLOSED
    whose = {id_: of_ for id_, of_ in session.execute(select(Ticket.id, Ticket.person_id).where(open_))}
    booked = select(Booking.id, Booking.ticket_id).where(Booking.ticket_id.in_(whose))
    of = {id_: of_ for id_, of_ in session.execute(booked)}
    return _facts(session, Ticket, _bad(session, Ticket, Booking, whose, of), "一键通")


def _bad(
    session: Session, table: type[Base], part: type[Base], whose: Mapping[int, str | None], of: Mapping[int, int]
) -> set[int]:
    people = set(_unreadable(session, Person, [person for person in set(whose.values()) if person]))
    bad = {id_ for id_, person in whose.items() if person in people}
    bad |= set(_unreadable(session, table, list(whose)))
    return bad | {of[id_] for id_ in _unreadable(session, part, list(of))}


class Again:
    """Who met a fault is tried again in a while, and nobody waits for them."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}

    def left_out(self, now: datetime) -> list[str]:
        self._until = {person: until for person, until in self._until.items() if now < until <= now + WHILE}
        return list(self._until)

    @contextmanager
    def apart(self, session: Session, person: str, now: datetime, failed: str) -> Iterator[None]:
        fine = False
        with apart(session, failed):
            yield
            session.flush()
            fine = True
        if not fine:
            self._until[person] = now + WHILE


def _facts(session: Session, table: type[Complaint] | type[Ticket], ids: set[int], what: str) -> list[Broken]:
    query = select(table.number, table.neighbourhood_id).where(table.id.in_(ids)).order_by(table.number)
    return [Broken(number, place, what) for number, place in session.execute(query)] if ids else []


def tell(session: Session, find: Callable[[Session], Sequence[Broken]], now: datetime) -> None:
    """Each is an item until it can be read again: what it waits for, nobody can see any more."""
    for one in find(session):
        about, text = f"{one.what} {one.number}", f"{one.number}号{one.what}"
        kind, place = ItemKind.UNREADABLE, one.neighbourhood_id
        items.open_item(session, kind, now, neighbourhood_id=place, due_at=now, about=about, detail={"text": text})
