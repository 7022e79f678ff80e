"""Databases and worlds: those of the care room."""

from __future__ import annotations

import pytest

from tests.unit.checkins.conftest import any_world, postgres_tables, world
from tests.unit.checkins.world import World
from tests.unit.community.hall import Hall

__all__ = ["any_world", "postgres_tables", "world"]


@pytest.fixture
def hall(world: World) -> Hall:
    return Hall(world)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash that costs nothing."""
    monkeypatch.setattr("checkins.pins._COST", (2, 1, 1))
    monkeypatch.setattr("community.ballot_counter._NO_PIN", "scrypt:2:1:1:00:00")
