"""Work that is done again and again, for as long as the house stands."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

from storage.faults import where

SAY_EVERY_S = 60.0  # of an error that comes again and again


@dataclass
class Failing:
    """What went wrong in the last round of each work that can't be done now, by the name of its log."""

    now: dict[object, tuple[str, str]] = field(default_factory=dict)

    def of(self, *names: str) -> list[str]:
        """["checkins.cycle: OperationalError SQLITE_FULL at claims.py:101"] of these; each once."""
        return sorted({f"{name}: {what}" for name, what in self.now.values() if name in names})


FAILING: ContextVar[Failing | None] = ContextVar("failing", default=None)  # of the house that makes the rounds


class Complaints:
    """Says an error at once, and the same one again once a minute at most, with how often it came meanwhile."""

    def __init__(self, log: logging.Logger, failed: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._failed, self._clock = log, failed, clock
        self._said: dict[str, float] = {}
        self._unsaid: Counter[str] = Counter()

    def say(self, what: str) -> None:
        """`what` went wrong, now."""
        now = self._clock()
        if what in self._said and 0 <= now - self._said[what] < SAY_EVERY_S:
            self._unsaid[what] += 1
            return
        unsaid, self._said[what] = self._unsaid.pop(what, 0), now
        self._log.error(self._failed + "%s", what, f" ({unsaid} more times until now)" if unsaid else "")


async def repeat(
    work: Callable[[], Awaitable[object]],
    stop: asyncio.Event,
    every_s: float,
    log: logging.Logger,
    failed: str,
    woken: asyncio.Event | None = None,
) -> None:
    """Does `work` every `every_s` seconds, and at once whenever `woken` is set, until `stop` is set. An error is logged
    by `failed` (a sentence whose %s says what and where), the same one again once a minute, and the next round comes.
    The house's `Failing` knows of it until a round goes well."""
    complaints, failing, me = Complaints(log, failed), FAILING.get() or Failing(), object()
    while not stop.is_set():
        if woken is not None:
            woken.clear()  # before the work: who wakes us while it goes on may have come too late for it
        try:
            await work()
        except Exception as error:
            failing.now[me] = log.name, where(error)
            complaints.say(where(error))
        else:
            failing.now.pop(me, None)
        await _either(every_s, stop, *([woken] if woken is not None else []))
    failing.now.pop(me, None)


async def _either(within_s: float, *events: asyncio.Event) -> None:
    """Returns when one of them is set, or so much later."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
