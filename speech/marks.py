"""Words that staff should see first in what an elder dictated: distress, place, matter. Pure; the words are data.

The lexicon says what calls for help are; `marks.tsv` (kind, language, word; one a line) adds what only staff need to
see, and is edited by people. `#` stands for a number: "#号楼" marks 3号楼 and 三号楼. Distress is marked also where it
is denied ("没摔倒"): whoever reads decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import lexicon

FILE = Path(__file__).with_name("marks.tsv")
HEADER = "kind\tlanguage\tword"
KINDS = ("distress", "place", "category")
LANGUAGES = ("zh", "wuu")

_WORD = re.compile("[\u3400-\u9fff#0-9]+")
_NUMBER = "(?:[0-9]+|[零〇一二三四五六七八九十百]+)"
_INSIDE = "[，、]?"  # a pause in the middle of a cry


class MarksError(Exception):
    """ "FILE:LINE: sentence" for whoever edited the file."""


@dataclass(frozen=True)
class Mark:
    """`text[start:end]` is `word`."""

    start: int
    end: int
    kind: str  # one of KINDS
    word: str


@dataclass(frozen=True)
class Entry:
    kind: str
    language: str
    word: str


def marks(text: str) -> tuple[Mark, ...]:
    """The marked words of `text` from left to right, the longest at each place; none overlaps another. Distress goes
    before all else. `text` is simplified (speech.readable)."""
    cries = [_mark(found, "distress") for found in _distress().finditer(text)]
    others = (_mark(found, _kind(found[0])) for found in _others().finditer(text))
    free = [mark for mark in others if all(mark.end <= cry.start or cry.end <= mark.start for cry in cries)]
    return tuple(sorted([*cries, *free], key=lambda mark: mark.start))


def _mark(found: re.Match[str], kind: str) -> Mark:
    return Mark(found.start(), found.end(), kind, found[0])


@cache
def entries(file: Path = FILE) -> tuple[Entry, ...]:
    """The file's lines. MarksError names the first line that isn't sound."""
    lines = file.read_text("utf-8").splitlines()
    if not lines or lines[0] != HEADER:
        raise MarksError(f'{file.name}:1: the first line must be "{HEADER}" (with tabs)')
    return tuple(_sound(lines[1:], file.name))


def _sound(lines: Sequence[str], name: str) -> Iterator[Entry]:
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 2):
        fields = line.split("\t")
        why = _fault(fields)
        if not why and fields[2] in seen:
            why = f'"{fields[2]}" stands in line {seen[fields[2]]} already'
        if why:
            raise MarksError(f"{name}:{number}: {why}")
        seen[fields[2]] = number
        yield Entry(*fields)


def _fault(fields: Sequence[str]) -> str:
    """What is wrong with one line; "" for nothing."""
    if len(fields) != 3:
        return "three fields are needed: kind, language and word, with a tab between"
    kind, language, word = fields
    if kind not in KINDS:
        return f'unknown kind "{kind}" (known: {", ".join(KINDS)})'
    if language not in LANGUAGES:
        return f'unknown language "{language}" (known: {", ".join(LANGUAGES)})'
    if not _WORD.fullmatch(word) or not word.strip("#"):
        return f'"{word}" is no word: simplified characters only, # for a number'
    if len(word) < 2 and kind != "category":
        return f'"{word}" is too short: it would be marked in every other word'
    return ""


@cache
def _distress() -> re.Pattern[str]:
    added = (entry.word for entry in entries() if entry.kind == "distress")
    words = _longest_first({*lexicon.load().phrases("distress"), *added})
    return re.compile("|".join(_INSIDE.join(map(re.escape, word)) for word in words))


@cache
def _others() -> re.Pattern[str]:
    """At each place the longest wins, whatever its kind."""
    return re.compile("|".join(re.escape(word).replace(r"\#", _NUMBER) for word in _longest_first(_kinds())))


@cache
def _kinds() -> Mapping[str, str]:
    return {entry.word: entry.kind for entry in entries() if entry.kind != "distress"}


def _kind(word: str) -> str:
    return _kinds().get(word) or _kinds()[re.sub(_NUMBER, "#", word)]


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted(words, key=len, reverse=True)
