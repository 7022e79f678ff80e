"""Which call-progress tone a line plays that has "answered" too early: mainland China's 450 Hz, by our own audio. Pure.

Cadences (GB/T 3380; 450 ± 25 Hz): ring-back 1 s on, 4 s off; busy 0.35 s on, 0.35 s off;
congestion 0.7 s on, 0.7 s off. A dial tone never pauses. Whatever fits none of these is unknown: a person, perhaps, and
never a word on how they are.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from enum import StrEnum

from speech.g711 import ulaw_decode

RATE = 8_000
BLOCK = 160  # samples, 20 ms
BLOCK_S = BLOCK / RATE
TONE_HZ = (425.0, 437.5, 450.0, 462.5, 475.0)
PURE = 0.85  # share of a block's energy that the tone must have
QUIETEST = 60.0  # r.m.s. of 16-bit samples, about -55 dBFS; below it is no tone, whatever its pitch
STEADY_DB = 3.0  # a tone's blocks are as loud as each other
GLITCH = 2  # blocks: a gap or burst that short is a lost frame or a click
SLACK_S = 0.06  # by which a tone may be longer or shorter
CYCLES = 3  # of busy and congestion before they are believed
HUM_S = 5.0  # of a tone without a pause
MOST_STRAY = 3  # blocks in which something else sounds


class Tone(StrEnum):
    RING_BACK = "ring_back"
    BUSY = "busy"
    CONGESTION = "congestion"
    DIAL = "dial"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Cadence:
    tone: Tone
    on_s: float
    off_s: float
    bursts: int  # whole ones, with whole pauses between, before it is believed


CADENCES = (
    Cadence(Tone.RING_BACK, 1.0, 4.0, 2),
    Cadence(Tone.BUSY, 0.35, 0.35, CYCLES),
    Cadence(Tone.CONGESTION, 0.7, 0.7, CYCLES),
)


class ProgressTones:
    """Takes a line's audio as it comes. `tone` is what the last seconds are; it is said once they are clear."""

    def __init__(self) -> None:
        self.tone = Tone.UNKNOWN
        self._rest = b""
        self._runs: list[tuple[str, int, float]] = []  # "tone", "quiet" or "other"; its blocks; loudness of a tone

    def feed(self, ulaw: bytes) -> Tone:
        self._rest += ulaw
        while len(self._rest) >= BLOCK:
            block, self._rest = self._rest[:BLOCK], self._rest[BLOCK:]
            self._add(*kind_of(array("h", ulaw_decode(block))))
        self.tone = _tone(self._smooth())
        return self.tone

    def _add(self, kind: str, level: float) -> None:
        if self._runs and self._runs[-1][0] == kind:
            _, count, before = self._runs[-1]
            self._runs[-1] = (kind, count + 1, max(before, level))
        else:
            self._runs = [*self._runs[-40:], (kind, 1, level)]

    def _smooth(self) -> list[tuple[str, int, float]]:
        """Short gaps and bursts count as what surrounds them; the edges of a burst, half in a block, as its part."""
        smooth: list[tuple[str, int, float]] = []
        for kind, count, level in self._runs:
            if smooth and (count <= GLITCH or smooth[-1][0] == kind):
                before, blocks, loudest = smooth[-1]
                smooth[-1] = (before, blocks + count, max(loudest, level) if kind == "tone" else loudest)
            else:
                smooth.append((kind, count, level))
        return smooth


def kind_of(samples: array[int]) -> tuple[str, float]:
    """One block: "tone", "quiet" or "other", and its loudness (r.m.s.)."""
    energy = sum(value * value for value in samples)
    level = math.sqrt(energy / len(samples))
    if level < QUIETEST:
        return "quiet", level
    share = max(_power(samples, hertz) for hertz in TONE_HZ) / energy
    return ("tone" if share >= PURE else "other"), level


def _power(samples: array[int], hertz: float) -> float:
    """The energy that a sine of this pitch has in the block (Goertzel)."""
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    before = last = 0.0
    for value in samples:
        before, last = last, value + turn * last - before
    return 2 * (last * last + before * before - turn * last * before) / len(samples)


def _tone(runs: list[tuple[str, int, float]]) -> Tone:
    """By the last whole bursts; the first and the last run may be cut."""
    if any(kind == "other" and count > MOST_STRAY for kind, count, _ in runs):
        return Tone.UNKNOWN
    if runs and runs[-1][0] == "tone" and runs[-1][1] * BLOCK_S >= HUM_S:
        return Tone.DIAL
    return next((cadence.tone for cadence in CADENCES if _fits(runs, cadence)), Tone.UNKNOWN)


def _fits(runs: list[tuple[str, int, float]], cadence: Cadence) -> bool:
    """Whole bursts, each followed by what follows; of a last pause enough has passed that it isn't a shorter one."""
    wanted = 2 * cadence.bursts - 1
    last = next((at for at in range(len(runs) - 1, -1, -1) if runs[at][0] == "tone" and at < len(runs) - 1), -1)
    part = runs[last - wanted + 1 : last + 1] if last - wanted + 1 >= 0 else []
    if len(part) < wanted:
        return False
    levels = [level for kind, _, level in part if kind == "tone"]
    if 20 * math.log10(max(levels) / min(levels)) > STEADY_DB:
        return False
    lengths = {"tone": cadence.on_s, "quiet": cadence.off_s}
    return all(
        kind in lengths and abs(count * BLOCK_S - lengths[kind]) <= max(SLACK_S, lengths[kind] * 0.1)
        for kind, count, _ in part
    )
