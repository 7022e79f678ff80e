"""Databases and worlds for the care room's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.fakes import postgres
from tests.unit.checkins.world import World, empty_database


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(f"sqlite:///{tmp_path}/wenan.db") as world:
        yield world


@pytest.fixture(scope="session")
def postgres_tables(postgres_server: str) -> Iterator[str]:
    """The name of a database with all tables: a copy of it is had sooner than they are made."""
    with postgres.database(postgres_server) as url:
        empty_database(url).close()
        yield str(make_url(url).database)


@pytest.fixture(params=["sqlite", "postgresql"])
def any_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "sqlite":
        with World(f"sqlite:///{tmp_path}/wenan.db") as world:
            yield world
        return
    server, like = request.getfixturevalue("postgres_server"), request.getfixturevalue("postgres_tables")
    with postgres.database(server, like) as url, World(url) as world:
        yield world
