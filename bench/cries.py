"""From the end of a spoken 救命 to the carrier's order for the first person: the whole line in real time, one cry after
the other. The carrier is a stub that takes every order and notes when."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import uvicorn
from fastapi import FastAPI, Request

from bench.caller import Stream, beat, dial
from bench.figures import out, percentile, verdict
from bench.measured import Line, started
from bench.words import FRAME_BYTES, trimmed
from demo.clips import load

LIMIT_S = 3.0  # PRODUCT.md: to the first ring of a person
GIVE_UP_S = 30.0
VOICES = ("zf_xiaobei", "zf_xiaoni", "zf_xiaoyi", "zm_yunjian", "zm_yunxi", "zm_yunyang")
CRIES = ("help", "help_come", "fell", "fell_up")


@dataclass
class Carrier:
    """Orders as they came: number → call id and moment (perf_counter)."""

    orders: dict[str, tuple[str, float]] = field(default_factory=dict)
    url: str = ""

    def app(self) -> FastAPI:
        web = FastAPI(openapi_url=None)

        @web.post("/2010-04-01/Accounts/{account}/Calls.json", status_code=201)
        async def create(request: Request) -> dict[str, str]:
            came, form = time.perf_counter(), parse_qs((await request.body()).decode())
            call_id = parse_qs(urlsplit(form["Url"][0]).query)["call"][0]
            self.orders.setdefault(form["To"][0], (call_id, came))
            return {"sid": "CA" + call_id, "status": "queued"}

        @web.get("/2010-04-01/Accounts/{account}/Calls/{sid}.json")
        async def call(sid: str) -> dict[str, str]:
            return {"sid": sid, "status": "in-progress"}

        return web


@asynccontextmanager
async def carrier() -> AsyncIterator[Carrier]:
    stub = Carrier()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stub.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(stub.app(), log_config=None, lifespan="off", access_log=False))
        serving = asyncio.create_task(server._serve([listener]))
        try:
            yield stub
        finally:
            server.should_exit = True
            await serving


async def cries(count: int) -> None:
    async with carrier() as stub, started("bench.alarmed", stub.url) as measured:
        waits = [await _cry(measured, stub, number) for number in range(count)]
    heard = [wait for wait in waits if wait is not None]
    out.print(f"\n[b]end of a cry for help → the order for the first person[/b] ({len(heard)} of {count} cries)")
    if heard:
        verdict("99th percentile", percentile(heard, 99), LIMIT_S, "s")
        out.print(f"  median {percentile(heard, 50):.2f} s, worst {max(heard):.2f} s")
    if len(heard) < count:
        out.print(f"  {count - len(heard)} rang nobody within {GIVE_UP_S:.0f} s")


async def _cry(measured: Line, stub: Carrier, number: int) -> float | None:
    """One elder's call, from the greeting to the cry; seconds until somebody else is ordered."""
    known = set(stub.orders)
    case = await asyncio.to_thread(measured.ask)
    people = set(case["people"]) - known
    stream = await dial(measured.base_url, stub.orders[case["elder"]][0])
    await beat(lambda: bool(stream.seen.marks) or stream.closed, stream.send)
    said = trimmed(load()(f"{VOICES[number % len(VOICES)]}/{CRIES[number % len(CRIES)]}"))
    spoken = await _say(stream, said, lambda: not people.isdisjoint(stub.orders))
    rung = [stub.orders[one][1] for one in people & stub.orders.keys()]
    stream.hang_up()
    return max(0.0, min(rung) - spoken) if rung else None


async def _say(stream: Stream, said: bytes, until: Callable[[], bool]) -> float:
    """Speaks, then is silent until it is so; when the last sound went out."""
    frames = iter([stream.media(said[at : at + FRAME_BYTES]) for at in range(0, len(said), FRAME_BYTES)])
    spoken = time.perf_counter()

    def speak() -> None:
        nonlocal spoken
        frame = next(frames, None)
        stream.send(frame)
        spoken = time.perf_counter() if frame else spoken

    begun = time.perf_counter()
    await beat(lambda: until() or stream.closed or time.perf_counter() - begun > GIVE_UP_S, speak)
    return spoken
