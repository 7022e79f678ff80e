"""Alarm buttons and smoke detectors: whose message counts, and what it makes of the elder's day."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from checkins import cases, devices
from checkins.devices import DeviceKind, Receipt
from checkins.errands import DISPATCH
from checkins.items import ItemKind, done, open_items
from checkins.people import set_state
from checkins.ports import CallOutcome, Disposition
from checkins.results import Reason, Status, Urgency
from checkins.standard_webhooks import RefusedError, new_secret, signed
from checkins.tables import NumberState, Person, State
from tests.unit.checkins.street import CHEN, DAUGHTER, LI, ZHOU, Street, numbers
from tests.unit.checkins.world import Crash, World

_ids = count(1)
PEOPLE = [LI, ZHOU, CHEN, DAUGHTER]


@pytest.fixture
def street(world: World) -> Street:
    return Street.of(world)


class Home:
    """An elder's home with a device in it."""

    def __init__(
        self, street: Street, elder: str, kind: DeviceKind = DeviceKind.SMOKE, *, testing: bool = False
    ) -> None:
        self.street, self.world, self.elder = street, street.world, elder
        with self.world.db.write() as session:
            found = devices.add(session, elder, kind, "陈老师", self.world.clock.now(), testing=testing)
        self.id, self.secret, self.number = found.id, found.secret, self.world.person(elder).number or ""

    def sends(
        self,
        kind: Any = "smoke",
        *,
        message: str = "",
        body: bytes | None = None,
        secret: str = "",
        at: datetime | None = None,
    ) -> Receipt:
        """`at`: by its own clock."""
        now = self.world.clock.now()
        body = json.dumps({"kind": kind}).encode() if body is None else body
        headers = signed(secret or self.secret, message or f"msg_{next(_ids)}", at or now, body)
        with self.world.db.read() as session:
            stamp = devices.check(session, self.id, headers, body, now)
        with self.world.db.write() as session:
            return devices.receive(session, self.id, stamp, body, now)

    @property
    def row(self) -> cases.Row:
        return self.world.row(self.elder)

    def whats(self) -> list[str]:
        return [what for what in self.street.whats(self.elder) if what.startswith("device")]


async def test_smoke_rings_everybody_and_the_elder_at_once(any_world: World) -> None:
    street = Street.of(any_world)
    home = Home(street, street.elder())
    assert home.sends() == Receipt(test=False)
    calls = await street.tick()
    assert numbers(calls) == sorted([*PEOPLE, home.number])
    by_flow = {call.number: call.flow for call in calls}
    assert by_flow == {number: DISPATCH for number in PEOPLE} | {home.number: "alarm"}
    why = {c.variables["why"] for call in calls if call.flow == DISPATCH for c in call.callees}
    assert why == {"家的烟雾报警器响了"}
    assert (home.row.status, home.row.reason, home.row.urgency) == (
        Status.NEEDS_PERSON,
        Reason.SMOKE,
        Urgency.EMERGENCY,
    )


@pytest.mark.parametrize("state", ["active", "refused", "paused", "moved", "no consent", "no number"])
async def test_whatever_the_register_says_of_machine_calls_people_are_rung(street: Street, state: str) -> None:
    home = Home(street, street.elder(), DeviceKind.ALARM_BUTTON)
    with street.world.db.write() as session:
        if state in list(State):
            until = date(2026, 3, 9) if state == "paused" else None
            set_state(session, home.elder, State(state), "女儿", street.world.clock.now(), until=until)
        else:
            person = session.get_one(Person, home.elder)
            person.consents, person.number = {}, None if state == "no number" else person.number
    home.sends("alarm_button")
    rung = numbers(await street.tick())
    assert CHEN in rung
    assert (home.number in rung) is (state not in ("moved", "no number"))


async def test_a_closed_day_is_opened_again_and_its_name_is_gone(street: Street) -> None:
    world = street.world
    home = Home(street, street.elder())
    await world.to("08:00")
    await world.ends(home.elder, "well")
    assert home.row.status is Status.CLOSED
    home.sends()
    assert (home.row.status, home.row.closed_by, home.row.reason) == (Status.NEEDS_PERSON, None, Reason.SMOKE)
    assert CHEN in numbers(await street.tick())


async def test_while_we_talk_to_her_she_is_not_rung_and_her_well_ends_nothing(street: Street) -> None:
    world = street.world
    home = Home(street, street.elder())
    await world.to("08:00")
    checkin = world.last_call(home.elder)
    home.sends()
    assert numbers(await street.tick()) == sorted(PEOPLE)
    await street.says(checkin, "well")
    assert (home.row.status, home.row.urgency) == (Status.NEEDS_PERSON, Urgency.EMERGENCY)
    assert numbers(await street.tick()) == [home.number]


async def test_a_repeat_is_noted_and_the_same_message_twice_is_not(any_world: World) -> None:
    street = Street.of(any_world)
    home = Home(street, street.elder())
    home.sends(message="msg_a")
    calls = await street.tick()
    assert home.sends(message="msg_a") == Receipt(test=False, again=True)
    assert home.whats() == ["device:smoke"]
    home.sends(message="msg_b")
    assert home.whats() == ["device:smoke", "device:smoke"]
    assert await street.tick(seconds=1) == []
    (daughter,) = [call for call in calls if call.number == DAUGHTER]
    await street.says(daughter, "accepted")
    home.sends()
    assert home.row.owner == "王小妹"


async def test_nothing_a_device_sends_calls_anybody_off(street: Street) -> None:
    home = Home(street, street.elder())
    assert home.sends("cancel") == Receipt(test=False)
    assert await street.tick() == []
    home.sends()
    home.sends("cancel")
    assert home.row.urgency is Urgency.EMERGENCY
    assert CHEN in numbers(await street.tick())
    assert home.whats() == ["device:smoke", "device:cancel"]


@pytest.mark.parametrize("testing", [True, False])
async def test_a_test_rings_nobody_and_is_seen_in_the_list(street: Street, testing: bool) -> None:
    world = street.world
    elder = street.elder()
    await world.to("08:00")
    await world.ends(elder, "well")
    home = Home(street, elder, testing=testing)
    assert home.sends("smoke" if testing else "test") == Receipt(test=True)
    assert await street.tick() == []
    assert (home.row.status, home.whats()) == (Status.CLOSED, ["device_test:smoke"])
    with world.db.read() as session:
        (shown,) = devices.listed(session, street.world.clock.now())
    assert (shown.last, shown.last_test, shown.testing) == (None, world.clock.now(), testing)
    with world.db.write() as session:
        devices.set_testing(session, home.id, False, "陈老师", world.clock.now())
    home.sends()
    assert CHEN in numbers(await street.tick())


@pytest.mark.parametrize(
    "body",
    [
        b'{"kind": "sos"}',
        b"[]",
        b"\xff",
        b"[" * 4000,
        b'{"kind": "\\ud800"}',
        b'{"kind": "a\\u0000"}',
        '{"kind": "救命"}'.encode(),
    ],
)
async def test_a_kind_that_we_do_not_know_counts_as_what_the_device_is(any_world: World, body: bytes) -> None:
    street = Street.of(any_world)
    home = Home(street, street.elder(), DeviceKind.ALARM_BUTTON)
    home.sends(body=body)
    assert home.row.reason is Reason.ALARM_BUTTON
    with street.world.db.read() as session:
        (shown,) = devices.listed(session, street.world.clock.now())
    assert shown.strange == ("sos" if b"sos" in body else "?")


async def test_only_who_has_the_secret_is_heard_and_only_until_removed(street: Street) -> None:
    home = Home(street, street.elder())
    neighbour = Home(street, street.elder("李"))
    for secret in (new_secret(), neighbour.secret):
        with pytest.raises(RefusedError):
            home.sends(secret=secret)
    home.id, real = "dev-0123456789abcdef", home.id
    with pytest.raises(RefusedError):
        home.sends()
    home.id = real
    with street.world.db.write() as session:
        devices.remove(session, home.id, "陈老师", street.world.clock.now())
    with pytest.raises(RefusedError):
        home.sends()
    assert await street.tick() == []
    with street.world.db.read() as session:
        assert [shown.id for shown in devices.listed(session, street.world.clock.now())] == [neighbour.id]


def clock_items(street: Street) -> list[int]:
    with street.world.db.read() as session:
        return [item.id for item in open_items(session) if item.kind == ItemKind.DEVICE_CLOCK]


@pytest.mark.parametrize("off", [timedelta(minutes=7), timedelta(minutes=-7), timedelta(days=20_000)])
async def test_an_alarm_by_a_wrong_clock_rings_people_once_and_staff_hear_of_the_clock(
    any_world: World, off: timedelta
) -> None:
    street = Street.of(any_world)
    world = street.world
    home = Home(street, street.elder())
    sent = world.clock.now() - off
    assert home.sends(message="msg_a", at=sent) == Receipt(test=False, clock_wrong=True)
    assert CHEN in numbers(await street.tick())
    (item,) = clock_items(street)
    assert home.sends(message="msg_a", at=sent) == Receipt(test=False, again=True, clock_wrong=True)
    assert home.whats() == ["device:smoke"], "nobody can play it again"
    with world.db.write() as session:
        done(session, item, "陈老师", world.clock.now())
    home.sends(message="msg_a", at=sent)
    assert clock_items(street) == [], "no more than once in an hour"
    world.clock.advance(minutes=61)
    home.sends(message="msg_a", at=sent)
    assert len(clock_items(street)) == 1


async def test_who_has_no_secret_says_nothing_by_any_clock(street: Street) -> None:
    home = Home(street, street.elder())
    with pytest.raises(RefusedError):
        home.sends(secret=new_secret(), at=datetime(1970, 1, 1, tzinfo=UTC))
    assert clock_items(street) == []


async def test_a_device_that_counts_anew_after_a_power_cut_is_heard(any_world: World) -> None:
    street = Street.of(any_world)
    world = street.world
    home = Home(street, street.elder())
    first = world.clock.now()
    home.sends(message="1", at=first)
    with world.db.write() as session:
        cases.close_case(session, home.row.checkin_id, "陈老师", "误报", world.clock.now())
    world.clock.advance_to(world.at("03:00", date(2026, 3, 12)))
    await world.cycle.tick()
    home.sends(message="1", at=first)
    assert CHEN not in numbers(await street.tick(seconds=1)), "the old one, played again"
    assert home.sends(message="1") == Receipt(test=False)
    assert CHEN in numbers(await street.tick(seconds=1))
    world.clock.advance(minutes=2)
    assert home.sends(message="1") == Receipt(test=False, again=True), "sent again, as its stamp says"


async def test_test_mode_ends_by_itself_after_an_hour(street: Street) -> None:
    world = street.world
    home = Home(street, street.elder(), testing=True)
    world.clock.advance(minutes=59)
    assert home.sends() == Receipt(test=True)
    world.clock.advance(minutes=2)
    with world.db.read() as session:
        (shown,) = devices.listed(session, world.clock.now())
    assert not shown.testing
    assert home.sends() == Receipt(test=False)
    assert CHEN in numbers(await street.tick(seconds=1))
    with world.db.write() as session:
        devices.set_testing(session, home.id, True, "陈老师", world.clock.now())
    assert home.sends() == Receipt(test=True)


async def test_a_message_that_cannot_be_taken_in_is_kept_and_tried_again(
    street: Street, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    home = Home(street, street.elder())

    def fails(*_: object) -> None:
        raise LookupError

    with monkeypatch.context() as patch:
        patch.setattr(devices, "case_today", fails)
        assert home.sends(message="msg_a") == Receipt(test=False)
        assert await street.tick() == []
        assert home.sends(message="msg_a").again
    assert CHEN in numbers(await street.tick(seconds=1))
    assert home.whats() == ["device:smoke"]
    assert "could not be taken in" in caplog.text
    caplog.clear()


async def test_an_alarm_after_somebody_saw_her_well_begins_anew(street: Street) -> None:
    home = Home(street, street.elder())
    home.sends()
    for call in await street.tick():
        ends = "accepted" if call.number == CHEN else Disposition.NO_ANSWER
        await street.says(call, ends, after=1)
    await street.tick()
    (asks,) = [call for call in await street.tick(minutes=25) if call.number == CHEN]
    await street.says(asks, "fine_seen")
    await street.tick(minutes=2)
    assert home.row.owner == "陈老师"
    home.sends("alarm_button")
    assert (home.row.owner, home.row.reason) == (None, Reason.SMOKE)
    assert numbers(await street.tick()) == sorted([*PEOPLE, home.number])


async def test_smoke_while_she_is_searched_for_for_another_reason_rings_the_buddy_too(street: Street) -> None:
    world = street.world
    home = Home(street, street.elder())
    await world.to("08:00")
    call = world.last_call(home.elder)
    await world.cycle.settle(CallOutcome(call.id, world.clock.now(), final=False, alarm="distress"))
    assert numbers(await street.tick()) == [CHEN, DAUGHTER]
    home.sends()
    assert numbers(await street.tick(seconds=1)) == [LI, ZHOU]
    assert home.row.reason is Reason.SMOKE


async def test_an_emergency_of_yesterday_that_is_open_takes_the_alarm(street: Street) -> None:
    world = street.world
    home = Home(street, street.elder())
    world.clock.advance_to(world.at("23:59"))
    home.sends()
    await street.tick()
    before = len(world.checkins())
    world.clock.advance(minutes=2)
    home.sends()
    assert (len(world.checkins()), home.whats()) == (before, ["device:smoke", "device:smoke"])


@pytest.mark.parametrize("by", ["", " ", "line"])
def test_a_device_is_added_and_removed_by_a_name(street: Street, by: str) -> None:
    elder, now = street.elder(), street.world.clock.now()
    with pytest.raises(ValueError, match="say who"), street.world.db.write() as session:
        devices.add(session, elder, DeviceKind.SMOKE, by, now)
    with pytest.raises(ValueError, match="belongs to an elder"), street.world.db.write() as session:
        devices.add(session, street.ids[CHEN], DeviceKind.SMOKE, "陈老师", now)
    with pytest.raises(LookupError), street.world.db.write() as session:
        devices.remove(session, "dev-0", "陈老师", now)


async def test_a_suspended_number_is_not_rung(street: Street) -> None:
    """A stranger's, most likely: they hear nothing of her."""
    home = Home(street, street.elder())
    with street.world.db.write() as session:
        session.get_one(Person, home.elder).number_state = NumberState.SUSPECT
    home.sends()
    assert numbers(await street.tick()) == sorted(PEOPLE)


async def test_a_crash_between_the_message_and_its_case_leaves_neither_and_it_comes_again(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(street, street.elder())

    def dies(*_: object) -> None:
        raise Crash

    for step in ("case_today", "_alarm", "_log"):
        with monkeypatch.context() as patch:
            patch.setattr(devices, step, dies)
            with pytest.raises(Crash):
                home.sends(message="msg_a")
        assert await street.tick(seconds=1) == []
    assert home.sends(message="msg_a") == Receipt(test=False)
    assert CHEN in numbers(await street.tick())
