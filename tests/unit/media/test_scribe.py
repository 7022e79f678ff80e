"""The scribe: in order, beside the call, and nothing is dropped while the database is away for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from ivr import scribe as module
from ivr.calls import LogEntry
from ivr.scribe import Scribe


class Book:
    def __init__(self, fails: int = 0) -> None:
        self.fails = fails
        self.entries: list[LogEntry] = []
        self.sessions: list[dict[str, Any]] = []

    async def log(self, call_id: str, entries: Sequence[LogEntry]) -> None:
        self._may_fail()
        self.entries += entries

    async def save_session(self, call_id: str, session: dict[str, Any]) -> None:
        self._may_fail()
        self.sessions.append(session)

    def _may_fail(self) -> None:
        if self.fails:
            self.fails -= 1
            raise OSError("database is locked")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER_S", 0.01)


async def test_lines_of_one_moment_are_written_together_and_in_order() -> None:
    book = Book()
    scribe = Scribe(book, "i1", lambda: 40)
    scribe.note("key", digit="1")
    scribe.note("prompt", name="a")
    scribe.remember({"n": 1})
    scribe.remember({"n": 2})
    await scribe.flush()
    assert [(entry.kind, entry.at_ms) for entry in book.entries] == [("key", 40), ("prompt", 40)]
    assert book.sessions == [{"n": 2}]


async def test_a_database_that_is_away_loses_nothing() -> None:
    book = Book(fails=3)
    scribe = Scribe(book, "i1", lambda: 0)
    scribe.note("key", digit="1")
    scribe.remember({"n": 1})
    await asyncio.sleep(0.05)
    scribe.note("key", digit="2")
    await scribe.flush()
    assert [entry.detail["digit"] for entry in book.entries] == ["1", "2"]
    assert book.sessions == [{"n": 1}]


async def test_what_can_not_be_written_in_time_is_said_so(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_WITHIN_S", 0.05)
    scribe = Scribe(Book(fails=10_000), "i1", lambda: 0)
    scribe.note("key", digit="1")
    await scribe.flush()
    assert "1 lines of its log could not be written" in caplog.text
