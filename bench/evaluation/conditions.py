"""What a telephone line does to a recording. Everything is seeded: the same clip in the same condition is the same.

`16k` is the clip without a telephone: our streams take 8 kHz PCM, so it is only resampled (no G.711, full level).
All others go through 8 kHz, half level and G.711. Every clip gets the silences that the endpointer leaves around an
answer. Noise is white (the hardest for the fricatives that part Mandarin's initials) and as much below the speech
as the name says, measured over the words. A lost packet is 20 ms of zeros, as in our own path. `slow` is spoken at
0.8 of the tempo with the pitch kept, by the WSOLA below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from speech import g711
from speech.recogniser import FRAME_SAMPLES, SAMPLE_RATE
from speech.resample import from_floats, resample_floats

Floats = NDArray[np.float32]

LEAD_S, TAIL_S = 0.4, 1.2
LEVEL = 0.5
IDLE = 0.0008  # level of an idle line's noise (−62 dBov)


@dataclass(frozen=True)
class Condition:
    """`snr_db` None: an idle line. `loss`: share of the 20 ms packets that never come. `tempo`: below 1 is slower."""

    name: str
    codec: Literal["ulaw", "alaw"] | None = "ulaw"
    snr_db: float | None = None
    loss: float = 0.0
    tempo: float = 1.0


_ALL = (
    Condition("16k", codec=None),
    Condition("ulaw"),
    Condition("alaw", codec="alaw"),
    *(Condition(f"ulaw+noise{db}", snr_db=db) for db in (20, 10, 5)),
    *(Condition(f"ulaw+loss{percent}", loss=percent / 100) for percent in (1, 5)),
    Condition("slow", tempo=0.8),
)
CONDITIONS: Mapping[str, Condition] = MappingProxyType({one.name: one for one in _ALL})
MAIN = "ulaw"  # what the figures are about


def arrive(samples: Floats, rate: int, condition: Condition, seed: str) -> bytes:
    """The recording (mono floats) as 8 kHz PCM, as the recogniser gets it. `seed`: names the clip."""
    random = np.random.default_rng(crc32(f"{seed}\t{condition.name}".encode()))
    speech = resample_floats(samples, rate, SAMPLE_RATE)
    if condition.tempo != 1.0:
        speech = wsola(speech, condition.tempo)
    speech = speech * np.float32(LEVEL if condition.codec else 1.0)
    line = padded(speech) + noise_for(speech, condition.snr_db, random)
    return lost(coded(from_floats(line), condition.codec), condition.loss, random)


def padded(speech: Floats) -> Floats:
    lead, tail = (np.zeros(round(seconds * SAMPLE_RATE), np.float32) for seconds in (LEAD_S, TAIL_S))
    return np.concatenate([lead, speech, tail])


def noise_for(speech: Floats, snr_db: float | None, random: np.random.Generator) -> Floats:
    """As long as `padded(speech)`."""
    level = IDLE if snr_db is None else rms(speech) * 10 ** (-snr_db / 20)
    length = len(speech) + round(LEAD_S * SAMPLE_RATE) + round(TAIL_S * SAMPLE_RATE)
    return random.normal(0.0, level, length).astype(np.float32)


def rms(samples: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) if len(samples) else 0.0


def coded(pcm: bytes, codec: Literal["ulaw", "alaw"] | None) -> bytes:
    """Through G.711 and back."""
    if codec is None:
        return pcm
    return g711.ulaw_decode(g711.ulaw_encode(pcm)) if codec == "ulaw" else g711.alaw_decode(g711.alaw_encode(pcm))


def lost(pcm: bytes, share: float, random: np.random.Generator) -> bytes:
    """Packets of 20 ms zeroed at random."""
    if not share:
        return pcm
    samples = np.frombuffer(pcm, "<i2").copy()
    gone = random.random(-(-len(samples) // FRAME_SAMPLES)) < share
    samples[np.repeat(gone, FRAME_SAMPLES)[: len(samples)]] = 0
    return samples.tobytes()


def wsola(samples: Floats, tempo: float, rate: int = SAMPLE_RATE) -> Floats:
    """The same voice at `tempo` times the pace and the same pitch: waveform similarity overlap-add (Verhelst & Roelands
    1993), windows of 30 ms, searched within ±7.5 ms."""
    hop, reach = round(0.015 * rate), round(0.0075 * rate)
    size = 2 * hop
    if len(samples) < 2 * size + reach:
        return samples
    window = np.hanning(size + 1)[:size].astype(np.float32)
    source = np.concatenate([np.zeros(reach, np.float32), samples, np.zeros(2 * size + 4 * reach, np.float32)])
    frames = round(len(samples) / (hop * tempo)) - 1
    made = np.zeros(frames * hop + size, np.float32)
    at = reach  # where the last window was taken
    for frame in range(frames):
        wanted = reach + round(frame * hop * tempo)
        if frame:
            follow = source[at + hop : at + hop + size]  # what would come next without any change of tempo
            area = source[wanted - reach : wanted + reach + size]
            at = wanted - reach + int(np.argmax(_likeness(area, follow[: len(area) - 2 * reach])))
        made[frame * hop : frame * hop + size] += window * source[at : at + size]
    return made


def _likeness(area: Floats, follow: Floats) -> Floats:
    """Normalised correlation of `follow` with every place of `area`."""
    places = np.lib.stride_tricks.sliding_window_view(area, len(follow))
    return np.asarray(places @ follow / np.sqrt((places**2).sum(axis=1) + 1e-6), np.float32)


def varied(samples: Floats, tempo: float, pitch: float) -> Floats:
    """8 kHz speech at another tempo and, formants along with it, another pitch (ratios; 1.0 changes nothing)."""
    if pitch != 1.0:
        samples = resample_floats(samples, round(SAMPLE_RATE * pitch), SAMPLE_RATE)
    return samples if abs(tempo / pitch - 1) < 0.01 else wsola(samples, tempo / pitch)
