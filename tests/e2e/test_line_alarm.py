"""The line is dead, and whoever is on duty hears it over a second carrier: a real call, acknowledged by key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from twilio.request_validator import RequestValidator

from checkins import devices
from checkins.alarms import Alarm, open_alarms
from checkins.devices import DeviceKind
from checkins.people import add_person
from checkins.results import Status
from checkins.roster import edits
from checkins.roster.values import Rotation
from checkins.schedule import local_date
from checkins.standard_webhooks import Stamp
from checkins.tables import Role
from tests.e2e.line import ZONE, Story, story
from tests.fakes.carrier import AUTH_TOKEN, FakeCarrier
from tests.fakes.clock import WarpClock

CHEN = "+862155510003"
ELDERS = [f"+86215550010{number}" for number in range(3)]
SECRET = "f" * 32


async def test_a_dead_line_rings_duty_over_the_second_carrier_and_comes_back(
    carrier: FakeCarrier, warp_clock: WarpClock, errors_logged: list[str], tmp_path: Path
) -> None:
    other = FakeCarrier(warp_clock)
    other.account_sid, other.auth_token, other.webhooks.token = "AC" + "6" * 32, SECRET, SECRET
    async with other:
        await _dead_morning(carrier, other, tmp_path)
    errors_logged.clear()


async def _dead_morning(carrier: FakeCarrier, other: FakeCarrier, tmp_path: Path) -> None:
    async with story(carrier, tmp_path, **_second(other)) as line:
        elders = [await line.elder(f"王{number[-1]}", number) for number in ELDERS]
        await line.house.db.run(lambda session: _duty(session, line))
        carrier.rest_fault("refuse_429", times=30)
        await line.tick()
        call = other.expect_call(CHEN)
        await _look(line)
        await call.hears("alarm.ask")
        call.presses("1")
        await call.hears("bye.say")
        await call.ended()
        await other.idle()
        await line.house.telephone.sweep()
        [alarm] = await _alarms(line)
        assert (alarm.kind, alarm.acknowledged_by, alarm.over_at) == ("line_down", "陈老师", None)
        assert {(await line.now(elder)).try_no for elder in elders} == {0}

        await _button(line, other)

        url = f"{line.house.base_url}/twilio/alarm/status?call={call.sid}"
        forged = RequestValidator(AUTH_TOKEN).compute_signature(url, {"CallSid": call.sid})
        async with httpx.AsyncClient() as client:
            answer = await client.post(url, data={"CallSid": call.sid}, headers={"x-twilio-signature": forged})
        assert answer.status_code == 403, "each account's webhooks are signed by its own token"

        carrier.rest.faults.clear()
        for number in ELDERS:
            carrier.expect_call(number, "no_answer")
        for _ in range(8):
            await line.later(minutes=1)
            await carrier.idle()
        await _look(line)
        assert {(await line.now(elder)).try_no for elder in elders} == {1}, "the round goes on by itself"
        assert {(await line.now(elder)).status for elder in elders} == {Status.WAITING}
        assert await _alarms(line) == []
        other.verify()


async def _button(line: Story, other: FakeCarrier) -> None:
    """An emergency on the dead line: duty is rung by the second carrier, and takes it by key."""
    await line.later(minutes=3)
    elder = await line.elder("张", "+862155500104")
    now = line.house.clock.now()
    added = await line.house.db.run(lambda session: devices.add(session, elder, DeviceKind.ALARM_BUTTON, "陈老师", now))
    event = Stamp("e1", now)
    await line.house.db.run(lambda session: devices.receive(session, added.id, event, b"", now))
    call = other.expect_call(CHEN)
    await line.tick()
    for step in ("greet.ask", "urgent.ask"):
        await call.hears(step)
        call.presses("1")
    await call.hears("accept.urgent")
    await call.ended()
    await other.idle()
    await line.house.telephone.sweep()
    assert (await line.now(elder)).owner, "only a name ends it, and one has it"


def _second(other: FakeCarrier) -> dict[str, Any]:
    names = {"account_sid": other.account_sid, "auth_token": SECRET, "from": "+862155500009"}
    values = {f"alarm_twilio_{name}": value for name, value in names.items()}
    return {**values, "alarm_twilio_api_base": other.base_url}


async def _look(line: Story) -> None:
    await line.house.watch.look()
    await line.house.bell.look()


async def _alarms(line: Story) -> list[Alarm]:
    return await line.house.db.view(open_alarms)


def _duty(session: Any, line: Story) -> None:
    now = line.house.clock.now()
    chen = add_person(session, line.place_id, "陈老师", "陈老师", CHEN, role=Role.STAFF).id
    edits.set_rotation(session, line.place_id, Rotation((chen,), anchor=local_date(ZONE, now)), "书记", now)
