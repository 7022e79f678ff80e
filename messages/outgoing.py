"""What happened, to other programs: a POST each, signed by the Standard Webhooks scheme; at least once under one id."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

import httpx
from sqlalchemy.exc import SQLAlchemyError

from checkins import outgoing_queue, standard_webhooks
from checkins.outgoing_queue import Order
from checkins.ports import Clock
from messages.reach import Own, RefusedError, addresses
from messages.tls import trusted
from storage.database import Database
from storage.faults import where
from storage.rounds import repeat

log = logging.getLogger(__name__)

EVERY_S = 1.0
TIMEOUT_S = 10.0  # of everything: who answers drop by drop has no longer
SWEEP_EVERY = timedelta(hours=1)
GONE = 410
FAILED = "messages to other programs could not be looked through (%s); the next round follows"


class OutgoingRounds:
    """Each address has its messages one after the other, beside all others: one that hangs keeps nobody waiting."""

    def __init__(self, db: Database, clock: Clock, own: Own, timeout_s: float = TIMEOUT_S) -> None:
        self._db, self._clock, self._own, self._timeout_s = db, clock, own, timeout_s
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._swept_at: datetime | None = None

    async def run(self, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
        """Until `stop` is set. Who is being told then is told again by whoever comes next: the lease runs out."""
        try:
            await repeat(self.look, stop, every_s, log, FAILED)
        finally:
            for task in self._busy.values():
                task.cancel()
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def look(self) -> None:
        now = self._clock.now()
        self._busy = {endpoint: task for endpoint, task in self._busy.items() if not task.done()}
        if await self._db.view(lambda session: outgoing_queue.anything(session, now)):
            busy = tuple(self._busy)
            orders = await self._db.run(lambda session: outgoing_queue.claim(session, now, busy))
            for endpoint, batch in groupby(sorted(orders, key=_endpoint), _endpoint):
                self._busy[endpoint] = asyncio.create_task(self._deliver(list(batch)))
        if self._swept_at is None or now - self._swept_at >= SWEEP_EVERY:
            await self._db.run(lambda session: outgoing_queue.sweep(session, now))
            self._swept_at = now

    async def settled(self) -> None:
        """When all that is being sent has come to an end."""
        await asyncio.gather(*self._busy.values())

    async def _deliver(self, batch: Sequence[Order]) -> None:
        """Until one is not taken: the others are for the next round."""
        try:
            for nth, order in enumerate(batch):
                why, gone = await self._post(order)
                now = self._clock.now()
                if why:
                    await self._failed(order, batch[nth + 1 :], now, why, gone)
                    return
                await self._db.run(lambda session, order=order, now=now: outgoing_queue.sent(session, order, now))  # type: ignore[misc]
        except SQLAlchemyError as error:  # the lease runs out, and it is sent again
            log.error("what became of a message to another program can't be written down (%s)", where(error))

    async def _failed(self, order: Order, rest: Sequence[Order], now: datetime, why: str, gone: bool) -> None:
        log.warning("address %d of another program did not take a message: %s", order.endpoint_id, why)
        await self._db.run(lambda session: outgoing_queue.failed(session, order, now, why, gone=gone))
        await self._db.run(lambda session: outgoing_queue.release(session, rest))

    async def _post(self, order: Order) -> tuple[str, bool]:
        """Why it was not taken, "": it was; and whether whoever is there wants nothing more."""
        signed = standard_webhooks.signed(order.secret, order.message_id, self._clock.now(), order.body)
        headers = {"content-type": "application/json", "user-agent": "wenan", **signed}
        try:
            async with asyncio.timeout(self._timeout_s):
                status = await _status(order.url, headers, order.body, self._own, self._timeout_s)
        except RefusedError as error:
            return f"refused: {error}", False
        except (TimeoutError, httpx.TimeoutException):
            return f"no answer within {self._timeout_s:g} s", False
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return type(error).__name__, False
        return ("" if 200 <= status < 300 else f"status {status}"), status == GONE


async def _status(url: str, headers: Mapping[str, str], body: bytes, own: Own, within_s: float) -> int:
    """To the very address that was looked at, under the name that it was asked by. No redirect is followed, no proxy
    asked, nothing of the answer's body read."""
    to, known = httpx.URL(url), await addresses(url, own)
    async with httpx.AsyncClient(verify=trusted(), follow_redirects=False, trust_env=False, timeout=within_s) as client:
        for nth, address in enumerate(known, 1):
            request = client.build_request(
                "POST",
                to.copy_with(host=address),
                content=body,
                headers={**headers, "host": to.netloc.decode()},
                extensions={"sni_hostname": to.raw_host.decode()},
            )
            try:
                answer = await client.send(request, stream=True)
            except httpx.ConnectError:
                if nth == len(known):
                    raise
                continue
            await answer.aclose()
            return answer.status_code
    raise OSError("no address")


def _endpoint(order: Order) -> int:
    return order.endpoint_id
