"""A complaint's whole way: dictated, heard, answered, rung back, not solved and why, heard, answered again by a voice,
rung back, solved, closed. With audio, in virtual time: by a Mandarin voice of the prompt pack, and in Shanghainese by
somebody who speaks it. That recording isn't ours to ship; where there is none ($WENAN_SHARED/speech-set,
docs/evaluation.md) its story skips visibly. Then: pauses, and calls that drop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import soundfile
import soxr
from sqlalchemy import select

from bench.evaluation.folder import default_folder
from checkins import items
from checkins.items import ItemKind
from community import rows, staff
from community.tables import Complaint, Dictation, Status, Wish
from ivr import playback
from ivr.records import CarrierRecording
from speech import g711
from tests.e2e.line import ELDER, Story, story
from tests.e2e.test_reply_call import well
from tests.fakes.call import FakeCall
from tests.fakes.carrier import FakeCarrier
from tests.fakes.ears import ScriptedRecogniser

MATTER = "3号楼的楼道灯坏了，晚上看不见。"  # as texts are kept
STILL = "晚上还是不亮。"
ONE_ROUND = ["heard", "replied", "told"]
FIRST = ["told", "heard", "discussed", "replied", "told"]  # she has asked how it stands; then what others say of it
WAY = ["filed", "wish", *FIRST, "not_solved", "still_wrong", *ONE_ROUND, "solved"]
FRAME = 160  # bytes: 20 ms
PAUSE_S = 3.0  # of a slow speaker; 4 s end a dictation


async def rings_in(line: Story) -> FakeCall:
    base = line.house.base_url
    return line.carrier.rings_in(ELDER, f"{base}/twilio/voice", status_callback=f"{base}/twilio/status")


async def presses(call: FakeCall, *keys: tuple[str, str]) -> None:
    """Each key after the prompt that asks for it."""
    for prompt, key in keys:
        await call.hears(prompt, within_s=120)
        call.presses(key)


async def dictates(line: Story, clip: bytes) -> FakeCall:
    """And hears it read back."""
    call = await rings_in(line)
    await presses(call, ("menu.ask", "1"))
    await call.hears("complaint.record")
    call.says(clip)
    call.presses("#")
    await call.hears("complaint.read", within_s=120)
    await presses(call, ("complaint.ask", "1"), ("complaint.to", "1"), ("more.ask", "4"))
    assert "number.say" in call.seen("prompt")
    await call.ended()
    return call


async def act(line: Story, work: Any, **values: Any) -> None:
    """Somebody of the committee does something about it."""
    now = line.house.clock.now()
    await line.house.db.run(lambda session: work(session, 1001, by="陈老师", now=now, **values))


async def look(line: Story) -> tuple[Complaint, list[Dictation], list[str]]:
    def work(session: Any) -> tuple[Complaint, list[Dictation], list[str]]:
        complaint = session.scalars(select(Complaint)).one()
        said = list(
            session.scalars(select(Dictation).where(Dictation.complaint_id == complaint.id).order_by(Dictation.id))
        )
        return complaint, said, [event.what for event in rows.events(session, complaint)]

    return await line.house.db.view(work)


async def open_items(line: Story) -> list[str]:
    return [item.kind for item in await line.house.db.view(items.open_items)]


async def rung(line: Story, told: str, key: str, still: bytes = b"") -> None:
    """The reply call: she hears the answer and presses this; then she says what is `still` wrong."""
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    await presses(call, ("greet.ask", "1"), (told, ""), ("solved.ask", key))
    if still:
        await call.hears("still.ask")
        call.says(still)
        call.presses("#")
    await call.hears("bye.say")
    await call.ended()


def spoken(line: Story) -> bytes:
    audio = line.house.prompts.find("您多保重,再会。")
    assert audio, "the prompt pack lacks the goodbye"
    return audio


def in_shanghainese() -> bytes:
    """A recording of the set, as the telephone has it."""
    folder = default_folder()
    clips = sorted((folder / "wu").glob("*.flac")) if folder else []
    if not clips:
        pytest.skip("no recording in Shanghainese: WENAN_SHARED names the folder that holds speech-set/wu")
    audio, rate = soundfile.read(clips[0], dtype="int16")
    return g711.ulaw_encode(soxr.resample(audio, rate, 8000).tobytes())


def whole(clip: bytes) -> bytes:
    """What of it is sent as whole frames."""
    return clip[: len(clip) // FRAME * FRAME]


@pytest.mark.row("社区通 议事厅, 回应模式")
@pytest.mark.parametrize("language", ["zh", "wuu"])
async def test_社区通_议事厅_回应模式(carrier: FakeCarrier, tmp_path: Path, language: str) -> None:
    """An elder says what is wrong and hears a number; staff listen, discuss it with the property manager and answer in
    their own voice; she is rung back until she has pressed that it is solved. Ringing in she hears how it stands."""
    ear = ScriptedRecogniser()
    async with story(carrier, tmp_path, [ear]) as line:
        clip = in_shanghainese() if language == "wuu" else spoken(line)
        elder = await line.elder(slot=9 * 60, language=language)
        ear.will_hear(MATTER)
        call = await dictates(line, clip)
        await line.row(elder)
        complaint, (said,), _ = await look(line)
        assert (complaint.number, complaint.status, complaint.wish) == (1001, Status.SENT, Wish.PUBLIC)
        assert (complaint.category, complaint.place, complaint.sorted_by) == ("路灯", "3号楼的楼道", None)
        assert whole(clip) in line.house.recordings.read(said.recording), "the recording is the record: every sample"
        assert (said.transcript, said.engine, said.confidence) == (MATTER, "vosk", 0.95)
        read_back = await playback.as_prompt(line.house.recordings, said.recording)
        assert read_back
        assert read_back in call.heard
        assert await open_items(line) == [ItemKind.COMPLAINT_NEW]

        line.carrier.clock.advance(minutes=30)
        await well(line, elder)
        call = await rings_in(line)
        await presses(call, ("menu.ask", "3"))
        await call.hears("waiting.number", within_s=120)
        await presses(call, ("more.ask", "4"))
        await call.ended()
        assert (await line.house.prompts.get("一零零一")) in call.heard, "status by telephone: its number"
        await act(line, staff.hear)
        await act(line, staff.discuss, who="物业王经理", text="灯是公用的，物业来换")
        await act(line, staff.reply, text="明天上午来修。")
        ear.will_hear(STILL)
        await rung(line, "reply.text", "2", still=spoken(line))
        await line.row(elder)
        complaint, (_, still), _ = await look(line)
        assert (complaint.status, complaint.rounds) == (Status.REOPENED, 1)
        assert (still.name, still.transcript) == ("still", STILL)
        assert whole(spoken(line)) in line.house.recordings.read(still.recording)
        assert sorted(await open_items(line)) == [ItemKind.COMPLAINT_ANSWER, ItemKind.COMPLAINT_NEW]

        line.carrier.clock.advance(hours=24)
        await well(line, elder)
        now = line.house.clock.now()
        answer = await line.house.recordings.add("reply", "answer", now, spoken(line))
        with pytest.raises(ValueError, match="nobody has listened"):
            await act(line, staff.reply, recording=answer.path)
        await act(line, staff.hear)
        await act(line, staff.reply, recording=answer.path)
        await rung(line, "reply.audio", "1")
        await line.row(elder)
        complaint, _, events = await look(line)
        assert (complaint.status, complaint.closed_by, complaint.rounds) == (Status.CLOSED, "王秀英", 1)
        assert not complaint.level_above
        assert await open_items(line) == []
        assert [what for what in events if what in WAY] == WAY
        await line.later(hours=8)  # a call that nobody expects would fail


async def fetched(line: Story) -> None:
    """What the carrier has recorded is here."""
    there = select(CarrierRecording.sid).where(CarrierRecording.deleted_at.is_(None))
    async with asyncio.timeout(20):
        while await line.house.db.view(lambda session: session.scalars(there).all()):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("media", ["stream", "verbs"])
async def test_a_pause_cuts_nothing_and_a_line_that_drops_loses_nothing(
    carrier: FakeCarrier, tmp_path: Path, media: str
) -> None:
    async with story(carrier, tmp_path, [ScriptedRecogniser()] if media == "stream" else [], media=media) as line:
        elder, clip = await line.elder(slot=9 * 60), spoken(line)
        call = await rings_in(line)
        await presses(call, ("menu.ask", "1"))
        await call.hears("complaint.record")
        call.says(clip)
        call.keeps_quiet(PAUSE_S)
        call.says(clip)
        call.hangs_up()  # and no key
        await call.ended()
        await line.row(elder)
        await fetched(line)
        complaint, (said,), _ = await look(line)
        assert (complaint.status, complaint.person_id) == (Status.INTERRUPTED, elder)
        kept = line.house.recordings.read(said.recording)
        assert kept.count(whole(clip)) == 2, "both, and the pause between them"
        assert len(kept) >= 2 * len(whole(clip)) + int(PAUSE_S * 8000)
        assert await open_items(line) == [ItemKind.COMPLAINT_INTERRUPTED]
