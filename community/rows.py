"""Rows of complaints, found and written. Every function runs inside somebody's transaction.

Whoever locks several rows takes them in one order, so that no two ever wait for each other: first the care room's
(call, case, person), then complaints by their id, then what belongs to these. The claim of calls, which holds
complaints before it writes the call, waits for nobody: what is locked comes next time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from checkins import outgoing, strangers
from checkins.results import LINE
from checkins.roster import loading
from checkins.roster.holidays import Calendar
from checkins.tables import Neighbourhood, Person
from community.tables import FIRST_NUMBER, Complaint, ComplaintEvent, Numbered, Reply, Status
from community.wrong import Unknown

_MOST = 20  # tries for a number, when several file at once
Row = TypeVar("Row", bound=Numbered)


def by_number(session: Session, number: int) -> Complaint:
    """Locked. LookupError when there is none."""
    return locked(session, known(session, number))


def known(session: Session, number: int) -> Complaint:
    """To look at. LookupError when there is none."""
    row = session.scalar(select(Complaint).where(Complaint.number == number))
    if row is None:
        raise Unknown(f"没有{number}号诉求", f"there is no complaint {number} (`cases list` shows all)")
    return row


def locked(session: Session, complaint: Complaint) -> Complaint:
    """As it is now, for whoever is about to change it."""
    session.flush()
    return session.get_one(Complaint, complaint.id, with_for_update=True, populate_existing=True)


def lock(session: Session, ids: Iterable[int]) -> list[Complaint]:
    """These, as they are now, by their id."""
    query = select(Complaint).where(Complaint.id.in_(set(ids))).order_by(Complaint.id)
    return list(session.scalars(query.with_for_update().execution_options(populate_existing=True)))


def of_call(session: Session, call_id: str, person_id: str | None) -> list[Complaint]:
    """What this person filed in this call, in that order."""
    query = select(Complaint).where(Complaint.call_id == call_id, Complaint.person_id == person_id)
    return list(session.scalars(query.order_by(Complaint.nth)))


def open_of(session: Session, person_id: str) -> list[Complaint]:
    """Their complaints that nobody has closed, newest first."""
    query = select(Complaint).where(Complaint.person_id == person_id, Complaint.status != Status.CLOSED)
    return list(session.scalars(query.order_by(Complaint.opened_at.desc(), Complaint.id.desc())))


def new(session: Session, call_id: str, person_id: str | None, now: datetime, **values: Any) -> Complaint:
    """A complaint with the next number, flushed."""
    whose = _whose(session, call_id, person_id)
    return numbered(session, Complaint, FIRST_NUMBER, call_id, opened_at=now, **whose, **values)


def numbered(session: Session, table: type[Row], first: int, call_id: str, **values: Any) -> Row:
    """A row with the next number of its series and the next `nth` of its call, flushed. Two that are written at once
    get different ones."""
    for _ in range(_MOST):
        nth = (session.scalar(select(func.max(table.nth)).where(table.call_id == call_id)) or 0) + 1
        number = (session.scalar(select(func.max(table.number))) or first - 1) + 1
        row = table(**values)
        row.call_id, row.nth, row.number = call_id, nth, number
        try:
            with session.begin_nested():
                session.add(row)
            return row
        except IntegrityError:
            continue
    raise RuntimeError(f"no number could be had for a {table.__name__.lower()}")


def _whose(session: Session, call_id: str, person_id: str | None) -> dict[str, Any]:
    """A stranger's belongs to the neighbourhood that listened to them."""
    if person_id is not None:
        person = session.get_one(Person, person_id)
        return {"person_id": person.id, "neighbourhood_id": person.neighbourhood_id, "caller_number": None}
    place, number = strangers.place_of(session, call_id) or (_first_place(session), "")
    return {"person_id": None, "neighbourhood_id": place, "caller_number": number or None}


def _first_place(session: Session) -> int:
    return session.scalars(select(Neighbourhood.id).order_by(Neighbourhood.id).limit(1)).one()


def note(
    session: Session,
    complaint: Complaint,
    what: str,
    who: str,
    now: datetime,
    *,
    call_id: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Writes into the complaint's log, and tells other programs."""
    session.add(
        ComplaintEvent(
            complaint_id=complaint.id, at=now, what=what, who=who[:100], call_id=call_id, detail=detail or None
        )
    )
    session.flush()
    if (kind := f"complaint.{what}") in outgoing.COMPLAINTS:
        outgoing.tell(session, kind, complaint.number, complaint.neighbourhood_id, now)


def events(session: Session, complaint: Complaint) -> list[ComplaintEvent]:
    query = select(ComplaintEvent).where(ComplaintEvent.complaint_id == complaint.id)
    return list(session.scalars(query.order_by(ComplaintEvent.id)))


def last_in_call(
    session: Session, call_id: str, person_id: str | None, among: Sequence[str], number: int | None = None
) -> tuple[ComplaintEvent, Complaint] | None:
    """The newest event of these kinds that this person caused in this call, with its complaint; `number`: of that one
    only."""
    query = (
        select(ComplaintEvent, Complaint)
        .join(Complaint, Complaint.id == ComplaintEvent.complaint_id)
        .where(ComplaintEvent.call_id == call_id, ComplaintEvent.what.in_(among), Complaint.person_id == person_id)
        .order_by(ComplaintEvent.id.desc())
        .limit(1)
    )
    query = query if number is None else query.where(Complaint.number == number)
    found = session.execute(query).first()
    return None if found is None else (found[0], found[1])


def replies(session: Session, complaint: Complaint) -> list[Reply]:
    """All rounds, the first one first."""
    return list(session.scalars(select(Reply).where(Reply.complaint_id == complaint.id).order_by(Reply.round)))


def last_reply(session: Session, complaint: Complaint) -> Reply | None:
    return next(iter(reversed(replies(session, complaint))), None)


def reply_of(session: Session, complaint: Complaint, round_: int | None) -> Reply | None:
    """The answer of this round; None: of the last one."""
    found = replies(session, complaint)
    return next((each for each in reversed(found) if round_ in (None, each.round)), None)


def of(session: Session, reply: Reply) -> Complaint:
    """What the answer is about."""
    return session.get_one(Complaint, reply.complaint_id)


def calendar(session: Session, complaint: Complaint) -> Calendar:
    """When its committee is at work."""
    return loading.calendar_of(session, complaint.neighbourhood_id)


def whose(session: Session, complaint: Complaint) -> str:
    """The name of who complains, for the log; a stranger's is not known to the line."""
    person = session.get(Person, complaint.person_id) if complaint.person_id else None
    return person.name if person is not None else LINE
