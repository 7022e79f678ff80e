"""One ticket as staff see to it: what is asked for, what was booked, by when. Personal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from checkins.items import ITEM_ZH
from checkins.tables import Neighbourhood, Person
from community import tickets_rows as rows
from community import tickets_staff as staff
from community import tickets_waiting as waiting
from community.tickets_tables import Booking, Heard, Ticket, TicketDictation, TicketEvent, TicketStatus
from console import call_log
from console.audit_words import deed
from console.call_log import Second

HEARD_ZH: Mapping[str, str] = {
    Heard.HEARD: "说知道了",
    Heard.CHANGE: "要改",
    Heard.TALK: "想找人谈",
    Heard.TOLD: "由人告诉了",
    Heard.BY_HAND: "线路没能告诉，由人告诉",
    Heard.REPLACED: "换了新的",
}
OF_THE_LINE = frozenset({staff.LISTENED, "told", "all_told", "calling", "called"})
_SHOWN = ("words", "reason")


@dataclass(frozen=True)
class Page:
    """`seen`: the last event that stands on it; `wants`: what somebody has to do, "" for nothing."""

    row: Ticket
    zone: str
    place: str
    who: str = field(repr=False)
    number: str = field(repr=False)
    home: str = field(repr=False)
    seen: int
    wants: str
    said: Sequence[TicketDictation] = field(repr=False)
    second: Mapping[str, Second] = field(repr=False)
    booked: Sequence[Booking] = field(repr=False)
    events: Sequence[TicketEvent] = field(repr=False)
    rings: bool

    @property
    def is_open(self) -> bool:
        return self.row.status != TicketStatus.CLOSED

    @property
    def is_known(self) -> bool:
        return self.row.status == TicketStatus.READ_BACK


def look(session: Session, number: int) -> Page:
    """LookupError when there is none."""
    row = rows.known(session, number)
    events = rows.events(session, row)
    person = session.get_one(Person, row.person_id)
    place = session.get_one(Neighbourhood, row.neighbourhood_id)
    said, kind = rows.dictations(session, row), waiting.kind_of(row)
    return Page(
        row=row,
        zone=place.timezone,
        place=place.name,
        who=person.name,
        number=person.number or "",
        home=person.address or "",
        seen=max((event.id for event in events), default=0),
        wants=ITEM_ZH[kind].removeprefix("一键通：") if kind else "",
        said=said,
        second=call_log.second_pass(session, [each.call_id for each in said]),
        booked=rows.bookings(session, row),
        events=events,
        rings=waiting.can_ring(session, row),
    )


def since(session: Session, row: Ticket, seen: int) -> list[TicketEvent]:
    """What has happened to it since, that an act would have to know of."""
    return [event for event in rows.events(session, row) if event.id > seen and event.what not in OF_THE_LINE]


def listens(session: Session, number: int, said: TicketDictation, by: str, now: datetime) -> None:
    """`by` opens a recording: written into the call's log and the ticket's."""
    calls = {call.id: call for call in call_log.calls(session, [said.call_id])}
    if said.call_id in calls and call_log.listened(session, calls[said.call_id], said.recording, by, now):
        staff.hear(session, number, by, now)


def told(event: TicketEvent) -> str:
    detail = event.detail or {}
    return " · ".join(str(detail[name]) for name in _SHOWN if name == "words" and detail.get(name))


def deed_zh(event: TicketEvent) -> str:
    return deed("ticket", event.what).zh
