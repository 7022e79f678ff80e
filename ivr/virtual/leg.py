"""A call that an application dials out of another one (<Dial>): rings, hears its own documents, is put through."""

from __future__ import annotations

import asyncio
from typing import Any

from .call import VirtualCall
from .interpreter import Goto
from .pace import JoinedPace
from .webhooks import Params


class DialledCall(VirtualCall):
    """Satisfies interpreter.Leg. The call that it came from steps its line while both talk."""

    def __init__(self, *args: Any, **tools: Any) -> None:
        super().__init__(*args, **tools)
        self.ready = asyncio.Event()
        self._released = asyncio.Event()
        self._finished = asyncio.Event()

    async def run(self) -> None:
        try:
            await super().run()
        finally:
            self._finished.set()
            self._tell()

    def dialled(self) -> Params:
        seconds = str(self.resource.duration_s or 0)
        return [
            ("DialCallStatus", self.resource.status),
            ("DialCallSid", self.call_sid),
            ("DialCallDuration", seconds),
        ]

    async def settled(self) -> None:
        """When it has finished, its last callback has been delivered."""
        if isinstance(self._pace, JoinedPace):
            await self._pace.waits.wait()

    def let(self) -> None:
        if isinstance(self._pace, JoinedPace):
            self._pace.let()

    async def release(self) -> None:
        self._released.set()
        if not self.ready.is_set():
            self.end()
        while not self._finished.is_set() and isinstance(self._pace, JoinedPace) and not self.ready.is_set():
            await self.settled()
            self.let()
        await self._finished.wait()

    async def _run_documents(self) -> None:
        orders = self.resource.orders
        if not orders.url or await self.interpreter.run(Goto(orders.url, orders.method)):
            self.ready.set()
            self._tell()
            await self._released.wait()

    def _tell(self) -> None:
        """Whoever waits for it to settle need not wait for time to pass."""
        if isinstance(self._pace, JoinedPace):
            self._pace.waits.set()
