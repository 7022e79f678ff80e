"""How many sounds part two phrases, by the tables of pronunciations: what a telephone can make of one another. Pure.

A sound is half a syllable (a slot). Tones part nothing: who cries has other ones. What an accent makes alike (h and w
before uo, sh and s) parts as much as the accent is unlikely.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from speech.pronunciation import Slot, pronunciations
from speech.pronunciation.tokens import parts

Sounds = tuple[tuple[tuple[str, float], ...], ...]


def resembles(phrase: str, others: Iterable[str], sounds: float) -> bool:
    """Whether fewer than so many sounds part some way to say `phrase` from some way to say one of `others`."""
    return any(
        _parted(one, other, sounds) < sounds for each in others for other in _ways(each) for one in _ways(phrase)
    )


def parted(one: str, other: str) -> float:
    """The sounds that part the two, in the ways to say them that are nearest to each other; infinite if nobody can say
    one of them."""
    return min((_parted(a, b, float("inf")) for a in _ways(one) for b in _ways(other)), default=float("inf"))


@lru_cache(maxsize=8192)
def _ways(phrase: str) -> tuple[Sounds, ...]:
    return tuple(dict.fromkeys(tuple(map(_toneless, said.slots)) for said in pronunciations(phrase)))


def _toneless(slot: Slot) -> tuple[tuple[str, float], ...]:
    weights: dict[str, float] = {}
    for token, weight in slot.items():
        final = parts(token)
        sound = final[0] if final else token
        weights[sound] = max(weight, weights.get(sound, 0.0))
    return tuple(sorted(weights.items()))


@lru_cache(maxsize=65_536)
def _parted(one: Sounds, other: Sounds, enough: float) -> float:
    """An edit distance; where it can't be less than `enough` any more, something that isn't."""
    if abs(sum(map(_needed, one)) - sum(map(_needed, other))) >= enough + _spare(one) + _spare(other):
        return enough
    row = [0.0]
    for slot in other:
        row.append(row[-1] + _needed(slot))
    for mine in one:
        above, row = row, [row[0] + _needed(mine)]
        for at, slot in enumerate(other):
            replaced = above[at] + _difference(mine, slot)
            row.append(min(replaced, above[at + 1] + _needed(mine), row[at] + _needed(slot)))
        if min(row) >= enough:
            return enough
    return row[-1]


def _spare(sounds: Sounds) -> float:
    return sum(1 - _needed(slot) for slot in sounds)


@lru_cache(maxsize=8192)
def _needed(slot: tuple[tuple[str, float], ...]) -> float:
    """What leaving it out costs: less where it may be left out anyway."""
    return 1 - dict(slot).get("", 0.0)


@lru_cache(maxsize=65_536)
def _difference(one: tuple[tuple[str, float], ...], other: tuple[tuple[str, float], ...]) -> float:
    weights = dict(other)
    return 1 - max((min(weight, weights[sound]) for sound, weight in one if sound in weights), default=0.0)
