"""The address at which alarm buttons and smoke detectors, or a gateway that speaks for them, tell what happened.

POST /devices/ID, signed by the Standard Webhooks scheme with the device's own secret; the body is JSON,
{"kind": "alarm_button" | "smoke" | "test" | "cancel"}. 202: written down for good, also when it had come before. 503:
not written, send it again. Whatever can't be checked gets the same 401 and changes nothing. A wrong clock is no reason
to lose an alarm: it is taken in once, and staff are told of the clock.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from checkins import devices
from checkins.devices import Receipt
from checkins.ports import Clock
from checkins.standard_webhooks import ID, SIGNATURE, TIMESTAMP, RefusedError
from storage.database import Database
from storage.faults import where

log = logging.getLogger(__name__)

PATH = "/devices"
MAX_BODY = 4096  # bytes; a message is some twenty
READ_S = 5.0
SAY_EVERY = timedelta(minutes=1)  # refusals are told in the log no more often
_DEVICE_ID = re.compile(r"dev-[0-9a-f]{16}")
_TEST = "test: kept, and nobody was rung 测试：已记下，没有拨打任何电话"
_CLOCK = "clock: the device's clock is wrong 时钟不准：请校准设备的时钟"


def routes(db: Database, clock: Clock, wake: Callable[[], None] = lambda: None) -> APIRouter:
    """Answers through a proxy, too: the signature is the lock. `wake`: has what was written acted upon at once."""
    desk = _Desk(db, clock, wake)
    router = APIRouter()
    router.add_route(PATH + "/{device_id}", desk.event, methods=["POST"], include_in_schema=False)
    return router


class _Desk:
    def __init__(self, db: Database, clock: Clock, wake: Callable[[], None]) -> None:
        self._db, self._clock, self._wake = db, clock, wake
        self._refusals = _Refusals()

    async def event(self, request: Request) -> Response:
        now = self._clock.now()
        device_id = str(request.path_params["device_id"])
        try:
            return _accepted(await self._take_in(request, device_id, now))
        except RefusedError as refusal:
            self._refusals.note(device_id, str(refusal), now)
            return Response(status_code=401)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            log.error("a device's message could not be written (%s): it must be sent again", where(error))
            return Response(status_code=503, headers={"Retry-After": "1"})

    async def _take_in(self, request: Request, device_id: str, now: datetime) -> Receipt:
        if not _DEVICE_ID.fullmatch(device_id):
            raise RefusedError("there is no such device")
        body = await _body(request)
        headers = {name: request.headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE)}
        # Looked at first: who has no secret can't make us write.
        stamp = await self._db.view(lambda session: devices.check(session, device_id, headers, body, now))
        receipt = await self._db.run(lambda session: devices.receive(session, device_id, stamp, body, now))
        self._wake()
        return receipt


def _accepted(receipt: Receipt) -> Response:
    told: dict[str, object] = {"accepted": True, "again": receipt.again, "test": receipt.test}
    notes = [_TEST] * receipt.test + [_CLOCK] * receipt.clock_wrong
    return JSONResponse(told | ({"note": "; ".join(notes)} if notes else {}), 202)


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(READ_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise RefusedError("the message is too long")
    except TimeoutError:
        raise RefusedError("the message doesn't come to its end") from None
    return body


@dataclass
class _Refusals:
    """Told in the log, but never so often that they fill it."""

    said_at: datetime | None = None
    unsaid: int = 0

    def note(self, device_id: str, why: str, now: datetime) -> None:
        if self.said_at is not None and timedelta() <= now - self.said_at < SAY_EVERY:
            self.unsaid += 1
            return
        more = f", and {self.unsaid} more in the minute before" if self.unsaid else ""
        shown = device_id if _DEVICE_ID.fullmatch(device_id) else "without an id"
        log.warning("a message of device %s was refused: %s%s", shown, why, more)
        self.said_at, self.unsaid = now, 0
