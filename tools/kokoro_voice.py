"""Kokoro-82M (Apache-2.0) speaks Mandarin: text → phonemes → 24 kHz floats. For rendering ahead, not for live speech.

Needs the optional extra `voices` (onnxruntime, misaki[zh]) and a folder with `kokoro-v1.0.int8.onnx`, `vocab.json` and
`styles/VOICE.bin`. Deterministic: the same text gives the same samples on the same machine and runtime.
"""

from __future__ import annotations

import importlib
import json
import logging
import re
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
STOPS = "。?!"
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
    """One voice with its weights in memory (450 MB). `readings`: text → pinyin syllables with tone digits."""

    def __init__(self, folder: Path, name: str, speed: float, readings: Mapping[str, tuple[str, ...]]) -> None:
        self.name, self.speed = name, speed
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
        """
        before, after = context.before, context.after
        if before and not _is_mark(before[-1]) and not _is_mark(text[0]):
            before += ","
        if after and not _is_mark(text[-1]) and not _is_mark(after[0]):
            after = "," + after
        parts = [self._tokens(part) for part in (before, text, after)]
        samples, frames = self._run([token for part in parts for token in part])
        ends = np.cumsum(frames) * SAMPLES_PER_FRAME  # token i (with the pad in front as 0) ends here
        first, last = int(ends[len(parts[0])]), int(ends[len(parts[0]) + len(parts[1])])
        begin = _breath(samples, first, mark_before=_is_mark(before[-1]), stop=before[-1] in STOPS) if before else 0
        end = _breath(samples, last, mark_before=_is_mark(text[-1])) if after else len(samples)
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
                "speed": np.array([self.speed], np.float32),
            },
        )
        return np.asarray(audio, np.float32).ravel(), np.asarray(durations).ravel().astype(np.int64)


def _is_mark(char: str) -> bool:
    return not char.isalnum()


def _breath(samples: Floats, boundary: int, mark_before: bool, stop: bool = False) -> int:
    """The quietest moment near a boundary of tokens. A sound begins before its token does, a fricative 100 ms before;
    so after a mark the breath lies before the boundary (a longer one after a full stop); before a mark, behind it."""
    early, late = (RATE // 5 if stop else RATE // 8, 0) if mark_before else (RATE // 50, RATE // 15)
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
