"""A folder of recordings in the speech set's format: manifest.tsv and, if there is one, wu/choices.txt.

Nothing in it is taken for granted: what can't be used is left out and named in `problems`, the rest is judged.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from bench.evaluation.conditions import Floats
from speech.phrases import DISTRESS, normalise

ROOT = Path(__file__).resolve().parent.parent.parent
OUT_OF_MENU = frozenset({"", "oov", "none", "other"})
# The set's own word for it.
MEANINGS = {"help": DISTRESS}
MAX_S = 240.0  # longer audio is no answer and no dictation


@dataclass(frozen=True)
class Recording:
    """`meaning` None: no answer. `kind`: answer, word, sentence, or whatever else the folder says."""

    file: Path
    language: str
    kind: str
    meaning: str | None
    text: str
    speaker: str

    @property
    def syllables(self) -> int:
        return len(normalise(self.text))

    def read(self) -> tuple[Floats, int]:
        """Mono samples and their rate; several channels are averaged. OSError or soundfile.LibsndfileError: unreadable;
        ValueError: empty or too long."""
        samples, rate = soundfile.read(self.file, dtype="float32", always_2d=True)
        if not 0 < len(samples) <= MAX_S * rate:
            raise ValueError(f"{len(samples) / rate:.0f} s of audio")
        return np.ascontiguousarray(samples.mean(axis=1)), int(rate)


@dataclass(frozen=True)
class Folder:
    path: Path
    recordings: tuple[Recording, ...]
    choices: tuple[str, ...]  # Shanghainese sentences to choose among
    problems: tuple[str, ...]  # one sentence each


def default_folder() -> Path | None:
    """$WENAN_SHARED/speech-set or ../shared/speech-set; None where there is none."""
    shared = Path(os.environ.get("WENAN_SHARED") or ROOT.parent / "shared")
    folder = shared / "speech-set"
    return folder if (folder / "manifest.tsv").is_file() else None


def load(path: Path, every: int = 1) -> Folder:
    """FileNotFoundError when there is no manifest.tsv. `every`: only each nth recording of a kind and language."""
    with (path / "manifest.tsv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    found: list[Recording] = []
    problems: list[str] = []
    for number, row in enumerate(rows, 2):
        fields = {(name or "").strip(): str(value or "").strip() for name, value in row.items() if name}
        problem = _problem(path, fields)
        if problem:
            problems.append(f"manifest.tsv:{number}: {problem}")
        else:
            found.append(_recording(path, fields))
    return Folder(path, _thinned(found, every), _choices(path), tuple(problems))


def _problem(path: Path, fields: dict[str, str]) -> str:
    name = fields.get("file", "")
    if not name:
        return "no file is named"
    return "" if (path / name).is_file() else f"{name} is not there"


def _recording(path: Path, fields: dict[str, str]) -> Recording:
    meaning = fields.get("meaning", "").lower()
    return Recording(
        path / fields["file"],
        fields.get("language") or "zh",
        fields.get("kind") or ("answer" if meaning else "sentence"),
        None if meaning in OUT_OF_MENU else MEANINGS.get(meaning, meaning),
        fields.get("text", ""),
        fields.get("speaker", ""),
    )


def _thinned(recordings: Sequence[Recording], every: int) -> tuple[Recording, ...]:
    """Every kind and language keeps some, and neighbours (the same phrase by several voices) don't go together."""
    groups: dict[tuple[str, str], list[Recording]] = {}
    for one in recordings:
        groups.setdefault((one.kind, one.language), []).append(one)
    return tuple(one for group in groups.values() for one in group[::every])


def _choices(path: Path) -> tuple[str, ...]:
    file = path / "wu" / "choices.txt"
    if not file.is_file():
        return ()
    lines = (line.strip() for line in file.read_text("utf-8-sig").splitlines())
    return tuple(dict.fromkeys(line for line in lines if line))


def menu(recordings: Sequence[Recording]) -> dict[str, tuple[str, ...]]:
    """All answers of the folder, open at once: meaning → phrases."""
    found: dict[str, dict[str, None]] = {}
    for one in recordings:
        if one.kind == "answer" and one.meaning and one.text:
            found.setdefault(one.meaning, {})[one.text] = None
    return {meaning: tuple(texts) for meaning, texts in found.items()}


def chatter(recordings: Sequence[Recording]) -> tuple[str, ...]:
    """What is said in the folder's answers and is none."""
    return tuple(dict.fromkeys(one.text for one in recordings if one.kind == "answer" and not one.meaning and one.text))


def texts(recordings: Sequence[Recording], kind: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.text for one in recordings if one.kind == kind and one.text))
