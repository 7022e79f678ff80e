"""Sounds by formula that come over a telephone and are nobody's answer. 8 kHz floats, peak about 0.3, seeded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.evaluation.conditions import Floats
from speech.recogniser import SAMPLE_RATE

Random = np.random.Generator
DTMF = ((697, 770, 852, 941), (1209, 1336, 1477, 1633))
TWO_PI = 2 * np.pi


def _time(seconds: float) -> Floats:
    return (np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE).astype(np.float32)


def _tone(hz: float, t: Floats) -> Floats:
    return np.asarray(np.sin(TWO_PI * hz * t), np.float32)


def cough(random: Random) -> Floats:
    """One to three bursts of noise through two formants, each dying away in 100–250 ms."""
    bursts = []
    for _ in range(random.integers(1, 4)):
        t = _time(random.uniform(0.2, 0.45))
        carrier = random.normal(0, 1, len(t)) * np.exp(-t / random.uniform(0.05, 0.12)) * np.minimum(1, t / 0.01)
        resonances = [_resonant(carrier, hz, 180) for hz in (random.uniform(400, 900), random.uniform(1200, 2400))]
        bursts += [np.sum(resonances, axis=0), np.zeros(round(random.uniform(0.05, 0.25) * SAMPLE_RATE))]
    return _to_peak(np.concatenate(bursts), 0.4)


def _resonant(signal: np.ndarray, hz: float, width: float) -> np.ndarray:
    """A band of `width` Hz around `hz`."""
    spectrum = np.fft.rfft(signal)
    freqs = np.fft.rfftfreq(len(signal), 1 / SAMPLE_RATE)
    return np.fft.irfft(spectrum / (1 + ((freqs - hz) / width) ** 2), len(signal))


def clicks(random: Random) -> Floats:
    """Knocks and handset noises: impulses that ring for some ms."""
    made = np.zeros(round(random.uniform(0.8, 2.5) * SAMPLE_RATE), np.float32)
    for at in random.integers(0, len(made) - 800, random.integers(2, 10)):
        t = _time(0.1)
        made[at : at + len(t)] += random.uniform(0.3, 1) * np.exp(-t / 0.008) * _tone(random.uniform(300, 2500), t)
    return _to_peak(made, 0.5)


def hum(random: Random) -> Floats:
    """Mains hum with its harmonics."""
    t = _time(random.uniform(1.0, 3.0))
    return _to_peak(np.sum([_tone(50 * n, t) / n for n in range(1, 9)], axis=0), 0.2)


def dtmf(random: Random) -> Floats:
    """One to four keys."""
    parts: list[Floats] = []
    for _ in range(random.integers(1, 5)):
        t = _time(random.uniform(0.07, 0.3))
        parts += [_tone(random.choice(DTMF[0]), t) + _tone(random.choice(DTMF[1]), t), np.zeros(800, np.float32)]
    return _to_peak(np.concatenate(parts), 0.4)


def ring_back(random: Random) -> Floats:
    """China's tone of 450 Hz: ring-back (1 s on) or busy (0.35 s on and off), GF 002-9002.1."""
    t = _time(random.uniform(1.0, 3.0))
    busy = (t % 0.7) < 0.35
    return _to_peak(_tone(450, t) * (busy if random.random() < 0.5 else (t % 5) < 1), 0.3)


def hiss(random: Random) -> Floats:
    """A gust of noise, white to brown."""
    noise = random.normal(0, 1, round(random.uniform(0.6, 2.5) * SAMPLE_RATE))
    spectrum = np.fft.rfft(noise)
    spectrum[1:] /= np.arange(1, len(spectrum)) ** random.uniform(0, 1)
    spectrum[0] = 0
    return _to_peak(np.fft.irfft(spectrum, len(noise)) * np.hanning(len(noise)), 0.4)


def hammering(random: Random) -> Floats:
    """A drill or a hammer next door: noise in a fast rhythm."""
    t = _time(random.uniform(1.0, 3.0))
    return _to_peak(random.normal(0, 1, len(t)) * (np.sin(TWO_PI * random.uniform(4, 25) * t) > 0.3), 0.3)


def music(random: Random, seconds: float) -> Floats:
    """A melody of the pentatonic scale in voices with harmonics, with a beat below it."""
    made = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    root, beat = random.uniform(180, 330), random.uniform(0.2, 0.6)
    for start in np.arange(0, seconds, beat):
        t = _time(min(beat * random.choice([1, 2]), seconds - start))
        hz = root * 2 ** (random.choice([0, 2, 4, 7, 9, 12]) / 12)
        note = np.sum([_tone(hz * n, t) / n**1.5 for n in range(1, 6)], axis=0) * np.exp(-t / 0.4)
        at = round(start * SAMPLE_RATE)
        made[at : at + len(note)] += note[: len(made) - at].astype(np.float32)
    return _to_peak(made, 0.3)


def _to_peak(samples: np.ndarray, peak: float) -> Floats:
    return np.asarray(samples * (peak / max(1e-6, float(np.abs(samples).max()))), np.float32)


MAKERS: tuple[Callable[[Random], Floats], ...] = (cough, clicks, hum, dtmf, ring_back, hiss, hammering)
