"""Kokoro-82M (Apache-2.0) speaks Mandarin: text → phonemes → 24 kHz floats. For rendering ahead, not for live speech.

Needs the optional extra `voices` (onnxruntime, misaki[zh]) and a folder with `kokoro-v1.0.int8.onnx`, `vocab.json` and
`styles/VOICE.bin`; a slower voice also needs SoX. Deterministic: the same text gives the same samples on the same
machine and runtime.

The model always speaks at its own speed, and SoX slows the samples down, keeping the pitch (WSOLA). Asked to speak
slowly itself, the model puts about 100 ms of a vowel before what begins a sentence: 收到 sounds like 一收到.
"""

from __future__ import annotations

import importlib
import json
import logging
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WEIGHTS = "kokoro-v1.0.int8.onnx"
RATE = 24000
STYLES = 510  # one style per length in tokens
MAX_TOKENS = 509
SAMPLES_PER_FRAME = 600  # the duration predictor counts in 25 ms
DURATIONS = "/encoder/Clip_output_0"
OWN_SPEED = 1.0
CLEAN_DB = 30.0  # a piece can be cut out where the voice is so far below its loudest 10 ms
SOX_TIMEOUT_S = 30
END = "|"  # keeps the space behind a last comma
NON_SYLLABIC = "\u032f"  # a mark below diphthongs that the vocabulary doesn't have
FIGURES = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
HALF_TO_FULL = str.maketrans({",": "，", "?": "？", "!": "！", ";": "；", ":": "："})


@dataclass(frozen=True)
class Context:
    """What is spoken before and after a piece, so that it sounds like the middle of a sentence; it is cut off again."""

    before: str = ""
    after: str = ""


ALONE = Context()


class KokoroVoice:
    """One voice with its weights in memory (450 MB). `speed`: 1.0 is the model's own, 0.9 takes 1/0.9 of the time.
    `readings`: text → pinyin syllables with tone digits. FileNotFoundError when the weights or SoX are missing."""

    def __init__(self, folder: Path, name: str, speed: float, readings: Mapping[str, tuple[str, ...]]) -> None:
        self.name, self.speed = name, speed
        if shutil.which("sox") is None:
            raise FileNotFoundError("sox is not there, which slows the voice down (Debian: apt-get install sox)")
        self._vocab: dict[str, int] = json.loads((folder / "vocab.json").read_text("utf-8"))["vocab"]
        self._style = np.fromfile(folder / "styles" / f"{name}.bin", np.float32).reshape(STYLES, 1, 256)
        self._model = _load(str(folder / WEIGHTS))
        self._phonemes = Phonemes(readings)

    def with_name(self, folder: Path, name: str, speed: float) -> KokoroVoice:
        """Another voice on the same weights."""
        other = object.__new__(KokoroVoice)
        other.__dict__.update(self.__dict__, name=name, speed=speed)
        other._style = np.fromfile(folder / "styles" / f"{name}.bin", np.float32).reshape(STYLES, 1, 256)
        return other

    def speak(self, text: str, context: Context = ALONE) -> Floats:
        """Samples at 24 kHz. ValueError when the text holds something that has no sound in this voice.

        Between text and context stands punctuation, if need be a comma: a breath in which the piece can be cut out.
        Where the voice runs on without one, the text is spoken without that side of the context.
        """
        return slowed(self._piece(text, context), self.speed)

    def _piece(self, text: str, context: Context) -> Floats:
        before, after = context.before, context.after
        if before and not _is_mark(before[-1]) and not _is_mark(text[0]):
            before += ","
        if after and not _is_mark(text[-1]) and not _is_mark(after[0]):
            after = "," + after
        parts = [self._tokens(part) for part in (before, text, after)]
        samples, frames = self._run([token for part in parts for token in part])
        ends = np.cumsum(frames) * SAMPLES_PER_FRAME  # token i (with the pad in front as 0) ends here
        first, last = int(ends[len(parts[0])]), int(ends[len(parts[0]) + len(parts[1])])
        begin = _breath(samples, first, mark_before=_is_mark(before[-1])) if before else 0
        end = _breath(samples, last, mark_before=_is_mark(text[-1])) if after else len(samples)
        if before and not _is_clean(samples, begin):
            return self._piece(text, Context("", context.after))
        if after and not _is_clean(samples, end):
            return self._piece(text, Context(context.before, ""))
        return samples[begin:end]

    def _tokens(self, text: str) -> list[int]:
        phonemes = self._phonemes.of(text)
        unknown = sorted({char for char in phonemes if char not in self._vocab})
        if unknown:
            raise ValueError(f"{text!r}: no sound for {' '.join(unknown)}")
        return [self._vocab[char] for char in phonemes]

    def _run(self, tokens: list[int]) -> tuple[Floats, NDArray[np.int64]]:
        if len(tokens) > MAX_TOKENS:
            raise ValueError(f"{len(tokens)} phonemes in one piece; {MAX_TOKENS} are possible: split the text")
        audio, durations = self._model.run(
            ["audio", DURATIONS],
            {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": self._style[len(tokens)],
                "speed": np.array([OWN_SPEED], np.float32),
            },
        )
        return np.asarray(audio, np.float32).ravel(), np.asarray(durations).ravel().astype(np.int64)


def _is_mark(char: str) -> bool:
    return not char.isalnum()


def slowed(samples: Floats, speed: float) -> Floats:
    """The same voice at `speed` times the pace and the same pitch. OSError or CalledProcessError when SoX fails."""
    if speed == OWN_SPEED:
        return samples
    room = max(1.0, 2 * float(np.abs(samples).max(initial=0.0)))  # SoX clips at 1
    raw = ["-t", "f32", "-r", str(RATE), "-c", "1", "-"]
    command = ["sox", *raw, *raw, "tempo", "-s", str(speed)]  # -s: windows for speech
    given = (samples / np.float32(room)).tobytes()
    done = subprocess.run(command, input=given, capture_output=True, check=True, timeout=SOX_TIMEOUT_S)
    return np.frombuffer(done.stdout, np.float32) * np.float32(room)


def _is_clean(samples: Floats, at: int) -> bool:
    """Whether the 10 ms around `at` are a breath, not a voice."""
    near = samples[max(0, at - RATE // 200) : at + RATE // 200].astype(np.float64)
    frames = samples[: len(samples) // 240 * 240].reshape(-1, 240).astype(np.float64)
    return bool(np.mean(near**2) < np.mean(frames**2, axis=1).max() * 10 ** (-CLEAN_DB / 10))


def _breath(samples: Floats, boundary: int, mark_before: bool) -> int:
    """The quietest moment near a boundary of tokens. A sound begins before its token does, a fricative 100 ms before;
    so after a mark the breath lies before the boundary; before a mark, behind it."""
    early, late = (RATE // 8, 0) if mark_before else (RATE // 50, RATE // 15)
    step = RATE // 200
    first = max(0, boundary - early)
    power = samples[first : boundary + late].astype(np.float64) ** 2
    steps = power[: len(power) // step * step].reshape(-1, step).mean(axis=1)
    smooth = np.convolve(steps, np.ones(4) / 4, mode="valid")
    return first + (int(np.argmin(smooth)) + 2) * step


class Phonemes:
    """Mandarin text → the phonemes that Kokoro was trained on (misaki), with our own readings first."""

    def __init__(self, readings: Mapping[str, tuple[str, ...]]) -> None:
        jieba = importlib.import_module("jieba")
        from misaki.zh import ZHG2P

        jieba.setLogLevel(logging.WARNING)
        for word in readings:
            jieba.add_word(word)
        self._readings = readings
        self._jieba, self._g2p = jieba, ZHG2P

    def of(self, text: str) -> str:
        """Phonemes; words are parted by spaces, punctuation stays (it makes the pauses)."""
        text = self._g2p.map_punctuation(re.sub(r"[0-9]+", _figures, text).translate(HALF_TO_FULL) + END)[: -len(END)]
        return "".join(self._segment(part) for part in re.findall(r"[一-鿿]+|[^一-鿿]+", text))

    def _segment(self, part: str) -> str:
        if not re.match(r"[一-鿿]", part):
            if re.search(r"[A-Za-z]", part):
                raise ValueError(f"{part!r}: write foreign words in Chinese characters")
            return part
        return " ".join(self._word(word) for word in self._jieba.lcut(part))

    def _word(self, word: str) -> str:
        if word in self._readings:
            ipa = "".join(self._g2p.py2ipa(syllable) for syllable in self._readings[word])
        else:
            ipa = str(self._g2p.word2ipa(word))
        return ipa.replace(NON_SYLLABIC, "")


def _figures(found: re.Match[str]) -> str:
    """Keys and telephone numbers are read digit by digit; in a number of several digits 1 is 幺 (yāo)."""
    digits = found.group()
    spoken = "".join(FIGURES[digit] for digit in digits)
    return spoken.replace("一", "幺") if len(digits) > 1 else spoken


def _load(path: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = Path(path).read_bytes() + _extra_output(DURATIONS)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _extra_output(name: str) -> bytes:
    """Protobuf that, appended to a model's bytes, declares one more output.

    Protocol buffers merge what is concatenated: ModelProto.graph (7) { GraphProto.output (12) { name (1) } }.
    """
    value = b"\x0a" + bytes([len(name)]) + name.encode()
    output = b"\x62" + bytes([len(value)]) + value
    return b"\x3a" + bytes([len(output)]) + output
