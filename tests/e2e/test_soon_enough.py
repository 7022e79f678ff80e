"""How soon a person is rung in an emergency, with the line's own loop going on and real audio.

The loop looks once in ten minutes here, so that nobody is rung but whom the news itself wakes it for: without that
these stories end after a minute with "no ringing". Seconds are the line's: what the machine needs for them is not in
them (`python -m bench cries` measures that), the time that the ear waits is.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from demo.clips import load
from ivr.virtual.acoustics import frames
from speech import g711
from speech.ears import make_engine
from speech.recogniser import Recogniser
from tests.e2e.line import ELDER, story
from tests.e2e.test_devices import Detector, kitchen
from tests.e2e.test_ladder import CHEN, DAUGHTER, LI, ZHOU, Street, _people
from tests.fakes.carrier import FakeCarrier

__all__ = ["kitchen"]

ROOT = Path(__file__).parents[2]
WITHIN = timedelta(seconds=3)
LOUD = 300  # root mean square of a frame that is no breath


@pytest.fixture(scope="module")
def scorer() -> Recogniser:
    models = Path(os.environ.get("WENAN_MODELS") or ROOT / "data" / "models")
    engine, why = make_engine("phrase-scorer", models, workers=1, threads=1)
    if engine is None:
        pytest.skip(f"no phrase scorer: {why}")
    return engine


def spoken(clip: bytes) -> bytes:
    """Without the silence behind it: its last frame is the end of the word."""
    pieces = list(frames(clip))
    loud = [at for at, piece in enumerate(pieces) if g711.rms(g711.ulaw_decode(piece)) >= LOUD]
    return b"".join(pieces[: loud[-1] + 1])


@pytest.mark.weights
@pytest.mark.parametrize("voice", ["zf_xiaobei", "zm_yunyang"])
async def test_from_a_spoken_cry_to_the_first_ring_of_a_person(
    carrier: FakeCarrier, tmp_path: Path, scorer: Recogniser, voice: str
) -> None:
    async with story(carrier, tmp_path, [scorer]) as line:
        elder = await line.elder()
        street = Street(line, elder, await line.house.db.run(lambda session: _people(session, line, elder)))
        hers = street.rings(ELDER)
        async with line.going_on():
            await hers.hears("greet.ask")
            duty, daughter = street.rings(CHEN, "no_answer"), street.rings(DAUGHTER, "no_answer")
            cry = spoken(load()(f"{voice}/help"))
            said = line.house.clock.now() + timedelta(seconds=len(cry) / 8000)
            hers.says(cry)
            await line.understood(hers, elder, said + WITHIN)
            for call in (duty, daughter):
                await call.rings()
                assert line.ordered_at(call) - said < WITHIN
                await call.ended()
        hers.hangs_up()
        await hers.ended()
        await street.over()


async def test_a_detectors_message_rings_without_waiting_for_the_next_look(kitchen: Detector) -> None:
    street = kitchen.street
    async with street.line.going_on():
        sent = street.line.house.clock.now()
        calls = [street.rings(number, "no_answer") for number in (CHEN, DAUGHTER, LI, ZHOU, ELDER)]
        for call in calls:
            call.stands_still()  # else the first ring out while the carrier is still asked for the last
        await kitchen.sends()
        for call in calls:
            await call.rings()
            assert street.line.ordered_at(call) - sent < WITHIN
        for call in calls:
            call.goes_on()
        for call in calls:
            await call.ended()
