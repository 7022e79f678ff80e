"""Made sounds in which nobody speaks, 8 kHz PCM: what a telephone line carries besides people."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from speech.recogniser import SAMPLE_RATE
from speech.resample import from_floats

Samples = NDArray[np.float64]
Random = np.random.Generator

DTMF = ((697, 770, 852, 941), (1209, 1336, 1477))  # Hz: ITU-T Q.23
RING_HZ = 450  # ring-back and busy tone in China (GB 3380)
SCALE = (0, 2, 4, 7, 9, 12)  # semitones: pentatonic


def _times(seconds: float) -> Samples:
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def white(seconds: float, random: Random) -> Samples:
    return random.normal(size=len(_times(seconds)))


def _falling(noise: Samples, from_hz: float, db_per_octave: float) -> Samples:
    spectrum, hz = np.fft.rfft(noise), np.fft.rfftfreq(len(noise), 1 / SAMPLE_RATE)
    gain = (np.maximum(hz, from_hz) / from_hz) ** (-db_per_octave / 6.02)
    return np.fft.irfft(spectrum * np.where(hz < 100, 0, gain), len(noise))


def pink(seconds: float, random: Random) -> Samples:
    return _falling(white(seconds, random), 100, 3)


def rhythmic(seconds: float, random: Random) -> Samples:
    """Noise with the long-term spectrum of speech and its rhythm of 2–7 syllables a second."""
    envelope = np.fft.rfft(white(seconds, random))
    hz = np.fft.rfftfreq(len(_times(seconds)), 1 / SAMPLE_RATE)
    envelope[(hz < 2) | (hz > 7)] = 0
    swing = np.fft.irfft(envelope, len(_times(seconds)))
    return _falling(white(seconds, random), 500, 9) * np.clip(1 + swing / swing.std(), 0, None)


def hum(seconds: float, random: Random) -> Samples:
    """50 Hz mains with overtones."""
    del random
    return sum((np.sin(2 * np.pi * 50 * k * _times(seconds)) / k for k in range(1, 12)), np.zeros(1))


def ring_back(seconds: float, random: Random) -> Samples:
    del random
    times = _times(seconds)
    return np.sin(2 * np.pi * RING_HZ * times) * (times % 5 < 1)


def busy(seconds: float, random: Random) -> Samples:
    del random
    times = _times(seconds)
    return np.sin(2 * np.pi * RING_HZ * times) * (times % 0.7 < 0.35)


def dtmf(seconds: float, random: Random) -> Samples:
    times, sound = _times(seconds), np.zeros(len(_times(seconds)))
    for begin in np.arange(0.2, seconds - 0.2, 0.4):
        low, high = (random.choice(row) for row in DTMF)
        tone = np.sin(2 * np.pi * low * times) + np.sin(2 * np.pi * high * times)
        sound += tone * ((times >= begin) & (times < begin + 0.15))
    return sound


def clicks(seconds: float, random: Random) -> Samples:
    sound = np.zeros(len(_times(seconds)))
    for begin in random.integers(0, len(sound) - 80, round(2 * seconds)):
        sound[begin : begin + 80] += random.normal(size=80) * np.exp(-np.arange(80) / 15)
    return sound


def music(seconds: float, random: Random) -> Samples:
    """Plucked notes."""
    times, sound = _times(seconds), np.zeros(len(_times(seconds)))
    for begin in np.arange(0, seconds - 0.1, 0.35):
        hz = 220 * 2 ** (random.choice(SCALE) / 12 + random.integers(0, 2))
        since = np.clip(times - begin, 0, None)
        tone = sum((np.sin(2 * np.pi * hz * k * times) / k**1.5 for k in range(1, 6)), np.zeros(1))
        sound += tone * np.exp(-3 * since) * ((times >= begin) & (since < 0.8))
    return sound


def breath(seconds: float, random: Random) -> Samples:
    swing = np.clip(np.sin(2 * np.pi * 0.3 * _times(seconds)), 0, None) ** 2
    return _falling(white(seconds, random), 800, 6) * swing


KINDS: MappingProxyType[str, Callable[[float, Random], Samples]] = MappingProxyType(
    {each.__name__: each for each in (white, pink, rhythmic, hum, ring_back, busy, dtmf, clicks, music, breath)}
)


def sound(kind: str, seconds: float, rms: float, seed: int = 1) -> bytes:
    """`rms` on the 16-bit scale."""
    samples = KINDS[kind](seconds, np.random.default_rng(seed))
    return from_floats(samples / np.sqrt(np.mean(samples**2)) * rms / 32768)
