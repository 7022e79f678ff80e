"""Sample rate conversion by soxr, for 16-bit mono PCM: whole clips and streams."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def resample(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    """Converts a whole clip. Same rate: the same bytes."""
    if from_hz == to_hz or not pcm:
        return pcm
    samples = np.frombuffer(pcm, "<i2")
    return bytes(np.asarray(soxr.resample(samples, from_hz, to_hz), "<i2").tobytes())


def to_floats(pcm: bytes) -> Floats:
    """PCM → float samples in −1..1."""
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768.0)


def from_floats(samples: NDArray[Any]) -> bytes:
    """Float samples → PCM; clips at full scale."""
    return bytes(np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2").tobytes())


def resample_floats(samples: Floats, from_hz: int, to_hz: int) -> Floats:
    """Converts a whole clip of float samples."""
    return np.asarray(soxr.resample(samples, from_hz, to_hz), np.float32)


class Resampler:
    """Converts a stream piece by piece; the pieces joined equal the whole (soxr holds back a little until the end)."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16")

    def feed(self, pcm: bytes, last: bool = False) -> bytes:
        """Takes any whole number of samples; `last` drains what was held back."""
        samples = np.frombuffer(pcm, "<i2").astype(np.int16)
        return bytes(np.asarray(self._stream.resample_chunk(samples, last=last), "<i2").tobytes())
