"""What is wrong with the tables a linguist edits, and where. `python -m speech.pronunciation` shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from speech.pronunciation import mandarin, wugniu
from speech.pronunciation.table import rows

_SONORANT: Final = frozenset({"m", "n", "gn", "ng", "l"})
_VOICED: Final = frozenset({"b", "v", "d", "z", "j", "zh", "g", "gh"})
_SYLLABIC: Final = frozenset({"m", "n", "ng", "er"})
_CHECKED: Final = ("table", "unchecked")
Row = Mapping[str, str]


def problems() -> list[str]:
    """One sentence a problem; empty when the tables are sound."""
    characters, words, pinyin = rows("characters"), rows("wu_words"), rows("mandarin_words")
    return [
        *_wu("characters", characters, "char", ","),
        *_wu("wu_words", words, "word", ";"),
        *_twice("characters", (row["char"] for row in characters)),
        *_twice("wu_words", (row["word"] for row in words)),
        *_twice("mandarin_words", (row["word"] for row in pinyin)),
        *_pinyin(pinyin),
    ]


def _wu(name: str, table: Iterable[Row], key: str, between: str) -> Iterator[str]:
    for row in table:
        if row["checked"] not in _CHECKED and not row["checked"].startswith("native "):
            yield f'{name}.tsv, {row[key]}: checked is "{row["checked"]}"; write table, unchecked or native NAME'
        for way in row["readings"].split(between):
            syllables = way.split()
            if len(syllables) != len(row[key]):
                yield f"{name}.tsv, {row[key]}: {way!r} must have one syllable a character"
            yield from (f"{name}.tsv, {row[key]}: {found}" for found in map(fault, syllables) if found)


def fault(syllable: str) -> str:
    """What is wrong with a toned Wugniu syllable; empty when nothing is. A voiceless beginning has tone 1, 5 or 7, a
    voiced one 6 or 8, a sonorant any of them; 7 and 8 are the checked tones (finals in -q)."""
    try:
        initial, final, tone = wugniu.cut(syllable)
    except ValueError as error:
        return str(error)
    if not tone or tone not in "15678" or (tone in "78") != final.endswith("q"):
        return f"{syllable!r} needs a tone: 7 or 8 for finals in -q, 1, 5 or 6 for others"
    if initial in _SONORANT or final in _SYLLABIC:
        return ""
    fitting = "68" if initial in _VOICED else "157"
    return (
        "" if tone in fitting else f"{syllable!r} can't have tone {tone} after that initial, only {', '.join(fitting)}"
    )


def _pinyin(table: Iterable[Row]) -> Iterator[str]:
    for row in table:
        syllables = row["pinyin"].split()
        if len(syllables) != len(row["word"]):
            yield f"mandarin_words.tsv, {row['word']}: one syllable a character, please"
        for way in (way for each in syllables for way in each.split("/")):
            try:
                mandarin.read_pinyin(way)
            except ValueError as error:
                yield f"mandarin_words.tsv, {row['word']}: {error}"


def _twice(name: str, keys: Iterable[str]) -> Iterator[str]:
    yield from (f"{name}.tsv: {key} stands there {count} times" for key, count in Counter(keys).items() if count > 1)
