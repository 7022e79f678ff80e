"""kill -9 on a ticket's way: after the choice, while it is dictated, as it is sent, as its number is read. Started
again, the line has one ticket and what was said for it, and somebody is waited for.

`make chaos`. Real processes, real time.
"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from checkins import items
from checkins.items import ItemKind
from community.tickets_tables import Ticket, TicketDictation, TicketKind
from ivr.virtual.behaviour import phone_of
from ivr.virtual.elder import CallScript, Reaction
from ivr.virtual.resource import Orders
from tests.chaos.test_kill_while_a_complaint_is_on_its_way import LIMIT_S, SOLVED, Matters, Telephone, _up, words
from tests.e2e.test_crash import ELDER

ASKS = CallScript(
    reactions={
        "menu.ask": (Reaction(press="5"),),
        "help.ask": (Reaction(press="1"),),
        "help.record": (Reaction(say="words", then=Reaction(press="#")),),
        "help.sure": (Reaction(press="1"),),
        "more.ask": (Reaction(press="4"),),
    }
)


def _look(line: Matters) -> tuple[list[Ticket], list[TicketDictation], list[Any]]:
    with line.db.read() as session:
        waits = [item.kind for item in items.open_items(session)]
        return list(session.scalars(select(Ticket))), list(session.scalars(select(TicketDictation))), waits


@pytest.mark.parametrize("what", ["prompt help.record", "said words", "prompt help.sure", "prompt help.number"])
async def test_killed_while_a_taxi_is_asked_for(what: str, tmp_path: Path) -> None:
    phone = Telephone(SOLVED)
    async with phone.carrier:
        line = Matters(tmp_path, phone.carrier)
        process = await line.start()
        try:
            await _up(line)
            base = f"http://127.0.0.1:{line.port}/twilio"
            orders = Orders("+862155500000", ELDER, f"{base}/voice", status_callback=f"{base}/status")
            phone.carrier.ring_in(orders, phone_of(ASKS, words))
            await phone.happens(what)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            process = await line.start()
            async with asyncio.timeout(LIMIT_S):
                while True:
                    tickets, said, waits = _look(line)
                    if tickets and waits and (said or what == "prompt help.record"):
                        break
                    await asyncio.sleep(0.5)
            assert [(each.number, each.kind, each.person_id) for each in tickets] == [
                (5001, TicketKind.TAXI, line.elder)
            ]
            assert {*waits} <= {ItemKind.TICKET_NEW, ItemKind.TICKET_RING_BACK}
            assert all(each.recording for each in said)
        finally:
            process.kill()
            await process.wait()
            line.db.close()
