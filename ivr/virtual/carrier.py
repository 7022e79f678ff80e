"""The virtual carrier: Twilio's REST toward the application's client, Twilio's behaviour toward its webhooks.

carrier = VirtualCarrier("AC…", "token", ElderDirectory(scripts, clips))
await carrier.start()                       # carrier.base_url for the application's API base
…
await carrier.stop()
"""

from __future__ import annotations

import asyncio
import logging
import socket
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import uvicorn

from .call import Callback, VirtualCall
from .leg import DialledCall
from .observation import Observation, Observe
from .pace import JoinedPace, Pace, Ticker, WallPace
from .phone import Phone
from .resource import Orders, Resource
from .rest import PREFIX, rest_app
from .stream import ANSWER_S
from .webhooks import WebhookError, Webhooks

log = logging.getLogger(__name__)

Directory = Callable[[str], Phone]


@dataclass(frozen=True)
class Recording:
    sid: str
    call_sid: str
    audio: bytes  # μ-law
    created: datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


class _Server(uvicorn.Server):
    """Signals belong to the process that embeds us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class VirtualCarrier:
    """A carrier on loopback.

    `directory` finds the telephone behind a number, once per call. `pace` makes each call's time (default: real time,
    ringing divided by `hurry`). `observe` sees everything, from the event loop: it must be quick. `reroute` maps
    beginnings of public URLs to where they listen; signatures are over the public ones.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        directory: Directory,
        *,
        now: Callable[[], datetime] = _utc_now,
        pace: Callable[[], Pace] | None = None,
        hurry: float = 1.0,
        observe: Observe | None = None,
        reroute: Mapping[str, str] | None = None,
        stream_answer_s: float = ANSWER_S,
    ) -> None:
        ticker = Ticker()
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.directory = directory
        self.now = now
        self.calls: dict[str, VirtualCall] = {}
        self.recordings: dict[str, Recording] = {}
        self.observers: list[Observe] = [observe] if observe else []
        self.webhooks = Webhooks(auth_token, reroute=reroute)
        self.app = rest_app(self)
        self.base_url = ""
        self._pace = pace or (lambda: WallPace(ticker, hurry))
        self._stream_answer_s = stream_answer_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_post: dict[str, asyncio.Task[None]] = {}
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    # ── server ────────────────────────────────────────────────────────────────────────────────────

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Serves REST; returns the base URL. Port 0 takes a free one. OSError when the port is taken."""
        listener = socket.create_server((host, port))
        config = uvicorn.Config(
            self.app, log_config=None, lifespan="off", ws="none", access_log=False, timeout_graceful_shutdown=2
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            if self._serving.done():
                self._serving.result()
            await asyncio.sleep(0.005)
        self.base_url = f"http://{host}:{listener.getsockname()[1]}"
        return self.base_url

    async def stop(self) -> None:
        """Cuts all calls and closes the server."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
        await self.webhooks.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    async def idle(self) -> None:
        """Returns when no call and no callback is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    # ── calls ─────────────────────────────────────────────────────────────────────────────────────

    def dial(self, orders: Orders, phone: Phone) -> Resource:
        """Begins a call; it runs on by itself."""
        resource = Resource("CA" + uuid.uuid4().hex, self.account_sid, orders, self.now())
        self._begin(VirtualCall(resource, phone, phone.pace or self._pace(), self.webhooks, self, **self._tools()))
        return resource

    def ring_in(self, orders: Orders, phone: Phone) -> Resource:
        """Somebody rings the application's number (`orders.to`), whose voice address is `orders.url`."""
        resource = Resource("CA" + uuid.uuid4().hex, self.account_sid, orders, self.now(), inbound=True)
        self._begin(VirtualCall(resource, phone, phone.pace or self._pace(), self.webhooks, self, **self._tools()))
        return resource

    def dial_out_of(self, call: VirtualCall, orders: Orders, phone: Phone) -> DialledCall:
        """Begins a call out of another one, to be put through to it. In lockstep it has no time of its own."""
        resource = Resource("CA" + uuid.uuid4().hex, self.account_sid, orders, self.now(), parent_sid=call.call_sid)
        pace = JoinedPace() if call.line.pace.lockstep else self._pace()
        leg = DialledCall(resource, phone, pace, self.webhooks, self, **self._tools())
        self._begin(leg)
        return leg

    def _begin(self, call: VirtualCall) -> None:
        self.calls[call.call_sid] = call
        self._spawn(call.run())

    def _tools(self) -> dict[str, Any]:
        return {"observe": self._observe, "post": self.post, "stream_answer_s": self._stream_answer_s}

    def live_calls(self) -> int:
        return sum(not call.over for call in self.calls.values())

    def keep_recording(self, call_sid: str, audio: bytes) -> str:
        sid = "RE" + uuid.uuid4().hex
        self.recordings[sid] = Recording(sid, call_sid, audio, self.now())
        return sid

    def recording_url(self, sid: str) -> str:
        return f"{self.base_url}{PREFIX}/{self.account_sid}/Recordings/{sid}"

    # ── callbacks ─────────────────────────────────────────────────────────────────────────────────

    async def post(self, callback: Callback, *, inline: bool) -> None:
        """Delivers a callback: at once, or in the background in the order of its call."""
        if inline:
            await self.deliver(callback)
        else:
            before = self._last_post.get(callback.call_sid)
            self._last_post[callback.call_sid] = self._spawn(self._deliver_after(before, callback))

    async def deliver(self, callback: Callback) -> None:
        """One callback with the carrier's retries; a failure is only seen (Twilio logs it as a warning)."""
        try:
            await self.webhooks.send(callback.url, callback.params)
        except WebhookError as error:
            number = self.calls[callback.call_sid].resource.orders.to
            self._observe(Observation(callback.call_sid, number, "error", f"{callback.event} callback: {error}"))

    async def _deliver_after(self, before: asyncio.Task[None] | None, callback: Callback) -> None:
        if before is not None:
            await asyncio.wait([before])
        await self.deliver(callback)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _observe(self, observation: Observation) -> None:
        for observe in self.observers:
            observe(observation)
