"""Asterisk as the telephone network behind our own carrier: every number is a telephone that it can ring, and whoever
rings in is one that has rung us (ADR 19).

Outbound: ARI rings the number by a trunk; when it is picked up, our dialplan opens a WebSocket to us with the call's
name. Inbound: the dialplan opens one with the caller's number.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from ivr.asterisk.ari import Ari, AriError
from ivr.asterisk.causes import BUSY, CANCELLED, NO_ANSWER, TRUNK_FAILED, Outcome, outcome
from ivr.asterisk.config import AsteriskConfig, Trunk, dialled, e164
from ivr.asterisk.leg import Leg
from ivr.asterisk.protocol import HANG_UP, Begun
from ivr.media_messages import ProtocolError
from ivr.virtual.phone import Phone
from ivr.virtual.resource import Orders

log = logging.getLogger(__name__)

MEDIA = "/asterisk/media"
USER = "asterisk"  # as whom it opens the WebSocket
BEGIN_S = 5.0  # from the connection to MEDIA_START
SPARE_S = 10.0  # so long after the time to ring Asterisk's own word on a call is awaited
AGAIN_S = (0.5, 1.0, 2.0, 5.0)  # between two tries to hear Asterisk's events
FIRST_S = 0.3  # the channel is hung up before its audio: else the dialplan took the line to be down, and said so
LOOK_S = 15.0  # how often the state of the trunks is asked for
PREFIX = "wenan-"  # of the ids of channels that are ours
_POLICY = 1008


class RingsIn(Protocol):
    """Our carrier, as far as a switch needs it."""

    def __call__(self, orders: Orders, phone: Phone) -> object: ...


class Dialling:
    """One number being rung. Satisfies ivr.virtual.phone.Dialler."""

    def __init__(self, switch: Switch, leg: Leg, number: str) -> None:
        self.leg, self.number = leg, number
        self.channel, self.ordered = "", False  # ordered: Asterisk has said that the channel exists
        self.rang, self.up, self.busy = asyncio.Event(), False, False
        self.ended: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        self._switch = switch

    async def ring(self, orders: Orders, ringing: Callable[[], Any]) -> tuple[str, str]:
        result = await self._switch.ring(self, orders, ringing)
        return ("in-progress", "") if result is None else (result.status, result.sip_code)

    def hang_up(self) -> None:
        self._switch.let_go(self)

    def state(self, state: str) -> None:
        if state == "Ringing":
            self.rang.set()
        self.up = self.up or state == "Up"

    def told(self, status: str) -> None:
        """A word on the dialling: some channels say there alone that it rings, or that it is engaged."""
        if status == "RINGING":
            self.rang.set()
        self.busy = self.busy or status == "BUSY"

    def destroyed(self, cause: int) -> None:
        """Whoever picked up and was not led to us heard nothing: the line's fault, not theirs."""
        if self.leg.begun:
            self.leg.end()
        came_to = BUSY if self.busy else outcome(cause, rang=self.rang.is_set())
        self.came_to(TRUNK_FAILED if self.up else came_to)

    def again(self) -> None:
        """By another trunk."""
        self.ordered = False
        self.rang, self.up, self.busy = asyncio.Event(), False, False
        self.ended = asyncio.get_running_loop().create_future()

    def came_to(self, result: Outcome | None) -> None:
        """None: picked up."""
        if not self.ended.done():
            self.ended.set_result(result)


class Switch:
    """`rings_in`: begins a call from outside (VirtualCarrier.ring_in); `voice_url`: where our line answers."""

    def __init__(self, config: AsteriskConfig, ari: Ari | None = None) -> None:
        self.rings_in: RingsIn | None = None
        self.voice_url = ""
        self._config, self._ari = config, ari or Ari(config)
        self._dialling: dict[str, Dialling] = {}  # by channel
        self._busy: Counter[str] = Counter()  # calls by trunk
        self._offline: frozenset[str] = frozenset()  # endpoints
        self._tasks: set[asyncio.Task[Any]] = set()

    # ── the carrier's directory ───────────────────────────────────────────────────────────────────

    def __call__(self, number: str) -> Phone:
        leg = Leg()
        dialling = Dialling(self, leg, number)
        return Phone(party=leg, pace=leg, dialler=dialling, over=dialling.hang_up, cleared=leg.cleared, amd="unknown")

    async def ring(self, dialling: Dialling, orders: Orders, ringing: Callable[[], Any]) -> Outcome | None:
        """By the first trunk that takes it: one that failed before the telephone rang leaves it to the next."""
        result: Outcome | None = TRUNK_FAILED
        for trunk in self._usable():
            if self._busy[trunk.dial] >= trunk.lines:
                continue
            result = await self._by(trunk, dialling, orders, ringing)
            if result is None or not result.trunk or dialling.leg.gone:
                return result
            log.warning("trunk %s failed before the telephone rang (%s)", trunk.endpoint, result.sip_code)
        return result

    def let_go(self, dialling: Dialling) -> None:
        """Nobody is to hear anything any more."""
        dialling.came_to(CANCELLED)
        if dialling.channel in self._dialling:
            self._spawn(self._hang_up(dialling.channel))
        dialling.leg.end()

    # ── Asterisk's side ───────────────────────────────────────────────────────────────────────────

    async def run(self, stop: asyncio.Event) -> None:
        """Hears Asterisk's events, again and again; what of a process before still rings is taken back."""
        tries, stopped = 0, asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                hearing = asyncio.create_task(self._hear())
                await asyncio.wait({hearing, stopped}, return_when=asyncio.FIRST_COMPLETED)
                tries = 0 if hearing.done() and hearing.result() else tries + 1
                hearing.cancel()
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), AGAIN_S[min(tries, len(AGAIN_S) - 1)])
        finally:
            stopped.cancel()

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._ari.close()

    async def serve(self, websocket: WebSocket) -> None:
        """The WebSocket of one channel, from the handshake to its end. Refused without our password."""
        if not self._is_asterisk(websocket):
            log.warning("a WebSocket that isn't our Asterisk's was refused")
            await websocket.close(_POLICY)
            return
        await websocket.accept(subprotocol="media")
        channel = websocket.query_params.get("call", "")
        dialling = self._dialling.get(channel)
        if dialling is not None and not dialling.leg.gone:
            await self._talk(websocket, dialling.leg, lambda _: dialling.came_to(None))
        elif websocket.query_params.get("from") is not None and not channel:
            await self._inbound(websocket)
        else:  # of a process before, or taken back in this moment
            await self._say_goodbye(websocket)

    # ── inside ────────────────────────────────────────────────────────────────────────────────────

    def _usable(self) -> list[Trunk]:
        """In order; those that are known to be away last, for what is known may be old."""
        return sorted(self._config.trunks, key=lambda trunk: trunk.endpoint in self._offline)

    async def _by(self, trunk: Trunk, dialling: Dialling, orders: Orders, ringing: Callable[[], Any]) -> Outcome | None:
        try:
            endpoint = trunk.to(dialling.number, self._config.number)
        except ValueError:
            return Outcome("failed", "484")
        channel = dialling.channel = PREFIX + secrets.token_hex(12)
        dialling.again()
        self._dialling[channel] = dialling
        self._busy[trunk.dial] += 1
        telling = self._spawn(_told(dialling.rang, ringing))
        caller = dialled(self._config.number, self._config.number, trunk.form)
        try:
            await self._ari.originate(channel, endpoint, caller, {"WENAN_CALL": channel}, orders.ring_s)
            dialling.ordered = True
            result = await self._awaited(dialling, orders.ring_s)
        except AriError as error:
            log.error("a call could not be ordered (%s)", error)
            result = await self._unordered(channel, error)
        telling.cancel()
        self._spawn(self._freed(trunk, channel, dialling.leg if result is None else None))
        return result

    async def _awaited(self, dialling: Dialling, ring_s: float) -> Outcome | None:
        with suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(dialling.ended), ring_s + SPARE_S)
        await self._hang_up(dialling.channel)
        return NO_ANSWER if dialling.rang.is_set() else TRUNK_FAILED

    async def _unordered(self, channel: str, error: AriError) -> Outcome:
        """Whether it rings all the same is not known when no answer came: it is taken back."""
        if not error.status:
            await self._hang_up(channel)
        return TRUNK_FAILED

    async def _freed(self, trunk: Trunk, channel: str, talking: Leg | None) -> None:
        """The trunk's channel is free again when the call is over."""
        if talking is not None:
            await talking.over.wait()
        self._busy[trunk.dial] -= 1
        self._dialling.pop(channel, None)

    async def _hang_up(self, channel: str) -> None:
        try:
            await self._ari.hang_up(channel)
        except AriError as error:
            log.error("a channel could not be hung up (%s)", error)

    async def _hear(self) -> bool:
        """One connection of events, to its end. Whether it stood at all."""
        stood = False
        try:
            async for event in self._ari.events():
                if event["type"] == "Connected":
                    stood = True
                    await self._settle_after_a_gap()
                else:
                    self._event(event)
        except AriError as error:
            log.warning("Asterisk is not heard: %s", error)
        return stood

    async def _settle_after_a_gap(self) -> None:
        """What ended while nobody listened is over; what is nobody's is hung up: no elder hears a dead line."""
        self._spawn(self._look_at_trunks())
        before = {channel: dialling for channel, dialling in self._dialling.items() if dialling.ordered}
        try:
            there = {channel.partition(";")[0] for channel in await self._ari.channels()}  # ";2": its other half
        except AriError as error:
            log.warning("Asterisk's calls can't be listed (%s)", error)
            return
        for channel in before.keys() - there:
            before[channel].came_to(TRUNK_FAILED)
        for channel in there - self._dialling.keys():
            if channel.startswith(PREFIX):
                await self._hang_up(channel)

    async def _look_at_trunks(self) -> None:
        with suppress(AriError):
            states = await self._ari.endpoints()
            offline = frozenset(name for name, state in states.items() if state == "offline")
            for name in {trunk.endpoint for trunk in self._config.trunks} & (offline - self._offline):
                log.error("trunk %s is away", name)
            self._offline = offline

    def _event(self, event: Mapping[str, Any]) -> None:
        about = event.get("peer" if event["type"] == "Dial" else "channel")
        dialling = self._dialling.get(str(about.get("id", ""))) if isinstance(about, dict) else None
        match event["type"]:
            case "ChannelStateChange" if dialling and isinstance(about, dict):
                dialling.state(str(about.get("state")))
            case "Dial" if dialling:
                dialling.told(str(event.get("dialstatus", "")))
            case "ChannelDestroyed" if dialling:
                dialling.destroyed(_number(event.get("cause")))
            case "EndpointStateChange" | "PeerStatusChange" | "ContactStatusChange":
                self._spawn(self._look_at_trunks())

    def _is_asterisk(self, websocket: WebSocket) -> bool:
        scheme, _, given = websocket.headers.get("authorization", "").partition(" ")
        expected = base64.b64encode(f"{USER}:{self._config.media_password}".encode()).decode()
        asks = "media" in [each.strip() for each in websocket.headers.get("sec-websocket-protocol", "").split(",")]
        return asks and scheme.lower() == "basic" and hmac.compare_digest(given.encode(), expected.encode())

    async def _inbound(self, websocket: WebSocket) -> None:
        leg, channel = Leg(), websocket.query_params.get("channel", "")[:100]

        def over() -> None:
            """Asterisk's own channel first: the dialplan says sorry to whom we have only lost."""
            if channel and not leg.gone:
                self._spawn(self._hang_up(channel))
            leg.end()

        def begin(begun: Begun) -> None:
            if self.rings_in is None:
                leg.end()
                return
            caller = e164(websocket.query_params["from"], self._config.number)
            orders = Orders(to=self._config.number, from_=caller, url=self.voice_url)
            self.rings_in(orders, Phone(party=leg, pace=leg, over=over, cleared=leg.cleared))

        await self._talk(websocket, leg, begin)

    async def _talk(self, websocket: WebSocket, leg: Leg, begin: Callable[[Begun], None]) -> None:
        """Messages in, frames out, until one side ends it."""
        sending = asyncio.create_task(_send(websocket, leg))
        try:
            async with asyncio.timeout(BEGIN_S):
                while not isinstance(begun := leg.read(await _next(websocket)), Begun):
                    pass
            begin(begun)
            while True:
                leg.read(await _next(websocket))
        except (ProtocolError, TimeoutError) as error:
            log.warning("a WebSocket of Asterisk is ended: %s", error or "it said nothing")
        except WebSocketDisconnect:
            pass
        finally:
            leg.end()
            await asyncio.gather(sending, return_exceptions=True)
            await _close(websocket)

    async def _say_goodbye(self, websocket: WebSocket) -> None:
        """The dialplan goes on: it says that somebody rings back, and hangs up."""
        with suppress(WebSocketDisconnect, RuntimeError):
            await websocket.send_text(HANG_UP)
        await _close(websocket)

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def routes(switch: Switch | None) -> APIRouter:
    """Where Asterisk opens audio to us; nobody may where it doesn't carry the calls."""
    router = APIRouter()
    router.add_websocket_route(MEDIA, switch.serve if switch else _refused)
    return router


async def _refused(websocket: WebSocket) -> None:
    await websocket.close(_POLICY)


async def _told(rang: asyncio.Event, ringing: Callable[[], Any]) -> None:
    await rang.wait()
    await ringing()


async def _send(websocket: WebSocket, leg: Leg) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while not leg.gone:
            await leg.some.wait()
            for message in leg.to_send():
                await (websocket.send_bytes(message) if isinstance(message, bytes) else websocket.send_text(message))
        await asyncio.sleep(FIRST_S)
        await websocket.send_text(HANG_UP)
        await _close(websocket)


async def _next(websocket: WebSocket) -> str | bytes:
    event = await websocket.receive()
    if event["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(event.get("code") or 1006)
    text: str | None = event.get("text")
    return text if text is not None else bytes(event.get("bytes") or b"")


async def _close(websocket: WebSocket) -> None:
    if websocket.application_state is WebSocketState.CONNECTED and websocket.client_state is WebSocketState.CONNECTED:
        with suppress(RuntimeError, WebSocketDisconnect):
            await websocket.close()


def _number(raw: object) -> int:
    return raw if isinstance(raw, int) else 0
