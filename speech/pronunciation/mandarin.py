"""Mandarin: characters → pinyin → tone sandhi and accents → slots of model tokens. Pure.

Pinyin is pypinyin's, with heteronyms resolved by its phrase table and mandarin_words.tsv on top. It is cut into initial
and final as sherpa-onnx's "ppinyin" does (strict=False: y and w are initials, ü after j q x y is u), because the model
was trained on that. The model's training texts carried pypinyin's tones, spoken sandhi mostly unmarked, so both the
dictionary's tone and the spoken one are options of a slot.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from pypinyin import Style, lazy_pinyin
from pypinyin.contrib.tone_convert import to_finals_tone, to_initials, to_tone
from pypinyin.seg.mmseg import seg

from speech.pronunciation import accents, tokens
from speech.pronunciation.slots import NOTHING, SKIP, Slot, Syllable, merged, slot
from speech.pronunciation.table import rows

_MOST: Final = 8
_SECOND_READING: Final = 0.7
"""A reading that mandarin_words.tsv names second, third …: nearly as likely as the first."""
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    row["word"]: tuple(row["pinyin"].split()) for row in rows("mandarin_words")
}
_LONGEST: Final = max(map(len, _WORDS))
_REAL_ER: Final = ("女", "幼", "婴", "孤", "少", "健", "胎")
"""Before these 儿 is a word of its own, as it is at the beginning (儿子)."""
_ADJECTIVE_ENDS: Final = ("的", "地", "个")
_NASAL_LOST: Final = {"an": "a", "ian": "ia", "uan": "ua", "en": "e", "ang": "a"}
_BU_YI: Final = ("不", "一")


@dataclass(frozen=True)
class _Spoken:
    """A syllable with the tones it may have, likeliest 1.0."""

    char: str
    initial: str
    final: str
    tone: int
    tones: Mapping[int, float]
    melted: bool = False
    """A melted 儿 follows."""
    suffix: bool = False
    """This is such a 儿."""


def syllables(text: str) -> tuple[Syllable, ...]:
    """Slots of each character that can be said, in order. `text` is Chinese characters only."""
    readings = _readings(text)
    firsts = [_first(char, ways) for char, ways in zip(text, readings, strict=True)]
    said = [(index, each) for index, each in enumerate(firsts) if each]
    spoken = _in_context([each for _, each in said])
    return tuple(_syllable(each, readings[index].split("/")[1:]) for (index, _), each in zip(said, spoken, strict=True))


def read_pinyin(romanisation: str, text: str = "") -> tuple[Syllable, ...]:
    """Slots of pinyin with marks or digits ("tǐng hǎo de", "ting3 hao3 de5"), one syllable a word. `text`: its
    characters, where known (不, 一 and 儿 change with what follows). ValueError for what the model can't say."""
    pinyin = romanisation.split()
    chars = text if len(text) == len(pinyin) else [""] * len(pinyin)
    spoken = [_cut(char, to_tone(syllable.rstrip("5"))) for char, syllable in zip(chars, pinyin, strict=True)]
    if None in spoken or not spoken:
        raise ValueError(f"{romanisation!r} is not pinyin that the model knows")
    return tuple(_syllable(each, ()) for each in _in_context([each for each in spoken if each]))


def _readings(text: str) -> list[str]:
    """One reading a character, "/" between alternatives: pypinyin's, then the words of the table."""
    found = lazy_pinyin(text, style=Style.TONE)
    if len(found) != len(text):
        found = [lazy_pinyin(char, style=Style.TONE)[0] for char in text]
    alone = _alone(text)
    at = 0
    while at < len(text):
        size = next((n for n in range(_LONGEST, 0, -1) if _replaces(text[at : at + n], alone[at])), 0)
        if size:
            found[at : at + size] = _WORDS[text[at : at + size]]
        at += size or 1
    return found


def _replaces(word: str, alone: bool) -> bool:
    """Whether the table's reading counts: one of a single character only where it is a word of its own."""
    return word in _WORDS and (alone or len(word) > 1)


def _alone(text: str) -> list[bool]:
    """For each character: whether pypinyin found it to be a word by itself."""
    return [len(word) == 1 for word in seg.cut(text) for _ in word]


def _first(char: str, ways: str) -> _Spoken | None:
    return next((cut for way in ways.split("/") if (cut := _cut(char, way))), None)


@lru_cache(maxsize=4096)
def _cut(char: str, pinyin: str) -> _Spoken | None:
    """Pinyin with tone mark → its parts; None where the model can't say it."""
    initial, final = to_initials(pinyin, strict=False), to_finals_tone(pinyin, strict=False)
    sound, tone = _tone(final)
    if sound not in tokens.SOUNDS or initial not in (tokens.INITIALS | {""}):
        return None
    return _Spoken(char, initial, sound, tone, {tone: 1.0})


_MARKS: Final = {"\u0304": 1, "\u0301": 2, "\u030c": 3, "\u0300": 4}


def _tone(final: str) -> tuple[str, int]:
    decomposed = unicodedata.normalize("NFD", final)
    tone = next((_MARKS[mark] for mark in decomposed if mark in _MARKS), tokens.NEUTRAL)
    bare = "".join(char for char in decomposed if char not in _MARKS)
    return unicodedata.normalize("NFC", bare), tone


def _in_context(spoken: Sequence[_Spoken]) -> list[_Spoken]:
    """Tone sandhi and er-hua: the tones each syllable takes among its neighbours."""
    padded = [None, *spoken, None]
    return [_sandhi(*three) for three in zip(padded, spoken, padded[2:], strict=False)]


def _sandhi(before: _Spoken | None, this: _Spoken, after: _Spoken | None) -> _Spoken:
    extra: dict[int, float] = {}
    if this.char in _BU_YI and after:
        extra |= dict.fromkeys(_bu_yi(this.char, after.tone), accents.HABITS["bu_yi"])
    elif this.tone == 3 and after and after.tone == 3:
        extra[2] = accents.HABITS["third_before_third"]
    if before:
        extra[tokens.NEUTRAL] = accents.HABITS["unstressed"]
    if before and before.char and before.char == this.char:
        adjective = after is not None and after.char in _ADJECTIVE_ENDS
        extra |= {1: accents.HABITS["doubled_adjective"]} if adjective else {}
        extra[tokens.NEUTRAL] = accents.HABITS["reduplicated"]
    melted = after is not None and _suffix_er(this, after)
    return replace(this, tones={**extra, **this.tones}, melted=melted, suffix=_suffix_er(before, this))


def _bu_yi(char: str, tone: int) -> tuple[int, ...]:
    """The tones of 不 and 一 before that tone: second before a fourth (or a 个 that was one), else fourth; 一 also
    keeps its first (ordinals)."""
    if char == "不":
        return (2, 4) if tone == 4 else (4,)
    return (1, 2) if tone in (4, tokens.NEUTRAL) else (1, 4)


def _suffix_er(before: _Spoken | None, this: _Spoken) -> bool:
    return this.char == "儿" and before is not None and before.char not in _REAL_ER


def _syllable(spoken: _Spoken, others: Sequence[str]) -> Syllable:
    """Slots with accents; `others` are further readings, without sandhi of their own."""
    ways = [spoken, *(cut for pinyin in others if (cut := _cut(spoken.char, pinyin)))]
    weights = [1.0] + [_SECOND_READING] * (len(ways) - 1)
    first, second = merged([_accented(way) for way in ways], weights, _MOST)
    return (first, {**second, SKIP: accents.HABITS["erhua_skipped"]}) if spoken.suffix else (first, second)


def _accented(spoken: _Spoken) -> Syllable:
    finals = dict(accents.finals(spoken.final, spoken.initial))
    if spoken.melted and spoken.final in _NASAL_LOST:
        finals[_NASAL_LOST[spoken.final]] = accents.HABITS["erhua_vowel"]
    first = slot(accents.initials(spoken.initial, spoken.final).items(), _MOST) if spoken.initial else NOTHING
    return first, _final_slot(finals, spoken.tones)


def _final_slot(finals: Mapping[str, float], spoken: Mapping[int, float]) -> Slot:
    """The textbook final in all its tones, others in the spoken ones only."""
    textbook = next(iter(finals))
    tones: dict[int, float] = {}
    for tone, weight in spoken.items():
        for heard, likely in accents.tones(tone).items():
            tones[heard] = max(weight * likely, tones.get(heard, 0.0))
    options = [(textbook, tone, weight) for tone, weight in tones.items()]
    options += [
        (final, tone, weight * likely)
        for final, likely in finals.items()
        if final != textbook
        for tone, weight in spoken.items()
    ]
    return slot(_sayable(options), _MOST)


def _sayable(options: Sequence[tuple[str, int, float]]) -> list[tuple[str, float]]:
    """Those that the model has a token for."""
    return [(token, weight) for sound, tone, weight in options if (token := tokens.final(sound, tone))]
