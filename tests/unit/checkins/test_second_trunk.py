"""An emergency on a dead line goes out by the second trunk; nothing else does. In virtual time."""

from __future__ import annotations

import pytest

from checkins.pace import is_line_down
from checkins.ports import CallOutcome, CallRequest, Placed
from checkins.results import Status
from checkins.second_trunk import SECOND
from tests.unit.checkins.street import CHEN, DAUGHTER, Street
from tests.unit.checkins.world import FakePlacer, World


class TwoLines(FakePlacer):
    """Refuses by the trunks that are dead."""

    def __init__(self) -> None:
        super().__init__()
        self.dead: set[str] = set()

    async def place(self, request: CallRequest) -> Placed:
        answer = await super().place(request)
        return Placed.REFUSED if request.trunk in self.dead else answer


@pytest.fixture
def street(world: World) -> Street:
    return Street.of(world)


def with_second(world: World) -> TwoLines:
    line = TwoLines()
    world.placer, world.limits["second"] = line, True
    world.cycle = world.another_cycle("cycle-1")
    return line


async def cries(street: Street, elder: str) -> None:
    hers = street.world.last_call(elder)
    await street.world.cycle.settle(CallOutcome(hers.id, street.world.clock.now(), final=False, alarm="distress"))
    await street.says(hers, "emergency", after=5)


async def test_a_line_error_in_an_emergency_is_tried_by_the_other_trunk(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    world, elder = street.world, street.elder()
    line = with_second(world)
    await world.to("08:00")
    line.dead = {""}
    await cries(street, elder)
    first = {call.number: call.trunk for call in await street.tick() if call.number in (CHEN, DAUGHTER)}
    assert first == {CHEN: "", DAUGHTER: ""}
    rung: list[CallRequest] = []
    while len(rung) < 2:
        rung += [call for call in await street.tick(seconds=10) if call.number in (CHEN, DAUGHTER)]
        assert world.clock.now() <= world.at("08:04"), "within the two minutes between two calls of one search"
    assert {(call.number, call.trunk) for call in rung} == {(CHEN, SECOND), (DAUGHTER, SECOND)}
    duty = next(call for call in rung if call.number == CHEN)
    await street.says(duty, "accepted")
    assert world.row(elder).owner
    caplog.clear()


async def test_on_a_line_that_is_known_to_be_dead_they_are_rung_by_the_second_at_once(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    world, elder = street.world, street.elder(slot=480)
    others = [street.elder(f"王{number}", slot=485) for number in range(3)]
    line = with_second(world)
    await world.to("08:00")
    line.dead = {""}
    await world.to("08:05")
    with world.db.read() as session:
        assert is_line_down(session, world.clock.now())
    hers = world.last_call(elder)  # she is still on the line, by which nobody else can be rung
    await world.cycle.settle(CallOutcome(hers.id, world.clock.now(), final=False, alarm="distress"))
    rung = await street.tick()
    assert {call.number for call in rung if call.trunk == SECOND} == {CHEN, DAUGHTER}
    later = [call for _ in range(12) for call in await street.tick(seconds=10)]
    assert {call.trunk for call in later if call.number not in (CHEN, DAUGHTER)} <= {""}
    assert {world.row(other).status for other in others} <= {Status.PLANNED, Status.WAITING}
    with world.db.read() as session:
        assert is_line_down(session, world.clock.now()), "that the second one works says nothing about the first"
    caplog.clear()


async def test_when_the_second_fails_too_they_are_tried_by_turns(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    world, elder = street.world, street.elder()
    line = with_second(world)
    await world.to("08:00")
    line.dead = {"", SECOND}
    await cries(street, elder)
    rung = [call for _ in range(60) for call in await street.tick(seconds=10)]
    trunks = [call.trunk for call in rung if call.number == CHEN]
    assert trunks[:4] == ["", SECOND, "", SECOND]
    caplog.clear()


async def test_what_is_not_urgent_stays_on_the_line_and_so_does_all_without_a_second(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    world, elder = street.world, street.elder()
    line = with_second(world)
    await street.unreached(elder)
    line.dead = {""}
    rung = [call for _ in range(30) for call in await street.tick(seconds=60)]
    assert rung
    assert {call.trunk for call in rung} == {""}
    caplog.clear()
