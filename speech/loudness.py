"""From a voice to a prompt: trimmed, brought to one loudness, limited, band-limited, padded for joining, μ-law.

Levels are in dBov: decibels relative to the overload point of 16-bit PCM (a full-scale square wave is 0, a full-scale
sine −3). Loudness is the active speech level of ITU-T P.56, method B: the power of a clip while somebody speaks,
so that pauses don't count.
"""

from __future__ import annotations

import math
import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech import g711
from speech.recogniser import SAMPLE_RATE
from speech.resample import Floats, from_floats, resample_floats, to_floats

# Telephone speech lies about −26 dBov (ITU-T P.800's test level); 7 dB more is what announcements for people who hear
# badly can have before μ-law's overload point (the peaks of speech lie 15–18 dB above its level).
TARGET_DBOV = -19.0
PEAK_DBOV = -1.5  # highest sample; μ-law overloads at −0.2 dBov
MAX_GAIN_DB = 40.0  # a recording softer than −59 dBov is line noise, not speech

# ITU-T P.56 (2011), method B.
TIME_CONSTANT_S = 0.03
HANGOVER_S = 0.2
MARGIN_DB = 15.9
MIN_DBOV = -100.0

TRIM_DB = 40.0  # below the loudest 10 ms: there the voice begins and ends
KEEP_BEFORE_MS, KEEP_AFTER_MS = 40, 60  # s, sh and x are nearly silent below 4 kHz; vowels die slowly
FADE_MS = 5
LEAD_MS = 10

# Silence after a piece, by its last character: pieces are joined at play time ("您好,这里是" + name + "吗?").
PAUSES_MS = {"、": 90, ",": 160, ":": 160, ";": 200, "…": 250, ".": 250, "。": 250, "?": 250, "!": 250}
PAUSE_INSIDE_MS = 60


def to_prompt(samples: Floats, rate: int, text: str = "") -> bytes:
    """A voice (floats in −1..1 at `rate`) → a prompt: μ-law 8 kHz, ready to be joined with others.

    `text` is what it says: its first and last character decide the pauses. No voice in it: empty.
    """
    voice = (
        trim(resample_floats(samples - np.float32(np.mean(samples)), rate, SAMPLE_RATE)) if len(samples) else samples
    )
    if not len(voice):
        return b""
    return g711.ulaw_encode(from_floats(pad(normalise(voice), pause_ms(text), lead_ms(text))))


def pcm_to_prompt(pcm: bytes, rate: int, text: str = "") -> bytes:
    """The same for 16-bit PCM."""
    return to_prompt(to_floats(pcm), rate, text)


def pause_ms(text: str) -> int:
    """Silence that belongs after `text`: 60 ms inside a sentence, up to 250 ms after its end."""
    last = unicodedata.normalize("NFKC", text.rstrip(" \"'”’』」)）"))[-1:]
    return PAUSES_MS.get(last, PAUSE_INSIDE_MS)


def lead_ms(text: str) -> int:
    """Silence before `text`: a piece that begins with a comma (",请按1" after a name) brings its pause along."""
    return PAUSES_MS.get(unicodedata.normalize("NFKC", text)[:1], LEAD_MS)


def active_level(samples: NDArray[Any], rate: int = SAMPLE_RATE) -> float:
    """Active speech level in dBov (P.56 method B, the envelope taken once a millisecond); −100 for silence."""
    block = rate // 1000
    blocks = np.asarray(samples, np.float64)[: len(samples) // block * block].reshape(-1, block)
    energy = float(np.sum(blocks**2))
    if energy <= 0:
        return MIN_DBOV
    envelope = _envelope(np.mean(np.abs(blocks), axis=1))
    return max(MIN_DBOV, _method_b(energy, envelope, block))


def _envelope(magnitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two exponential averages in a row (P.56 §7.3)."""
    keep = math.exp(-0.001 / TIME_CONSTANT_S)
    first = second = 0.0
    envelope = []
    for value in magnitude.tolist():
        first = keep * first + (1 - keep) * value
        second = keep * second + (1 - keep) * first
        envelope.append(second)
    return np.asarray(envelope)


def _method_b(energy: float, envelope: NDArray[np.float64], block: int) -> float:
    """The level at which the activity threshold lies MARGIN_DB below the level itself."""
    previous: tuple[float, float] | None = None
    for exponent in range(-15, 0):
        threshold = 2.0**exponent
        active = _active_blocks(envelope, threshold) * block
        if not active:
            break
        level = 10 * math.log10(energy / active)
        excess = level - 20 * exponent * math.log10(2) - MARGIN_DB
        if excess <= 0:
            return level if previous is None else _between(previous, (level, excess))
        previous = (level, excess)
    return previous[0] if previous else MIN_DBOV


def _between(above: tuple[float, float], below: tuple[float, float]) -> float:
    """Linear interpolation to the point of no excess."""
    share = above[1] / (above[1] - below[1])
    return above[0] + share * (below[0] - above[0])


def _active_blocks(envelope: NDArray[np.float64], threshold: float) -> int:
    """Milliseconds in which the envelope is above `threshold` or was, at most the hangover ago."""
    above = np.flatnonzero(envelope >= threshold)
    until = np.diff(np.append(above, len(envelope)))
    return int(np.sum(np.minimum(until, round(HANGOVER_S * 1000) + 1)))


def normalise(samples: Floats, target: float = TARGET_DBOV) -> Floats:
    """Brings 8 kHz samples to `target` dBov, peaks limited; at most MAX_GAIN_DB louder."""
    level = active_level(samples)
    if level <= MIN_DBOV:
        return samples
    target = min(target, level + MAX_GAIN_DB)
    for _ in range(2):  # the limiter takes some of the level: the second time makes up for it
        samples = limit(samples * np.float32(10 ** ((target - active_level(samples)) / 20)))
    return samples


def limit(samples: Floats, peak: float = PEAK_DBOV, window_ms: int = 4) -> Floats:
    """Holds every sample at or below `peak` by a gain that looks ahead and moves smoothly (no clipping)."""
    ceiling = 10 ** (peak / 20)
    need = np.minimum(1.0, ceiling / np.maximum(np.abs(samples), 1e-9))
    if need.min() >= 1.0:
        return samples
    half = window_ms * SAMPLE_RATE // 2000
    lowest = np.lib.stride_tricks.sliding_window_view(np.pad(need, 2 * half, mode="edge"), 2 * half + 1).min(axis=1)
    shape = np.hanning(2 * half + 3)[1:-1]
    gain = np.convolve(lowest, shape / shape.sum(), mode="valid")
    return np.asarray(samples * gain, np.float32)


def trim(samples: Floats) -> Floats:
    """Cuts the silence before and after the voice (8 kHz), with short fades; empty when there is no voice."""
    first, last = _voice(samples)
    if first == last:
        return samples[:0]
    first = max(0, first - KEEP_BEFORE_MS * SAMPLE_RATE // 1000)
    last = min(len(samples), last + KEEP_AFTER_MS * SAMPLE_RATE // 1000)
    return _faded(samples[first:last])


def _voice(samples: Floats) -> tuple[int, int]:
    """Where the voice begins and ends, in samples, to 10 ms; (0, 0) when there is none."""
    frame = SAMPLE_RATE // 100
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    power = np.mean(frames.astype(np.float64) ** 2, axis=1)
    if not len(power) or power.max() < 10 ** (MIN_DBOV / 10):
        return 0, 0
    loud = np.flatnonzero(power > power.max() * 10 ** (-TRIM_DB / 10))
    return int(loud[0]) * frame, (int(loud[-1]) + 1) * frame


def _faded(samples: Floats) -> Floats:
    ramp = np.linspace(0.0, 1.0, min(len(samples) // 2, FADE_MS * SAMPLE_RATE // 1000), dtype=np.float32)
    faded = samples.copy()
    faded[: len(ramp)] *= ramp
    faded[len(faded) - len(ramp) :] *= ramp[::-1]
    return faded


def pad(samples: Floats, after_ms: int, before_ms: int = LEAD_MS) -> Floats:
    """Silence around a trimmed voice (8 kHz), so that `before_ms` and `after_ms` of quiet are there at least."""
    first, last = _voice(samples)
    before = max(0, before_ms * SAMPLE_RATE // 1000 - first)
    after = max(0, after_ms * SAMPLE_RATE // 1000 - (len(samples) - last))
    return np.pad(samples, (before, after)).astype(np.float32)
