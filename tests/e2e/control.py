"""The telephone room's control plane as a running server: book of calls, telephone, routes; media and prompts are
stand-ins."""

from __future__ import annotations

import socket
from asyncio import Task, create_task, sleep
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import orjson
import uvicorn
from fastapi import FastAPI
from starlette.websockets import WebSocket, WebSocketDisconnect

from callflows.loader import shipped
from ivr.calls import Calls
from ivr.ports import Callee, CallOrder, CallReport
from ivr.recordings import Recordings
from ivr.records import Call
from ivr.routes import routes
from ivr.telephone import TwilioTelephone
from ivr.twilio.config import TwilioConfig
from ivr.twilio.fetching import CarrierRecordings
from ivr.twilio.rest import TwilioRest
from ivr.twilio.verbs import Verbs
from ivr.virtual.acoustics import tone
from ivr.virtual.signature import sign
from storage.database import Base, Database
from tests.fakes.carrier import ACCOUNT_SID, AUTH_TOKEN, FakeCarrier

ELDER = "+862155500001"
LINE = "+862155500000"
NEXT_TOKEN = "fedcba9876543210fedcba9876543210"


class Listener:
    """The care room's stand-in: keeps what it is told; `fails` times it can't take it in."""

    def __init__(self) -> None:
        self.reports: list[CallReport] = []
        self.fails = 0

    async def call_reported(self, report: CallReport) -> None:
        if self.fails:
            self.fails -= 1
            raise OSError("the care room's database is away")
        self.reports.append(report)

    @property
    def finals(self) -> list[CallReport]:
        return [report for report in self.reports if report.final]


class TokenMedia:
    """Takes streams whose token counts and closes them at once; keeps what it was told."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.accepted: list[bool] = []
        self.starts: list[tuple[str, str]] = []  # token, CallSid
        self.machines: list[tuple[str, str]] = []

    async def serve(self, websocket: WebSocket) -> None:
        try:
            while (message := orjson.loads(await websocket.receive_text()))["event"] != "start":
                pass
        except WebSocketDisconnect:
            return
        start: dict[str, Any] = message["start"]
        self.starts.append((start["customParameters"].get("token", ""), start["callSid"]))
        self.accepted.append(await self._calls.accept_stream(*self.starts[-1]) is not None)
        with suppress(WebSocketDisconnect):
            await websocket.close()

    def machine_answered(self, call_id: str, answered_by: str) -> None:
        self.machines.append((call_id, answered_by))


TONE = tone(440, 0.9)  # two parts are longer than one press may be reported


class Prompts:
    """Every prompt is a short tone."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def get(self, text: str, language: str = "zh") -> bytes:
        self.asked.append(text)
        return TONE


class Control:
    """One process's control plane on a database. `restart` makes another one on the same database."""

    def __init__(self, carrier: FakeCarrier, folder: Path, public_url: str, media: str = "stream") -> None:
        self.carrier = carrier
        self.listener = Listener()
        self.prompts = Prompts()
        self.db = Database(f"sqlite:///{folder}/wenan.db")
        Base.metadata.create_all(self.db.engine)
        self.config = TwilioConfig(
            ACCOUNT_SID,
            (AUTH_TOKEN, NEXT_TOKEN),
            LINE,
            public_url,
            carrier.base_url,
            media=media,  # type: ignore[arg-type]
            rest_timeout_s=1.0,
        )
        self.calls = Calls(self.db, carrier.clock.now, listener=self.listener)
        rest = TwilioRest(self.config)
        self.recordings = Recordings(folder / "recordings")
        self.fetcher = CarrierRecordings(self.calls, rest, self.recordings)
        self.telephone = TwilioTelephone(self.calls, self.config, rest, chores=[self.fetcher.fetch_open])
        self.verbs = Verbs(self.calls, self.config, self.fetcher, shipped)
        self.media = TokenMedia(self.calls)
        self.app = FastAPI()
        self.app.include_router(routes(self.calls, self.config, self.media, self.verbs, self.prompts))

    async def row(self, call_id: str = "i1") -> Call:
        call = await self.calls.get(call_id)
        assert call is not None
        return call

    async def post(
        self, path: str, form: dict[str, str], *, token: str = AUTH_TOKEN, host: str | None = None
    ) -> httpx.Response:
        """A webhook as the carrier would send it."""
        url = f"{self.config.public_url}/twilio/{path}"
        headers = {"X-Twilio-Signature": sign(token, url, form.items())} | ({"Host": host} if host else {})
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.post(url, data=form, headers=headers)

    async def close(self) -> None:
        await self.fetcher.wait()
        await self.telephone.close()
        await self.recordings.close()
        self.db.close()


def order(call_id: str = "i1", number: str = ELDER, **more: Any) -> CallOrder:
    callees = more.pop("callees", (Callee("e1", "王阿婆"),))
    return CallOrder(call_id, number, "daily_checkin", callees, {"committee": "曹杨居委会"}, **more)


@asynccontextmanager
async def control(carrier: FakeCarrier, folder: Path, media: str = "stream") -> AsyncIterator[Control]:
    listener = socket.create_server(("127.0.0.1", 0))
    room = Control(carrier, folder, f"http://127.0.0.1:{listener.getsockname()[1]}", media)
    config = uvicorn.Config(room.app, log_config=None, lifespan="off", ws="websockets-sansio", access_log=False)
    server = uvicorn.Server(config)
    serving: Task[None] = create_task(server._serve([listener]))
    while not server.started:
        await sleep(0.005)
    try:
        yield room
    finally:
        server.should_exit = True
        await serving
        await room.close()
