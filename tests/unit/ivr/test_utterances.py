"""What of the elder's side reaches the session, and when: real speech, scripted ears, a desk that keeps all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from callflows.events import Answer, Dictate, DictationEnded, Distress, Heard, Input, Listen
from ivr.utterances import Utterances, Wait
from speech import g711
from speech.ears import Ears
from speech.recogniser import Recogniser
from tests.fakes.ears import ScriptedRecogniser, ScriptedScorer
from tests.unit.speech.audio import frames, prompt, silence

DISTRESS = ("救命", "摔倒了")
ASK = Listen("ask", (Answer("no", "2", ("不是的",)), Answer("well", "1", ("蛮好的",))))
TELL = Dictate("tell")


@cache
def words() -> bytes:
    """1.1 s of a natural voice, without silence around it."""
    pcm = prompt("收到。") + prompt("收到。")
    loud = [at for at, frame in enumerate(frames(pcm)) if g711.rms(frame) > 300]
    return pcm[loud[0] * 320 : (loud[-1] + 1) * 320]


@dataclass
class Desk:
    """Keeps what it is told, with the audio time at which it came."""

    wait: Wait | None = None
    playing: bool = False
    last_words: Sequence[Answer] = ()
    at_ms: int = 0
    told: list[tuple[int, Input]] = field(default_factory=list)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def feed(self, event: Input) -> None:
        self.told.append((self.at_ms, event))

    def note(self, kind: str, **detail: object) -> None:
        self.notes[kind] = detail


@dataclass
class Side:
    """The elder's side of one call, in lockstep with recognition."""

    desk: Desk
    ears: Ears
    transcribes: bool = True

    def __post_init__(self) -> None:
        self.utterances = Utterances(self.desk, self.ears, self._store, DISTRESS, "zh", self.transcribes)

    async def _store(self, ulaw: bytes) -> str:
        return f"{len(ulaw)} bytes"

    def asks(self, wait: Wait) -> None:
        self.desk.wait = wait
        self.utterances.expect(wait)

    async def hears(self, pcm: bytes) -> None:
        for frame in frames(pcm):
            self.desk.at_ms += 20
            self.utterances.step(g711.ulaw_encode(frame), None)
            await self.settled()

    async def settled(self) -> None:
        """Recognition under way ends before the next frame, as on a machine that keeps up."""
        while not self.ears.idle or self.utterances.work:
            await asyncio.sleep(0.0005)

    def told(self, kind: type[Input]) -> list[tuple[int, Any]]:
        return [(at, event) for at, event in self.desk.told if isinstance(event, kind)]


@pytest.fixture
async def side() -> AsyncIterator[Any]:
    made: list[Ears] = []

    def make(*engines: Recogniser, transcribes: bool = True, **more: Any) -> Side:
        made.append(Ears(engines, **more))
        return Side(Desk(), made[-1], transcribes)

    yield make
    for ears in made:
        ears.close()


@pytest.mark.parametrize(("meaning", "phrase", "patience_ms"), [("no", "不是的", 600), ("well", "蛮好的", 1200)])
async def test_an_answer_that_is_understood_ends_early_but_never_a_good_one(
    side: Any, meaning: str, phrase: str, patience_ms: int
) -> None:
    scorer = ScriptedScorer()
    scorer.will_hear(meaning, phrase)
    call = side(scorer)
    call.asks(ASK)
    await call.hears(silence(1000) + words() + silence(2000))
    ((at, heard),) = call.told(Heard)
    assert heard.meaning == meaning
    spoken_until = 1000 + len(words()) // 16
    assert abs(at - spoken_until - patience_ms) <= 60  # the detector hangs on for a frame or two


async def test_who_goes_on_after_a_pause_is_one_utterance(side: Any) -> None:
    scorer = ScriptedScorer()
    scorer.will_hear("no", "不是的")
    call = side(scorer)
    call.asks(ASK)
    await call.hears(silence(1000) + words() + silence(480) + words() + silence(2000))
    assert len(call.told(Heard)) == 1


@pytest.mark.parametrize("gap_ms", [480, 1000])
async def test_engines_get_no_silence_at_the_end_and_all_of_it_in_between(side: Any, gap_ms: int) -> None:
    scorer = ScriptedScorer()
    call = side(scorer)
    call.asks(ASK)
    await call.hears(silence(1000) + words() + silence(gap_ms) + words() + silence(2000))
    (seconds,) = scorer.seconds
    spoken = (2 * len(words()) // 16 + gap_ms) / 1000
    assert spoken + 0.3 <= seconds <= spoken + 0.4 + 0.3 + 0.1  # the pre-roll, the pause, and the detector's delay


async def test_the_log_says_where_in_the_recording_the_words_are(side: Any) -> None:
    scorer = ScriptedScorer()
    scorer.will_hear("no", "不是的")
    call = side(scorer)
    call.asks(ASK)
    await call.hears(silence(1000) + words() + silence(2000))
    note = call.desk.notes["heard"]
    assert (note["margin"], note["phrase"], note["engine"]) == (2.0, "不是的", "phrase-scorer")
    assert abs(note["begin_ms"] - 1000) <= 260  # the scorer's 0.4 s lie about where the voice begins
    assert note["end_ms"] - note["begin_ms"] == 500


async def test_an_engine_without_word_times_leaves_the_voices_place(side: Any) -> None:
    ear = ScriptedRecogniser()
    ear.will_hear("不是的")
    call = side(ear)
    call.asks(ASK)
    await call.hears(silence(1000) + words() + silence(2000))
    note = call.desk.notes["heard"]
    assert 600 <= note["begin_ms"] <= 1000
    assert abs(note["end_ms"] - 1000 - len(words()) // 16) <= 60


async def test_a_cry_in_the_middle_of_a_dictation_counts_at_once(side: Any) -> None:
    scorer, ear = ScriptedScorer(), ScriptedRecogniser()
    scorer.will_spot("摔倒了", after_s=1.5)
    ear.will_hear("我昨天摔倒了爬不起来")
    call = side(scorer, ear)
    call.asks(TELL)
    await call.hears(silence(1000) + words() * 4)
    ((at, cry),) = call.told(Distress)
    assert (cry.text, cry.engine) == ("摔倒了", "phrase-scorer")
    assert at <= 1000 + 1500 + 100
    await call.hears(silence(5000))
    assert len(call.told(Distress)) == 1, "told once, though the transcript says it again"
    ((_, dictation),) = call.told(DictationEnded)
    assert dictation.text == "我昨天摔倒了爬不起来"


async def test_without_consent_to_transcription_only_the_cry_is_kept(side: Any) -> None:
    scorer, ear = ScriptedScorer(), ScriptedRecogniser()
    scorer.will_spot("摔倒了", after_s=1.5)
    call = side(scorer, ear, transcribes=False)
    call.asks(TELL)
    await call.hears(silence(1000) + words() * 4 + silence(5000))
    assert ear.requests == [], "nobody writes down what may not be written down"
    assert [cry.text for _, cry in call.told(Distress)] == ["摔倒了"]
    ((_, dictation),) = call.told(DictationEnded)
    assert (dictation.text, call.desk.notes["dictation"]["text"]) == ("", "")


async def test_a_dictation_is_stored_before_an_engine_has_looked_at_its_last_words(
    side: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear, waits = ScriptedRecogniser(), asyncio.Event()
    ear.will_hear("膝盖疼了两天了")
    call = side(ear)
    last_words = call.utterances._last_words

    async def later(of: Any) -> Any:
        await waits.wait()
        return await last_words(of)

    monkeypatch.setattr(call.utterances, "_last_words", later)
    call.asks(TELL)
    for frame in frames(silence(1000) + words()):
        call.utterances.step(g711.ulaw_encode(frame), None)
    call.utterances.end_dictation("key")
    while "stored" not in call.desk.notes:
        await asyncio.sleep(0)
    assert "dictation" not in call.desk.notes
    waits.set()
    await call.settled()
    stored, dictation = call.desk.notes["stored"], call.desk.notes["dictation"]
    assert stored == {"node": "tell", "recording": dictation["recording"], "begin_ms": dictation["begin_ms"]}


async def test_nothing_is_stored_of_a_dictation_in_which_nobody_spoke(side: Any) -> None:
    call = side(ScriptedRecogniser())
    call.asks(TELL)
    await call.hears(silence(1000))
    call.utterances.end_dictation("key")
    await call.settled()
    assert "stored" not in call.desk.notes


async def test_where_no_engine_spots_the_transcript_is_looked_through(side: Any) -> None:
    ear = ScriptedRecogniser()
    ear.will_hear("我昨天摔倒了爬不起来")
    call = side(ear, transcribes=False)
    call.asks(TELL)
    await call.hears(silence(1000) + words() + silence(5000))
    assert [cry.text for _, cry in call.told(Distress)] == ["摔倒了"], "and only the phrase is kept"
    assert call.desk.notes["dictation"]["text"] == "摔倒了"


async def test_a_cry_counts_where_nothing_is_asked(side: Any) -> None:
    scorer = ScriptedScorer()
    scorer.will_spot("救命", after_s=0.6)
    call = side(scorer)
    await call.hears(silence(1000) + words())
    assert [cry.text for _, cry in call.told(Distress)] == ["救命"]
    assert [request.mode for request in scorer.requests] == ["spot"]


async def test_a_cry_that_ends_a_dictation_with_a_dropped_receiver(side: Any) -> None:
    scorer, ear = ScriptedScorer(), ScriptedRecogniser()
    scorer.will_spot("救命", after_s=1.0)
    call = side(scorer, ear)
    call.asks(TELL)
    await call.hears(silence(1000) + words())
    await call.utterances.finish()
    assert len(call.told(Distress)) == 1
    assert [dictation.ended_by for _, dictation in call.told(DictationEnded)] == ["hangup"]


async def test_a_key_that_breaks_off_a_dictation_does_not_drown_the_cry(side: Any) -> None:
    scorer, ear = ScriptedScorer(), ScriptedRecogniser()
    scorer.will_spot("救命", after_s=2.0)
    call = side(scorer, ear)
    call.asks(TELL)
    await call.hears(silence(1000) + words())
    call.asks(ASK)
    await call.hears(words() + silence(2000))
    assert len(call.told(Distress)) == 1


@pytest.mark.parametrize("allowed", [True, False])
async def test_what_the_scorer_does_not_understand_another_engine_may(side: Any, allowed: bool) -> None:
    scorer, ear = ScriptedScorer(), ScriptedRecogniser()
    scorer.will_hear(None)
    ear.will_hear("不是的")
    call = side(scorer, ear, second_opinion=allowed)
    call.asks(ASK)
    await call.hears(silence(1000) + words() + silence(2000))
    ((_, heard),) = call.told(Heard)
    assert (heard.meaning, heard.engine) == (("no", "vosk") if allowed else (None, "phrase-scorer"))


async def test_a_short_sound_is_worth_no_second_opinion(side: Any) -> None:
    scorer, ear = ScriptedScorer(), ScriptedRecogniser()
    scorer.will_hear(None)
    call = side(scorer, ear)
    call.asks(ASK)
    await call.hears(silence(1000) + words()[: 16 * 500] + silence(2000))
    assert len(call.told(Heard)) == 1
    assert ear.requests == []
