"""Who rings in to help, over a real carrier's protocol and with the audio that is heard: what was found, contacts
logged with a PIN. Elders and strangers: test_rings_in.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from checkins import items, pins
from checkins.contact_rounds import ContactRounds
from checkins.contacts import Contact
from checkins.items import ItemKind
from checkins.results import Reason, Status
from checkins.roster import edits
from checkins.tables import CallIntent, Checkin
from ivr import routes
from ivr.records import Call
from ivr.twilio.signature import HEADER
from joints import Desk
from tests.e2e.line import LINE, story
from tests.e2e.test_ladder import CHEN, LI, ZHOU, Street, _people
from tests.e2e.test_responder_calls import hears
from tests.fakes.call import FakeCall
from tests.fakes.carrier import ACCOUNT_SID, FakeCarrier

PIN = "864297"
OTHER_ELDER = "+862155500002"
NAMES = ("王阿婆", "张阿婆")


@asynccontextmanager
async def open_street(carrier: FakeCarrier, folder: Path, **settings: Any) -> AsyncIterator[Street]:
    async with story(carrier, folder, **settings) as line:
        elder = await line.elder()
        yield Street(line, elder, await line.house.db.run(lambda session: _people(session, line, elder)))


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """How soon we answer is told in one story below; a busy machine must not tell it in the others."""
    monkeypatch.setattr(routes, "ANSWER_S", 20.0)


@pytest_asyncio.fixture
async def street(carrier: FakeCarrier, tmp_path: Path) -> AsyncIterator[Street]:
    async with open_street(carrier, tmp_path) as street:
        yield street


def voice(street: Street) -> str:
    """The address that is set up at the carrier for calls to our number."""
    return f"{street.line.house.base_url}/twilio/voice"


def rings_in(street: Street, number: str) -> FakeCall:
    """As docs/operations.md has it set up: the same two addresses for every call to our number."""
    status = f"{street.line.house.base_url}/twilio/status"
    return street.line.carrier.rings_in(number, voice(street), status_callback=status)


async def gives_pin(street: Street, number: str = LI) -> None:
    now = street.line.house.clock.now()
    await street.line.house.db.run(lambda s: pins.set_pin(s, street.people[number], PIN, "陈老师", now))


async def over(street: Street, call: FakeCall) -> None:
    """The call has ended and its news is taken in."""
    await call.ended()
    await street.line.carrier.idle()
    async with asyncio.timeout(20):
        while street.line.house.media.live():
            await asyncio.sleep(0.01)
    await street.line.house.telephone.sweep()


async def all_of(street: Street, table: Any) -> list[Any]:
    return list(await street.line.house.db.view(lambda session: session.scalars(select(table)).all()))


async def opened(street: Street) -> list[tuple[str, str | None]]:
    found = await street.line.house.db.view(items.open_items)
    return [(item.kind, item.person_id) for item in found]


async def test_a_buddy_rings_in_within_half_an_hour_nobody_opens_and_duty_is_rung(street: Street) -> None:
    line = street.line
    await street.unreached()
    out = street.rings(LI)
    await line.later(seconds=1)
    await street.answers(out, ("greet.ask", "1"), ("visit.ask", "1"))
    await line.later(minutes=12)
    call = rings_in(street, LI)
    await call.hears("greet.ask")
    assert not await hears(line, call, "王阿婆")
    await street.answers(call, ("greet.again", "1"), ("doubt.ask", "3"))
    assert await hears(line, call, "王阿婆")
    duty = street.rings(CHEN)
    await line.later(seconds=1)
    await street.answers(duty, ("greet.ask", "1"), ("visit.ask", "1"))
    assert (await line.now(street.elder)).owner == "陈老师"
    said = [event for event in await street.events() if event[0].startswith(("rang_in", "found"))]
    assert said == [("rang_in", "李阿姨"), ("found:nobody_opens", "李阿姨")]


@pytest.mark.row("老伙伴 以老帮老")
@pytest.mark.parametrize("media", ["stream", "verbs"])
async def test_老伙伴_以老帮老(
    carrier: FakeCarrier, tmp_path: Path, media: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A buddy logs a visit by keys and PIN in under a minute. When nobody logs one for more than a week, staff have an
    item; while she is on leave, her elder who doesn't answer is her substitute's."""
    async with open_street(carrier, tmp_path, media=media) as street:
        await gives_pin(street)
        call = rings_in(street, LI)
        await call.hears("pin.ask")
        assert not await hears(street.line, call, "王阿婆")
        call.presses(PIN)
        for prompt in ("kind.ask", "visited.ask"):
            await call.hears(prompt)
            call.presses("1")
        await call.hears("visited.fine")
        call.hangs_up()
        await over(street, call)
        assert call.log[-1].at_ms < 60_000
        (contact,) = await all_of(street, Contact)
        assert (contact.elder_id, contact.buddy_id) == (street.elder, street.people[LI])
        assert (contact.kind, contact.condition) == ("visited", "fine")
        assert await all_of(street, Checkin) == [], "nothing of her own call today is done or undone"
        written = str(await street.line.log()) + str([row.session for row in await all_of(street, Call)]) + caplog.text
        assert PIN not in written
        if media == "stream":
            await _a_week_without_her(street)


async def _a_week_without_her(street: Street) -> None:
    """Li is on leave, and nobody logs a contact; then nobody answers at her elder's."""
    line, now = street.line, street.line.house.clock.now()
    away = now + timedelta(days=20)
    await line.house.db.run(lambda s: edits.put_on_leave(s, street.people[LI], now, away, "书记", now))
    line.carrier.clock.advance(hours=24 * 9)
    await ContactRounds(line.house.db, line.house.clock).look()
    assert (ItemKind.CONTACT_MISSED, street.elder) in await opened(street)
    await street.unreached()
    substitute = street.rings(ZHOU)
    await line.later(seconds=1)
    await street.answers(substitute, ("greet.ask", "1"), ("visit.ask", "1"))
    assert (await line.now(street.elder)).owner == "周阿姨"


async def test_five_wrong_pins_over_two_calls_lock_it_and_staff_are_told(street: Street) -> None:
    await gives_pin(street)
    call = rings_in(street, LI)
    for _ in range(3):
        await call.hears("pin.ask")
        call.presses("1357#")
    await call.hears("pin.bye")
    await over(street, call)
    assert await opened(street) == []
    call = rings_in(street, LI)
    for _ in range(2):
        await call.hears("pin.ask")
        call.presses("1357#")
    await call.hears("pin.locked")
    await over(street, call)
    assert await opened(street) == [(ItemKind.PIN_LOCKED, street.people[LI])]
    call = rings_in(street, LI)
    await call.hears("pin.ask")
    call.presses(PIN)
    await call.hears("pin.locked")
    assert not await hears(street.line, call, "王阿婆")
    await over(street, call)


async def test_could_not_reach_rings_somebody_while_the_buddy_is_still_on_the_line(street: Street) -> None:
    line = street.line
    await gives_pin(street)
    call = rings_in(street, LI)
    await call.hears("pin.ask")
    call.presses(PIN)
    await call.hears("kind.ask")
    call.presses("3")
    await call.hears("missed.say")
    row = await line.now(street.elder)
    assert (row.status, row.reason) == (Status.NEEDS_PERSON, Reason.BUDDY_MISSED)
    other = street.rings(ZHOU, "no_answer")
    await line.later(seconds=1)
    await other.ended()
    call.hangs_up()
    await over(street, call)
    assert [contact.kind for contact in await all_of(street, Contact)] == ["could_not_reach"]
    assert [what for what, _ in await street.events()].count("contact:could_not_reach") == 1


async def test_a_buddy_without_a_pin_hears_that_somebody_will_ring(street: Street) -> None:
    call = rings_in(street, LI)
    await call.hears("pin.none")
    await over(street, call)
    assert not await hears(street.line, call, "王阿婆")
    assert await opened(street) == [(ItemKind.NO_PIN, street.people[LI])]


# ── the webhook itself ────────────────────────────────────────────────────────────────────────────


def form(number: str = LI) -> list[tuple[str, str]]:
    fixed = {"AccountSid": ACCOUNT_SID, "CallSid": "CA1", "Direction": "inbound", "CallStatus": "ringing", "To": LINE}
    return [*fixed.items(), ("From", number)]


async def test_the_same_webhook_again_is_the_same_call(street: Street) -> None:
    carrier = street.line.carrier
    for _ in range(3):
        answer = await carrier.webhooks.send(voice(street), form())
        assert "<Stream" in answer.text
    (call,), (intent,) = await all_of(street, Call), await all_of(street, CallIntent)
    assert call.id == intent.id
    assert call.carrier_sid == "CA1"


async def test_one_that_is_not_signed_changes_nothing(street: Street) -> None:
    webhooks = street.line.carrier.webhooks
    answer = await webhooks._client.post(voice(street), data=dict(form()), headers={HEADER: "x"})
    assert answer.status_code == 403
    assert await all_of(street, Call) == await all_of(street, CallIntent) == []


async def test_who_is_not_known_in_time_is_asked_to_wait_and_served_then(
    street: Street, monkeypatch: pytest.MonkeyPatch, errors_logged: list[str]
) -> None:
    carrier, gate = street.line.carrier, asyncio.Event()
    known = Desk.rang_in

    async def slow(desk: Desk, call_id: str, number: str, key: str | None = None) -> object:
        await gate.wait()
        return await known(desk, call_id, number, key)

    monkeypatch.setattr(Desk, "rang_in", slow)
    monkeypatch.setattr(routes, "ANSWER_S", 0.05)
    answer = await carrier.webhooks.send(voice(street), form())
    assert "line.sorry" in answer.text
    monkeypatch.setattr(routes, "ANSWER_S", 20.0)
    gate.set()
    (call_id,) = {part.split("&")[0] for part in answer.text.split("call=")[1:]}
    answer = await carrier.webhooks.send(f"{street.line.house.base_url}/twilio/verbs?call={call_id}&tries=1", form())
    assert "pin.none" in answer.text
    errors_logged.clear()


@pytest.mark.parametrize("media", ["stream", "verbs"])
async def test_a_buddy_and_her_mother_have_one_telephone(carrier: FakeCarrier, tmp_path: Path, media: str) -> None:
    async with open_street(carrier, tmp_path, media=media) as street:
        await gives_pin(street)
        mother = await street.line.elder("赵秀英", LI, slot=10 * 60)
        call = rings_in(street, LI)
        await call.hears("line.who")
        call.presses("1")
        await call.hears("pin.ask")
        call.hangs_up()
        await over(street, call)
        call = rings_in(street, LI)
        await call.hears("line.who")  # and she presses nothing
        await call.hears("menu.ask")
        call.presses("2")
        await call.hears("health.ask")
        call.presses("1")
        await call.hears("well.bye")
        call.hangs_up()
        await over(street, call)
        assert (await street.line.now(mother)).status == Status.CLOSED
