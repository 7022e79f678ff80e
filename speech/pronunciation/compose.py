"""A phrase's pronunciations: Mandarin, and Shanghainese composed from words and characters. Pure, cached.

Who decides, for each language: readings of the whole phrase in the lexicon, then this package's words, then its
characters, then (for characters without a Wu reading) Mandarin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import lexicon
from speech.pronunciation import mandarin, wu
from speech.pronunciation.slots import Pronunciation, Syllable, laid_out

MANDARIN, WU = "zh", "wuu"
LANGUAGES: Final = (MANDARIN, WU)
MOST: Final = 4
"""Pronunciations of a phrase in one language."""
_DIGITS: Final = str.maketrans("0123456789", "零一二三四五六七八九")
_NUMBER: Final = re.compile(r"[0-9]+")
_TWO_DIGITS: Final = 2
_UNSAID: Final = re.compile(r"[^\u3400-\u9fff〇]")


@lru_cache(maxsize=8192)
def pronunciations(phrase: str, languages: tuple[str, ...] = LANGUAGES) -> tuple[Pronunciation, ...]:
    """The ways to say `phrase`, at most four a language and in the order of `languages`; () where nothing in it can be
    said. Digits are read as numbers, Latin letters and marks are skipped. KeyError for a language that is neither."""
    makers = {MANDARIN: _mandarin, WU: _wu}
    text = sayable(phrase)
    return tuple(each for language in languages for each in _said(language, phrase) or makers[language](text))


def sayable(phrase: str) -> str:
    """Chinese characters only, digits written out."""
    return _UNSAID.sub("", _NUMBER.sub(lambda found: _number(found.group()), phrase)).replace("〇", "零")


def _number(digits: str) -> str:
    """One digit by its name, two as a number (12 is 十二), more digit by digit with 1 as 幺."""
    words = digits.translate(_DIGITS)
    if len(digits) == 1:
        return words
    if len(digits) != _TWO_DIGITS or digits.startswith("0"):
        return words.replace("一", "幺")
    tens, ones = words[0].removeprefix("一"), words[1].removesuffix("零")
    return f"{tens}十{ones}"


def _said(language: str, phrase: str) -> tuple[Pronunciation, ...]:
    """What the lexicon says of the whole phrase; empty where it leaves the reading to a dictionary."""
    written = [each.romanisation for each in lexicon.load().readings(phrase) if each.language == language]
    if language == MANDARIN:
        ways = [mandarin.read_pinyin(way, phrase) for way in written if way]
        ways += [mandarin.syllables(sayable(phrase))] if "" in written and ways else []
    else:
        ways = [wu.read(way) for way in written]
    return tuple(_pronunciation(language, way, "lexicon") for way in ways[:MOST])


def _mandarin(text: str) -> Iterator[Pronunciation]:
    said = mandarin.syllables(text)
    if said:
        yield _pronunciation(MANDARIN, said, "pinyin")


def _wu(text: str) -> Iterator[Pronunciation]:
    """Nothing for a text without a single Wu reading: that is Mandarin already."""
    if not any(wu.knows(char) for char in text):
        return
    for way in wu.readings(text, MOST):
        yield _pronunciation(WU, way, "characters")


def _pronunciation(language: str, said: tuple[Syllable, ...], source: str) -> Pronunciation:
    return Pronunciation(language, laid_out(said), len(said), source)
