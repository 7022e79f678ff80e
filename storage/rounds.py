"""Work that is done again and again, for as long as the house stands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from storage.faults import where


async def repeat(
    work: Callable[[], Awaitable[object]], stop: asyncio.Event, every_s: float, log: logging.Logger, failed: str
) -> None:
    """Does `work` every `every_s` seconds until `stop` is set. An error is logged by `failed` (a sentence whose %s says
    what and where), and the next round comes."""
    while not stop.is_set():
        try:
            await work()
        except Exception as error:
            log.error(failed, where(error))
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)
