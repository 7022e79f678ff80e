"""A smoke detector's signed message over HTTP, and what becomes of it by telephone; and messages that nobody signed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from checkins import cases, devices
from checkins.devices import DeviceKind
from checkins.results import Reason, Status
from checkins.standard_webhooks import ID, SIGNATURE, TIMESTAMP, new_secret, signed
from ivr import routes
from tests.e2e.line import ELDER, story
from tests.e2e.test_ladder import CHEN, DAUGHTER, LI, ZHOU, Street, _people
from tests.e2e.test_responder_calls import hears
from tests.fakes.carrier import FakeCarrier

_ids = count(1)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """How soon the carrier is answered is told in other stories; a busy machine must not tell it here."""
    monkeypatch.setattr(routes, "ANSWER_S", 20.0)


class Detector:
    """A smoke detector in the elder's kitchen."""

    def __init__(self, street: Street, device_id: str, secret: str) -> None:
        self.street, self.id, self.secret = street, device_id, secret

    def signs(self, body: bytes, secret: str = "", ago_s: float = 0) -> dict[str, str]:
        at = self.street.line.house.clock.now() - timedelta(seconds=ago_s)
        return signed(secret or self.secret, f"msg_{next(_ids)}", at, body)

    async def posts(self, body: bytes, headers: dict[str, str], device: str = "") -> httpx.Response:
        """As it comes through the gateway and a proxy."""
        headers = headers | {"X-Forwarded-For": "203.0.113.7", "Host": "line.example.org"}
        url = f"{self.street.line.house.base_url}/devices/{device or self.id}"
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.post(url, content=body, headers=headers)

    async def sends(self, kind: str = "smoke") -> httpx.Response:
        body = json.dumps({"kind": kind}).encode()
        return await self.posts(body, self.signs(body))


@pytest_asyncio.fixture
async def kitchen(carrier: FakeCarrier, tmp_path: Path) -> AsyncIterator[Detector]:
    async with story(carrier, tmp_path, calls_per_second=1) as line:
        elder = await line.elder(slot=20 * 60)  # no call of her own is due
        street = Street(line, elder, await line.house.db.run(lambda session: _people(session, line, elder)))
        now = line.house.clock.now()
        made = await line.house.db.run(lambda s: devices.add(s, elder, DeviceKind.SMOKE, "陈老师", now))
        yield Detector(street, made.id, made.secret)


@pytest.mark.row("烟雾报警器")
async def test_烟雾报警器(kitchen: Detector) -> None:
    """A smoke detector's signed event rings the elder, both buddies, the duty person and the daughter within three
    seconds. Her "I am fine" ends nothing: the false alarm is closed by a named person, with a finding."""
    street, line = kitchen.street, kitchen.street.line
    sent = line.house.clock.now()
    answer = await kitchen.sends()
    assert (answer.status_code, answer.json()) == (202, {"accepted": True, "again": False, "test": False})
    hers, duty, daughter = street.rings(ELDER), street.rings(CHEN), street.rings(DAUGHTER)
    buddies = [street.rings(LI, "no_answer"), street.rings(ZHOU, "no_answer")]
    await line.later(seconds=1)
    ring = (await street.moments())["ring"]
    assert ring - sent < timedelta(seconds=3), "five at once, at one call per second"
    assert [what for what, _ in await street.events() if what.startswith("ring")] == [
        "ring:duty", "ring:family", "ring:buddy", "ring:buddy", "ring:elder",
    ]  # fmt: skip

    await hers.hears("help.ask")
    assert await hears(line, hers, "您家的烟雾报警器响了。")
    hers.presses("2")
    await hers.hears("bye.say")
    await hers.ended()
    for call in (daughter, duty):
        await call.hears("greet.ask")
        call.presses("1")
        await call.hears("urgent.ask")
        call.presses("1")
        await call.hears("accept.urgent" if call is daughter else "taken.say")
        await call.ended()
    for call in buddies:
        await call.ended()
    row = await street.over()
    assert (row.status, row.reason, row.owner) == (Status.NEEDS_PERSON, Reason.SMOKE, "王小妹"), (
        "her 'fine' ends nothing"
    )
    assert ("elder:says_fine", "line") in await street.events()

    now = line.house.clock.now()
    await line.house.db.run(lambda s: cases.take_over(s, row.checkin_id, "陈老师", now))
    tells = street.rings(DAUGHTER)
    await line.later(minutes=2)
    await tells.hears("greet.ask")
    assert not await hears(line, tells, "王阿婆")
    tells.presses("1")
    await tells.hears("taken.say")
    assert await hears(line, tells, "王阿婆")
    await tells.ended()
    await street.over()
    await line.house.db.run(lambda s: cases.close_case(s, row.checkin_id, "陈老师", "锅烧干了,人没事", now))
    await line.later(minutes=5)
    row = await line.now(street.elder)
    assert (row.status, row.closed_by, row.finding) == (Status.CLOSED, "陈老师", "锅烧干了,人没事")
    assert ("told:heard", "王小妹") in await street.events()


async def test_what_nobody_signed_changes_nothing(kitchen: Detector, caplog: pytest.LogCaptureFixture) -> None:
    line = kitchen.street.line
    body = b'{"kind": "smoke"}'
    real = kitchen.signs(body)
    refused = [
        await kitchen.posts(body, {}),
        await kitchen.posts(body, kitchen.signs(body, new_secret())),
        await kitchen.posts(body + b" ", real),
        await kitchen.posts(body, real | {ID: "another"}),
        await kitchen.posts(body, real | {TIMESTAMP: str(int(real[TIMESTAMP]) + 1)}),
        await kitchen.posts(body, real | {SIGNATURE: "v1,AAAA"}),
        await kitchen.posts(body, real, device="dev-0123456789abcdef"),
        await kitchen.posts(body, real, device="dev-救命"),
        await kitchen.posts(long := b" " * 5000, kitchen.signs(long)),
    ]
    assert {(each.status_code, each.content) for each in refused} == {(401, b"")}
    now = line.house.clock.now()
    assert await line.house.db.view(lambda s: [each.last for each in devices.listed(s, now)]) == [None]
    await line.tick()
    assert line.carrier.tally() == {}
    assert kitchen.secret not in caplog.text
    assert len([each for each in caplog.messages if "was refused" in each]) == 1, "the log is not to be filled"


async def test_a_message_that_is_sent_again_and_a_test_ring_nobody(kitchen: Detector) -> None:
    line = kitchen.street.line
    answer = await kitchen.sends("test")
    assert (answer.status_code, answer.json()["test"]) == (202, True)
    assert "没有拨打" in answer.json()["note"]
    await line.tick()
    body = b'{"kind": "test"}'
    late = await kitchen.posts(body, kitchen.signs(body, ago_s=301))
    assert (late.status_code, "clock" in late.json()["note"]) == (202, True)
    body = b'{"kind": "cancel"}'
    headers = kitchen.signs(body)
    answers = [await kitchen.posts(body, headers) for _ in range(3)]
    assert [(each.status_code, each.json()["again"]) for each in answers] == [(202, False), (202, True), (202, True)]
    await line.tick()
    assert line.carrier.tally() == {}


async def test_a_database_that_is_away_is_said_so_and_the_message_comes_again(
    kitchen: Detector, monkeypatch: pytest.MonkeyPatch, errors_logged: list[str]
) -> None:
    def away(*_: object) -> None:
        raise OSError

    body = b'{"kind": "test"}'
    headers = kitchen.signs(body)
    with monkeypatch.context() as patch:
        patch.setattr(devices, "receive", away)
        assert (await kitchen.posts(body, headers)).status_code == 503
    errors_logged.clear()
    assert (await kitchen.posts(body, headers)).json()["again"] is False
