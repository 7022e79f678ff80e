"""A phrase's pronunciations: Mandarin, and Shanghainese composed from words and characters. Pure, cached."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from speech.pronunciation import mandarin, wugniu
from speech.pronunciation.slots import Pronunciation, Syllable, laid_out, merged
from speech.pronunciation.table import rows

MANDARIN, WU = "zh", "wuu"
_DIGITS: Final = str.maketrans("0123456789", "零一二三四五六七八九")
_NUMBER: Final = re.compile(r"[0-9]+")
_TEENS: Final = 2
_UNSAID: Final = re.compile(r"[^\u3400-\u9fff〇]")
_LITERARY: Final = 0.7
"""A character's second reading (mostly the literary one) against its first."""


@lru_cache(maxsize=8192)
def pronunciations(phrase: str, languages: tuple[str, ...] = (MANDARIN, WU)) -> tuple[Pronunciation, ...]:
    """The ways to say `phrase`, at most four a language; () where nothing in it can be said. Digits are read as
    numbers, Latin letters and marks are skipped."""
    text = _sayable(phrase)
    makers = {MANDARIN: _mandarin, WU: _wu}
    return tuple(each for language in languages if text for each in makers[language](text))


def _sayable(phrase: str) -> str:
    """Chinese characters only, digits written out."""
    return _UNSAID.sub("", _NUMBER.sub(lambda found: _number(found.group()), phrase)).replace("〇", "零")


def _number(digits: str) -> str:
    """One digit by its name, two as a number (12 is 十二), more digit by digit with 1 as 幺."""
    if len(digits) != _TEENS or digits.startswith("0"):
        words = digits.translate(_DIGITS)
        return words.replace("一", "幺") if len(digits) > 1 else words
    tens, ones = digits[0], digits[1]
    return ("" if tens == "1" else tens).translate(_DIGITS) + "十" + ("" if ones == "0" else ones).translate(_DIGITS)


def _mandarin(text: str) -> Iterator[Pronunciation]:
    said = mandarin.syllables(text)
    if said:
        yield Pronunciation(MANDARIN, laid_out(said), len(said), "pinyin")


def _wu_table() -> Mapping[str, tuple[str, ...]]:
    return {row["char"]: tuple(row["readings"].split(",")) for row in rows("characters")}


_CHARACTERS: Final = _wu_table()


def _wu(text: str) -> Iterator[Pronunciation]:
    if not any(char in _CHARACTERS for char in text):
        return
    said = tuple(each for char in text for each in _wu_character(char))
    yield Pronunciation(WU, laid_out(said), len(said), "characters")


@lru_cache(maxsize=4096)
def _wu_character(char: str) -> tuple[Syllable, ...]:
    """One syllable for all readings of a character; its Mandarin one where the table has none."""
    readings = _CHARACTERS.get(char, ())
    if not readings:
        return mandarin.syllables(char)
    weights = [1.0] + [_LITERARY] * (len(readings) - 1)
    return (merged([wugniu.syllable(each) for each in readings], weights, wugniu.MOST_MERGED),)
