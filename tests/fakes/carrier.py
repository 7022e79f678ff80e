"""The fake carrier: a real HTTP and WebSocket peer in virtual time, with faults on demand.

    carrier.expect_call("+862155500001")             # any other call fails the test
    await telephone.place(order)
    await call.hears("greet.ask"); call.presses("1")
    assert await call.ended() == "completed"

Faults: `lose`, `hold`/`release` (late, reordered), `duplicate`, `forge` for callbacks; `rest_fault` for REST.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict, deque
from contextlib import suppress
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ivr.virtual.behaviour import AnsweringMachine, Clips, phone_of
from ivr.virtual.call import Callback, VirtualCall
from ivr.virtual.carrier import VirtualCarrier
from ivr.virtual.elder import CallScript
from ivr.virtual.leg import DialledCall
from ivr.virtual.observation import Observation
from ivr.virtual.pace import FastPace
from ivr.virtual.phone import Echo, Party, Phone, PhoneKind
from ivr.virtual.resource import Orders, Resource
from tests.fakes.call import CrankPace, FakeCall, StoryParty
from tests.fakes.clock import WarpClock

ACCOUNT_SID = "AC" + "5" * 32
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"

RestFault = Literal["accept_then_hang", "never_accept", "cut", "refuse_429", "break_500"]
CallbackFault = Literal["lose", "hold", "duplicate", "forge"]


class FakeCarrier(VirtualCarrier):
    """A carrier for tests. Calls run in lockstep with the application; ringing takes no real time."""

    def __init__(self, clock: WarpClock, *, clips: Clips | None = None, **settings: object) -> None:
        self.clock = clock
        super().__init__(
            ACCOUNT_SID,
            AUTH_TOKEN,
            self._find,
            now=clock.now,
            pace=lambda: FastPace(clock.now, clock.advance_to),
            observe=self._tell,
            **settings,  # type: ignore[arg-type]
        )
        self.clips: Clips = clips or _no_clip
        self.unexpected: list[str] = []
        self.delivered: list[Callback] = []
        self.rest = _RestFaults(self.app)
        self.app = self.rest  # type: ignore[assignment]
        self._expected: defaultdict[str, deque[tuple[FakeCall, Phone]]] = defaultdict(deque)
        self._by_phone: dict[int, FakeCall] = {}
        self._by_sid: dict[str, FakeCall] = {}
        self._faults: defaultdict[str, deque[CallbackFault]] = defaultdict(deque)
        self._held: list[Callback] = []

    # ── expecting ─────────────────────────────────────────────────────────────────────────────────

    def expect_call(
        self,
        number: str,
        phone: str = "answers",
        *,
        rings: int = 1,
        amd: str = "",
        greeting: bytes = b"",
        echo: Echo | None = None,
        script: CallScript | None = None,
    ) -> FakeCall:
        """The next call to `number` is awaited. `phone`: see PhoneKind. With a `script` the callee acts by itself."""
        kind = PhoneKind(phone)
        if script is not None:
            call, set_up = self._scripted(number, script)
        else:
            told = StoryParty()
            machine = kind is PhoneKind.MACHINE
            party: Party = AnsweringMachine(greeting) if machine else told
            pace = CrankPace(self.clock.now, self.clock.advance_to) if not machine else self._fast()
            call = FakeCall(number, pace, None if machine else told)
            set_up = Phone(kind, rings, party, echo, amd, pace)
        self._expected[number].append((call, set_up))
        return call

    def rings_in(self, number: str, url: str, *, to: str = "+862155500000", status_callback: str = "") -> FakeCall:
        """Somebody rings us from `number`; `url` is our voice address, as it is set up at the carrier."""
        told, pace = StoryParty(), CrankPace(self.clock.now, self.clock.advance_to)
        call = FakeCall(number, pace, told)
        orders = Orders(to, number, url, status_callback=status_callback)
        call.sid = self.ring_in(orders, Phone(PhoneKind.ANSWERS, 1, told, pace=pace)).sid
        self._by_sid[call.sid] = call
        return call

    def _scripted(self, number: str, script: CallScript) -> tuple[FakeCall, Phone]:
        phone = phone_of(script, self.clips)
        pace = self._fast()
        set_up = Phone(phone.kind, phone.rings, phone.party, phone.echo, phone.amd, pace)
        return FakeCall(number, pace, None), set_up

    def _fast(self) -> FastPace:
        return FastPace(self.clock.now, self.clock.advance_to)

    def verify(self) -> None:
        """AssertionError for calls nobody expected, expected ones that never came, and errors a carrier would log."""
        missing = [number for number, waiting in self._expected.items() for _ in waiting]
        errors = [
            f"{o.number}: {o.detail}"
            for call in self._by_sid.values()
            if not call.errors_allowed
            for o in call.log
            if o.kind == "error"
        ]
        assert not self.unexpected, f"calls nobody expected: {self.unexpected}"
        assert not missing, f"expected calls that never came: {missing}"
        assert not errors, f"errors on the line: {errors}"

    # ── callback faults ───────────────────────────────────────────────────────────────────────────

    def lose(self, event: str, times: int = 1) -> None:
        """The next callbacks of this event (initiated, ringing, answered, completed, amd, recording) never arrive."""
        self._faults[event].extend(["lose"] * times)

    def hold(self, event: str, times: int = 1) -> None:
        """They wait for `release`."""
        self._faults[event].extend(["hold"] * times)

    def duplicate(self, event: str, times: int = 1) -> None:
        """They arrive twice."""
        self._faults[event].extend(["duplicate"] * times)

    def forge(self, event: str, times: int = 1) -> None:
        """They bear a signature by another token."""
        self._faults[event].extend(["forge"] * times)

    async def release(self, *, reverse: bool = False) -> None:
        """Delivers what was held, in order or last first."""
        held, self._held = self._held, []
        for callback in reversed(held) if reverse else held:
            await self._through(callback)

    async def again(self, event: str) -> None:
        """Delivers the last callback of this event once more."""
        await self._through(next(c for c in reversed(self.delivered) if c.event == event))

    async def deliver(self, callback: Callback) -> None:
        fault = self._faults[callback.event].popleft() if self._faults[callback.event] else None
        if fault == "hold":
            self._held.append(callback)
        elif fault == "forge":
            await self._forged(callback)
        elif fault != "lose":
            await self._through(callback)
            if fault == "duplicate":
                await self._through(callback)

    async def _through(self, callback: Callback) -> None:
        self.delivered.append(callback)
        await super().deliver(callback)

    async def _forged(self, callback: Callback) -> None:
        right, self.webhooks.token = self.webhooks.token, "another token"
        self._by_sid[callback.call_sid].errors_allowed = True
        try:
            await super().deliver(callback)
        finally:
            self.webhooks.token = right

    # ── REST faults ───────────────────────────────────────────────────────────────────────────────

    def rest_fault(self, fault: RestFault, times: int = 1) -> None:
        """What the next attempts to create a call run into."""
        self.rest.faults.extend([fault] * times)

    # ── inside ────────────────────────────────────────────────────────────────────────────────────

    def dial(self, orders: Orders, phone: Phone) -> Resource:
        resource = super().dial(orders, phone)
        call = self._by_phone.pop(id(phone), None)
        if call is not None:
            call.sid = resource.sid
            self._by_sid[resource.sid] = call
        return resource

    def dial_out_of(self, call: VirtualCall, orders: Orders, phone: Phone) -> DialledCall:
        """The story's other call has no time of its own: waiting on either of the two lets both go on."""
        leg = super().dial_out_of(call, orders, phone)
        told = self._by_phone.pop(id(phone), None)
        if told is not None:
            told.sid = leg.call_sid
            self._by_sid[leg.call_sid] = told
            told.joins(self._by_sid[call.call_sid])
        return leg

    def _find(self, number: str) -> Phone:
        if not self._expected[number]:
            self.unexpected.append(number)
            return Phone(PhoneKind.LINE_ERROR)
        call, phone = self._expected[number].popleft()
        self._by_phone[id(phone)] = call
        return phone

    def _tell(self, observation: Observation) -> None:
        call = self._by_sid.get(observation.call_sid)
        if call is not None:
            call.observe(observation)

    def tally(self) -> Counter[str]:
        """How many calls were placed to each number."""
        return Counter(call.resource.orders.to for call in self.calls.values())


class _RestFaults:
    """Stands in front of the carrier's REST and spoils the creation of calls."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.faults: deque[RestFault] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        creates = scope["type"] == "http" and scope["method"] == "POST" and scope["path"].endswith("/Calls.json")
        if not (creates and self.faults):
            await self._app(scope, receive, send)
            return
        fault = self.faults.popleft()
        if fault == "refuse_429":
            await _error(send, 429, 20429)
        elif fault == "break_500":
            await _error(send, 500, 20500)
        elif fault == "never_accept":
            await _until_gone(receive)
        else:
            await self._app(scope, receive, _swallow)
            await (_cut(send) if fault == "cut" else _until_gone(receive))


def _no_clip(name: str) -> bytes:
    raise KeyError(name)


async def _swallow(message: Message) -> None:
    """Nobody hears the answer."""


async def _until_gone(receive: Receive) -> None:
    with suppress(asyncio.CancelledError):
        while (await receive())["type"] != "http.disconnect":
            pass


async def _cut(send: Send) -> None:
    """Half an answer; the server closes the connection when nothing more comes."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"900"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"sid": ', "more_body": True})


async def _error(send: Send, status: int, code: int) -> None:
    body = json.dumps({"code": code, "message": "fault on demand", "status": status, "more_info": ""}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
