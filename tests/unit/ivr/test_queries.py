"""What a flow asks the program in mid-call, and a PIN that nobody can read afterwards. Over a stream's pump."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from callflows.events import CallContext, Person, Query
from callflows.flow import Flow
from callflows.loader import shipped
from callflows.session import Session
from ivr import asking
from ivr.calls import LogEntry
from ivr.ports import Answers, Told
from ivr.pump import Line, Pump, Tools
from ivr.recordings import Recordings
from ivr.secrecy import TAIL_MS
from ivr.virtual.acoustics import frames, tone
from speech.ears import Ears
from tests.fakes.clock import WarpClock

BEEP = tone(400, 0.1)
TONE = frames(tone(700, 0.02))[0]  # what a telephone sends while a key is down
SILENT = b"\xff" * 160


class Book:
    def __init__(self) -> None:
        self.entries: list[LogEntry] = []
        self.sessions: list[dict[str, Any]] = []
        self.alarms: list[str] = []

    async def log(self, call_id: str, entries: Sequence[LogEntry]) -> None:
        self.entries += entries

    async def save_session(self, call_id: str, session: dict[str, Any]) -> None:
        self.sessions.append(session)

    async def alarm(self, call_id: str, person: str, reason: str, detail: Mapping[str, Any]) -> None:
        self.alarms.append(reason)


class Voice:
    def find(self, text: str, language: str = "zh") -> bytes | None:
        return BEEP

    async def get(self, text: str, language: str = "zh") -> bytes:
        return BEEP


class Desk:
    """Answers one word (or more) after the other, when `open` is set."""

    def __init__(self, *words: str | Told) -> None:
        self.words = [Told(word) if isinstance(word, str) else word for word in words]
        self.asked: list[tuple[str, str, str, str]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def ask(self, call_id: str, query: str, person_id: str, value: str) -> Told:
        self.asked.append((call_id, query, person_id, value))
        await self.open.wait()
        return self.words.pop(0)


class Broken:
    async def ask(self, call_id: str, query: str, person_id: str, value: str) -> Told:
        raise OSError(f"no such row: {value}")


class Call:
    """A call's pump, and what it wrote down."""

    def __init__(
        self, folder: Path, flow: str | Flow, context: CallContext, answers: Answers | None, *, records: bool = False
    ) -> None:
        self.book = Book()
        self.recordings = Recordings(folder)
        tools = Tools(Ears(()), Voice(), self.recordings, self.book, answers=answers)
        line = Line("i1", WarpClock().now(), (), records=records)
        self.pump = Pump(line, Session(shipped(flow) if isinstance(flow, str) else flow, context), tools)
        self.pump.begin()

    def passes(self, seconds: float, heard: bytes = SILENT) -> None:
        for _ in range(round(seconds * 50)):
            _, marks = self.pump.tick(heard)
            for mark in marks:
                self.pump.mark(mark)

    async def asks(self) -> None:
        """What was asked of the program is answered."""
        while self.pump.pending:
            await asyncio.wait(self.pump.pending)
            await asyncio.sleep(0)

    def presses(self, keys: str) -> None:
        for key in keys:
            self.passes(0.2, TONE)
            self.pump.key(key)
            self.passes(0.2, TONE)

    @property
    def node(self) -> str:
        return self.pump.wait.node if self.pump.wait else ""

    async def over(self) -> list[tuple[str, dict[str, Any]]]:
        await self.pump.close(hung_up=True)
        return [(entry.kind, dict(entry.detail)) for entry in self.book.entries]

    @property
    def results(self) -> list[str]:
        return [finding.result for finding in self.pump.session.findings]


BUDDY = CallContext((Person("e1", "王阿婆"), Person("e2", "张阿公")), {"pin": "1"})
SHARED = CallContext((Person("e1", "王阿婆", variables={"shared": "1"}),), {"responder": "李阿姨"})
PIN = "864297"


async def test_a_right_pin_opens_the_list_and_stands_nowhere(tmp_path: Path) -> None:
    desk = Desk("right")
    call = Call(tmp_path, "buddy_log", BUDDY, desk)
    call.presses(PIN)
    await call.asks()
    assert call.node == "list"
    assert desk.asked == [("i1", "pin", "e1", PIN)]
    log = await call.over()
    assert ("query", {"name": "pin"}) in log
    assert ("verdict", {"name": "pin", "word": "right"}) in log
    assert [detail["digit"] for kind, detail in log if kind == "key"] == [""] * 6
    assert all(not session["state"]["entry"] for session in call.book.sessions)
    assert PIN not in json.dumps([log, call.book.sessions])


async def test_keys_that_come_while_a_pin_is_checked_are_secret_too(tmp_path: Path) -> None:
    desk = Desk("right")
    desk.open.clear()
    call = Call(tmp_path, "buddy_log", BUDDY, desk)
    call.presses(PIN + "5")
    desk.open.set()
    await call.asks()
    call.presses("1")  # of the list: secret no more
    digits = [detail["digit"] for kind, detail in await call.over() if kind == "key"]
    assert digits == [""] * 7 + ["1"]


async def test_the_recording_is_silent_while_a_pin_is_pressed_and_a_moment_longer(tmp_path: Path) -> None:
    call = Call(tmp_path, "buddy_log", BUDDY, Desk("right"), records=True)
    call.presses(PIN)
    await call.asks()
    spoken_ms = call.pump.at_ms
    call.passes(TAIL_MS / 1000 + 1, TONE)
    recording = next(detail for kind, detail in await call.over() if kind == "recording")
    audio = call.recordings.read(recording["path"])
    assert len(audio) == call.pump.at_ms * 8  # nothing is cut out: the log's moments still fit
    ends = spoken_ms * 8 + TAIL_MS * 8 - 160
    assert set(audio[:ends]) == {0xFF}
    assert audio[ends + 320 :] == TONE * (len(audio[ends + 320 :]) // 160)
    await call.recordings.close()


async def test_three_wrong_pins_and_nobody_is_named_and_the_recording_is_dropped(tmp_path: Path) -> None:
    call = Call(tmp_path, "buddy_log", BUDDY, Desk("wrong", "wrong", "wrong"), records=True)
    for pin in ("1111", "2222", "3333"):
        call.presses(pin + "#")
        await call.asks()
    log = await call.over()
    assert call.results == ["pin_failed", "pin_failed"]
    assert [kind for kind, _ in log if kind == "recording"] == []
    assert list(tmp_path.rglob("*.ulaw")) == []
    await call.recordings.close()


@pytest.mark.parametrize("answers", [None, Broken()])
async def test_without_an_answer_the_flow_goes_on_and_no_error_tells_the_pin(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, answers: Answers | None
) -> None:
    call = Call(tmp_path, "buddy_log", BUDDY, answers)
    call.presses(PIN)
    await call.asks()
    assert ("verdict", {"name": "pin", "word": ""}) in await call.over()
    assert call.pump.session.over  # "现在记不了,请晚一点再打来"
    assert call.results == ["not_logged", "not_logged"]
    assert PIN not in caplog.text


async def test_who_was_first_is_asked_beside_the_audio(tmp_path: Path) -> None:
    desk = Desk("taken")
    desk.open.clear()
    call = Call(tmp_path, "dispatch", SHARED, desk)
    call.pump.key("1")
    call.passes(2)
    call.pump.key("1")
    while not desk.asked:
        await asyncio.sleep(0)
    before = call.pump.at_ms
    call.passes(1.5)  # frames go on while nobody has answered
    assert (call.pump.at_ms - before, call.results, call.pump.over) == (1500, ["accepted"], False)
    desk.open.set()
    await call.asks()
    assert desk.asked == [("i1", "claim", "e1", "")]
    assert call.results == ["taken"]
    call.passes(2)
    assert call.pump.over


async def test_an_answer_that_takes_too_long_is_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ANSWER_WITHIN_S", 0.01)
    desk = Desk("taken")
    desk.open.clear()
    call = Call(tmp_path, "dispatch", SHARED, desk)
    call.pump.key("1")
    call.passes(2)
    call.pump.key("1")
    await call.asks()
    assert call.results == ["accepted"]  # somebody too many goes rather than nobody
    assert "the question claim got no answer (took longer than 0.01 s)" in caplog.text


async def test_an_emergency_overtakes_the_question(tmp_path: Path) -> None:
    desk = Desk("taken")
    desk.open.clear()
    call = Call(tmp_path, "dispatch", SHARED, desk)
    call.pump.key("1")
    call.passes(2)
    call.pump.key("1")
    call.passes(0.5)
    call.pump.key("0")
    call.passes(0.5)
    call.pump.key("0")
    assert call.node == "emergency.hold"
    desk.open.set()
    await call.asks()
    assert (call.node, call.book.alarms) == ("emergency.hold", ["double_zero"])


async def test_who_hangs_up_has_claimed_all_the_same_before_the_call_is_told_to_be_over(tmp_path: Path) -> None:
    desk = Desk("first")
    call = Call(tmp_path, "dispatch", SHARED, desk)
    call.pump.key("1")
    call.passes(2)
    call.pump.key("1")
    log = await call.over()
    assert ("verdict", {"name": "claim", "word": "first"}) in log
    assert call.results == ["accepted"]


def test_a_query_never_shows_what_was_pressed() -> None:
    assert PIN not in repr(Query("pin", "e1", PIN))


async def test_nothing_is_recorded_while_what_was_chosen_is_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loud receiver would say it into the recording."""
    slowly = tone(400, 3.0)
    monkeypatch.setattr(Voice, "find", lambda self, text, language="zh": slowly if text == "不要" else BEEP)
    topic = Told("topic", {"question": "要不要?", "options": "要,请按1;不要,请按2。"})
    elder = CallContext((Person("e1", "王阿婆"),), {})
    desk = Desk(Told("open", {"title": "电梯"}), topic, Told("noted", {"chosen": "不要"}), "done")
    call = Call(tmp_path, "ballot", elder, desk, records=True)
    for key in "12":
        call.presses(key)
        await call.asks()
        if key == "1":
            call.passes(2)
    assert (call.node, len(desk.words)) == ("done", 0)
    begins = call.pump.at_ms
    call.passes(6, TONE)
    recording = next(detail for kind, detail in await call.over() if kind == "recording")
    audio = call.recordings.read(recording["path"])[begins * 8 :]
    silent = next(at for at in range(0, len(audio), 160) if audio[at : at + 160] == TONE) / 8000
    assert 3.0 + TAIL_MS / 1000 < silent < 5
    await call.recordings.close()
