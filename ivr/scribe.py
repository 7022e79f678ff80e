"""Writes one call's log and session state to the database, in order, beside the audio and never in its way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from tenacity import AsyncRetrying, retry_if_result, wait_exponential

from ivr.calls import LogEntry

log = logging.getLogger(__name__)

GATHER_S = 0.2  # entries of one moment are written together
FLUSH_WITHIN_S = 10.0


class Book(Protocol):
    """What the scribe needs of the book of calls."""

    async def log(self, call_id: str, entries: Sequence[LogEntry]) -> None: ...

    async def save_session(self, call_id: str, session: dict[str, Any]) -> None: ...


class Scribe:
    """`note` and `remember` return at once. `flush` before the call is told to be over."""

    def __init__(self, book: Book, call_id: str, at_ms: Callable[[], int]) -> None:
        self._book = book
        self._call_id = call_id
        self._at_ms = at_ms
        self._entries: list[LogEntry] = []
        self._session: dict[str, Any] | None = None
        self._task: asyncio.Task[None] | None = None

    def note(self, kind: str, **detail: object) -> None:
        """One line of the call's log, at the audio time of now."""
        self._entries.append(LogEntry(kind, self._at_ms(), detail))
        self._wake()

    def remember(self, session: Mapping[str, Any]) -> None:
        """The session's newest state; a crash goes on from here."""
        self._session = dict(session)
        self._wake()

    async def flush(self) -> None:
        """Everything noted so far is durable, or 10 s have passed (an error in the log: what is left is lost)."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=FLUSH_WITHIN_S)
            self._task.cancel()
        if not await self._write():
            log.error("call %s: %d lines of its log could not be written", self._call_id, len(self._entries))

    def _wake(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._soon())

    async def _soon(self) -> None:
        """Goes on until all is written: a database that is away for a while costs nothing but the wait."""
        await asyncio.sleep(GATHER_S)
        again = AsyncRetrying(wait=wait_exponential(0.5, max=5), retry=retry_if_result(lambda written: not written))
        while self._entries or self._session:
            await again(self._write)

    async def _write(self) -> bool:
        """Whether everything is durable. What could not be written stays, in order."""
        entries, self._entries = self._entries, []
        session, self._session = self._session, None
        try:
            if session is not None:
                await self._book.save_session(self._call_id, session)
            if entries:
                await self._book.log(self._call_id, entries)
        except BaseException as error:
            self._entries = [*entries, *self._entries]
            self._session = self._session or session
            if not isinstance(error, Exception):
                raise
            log.warning("call %s: its log can't be written now (%s)", self._call_id, type(error).__name__)
            return False
        return True
