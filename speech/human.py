"""Prompts recorded by people: FOLDER/LANGUAGE/*.wav or *.ulaw. They win over every synthetic voice.

Which sentence a file speaks: the line `FILE<TAB>SENTENCE` of `index.tsv` in the same folder says it, else the file's
name is the sentence. Punctuation and spaces don't matter (`王阿婆.wav`, `您好这里是.wav`). `.wav` is trimmed and
levelled like every prompt; `.ulaw` (8 kHz, no header) is played exactly as it is. New files are noticed while the line
runs. What was recorded by telephone lies in FOLDER/LANGUAGE/phone (published.py) and wins over the rest of the folder.
"""

from __future__ import annotations

import io
import logging
import unicodedata
import wave
from pathlib import Path

import numpy as np

from speech.loudness import to_prompt
from speech.resample import Floats

log = logging.getLogger(__name__)

INDEX = "index.tsv"
PHONE = "phone"  # the folder of what was published
SUFFIXES = (".wav", ".ulaw")
MAX_BYTES = 32 << 20  # 3 minutes of CD quality; no prompt is longer


# What a file that is no whole wav raises; RuntimeError: a piece of it begins or ends where its header can't mean.
UNREADABLE = (wave.Error, EOFError, RuntimeError)


class Unreadable(Exception):  # noqa: N818  # a state of a file, told to the operator
    """Why a recording can't be used, as half a sentence."""


class HumanRecordings:
    """The recordings of one folder. Cheap to ask: the folder is read again only when it changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._languages: dict[str, tuple[tuple[int, ...], dict[str, Path]]] = {}
        self._told: set[Path] = set()
        self.changes = 0
        """Counts how often a folder was found changed: whoever keeps audio must forget it then."""

    def get(self, text: str, language: str) -> bytes | None:
        """The recording of this sentence as μ-law; None when there is none that can be used."""
        path = self._files(language).get(sentence_key(text))
        if path is None:
            return None
        try:
            return read(path, text)
        except (OSError, Unreadable) as error:
            self._tell(path, str(error))
            return None

    def has(self, text: str, language: str) -> bool:
        """Whether somebody has recorded this sentence; nobody looks whether the file can be used."""
        return sentence_key(text) in self._files(language)

    def refresh(self, language: str) -> None:
        """Looks whether the folder changed (three `stat`s)."""
        self._files(language)

    def _files(self, language: str) -> dict[str, Path]:
        folder = self._folder / language
        stamp = tuple(_mtime(path) for path in (folder, folder / INDEX, folder / PHONE))
        known = self._languages.get(language)
        if known is not None and known[0] == stamp:
            return known[1]
        files = self._scan(folder)
        self._languages[language] = (stamp, files)
        self.changes += 1
        self._told.clear()
        return files

    def _scan(self, folder: Path) -> dict[str, Path]:
        return _named(folder) | self._indexed(folder) | _named(folder / PHONE)

    def _indexed(self, folder: Path) -> dict[str, Path]:
        """What index.tsv names and is there: a sheet may list sentences that nobody has recorded yet."""
        try:
            lines = (folder / INDEX).read_text("utf-8-sig").splitlines()
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            self._tell(folder / INDEX, str(error))
            return {}
        found: dict[str, Path] = {}
        for number, line in enumerate(lines, 1):
            name, tab, text = line.partition("\t")
            if line.strip() and not line.startswith("#"):
                if not tab or not text.strip() or Path(name.strip()).name != name.strip():
                    self._tell(folder / INDEX, f"line {number} must be a file name, a tab and the sentence")
                elif (folder / name.strip()).exists():
                    found[sentence_key(text)] = folder / name.strip()
        return found

    def _tell(self, path: Path, why: str) -> None:
        if path not in self._told:
            self._told.add(path)
            log.warning("recorded prompt %s: %s; the next voice is used instead", _place(path, self._folder), why)


def _named(folder: Path) -> dict[str, Path]:
    """Files whose name is the sentence."""
    try:
        names = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError:
        return {}
    return {sentence_key(path.stem): path for path in names}


def sentence_key(text: str) -> str:
    """Letters and digits only: what a sentence and a file name have in common."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())


def read(path: Path, text: str) -> bytes:
    """One recording as μ-law. OSError, or Unreadable with the reason."""
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable("the file is too large for a prompt")
    data = path.read_bytes()
    if path.suffix.lower() == ".ulaw":
        prompt = data
    else:
        samples, rate = wav_floats(data)
        prompt = to_prompt(samples, rate, text)
    if not prompt:
        raise Unreadable("there is no voice in it")
    return prompt


def wav_floats(data: bytes) -> tuple[Floats, int]:
    """A PCM wav of 8, 16, 24 or 32 bits → mono floats in −1..1 and its rate. Unreadable when it is another thing."""
    try:
        with wave.open(io.BytesIO(data)) as audio:
            rate, width, channels = audio.getframerate(), audio.getsampwidth(), audio.getnchannels()
            frames = audio.readframes(audio.getnframes())
    except UNREADABLE as error:
        raise Unreadable(f"no PCM wav ({error})") from None
    if not 8000 <= rate <= 192_000 or width not in (1, 2, 3, 4):
        raise Unreadable(f"{rate} Hz, {8 * width} bits; save it as wav, 16 bits, 8 to 192 kHz")
    frames = frames[: len(frames) // (width * channels) * width * channels]
    samples = _integers(frames, width).astype(np.float32) / np.float32(2.0 ** (8 * width - 1))
    return np.asarray(samples.reshape(-1, channels).mean(axis=1), np.float32), rate


def _integers(frames: bytes, width: int) -> np.ndarray:
    if width == 1:
        return np.frombuffer(frames, "u1").astype(np.int16) - 128
    if width == 3:
        parts = np.frombuffer(frames, "u1").reshape(-1, 3).astype(np.int32)
        return ((parts[:, 2] << 24) | (parts[:, 1] << 16) | (parts[:, 0] << 8)) >> 8
    return np.frombuffer(frames, f"<i{width}")


def _mtime(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _place(path: Path, folder: Path) -> str:
    """The file as seen from the folder. A name recorded by a person is personal: only its kind is told."""
    name = path.name if path.name == INDEX or path.stem.isascii() else f"(a name){path.suffix}"
    return f"{path.parent.relative_to(folder)}/{name}"
