"""The line's own prompt coming back never counts as speech; somebody speaking over it does."""

from __future__ import annotations

import numpy as np
import pytest

from speech.echo import MAX_DELAY_MS, EchoGuard, is_echo
from speech.resample import from_floats, to_floats
from speech.vad import Vad
from tests.unit.speech.audio import FRAME, frames, mixed, over_the_line, prompt, quieter, silence

PROMPT = "今天身体好吗?身体好,请按1;不舒服,请按2;想找人说话,请按3。"
ANSWER = "好的,谢谢您告诉我们。"


def echo(pcm: bytes, *, db: float, delay_ms: int) -> bytes:
    """What a hybrid sends back: weaker, later, coloured by a few reflections, through G.711 both ways."""
    dry = to_floats(over_the_line(pcm))
    wet = np.convolve(dry, [1.0, 0.45, -0.3, 0.15, 0.08])[: len(dry)]
    late = silence(delay_ms) + quieter(from_floats(wet / 1.2), db)
    return over_the_line(late[: len(pcm)])


def speech_ms(played: bytes, heard: bytes) -> int:
    """How long the guard takes for speech, of what the detector takes for voiced."""
    guard, vad, counted = EchoGuard(), Vad(), 0
    for sent, came in zip(frames(played), frames(heard), strict=True):
        guard.played(sent)
        counted += 20 * guard.heard(came, vad.is_speech(came))
    return counted


@pytest.mark.parametrize("delay_ms", [20, 45, 100, 180, 300])
@pytest.mark.parametrize("db", [10, 17, 25])
def test_a_pure_echo_never_counts(db: int, delay_ms: int) -> None:
    line = prompt(PROMPT) + silence(600)
    assert speech_ms(line, echo(line, db=db, delay_ms=delay_ms)) == 0


@pytest.mark.parametrize("delay_ms", [20, 120, 300])
@pytest.mark.parametrize("db", [10, 17, 25])
def test_an_answer_over_the_echo_counts(db: int, delay_ms: int) -> None:
    line = prompt(PROMPT) + silence(600)
    answer = (silence(2000) + prompt(ANSWER)).ljust(len(line), b"\0")
    heard = over_the_line(mixed(echo(line, db=db, delay_ms=delay_ms), answer))
    assert speech_ms(line, heard) > 700


def test_a_soft_answer_over_a_loud_echo_counts() -> None:
    line = prompt(PROMPT) + silence(600)
    answer = (silence(2000) + quieter(prompt(ANSWER), 10)).ljust(len(line), b"\0")
    heard = over_the_line(mixed(echo(line, db=12, delay_ms=80), answer))
    assert speech_ms(line, heard) > 300


def test_without_a_prompt_the_detector_decides() -> None:
    heard = over_the_line(silence(400) + prompt(ANSWER))
    quiet = bytes(len(heard))
    vad = Vad()
    assert speech_ms(quiet, heard) == 20 * sum(vad.is_speech(frame) for frame in frames(heard))


def test_the_delay_is_found() -> None:
    line = prompt(PROMPT)[: 2 * 8000]
    heard = echo(line, db=15, delay_ms=120)
    lead = MAX_DELAY_MS * 16
    verdict = is_echo(heard[lead:], line)
    assert verdict.echo
    assert abs(verdict.delay_ms - 120) <= 3
    assert verdict.ratio < 0.1


def test_silence_is_no_echo() -> None:
    verdict = is_echo(silence(320), silence(320 + MAX_DELAY_MS))
    assert not verdict.echo


def test_lengths_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="must begin lead_ms before"):
        is_echo(silence(100), silence(100))


def test_an_echo_long_after_the_prompt_is_impossible() -> None:
    guard = EchoGuard()
    guard.played(b"\x10\x10" * (FRAME // 2))
    assert guard.possible
    for _ in range((320 + MAX_DELAY_MS) // 20 + 1):
        guard.played(None)
    assert not guard.possible
