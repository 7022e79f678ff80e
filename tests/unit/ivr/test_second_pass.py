"""Dictations transcribed again: who agreed, each once, by lease, through crashes and missing recordings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from ivr import outbox, transcripts
from ivr.call_rows import LogEntry, event
from ivr.ports import Callee, CallOrder, CallReport, Disposition
from ivr.recordings import Recordings
from ivr.records import Call, Transcript
from ivr.reports import order_to_json
from ivr.second_pass import Pen, SecondPass
from ivr.transcripts import AGAIN_AFTER, LEASE, TRIES, Job, Result
from speech import g711
from speech.ears import EarFailed
from speech.ears import Ears as RealEars
from speech.engines.whisper_engine import WhisperRecogniser
from speech.interpret import Interpretation, interpret
from speech.phrases import DISTRESS
from speech.recogniser import Hypothesis, Request
from storage.database import Base, Database
from tests.fakes.clock import WarpClock
from tests.unit.speech.audio import noise, prompt, silence
from tests.unit.speech.conftest import whisper

__all__ = ["whisper"]

LIVE = {"text": "楼上漏睡", "engine": "vosk", "confidence": 0.61, "seconds": 3.0, "by": "silence"}
LIVE |= {"begin_ms": 9000, "end_ms": 12_000}
AGREES, NOT_RECORDED, NOT_WRITTEN = (
    Callee("e1", "王阿婆", language="wuu"),
    Callee("e2", "李阿公", records=False),
    Callee("e3", "张阿婆", transcribes=False),
)


class Ears:
    """Hears what it is told to, or raises it; keeps what it was asked. `engines`: the best one for each language."""

    def __init__(self) -> None:
        self.says: list[str | Exception] = []
        self.spots: str | None = None
        self.asked: list[tuple[Request, int]] = []
        self.engines = {"zh": "whisper", "wuu": "whisper"}
        self.sure = {"whisper": 0.83, "sherpa-wu": 0.5}
        self.idle = True
        self.closed = 0
        self.hangs = False

    def can(self, request: Request) -> bool:
        return self.spots is not None if request.mode == "spot" else request.language in self.engines

    def open(self, request: Request) -> Pen:
        return _Ear(self, request)


class _Ear:
    def __init__(self, ears: Ears, request: Request) -> None:
        self._ears, self._request, self._bytes = ears, request, 0
        self.engine = "phrase-scorer" if request.mode == "spot" else ears.engines[request.language]

    def feed(self, pcm: bytes) -> None:
        self._bytes += len(pcm)

    async def finish(self) -> Interpretation:
        self._ears.asked.append((self._request, self._bytes))
        if self._ears.hangs:
            await asyncio.Event().wait()
        if self._request.mode == "spot":
            found = self._ears.spots or None
            return Interpretation(found and DISTRESS, bool(found), found or "", found, 0.97, self.engine, begin_s=0.25)
        told = self._ears.says.pop(0)
        if isinstance(told, Exception):
            raise told
        hypothesis = Hypothesis(told, self.engine, self._ears.sure[self.engine])
        return interpret(hypothesis, self._request)

    def close(self) -> None:
        self._ears.closed += 1


class Office:
    def __init__(self, url: str, folder: Path) -> None:
        self.clock, self.db, self.ears = WarpClock(), Database(url), Ears()
        Base.metadata.create_all(self.db.engine)
        self.recordings = Recordings(folder / "recordings")
        self.quiet = True
        self.told: list[int] = []
        self.second = self.another()

    def another(self) -> SecondPass:
        return SecondPass(self.db, self.clock, self.ears, self.recordings, lambda: self.quiet, self._tell)

    async def _tell(self, news_id: int) -> None:
        self.told.append(news_id)

    async def call(self, call_id: str, *callees: Callee, over: bool = True, kept: bool = True) -> str:
        """A call with one dictation of a second; its recording's path."""
        now = self.clock.now()
        path = self.recordings.take(call_id, "message", now).path
        if kept:
            await self.recordings.add(call_id, "message", now, b"\xff" * 8000)
        order = CallOrder(call_id, "+862155500001", "daily_checkin", callees)
        with self.db.write() as session:
            session.add(Call(id=call_id, number=order.number, order=order_to_json(order), ordered_at=now))
            session.flush()
            session.add(event(call_id, LogEntry("dictation", 9000, {**LIVE, "recording": path}), now))
            session.add(event(call_id, LogEntry("dictation", 9500, {"seconds": 0, "recording": ""}), now))
        if over:
            self.ends(call_id)
        return path

    def ends(self, call_id: str) -> None:
        now = self.clock.now()
        with self.db.write() as session:
            outbox.put(session, CallReport(call_id, now, True, Disposition.ANSWERED), outbox.FINAL, now)

    def rows(self) -> list[Transcript]:
        with self.db.read() as session:
            return list(session.scalars(select(Transcript).order_by(Transcript.id)))

    def row(self) -> Transcript:
        (row,) = self.rows()
        return row

    def claim(self, owner: str = "another") -> Job | None:
        with self.db.write() as session:
            return transcripts.claim(session, owner, self.clock.now())


@pytest.fixture
def office(any_url: str, tmp_path: Path) -> Iterator[Office]:
    here = Office(any_url, tmp_path)
    yield here
    here.db.close()


async def test_both_texts_are_kept(office: Office) -> None:
    path = await office.call("c1", AGREES)
    office.ears.says = ["楼上漏水，3月15号起"]
    assert await office.second.plan() == 1
    assert await office.second.once()
    row = office.row()
    assert (row.live_text, row.live_engine, row.live_confidence) == ("楼上漏睡", "vosk", 0.61)
    assert (row.text, row.engine, row.confidence) == ("楼上漏水，3月15号起", "whisper", 0.83)
    assert (row.recording, row.finished_at, row.due_at, row.lease_owner) == (path, office.clock.now(), None, None)
    assert (row.live_margin, row.live_begin_ms, row.live_end_ms) == (None, 9000, 12_000)
    assert (row.margin, row.begin_ms, row.end_ms) == (None, 0, 1000), "the engine doesn't say where: all of it"
    ((request, size),) = office.ears.asked
    assert (request.mode, request.language, size) == ("dictation", "wuu", 16_000)
    assert office.ears.closed == 2, "the other language's engine is the same one: not asked"
    assert office.told == []
    assert not await office.second.once()


async def test_an_intent_is_written_once_and_only_when_the_call_is_over(office: Office) -> None:
    await office.call("c1", AGREES, over=False)
    assert await office.second.plan() == 0
    office.ends("c1")
    assert await office.second.plan() == 1
    assert await office.second.plan() == 0
    assert await office.another().plan() == 0, "after a restart"
    assert len(office.rows()) == 1


async def test_without_everybodys_consent_nothing_is_transcribed(office: Office) -> None:
    await office.call("c1", AGREES, NOT_RECORDED)
    await office.call("c2", NOT_WRITTEN)
    await office.call("c3")
    assert await office.second.plan() == 0


async def test_old_calls_are_left_in_peace(office: Office) -> None:
    await office.call("c1", AGREES)
    office.clock.advance(days=3)
    assert await office.second.plan() == 0


async def test_a_call_that_ends_hours_after_the_last_look_is_found(office: Office) -> None:
    await office.second.plan()
    await office.call("c1", AGREES, over=False)
    office.clock.advance(hours=2)
    await office.second.plan()
    office.ends("c1")
    assert await office.second.plan() == 1


async def test_nothing_is_begun_while_the_machine_is_busy(office: Office) -> None:
    await office.call("c1", AGREES)
    await office.second.plan()
    office.quiet = False
    assert not await office.second.once(), "calls"
    office.quiet, office.ears.idle = True, False
    assert not await office.second.once(), "somebody is being recognised"
    assert office.row().tries == 0


async def test_a_missing_recording_is_tried_again_and_given_up_after_three_tries(office: Office) -> None:
    await office.call("c1", AGREES, kept=False)
    await office.second.plan()
    for wait in (*AGAIN_AFTER, timedelta(days=1)):
        assert await office.second.once()
        assert not await office.second.once(), "not before its time"
        office.clock.advance_to(office.clock.now() + wait)
    row = office.row()
    assert (row.tries, row.due_at, row.text) == (TRIES, None, None)
    assert row.given_up == "this recording is missing or has no checksum"


async def test_a_recording_that_comes_late_is_transcribed(office: Office) -> None:
    await office.call("c1", AGREES, kept=False)
    await office.second.plan()
    await office.second.once()
    await office.recordings.add("c1", "message", office.clock.now(), b"\xff" * 8000)
    office.clock.advance_to(office.clock.now() + AGAIN_AFTER[0])
    office.ears.says = ["路灯坏了"]
    assert await office.second.once()
    assert office.row().text == "路灯坏了"


async def test_no_engine_and_a_failing_engine_are_reasons(office: Office) -> None:
    await office.call("c1", AGREES)
    await office.second.plan()
    office.ears.engines = {"zh": "whisper"}
    await office.second.once()
    office.ears.engines = {"zh": "whisper", "wuu": "whisper"}
    office.ears.says = [EarFailed("whisper: took too long"), ValueError("王阿婆 said something")]
    for wait in AGAIN_AFTER:
        office.clock.advance_to(office.clock.now() + wait)
        await office.second.once()
    row = office.row()
    assert row.finished_at is not None
    assert row.given_up.startswith("ValueError at test_second_pass.py"), "and not what the error says"


async def test_a_crash_costs_a_lease_and_three_crashes_the_text(office: Office) -> None:
    await office.call("c1", AGREES)
    await office.second.plan()
    for _ in range(TRIES):
        assert office.claim() is not None
        assert office.claim("other") is None, "leased"
        office.clock.advance_to(office.clock.now() + LEASE)
    assert office.claim() is None
    assert office.row().given_up == transcripts.CRASHED


async def test_who_lost_the_lease_writes_nothing(office: Office) -> None:
    await office.call("c1", AGREES)
    await office.second.plan()
    slow = office.claim("slow")
    assert slow
    office.clock.advance_to(office.clock.now() + LEASE)
    fast = office.claim("fast")
    assert fast
    now = office.clock.now()
    with office.db.write() as session:
        assert not transcripts.finish(session, slow, Result("慢", "whisper", 0.5), now)
        assert not transcripts.fail(session, slow, "too late", now)
        assert not transcripts.finish(session, replace(fast, owner="slow"), Result("慢", "whisper", 0.5), now)
        assert transcripts.finish(session, fast, Result("快", "whisper", 0.5), now)
        assert not transcripts.finish(session, fast, Result("两次", "whisper", 0.5), now), "once"
    assert office.row().text == "快"


async def test_told_to_stop_it_hands_the_dictation_back(office: Office) -> None:
    await office.call("c1", AGREES)
    office.ears.hangs = True
    stop = asyncio.Event()
    running = asyncio.create_task(office.second.run(stop, every_s=0.01))
    while not office.ears.asked:
        await asyncio.sleep(0.005)
    stop.set()
    await asyncio.wait_for(running, 5)
    row = office.row()
    assert (row.tries, row.lease_owner, row.due_at) == (0, None, office.clock.now())
    assert office.ears.closed == 1


async def test_it_runs_beside_everything_until_told_to_stop(office: Office) -> None:
    office.ears.says = ["一", "二"]
    stop = asyncio.Event()
    running = asyncio.create_task(office.second.run(stop, every_s=0.01))
    await office.call("c1", AGREES)
    await office.call("c2", AGREES)
    while not all(row.finished_at for row in office.rows()) or len(office.rows()) < 2:
        await asyncio.sleep(0.005)
    stop.set()
    await asyncio.wait_for(running, 5)


# ── on real weights ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.weights
async def test_a_real_recording_is_written_down_and_noise_is_not(tmp_path: Path, whisper: WhisperRecogniser) -> None:
    office = Office(f"sqlite:///{tmp_path}/wenan.db", tmp_path)
    said = (
        silence(400)
        + prompt("对不起,打扰了。再会。")
        + silence(2000)
        + prompt("记下了,居委会的人会听。")
        + silence(4000)
    )
    ears = RealEars([whisper], workers=1)
    second = SecondPass(office.db, office.clock, ears, office.recordings, lambda: True, office._tell)
    for call_id, pcm in (("c1", said), ("c2", noise(6000, 300))):
        path = await office.call(call_id, AGREES, kept=False)
        kept = await office.recordings.add(call_id, "message", office.clock.now(), g711.ulaw_encode(pcm))
        assert kept.path == path
    await second.plan()
    assert await second.once()
    assert await second.once()
    heard, nothing = office.rows()
    assert len(set(heard.text or "") & set("对不起打扰了再会记下居委会的人听")) >= 6, heard.text
    assert (heard.engine, heard.given_up) == ("whisper", "")
    assert (nothing.text, nothing.live_text, nothing.given_up) == ("", "楼上漏睡", ""), "silence is a text, too"
    ears.close()
    office.db.close()
