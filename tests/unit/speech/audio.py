"""Real speech for tests: the shipped prompts (a natural Mandarin voice), and what a line does to sound."""

from __future__ import annotations

from functools import cache

import numpy as np

from speech import g711
from speech.pack import Packs
from speech.recogniser import SAMPLE_RATE
from speech.resample import from_floats, to_floats

FRAME = 320  # bytes of PCM in 20 ms


@cache
def _packs() -> Packs:
    return Packs()


@cache
def prompt(text: str) -> bytes:
    """A shipped prompt as PCM."""
    ulaw = _packs().get(text, "zh")
    assert ulaw, f"the prompt pack lacks {text}"
    return g711.ulaw_decode(ulaw)


def silence(ms: int) -> bytes:
    return bytes(2 * SAMPLE_RATE * ms // 1000)


def noise(ms: int, rms: int, seed: int = 1) -> bytes:
    """White noise; `rms` on the 16-bit scale."""
    samples = np.random.default_rng(seed).normal(0.0, rms / 32768, SAMPLE_RATE * ms // 1000)
    return from_floats(samples)


def quieter(pcm: bytes, db: float) -> bytes:
    return from_floats(to_floats(pcm) * 10 ** (-db / 20))


def mixed(*parts: bytes) -> bytes:
    """Laid over each other; as long as the longest."""
    length = max(len(part) for part in parts)
    return from_floats(np.sum([to_floats(part.ljust(length, b"\0")) for part in parts], axis=0))


def over_the_line(pcm: bytes) -> bytes:
    """Through G.711 once."""
    return g711.ulaw_decode(g711.ulaw_encode(pcm))


def frames(pcm: bytes) -> list[bytes]:
    """Whole 20 ms frames; the rest is left out."""
    return [pcm[at : at + FRAME] for at in range(0, len(pcm) - FRAME + 1, FRAME)]
