"""One virtual call from dialling to its last callback."""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Protocol

from .interpreter import Goto, Interpreter, Leg
from .line import Line
from .observation import Kind, Observation, Observe
from .pace import Pace
from .phone import RING_CYCLE_S, Dialler, Move, Phone, PhoneKind
from .resource import FINAL, Orders, Resource
from .webhooks import Params, Webhooks

log = logging.getLogger(__name__)

_EVENT_OF = {"queued": "initiated", "ringing": "ringing", "in-progress": "answered"}
TAKEN_BACK_S = 0.1  # so soon a call that is taken back stops ringing
_AMD_AFTER_MS = 2400  # a decision comes about so long after answer


@dataclass(frozen=True)
class Callback:
    """One callback on its way to the application. `event`: initiated, ringing, answered, completed, amd, recording."""

    call_sid: str
    event: str
    url: str
    params: Params


class Post(Protocol):
    """How callbacks travel. `inline` True: delivered before this returns."""

    async def __call__(self, callback: Callback, *, inline: bool) -> None: ...


class VirtualCall:
    """Dials, rings, runs the application's documents, ends. `run` never raises."""

    def __init__(
        self,
        resource: Resource,
        phone: Phone,
        pace: Pace,
        webhooks: Webhooks,
        clerk: Clerk,
        *,
        observe: Observe,
        post: Post,
        stream_answer_s: float,
    ) -> None:
        self.resource = resource
        self.account_sid = resource.account_sid
        self.call_sid = resource.sid
        self._phone = phone
        self._pace = pace
        self._clerk = clerk
        self._observe = observe
        self._post = post
        self._sequence = 0
        self._amd_told = False
        self.line = Line(phone, pace, self._see)
        self.interpreter = Interpreter(self, self.line, webhooks, stream_answer_s=stream_answer_s)

    @property
    def over(self) -> bool:
        return self.resource.status in FINAL

    async def run(self) -> None:
        try:
            await self._run()
        except Exception as error:
            log.exception("virtual call %s broke", self.call_sid)
            self._see("error", f"broke: {type(error).__name__}", self.line.at_ms)
            await self._finish("failed", "500")

    def end(self) -> None:
        """Ended by REST: ringing is cancelled, a talk is cut."""
        self.line.drop()

    # ── what the interpreter asks of its office ───────────────────────────────────────────────────

    def form(self) -> Params:
        resource = self.resource
        amd = (
            [("AnsweredBy", resource.answered_by)]
            if resource.answered_by and not self.resource.orders.amd_callback
            else []
        )
        return [*self._identity(), ("CallStatus", resource.status), *amd]

    async def record(self, audio: bytes) -> Params:
        sid = self._clerk.keep_recording(self.call_sid, audio)
        self.resource.recordings.append(sid)
        seconds = str(math.ceil(len(audio) / 8000))
        return [("RecordingSid", sid), ("RecordingUrl", self._clerk.recording_url(sid)), ("RecordingDuration", seconds)]

    async def recording_ready(self, url: str, params: Params) -> None:
        form = [*self._identity(), *params, ("RecordingStatus", "completed")]
        await self._send("recording", url, form)

    def gone(self) -> None:
        self.resource.status = "completed"

    def dial(self, orders: Orders) -> Leg:
        return self._clerk.dial_out_of(self, orders, self._clerk.directory(orders.to))

    # ── the call's life ───────────────────────────────────────────────────────────────────────────

    async def _run(self) -> None:
        self.resource.started = self._clerk.now()
        self._see("dialled")
        if self.resource.inbound:
            await self._talk()
            return
        await self._status("queued")
        if self._phone.dialler is not None:
            await self._in_the_network(self._phone.dialler)
            return
        kind = self._phone.kind
        if kind in (PhoneKind.LINE_ERROR, PhoneKind.UNASSIGNED, PhoneKind.BAD_NUMBER):
            await self._pace.sleep(1)
            await self._finish("failed", "503" if kind is PhoneKind.LINE_ERROR else "404")
        elif kind is PhoneKind.BUSY:
            await self._pace.sleep(1)
            await self._finish("busy", "486")
        elif await self._ring():
            await self._talk()

    async def _in_the_network(self, dialler: Dialler) -> None:
        """Somebody else rings it, and says what becomes of that."""
        dialling = asyncio.ensure_future(dialler.ring(self.resource.orders, lambda: self._status("ringing")))
        while not (await asyncio.wait({dialling}, timeout=TAKEN_BACK_S))[0]:
            if self.line.dropped:
                dialler.hang_up()
        status, sip_code = dialling.result()
        if status == "in-progress":
            await self._talk()
        else:
            await self._finish(status, sip_code)

    async def _ring(self) -> bool:
        """Rings until it is picked up (True) or given up."""
        await self._status("ringing")
        answers = self._phone.kind in (PhoneKind.ANSWERS, PhoneKind.MACHINE)
        by_hand = self._phone.picked_up
        wait = self._phone.rings * RING_CYCLE_S if answers and by_hand is None else math.inf
        limit = self.resource.orders.ring_s
        left, step = min(wait, limit), 0.5 if by_hand is None else 0.1
        while left > 0 and not self.line.dropped and not (by_hand and by_hand()):
            await self._pace.sleep(min(step, left))
            left -= step
        if self.line.dropped:
            await self._finish("canceled", "487")
        elif wait > limit and left <= 0:
            await self._finish("no-answer", "480")
        return not self.over

    async def _talk(self) -> None:
        self.resource.answered = self._clerk.now()
        await self._status("in-progress")
        self._see("answered")
        if self.resource.orders.detect_machine:
            self.line.watch = self._detect
        await self._run_documents()
        await self._finish("completed", "200")

    async def _run_documents(self) -> None:
        orders = self.resource.orders
        await self.interpreter.run(Goto(orders.url, orders.method), orders.fallback_url)

    async def _finish(self, status: str, sip_code: str) -> None:
        resource = self.resource
        resource.sip_code = sip_code
        resource.ended = self._clerk.now()
        resource.duration_s = math.ceil(self.line.at_ms / 1000)
        if self._phone.over:
            self._phone.over()
        await self._status(status)
        self._see("ended", status, self.line.at_ms)

    async def _detect(self, move: Move, at_ms: int) -> None:
        if self._amd_told:
            return
        verdict = self._phone.answered_by
        waits_for_beep = self.resource.orders.detect_machine == "DetectMessageEnd" and verdict == "machine_start"
        if waits_for_beep and not self._phone.amd:
            if not move.beeped:
                return
            verdict = "machine_end_beep"
        elif at_ms < _AMD_AFTER_MS:
            return
        self._amd_told = True
        self.resource.answered_by = verdict
        self._see("machine", verdict, at_ms)
        if self.resource.orders.amd_callback:
            form = [*self._identity(), ("AnsweredBy", verdict), ("MachineDetectionDuration", str(at_ms))]
            await self._send("amd", self.resource.orders.amd_callback, form)

    # ── news ──────────────────────────────────────────────────────────────────────────────────────

    def _identity(self) -> list[tuple[str, str]]:
        orders = self.resource.orders
        return [
            ("AccountSid", self.account_sid),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", self.call_sid),
            ("Direction", self.resource.direction),
            ("From", orders.from_),
            ("Caller", orders.from_),
            ("To", orders.to),
            ("Called", orders.to),
            *([("ParentCallSid", self.resource.parent_sid)] if self.resource.parent_sid else []),
        ]

    async def _status(self, status: str) -> None:
        self.resource.status = status
        if status == "ringing":
            self._see("ringing")
        event = _EVENT_OF.get(status, "completed")
        orders = self.resource.orders
        if orders.status_callback and event in orders.events:
            await self._send(event, orders.status_callback, self._status_form(status))

    def _status_form(self, status: str) -> Params:
        form = [
            *self._identity(),
            ("CallStatus", "initiated" if status == "queued" else status),
            ("CallbackSource", "call-progress-events"),
            ("SequenceNumber", str(self._sequence)),
            ("Timestamp", format_datetime(self._clerk.now())),
        ]
        self._sequence += 1
        if status in FINAL:
            seconds = self.resource.duration_s or 0
            minutes = math.ceil(seconds / 60)
            form += [
                ("CallDuration", str(seconds)),
                ("Duration", str(minutes)),
                ("SipResponseCode", self.resource.sip_code),
            ]
        return form

    async def _send(self, event: str, url: str, params: Params) -> None:
        callback = Callback(self.call_sid, event, url, tuple(params))
        await self._post(callback, inline=self._pace.lockstep)

    def _see(self, kind: Kind, detail: str = "", at_ms: int = 0) -> None:
        self._observe(Observation(self.call_sid, self.resource.orders.to, kind, detail, at_ms))


class Clerk(Protocol):
    """What a call needs of its carrier."""

    def now(self) -> datetime: ...

    def directory(self, number: str) -> Phone: ...

    def dial_out_of(self, call: VirtualCall, orders: Orders, phone: Phone) -> Leg: ...

    def keep_recording(self, call_sid: str, audio: bytes) -> str: ...

    def recording_url(self, sid: str) -> str: ...
