"""μ-law arithmetic for a telephone line: mixing, line echo, a noise bed. 8 kHz, one frame = 160 bytes."""

from __future__ import annotations

import audioop
from collections import deque
from functools import cache

import numpy as np

from .phone import FRAME_BYTES, FRAME_MS, SILENCE, Echo

SPEECH_DBOV = -19.0  # active level of the clips; a noise bed is measured against it
_SPEECH_ENERGY = 300  # RMS of 16-bit samples above which a frame counts as sound


def sounds(frame: bytes) -> bool:
    """Whether something audible is in a μ-law frame (about -41 dBov and more)."""
    return frame != SILENCE and audioop.rms(audioop.ulaw2lin(frame, 2), 2) > _SPEECH_ENERGY


def mix(first: bytes, second: bytes) -> bytes:
    """The sum of two μ-law frames, saturating."""
    if second == SILENCE:
        return first
    if first == SILENCE:
        return second
    return audioop.lin2ulaw(audioop.add(audioop.ulaw2lin(first, 2), audioop.ulaw2lin(second, 2), 2), 2)


def frames(audio: bytes) -> tuple[bytes, ...]:
    """Cuts μ-law audio into 160-byte frames, the last padded with silence."""
    return tuple(audio[i : i + FRAME_BYTES].ljust(FRAME_BYTES, b"\xff") for i in range(0, len(audio), FRAME_BYTES))


class EchoPath:
    """Gives back what was played, later and quieter. Without `echo`: silence."""

    def __init__(self, echo: Echo | None) -> None:
        self._gain = 10 ** (-echo.db / 20) if echo else 0.0
        self._delay = deque([SILENCE] * (max(1, echo.delay_ms // FRAME_MS) if echo else 0))

    def through(self, frame: bytes) -> bytes:
        if not self._delay:
            return SILENCE
        self._delay.append(frame)
        back = self._delay.popleft()
        if back == SILENCE:
            return SILENCE
        return audioop.lin2ulaw(audioop.mul(audioop.ulaw2lin(back, 2), 2, self._gain), 2)


def noise_bed(snr_db: float, seed: int, bed: bytes = b"") -> tuple[bytes, ...]:
    """Frames to loop under a voice: `bed` (μ-law, e.g. babble) or seeded noise falling 3 dB per octave, scaled so that
    speech of SPEECH_DBOV stands `snr_db` above it."""
    sound = _pcm(bed) if bed else _pink(seed)
    level = 32768 * 10 ** ((SPEECH_DBOV - snr_db) / 20)
    scaled = sound * (level / max(1e-9, float(np.sqrt(np.mean(sound**2)))))
    return frames(audioop.lin2ulaw(np.clip(scaled, -32768, 32767).astype("<i2").tobytes(), 2))


def _pcm(ulaw: bytes) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.frombuffer(audioop.ulaw2lin(ulaw, 2), dtype="<i2").astype(np.float64)


@cache
def _pink(seed: int, samples: int = 32000) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    return np.fft.irfft(spectrum, samples)


def tone(hertz: float, seconds: float, dbov: float = -12.0) -> bytes:
    """A μ-law sine, e.g. an answering machine's beep."""
    time = np.arange(round(seconds * 8000)) / 8000
    wave = 32768 * 10 ** (dbov / 20) * np.sin(2 * np.pi * hertz * time)
    return audioop.lin2ulaw(wave.astype("<i2").tobytes(), 2)
