"""Addresses and units as they are compared. Pure, and the only comparison there is: register, tenants and ballots."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import combinations

_FIGURES = str.maketrans("零〇○一二三四五六七八九號樓棟單", "000123456789号楼栋单")
_COUNTING = re.compile(r"[0-9十百千]*[十百千][0-9十百千]*")
_COUNTED = re.compile(  # 一百零一, 一百十二, 二十; 一百一 may be 101 or 110
    r"(?:([1-9])千)?(?:([1-9])百|(?<=千)0(?=[1-9]))?(?:([1-9]?)十|(?<=[百千])0(?=[1-9]))?((?<![百千])[1-9])?"
)
_SHARP = re.compile(r"(?<=[0-9])\s*#")  # 3#楼502
_HOUSE = re.compile(r"(?<=[0-9])(?:号楼|[幢栋])")
_FLAT = re.compile(r"(?<=[0-9])室")
_STEP = re.compile(r"(?<=[0-9])(?:单元|室)(?=[0-9])")
_BETWEEN = re.compile(r"(?<=[0-9])[\W_]+(?=[0-9])")
_APART = re.compile(r"(?<![0-9])[\W_]+|[\W_]+(?![0-9])")  # all that stands not between two figures
_LEADING = re.compile(r"(?<![0-9])0+(?=[0-9])")
_WORD = re.compile(r"[^0-9号]+")
_MOST_FIGURES = 6  # of an address that is compared with shorter ones


def plain(text: str) -> str:
    """The same word for the same flat, however it is written ("三号楼五〇二室", "3幢502", "3-502": 3号502). Two runs of
    figures stay two: 12-301 is not 1-2301. Of such a word it is that word; of a house, the beginning of its flats."""
    text = unicodedata.normalize("NFKC", text).casefold().translate(_FIGURES)
    text = _SHARP.sub("号", _COUNTING.sub(lambda found: _counted(found[0]), text))
    text = _APART.sub("", _BETWEEN.sub("号", text))
    text = _STEP.sub("号", _HOUSE.sub("号", text))
    return _LEADING.sub("", _FLAT.sub("", text))


def home_of(address: object) -> str:
    """`plain`; "" for an address that names no flat."""
    word = plain(address) if isinstance(address, str) else ""
    return word if any(sign.isdecimal() for sign in word) else ""


def _counted(text: str) -> str:
    found = _COUNTED.fullmatch(text)
    if found is None:
        return text
    thousands, hundreds, tens, ones = (int(each or 0) for each in found.groups())
    tens = tens or int("十" in text)
    return str(thousands * 1000 + hundreds * 100 + tens * 10 + ones)


# ── homes that may be the same ────────────────────────────────────────────────────────────────────


def alike(homes: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of plain words that differ, and may be one home: one says all that the other says, and more (3-502 and
    曹杨路100弄3-502, 3-502 and 3-2-502)."""
    by_figures: dict[tuple[str, ...], list[str]] = {}
    for each in dict.fromkeys(homes):
        if figures := _figures(each):
            by_figures.setdefault(figures, []).append(each)
    found = []
    for figures, longer in by_figures.items():
        for part in _parts(figures):
            found += [(one, other) for one in by_figures.get(part, ()) for other in longer if _within(one, other)]
    return sorted(found)


def _figures(home: str) -> tuple[str, ...]:
    return tuple(re.findall("[0-9]+", home))


def _parts(figures: Sequence[str]) -> set[tuple[str, ...]]:
    """What is left of these when some are left out, but never the last one; all of them, too."""
    *before, last = figures
    sizes = range(len(before) + 1) if len(before) < _MOST_FIGURES else (len(before),)
    return {(*each, last) for size in sizes for each in combinations(before, size)}


def _within(one: str, other: str) -> bool:
    """Whether every word of `one` is one of `other`."""
    words = set(_WORD.findall(one)), set(_WORD.findall(other))
    return one != other and words[0] <= words[1]
