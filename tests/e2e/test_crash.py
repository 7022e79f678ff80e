"""kill -9 in mid-call, then a restart: the elder is dealt with, and nobody is rung twice for one intent. Real
processes, real time."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from sqlalchemy import select

from checkins import cases
from checkins.cases import Row
from checkins.people import add_person
from checkins.results import Result, Status
from checkins.schedule import local_date
from checkins.tables import Neighbourhood
from ivr.virtual.behaviour import ElderDirectory
from ivr.virtual.carrier import VirtualCarrier
from ivr.virtual.elder import CallScript, ElderScript, Reaction
from ivr.virtual.observation import Observation
from storage.database import Database
from storage.migrate import upgrade
from tests.fakes.carrier import ACCOUNT_SID, AUTH_TOKEN

ROOT = Path(__file__).parents[2]
ELDER = "+862155500001"
LIMIT_S = 60


def a_zone_where_it_is_morning() -> str:
    """Calls are only made by day; the test runs at any hour."""
    offset = (9 - datetime.now(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-offset:+d}"  # POSIX signs: Etc/GMT-8 is eight hours ahead


ZONE = a_zone_where_it_is_morning()
WELL = ("greet.ask", "1"), ("health.ask", "1"), ("message.ask", "2")


class Watched:
    """The carrier of the test's own process; `seen(prompt)` returns when the elder has heard it."""

    def __init__(self, *calls: CallScript) -> None:
        elders = ElderDirectory((ElderScript(ELDER, calls),), lambda name: b"")
        self.carrier = VirtualCarrier(ACCOUNT_SID, AUTH_TOKEN, elders, hurry=20, observe=self._see)
        self._heard: set[str] = set()
        self._change = asyncio.Event()

    def _see(self, seen: Observation) -> None:
        if seen.kind == "prompt":
            self._heard.add(seen.detail)
            self._change.set()

    async def seen(self, prompt: str) -> None:
        async with asyncio.timeout(LIMIT_S):
            while prompt not in self._heard:
                self._change.clear()
                await self._change.wait()

    def rung(self) -> Counter[str]:
        """Calls by intent id."""
        return Counter(
            parse_qs(urlsplit(call.resource.orders.url).query)["call"][0] for call in self.carrier.calls.values()
        )


class Line:
    """`python server.py serve` on one database and port; may be killed and started again."""

    def __init__(self, folder: Path, carrier: VirtualCarrier) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"sqlite:///{folder}/wenan.db"
        self._environment = {
            **os.environ,
            "WENAN_DATABASE_URL": self.url, "WENAN_DATA_DIR": str(folder), "WENAN_MODELS": str(folder / "none"),
            "WENAN_PORT": str(self.port), "WENAN_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "WENAN_CARRIER": "twilio", "WENAN_TWILIO_ACCOUNT_SID": ACCOUNT_SID, "WENAN_TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "WENAN_TWILIO_API_BASE": carrier.base_url, "WENAN_TWILIO_FROM": "+862155500000",
        }  # fmt: skip
        upgrade(self.url)
        self.db = Database(self.url)
        with self.db.write() as session:
            place = Neighbourhood(name="槐荫里", committee="槐荫里居委会", timezone=ZONE)
            session.add(place)
            session.flush()
            add_person(
                session, place.id, "王秀英", "王阿婆", ELDER,
                consents={"calls": True, "recording": True}, policy={"line_error_after": [0, 0, 0]},
            )  # fmt: skip

    async def start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "server.py", "serve", cwd=ROOT, env=self._environment,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    def row(self) -> Row:
        with self.db.read() as session:
            place = session.scalars(select(Neighbourhood)).one()
            (row,) = cases.today(session, place.id, local_date(ZONE, datetime.now(UTC)))
            return row

    async def closed(self) -> Row:
        async with asyncio.timeout(LIMIT_S):
            while (row := self.row()).status is not Status.CLOSED:
                await asyncio.sleep(0.2)
        return row


@asynccontextmanager
async def restarted_after(prompt: str, folder: Path, *calls: CallScript) -> AsyncIterator[tuple[Watched, Line]]:
    """The line, killed when the elder had heard `prompt`, and started again."""
    watched = Watched(*calls)
    async with watched.carrier:
        line = Line(folder, watched.carrier)
        process = await line.start()
        try:
            await watched.seen(prompt)
            await asyncio.sleep(0.5)  # the last answer is on its way to the disk
            process.send_signal(signal.SIGKILL)
            await process.wait()
            process = await line.start()
            yield watched, line
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(LIMIT_S):
                _, errors = await process.communicate()
            assert process.returncode == 0, errors.decode()
            assert b"Traceback" not in errors, errors.decode()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            line.db.close()


def answers(*pairs: tuple[str, str]) -> CallScript:
    return CallScript(rings=1, reactions={prompt: (Reaction(press=key),) for prompt, key in pairs})


async def test_killed_before_an_answer_the_elder_is_rung_once_more(tmp_path: Path) -> None:
    async with restarted_after("greet.ask", tmp_path, answers(), answers(*WELL)) as (watched, line):
        row = await line.closed()
        assert (row.result, row.evidence) == (Result.WELL, "key")
        assert sorted(watched.rung().values()) == [1, 1], "one intent, one call"


async def test_killed_after_a_clear_answer_it_stands_and_nobody_is_rung_again(tmp_path: Path) -> None:
    async with restarted_after("message.ask", tmp_path, answers(*WELL[:2])) as (watched, line):
        row = await line.closed()
        assert (row.result, row.evidence) == (Result.WELL, "key")
        assert list(watched.rung().values()) == [1]
        async with httpx.AsyncClient(trust_env=False) as client:
            page = await client.get(f"http://127.0.0.1:{line.port}/twilio/voice")
        assert page.status_code in (403, 405)
