"""A number that doesn't exist, and a trunk that says so of every number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from checkins import devices
from checkins.devices import DeviceKind
from checkins.errands import DISPATCH
from checkins.items import ItemKind, open_items
from checkins.pace import is_line_down, last_through
from checkins.ports import CallRequest, Disposition, Placed
from checkins.results import Reason, Status
from checkins.standard_webhooks import Stamp
from checkins.tables import NumberState, Person
from tests.unit.checkins.street import CHEN, DAUGHTER, LI, ZHOU, Street, numbers
from tests.unit.checkins.world import World

PEOPLE = [LI, ZHOU, CHEN, DAUGHTER]


@pytest.fixture
def street(world: World) -> Street:
    return Street.of(world)


@pytest.fixture
def _errors_are_wanted(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    caplog.clear()


def states(street: Street) -> set[str]:
    with street.world.db.read() as session:
        return {person.number_state for person in session.query(Person)}


def state_of(street: Street, number: str) -> str:
    return street.world.person(street.ids[number]).number_state


def down(street: Street) -> bool:
    with street.world.db.read() as session:
        return is_line_down(session, street.world.clock.now())


def bad_numbers(street: Street) -> list[str | None]:
    """Of whom staff are told that their number doesn't exist."""
    with street.world.db.read() as session:
        return [item.person_id for item in open_items(session) if item.kind == ItemKind.NUMBER_BAD]


async def dead_morning(street: Street, minutes: int) -> list[CallRequest]:
    """Every call is answered by 404, minute by minute."""
    world, rung = street.world, list[CallRequest]()
    new = list(world.placer.requests)
    for _ in range(minutes):
        for call in new:
            await street.says(call, Disposition.BAD_NUMBER, after=0)
        rung += new
        new = await street.tick(minutes=1)
    for call in new:
        await street.says(call, Disposition.BAD_NUMBER, after=0)
    return rung + new


@pytest.mark.usefixtures("_errors_are_wanted")
async def test_a_trunk_that_knows_no_number_is_down_and_marks_nobody(any_world: World) -> None:
    street = Street.of(any_world)
    world = street.world
    elders = [street.elder(f"王{each}", slot=480) for each in range(4)]
    await world.to("08:00")
    await dead_morning(street, 30)
    assert down(street)
    assert states(street) == {NumberState.OK}
    assert sum(world.row(elder).reason is Reason.BAD_NUMBER for elder in elders) <= 2, "the line's fault, not theirs"
    with world.db.write() as session:
        now = world.clock.now()
        device = devices.add(session, elders[3], DeviceKind.SMOKE, "书记", now)
        devices.receive(session, device.id, Stamp("m1", now), b'{"kind":"smoke"}', now)
    calls = [call for _ in range(5) for call in await street.tick(minutes=1)]
    assert set(PEOPLE) <= {call.number for call in calls if call.flow == DISPATCH}


@pytest.mark.usefixtures("_errors_are_wanted")
async def test_what_got_through_ends_it_and_one_bad_number_is_marked_as_ever(street: Street) -> None:
    world = street.world
    elders = [street.elder(f"王{each}", slot=480 + 10 * each) for each in range(4)]
    for elder, moment in zip(elders[:3], ("08:00", "08:10", "08:20"), strict=True):
        await world.to(moment)
        await world.ends(elder, Disposition.BAD_NUMBER)
    assert down(street)
    assert states(street) == {NumberState.OK}
    await world.to("08:30")
    await world.ends(elders[2], Disposition.NO_ANSWER)
    assert not down(street)
    await street.tick(seconds=1)
    await world.ends(elders[3], Disposition.BAD_NUMBER)
    assert world.person(elders[3]).number_state == NumberState.BAD
    assert (world.row(elders[3]).status, world.row(elders[3]).reason) == (Status.NEEDS_PERSON, Reason.BAD_NUMBER)


async def test_a_number_that_does_not_exist_proves_nothing_about_the_line(street: Street) -> None:
    world, elder = street.world, street.elder()
    await world.to("08:00")
    await world.ends(elder, Disposition.BAD_NUMBER)
    with world.db.read() as session:
        assert last_through(session) is None


async def test_a_buddy_is_off_the_ladder_at_the_second_time_an_hour_later_and_staff_know_at_once(
    street: Street,
) -> None:
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    (call,) = await street.tick()
    await street.says(call, Disposition.BAD_NUMBER)
    assert call.number == LI
    assert (state_of(street, LI), bad_numbers(street)) == (NumberState.OK, [street.ids[LI]])
    world.clock.advance_to(world.clock.now() + timedelta(minutes=20))
    world.placer.answers[LI].append(Placed.BAD_NUMBER)
    await rings_until(street, LI)
    assert state_of(street, LI) == NumberState.OK, "not twice within the hour"
    for _ in range(6):
        world.placer.answers[LI].append(Placed.BAD_NUMBER)
    other = street.elder("李阿大", slot=610)
    for moment in ("10:10", "10:26", "11:00"):
        await world.to(moment)
        await world.ends(other, Disposition.NO_ANSWER)
    await rings_until(street, LI)
    assert state_of(street, LI) == NumberState.BAD
    assert bad_numbers(street) == [street.ids[LI]]


async def rings_until(street: Street, number: str) -> None:
    for _ in range(12):
        calls = await street.tick(minutes=1)
        if number in numbers(calls):
            return
        for call in calls:
            await street.says(call, Disposition.NO_ANSWER, after=1)
    raise AssertionError("never rung")


async def test_the_duty_person_is_rung_whatever_the_carrier_says_of_their_number(street: Street) -> None:
    world, elder = street.world, street.elder()
    with world.db.write() as session:
        session.get_one(Person, street.ids[CHEN]).number_state = NumberState.BAD
        device = devices.add(session, elder, DeviceKind.SMOKE, "书记", world.clock.now())
        devices.receive(session, device.id, Stamp("m1", world.clock.now()), b'{"kind":"smoke"}', world.clock.now())
    assert CHEN in numbers(await street.tick())
