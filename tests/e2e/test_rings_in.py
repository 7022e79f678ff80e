"""Elders ring in, and people whom no list knows: over a real carrier's protocol, by keys and by voice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from checkins import alarms, items
from checkins.items import ItemKind
from checkins.results import LINE, Reason, Result, Status, Urgency
from checkins.tables import CallIntent, Checkin, Person, State
from demo.clips import load
from speech.engines.whisper_engine import WhisperRecogniser
from tests.e2e.line import ELDER, story
from tests.e2e.test_ladder import CHEN, DAUGHTER, LI, Street, _people
from tests.e2e.test_responder_calls import hears
from tests.e2e.test_ringing_in import all_of, opened, over, rings_in
from tests.fakes.call import FakeCall
from tests.fakes.carrier import FakeCarrier
from tests.fakes.ears import ScriptedRecogniser
from tests.unit.speech.conftest import whisper

__all__ = ["whisper"]  # a fixture
UNKNOWN = "+862155512345"


@pytest_asyncio.fixture
async def ear() -> ScriptedRecogniser:
    return ScriptedRecogniser()


@pytest_asyncio.fixture
async def street(carrier: FakeCarrier, tmp_path: Path, ear: ScriptedRecogniser) -> AsyncIterator[Street]:
    async with story(carrier, tmp_path, [ear]) as line:
        elder = await line.elder(slot=10 * 60)
        yield Street(line, elder, await line.house.db.run(lambda session: _people(session, line, elder)))


async def presses(call: FakeCall, *keys: tuple[str, str]) -> None:
    """Each key after the prompt that asks for it."""
    for prompt, key in keys:
        await call.hears(prompt)
        call.presses(key)


async def test_well_before_her_call_by_key(street: Street) -> None:
    call = rings_in(street, ELDER)
    await presses(call, ("menu.ask", "2"), ("health.ask", "1"), ("more.ask", "4"))
    await call.hears("bye.say")
    await over(street, call)
    row = await street.line.now(street.elder)
    assert (row.status, row.result, row.evidence, row.closed_by) == (Status.CLOSED, Result.WELL, "key", LINE)
    await street.line.later(hours=2)  # an unexpected call would fail here


async def test_well_by_verbs_too(carrier: FakeCarrier, tmp_path: Path) -> None:
    async with story(carrier, tmp_path, media="verbs") as line:
        elder = await line.elder(slot=10 * 60)
        street = Street(line, elder, {})
        call = rings_in(street, ELDER)
        await presses(call, ("menu.ask", "2"), ("health.ask", "1"), ("more.ask", "4"))
        await over(street, call)
        assert (await line.now(elder)).status == Status.CLOSED


async def test_well_stops_the_search_and_the_buddy_on_the_way_is_told(carrier: FakeCarrier, tmp_path: Path) -> None:
    async with story(carrier, tmp_path) as line:
        elder = await line.elder()
        street = Street(line, elder, await line.house.db.run(lambda session: _people(session, line, elder)))
        await street.unreached()
        out = street.rings(LI)
        await line.later(seconds=1)
        await street.answers(out, ("greet.ask", "1"), ("visit.ask", "1"))
        await line.later(minutes=5)
        call = rings_in(street, ELDER)
        await call.hears("missed.say")
        await presses(call, ("health.ask", "1"))
        await call.hears("well.bye")
        call.hangs_up()
        await over(street, call)
        row = await line.now(elder)
        assert (row.status, row.closed_by) == (Status.CLOSED, LINE)
        assert ("own:well", "王秀英") in await street.events()
        taken = street.rings(LI)
        await line.later(minutes=2)
        await presses(taken, ("greet.ask", "1"))
        await taken.hears("taken.say")
        await taken.ended()
        await street.over()


async def test_not_well_is_dictated_and_duty_is_rung(street: Street, ear: ScriptedRecogniser) -> None:
    line = street.line
    await line.later(hours=1)  # at work
    call = rings_in(street, ELDER)
    await presses(call, ("menu.ask", "2"), ("health.ask", "2"))
    await call.hears("unwell.ask")
    ear.will_hear("膝盖疼了两天了")
    call.says(some_words(street))
    await call.hears("unwell.bye")
    await over(street, call)
    row = await line.now(street.elder)
    assert (row.status, row.reason, row.answer["text"]) == (
        Status.NEEDS_PERSON,
        Reason.NOT_WELL,
        "膝盖疼了两天了",
    )
    duty = street.rings(CHEN)
    await line.later(seconds=1)
    await street.answers(duty, ("greet.ask", "1"), ("visit.ask", "1"))


def some_words(street: Street) -> bytes:
    audio = street.line.house.prompts.find("您多保重,再会。")
    assert audio, "the prompt pack lacks the goodbye"
    return audio


async def test_0_is_a_person_who_is_rung_out_of_her_call(street: Street) -> None:
    line = street.line
    await line.later(hours=1)
    duty = street.rings(CHEN)
    call = rings_in(street, ELDER)
    await presses(call, ("menu.ask", "0"))
    await call.hears("person.ask")
    await presses(duty, ("greet.ask", "1"))
    await call.bridged()
    duty.hangs_up()
    await call.hears("person.bye")
    await over(street, call)
    row = await line.now(street.elder)
    assert (row.status, row.reason, row.owner) == (Status.NEEDS_PERSON, Reason.WANTS_PERSON, "陈老师")


async def test_away_for_three_days_by_key(street: Street) -> None:
    call = rings_in(street, ELDER)
    await presses(call, ("menu.ask", "2"), ("health.ask", "3"), ("away.ask", "3#"), ("away.confirm", "1"))
    await call.hears("away.bye")
    call.hangs_up()
    await over(street, call)
    (person,) = [one for one in await all_of(street, Person) if one.id == street.elder]
    assert (person.state, person.state_source) == (State.PAUSED, "by phone")
    assert await opened(street) == [(ItemKind.AWAY, street.elder)]
    await street.line.later(hours=2)


async def test_two_behind_one_number_and_the_second_is_not_well(street: Street) -> None:
    other = await street.line.elder("赵秀英", slot=10 * 60)
    call = rings_in(street, ELDER)
    await presses(call, ("who.ask", "2"), ("menu.ask", "2"), ("health.ask", "2"))
    await call.hears("unwell.ask")
    call.hangs_up()
    await over(street, call)
    assert (await street.line.now(other)).reason == Reason.NOT_WELL
    assert (await street.line.now(street.elder)).status == Status.PLANNED


async def test_a_cry_in_the_menu_rings_duty_and_family_while_she_is_on_the_line(
    street: Street, ear: ScriptedRecogniser
) -> None:
    line = street.line
    duty, daughter = street.rings(CHEN, "no_answer"), street.rings(DAUGHTER, "no_answer")
    call = rings_in(street, ELDER)
    await call.hears("menu.ask")
    ear.will_hear("救命")
    call.says(some_words(street))
    await call.hears("emergency.ask")
    row = await line.now(street.elder)
    assert (row.reason, row.urgency) == (Reason.EMERGENCY, Urgency.EMERGENCY)
    await line.later(seconds=1)
    call.hangs_up()
    await duty.ended()
    await daughter.ended()
    await over(street, call)


async def test_well_by_voice(street: Street, ear: ScriptedRecogniser) -> None:
    call = rings_in(street, ELDER)
    await call.hears("menu.ask")
    ear.will_hear("身体蛮好")
    call.says(some_words(street))
    await call.hears("well.bye")
    call.hangs_up()
    await over(street, call)
    row = await street.line.now(street.elder)
    assert (row.status, row.result, row.evidence) == (Status.CLOSED, Result.WELL, "speech")


# ── whom no list knows ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", ["anonymous", UNKNOWN])
async def test_a_stranger_is_listened_to_and_hears_no_name(
    street: Street, ear: ScriptedRecogniser, number: str
) -> None:
    call = rings_in(street, number)
    await presses(call, ("record.ask", "1"))
    for prompt, said in (("name.ask", "张三三号楼"), ("matter.ask", "路灯坏了")):
        await call.hears(prompt)
        ear.will_hear(said)
        call.says(some_words(street))
    await call.hears("filed.say", within_s=120)
    assert not await hears(street.line, call, "王阿婆")
    await over(street, call)
    (intent,) = await all_of(street, CallIntent)
    assert (intent.flow, intent.state) == ("stranger", "settled")
    assert await all_of(street, Checkin) == []


async def test_a_stranger_who_wants_no_recording_is_rung_back(street: Street) -> None:
    call = rings_in(street, UNKNOWN)
    await presses(call, ("record.ask", "2"))
    await call.hears("person.say")
    await over(street, call)
    (item,) = await street.line.house.db.view(items.open_items)
    assert (item.kind, (item.detail or {})["number"]) == (ItemKind.STRANGER_RANG, UNKNOWN)
    assert await street.line.log("recording") == [], "nor is the call"


async def test_a_stranger_s_cry_is_an_alarm_for_whoever_is_on_duty(street: Street, ear: ScriptedRecogniser) -> None:
    call = rings_in(street, UNKNOWN)
    await call.hears("record.ask")
    ear.will_hear("救命")
    call.says(some_words(street))
    await call.hears("emergency.ask")
    (item,) = await street.line.house.db.view(items.open_items)
    assert (item.kind, (item.detail or {})["number"]) == (ItemKind.CRIED, UNKNOWN)
    (alarm,) = await street.line.house.db.view(alarms.open_alarms)
    assert alarm.kind == "cried"
    call.hangs_up()
    await over(street, call)


# ── a real voice ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.weights
async def test_a_real_voice_says_that_she_is_well_and_cries_for_help(
    carrier: FakeCarrier, tmp_path: Path, whisper: WhisperRecogniser
) -> None:
    async with story(carrier, tmp_path, [whisper]) as line:
        elder = await line.elder(slot=10 * 60)
        street = Street(line, elder, {})
        call = rings_in(street, ELDER)
        await call.hears("menu.ask")
        call.says(load()("zf_xiaoyi/well_body"))
        await call.hears("more.ask")
        row = await line.now(elder)
        assert row.status == Status.PLANNED, "what she says counts when the call is over"
        call.says(load()("zf_xiaoyi/help_come"))
        await call.hears("emergency.ask")
        row = await line.now(elder)
        assert (row.reason, row.urgency) == (Reason.EMERGENCY, Urgency.EMERGENCY)
        call.hangs_up()
        await over(street, call)
        said = [(each["meaning"], each["certain"]) for _, each in await line.log("heard")]
        assert said[0] == ("well", True)
