"""One of several processes on one database: `python -m tests.fakes.replica URL TRUNK_PORT NAME EPOCH`.

It ticks like the server, orders calls of the trunk in tests/unit/checkins/test_replicas.py, and takes whatever news
that has, of calls that others placed too. It ends when the trunk says so. `EPOCH`: the world's hour at the start.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta

import httpx

from checkins.cycle import Cycle
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome, Placed, Trace
from storage.database import Database


class Clock:
    """Real seconds from an hour of the test's."""

    def __init__(self, epoch: float) -> None:
        self._epoch, self._from = datetime.fromtimestamp(epoch, UTC), time.monotonic()

    def now(self) -> datetime:
        return self._epoch + timedelta(seconds=time.monotonic() - self._from)


class Placer:
    def __init__(self, trunk: httpx.AsyncClient, name: str) -> None:
        self._trunk, self._name = trunk, name

    async def place(self, request: CallRequest) -> Placed:
        order = {"id": request.id, "by": self._name, "elders": [callee.id for callee in request.callees]}
        (await self._trunk.post("/calls", json=order)).raise_for_status()
        return Placed.PLACED

    async def trace(self, intent_id: str, number: str, since: datetime) -> Trace:
        raise AssertionError("every call has news")


async def work(url: str, port: str, name: str, epoch: str) -> None:
    db, clock = Database(url), Clock(float(epoch))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as trunk:
        cycle = Cycle(db, Placer(trunk, name), clock, owner=name, lines=5, reserved=1, starts_per_s=1000)
        while True:
            await cycle.tick()
            news = (await trunk.get("/news", params={"by": name})).json()
            for call in news["ended"]:
                people = tuple(PersonOutcome(elder, "well", "key", {}) for elder in call["elders"])
                end = CallOutcome(call["id"], clock.now(), True, Disposition.ANSWERED, people=people)
                await cycle.settle(end)
            if news["over"]:
                break
            await asyncio.sleep(0.01)
    db.close()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
