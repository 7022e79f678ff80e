"""What may be heard at one place of a phrase, and how alternatives are laid on top of each other. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

Slot = Mapping[str, float]
"""Model token → weight in (0, 1], the best is 1.0: how likely the sound comes out as it. "" = may be skipped."""

SKIP: Final = ""
_LEAST: Final = 0.05
"""What is less likely than this is left out: it costs time and makes phrases alike."""

Syllable = tuple[Slot, Slot]
"""What a syllable begins with and what it ends with; the first is {"": 1.0} where it begins with its vowel."""
NOTHING: Final[Slot] = MappingProxyType({SKIP: 1.0})


@dataclass(frozen=True)
class Pronunciation:
    """One way to say a whole phrase. `source`: "lexicon" (a linguist wrote it), "characters" (composed from the Wu
    tables) or "pinyin". `syllables` counts spoken syllables, those that may be skipped included."""

    language: str
    slots: tuple[Slot, ...]
    syllables: int
    source: str


def slot(options: Iterable[tuple[str, float]], most: int) -> Slot:
    """The `most` likeliest options, each token once, scaled so that the best is 1. Empty options give an empty slot."""
    weights: dict[str, float] = {}
    for token, weight in options:
        weights[token] = max(weight, weights.get(token, 0.0))
    best = max(weights.values(), default=1.0)
    kept = sorted(weights.items(), key=lambda item: -item[1])[:most]
    return {token: round(weight / best, 3) for token, weight in kept if weight / best >= _LEAST}


def merged(alternatives: Sequence[Syllable], weights: Sequence[float], most: int) -> Syllable:
    """One syllable that covers several readings. Crosses of them come in (the first's initial, the second's final):
    fine while readings are alike, too lax when they are not."""
    weighed = list(zip(alternatives, weights, strict=True))
    first, second = (
        slot(((token, each * weight) for pair, weight in weighed for token, each in pair[place].items()), most)
        for place in (0, 1)
    )
    return first, second


def laid_out(syllables: Iterable[Syllable]) -> tuple[Slot, ...]:
    """The slots of syllables in a row, without those where nothing is ever heard."""
    return tuple(each for pair in syllables for each in pair if each and set(each) != {SKIP})
