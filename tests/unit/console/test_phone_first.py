"""Whose telephone the browser phone offers first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from checkins.tables import Role
from console import phone_first
from tests.unit.checkins.world import World

SHARED, OWN, REAL = "+862110001001", "+862110001002", "+862162345678"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(f"sqlite:///{tmp_path}/w.db") as world:
        yield world


def _first(world: World, wanted: str = "") -> str:
    with world.db.read() as session:
        return phone_first.found(session, wanted)[1]


def test_an_elder_who_has_a_number_alone_comes_before_a_couple_with_one(world: World) -> None:
    assert _first(world) == ""
    husband = world.elder("陈国强", number=SHARED)
    world.elder("陈美芳", number=SHARED)
    world.elder("李梅", role=Role.BUDDY, number="+862110009001")
    assert _first(world) == husband
    real = world.elder("赵阿英", number=REAL)
    assert _first(world) == real
    alone = world.elder("周阿婆", number=OWN)
    assert _first(world) == alone


def test_whom_somebody_shares_with_counts_though_the_search_hides_them(world: World) -> None:
    world.elder("陈国强", number=SHARED)
    world.elder("陈美芳", number=SHARED)
    other = world.elder("陈志明", number=OWN)
    assert _first(world, "国强") != other
    assert _first(world, "陈") == other
