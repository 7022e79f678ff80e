"""Staff ring in and record a sentence: the next call plays exactly that audio. Over a real carrier's protocol."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from checkins import pins
from checkins.people import add_person
from checkins.tables import Role
from console.sentences import number_of
from speech import g711
from speech.pack import Packs
from speech.resample import Floats, from_floats, to_floats
from tests.e2e.line import ELDER, Story, story
from tests.e2e.test_ladder import CHEN, Street
from tests.e2e.test_ringing_in import PIN, over, rings_in
from tests.fakes.call import FakeCall
from tests.fakes.carrier import FakeCarrier

TEXT = "您好,这里是"


async def staffed(line: Story) -> Street:
    """A member of staff with a PIN, who may be recorded."""
    now = line.house.clock.now()
    more: dict[str, Any] = {"role": Role.STAFF, "consents": {"recording": True}}

    def work(session: Any) -> str:
        chen = add_person(session, line.place_id, "陈老师", "陈老师", CHEN, **more)
        session.flush()
        pins.set_pin(session, chen.id, PIN, "书记", now)
        return chen.id

    return Street(line, "", {CHEN: await line.house.db.run(work)})


def voice(gain: float) -> bytes:
    """A voice that no pack has: the sentence backwards."""
    known = Packs().get(TEXT, "zh")
    assert known
    samples: Floats = to_floats(g711.ulaw_decode(known))[::-1]
    return g711.ulaw_encode(from_floats(np.asarray(samples * gain, np.float32)))


async def finds_it(line: Story, street: Street) -> FakeCall:
    """As far as the sentence, by its number."""
    call = rings_in(street, CHEN)
    for prompt, keys in (("pin.ask", PIN), ("language.ask", "1"), ("choose.ask", "2")):
        await call.hears(prompt)
        call.presses(keys)
    await call.hears("number.ask")
    call.presses(str(number_of(TEXT)))
    return call


async def records(call: FakeCall, clip: bytes) -> None:
    await call.hears("record.take", within_s=90)
    call.keeps_quiet(0.5)
    call.says(clip)
    call.keeps_quiet(0.5)
    call.presses("#")


async def test_what_staff_record_is_what_the_next_elder_hears(carrier: FakeCarrier, tmp_path: Path) -> None:
    async with story(carrier, tmp_path) as line:
        street = await staffed(line)
        call = await finds_it(line, street)
        await records(call, voice(0.3))
        await call.hears("take.ask", within_s=90)
        call.presses("1")
        await call.hears("published.say")
        (file,) = (tmp_path / "recorded-prompts" / "zh" / "phone").glob("*.ulaw")
        published = file.read_bytes()
        call.hangs_up()
        await over(street, call)
        (entry,) = map(json.loads, (tmp_path / "recorded-prompts" / "published.log").read_text("utf-8").splitlines())
        assert (entry["by"], entry["text"], entry["language"]) == (street.people[CHEN], TEXT, "zh")
        assert CHEN[3:] not in str(entry)
        await line.elder()
        hers = line.carrier.expect_call(ELDER)
        await line.later(minutes=30)
        await hers.hears("greet.ask")
        assert published in hers.heard
        assert (Packs().get(TEXT, "zh") or b"") not in hers.heard
        hers.hangs_up()
        await hers.ended()
