"""Recordings in prompts, over a stream's pump: a reply that staff recorded, and what was just dictated."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callflows import loader
from callflows.events import CallContext, DictationEnded, Key, Person, Say, Started, Verdict
from callflows.session import Session
from ivr import playback
from ivr.ports import Answers, Told
from ivr.recordings import Recordings
from speech import g711
from speech.loudness import TARGET_DBOV, active_level
from speech.prompts import TONE
from speech.resample import to_floats
from tests.unit.ivr.test_queries import BEEP, SILENT, Call, Desk
from tests.unit.ivr.test_utterances import words
from tests.unit.speech.audio import frames, quieter, silence

TELLER = loader.load(Path(__file__).parents[2] / "fakes/flows/teller.yaml")
WANG = CallContext((Person("e1", "王阿婆"),))
AT = datetime(2026, 11, 29, 8, tzinfo=UTC)
SPOKEN = g711.ulaw_encode(words())
GONE = "2026/11/29/gone.ulaw"


class Line(Call):
    """Keeps what was sent to the caller's ear."""

    def __init__(self, folder: Path, answers: Answers | None = None, *, records: bool = True) -> None:
        super().__init__(folder, TELLER, WANG, answers, records=records)
        self.sent = bytearray()

    async def hears(self, seconds: float, says: bytes = b"") -> None:
        """What the caller says (PCM), then silence; beside the audio all work is done before the next frame."""
        said = [g711.ulaw_encode(frame) for frame in frames(says)]
        for frame in [*said, *[SILENT] * round(seconds * 50)]:
            await self.asks()
            sent, marks = self.pump.tick(frame)
            self.sent += sent or b""
            for mark in marks:
                self.pump.mark(mark)

    async def chooses(self, key: str) -> None:
        await self.hears(3)
        self.sent.clear()
        self.pump.key(key)

    async def prompt(self, path: object) -> bytes:
        """The recording as it is played."""
        prompt = await playback.as_prompt(self.recordings, str(path))
        assert prompt
        return prompt

    def prompts(self) -> list[str]:
        return [str(entry.detail["name"]) for entry in self.book.entries if entry.kind == "prompt"]

    async def hangs_up(self) -> dict[str, object]:
        """What is known of the caller then."""
        await self.over()
        await self.recordings.close()
        return dict(self.pump.session.findings[0].detail)


async def recorded(folder: Path, label: str = "reply-1", ulaw: bytes = SPOKEN) -> str:
    house = Recordings(folder)
    path = (await house.add("i0", label, AT, ulaw)).path
    await house.close()
    return path


async def test_a_recorded_reply_is_played_as_loud_as_a_prompt(tmp_path: Path) -> None:
    path = await recorded(tmp_path, ulaw=g711.ulaw_encode(quieter(words(), 18)))
    call = Line(tmp_path, Desk(Told("answered", {"number": "一零零七", "reply_audio": path}), "none"))
    await call.chooses("2")
    await call.hears(6)
    prompt = await call.prompt(path)
    assert prompt in call.sent
    assert abs(active_level(to_floats(g711.ulaw_decode(prompt))) - TARGET_DBOV) < 1.5
    await call.hangs_up()
    assert call.prompts()[-4:] == ["status.number", "status.play", "status.look", "bye.say"]


NOT_TO_BE_PLAYED = [GONE, "../../etc/passwd", *(f"2026/11/29/i0-{label}.ulaw" for label in ("broken", "empty", "mute"))]


@pytest.mark.parametrize("path", NOT_TO_BE_PLAYED)
async def test_a_recording_that_is_missing_or_broken_is_as_if_it_had_not_been_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    (tmp_path / await recorded(tmp_path, "broken")).write_bytes(b"another sound")
    await recorded(tmp_path, "empty", b"")
    await recorded(tmp_path, "mute", g711.ulaw_encode(silence(2000)))
    call = Line(tmp_path, Desk(Told("answered", {"number": "一零零七", "reply_audio": path}), "none"))
    await call.chooses("2")
    await call.hears(3)
    await call.hangs_up()
    assert call.prompts()[-3:] == ["status.number", "status.look", "bye.say"]
    assert f"the recording {path} is missing or broken" in caplog.text


class Mute:
    """Can say everything but one thing."""

    def find(self, text: str, language: str = "zh") -> bytes | None:
        return None if text == "§§" else BEEP

    async def get(self, text: str, language: str = "zh") -> bytes:
        return TONE if text == "§§" else BEEP


@pytest.mark.parametrize(("text", "said"), [("§§", ["status.play", "status.look"]), ("修好了", ["status.reply"])])
async def test_a_text_that_nobody_can_speak_is_as_if_it_had_not_been_told(
    tmp_path: Path, text: str, said: list[str]
) -> None:
    path = await recorded(tmp_path)
    session = Session(TELLER, WANG)
    session.feed(Started())
    session.feed(Key("2", 0))
    verdict = Verdict("answered", {"number": "§§", "reply": text, "reply_audio": path})
    told = await playback.told(Recordings(tmp_path), session, verdict, Mute())
    assert told.values["number"] == "§§", "without it the flow would say something else"
    names = [output.name for output in session.feed(told) if isinstance(output, Say)]
    assert names[1 : 1 + len(said)] == said


async def test_where_it_is_found_broken_too_late_a_word_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    call = Line(tmp_path)
    await call.chooses("3")
    call.pump.feed(DictationEnded(6, 4, "", 0, "", GONE, "silence", "complaint.record"))
    await call.hears(2)
    assert call.sent.startswith(2 * BEEP)  # "您刚才说的是:" and a sentence in the recording's place
    assert f"the recording {GONE} can't be played" in caplog.text
    assert call.node == "complaint"
    await call.hangs_up()


async def test_a_call_begins_without_the_recordings_that_are_not_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = await recorded(tmp_path)
    people = (Person("e1", "王", variables={"reply_audio": GONE}), Person("e2", "李", variables={"reply_audio": path}))
    context = CallContext(people, {"complaint": GONE, "until": GONE})
    context = await playback.audible(Recordings(tmp_path), TELLER.recorded, context)
    assert [dict(one.variables) for one in context.people] == [{}, {"reply_audio": path}]
    assert context.variables == {"until": GONE}
    assert caplog.text.count(f"the recording {GONE} is missing") == 2


# ── dictations ───────────────────────────────────────────────────────────────────────────────────


async def test_a_dictation_with_pauses_of_3_s_is_whole_and_is_read_back(tmp_path: Path) -> None:
    call = Line(tmp_path)
    await call.chooses("3")
    pause = silence(3000)
    await call.hears(1)
    await call.hears(3.5, words() + pause + words() + pause + words())
    assert call.node == "complaint.record"  # 4 s of silence end it, and not 3.5
    call.sent.clear()
    await call.hears(12)
    detail = await call.hangs_up()
    audio = call.recordings.read(str(detail["complaint_recording"]))
    assert len(audio) >= 3 * len(SPOKEN) + 6 * 8000
    heard = await call.prompt(detail["complaint_recording"])
    assert len(heard) >= 3 * len(SPOKEN) + 6 * 8000 - 1600
    assert heard in call.sent
    assert call.prompts()[-2:] == ["complaint.back", "complaint.ask"]


async def test_what_is_dictated_again_is_what_is_read_back(tmp_path: Path) -> None:
    call = Line(tmp_path)
    await call.chooses("3")
    await call.hears(6, words())
    await call.chooses("2")
    await call.hears(8, words() + words())
    detail = await call.hangs_up()
    (more,) = detail["more"]  # type: ignore[misc]
    again = await call.prompt(more["complaint_recording"])
    assert again in call.sent


async def test_a_call_that_drops_in_mid_dictation_keeps_what_was_said(tmp_path: Path) -> None:
    call = Line(tmp_path)
    await call.chooses("3")
    await call.hears(1)
    await call.hears(3, words())
    await call.hears(0, words())
    detail = await call.hangs_up()
    audio = call.recordings.read(str(detail["complaint_recording"]))
    assert len(audio) >= 2 * len(SPOKEN) + 3 * 8000
    assert call.results == ["rang_in"]


async def test_without_consent_to_record_nothing_is_read_back(tmp_path: Path) -> None:
    call = Line(tmp_path, records=False)
    await call.chooses("3")
    await call.hears(1)
    await call.hears(6, words())
    assert call.node == "complaint"
    await call.hangs_up()
    assert call.prompts()[-1] == "complaint.ask"
    assert list(tmp_path.rglob("*.ulaw")) == []


async def test_the_line_goes_on_while_a_recording_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await recorded(tmp_path)
    call = Line(tmp_path, Desk(Told("answered", {"reply_audio": path})))
    asked, gate = asyncio.Event(), asyncio.Event()

    async def slow(*_: object) -> bytes:
        asked.set()
        await gate.wait()
        return BEEP

    monkeypatch.setattr(playback, "as_prompt", slow)
    await call.chooses("2")
    await asyncio.wait_for(asked.wait(), 5)
    before = call.pump.at_ms
    call.passes(2)
    assert (call.pump.at_ms - before, call.pump.playing) == (2000, True)  # and nothing is counted as silence
    gate.set()
    await call.hears(1)
    await call.hangs_up()
