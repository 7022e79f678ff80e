"""What staff must see to: once while it is open, done by a name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checkins import items
from checkins.items import Item, ItemKind
from tests.unit.checkins.world import World


def opened(world: World, kind: str = ItemKind.WORRIED, **more: object) -> Item:
    with world.db.write() as session:
        return items.open_item(session, kind, world.clock.now(), neighbourhood_id=world.place_id, **more)  # type: ignore[arg-type]


def test_the_same_again_is_no_second_item_while_it_is_open(any_world: World) -> None:
    wang = any_world.elder()
    first = opened(any_world, person_id=wang, by_id="b1", detail={"recording": "a"})
    soon = any_world.clock.now() + timedelta(hours=1)
    again = opened(any_world, person_id=wang, by_id="b1", detail={"text": "脸色不好"}, due_at=soon)
    other = opened(any_world, person_id=wang, by_id="b2")
    assert again.id == first.id != other.id
    with any_world.db.read() as session:
        assert [item.id for item in items.open_items(session)] == [first.id, other.id]
        kept = session.get_one(Item, first.id)
    assert (kept.detail, kept.due_at) == ({"recording": "a", "text": "脸色不好"}, soon)


def test_the_database_itself_refuses_a_second_one(any_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once: the slower one finds what the faster one wrote."""
    first = opened(any_world)
    answers = iter([None])
    look = items._open
    monkeypatch.setattr(items, "_open", lambda *args: next(answers, first) and look(*args))
    assert opened(any_world).id == first.id


def test_done_by_a_name_and_once(any_world: World) -> None:
    first, now = opened(any_world), any_world.clock.now()
    with any_world.db.write() as session:
        with pytest.raises(ValueError, match="say who"):
            items.done(session, first.id, "  ", now)
        assert items.done(session, first.id, " 陈老师 ", now)
        assert not items.done(session, first.id, "别人", now)
        assert not items.done(session, 999, "陈老师", now)
        assert items.open_items(session) == []
    assert opened(any_world).id != first.id


def test_what_is_due_first_comes_first(world: World) -> None:
    now = world.clock.now()
    late = opened(world, by_id="1", due_at=now + timedelta(days=1))
    never = opened(world, by_id="2")
    soon = opened(world, by_id="3", due_at=now)
    with world.db.read() as session:
        assert [item.id for item in items.open_items(session, world.place_id)] == [soon.id, late.id, never.id]
        assert items.open_items(session, world.place_id + 1) == []
