"""What a recording looks like: made here, so that nobody's browser fetches a recording that nobody listens to."""

from __future__ import annotations

import numpy as np

from speech.g711 import ulaw_decode

RATE = 8000
MOST = 600  # points; a screen shows no more


def peaks(ulaw: bytes, most: int = MOST) -> list[int]:
    """The loudest moment of each stretch of 8 kHz μ-law, in hundredths of the loudest of all; empty for no audio."""
    if not ulaw:
        return []
    loud = np.abs(np.frombuffer(ulaw_decode(ulaw), np.int16).astype(np.int32))
    edges = np.linspace(0, len(loud), min(most, len(loud)), endpoint=False).astype(int)
    found = np.maximum.reduceat(loud, edges)
    return [int(value) for value in np.rint(100 * found / max(int(loud.max()), 1))]


def seconds(ulaw: bytes) -> float:
    return len(ulaw) / RATE
