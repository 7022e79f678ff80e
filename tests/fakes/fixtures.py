"""Fixtures for stories: import them in a conftest.py (`from tests.fakes.fixtures import *`)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.fakes.carrier import FakeCarrier
from tests.fakes.clock import WarpClock

__all__ = ["carrier", "errors_logged", "warp_clock"]


@pytest.fixture
def warp_clock() -> WarpClock:
    return WarpClock()


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if "returned without completing response" in record.getMessage():
            return  # the carrier's "cut" fault
        self.messages.append(f"{record.name}: {self.format(record)}")


@pytest.fixture
def errors_logged() -> Iterator[list[str]]:
    """Messages of level error and above. Those left in the list at the end fail the test: `clear()` expected ones."""
    collector = _Collector()
    logging.getLogger().addHandler(collector)
    yield collector.messages
    logging.getLogger().removeHandler(collector)
    assert not collector.messages, f"errors in the log: {collector.messages}"


@pytest_asyncio.fixture
async def carrier(warp_clock: WarpClock, errors_logged: list[str]) -> AsyncIterator[FakeCarrier]:
    """A started carrier in virtual time; at the end no call is unexpected, missing or in error."""
    async with FakeCarrier(warp_clock) as fake:
        yield fake
    fake.verify()
