"""Staff record a sentence by telephone: what the flow asks of the program, and that nobody gets there without a PIN."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from checkins import items, pins
from checkins.items import ItemKind
from checkins.people import add_person
from checkins.ports import CallOutcome, CallRequest, Told
from checkins.reception import Reception
from checkins.ringing_in import Heard
from checkins.settling import settle
from checkins.tables import CallIntent, Role
from console import sentences
from console.prompt_desk import PromptDesk
from ivr.recordings import Recordings
from speech import g711
from speech.prompts import Prompts
from speech.published import Published
from speech.resample import from_floats, to_floats
from tests.unit.checkins.world import World
from tests.unit.speech.audio import prompt

CHEN, TEXT = "+862155510003", "收到。"
PIN = "864297"
AT = datetime(2026, 3, 2, tzinfo=UTC)
shipped = cache(sentences.shipped)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "_COST", (16, 8, 1))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(f"sqlite:///{tmp_path}/wenan.db") as world:
        yield world


class Booth:
    """One call of a member of staff, and the folder into which it publishes."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder / "human"
        self.recordings = Recordings(folder / "recordings")
        self.reception = Reception(world.db, world.clock)
        self.desk = PromptDesk(world.db, world.clock, self.recordings, self.folder, shipped)
        self._made = 0

    def staff(self, *, pin: bool = True, role: Role = Role.STAFF, recording: bool = True) -> str:
        now = self.world.clock.now()
        with self.world.db.write() as session:
            place = self.world.place_id
            person = add_person(session, place, "陈老师", "陈老师", CHEN, role=role, consents={"recording": recording})
            session.flush()
            if pin:
                pins.set_pin(session, person.id, PIN, "书记", now)
            return person.id

    async def rings(self) -> CallRequest | Heard:
        return await self.reception.rang_in("in-1", CHEN)

    async def asks(self, query: str, value: str = "") -> Told:
        return await self.desk.ask("in-1", query, "", value)

    async def records(self, times: int = 1) -> str:
        """A take of the sentence, so many times over."""
        self._made += 1
        audio = from_floats(np.tile(to_floats(prompt(TEXT)) * np.float32(0.4), times))
        return (await self.recordings.add("in-1", f"d{self._made}", AT, g711.ulaw_encode(audio))).path

    async def at_the_sentence(self, query: str = "prompt.zh") -> None:
        self.staff()
        await self.rings()
        assert (await self.reception.ask("in-1", "pin", "", PIN)).word == "right"
        assert (await self.asks(query)).word == "noted"
        assert (await self.asks("prompt.number", str(sentences.number_of(TEXT)))).word == "found"


@pytest_asyncio.fixture
async def booth(world: World, tmp_path: Path) -> AsyncIterator[Booth]:
    booth = Booth(world, tmp_path)
    yield booth
    await booth.recordings.close()


def flow(answer: CallRequest | Heard) -> str:
    return answer.flow if isinstance(answer, CallRequest) else answer.value


# ── who gets there ────────────────────────────────────────────────────────────────────────────────


async def test_staff_with_a_pin_reach_it_and_the_same_call_gets_the_same_answer(booth: Booth) -> None:
    chen = booth.staff()
    request = await booth.rings()
    assert isinstance(request, CallRequest)
    assert (request.flow, [one.id for one in request.callees]) == ("record_prompts", [chen])
    assert (request.callees[0].records, request.callees[0].transcribes) == (True, False)
    assert await booth.rings() == request


@pytest.mark.parametrize("role", [Role.FAMILY, Role.BUDDY])
async def test_others_never_reach_it(booth: Booth, role: Role) -> None:
    booth.staff(role=role)
    assert flow(await booth.rings()) == "stranger"


async def test_staff_without_a_pin_never_reach_it(booth: Booth) -> None:
    booth.staff(pin=False)
    assert flow(await booth.rings()) == "stranger"


async def test_an_elder_behind_the_same_number_comes_first(booth: Booth) -> None:
    booth.staff()
    booth.world.elder(number=CHEN)
    assert flow(await booth.rings()) == "rings_in"


async def test_before_the_pin_nothing_is_answered(booth: Booth, caplog: pytest.LogCaptureFixture) -> None:
    booth.staff()
    await booth.rings()
    assert (await booth.asks("prompt.zh")).word == ""
    assert (await booth.reception.ask("in-1", "pin", "", "135790")).word == "wrong"
    assert (await booth.asks("prompt.publish_anyway")).word == ""
    assert "nobody in it has given a PIN" in caplog.text
    caplog.clear()


async def test_a_cry_for_help_in_it_is_told_once(booth: Booth) -> None:
    chen = booth.staff()
    await booth.rings()
    cry = CallOutcome("in-1", AT, final=False, alarm="distress", alarm_person=chen)
    with booth.world.db.write() as session:
        assert [settle(session, cry, AT), settle(session, cry, AT)] == [True, False]
    with booth.world.db.read() as session:
        assert [(one.kind, one.by_id) for one in items.open_items(session)] == [(ItemKind.CRIED, chen)]


# ── recording ─────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_published_is_what_was_played_back(booth: Booth, tmp_path: Path) -> None:
    await booth.at_the_sentence()
    told = await booth.asks("prompt.check", await booth.records())
    assert told.word == "good"
    assert (await booth.asks("prompt.publish")).word == (await booth.asks("prompt.publish")).word == "published"
    line = Prompts(cache=tmp_path / "cache", human=booth.folder)
    assert line.find(TEXT) == booth.recordings.read(told.values["take"])
    (entry,) = Published(booth.folder).history()
    with booth.world.db.read() as session:
        assert entry.by == session.get_one(CallIntent, "in-1").responder


async def test_what_is_doubtful_needs_one_more_press(booth: Booth) -> None:
    await booth.at_the_sentence()
    assert (await booth.asks("prompt.check", await booth.records(6))).word == "long"
    assert (await booth.asks("prompt.publish")).word == "doubtful"
    assert Published(booth.folder).history() == []
    assert (await booth.asks("prompt.publish_anyway")).word == "published"


async def test_silence_and_what_is_not_here_are_never_published(booth: Booth) -> None:
    await booth.at_the_sentence()
    assert (await booth.asks("prompt.check", await booth.records())).word == "good"
    silent = (await booth.recordings.add("in-1", "silent", AT, b"\xff" * 8000)).path
    assert (await booth.asks("prompt.check", silent)).word == "silent"
    assert (await booth.asks("prompt.check")).word == "later"
    assert (await booth.asks("prompt.publish_anyway")).word == ""


async def test_another_sentence_forgets_the_take(booth: Booth) -> None:
    await booth.at_the_sentence()
    await booth.asks("prompt.check", await booth.records())
    assert (await booth.asks("prompt.number", "10000")).word == "unknown"
    assert (await booth.asks("prompt.next")).word == "found"
    assert (await booth.asks("prompt.publish_anyway")).word == ""


async def test_in_shanghainese_it_has_a_place_of_its_own_and_is_played_next_time(booth: Booth, tmp_path: Path) -> None:
    await booth.at_the_sentence("prompt.wuu")
    await booth.asks("prompt.check", await booth.records())
    await booth.asks("prompt.publish")
    found = await booth.asks("prompt.number", str(sentences.number_of(TEXT)))
    assert booth.recordings.read(found.values["present"])
    line = Prompts(cache=tmp_path / "cache", human=booth.folder)
    assert line.find(TEXT, "wuu") == booth.recordings.read(found.values["present"]) != line.find(TEXT, "zh")
