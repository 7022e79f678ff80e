"""Tokens of other programs, and how many requests one may make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import tokens
from console.api.manual import kind
from console.api.pace import Pace
from console.scopes import Scope
from tests.fakes.accounts import session_cookie
from tests.unit.checkins.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(f"sqlite:///{tmp_path}/wenan.db") as world:
        yield world


def test_a_token_is_kept_only_as_a_hash_and_found_by_itself_alone(world: World) -> None:
    now = world.clock.now()
    with world.db.write() as session:
        number, token = tokens.make(session, " 街道平台 ", ["cases:read", "cases:read"], 30, "主任", now)
        caller = tokens.find(session, token, now)
        assert caller is not None
        assert (caller.token_id, caller.name, caller.scopes) == (number, "街道平台", {"cases:read"})
        assert caller.acting("张三") == "张三（街道平台）"
        assert caller.acting(None) == "街道平台"
        row = tokens.by_name(session, "街道平台")
        assert token.removeprefix("wenan_") not in repr(vars(row))
        assert tokens.find(session, token + "x", now) is None
        assert tokens.find(session, row.hashed, now) is None
        assert tokens.find(session, token, row.expires_at) is None


def test_what_is_no_token_is_not_made(world: World) -> None:
    now = world.clock.now()
    session_cookie(world.db, "周老师")
    with world.db.write() as session:
        tokens.make(session, "街道平台", [Scope.CASES_READ], 1, "主任", now)
        for name, scopes, days, by in (
            ("街道平台", ["cases:read"], 1, "主任"),
            ("周老师", ["cases:read"], 1, "主任"),
            ("…", ["cases:read"], 1, "主任"),
            ("=1", ["cases:read"], 1, "主任"),
            ("长" * 61, ["cases:read"], 1, "主任"),
            ("别的", [], 1, "主任"),
            ("别的", ["cases:all"], 1, "主任"),
            ("别的", ["cases:read"], 0, "主任"),
            ("别的", ["cases:read"], 731, "主任"),
            ("别的", ["cases:read"], 1, ""),
        ):
            with pytest.raises(ValueError, match=r"\w"):
                tokens.make(session, name, scopes, days, by, now)
        with pytest.raises(LookupError):
            tokens.revoke(session, 99, "主任", now)


@given(st.lists(st.floats(0, 5), max_size=200))
def test_no_token_makes_more_requests_than_its_pace_allows(gaps: list[float]) -> None:
    pace, now, made = Pace(5, 2), 0.0, 0
    for gap in gaps:
        now += gap
        wait = pace.wait(1, now)
        made += wait == 0
        assert made <= 5 + 2 * now + 1e-6
        assert pace.wait(2, now) >= 0
        if wait:
            assert Pace(5, 2).wait(1, now) == 0  # another's memory is its own


def test_schemas_in_a_few_words() -> None:
    assert kind({"anyOf": [{"$ref": "#/components/schemas/Case"}, {"type": "null"}]}) == "Case or null"
    assert kind({"type": "array", "items": {"type": "string", "format": "date"}}) == "date[]"
    assert kind({"enum": ["zh", "wuu"], "type": "string"}) == "zh | wuu"
    assert kind({}) == "anything"
