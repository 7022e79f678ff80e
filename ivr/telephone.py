"""The telephone that the care room uses, over a Twilio-compatible carrier."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TypeVar

from ivr.calls import Calls
from ivr.endings import FINAL
from ivr.ports import CallOrder, Disposition, Placing, Trace
from ivr.records import Call, CallState
from ivr.twilio.config import TwilioConfig
from ivr.twilio.rest import CarrierCall, Created, TwilioRest, UnreachableError
from storage.faults import where
from storage.rounds import repeat

log = logging.getLogger(__name__)

T = TypeVar("T")

THREADS = 16  # requests under way at once; one may hang for its whole time-out
URGENT_THREADS = 8  # further ones for orders of emergencies and alarms, which wait behind no others
CLOCKS_DIFFER = timedelta(seconds=30)  # the carrier's clock and ours
LINGERS = timedelta(seconds=60)  # after its conversation a call is over in this time, or the carrier is asked
RETELL_AFTER = timedelta(seconds=5)  # what is being told right now is not told again
_REFUSALS = {Placing.BAD_NUMBER: Disposition.BAD_NUMBER, Placing.REFUSED: Disposition.LINE_ERROR}


class TwilioTelephone:
    """Satisfies ivr.ports.Telephone. `recover()` once after a start, then `run()` (or `sweep()` now and then).
    `chores` are done with each sweep; `trunks`: further accounts, by the name that an order may give."""

    def __init__(
        self,
        calls: Calls,
        config: TwilioConfig,
        rest: TwilioRest | None = None,
        *,
        chores: Sequence[Callable[[], Awaitable[object]]] = (),
        trunks: Mapping[str, TwilioRest] | None = None,
    ) -> None:
        self._calls = calls
        self._chores = chores
        self._rests = {"": rest or TwilioRest(config), **(trunks or {})}
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="carrier")
        self._urgent = ThreadPoolExecutor(URGENT_THREADS, thread_name_prefix="carrier-urgent")
        self._asking: set[asyncio.Task[Placing]] = set()

    # ── ivr.ports.Telephone ───────────────────────────────────────────────────────────────────────

    async def place(self, order: CallOrder) -> Placing:
        """Writes the call down, then asks the carrier once. The same order again dials nothing."""
        if not await self._calls.order(order):
            return await self._placed_before(order.id)
        # The carrier is being asked: its answer is noted even when whoever ordered stops waiting.
        task = asyncio.create_task(self._ask(order))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return await asyncio.shield(task)

    async def trace(self, order_id: str, number: str, since: datetime) -> Trace:
        """What became of an order. When the carrier says that it is over, the final report is written."""
        if await self._calls.reported(order_id):
            await self._calls.retell(RETELL_AFTER)
            return Trace.OVER
        return await self._trace(order_id, number, since)

    def active_calls(self) -> int:
        """Calls that occupy a line, as far as this process knows."""
        return len(self._calls.live)

    # ── time and crashes ──────────────────────────────────────────────────────────────────────────

    async def recover(self) -> None:
        """After a start: tells what was stored and not told, and asks the carrier after calls that a crash cut."""
        await self.ask_after(await self.take_up())

    async def take_up(self) -> Sequence[str]:
        """The first half: what needs no carrier. The calls that a crash cut."""
        cut = await self._calls.open()
        await self._calls.retell()
        return cut

    async def ask_after(self, cut: Sequence[str]) -> None:
        """The second half, which takes as long as the carrier does; nothing need wait for it."""
        try:
            await asyncio.gather(*(self._ask_after(call_id) for call_id in cut))
            await self._calls.finish_overdue()
        except Exception as error:  # each is asked after again when it has been quiet for a minute
            log.error("the carrier could not be asked after the calls of before (%s)", where(error))

    async def sweep(self) -> None:
        """What must not depend on a callback: reports not taken in, calls that never were called over."""
        await self._calls.retell(RETELL_AFTER)
        await self._calls.finish_overdue()
        quiet = await self._calls.still_up(self._calls.now() - LINGERS)
        await asyncio.gather(*(self._ask_after(call_id) for call_id in quiet))
        for chore in self._chores:
            await chore()

    async def run(self, stop: asyncio.Event, every_s: float = 5.0) -> None:
        """Sweeps until `stop` is set; an error is logged and the next round comes."""
        await repeat(self.sweep, stop, every_s, log, "a sweep of the calls failed (%s); the next one follows")

    async def close(self) -> None:
        """Waits for answers under way, within their time-out."""
        if self._asking:
            await asyncio.wait(self._asking)
        for pool in (self._pool, self._urgent):
            pool.shutdown(wait=True, cancel_futures=True)

    # ── inside ────────────────────────────────────────────────────────────────────────────────────

    async def _trace(self, order_id: str, number: str, since: datetime) -> Trace:
        call = await self._calls.get(order_id)
        if call is None:
            return Trace.NOT_FOUND  # the row is written first: the carrier was never asked
        if call.state == CallState.OVER:
            await self._calls.carrier_says(order_id, "failed" if call.carrier_sid is None else "completed")
            return Trace.OVER
        try:
            found = await self._look(call, number, since)
        except UnreachableError as error:
            log.warning("the carrier can't be asked after call %s: %s", order_id, error)
            return Trace.ALIVE if call.state == CallState.TALKING else Trace.UNREACHABLE  # a webhook of it has come
        return await self._reconcile(order_id, found)

    async def _ask(self, order: CallOrder) -> Placing:
        pool = self._urgent if order.urgent else self._pool
        created = await self._in_thread(lambda: self._rests[order.trunk].create(order), pool)
        await self._note(order.id, created)
        return created.placing

    async def _note(self, call_id: str, created: Created) -> None:
        if created.placing is Placing.PLACED:
            await self._calls.placed(call_id, created.sid)
            return
        log.warning("call %s: the carrier answered %s (%s)", call_id, created.placing, created.reason)
        if created.placing in _REFUSALS:
            await self._calls.refused(call_id, _REFUSALS[created.placing], created.reason)

    async def _placed_before(self, call_id: str) -> Placing:
        call = await self._calls.get(call_id)
        if call is None or call.state == CallState.ORDERED:
            return Placing.UNKNOWN
        if call.carrier_sid is None:
            return Placing.BAD_NUMBER if call.disposition == Disposition.BAD_NUMBER else Placing.REFUSED
        return Placing.PLACED

    async def _look(self, call: Call, number: str, since: datetime) -> CarrierCall | None:
        sid, rest = call.carrier_sid, self._rests.get(call.order.get("trunk", ""))
        if rest is None:
            raise UnreachableError("a trunk that is no longer set up")
        if sid is not None:
            return await self._in_thread(lambda: rest.fetch(sid))
        found = await self._in_thread(lambda: rest.find(number, min(since, call.ordered_at) - CLOCKS_DIFFER))
        taken = await self._calls.claimed([each.sid for each in found])
        free = [each for each in found if each.sid not in taken]
        return min(free, key=lambda each: _distance(each, call.ordered_at), default=None)

    async def _reconcile(self, call_id: str, found: CarrierCall | None) -> Trace:
        if found is None:
            await self._calls.lost(call_id)
            return Trace.NOT_FOUND
        await self._calls.placed(call_id, found.sid)
        if found.status not in FINAL:
            return Trace.ALIVE
        await self._calls.carrier_says(call_id, found.status)
        return Trace.OVER

    async def _ask_after(self, call_id: str) -> None:
        call = await self._calls.get(call_id)
        if call is not None:
            await self._trace(call_id, call.number, call.ordered_at)

    async def _in_thread(self, work: Callable[[], T], pool: ThreadPoolExecutor | None = None) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool or self._pool, work)


def _distance(call: CarrierCall, moment: datetime) -> timedelta:
    return timedelta.max if call.begun is None else abs(call.begun - moment)
