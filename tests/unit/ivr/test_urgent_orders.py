"""The order of an emergency waits behind no others, however many the carrier hasn't answered."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from ivr.calls import Calls
from ivr.ports import Callee, CallOrder, Placing
from ivr.telephone import THREADS, TwilioTelephone
from ivr.twilio.config import TwilioConfig
from ivr.twilio.rest import Created, TwilioRest
from storage.database import Base, Database


class SlowRest(TwilioRest):
    """Answers what is not urgent when it is told to."""

    def __init__(self, config: TwilioConfig) -> None:
        super().__init__(config)
        self.answers = Event()

    def create(self, order: CallOrder) -> Created:
        if not order.urgent:
            self.answers.wait(30)
        return Created(Placing.PLACED, f"CA{order.id}")


async def test_an_emergency_is_ordered_while_all_others_wait(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/wenan.db")
    Base.metadata.create_all(db.engine)
    config = TwilioConfig("AC1", ("token",), "+862155500000", "http://127.0.0.1:9", "http://127.0.0.1:9")
    rest = SlowRest(config)
    telephone = TwilioTelephone(Calls(db, lambda: datetime.now(UTC)), config, rest)

    def order(number: int, *, urgent: bool = False) -> CallOrder:
        return CallOrder(f"i{number}", f"+8621555{number:05}", "dispatch", (Callee("e1", "王阿婆"),), urgent=urgent)

    waiting = [asyncio.create_task(telephone.place(order(number))) for number in range(THREADS + 1)]
    try:
        placed = await asyncio.wait_for(telephone.place(order(99, urgent=True)), 10)
        assert placed is Placing.PLACED
        assert not any(task.done() for task in waiting)
    finally:
        rest.answers.set()
        await asyncio.gather(*waiting)
        await telephone.close()
        db.close()
