"""What somebody has recorded in a browser, or chosen as a file: as it will sound on the telephone, and what is wrong
with it. Pure."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass

import numpy as np

from speech.human import UNREADABLE, Unreadable, wav_floats
from speech.loudness import to_prompt, trim
from speech.recogniser import SAMPLE_RATE
from speech.resample import Floats, from_floats, resample_floats
from speech.takes import Doubt, level_doubt
from speech.vad import voiced_ms

LEAST_VOICE_MS = 200  # a single syllable; a cough or a knock on the table has less


@dataclass(frozen=True)
class Clip:
    """`audio`: μ-law, trimmed and as loud as all prompts; b"": it can't be used, and `doubt` says why."""

    audio: bytes
    doubt: Doubt | None


def clip(wav: bytes, most_s: float) -> Clip:
    """Unreadable when it is no PCM wav. What is longer than `most_s` is not looked into."""
    if _seconds(wav) > most_s:
        return Clip(b"", Doubt.LONG)
    samples, rate = wav_floats(wav)
    voice = _at_8_khz(samples, rate)
    doubt = level_doubt(trim(voice)) if len(voice) else Doubt.SILENT
    if doubt is Doubt.SILENT or voiced_ms(from_floats(voice)) < LEAST_VOICE_MS:
        return Clip(b"", Doubt.SILENT)
    return Clip(to_prompt(voice, SAMPLE_RATE), doubt)


def _at_8_khz(samples: Floats, rate: int) -> Floats:
    return resample_floats(samples - np.float32(np.mean(samples)), rate, SAMPLE_RATE) if len(samples) else samples


def _seconds(wav: bytes) -> float:
    """Of what is there, whatever the header promises: recorders that stream leave its length open."""
    try:
        with wave.open(io.BytesIO(wav)) as audio:
            there = len(wav) // int(audio.getsampwidth() * audio.getnchannels())
            frames, rate = int(audio.getnframes()), int(audio.getframerate())
            return min(frames, there) / max(1, rate)
    except UNREADABLE as error:
        raise Unreadable(f"no PCM wav ({error})") from None
