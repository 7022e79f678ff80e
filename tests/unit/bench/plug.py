"""An engine that hears tones: 400 Hz is the first of the open phrases (sorted), 500 Hz the second, and so on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from speech.phrases import DISTRESS
from speech.recogniser import SAMPLE_RATE, Hypothesis, Request
from speech.resample import to_floats

FIRST_HZ, STEP_HZ = 400, 100
DICTATED = "今天三号"


class ToneEar:
    name = "tones"
    streaming = True

    def supports(self, request: Request) -> bool:
        return True

    def open(self, request: Request) -> ToneStream:
        return ToneStream(request)


class ToneStream:
    def __init__(self, request: Request) -> None:
        self._request = request
        self._audio = b""

    def feed(self, pcm: bytes) -> str | None:
        self._audio += pcm
        return None

    def close(self) -> None:
        self._audio = b""

    def finish(self) -> Hypothesis:
        if self._request.mode == "dictation":
            return Hypothesis(DICTATED, "tones", 0.9)
        table = sorted((phrase, meaning) for meaning, ways in self._request.phrases.items() for phrase in ways)
        place = round((pitch(self._audio) - FIRST_HZ) / STEP_HZ)
        if not 0 <= place < len(table) or self._request.mode == "spot":
            return Hypothesis("", "tones", 0.0)
        phrase, meaning = table[place]
        return Hypothesis(phrase, "tones", 0.9, meaning=meaning, phrase=phrase, margin=1.0, agreed=True)


class Broken(ToneEar):
    def open(self, request: Request) -> ToneStream:
        raise RuntimeError("no ears today")


def pitch(pcm: bytes) -> float:
    """The loudest frequency, in Hz."""
    samples = to_floats(pcm)
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * SAMPLE_RATE / len(samples))


def tone(place: int, seconds: float = 0.5, rate: int = 16000) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return np.asarray(0.5 * np.sin(2 * np.pi * (FIRST_HZ + STEP_HZ * place) * t), np.float32)


def make_folder(folder: Path, rows: Sequence[tuple[str, ...]], header: str = "") -> Path:
    """Rows of (file, language, kind, meaning, text); the audio is put there by the test."""
    head = header or "file\tlanguage\tkind\tmeaning\ttext\tspeaker\tsource\tlicence"
    folder.mkdir(exist_ok=True)
    (folder / "manifest.tsv").write_text("\n".join([head, *("\t".join(row) for row in rows)]) + "\n", "utf-8")
    return folder


def put(folder: Path, name: str, place: int, rate: int = 16000, channels: int = 1) -> None:
    samples = tone(place, rate=rate)
    soundfile.write(folder / name, np.stack([samples] * channels, axis=1), rate)


__all__ = ["DISTRESS", "Broken", "ToneEar", "make_folder", "pitch", "put", "tone"]
