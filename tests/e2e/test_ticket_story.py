"""一键通, with audio and in virtual time: she rings in, presses 5 and 1 and says what she needs; staff take it and
book; the line reads it back, and she presses that she has heard it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from checkins import items
from checkins.items import ItemKind
from community import tickets_rows, tickets_staff
from community.tickets_tables import Ticket, TicketDictation
from tests.e2e.line import ELDER, Story, story
from tests.e2e.test_complaint_story import presses, rings_in, spoken
from tests.e2e.test_reply_call import well
from tests.fakes.carrier import FakeCarrier
from tests.fakes.ears import ScriptedRecogniser

BOOKED = "明天上午八点,车到楼下。"


async def look(line: Story) -> tuple[Ticket, list[TicketDictation], list[str]]:
    def work(session: Any) -> tuple[Ticket, list[TicketDictation], list[str]]:
        ticket = session.scalars(select(Ticket)).one()
        return ticket, tickets_rows.dictations(session, ticket), [e.what for e in tickets_rows.events(session, ticket)]

    return await line.house.db.view(work)


async def open_items(line: Story) -> list[str]:
    return [item.kind for item in await line.house.db.view(items.open_items)]


async def act(line: Story, work: Any, **values: Any) -> None:
    now = line.house.clock.now()
    await line.house.db.run(lambda session: work(session, 5001, by="陈老师", now=now, **values))


@pytest.mark.row("一键通")
async def test_一键通(carrier: FakeCarrier, tmp_path: Path) -> None:
    """An elder asks for a taxi by one key and hears that somebody has it within ten minutes; staff take it and book,
    the booking is read back by a call. After a month in which nobody talks to her the line tries her telephone."""
    ear = ScriptedRecogniser()
    async with story(carrier, tmp_path, [ear]) as line:
        elder = await line.elder(slot=9 * 60)
        ear.will_hear("明天八点去中心医院")
        call = await rings_in(line)
        await presses(call, ("menu.ask", "5"), ("help.ask", "1"))
        await call.hears("help.record")
        call.says(spoken(line))
        call.presses("#")
        await presses(call, ("help.sure", "1"), ("more.ask", "4"))
        assert {"help.number", "help.filed"} <= set(call.seen("prompt"))
        await call.ended()
        await line.row(elder)
        ticket, (said,), _ = await look(line)
        assert (ticket.number, ticket.kind, ticket.status) == (5001, "taxi", "waiting")
        assert await line.house.prompts.get("十分钟以内") in call.heard, "the reply clock"
        assert line.house.recordings.read(said.recording), "the recording is the record"
        assert await open_items(line) == [ItemKind.TICKET_NEW]

        await act(line, tickets_staff.hear)
        await act(line, tickets_staff.take)
        await well(line, elder)
        await act(line, tickets_staff.book, text=BOOKED)
        line.carrier.clock.advance(minutes=30)
        call = line.carrier.expect_call(ELDER)
        await line.tick()
        await call.hears("greet.ask")
        told = await line.house.prompts.get(BOOKED)
        assert told not in call.heard, "told before she said who she is"
        call.presses("1")
        await call.hears("booking.ask", within_s=120)
        assert told in call.heard
        call.presses("1")
        await call.hears("bye.say")
        await call.ended()
        await line.row(elder)
        ticket, _, events = await look(line)
        assert ticket.status == "read_back"
        assert events == ["chosen", "sent", "listened", "taken", "booked", "calling", "told", "heard"]
        assert await open_items(line) == []
        await line.later(hours=5)  # a call that nobody expects would fail

        line.carrier.clock.advance(hours=31 * 24 - 5)
        await well(line, elder)
        call = line.carrier.expect_call(ELDER)
        await line.later(minutes=30)
        await call.hears("hear.ask", within_s=60)
        call.presses("1")
        await call.hears("clear.bye", within_s=60)
        await call.ended()
        await line.row(elder)
