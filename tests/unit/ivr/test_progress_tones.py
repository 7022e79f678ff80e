"""Tones of a line that has "answered" too early; whatever is none of them stays unknown."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterable
from pathlib import Path

import pytest

from ivr.progress_tones import RATE, ProgressTones, Tone
from speech.g711 import ulaw_encode

RECORDED = Path(__file__).parents[4] / "shared" / "speech-set"


def made(
    *parts: tuple[float, float], hertz: float = 450, level: float = 3000, noise: float = 0, seed: int = 1
) -> list[int]:
    """`parts`: seconds on, seconds off, again and again."""
    dice, samples = random.Random(seed), []
    for on, off in parts:
        for at in range(round((on + off) * RATE)):
            tone = level * math.sin(2 * math.pi * hertz * at / RATE) if at < on * RATE else 0.0
            samples.append(round(tone + dice.gauss(0, noise)))
    return samples


def heard(samples: Iterable[int]) -> set[Tone]:
    """All that it was taken for on the way, frame by frame."""
    ulaw = ulaw_encode(array("h", [max(-32768, min(32767, value)) for value in samples]).tobytes())
    tones = ProgressTones()
    return {tones.feed(ulaw[at : at + 160]) for at in range(0, len(ulaw), 160)}


RINGING, ENGAGED, FULL = (1.0, 4.0), (0.35, 0.35), (0.7, 0.7)


@pytest.mark.parametrize("hertz", [430, 450, 470])
@pytest.mark.parametrize("level", [300, 3000, 20000])
@pytest.mark.parametrize(
    ("cadence", "tone", "times"), [(RINGING, Tone.RING_BACK, 3), (ENGAGED, Tone.BUSY, 6), (FULL, Tone.CONGESTION, 5)]
)
def test_each_tone_is_known_and_taken_for_no_other(
    cadence: tuple[float, float], tone: Tone, times: int, level: float, hertz: float
) -> None:
    assert heard(made(*[cadence] * times, level=level, hertz=hertz)) == {Tone.UNKNOWN, tone}


@pytest.mark.parametrize(("cadence", "tone"), [(RINGING, Tone.RING_BACK), (ENGAGED, Tone.BUSY)])
def test_a_noisy_line_is_known_too(cadence: tuple[float, float], tone: Tone) -> None:
    assert heard(made(*[cadence] * 6, noise=30)) == {Tone.UNKNOWN, tone}


def test_frames_lost_in_a_tone_change_nothing() -> None:
    samples = made(*[ENGAGED] * 8)
    for lost in range(0, len(samples), 50 * 160):
        samples[lost : lost + 160] = [0] * min(160, len(samples) - lost)
    assert heard(samples) == {Tone.UNKNOWN, Tone.BUSY}


def test_whoever_picks_up_after_the_ring_back_is_a_person() -> None:
    dice = random.Random(2)
    tones = ProgressTones()
    person = [round(dice.gauss(0, 2000)) for _ in range(RATE)]
    samples = [*made(RINGING, RINGING, (1.0, 1.0)), *person]
    tones.feed(ulaw_encode(array("h", samples).tobytes()))
    assert tones.tone is Tone.UNKNOWN


def test_a_tone_without_a_pause_is_a_dial_tone() -> None:
    assert heard(made((8.0, 0.0))) == {Tone.UNKNOWN, Tone.DIAL}


@pytest.mark.parametrize(
    "samples",
    [
        made((0.0, 20.0)),
        made((0.0, 20.0), noise=3000),
        made(*[ENGAGED] * 8, hertz=1000),
        made(*[(0.2, 0.2)] * 20),
        made(*[(0.5, 0.5)] * 10),
        made((0.35, 0.35), (0.35, 0.35)),
        made((1.0, 4.0)),
    ],
    ids=["nothing", "noise", "another pitch", "quicker", "between two", "too short", "one ring"],
)
def test_what_fits_no_cadence_is_unknown(samples: list[int]) -> None:
    assert heard(samples) == {Tone.UNKNOWN}


def test_no_recorded_voice_is_taken_for_a_tone() -> None:
    soundfile = pytest.importorskip("soundfile")
    files = sorted(RECORDED.rglob("*.flac"))[::8]
    if not files:
        pytest.skip("no recordings beside the project (shared/speech-set)")
    for file in files:
        pcm, rate = soundfile.read(file, dtype="int16")
        assert rate == 2 * RATE
        wide = pcm.tolist()
        narrow = [(one + other) // 2 for one, other in zip(wide[::2], wide[1::2], strict=False)]
        assert heard(narrow) == {Tone.UNKNOWN}, file.name
