"""PINs: what is refused, how they are kept, when they lock."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from checkins import items, pins
from checkins.items import ItemKind
from checkins.pins import Known, Pin, PinError, PinVerdict
from checkins.tables import Role
from tests.unit.checkins.world import World

PIN = "864297"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "_COST", (16, 8, 1))


@pytest.mark.parametrize(
    "pin", ["", "123", "1234567", "12a4", "１２３９", "0000", "111111", "1234", "9876", "890", "1212"]
)
def test_what_anybody_would_try_is_refused(pin: str) -> None:
    with pytest.raises(PinError) as refusal:
        pins.check_choice(pin)
    assert not pin or pin not in str(refusal.value).replace("not 1234 or 1212", "")


@pytest.mark.parametrize("pin", ["123123", "543210", "0123", "51-551", "10001"])
def test_repeats_runs_and_the_end_of_the_own_number_are_refused(pin: str) -> None:
    with pytest.raises(PinError):
        pins.check_choice(pin, "+862155510001")


@pytest.mark.parametrize("pin", [PIN, "1357", "0070", "13579"])
def test_other_digits_are_taken(pin: str) -> None:
    pins.check_choice(pin, "+862155510001")


def test_one_that_is_made_would_be_taken_and_is_never_the_same() -> None:
    made = {pins.make() for _ in range(20)}
    assert len(made) > 15
    for pin in made:
        pins.check_choice(pin)


def test_the_stored_hash_is_salted_and_says_its_cost() -> None:
    first, second = pins.hashed(PIN), pins.hashed(PIN)
    assert first != second
    assert PIN not in first
    assert pins.matches(PIN, first)
    assert pins.matches(PIN, second)
    assert not pins.matches("864298", first)
    assert first.startswith("scrypt:16:8:1:")


def buddy(world: World) -> str:
    return world.elder("李芳", role=Role.BUDDY)


def tried(world: World, person: str, *presses: str) -> list[PinVerdict | None]:
    verdicts = []
    for pressed in presses:
        with world.db.write() as session:
            known = pins.known(session, person)
            assert known is not None
            right = not known.locked and pins.matches(pressed, known.hashed)
            verdicts.append(pins.judge(session, known, right, world.clock.now()))
    return verdicts


def give(world: World, person: str, pin: str = PIN) -> None:
    with world.db.write() as session:
        pins.set_pin(session, person, pin, "陈老师", world.clock.now())


def test_five_wrong_in_a_row_lock_it_against_the_right_one_too(any_world: World) -> None:
    li = buddy(any_world)
    give(any_world, li)
    assert tried(any_world, li, *["1357"] * 4, PIN) == [PinVerdict.WRONG] * 4 + [PinVerdict.RIGHT]
    assert tried(any_world, li, *["1357"] * 5, PIN) == [PinVerdict.WRONG] * 4 + [PinVerdict.LOCKED] * 2
    with any_world.db.read() as session:
        (item,) = items.open_items(session)
    assert (item.kind, item.person_id) == (ItemKind.PIN_LOCKED, li)


def test_staff_unlock_it_or_set_a_new_one_and_the_item_is_done(any_world: World) -> None:
    li = buddy(any_world)
    give(any_world, li)
    tried(any_world, li, *["1357"] * 5)
    with any_world.db.write() as session:
        assert pins.unlock(session, li, "陈老师", any_world.clock.now())
        assert items.open_items(session) == []
    assert tried(any_world, li, PIN) == [PinVerdict.RIGHT]
    tried(any_world, li, *["1357"] * 5)
    give(any_world, li, "975310")
    assert tried(any_world, li, PIN, "975310") == [PinVerdict.WRONG, PinVerdict.RIGHT]


def test_one_that_was_changed_meanwhile_is_judged_by_nobody(world: World) -> None:
    li = buddy(world)
    give(world, li)
    with world.db.write() as session:
        old = pins.known(session, li)
        assert old is not None
    give(world, li, "975310")
    with world.db.write() as session:
        assert pins.judge(session, old, True, world.clock.now()) is None
        assert pins.judge(session, Known("nobody", "x", False), True, world.clock.now()) is None
        assert session.scalar(select(Pin.wrong)) == 0


def test_nobody_sets_a_pin_without_a_name(world: World) -> None:
    li = buddy(world)
    with world.db.write() as session:
        with pytest.raises(ValueError, match="say who"):
            pins.set_pin(session, li, PIN, " ", world.clock.now())
        assert not pins.unlock(session, li, "陈老师", world.clock.now())
