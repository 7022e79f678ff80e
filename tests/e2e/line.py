"""The whole house behind the fake carrier, in virtual time: an elder's telephone on one side, the register on the
other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from checkins import cases
from checkins.cases import Row
from checkins.people import add_person
from checkins.people_csv import CONSENTS
from checkins.results import Reason
from checkins.schedule import local_date
from checkins.tables import Neighbourhood
from house import House, open_house
from ivr.records import CallEvent
from ivr.twilio.config import TwilioConfig
from settings import Settings
from speech.ears import Ears
from speech.recogniser import Recogniser
from tests.fakes.call import FakeCall
from tests.fakes.carrier import ACCOUNT_SID, AUTH_TOKEN, FakeCarrier

ZONE = "Asia/Shanghai"
LINE = "+862155500000"
ELDER = "+862155500001"
COMMITTEE = "槐荫里居委会"  # in the prompt pack
LOOKS_EVERY_S = 600.0


@dataclass
class Story:
    """One morning. `tick` lets the line do what is due now."""

    house: House
    carrier: FakeCarrier
    place_id: int

    async def elder(self, name: str = "王秀英", number: str = ELDER, **more: Any) -> str:
        values: dict[str, Any] = {"consents": dict.fromkeys(CONSENTS, True), "slot": 8 * 60, **more}
        spoken = name[0] + "阿婆"
        add = lambda session: add_person(session, self.place_id, name, spoken, number, **values).id  # noqa: E731
        return await self.house.db.run(add)

    async def tick(self) -> None:
        await self.house.cycle.tick()
        await self.house.cycle.reconcile()

    async def later(self, **more: float) -> None:
        """Time passes, then the line does what is due."""
        self.carrier.clock.advance_to(self.carrier.clock.now() + timedelta(**more))
        await self.tick()

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """The cycle's own loop, which looks once in ten minutes here: after its first look, which is over when this
        begins, it does only what it is woken for."""
        stop, looked, look = asyncio.Event(), asyncio.Event(), self.house.cycle._tick

        async def looks(dial: Any) -> Any:
            report = await look(dial)
            looked.set()
            return report

        self.house.cycle._tick = looks  # type: ignore[method-assign]
        running = asyncio.create_task(self.house.cycle.run(stop, LOOKS_EVERY_S))
        try:
            await asyncio.wait_for(looked.wait(), 60)
            yield
            stop.set()
            await asyncio.wait_for(running, 60)
        finally:
            running.cancel()

    async def understood(self, call: FakeCall, elder: str, until: datetime) -> None:
        """Lets line time pass for this call until the elder's case is an emergency, and no longer."""
        while (await self.now(elder)).reason is not Reason.EMERGENCY:
            assert self.house.clock.now() < until, "nobody has understood the cry"
            await call.waits(0.1)

    def ordered_at(self, call: FakeCall) -> datetime:
        """When the carrier was asked for it."""
        return self.carrier.calls[call.sid].resource.created

    async def row(self, elder: str) -> Row:
        """The elder's case today, after all calls are over and their news taken in."""
        await self.carrier.idle()
        async with asyncio.timeout(20):
            while self.house.media.live():
                await asyncio.sleep(0.01)
        await self.house.telephone.sweep()
        return await self.now(elder)

    async def now(self, elder: str) -> Row:
        """The elder's case at this moment."""
        day = local_date(ZONE, self.house.clock.now())
        rows = await self.house.db.view(lambda session: cases.today(session, self.place_id, day))
        return next(row for row in rows if row.elder_id == elder)

    async def log(self, *kinds: str) -> list[tuple[str, dict[str, Any]]]:
        """The log of all calls, or these kinds of it."""
        query = select(CallEvent.kind, CallEvent.detail).order_by(CallEvent.id)
        entries = await self.house.db.view(lambda session: session.execute(query).all())
        return [(kind, detail) for kind, detail in entries if not kinds or kind in kinds]


@asynccontextmanager
async def story(
    carrier: FakeCarrier, folder: Path, engines: Sequence[Recogniser] = (), **settings: Any
) -> AsyncIterator[Story]:
    values: dict[str, Any] = {
        "database_url": f"sqlite:///{folder}/wenan.db",
        "data_dir": folder,
        "port": 0,
        "calls_per_second": 100,
        **settings,
    }

    def config(base_url: str) -> TwilioConfig:
        media = values.get("media", "stream")
        return TwilioConfig(ACCOUNT_SID, (AUTH_TOKEN,), LINE, base_url, carrier.base_url, media=media)

    ears = Ears(engines)
    async with open_house(Settings(**values), clock=carrier.clock, config=config, lockstep=True, ears=ears) as house:
        yield Story(house, carrier, await house.db.run(_place))


def _place(session: Any) -> int:
    place = Neighbourhood(name="槐荫里", committee=COMMITTEE, timezone=ZONE)
    session.add(place)
    session.flush()
    return place.id
