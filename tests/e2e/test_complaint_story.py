"""A complaint's whole way: dictated, heard, answered, rung back, not solved, answered again by a voice, rung back,
solved, closed. With audio, in virtual time. Dictated in Shanghainese, by somebody who speaks it, where there is such a
recording ($WENAN_SHARED/speech-set, docs/evaluation.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import soundfile
import soxr
from sqlalchemy import select

from bench.evaluation.folder import default_folder
from checkins import items
from checkins.items import ItemKind
from community import rows, staff
from community.tables import Complaint, Dictation, Status, Wish
from speech import g711
from tests.e2e.line import ELDER, Story, story
from tests.e2e.test_reply_call import well
from tests.fakes.call import FakeCall
from tests.fakes.carrier import FakeCarrier
from tests.fakes.ears import ScriptedRecogniser

MATTER = "三号楼的楼道灯坏了,晚上看不见。"
WAY = ["filed", "wish", "heard", "replied", "told", "not_solved", "replied", "told", "solved"]


async def rings_in(line: Story) -> FakeCall:
    base = line.house.base_url
    return line.carrier.rings_in(ELDER, f"{base}/twilio/voice", status_callback=f"{base}/twilio/status")


async def presses(call: FakeCall, *keys: tuple[str, str]) -> None:
    """Each key after the prompt that asks for it."""
    for prompt, key in keys:
        await call.hears(prompt, within_s=120)
        call.presses(key)


async def dictates(line: Story, clip: bytes) -> None:
    call = await rings_in(line)
    await presses(call, ("menu.ask", "1"))
    await call.hears("complaint.record")
    call.says(clip)
    call.presses("#")
    await presses(call, ("complaint.ask", "1"), ("complaint.to", "1"), ("more.ask", "4"))
    assert "number.say" in call.seen("prompt")
    await call.ended()


async def act(line: Story, work: Any, **values: Any) -> None:
    """Somebody of the committee does something about it."""
    now = line.house.clock.now()
    await line.house.db.run(lambda session: work(session, 1001, by="陈老师", now=now, **values))


async def look(line: Story) -> tuple[Complaint, list[Dictation], list[str]]:
    def work(session: Any) -> tuple[Complaint, list[Dictation], list[str]]:
        complaint = session.scalars(select(Complaint)).one()
        said = list(session.scalars(select(Dictation).where(Dictation.complaint_id == complaint.id)))
        return complaint, said, [event.what for event in rows.events(session, complaint)]

    return await line.house.db.view(work)


async def open_items(line: Story) -> list[str]:
    return [item.kind for item in await line.house.db.view(items.open_items)]


async def rung(line: Story, told: str, key: str) -> None:
    """The reply call: she hears the answer and presses this."""
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    await presses(call, ("greet.ask", "1"), (told, ""), ("solved.ask", key))
    await call.hears("bye.say")
    await call.ended()


def spoken(line: Story) -> bytes:
    audio = line.house.prompts.find("您多保重,再会。")
    assert audio, "the prompt pack lacks the goodbye"
    return audio


def in_shanghainese() -> bytes:
    """The first recording of the set; b"" where there is none."""
    folder = default_folder()
    clips = sorted((folder / "wu").glob("*.flac")) if folder else []
    if not clips:
        return b""
    audio, rate = soundfile.read(clips[0], dtype="int16")
    return g711.ulaw_encode(soxr.resample(audio, rate, 8000).tobytes())


async def test_from_what_is_wrong_to_solved(carrier: FakeCarrier, tmp_path: Path) -> None:
    ear = ScriptedRecogniser()
    async with story(carrier, tmp_path, [ear]) as line:
        elder, clip = await line.elder(slot=9 * 60), in_shanghainese() or spoken(line)
        ear.will_hear(MATTER)
        await dictates(line, clip)
        await line.row(elder)
        complaint, (said,), _ = await look(line)
        assert (complaint.number, complaint.status, complaint.wish) == (1001, Status.SENT, Wish.PUBLIC)
        assert line.house.recordings.read(said.recording), "the recording is the record"
        assert (said.seconds or 0) > len(clip) / 8000 - 1
        assert await open_items(line) == [ItemKind.COMPLAINT_NEW]

        line.carrier.clock.advance(minutes=30)
        await well(line, elder)
        await act(line, staff.hear)
        await act(line, staff.reply, text="明天上午来修。")
        await rung(line, "reply.text", "2")
        await line.row(elder)
        complaint, _, _ = await look(line)
        assert (complaint.status, complaint.rounds) == (Status.REOPENED, 1)
        assert await open_items(line) == [ItemKind.COMPLAINT_ANSWER]

        line.carrier.clock.advance(hours=24)
        await well(line, elder)
        now = line.house.clock.now()
        answer = await line.house.recordings.add("reply", "answer", now, spoken(line))
        await act(line, staff.reply, recording=answer.path)
        await rung(line, "reply.audio", "1")
        await line.row(elder)
        complaint, _, events = await look(line)
        assert (complaint.status, complaint.closed_by, complaint.rounds) == (Status.CLOSED, "王秀英", 1)
        assert not complaint.level_above
        assert await open_items(line) == []
        assert [what for what in events if what in WAY] == WAY
        await line.later(hours=8)  # a call that nobody expects would fail
