"""One loudness for every voice: levels in dBov by ITU-T P.56, no clipping, pauses for joining."""

from __future__ import annotations

import numpy as np
import pytest

from speech import g711
from speech.loudness import (
    MIN_DBOV,
    PEAK_DBOV,
    TARGET_DBOV,
    active_level,
    lead_ms,
    limit,
    normalise,
    pause_ms,
    pcm_to_prompt,
    to_prompt,
    trim,
)
from speech.resample import Floats, from_floats, to_floats

RATE = 8000


def tone(seconds: float, amplitude: float, hz: float = 300.0, rate: int = RATE) -> Floats:
    time = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * hz * time)).astype(np.float32)


def silence(seconds: float, rate: int = RATE) -> Floats:
    return np.zeros(round(seconds * rate), np.float32)


def speechlike(seconds: float, level: float, rate: int = RATE) -> Floats:
    """Syllables: noise under a 4 Hz envelope, with the peaks that speech has."""
    random = np.random.default_rng(1)
    time = np.arange(round(seconds * rate)) / rate
    samples = random.laplace(size=len(time)) * np.sin(np.pi * 4 * time) ** 2
    return (samples * level / np.sqrt(np.mean(samples**2))).astype(np.float32)


def test_a_steady_sine_has_the_level_of_its_power() -> None:
    assert active_level(tone(2.0, 1.0)) == pytest.approx(-3.01, abs=0.2)
    assert active_level(tone(2.0, 0.1)) == pytest.approx(-23.01, abs=0.2)


def test_pauses_do_not_lower_the_level() -> None:
    talk = speechlike(2.0, 0.1)
    with_pauses = np.concatenate([talk, silence(4.0), talk, silence(4.0)])
    assert active_level(with_pauses) == pytest.approx(active_level(talk), abs=0.8)
    power_of_all = 10 * np.log10(np.mean(with_pauses.astype(np.float64) ** 2))
    assert power_of_all < active_level(talk) - 4  # what a plain average would have said


def test_the_level_does_not_depend_on_the_sampling_rate() -> None:
    assert active_level(tone(1.0, 0.2, rate=24000), 24000) == pytest.approx(active_level(tone(1.0, 0.2)), abs=0.1)


@pytest.mark.parametrize("samples", [silence(0.0), silence(0.0005), silence(2.0)])
def test_silence_has_no_level(samples: Floats) -> None:
    assert active_level(samples) == MIN_DBOV


@pytest.mark.parametrize("level", [0.003, 0.03, 0.3, 0.9])
def test_every_voice_comes_out_equally_loud_and_unclipped(level: float) -> None:
    ulaw = to_prompt(np.clip(speechlike(3.0, level, 24000), -1, 1), 24000, "好。")
    heard = to_floats(g711.ulaw_decode(ulaw))
    assert active_level(heard) == pytest.approx(TARGET_DBOV, abs=1.0)
    assert np.abs(heard).max() <= 10 ** ((PEAK_DBOV + 0.4) / 20)  # μ-law's step at the top is 0.3 dB


def test_line_noise_is_not_blown_up_to_speech() -> None:
    faint = speechlike(1.0, 10 ** (-75 / 20))
    assert active_level(normalise(faint)) < TARGET_DBOV - 10


def test_the_limiter_touches_only_what_is_too_loud() -> None:
    quiet = tone(0.5, 0.5)
    assert limit(quiet) is quiet
    burst = np.concatenate([tone(0.5, 0.5), tone(0.05, 3.0), tone(0.5, 0.5)]).astype(np.float32)
    held = limit(burst)
    assert len(held) == len(burst)
    assert np.abs(held).max() <= 10 ** (PEAK_DBOV / 20) + 1e-6
    np.testing.assert_array_equal(held[: RATE // 3], burst[: RATE // 3])


def test_silence_around_the_voice_goes_and_the_sentence_end_gets_its_pause() -> None:
    voice = tone(0.5, 0.3)
    around = np.concatenate([silence(1.0), voice, silence(2.0)])
    assert len(trim(around)) / RATE == pytest.approx(0.6, abs=0.03)
    within, at_end = (len(pcm_to_prompt(from_floats(around), RATE, text)) / RATE for text in ("请问是", "你好吗?"))
    assert within == pytest.approx(0.6, abs=0.03)
    assert at_end == pytest.approx(0.79, abs=0.03)


def test_a_piece_that_begins_with_a_comma_brings_the_pause() -> None:
    voice = tone(0.5, 0.3)
    plain, with_comma = (to_prompt(voice, RATE, text) for text in ("请按1", ",请按1"))
    assert (len(with_comma) - len(plain)) / RATE == pytest.approx(0.15, abs=0.02)
    assert set(with_comma[:1000]) <= {0xFF, 0x7F}  # silence in μ-law


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        ("请问是", 60),
        ("一、", 90),
        ("您好,", 160),
        ("您好\uff0c", 160),
        ("好。", 250),
        ("好吗?", 250),
        ("好吗\uff1f", 250),
        ("“好。”", 250),
        ("", 60),
    ],
)
def test_the_pause_follows_the_punctuation(text: str, pause: int) -> None:
    assert pause_ms(text) == pause


def test_the_lead_is_short_unless_punctuation_begins() -> None:
    assert lead_ms("请按") < 30
    assert lead_ms("") < 30
    assert lead_ms(",请按") == 160


@pytest.mark.parametrize("samples", [silence(0.0), silence(0.004), silence(1.0)])
def test_no_voice_gives_no_prompt(samples: Floats) -> None:
    assert to_prompt(samples, RATE) == b""


def test_a_constant_offset_is_no_voice_and_does_not_survive() -> None:
    assert to_prompt(silence(1.0) + np.float32(0.2), RATE) == b""
    voice = to_floats(g711.ulaw_decode(to_prompt(speechlike(1.0, 0.1) + np.float32(0.2), RATE)))
    assert abs(float(np.mean(voice))) < 0.01
