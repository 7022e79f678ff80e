"""Shanghainese readings of a text from the tables of words and characters. Pure.

A character's readings that share their initial or their final are laid on top of each other in one syllable; others
make a variant of the whole text, as long as there are few of those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from math import prod
from typing import Final

from speech.pronunciation import mandarin, wugniu
from speech.pronunciation.slots import Syllable, merged
from speech.pronunciation.table import rows

_LATER: Final = 0.7
"""A character's second and further readings (mostly literary) against its first, in a shared syllable."""
_CHARACTERS: Final[Mapping[str, tuple[str, ...]]] = {
    row["char"]: tuple(row["readings"].split(",")) for row in rows("characters")
}
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    row["word"]: tuple(row["readings"].split(";")) for row in rows("wu_words")
}
_LONGEST: Final = max(map(len, _WORDS))

Syllables = tuple[Syllable, ...]

read = wugniu.read


def knows(char: str) -> bool:
    """Whether the tables hold a Wu reading of that character by itself."""
    return char in _CHARACTERS or char in _WORDS


def readings(text: str, most: int) -> Iterator[Syllables]:
    """At most `most` ways to say `text` (Chinese characters only), likeliest first."""
    pieces = _few([_ways(piece) for piece in _cut(text)], most)
    for choice in sorted(product(*(enumerate(ways) for ways in pieces)), key=lambda each: sum(at for at, _ in each)):
        yield tuple(syllable for _, way in choice for syllable in way)


def _cut(text: str) -> Iterator[str]:
    """Words of the table, longest first, and single characters between them."""
    at = 0
    while at < len(text):
        size = next((n for n in range(min(_LONGEST, len(text) - at), 1, -1) if text[at : at + n] in _WORDS), 1)
        yield text[at : at + size]
        at += size


def _few(pieces: Sequence[tuple[Syllables, ...]], most: int) -> list[tuple[Syllables, ...]]:
    """The same with alternatives merged, from the end, until at most `most` whole readings are left."""
    few = list(pieces)
    for at in reversed(range(len(few))):
        if prod(map(len, few)) <= most:
            break
        if len(few[at]) > 1:
            few[at] = (_laid_together(few[at]),)
    return few


@lru_cache(maxsize=4096)
def _ways(piece: str) -> tuple[Syllables, ...]:
    """Whole alternatives of a word or a character; a character without a Wu reading is said in Mandarin."""
    if piece in _WORDS:
        return tuple(wugniu.read(way) for way in _WORDS[piece])
    if piece not in _CHARACTERS:
        return (mandarin.syllables(piece),)
    return tuple((_together([wugniu.syllable(way) for way in alike]),) for alike in _alike(_CHARACTERS[piece]))


def _alike(ways: Sequence[str]) -> list[list[str]]:
    """Readings grouped: each with the first before it that has the same initial or the same final."""
    groups: list[list[str]] = []
    for way in ways:
        this = wugniu.cut(way)
        group = next((each for each in groups if _share(wugniu.cut(each[0]), this)), None)
        if group is None:
            groups.append([way])
        else:
            group.append(way)
    return groups


def _share(one: wugniu.Wu, other: wugniu.Wu) -> bool:
    return one.initial == other.initial or one.final == other.final


def _laid_together(ways: Sequence[Syllables]) -> Syllables:
    return tuple(_together(syllables) for syllables in zip(*ways, strict=True))


def _together(syllables: Sequence[Syllable]) -> Syllable:
    if len(syllables) == 1:
        return syllables[0]
    return merged(syllables, [1.0] + [_LATER] * (len(syllables) - 1), wugniu.MOST_MERGED)
