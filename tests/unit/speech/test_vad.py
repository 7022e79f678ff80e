"""Who speaks: real speech is found on a quiet and on a noisy line, hum and hiss are not taken for it."""

from __future__ import annotations

import pytest

from speech.vad import Vad, voiced_ms
from tests.unit.speech.audio import frames, mixed, noise, over_the_line, prompt, quieter, silence

SENTENCE = "居委会的自动语音电话。是"


def test_speech_is_found_and_the_silence_around_it_is_not() -> None:
    vad = Vad()
    line = over_the_line(silence(1000) + prompt(SENTENCE) + silence(1000))
    voiced = [vad.is_speech(frame) for frame in frames(line)]
    assert not any(voiced[:45])
    assert not any(voiced[-45:])
    assert sum(voiced) * 20 > 0.5 * len(prompt(SENTENCE)) / 16


@pytest.mark.parametrize("db", [0, 10, 20])
def test_a_weak_speaker_is_heard(db: int) -> None:
    assert voiced_ms(over_the_line(silence(400) + quieter(prompt(SENTENCE), db))) > 800


@pytest.mark.parametrize("rms", [5, 40, 300, 1500])
def test_steady_noise_is_not_speech(rms: int) -> None:
    assert voiced_ms(over_the_line(noise(5000, rms))) <= 200


def test_speech_stands_out_of_noise() -> None:
    line = over_the_line(mixed(noise(4000, 150), silence(1000) + prompt(SENTENCE)))
    assert voiced_ms(line) > 700


def test_nothing_is_not_speech() -> None:
    assert voiced_ms(b"") == 0
    assert voiced_ms(silence(2000)) == 0
