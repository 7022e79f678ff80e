"""Databases for all rooms' tests."""

from __future__ import annotations

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
