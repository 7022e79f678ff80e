"""Our line and a real Asterisk that carries its calls. Where Asterisk is not to be had, tests are skipped visibly."""

from __future__ import annotations

import asyncio
import fcntl
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy.orm import Session

from checkins.people import add_person
from checkins.people_csv import CONSENTS
from checkins.schedule import at_minute, local_date
from checkins.tables import Checkin, Neighbourhood
from demo.clock import JumpClock
from house import House, open_house
from ivr.records import Call, CallState
from settings import Settings
from speech.ears import Ears
from tests.fakes.asterisk import ROOM, Asterisk, NoAsteriskError, asterisk
from tests.fakes.ears import ScriptedRecogniser

ZONE = "Asia/Shanghai"
OWN = "+862155550000"
PHONES = "Local/{number}@wenan-test:30=e164"
PATIENCE_S = 60.0

T = TypeVar("T")


def is_over(call: Call) -> bool:
    """And its final report is written, which may be a moment later."""
    return call.state == CallState.OVER and call.disposition is not None


@dataclass
class Site:
    """`ear`: what is understood of what is said."""

    house: House
    asterisk: Asterisk
    ear: ScriptedRecogniser

    async def elder(self, name: str, number: str, **more: Any) -> str:
        """Due at 08:00: an hour ago."""

        def add(session: Session) -> str:
            place = session.query(Neighbourhood).one()
            values: dict[str, Any] = {"consents": dict.fromkeys(CONSENTS, True), "slot": 480, **more}
            return add_person(session, place.id, name, f"{name[0]}阿婆", number, **values).id

        return await self.house.db.run(add)

    async def round(self) -> None:
        """Plans whom it finds, and rings them a second later."""
        await self.house.cycle.tick()
        await asyncio.sleep(1.2)
        await self.house.cycle.tick()

    async def row(self, elder: str, seen: Callable[[Checkin], object]) -> Checkin:
        """The elder's case of today as soon as it is so."""

        def look(session: Session) -> Checkin | None:
            return session.query(Checkin).filter_by(elder_id=elder).one_or_none()

        return await self._until(look, lambda row: row is not None and seen(row))

    async def call(self, number: str, seen: Callable[[Call], object]) -> Call:
        """The last one to or from that number."""

        def look(session: Session) -> Call | None:
            return session.query(Call).filter_by(number=number).order_by(Call.ordered_at.desc()).first()

        return await self._until(look, lambda call: call is not None and seen(call))

    async def _until(self, look: Callable[[Session], T | None], seen: Callable[[Any], object]) -> T:
        found = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not seen(found := await self.house.db.view(look)) or found is None:
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"nothing of the sort: {vars(found) if found else None}") from None
        return found


@pytest.fixture(scope="module")
def port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def carrier(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    """One for all tests of a file; there is one place for it on a machine."""
    ROOM.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{ROOM}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            with asterisk(port, tmp_path_factory.mktemp("asterisk")) as made:
                yield made
        except NoAsteriskError as why:
            pytest.skip(f"no Asterisk: {why}")


@pytest.fixture
async def site(tmp_path: Path, port: int, carrier: Asterisk) -> AsyncIterator[Site]:
    async with open_site(tmp_path, port, carrier) as opened:
        yield opened


@asynccontextmanager
async def open_site(folder: Path, port: int, carrier: Asterisk, trunks: str = PHONES) -> AsyncIterator[Site]:
    """At 09:00 of today."""
    settings = Settings(
        database_url=f"sqlite:///{folder}/wenan.db",
        data_dir=folder,
        port=port,
        calls_per_second=100,
        lines=40,
        carrier="asterisk",
        asterisk_url=f"http://127.0.0.1:{carrier.http}",
        asterisk_password=carrier.ari_password,
        asterisk_media_password=carrier.media_password,
        asterisk_from=OWN,
        asterisk_trunks=trunks,
    )
    clock = JumpClock(at_minute(ZONE, local_date(ZONE, datetime.now(UTC)), 9 * 60))
    ear, stop = ScriptedRecogniser(), asyncio.Event()
    async with open_house(settings, clock=clock, ears=Ears([ear])) as house:
        await house.db.run(_place)
        running = asyncio.create_task(house.run(stop, rounds=False))
        try:
            yield Site(house, carrier, ear)
        finally:
            stop.set()
            await running


def _place(session: Session) -> None:
    session.add(Neighbourhood(name="槐荫里", committee="槐荫里居委会", timezone=ZONE))
