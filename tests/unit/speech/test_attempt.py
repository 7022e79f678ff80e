"""Silence and noise are no text in a dictation, through every engine; a cry is kept whatever the sound was."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from speech.attempt import Attempt
from speech.engines.vosk_engine import VoskRecogniser
from speech.engines.whisper_engine import WhisperRecogniser
from speech.phrases import DISTRESS
from speech.recogniser import Hypothesis, Recogniser, Request, Word
from tests.unit.speech.audio import over_the_line, prompt, silence
from tests.unit.speech.sounds import sound

REQUEST = Request("dictation", {DISTRESS: ("救命", "摔倒了")})
SAID = over_the_line(silence(400) + prompt("对不起,打扰了。再会。") + silence(800))
# Music passes the test for a voice; what an engine makes of it is its own affair.
SOUNDS = ("white", "rhythmic", "hum", "busy", "dtmf", "clicks", "breath")


@dataclass(frozen=True)
class Inventor:
    """Makes the same sentence of every sound."""

    text: str
    streaming: bool
    name: str = "inventor"

    def supports(self, request: Request) -> bool:
        return True

    def open(self, request: Request) -> _Stream:
        return _Stream(self.text)


@dataclass(frozen=True)
class _Stream:
    text: str

    def feed(self, pcm: bytes) -> str | None:
        return None

    def finish(self) -> Hypothesis:
        return Hypothesis(self.text, "inventor", 0.9, words=(Word(self.text, 0.0, 1.0, 0.9),))

    def close(self) -> None:
        """Nothing is held."""


def written(engine: Recogniser, pcm: bytes, request: Request = REQUEST) -> Hypothesis:
    """In pieces of 2 s, with a pause after each."""
    attempt = Attempt(engine, request)
    for at in range(0, len(pcm), 32_000):
        attempt.work(pcm[at : at + 32_000], pause=True, ending=False)
    told = attempt.work(b"", pause=False, ending=True)
    assert isinstance(told, Hypothesis)
    return told


@pytest.mark.parametrize("streaming", [True, False])
def test_an_invented_sentence_is_not_written_down_but_a_spoken_one_is(streaming: bool) -> None:
    engine = Inventor("谢谢观看", streaming)
    nothing = written(engine, over_the_line(sound("rhythmic", 5, 800)))
    assert (nothing.text, nothing.confidence, nothing.words) == ("", 0.0, ())
    assert written(engine, silence(3000)).text == ""
    assert written(engine, SAID).text.startswith("谢谢观看")


def test_what_may_be_a_cry_is_kept_from_any_sound_and_its_denial_is_none() -> None:
    hoarse = over_the_line(sound("breath", 4, 800))
    assert written(Inventor("救命啊", True), hoarse).text == "救命啊"
    assert written(Inventor("没有摔倒", True), hoarse).text == ""


def test_answers_are_the_engines_own_affair() -> None:
    assert written(Inventor("蛮好的", True), silence(1000), Request("answer")).text == "蛮好的"


@pytest.mark.parametrize("kind", SOUNDS)
def test_vosk_writes_nothing_down_that_nobody_said(korean: VoskRecogniser, kind: str) -> None:
    """Without this it made of each of them words it was sure of (0.7 to 1.0)."""
    assert written(korean, over_the_line(sound(kind, 4, 3000, seed=5)), Request("dictation", {}, "ko")).text == ""


@pytest.mark.weights
@pytest.mark.parametrize("kind", [*SOUNDS, "music"])
def test_neither_does_whisper(whisper: WhisperRecogniser, kind: str) -> None:
    assert written(whisper, over_the_line(sound(kind, 4, 3000, seed=5))).text == ""


@pytest.mark.weights
def test_whisper_writes_down_what_was_said(whisper: WhisperRecogniser) -> None:
    assert len(set(written(whisper, SAID).text) & set("对不起打扰了再会")) >= 4
