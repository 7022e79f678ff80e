"""Is what comes in while a prompt plays the line's own prompt coming back, or somebody speaking over it?

Hybrids on two-wire lines send a part of the prompt back, 10–25 dB weaker and 20–800 ms late. An echoed "身体好" must
never become a "well" (PRODUCT.md). The test: find the delay by cross-correlation, fit a short filter from the played
to the heard signal (least squares), and look at what the filter cannot explain: a pure echo is explained, speech on
top is not.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speech.recogniser import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE
from speech.resample import from_floats, to_floats

Floats = NDArray[np.float64]

MAX_DELAY_MS = 800  # hybrid, the network there and back, and the carrier's buffer
WINDOW_MS = 320
BLOCK_FRAMES = 5  # one decision in 100 ms of audio
BLOCK = 256  # samples; TAPS × TAPS × BLOCK multiplications are the most that OpenBLAS does in one thread
TAPS = 32  # 4 ms: a hybrid's impulse response is shorter than that but for its bulk delay
QUIET = 10 ** (-52 / 20)  # nobody answers more softly; G.711 idle noise is below
# Share of the heard energy that the fitted filter leaves. Pure echo through G.711 leaves below 0.1 (its quantisation
# noise); an answer as loud as the echo leaves about 0.5. Measured in tests/unit/speech/test_echo.py.
MAX_RESIDUAL = 0.3


@dataclass(frozen=True)
class EchoVerdict:
    """`ratio`: unexplained share of the heard energy, 0..1. `residual`: the heard PCM less the explained part."""

    ratio: float
    delay_ms: int
    echo: bool
    residual: bytes


def is_echo(heard_pcm: bytes, played_pcm: bytes, lead_ms: int = MAX_DELAY_MS) -> EchoVerdict:
    """Whether `heard_pcm` is `played_pcm` coming back. Both 8 kHz PCM that end at the same moment;
    `played_pcm` begins `lead_ms` before `heard_pcm`, so delays up to that are found."""
    heard, played = to_floats(heard_pcm).astype(np.float64), to_floats(played_pcm).astype(np.float64)
    lead = lead_ms * SAMPLE_RATE // 1000
    if len(played) != len(heard) + lead:
        raise ValueError("played audio must begin lead_ms before the heard audio and end with it")
    energy = float(heard @ heard)
    if energy <= 0 or not played.any():
        return EchoVerdict(1.0 if energy > 0 else 0.0, 0, False, heard_pcm)
    delay = _delay(heard, played, lead)
    residual = heard - _explained(heard, played, lead, delay)
    ratio = float(residual @ residual) / energy
    return EchoVerdict(ratio, delay * 1000 // SAMPLE_RATE, ratio < MAX_RESIDUAL, from_floats(residual))


def _delay(heard: Floats, played: Floats, lead: int) -> int:
    """The delay in samples at which the played signal resembles the heard one most (normalised correlation)."""
    # As long as `played` is enough: at the offsets that are looked at, nothing wraps around.
    size = len(played)
    spectrum = np.fft.rfft(played) * np.conj(np.fft.rfft(heard, size))
    correlation = np.fft.irfft(spectrum, size)[: lead + 1]  # index: offset into `played`
    power = np.concatenate(([0.0], np.cumsum(played**2)))
    energy = power[len(heard) : len(heard) + lead + 1] - power[: lead + 1]
    offset = int(np.argmax(np.abs(correlation) / np.sqrt(energy + 1e-3 * power[-1] + 1e-9)))
    return lead - offset


def _explained(heard: Floats, played: Floats, lead: int, delay: int) -> Floats:
    """The best short filter of the played signal around `delay`, applied."""
    first = lead - delay - TAPS // 2
    padded = np.concatenate((np.zeros(TAPS), played, np.zeros(TAPS)))
    columns = np.lib.stride_tricks.sliding_window_view(padded, len(heard))[first + TAPS : first + 2 * TAPS]
    blocks, wanted = _blocks(columns), _blocks(heard[np.newaxis])
    gram = (blocks @ blocks.transpose(0, 2, 1)).sum(0)
    gram[np.diag_indices(len(gram))] += 1e-6 * np.trace(gram) / len(gram) + 1e-9
    weights = np.linalg.solve(gram, (blocks @ wanted.transpose(0, 2, 1)).sum(0)[:, 0])
    return np.asarray(weights @ blocks, np.float64).reshape(-1)[: len(heard)]


def _blocks(rows: Floats) -> Floats:
    """The rows cut into blocks of BLOCK samples (block, row, sample), zeros after the end.

    Products over blocks of this size stay in one thread: BLAS would split larger ones over all cores, which takes ten
    times as long as the product itself and would make every call of the process late.
    """
    count = -(-rows.shape[1] // BLOCK)
    padded = np.zeros((len(rows), count * BLOCK))
    padded[:, : rows.shape[1]] = rows
    return np.ascontiguousarray(padded.reshape(len(rows), count, BLOCK).transpose(1, 0, 2))


class EchoGuard:
    """Runs beside one call: `played` takes every frame sent (silence too), `heard` every frame that came, in step.

    `heard` answers: may this frame count as a person's speech? One decision per 100 ms and only while voiced frames
    come during a prompt, so an idle line costs nothing.
    """

    def __init__(self) -> None:
        window, lead = WINDOW_MS // FRAME_MS, MAX_DELAY_MS // FRAME_MS
        self._silence = bytes(2 * FRAME_SAMPLES)
        self._heard: deque[bytes] = deque([self._silence] * window, maxlen=window)
        self._played: deque[bytes] = deque([self._silence] * (window + lead), maxlen=window + lead)
        self._since_sound = window + lead
        self._undecided = 0
        self._speech = False
        self.verdict: EchoVerdict | None = None

    @property
    def possible(self) -> bool:
        """Whether something played recently enough to come back now."""
        return self._since_sound < len(self._played)

    def played(self, frame: bytes | None) -> None:
        """One sent frame (20 ms of PCM); None for silence."""
        self._since_sound = self._since_sound + 1 if frame is None or not any(frame) else 0
        self._played.append(frame or self._silence)

    def heard(self, frame: bytes, voiced: bool = True) -> bool:
        """One received frame; call after `played` of the same tick. `voiced`: the detector's opinion of it."""
        self._heard.append(frame)
        if not self.possible:
            self._undecided, self._speech, self.verdict = 0, False, None
            return voiced
        self._undecided += voiced
        if not voiced:
            return False
        if self._undecided >= BLOCK_FRAMES:
            self._undecided = 0
            self._decide()
        return self._speech

    def _decide(self) -> None:
        self.verdict = is_echo(b"".join(self._heard), b"".join(self._played))
        recent = to_floats(self.verdict.residual)[-BLOCK_FRAMES * FRAME_SAMPLES :]
        self._speech = not self.verdict.echo and float(np.sqrt(np.mean(recent**2))) > QUIET
