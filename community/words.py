"""What a complaint may be about and where it is, suggested by the words in what was said; staff correct it. Pure.

`words.tsv` (kind, language, word, what it means; one a line) is edited by people. `#` stands for a number: "#号楼" is
found in 3号楼 and 三号楼.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("words.tsv")
HEADER = "kind\tlanguage\tword\tmeans"
OTHER = "其他"
LANGUAGES = ("zh", "wuu")
_NUMBER = "(?:[0-9]+|[零〇一二两三四五六七八九十百]+)"
_BETWEEN = "[的 ,，、]?"  # between the parts of an address
_WORD = re.compile("[\u3400-\u9fff#]+")
_MOST = 100  # characters of a place


class WordsError(Exception):
    """ "FILE:LINE: sentence" for whoever edited the file."""


@dataclass(frozen=True)
class Word:
    kind: str  # "category" or "place"
    word: str
    means: str  # the category


def category(text: str) -> str:
    """The category that most words belong to, the longest one at each place counting; 其他 when there is none."""
    found = Counter(_meanings()[word] for word in _categories().findall(text))
    return max(CATEGORIES, key=lambda each: found[each]) if found else OTHER


def place(text: str) -> str:
    """The longest place that is named, its parts together ("1234弄5号301室"); "" for none."""
    return max((found[0] for found in _places().finditer(text)), key=len, default="")[:_MOST]


@cache
def entries(file: Path = FILE) -> tuple[Word, ...]:
    """The file's lines. WordsError names the first line that isn't sound."""
    lines = file.read_text("utf-8").splitlines()
    if not lines or lines[0] != HEADER:
        raise WordsError(f'{file.name}:1: the first line must be "{HEADER}" (with tabs)')
    return tuple(_sound(lines[1:], file.name))


def _sound(lines: Sequence[str], name: str) -> Iterator[Word]:
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 2):
        fields = line.split("\t")
        why = _fault(fields)
        if not why and seen.setdefault(f"{fields[0]} {fields[2]}", number) != number:
            why = f'"{fields[2]}" stands there twice'
        if why:
            raise WordsError(f"{name}:{number}: {why}")
        yield Word(fields[0], fields[2], fields[3])


def _fault(fields: Sequence[str]) -> str:
    """What is wrong with one line; "" for nothing."""
    if len(fields) != 4:
        return "four fields are needed: kind, language, word and what it means, with a tab between"
    kind, language, word, means = fields
    if kind not in ("category", "place"):
        return f'unknown kind "{kind}" (known: category, place)'
    if language not in LANGUAGES:
        return f'unknown language "{language}" (known: {", ".join(LANGUAGES)})'
    if not _WORD.fullmatch(word) or not word.strip("#"):
        return f'"{word}" is no word: simplified characters only, # for a number'
    if bool(means) != (kind == "category"):
        return "a category's word must say which category it means, a place's must not"
    return ""


@cache
def _meanings() -> dict[str, str]:
    return {entry.word: entry.means for entry in entries() if entry.kind == "category"}


@cache
def _categories() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(_meanings(), key=len, reverse=True))))


@cache
def _places() -> re.Pattern[str]:
    words = sorted((entry.word for entry in entries() if entry.kind == "place"), key=len, reverse=True)
    part = "|".join(re.escape(word).replace(r"\#", _NUMBER) for word in words)
    return re.compile(f"(?:{part})(?:{_BETWEEN}(?:{part}))*")


# In the file's order, which decides between two that are named as often.
CATEGORIES: tuple[str, ...] = (*dict.fromkeys(_meanings().values()), OTHER)
