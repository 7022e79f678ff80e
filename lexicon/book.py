"""The lexicon as frozen values, loaded once and checked whole: every problem is told, with its line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from lexicon import checks, sheets
from lexicon.negation import shortened

_HERE = Path(__file__).parent
ANSWERS = ("meaning", "phrase", "language", "romanisation", "checked", "note")
MEANINGS = ("meaning", "part_of", "stance", "against", "about")
CONFUSABLE = ("phrase", "other", "note")
EVERYDAY = ("phrase", "level", "note")


@dataclass(frozen=True)
class Reading:
    """How a phrase is said. `language`: zh or wuu. `romanisation`: pinyin or Wugniu, one syllable per character,
    spaces between; empty (zh only) = as a dictionary reads it. `checked`: "table" (every syllable stands in a
    public table of characters), "dictionary", "native NAME", or "unchecked"."""

    language: str
    romanisation: str
    checked: str


@dataclass(frozen=True)
class Meaning:
    """`parts`: meanings whose phrases are this one's too. `positive`: good news or consent, which a swallowed
    negation must never make."""

    name: str
    about: str
    positive: bool
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Lexicon:
    """`meanings` in the order of their table. `confusable`: phrase → phrases that it may be mistaken for, both ways;
    who hears one must be sure that it was none of the others. `everyday`: phrases that are said far more often than
    the others → 2 in nearly every call, 1 often; the negation of a phrase as often as the phrase."""

    meanings: Mapping[str, Meaning]
    confusable: Mapping[str, tuple[str, ...]]
    everyday: Mapping[str, int]
    _own: Mapping[str, tuple[str, ...]]
    _readings: Mapping[str, tuple[Reading, ...]]

    def phrases(self, meaning: str) -> tuple[str, ...]:
        """Every way to say it, its parts included, each once. KeyError when there is no such meaning."""
        found = dict.fromkeys(self._own[meaning])
        for part in self.meanings[meaning].parts:
            found |= dict.fromkeys(self.phrases(part))
        return tuple(found)

    def readings(self, phrase: str) -> tuple[Reading, ...]:
        """How `phrase` is said; empty when it isn't in the lexicon."""
        return self._readings.get(phrase, ())

    def mistaken(self, phrases: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """Which of `phrases` may be mistaken for which others of them, both ways: the listed pairs, and whatever one
        becomes when its negation isn't heard (so that what a flow makes of templates is covered too)."""
        menu = dict.fromkeys(phrases)
        pairs: dict[str, dict[str, None]] = {}
        for phrase in menu:
            for other in (*self.confusable.get(phrase, ()), *sorted(shortened(phrase))):
                if other in menu:
                    pairs.setdefault(phrase, {})[other] = None
                    pairs.setdefault(other, {})[phrase] = None
        return {phrase: tuple(others) for phrase, others in pairs.items()}


@lru_cache
def load() -> Lexicon:
    """The lexicon that comes with the program. LexiconError with every problem in it."""
    names = ("answers", "meanings", "confusable", "everyday")
    return parse(*((_HERE / f"{name}.tsv").read_text("utf-8") for name in names))


def parse(answers: str, meanings: str, confusable: str, everyday: str = "phrase\tlevel\tnote\n") -> Lexicon:
    """The same from texts. LexiconError."""
    problems = sheets.Problems()
    kinds = list(sheets.rows("meanings.tsv", meanings, MEANINGS, problems))
    said = list(sheets.rows("answers.tsv", answers, ANSWERS, problems))
    pairs = list(sheets.rows("confusable.tsv", confusable, CONFUSABLE, problems))
    often = list(sheets.rows("everyday.tsv", everyday, EVERYDAY, problems))
    checks.check(kinds, said, pairs, often, problems)
    problems.raise_any()
    return Lexicon(
        meanings=MappingProxyType({row["meaning"]: _meaning(row, kinds) for row in kinds}),
        confusable=MappingProxyType(_both_ways(pairs)),
        everyday=MappingProxyType({row["phrase"]: int(row["level"]) for row in often}),
        _own=MappingProxyType({row["meaning"]: _phrases(row["meaning"], said) for row in kinds}),
        _readings=MappingProxyType(_readings(said)),
    )


def _meaning(row: sheets.Row, kinds: Iterable[sheets.Row]) -> Meaning:
    parts = tuple(other["meaning"] for other in kinds if other["part_of"] == row["meaning"])
    return Meaning(row["meaning"], row["about"], row["stance"] == "+", parts)


def _phrases(meaning: str, said: Iterable[sheets.Row]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row["phrase"] for row in said if row["meaning"] == meaning))


def _readings(said: Iterable[sheets.Row]) -> dict[str, tuple[Reading, ...]]:
    found: dict[str, dict[tuple[str, str], Reading]] = {}
    for row in said:
        key = (row["language"], row["romanisation"])
        found.setdefault(row["phrase"], {}).setdefault(key, Reading(*key, row["checked"]))
    return {phrase: tuple(readings.values()) for phrase, readings in found.items()}


def _both_ways(pairs: Iterable[sheets.Row]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for row in pairs:
        for one, other in ((row["phrase"], row["other"]), (row["other"], row["phrase"])):
            found.setdefault(one, {})[other] = None
    return {phrase: tuple(others) for phrase, others in found.items()}
