"""The elder's own call in an emergency: when she is rung, and that nothing she says calls anybody off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checkins.emergency import Rung, next_call
from checkins.people import set_state
from checkins.ports import CallOutcome, CallRequest, Disposition
from checkins.results import Status, Urgency
from checkins.tables import Person, State
from tests.unit.checkins.street import CHEN, DAUGHTER, Street, numbers
from tests.unit.checkins.world import World

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SILENT, TALKED, DEAD = Disposition.NO_ANSWER, Disposition.ANSWERED, Disposition.LINE_ERROR


@pytest.mark.parametrize(
    ("ends", "ago", "wanted"),
    [
        ([], 0, 0),
        ([None], 10, None),
        ([SILENT], 0, 2),
        ([SILENT], 1, 1),
        ([SILENT], 5, 0),
        ([TALKED], 5, None),
        ([SILENT, SILENT], 5, None),
        ([SILENT, TALKED], 5, None),
        ([Disposition.BUSY, Disposition.MACHINE], 5, None),
        ([DEAD], 0, 2),
        ([DEAD, SILENT], 0, 2),
        ([DEAD, DEAD, SILENT], 2, 0),
        ([DEAD, DEAD, SILENT, SILENT], 5, None),
        ([DEAD, DEAD, DEAD], 5, None),
        ([Disposition.INTERRUPTED], 2, 0),
    ],
)
def test_when_she_is_rung_again(ends: list[Disposition | None], ago: int, wanted: int | None) -> None:
    """`ago`, `wanted`: minutes since the last call, minutes until the next."""
    rung = [Rung(NOON - (ago + 2 * (len(ends) - 1 - at)) * MINUTE, end) for at, end in enumerate(ends)]
    assert next_call(rung, NOON) == (None if wanted is None else NOON + wanted * MINUTE)


@pytest.fixture
def street(world: World) -> Street:
    return Street.of(world)


async def cries_and(street: Street, elder: str, end: Disposition | str | None) -> tuple[list[CallRequest], CallRequest]:
    """In her daily call she cries for help; the people who are rung, and her call, which then ends."""
    world = street.world
    await world.to("08:00")
    hers = world.last_call(elder)
    await world.cycle.settle(CallOutcome(hers.id, world.clock.now(), final=False, alarm="distress"))
    calls = await street.tick()
    assert numbers(calls) == [CHEN, DAUGHTER]
    if end is not None:
        await street.says(hers, end)
    return calls, hers


@pytest.mark.parametrize("end", ["emergency", Disposition.INTERRUPTED])
async def test_who_cried_for_help_and_is_off_the_line_is_rung_back_at_once(
    street: Street, end: Disposition | str
) -> None:
    elder = street.elder()
    _, hers = await cries_and(street, elder, end)
    (back,) = await street.tick()
    assert (back.number, back.flow, back.variables["cause"]) == (hers.number, "alarm", "刚才您在电话里求救。")


async def test_not_while_she_is_on_the_line(street: Street) -> None:
    elder = street.elder()
    _, hers = await cries_and(street, elder, None)
    for _ in range(4):
        assert hers.number not in numbers(await street.tick(seconds=20))


async def test_once_more_after_two_minutes_and_then_no_more(street: Street) -> None:
    elder = street.elder()
    await cries_and(street, elder, "emergency")
    (back,) = await street.tick()
    await street.says(back, Disposition.NO_ANSWER)
    assert back.number not in numbers(await street.tick(seconds=60))
    (again,) = [call for call in await street.tick(seconds=30) if call.flow == "alarm"]
    assert again.number == back.number
    await street.says(again, Disposition.MACHINE)
    for _ in range(8):
        assert back.number not in numbers(await street.tick(minutes=1))
    assert [what for what in street.whats(elder) if "elder" in what] == [
        "ring:elder", "elder:no_answer", "ring:elder", "elder:machine",
    ]  # fmt: skip


@pytest.mark.parametrize("says", ["says_fine", "silent", "emergency", "not_reached"])
async def test_nothing_she_says_calls_anybody_off(street: Street, says: str) -> None:
    world, elder = street.world, street.elder()
    calls, _ = await cries_and(street, elder, "emergency")
    (back,) = await street.tick()
    await street.says(back, says)
    row = world.row(elder)
    assert (row.status, row.urgency, row.owner) == (Status.NEEDS_PERSON, Urgency.EMERGENCY, None)
    heard = {"emergency": "emergency", "not_reached": "elder:hung_up"}.get(says, f"elder:{says}")
    assert heard in street.whats(elder)[-2:]
    for call in calls:
        await street.says(call, Disposition.NO_ANSWER, after=1)
    assert CHEN in numbers(await street.tick(minutes=2)), "people are rung on and on"
    assert back.number not in numbers(await street.tick(minutes=2)), "she has answered"


async def test_no_more_when_somebody_has_it(street: Street) -> None:
    elder = street.elder()
    calls, _ = await cries_and(street, elder, "emergency")
    (back,) = await street.tick()
    await street.says(back, Disposition.BUSY)
    await street.says(calls[0], "accepted", after=1)
    assert back.number not in numbers(await street.tick(minutes=2))


async def test_neither_a_refusal_nor_line_rules_hold_in_an_emergency_but_consent_to_record_does(street: Street) -> None:
    world, elder = street.world, street.elder()
    calls, _ = await cries_and(street, elder, "emergency")
    with world.db.write() as session:
        set_state(session, elder, State.REFUSED, "女儿", world.clock.now())
        session.get_one(Person, elder).consents = {}
    (back,) = await street.tick()
    assert [(callee.records, callee.transcribes) for callee in back.callees] == [(False, False)]
    assert len(calls) == 2
    assert not [intent for intent in street.world.intents() if intent.purpose == "checkin" and intent.id == back.id]


async def test_with_nobody_in_the_roster_she_is_rung_all_the_same(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    street, elder = Street(world), world.elder()
    await world.to("08:00")
    hers = world.last_call(elder)
    await world.cycle.settle(CallOutcome(hers.id, world.clock.now(), final=False, alarm="double_zero"))
    await street.says(hers, Disposition.INTERRUPTED)
    assert numbers(await street.tick()) == [hers.number]
    caplog.clear()


async def test_a_crash_between_intent_and_dial_is_made_good_two_minutes_later(street: Street) -> None:
    world, elder = street.world, street.elder()
    _, hers = await cries_and(street, elder, "emergency")

    world.cycle = await world.dies_before_the_dial()
    world.clock.advance(minutes=1)
    assert await world.cycle.reconcile() > 0
    await street.tick()
    assert hers.number in numbers(await street.tick(minutes=1))
