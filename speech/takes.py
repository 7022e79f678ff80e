"""What somebody has just recorded for a sentence, over the telephone: as it will sound, and what is doubtful about it.
Pure.

Levels are in dBov, see loudness.py. What is doubtful is told to whoever recorded it, who decides; only silence can't be
used.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from speech import g711
from speech.human import sentence_key
from speech.loudness import active_level, lead_ms, pad, pause_ms, to_prompt, trim
from speech.recogniser import SAMPLE_RATE
from speech.resample import Floats, from_floats, to_floats

# Telephone speech lies about −26 dBov (ITU-T P.800). So much softer, the line's noise comes up with the voice when it
# is levelled.
QUIET_DBOV, SILENT_DBOV = -42.0, -55.0
# μ-law ends at 0.98 of full scale. Ordinary peaks come near it once in a while; a voice that is cut off, all the time.
FULL_SCALE, CLIPPED_SHARE = 0.95, 0.002
# Seconds for each character: a hurried newsreader needs 0.16, somebody who speaks to an old person 0.25 to 0.45.
FASTEST_S, SLOWEST_S, PAUSES_S = 0.11, 0.7, 2.0
# A key's tone at the end of a recording (ITU-T Q.23). Gateways cut it out late, so that its first moments stay.
LOW_HZ, HIGH_HZ = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
TONE_SHARE, TONE_FRAME_S, TONE_WITHIN_S = 0.8, 0.02, 1.0


class Doubt(StrEnum):
    """The words that the flow lists."""

    SILENT = "silent"
    QUIET = "quiet"
    CLIPPED = "clipped"
    SHORT = "short"
    LONG = "long"


@dataclass(frozen=True)
class Take:
    """`prompt`: μ-law as it will be played; b"" when nobody speaks in it. `doubt` None: nothing is wrong with it."""

    prompt: bytes
    doubt: Doubt | None


def take(ulaw: bytes, text: str) -> Take:
    """What becomes of the recording `ulaw` (8 kHz) as the prompt that says `text`."""
    voice = without_key_tone(to_floats(g711.ulaw_decode(ulaw)))
    prompt = to_prompt(voice, SAMPLE_RATE, text)
    return Take(prompt, _doubt(voice, text) if prompt else Doubt.SILENT)


@dataclass(frozen=True)
class Fitted:
    """A recording, levelled already, as the prompt that says a text. `seconds`: of the voice."""

    prompt: bytes
    seconds: float
    doubt: Doubt | None


def fitted(ulaw: bytes, text: str) -> Fitted:
    """With the pauses that belong before and after `text`; as loud as it was."""
    voice = trim(to_floats(g711.ulaw_decode(ulaw)))
    prompt = g711.ulaw_encode(from_floats(pad(voice, pause_ms(text), lead_ms(text)))) if len(voice) else b""
    seconds = len(voice) / SAMPLE_RATE
    return Fitted(prompt, seconds, length_doubt(seconds, text) if prompt else Doubt.SILENT)


def level_doubt(voice: Floats) -> Doubt | None:
    """Too soft, or cut off: of a trimmed voice, whatever it says."""
    level = active_level(voice)
    if level < SILENT_DBOV:
        return Doubt.SILENT
    if level < QUIET_DBOV:
        return Doubt.QUIET
    return Doubt.CLIPPED if np.mean(np.abs(voice) >= FULL_SCALE) > CLIPPED_SHARE else None


def _doubt(samples: Floats, text: str) -> Doubt | None:
    voice = trim(samples)
    return level_doubt(voice) or length_doubt(len(voice) / SAMPLE_RATE, text)


def length_doubt(seconds: float, text: str) -> Doubt | None:
    """More or less than anybody needs to say `text`."""
    characters = len(sentence_key(text))
    if seconds < FASTEST_S * characters:
        return Doubt.SHORT
    return Doubt.LONG if seconds > SLOWEST_S * characters + PAUSES_S else None


def without_key_tone(samples: Floats) -> Floats:
    """Without the tone of the key that ended the recording, and what came after it."""
    frame = round(TONE_FRAME_S * SAMPLE_RATE)
    tail = min(len(samples), round(TONE_WITHIN_S * SAMPLE_RATE)) // frame * frame
    frames = samples[len(samples) - tail :].reshape(-1, frame)
    tones = np.flatnonzero(_tonal(frames)) if len(frames) else frames[:0]
    return samples[: len(samples) - tail + int(tones[0]) * frame] if len(tones) else samples


def _tonal(frames: Floats) -> np.ndarray:
    """Which frames are two pure tones, one of each group, and nothing else."""
    time = np.arange(frames.shape[1]) / SAMPLE_RATE
    window = np.hanning(frames.shape[1])
    energy = np.sum((frames * window) ** 2, axis=1) * np.sum(window**2) / 2 + 1e-9

    def loudest(group: tuple[int, ...]) -> np.ndarray:
        waves = np.exp(-2j * np.pi * np.outer(time, group))
        return np.asarray(np.abs((frames * window**2) @ waves).max(axis=1) ** 2)

    low, high = loudest(LOW_HZ) / energy, loudest(HIGH_HZ) / energy
    loud = np.mean(frames**2, axis=1) > 10 ** (SILENT_DBOV / 10)
    return np.asarray(loud & (low + high > TONE_SHARE) & (np.minimum(low, high) > TONE_SHARE / 8))
