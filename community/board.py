"""Complaints, tickets and meetings in one list, as staff see to them: what is due first comes first. Personal.

What somebody has to do stands in the items (community.waiting, community.tickets_waiting); what has none is with the
line. All of it comes in a few queries, however much is open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from checkins.items import ITEM_ZH, Item, ItemKind
from checkins.tables import Neighbourhood, Person
from community import readable, tickets_waiting, waiting
from community.desk import STATUS_ZH
from community.tables import Complaint, Meeting, Reply, Status
from community.tickets_tables import Booking, Ticket, TicketStatus
from community.tickets_waiting import KIND_ZH

TICKET_STATUS_ZH: Mapping[str, str] = {
    TicketStatus.INTERRUPTED: "没讲完",
    TicketStatus.WAITING: "没有人接手",
    TicketStatus.TAKEN: "在办",
    TicketStatus.BOOKED: "办好了，还没告诉",
    TicketStatus.READ_BACK: "已告诉",
    TicketStatus.CLOSED: "已结案",
}
_PREFIX = "一键通："  # stands beside it anyway


class Kind(StrEnum):
    COMPLAINT = "complaint"
    TICKET = "ticket"
    MEETING = "meeting"


@dataclass(frozen=True)
class Entry:
    """`number`: of the complaint or ticket. `due` None: nobody is waited for but the line, which rings at `line_at`, or
    them. `at`: when a meeting is."""

    kind: Kind
    number: int
    place_id: int
    place: str
    zone: str
    status: str
    since: datetime
    who: str = field(repr=False)
    matter: str = field(repr=False)
    owner: str = field(repr=False)
    wants: tuple[str, ...] = ()
    due: datetime | None = None
    line_at: datetime | None = None
    at: datetime | None = None

    def is_late(self, now: datetime) -> bool:
        return self.due is not None and self.due <= now


def entries(session: Session) -> list[Entry]:
    """All that is open, due first; then what the line, or they, have."""
    places = {place.id: place for place in session.scalars(select(Neighbourhood))}
    complaints = _complaints(session)
    tickets = _tickets(session)
    people = readable.many(session, Person, _ids((*complaints.values(), *tickets.values())))
    names = {id_: person.name for id_, person in people.items()}
    todo = _todo(session)
    rung = _rung(session)
    found = [_complaint(row, places, names, todo, rung) for row in complaints.values() if _is_open(row, todo)]
    found += [_ticket(row, places, names, todo, rung) for row in tickets.values()]
    found += [
        _meeting(meeting, complaints[meeting.complaint_id], places, names)
        for meeting in session.scalars(select(Meeting).where(Meeting.outcome.is_(None)))
        if meeting.complaint_id in complaints
    ]
    return sorted(found, key=lambda each: (each.due is None, each.due or each.since, each.number))


def _complaints(session: Session) -> dict[int, Complaint]:
    """Open ones, unheard ones, and those about which people are to meet."""
    meets = select(Meeting.complaint_id).where(Meeting.outcome.is_(None))
    open_ = or_(Complaint.status != Status.CLOSED, Complaint.heard_due.is_not(None), Complaint.id.in_(meets))
    asked = select(Item.detail).where(Item.done_at.is_(None), Item.kind.in_(waiting.ALL))
    numbers = [number for detail in session.scalars(asked) if (number := (detail or {}).get("complaint"))]
    query = select(Complaint.id).where(or_(open_, Complaint.number.in_(numbers)))
    return readable.many(session, Complaint, session.scalars(query).all())


def _tickets(session: Session) -> dict[int, Ticket]:
    query = select(Ticket.id).where(Ticket.status != TicketStatus.CLOSED)
    return readable.many(session, Ticket, session.scalars(query).all())


def _ids(rows: Iterable[Complaint | Ticket]) -> list[str]:
    return sorted({row.person_id for row in rows if row.person_id})


Todo = Mapping[tuple[Kind, int], Sequence[Item]]


def _todo(session: Session) -> Todo:
    """The open items of each, the one that is due first."""
    kinds = (*waiting.ALL, *tickets_waiting.ALL)
    found: dict[tuple[Kind, int], list[Item]] = defaultdict(list)
    query = select(Item).where(Item.done_at.is_(None), Item.kind.in_(kinds)).order_by(Item.due_at, Item.id)
    for item in session.scalars(query):
        for kind in (Kind.COMPLAINT, Kind.TICKET):
            if isinstance(number := (item.detail or {}).get(kind), int):
                found[kind, number].append(item)
    return found


def _rung(session: Session) -> dict[tuple[Kind, int], datetime]:
    """When the line tells them the answer or the booking."""
    replies = select(Reply.complaint_id, Reply.due_at).where(Reply.due_at.is_not(None), Reply.outcome.is_(None))
    booked = select(Booking.ticket_id, Booking.due_at).where(Booking.due_at.is_not(None), Booking.outcome.is_(None))
    found: dict[tuple[Kind, int], datetime] = {}
    for kind, query in ((Kind.COMPLAINT, replies), (Kind.TICKET, booked)):
        found |= {(kind, id_): due for id_, due in session.execute(query) if due is not None}
    return found


def _is_open(row: Complaint, todo: Todo) -> bool:
    """One that is closed, and about which people meet, stands here as that meeting alone."""
    return row.status != Status.CLOSED or row.heard_due is not None or bool(_items(todo, Kind.COMPLAINT, row.number))


def _items(todo: Todo, kind: Kind, number: int) -> list[Item]:
    """But for the meeting's own outcome."""
    return [item for item in todo.get((kind, number), ()) if item.kind not in waiting.MEETING]


def _complaint(
    row: Complaint,
    places: Mapping[int, Neighbourhood],
    names: Mapping[str, str],
    todo: Todo,
    rung: Mapping[tuple[Kind, int], datetime],
) -> Entry:
    place, items = places[row.neighbourhood_id], _items(todo, Kind.COMPLAINT, row.number)
    above = " 上报" if row.level_above else ""
    unsolved = f" {row.rounds}次没解决" if row.rounds else ""
    dues = [row.heard_due, row.answer_due, *(item.due_at for item in items)]
    return Entry(
        kind=Kind.COMPLAINT,
        number=row.number,
        place_id=place.id,
        place=place.name,
        zone=place.timezone,
        status=STATUS_ZH[row.status] + unsolved + above,
        since=row.opened_at,
        who=_who(row, names),
        matter=" · ".join(filter(None, (row.category, row.place))),
        owner=row.owner or "",
        wants=_wants(items),
        due=min(filter(None, dues), default=None),
        line_at=rung.get((Kind.COMPLAINT, row.id)),
    )


def _ticket(
    row: Ticket,
    places: Mapping[int, Neighbourhood],
    names: Mapping[str, str],
    todo: Todo,
    rung: Mapping[tuple[Kind, int], datetime],
) -> Entry:
    place = places[row.neighbourhood_id]
    return Entry(
        kind=Kind.TICKET,
        number=row.number,
        place_id=place.id,
        place=place.name,
        zone=place.timezone,
        status=TICKET_STATUS_ZH[row.status],
        since=row.opened_at,
        who=_who(row, names),
        matter=KIND_ZH[row.kind],
        owner=row.owner or "",
        wants=_wants(todo.get((Kind.TICKET, row.number), ())),
        due=row.due_at,
        line_at=rung.get((Kind.TICKET, row.id)),
    )


def _meeting(meeting: Meeting, row: Complaint, places: Mapping[int, Neighbourhood], names: Mapping[str, str]) -> Entry:
    """Its outcome is written once it is over."""
    place = places[row.neighbourhood_id]
    return Entry(
        kind=Kind.MEETING,
        number=row.number,
        place_id=place.id,
        place=place.name,
        zone=place.timezone,
        status="约好了",
        since=meeting.booked_at,
        who=_who(row, names),
        matter=f"{meeting.place} · {meeting.with_whom}",
        owner=row.owner or meeting.booked_by,
        wants=(ITEM_ZH[ItemKind.COMPLAINT_MEETING],),
        due=meeting.at,
        at=meeting.at,
    )


def _who(row: Complaint | Ticket, names: Mapping[str, str]) -> str:
    if row.person_id is None:
        return "不认识的人"
    return names.get(row.person_id, "记录坏了，看不到")


def _wants(items: Iterable[Item]) -> tuple[str, ...]:
    words = (ITEM_ZH[ItemKind(item.kind)].removeprefix(_PREFIX) for item in items)
    return tuple(dict.fromkeys(words))
