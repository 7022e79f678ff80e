"""The ladder over a real carrier's protocol, in virtual time, with audio both ways: from a call that nobody answers
to a name that closes the case in the console; and an emergency that rings duty and family at once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from checkins import cases
from checkins.errands import REASONS
from checkins.people import add_person
from checkins.results import Reason, Status
from checkins.roster import edits
from checkins.roster.values import Rotation
from checkins.schedule import local_date
from checkins.tables import Role
from demo.clips import load
from ivr.virtual.acoustics import sounds
from tests.e2e.line import COMMITTEE, ELDER, ZONE, Story, story
from tests.fakes.accounts import log_in
from tests.fakes.call import FakeCall
from tests.fakes.carrier import FakeCarrier

LI, ZHOU, CHEN, DAUGHTER = "+862155510001", "+862155510002", "+862155510003", "+862155510004"


@dataclass
class Street:
    line: Story
    elder: str
    people: dict[str, str]

    def rings(self, number: str, phone: str = "answers") -> FakeCall:
        return self.line.carrier.expect_call(number, phone)

    async def over(self) -> Any:
        """All calls are over and their news taken in."""
        return await self.line.row(self.elder)

    async def events(self) -> list[tuple[str, str]]:
        row = await self.line.now(self.elder)
        found = await self.line.house.db.view(lambda session: cases.events(session, row.checkin_id))
        return [(event.what, event.who) for event in found]

    async def moments(self) -> dict[str, datetime]:
        """What happened to the case, and when first."""
        row = await self.line.now(self.elder)
        found = await self.line.house.db.view(lambda session: cases.events(session, row.checkin_id))
        return {event.what.split(":")[0]: event.at for event in reversed(found)}

    async def unreached(self) -> None:
        for wait in (0, 15, 30):
            call = self.rings(ELDER, "no_answer")
            await self.line.later(minutes=wait)
            await call.ended()
        assert (await self.over()).reason is Reason.UNREACHED

    async def answers(self, call: FakeCall, *keys: tuple[str, str], told: Sequence[str] = ()) -> None:
        """Picks up and says so; presses each key after the prompt that asks for it. `told`: what has come to their ear
        by then, as it is rendered, and what had not before the first key but for the committee."""
        call.says(load()("zm_yunjian/hello"))
        for prompt, key in keys:
            await call.hears(prompt)
            if told and prompt == "greet.ask":
                assert [text for text in told if await self.heard(call, text)] == [COMMITTEE]
            call.presses(key)
        await call.hears("bye.say")
        await call.ended()
        assert [text for text in told if not await self.heard(call, text)] == []
        await self.over()

    async def heard(self, call: FakeCall, text: str) -> bool:
        """Whether this text's audio, which is no silence, came to the other end, whole."""
        audio = await self.line.house.prompts.get(text)
        assert sounds(audio), text
        return audio in call.heard

    async def closes(self, by: str, finding: str) -> None:
        """In the console, in a browser on this machine."""
        case = (await self.line.now(self.elder)).checkin_id
        async with httpx.AsyncClient(base_url=self.line.house.base_url, trust_env=False) as browser:
            log_in(self.line.house.db, browser, by)
            page = (await browser.get(f"/case/{case}")).text
            shown = dict(re.findall(r'name="(token|seen|heard)" value="([^"]+)"', page))
            form = {"finding": finding, **shown}
            assert (await browser.post(f"/case/{case}/close", data=form)).status_code == 303


@pytest_asyncio.fixture
async def street(carrier: FakeCarrier, tmp_path: Path) -> AsyncIterator[Street]:
    async with story(carrier, tmp_path) as line:
        elder = await line.elder()
        yield Street(line, elder, await line.house.db.run(lambda session: _people(session, line, elder)))


def _people(session: Any, line: Story, elder: str) -> dict[str, str]:
    now, place = line.house.clock.now(), line.place_id
    who = {LI: ("李阿姨", Role.BUDDY), ZHOU: ("周阿姨", Role.BUDDY), CHEN: ("陈老师", Role.STAFF)}
    who |= {DAUGHTER: ("王小妹", Role.FAMILY)}
    ids = {number: add_person(session, place, name, name, number, role=role).id for number, (name, role) in who.items()}
    for buddy in (LI, ZHOU):
        edits.pair(session, elder, ids[buddy], "书记", now)
    edits.set_family(session, elder, [ids[DAUGHTER]], "书记", now)
    edits.set_rotation(session, place, Rotation((ids[CHEN],), anchor=local_date(ZONE, now)), "书记", now)
    return ids


async def test_from_a_call_that_nobody_answers_to_a_name_that_closes(street: Street) -> None:
    line = street.line
    await street.unreached()
    call = street.rings(LI)
    await line.later(seconds=1)
    told = [COMMITTEE, "王阿婆", "三次没接电话"]
    await street.answers(call, ("greet.ask", "1"), ("visit.ask", "2"), told=told)
    call = street.rings(ZHOU)
    await line.later(seconds=1)
    await street.answers(call, ("greet.ask", "1"), ("visit.ask", "1"), told=told)
    row = await line.now(street.elder)
    assert (row.status, row.owner) == (Status.NEEDS_PERSON, "周阿姨")

    await line.later(seconds=1)
    call = street.rings(ZHOU)
    await line.later(minutes=26)
    await street.answers(call, ("greet.ask", "1"), ("seen.ask", "2"), told=told[:2])
    call = street.rings(CHEN)
    await line.later(seconds=1)
    found = next(reason for reason in REASONS if reason.startswith("需要帮助"))
    await street.answers(call, ("greet.ask", "1"), ("visit.ask", "1"), told=[*told[:2], found])
    row = await line.now(street.elder)
    assert (row.status, row.owner) == (Status.NEEDS_PERSON, "陈老师")
    await street.closes("陈老师", "已陪去医院")
    await line.later(minutes=40)
    row = await line.now(street.elder)
    assert (row.status, row.closed_by, row.finding) == (Status.CLOSED, "陈老师", "已陪去医院")
    said = [event for event in await street.events() if event[0].startswith(("reply", "found", "closed"))]
    assert said == [
        ("reply:declined", "李阿姨"),
        ("reply:accepted", "周阿姨"),
        ("found:needs_help", "周阿姨"),
        ("reply:accepted", "陈老师"),
        ("closed", "陈老师"),
    ]


@pytest.mark.row("一键报警")
async def test_一键报警(street: Street) -> None:
    """An elder presses 0 twice in her call: within three seconds duty and family are rung at once, while she is still
    on the line, and the case belongs to whoever accepts first by key; the other one is to hear so."""
    line = street.line
    hers = street.rings(ELDER)
    async with line.going_on():
        await hers.hears("greet.ask")
        duty, daughter = street.rings(CHEN), street.rings(DAUGHTER)
        pressed = line.house.clock.now()
        hers.presses("00")
        await line.understood(hers, street.elder, pressed + timedelta(seconds=3))
        for call in (duty, daughter):
            await call.rings()
            assert line.ordered_at(call) - pressed < timedelta(seconds=3)
    for call in (daughter, duty):
        await call.hears("greet.ask")
        call.presses("1")
        await call.hears("urgent.ask")
        call.presses("1")
        await call.hears("bye.say")
        await call.ended()
        while (await line.now(street.elder)).owner is None:
            await line.house.telephone.sweep()
    assert (await line.now(street.elder)).owner == "王小妹", "the first to accept has it"
    hers.hangs_up()
    await hers.ended()
    row = await street.over()
    assert (row.reason, row.owner, row.status) == (Reason.EMERGENCY, "王小妹", Status.NEEDS_PERSON)
    assert ("tell:taken", "陈老师") in await street.events(), "who came second is to hear so"


async def test_a_machine_that_takes_the_call_hears_no_name_and_takes_no_case(street: Street) -> None:
    await street.unreached()
    call = street.rings(LI)
    await street.line.later(seconds=1)
    await call.hears("greet.ask")
    await call.ended()
    row = await street.over()
    assert row.owner is None
    prompts = [detail["name"] for _, detail in await street.line.log("prompt")]
    assert not [name for name in prompts if name.startswith(("visit", "urgent"))]


class Crash(BaseException):
    """The process dies: nothing may catch it."""


async def test_a_crash_between_intent_and_dial_is_survived(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    line = street.line
    await street.unreached()

    async def dies(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(line.house.cycle._placer, "place", dies)
        with pytest.raises(Crash):
            await line.later(seconds=1)
    await line.later(seconds=61)  # nobody knows of it: given up, and counted as a call
    call = street.rings(LI)
    await line.later(minutes=5)
    await street.answers(call, ("greet.ask", "1"), ("visit.ask", "1"))
    assert (await line.now(street.elder)).owner == "李阿姨"
    assert line.carrier.tally()[LI] == 1
