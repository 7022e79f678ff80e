"""kill -9 of our server in a round of several elders beside a real Asterisk: each is dealt with in the end, and no try
rings twice. Real processes, real time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from websockets.asyncio.client import connect

from checkins import cases
from checkins.cases import Row
from checkins.people import add_person
from checkins.people_csv import CONSENTS
from checkins.results import Result, Status
from checkins.schedule import local_date
from checkins.tables import Neighbourhood
from ivr.records import Call
from storage.database import Database
from storage.migrate import upgrade
from tests.asterisk.conftest import OWN, PHONES
from tests.e2e.test_crash import ZONE
from tests.fakes.asterisk import Asterisk

ROOT = Path(__file__).parents[3]
LIMIT_S = 300.0
ELDERS = tuple(f"+8621610{number:04}1" for number in range(6))  # each is there, and well by two keys
SETTLED = (Status.CLOSED, Status.NEEDS_PERSON)


class Line:
    """`server.py serve` beside Asterisk, on one database and port."""

    def __init__(self, folder: Path, port: int, carrier: Asterisk) -> None:
        self.url = f"sqlite:///{folder}/wenan.db"
        self._environment = {
            **os.environ,
            "WENAN_DATABASE_URL": self.url, "WENAN_DATA_DIR": str(folder), "WENAN_MODELS": str(folder / "none"),
            "WENAN_PORT": str(port), "WENAN_CARRIER": "asterisk", "WENAN_LINES": "30",
            "WENAN_ASTERISK_URL": f"http://127.0.0.1:{carrier.http}",
            "WENAN_ASTERISK_PASSWORD": carrier.ari_password,
            "WENAN_ASTERISK_MEDIA_PASSWORD": carrier.media_password,
            "WENAN_ASTERISK_FROM": OWN, "WENAN_ASTERISK_TRUNKS": PHONES,
        }  # fmt: skip
        upgrade(self.url)
        self.db = Database(self.url)
        with self.db.write() as session:
            place = Neighbourhood(name="槐荫里", committee="槐荫里居委会", timezone=ZONE)
            session.add(place)
            session.flush()
            for number in ELDERS:
                consents, policy = dict.fromkeys(CONSENTS, True), {"line_error_after": [0, 0, 0]}
                add_person(session, place.id, "王秀英", "王阿婆", number, consents=consents, policy=policy)

    async def start(self) -> asyncio.subprocess.Process:
        nothing = asyncio.subprocess.DEVNULL
        return await asyncio.create_subprocess_exec(
            sys.executable, "server.py", "serve", cwd=ROOT, env=self._environment, stdout=nothing, stderr=nothing
        )

    def rows(self) -> list[Row]:
        with self.db.read() as session:
            place = session.scalars(select(Neighbourhood)).one()
            return cases.today(session, place.id, local_date(ZONE, datetime.now(UTC)))

    def tries(self) -> Counter[str]:
        """Calls that were meant to be made, by number."""
        with self.db.read() as session:
            return Counter(session.scalars(select(Call.number)))

    async def settled(self) -> list[Row]:
        async with asyncio.timeout(LIMIT_S):
            while len(rows := self.rows()) < len(ELDERS) or any(row.status not in SETTLED for row in rows):
                await asyncio.sleep(0.5)
        return rows


class Rung:
    """What Asterisk itself says: each channel that was made for a number, once."""

    def __init__(self, carrier: Asterisk) -> None:
        self.channels: dict[str, str] = {}
        self.up: set[str] = set()
        self._address = (
            f"ws://127.0.0.1:{carrier.http}/ari/events?app=watcher&subscribeAll=true"
            f"&api_key=wenan:{carrier.ari_password}"
        )

    async def watch(self) -> None:
        """To be cancelled. Asterisk may go away and come back."""
        while True:
            with suppress(OSError, Exception):
                async with connect(self._address, proxy=None, open_timeout=30) as events:
                    async for message in events:
                        self._saw(json.loads(message))
            await asyncio.sleep(0.1)

    def _saw(self, event: dict[str, object]) -> None:
        channel = event.get("channel")
        if not isinstance(channel, dict):
            return
        name, identity = str(channel.get("name", "")), str(channel.get("id", ""))
        number = next((each for each in ELDERS if each in name), "")
        if number and identity.startswith("wenan-") and not identity.endswith(";2"):
            self.channels[identity] = number
            if channel.get("state") == "Up":
                self.up.add(identity)

    def by_number(self) -> Counter[str]:
        return Counter(self.channels.values())

    async def talking(self, count: int) -> None:
        async with asyncio.timeout(LIMIT_S):
            while len(self.up) < count:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def in_mid_round(
    folder: Path, port: int, carrier: Asterisk
) -> AsyncIterator[tuple[Line, Rung, list[asyncio.subprocess.Process]]]:
    """Some elders have picked up, and have not said yet how they are. The list takes what is started."""
    line, rung = Line(folder, port, carrier), Rung(carrier)
    watching = asyncio.create_task(rung.watch())
    await asyncio.sleep(1)
    processes = [await line.start()]
    try:
        await rung.talking(2)
        await asyncio.sleep(2)
        yield line, rung, processes
    finally:
        watching.cancel()
        for process in processes:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        carrier.cli("channel request hangup all")
        line.db.close()


async def test_our_server_is_killed_in_mid_round(tmp_path: Path, port: int, carrier: Asterisk) -> None:
    async with in_mid_round(tmp_path, port, carrier) as (line, rung, processes):
        processes[0].send_signal(signal.SIGKILL)
        await processes[0].wait()
        processes.append(await line.start())
        await _each_is_dealt_with(line, rung)


async def _each_is_dealt_with(line: Line, rung: Rung) -> None:
    rows = await line.settled()
    for row in rows:
        if row.status is Status.CLOSED:
            assert (row.result, row.evidence) == (Result.WELL, "key")
    tries = line.tries()
    assert set(tries) == set(ELDERS)
    rings = rung.by_number()
    assert all(rings[number] <= tries[number] for number in ELDERS), f"rung twice for one try: {rings}, {tries}"
