"""Complaints and tickets of a small neighbourhood, with recordings that can be listened to."""

from __future__ import annotations

from sqlalchemy import select

from checkins.ports import CallOutcome, Disposition, PersonOutcome
from community.tables import Dictation
from community.tickets_counter import TicketCounter
from community.tickets_intake import TicketIntake
from community.tickets_tables import Ticket, TicketDictation
from ivr.records import Call
from tests.e2e.office import Office
from tests.unit.community.hall import LEAK, Hall, details

SECOND = b"\x80" * 8000


async def complains(
    office: Office, hall: Hall, elder: str, *, wish: str = "", call: str = "call-1", text: str = LEAK
) -> int:
    """Dictated and sent, in a call whose recording is there; its number."""
    await hall.ask(call, "complaint.open", elder)
    await hall.ask(call, "complaint.send", elder)
    if wish:
        await hall.ask(call, f"complaint.{wish}", elder)
    await hall.ends(call, elder, complaint=LEAK)
    await record(office, call, Dictation)
    return hall.complaints()[-1].number


async def record(office: Office, call: str, table: type[Dictation] | type[TicketDictation]) -> None:
    """What was dictated in the call can be listened to."""
    now = office.world.clock.now()
    kept = await office.recordings.add(call, "complaint", now, SECOND)
    with office.world.db.write() as session:
        session.add(Call(id=call, number="", order={}, ordered_at=now, disposition="answered"))
        for each in session.scalars(select(table).where(table.call_id == call)):
            each.recording = kept.path


async def asks_for_a_taxi(office: Office, elder: str, call: str = "call-5") -> int:
    """Key 5, then 1; said and sent; its number."""
    world = office.world
    counter, intake = TicketCounter(world.db, world.clock), TicketIntake(world.db, world.clock)
    await counter.ask(call, "ticket.taxi", elder)
    await counter.ask(call, "ticket.send", elder)
    person = PersonOutcome(elder, "rang_in", "key", details({"request": "明天上午去中心医院"}))
    now = world.clock.now()
    await intake.settle(CallOutcome(call, now, final=True, disposition=Disposition.ANSWERED, people=(person,)))
    await record(office, call, TicketDictation)
    with world.db.read() as session:
        return max(session.scalars(select(Ticket.number)))
