"""Work that is done again and again, for as long as the house stands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from storage.faults import where


async def repeat(
    work: Callable[[], Awaitable[object]],
    stop: asyncio.Event,
    every_s: float,
    log: logging.Logger,
    failed: str,
    woken: asyncio.Event | None = None,
) -> None:
    """Does `work` every `every_s` seconds, and at once whenever `woken` is set, until `stop` is set. An error is logged
    by `failed` (a sentence whose %s says what and where), and the next round comes."""
    while not stop.is_set():
        if woken is not None:
            woken.clear()  # before the work: who wakes us while it goes on may have come too late for it
        try:
            await work()
        except Exception as error:
            log.error(failed, where(error))
        await _either(every_s, stop, *([woken] if woken is not None else []))


async def _either(within_s: float, *events: asyncio.Event) -> None:
    """Returns when one of them is set, or so much later."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
