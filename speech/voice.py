"""Whether a human voice is in some audio: for texts of engines that make words of any sound.

Vocal cords make a voice periodic (70–400 Hz) with many overtones. Line noise, breath and clicks are not periodic;
ring-back, busy and key tones are one or two pure tones. Music passes. Measured on made sounds, a minute each, three
levels and seeds: at most 120 ms of such frames in any 2 s (clicks; rhythmic noise 100); shortest dictations of eight
synthetic voices, as loud as they are and 20 dB quieter: at least 240 ms, in white noise of their own level 80 ms.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from speech.recogniser import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE
from speech.resample import to_floats
from speech.vad import Vad

ENOUGH_MS = 140
WITHIN_MS = 2000
FRAME_BYTES = 2 * FRAME_SAMPLES

_WINDOW = 2 * FRAME_SAMPLES  # 40 ms: almost three periods at 70 Hz
_FFT = 1024
_LAGS = slice(SAMPLE_RATE // 400, SAMPLE_RATE // 70 + 1)
_PERIODIC = 0.6  # normalised autocorrelation
_PURE = 0.95  # of the energy within 100 Hz of the two strongest tones
_PURE_BINS = 12  # 94 Hz
_LOWEST_BIN = 8  # 62 Hz: what is below is hum and offset

_Floats = NDArray[np.floating]
_TAPER = np.hanning(_WINDOW)
_OWN = np.fft.irfft(np.abs(np.fft.rfft(_TAPER, _FFT)) ** 2)[_LAGS]  # the taper's own autocorrelation
_OWN /= np.sum(_TAPER**2)


class Voice:
    """`feed` 8 kHz PCM in any pieces; `heard` from the moment on at which there was enough voice. It measures no
    more then."""

    def __init__(self) -> None:
        self.heard = False
        self._vad = Vad()
        self._rest = b""
        self._recent: deque[bool] = deque(maxlen=WITHIN_MS // FRAME_MS)

    def feed(self, pcm: bytes) -> None:
        if self.heard:
            return
        data = self._rest + pcm
        frames = max(0, len(data) // FRAME_BYTES - 1)  # the last one waits for its other half
        self._rest = data[frames * FRAME_BYTES :]
        whole = data[: len(data) - len(data) % FRAME_BYTES]
        for voiced in self._voiced(whole, frames):
            self._recent.append(voiced)
            self.heard = self.heard or FRAME_MS * sum(self._recent) >= ENOUGH_MS

    def _voiced(self, pcm: bytes, frames: int) -> list[bool]:
        speech = [self._vad.is_speech(pcm[at * FRAME_BYTES : (at + 1) * FRAME_BYTES]) for at in range(frames)]
        found, at = np.array(speech, bool), np.flatnonzero(speech)
        if len(at):
            samples = to_floats(pcm)
            found[at] = _glottal(np.stack([samples[one * FRAME_SAMPLES :][:_WINDOW] for one in at]))
        return [bool(one) for one in found]


def _glottal(windows: _Floats) -> NDArray[np.bool_]:
    """Which of the windows (one a row) are periodic as a voice is, and no pure tone."""
    power = np.abs(np.fft.rfft((windows - windows.mean(1, keepdims=True)) * _TAPER, _FFT)) ** 2
    autocorrelation = np.fft.irfft(power)
    energy = np.maximum(autocorrelation[:, :1], 1e-12)
    periodic = (autocorrelation[:, _LAGS] / energy / _OWN).max(axis=1) > _PERIODIC
    return np.asarray(periodic & (_purity(power[:, _LOWEST_BIN:]) < _PURE))


def _purity(power: _Floats) -> _Floats:
    """The share of the energy about the two strongest tones."""
    total = np.maximum(power.sum(axis=1), 1e-12)
    rest, bins = power.copy(), np.arange(power.shape[1])
    for _ in range(2):
        rest[np.abs(bins - rest.argmax(axis=1)[:, None]) <= _PURE_BINS] = 0.0
    return np.asarray(1.0 - rest.sum(axis=1) / total)
