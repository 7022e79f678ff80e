"""Databases for all rooms' tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database: each test with it runs on both kinds."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/wenan.db"
        return
    with postgres.database(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture
def log_as_before() -> Iterator[None]:
    """A command sets the process's log; the tests that come after it read the libraries' at its lowest level."""
    loggers = [logging.getLogger(name) for name in ("httpx", "uvicorn", "alembic", "websockets")]
    root, before = logging.getLogger(), [logger.level for logger in loggers]
    level, handlers = root.level, list(root.handlers)
    yield
    for logger, known in zip(loggers, before, strict=True):
        logger.setLevel(known)
    root.setLevel(level)
    root.handlers[:] = handlers
