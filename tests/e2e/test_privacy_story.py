"""隐私, with audio and in virtual time: who hears that they are recorded, who isn't, and who has listened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from checkins import consents
from checkins.consents import Word
from checkins.people_csv import CONSENTS
from checkins.register_log import How
from cli.spoken_files import log_listening
from community.tables import Complaint, Dictation
from ivr.records import CallEvent
from tests.e2e.line import Story, story
from tests.e2e.test_complaint_story import presses, rings_in, spoken
from tests.e2e.test_rings_in import UNKNOWN
from tests.fakes.call import FakeCall
from tests.fakes.carrier import FakeCarrier
from tests.fakes.ears import ScriptedRecogniser

NOTICE = "您讲的话会录音,也会写成文字,只给居委会的人。可以录音,请按1;不要录音,请按2。"


async def recorded(line: Story) -> list[str]:
    """All audio that is kept, but for what the line itself says."""
    return [str(path) for path in sorted((line.house.settings.data_dir / "recordings").rglob("*.ulaw"))]


async def says_something(line: Story, ear: ScriptedRecogniser, call: FakeCall) -> None:
    await presses(call, ("menu.ask", "1"))
    await call.hears("complaint.record")
    ear.will_hear("楼道的灯坏了。")
    call.says(spoken(line))
    call.presses("#")
    await presses(call, ("complaint.ask", "1"), ("complaint.to", "2"), ("more.ask", "4"))
    await call.ended()


@pytest.mark.row("隐私")
async def test_隐私(carrier: FakeCarrier, tmp_path: Path) -> None:
    """A stranger hears first that what they say is recorded, and nothing is when they say no. An elder without consent
    to record is served by keys and a person; once she agrees to be recorded, and not to be written down, there is a
    recording and no text. Whoever listens stands in the call's log. Deletion on time comes with its own work."""
    ear = ScriptedRecogniser()
    async with story(carrier, tmp_path, [ear]) as line:
        without = {**dict.fromkeys(CONSENTS, True), "recording": False, "transcription": False}
        elder = await line.elder(slot=20 * 60, consents=without)
        base = line.house.base_url
        call = line.carrier.rings_in(UNKNOWN, f"{base}/twilio/voice", status_callback=f"{base}/twilio/status")
        await call.hears("record.ask")
        assert await line.house.prompts.get(NOTICE) in call.heard, "said before anything is recorded"
        call.presses("2")
        await call.hears("person.say")
        await call.ended()
        call = await rings_in(line)
        await presses(call, ("menu.ask", "1"))
        await call.hears("person.say", within_s=60)
        await call.ended()
        await line.row(elder)
        assert await recorded(line) == []

        now, word = line.house.clock.now(), Word("陈老师", how=How.PAPER)
        await line.house.db.run(lambda s: consents.change(s, elder, {"recording": True}, word, now))
        await says_something(line, ear, await rings_in(line))
        await line.row(elder)
        (said,) = await line.house.db.view(lambda session: session.scalars(select(Dictation)).all())
        assert (said.transcript, bool(said.recording)) == ("", True), "recorded, and not written down"

        await line.house.db.run(lambda session: log_listening(session, [said], "陈老师", now))
        listened = await line.house.db.view(_listened)
        assert listened == [{"path": said.recording, "who": "陈老师"}]


def _listened(session: Any) -> list[Any]:
    query = select(CallEvent.detail).where(CallEvent.kind == "listened")
    assert session.scalars(select(Complaint)).one().caller_number is None
    return list(session.scalars(query))
