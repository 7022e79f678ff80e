"""Databases and worlds for the care room's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.checkins.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(f"sqlite:///{tmp_path}/wenan.db") as world:
        yield world


@pytest.fixture
def any_world(any_url: str) -> Iterator[World]:
    with World(any_url) as world:
        yield world
