"""Accent rules of accents.tsv: which sound may stand for which, and how likely."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from speech.pronunciation import tokens
from speech.pronunciation.table import rows

Neighbour = str


class Rule(NamedTuple):
    """`heard` instead of the textbook sound, with `weight`, where the other half of the syllable fits `where`."""

    heard: str
    weight: float
    where: tuple[str, ...]

    def fits(self, neighbour: Neighbour) -> bool:
        return not self.where or any(fnmatchcase(neighbour or "-", pattern) for pattern in self.where)


def _read(kind: str, known: frozenset[str]) -> Mapping[str, tuple[Rule, ...]]:
    found: dict[str, list[Rule]] = {}
    for row in rows("accents"):
        if row["rule"] != kind:
            continue
        if not {row["from"], row["to"]} <= known:
            raise ValueError(f"accents.tsv: the model knows no {kind} rule {row['from']} → {row['to']}")
        found.setdefault(row["from"], []).append(Rule(row["to"], weight(row), tuple(row["where"].split())))
    return {sound: tuple(rules) for sound, rules in found.items()}


def weight(row: Mapping[str, str]) -> float:
    """The weight of a rule's line; ValueError outside (0, 1]."""
    value = float(row["weight"])
    if not 0 < value <= 1:
        raise ValueError(f"weight {value} of {dict(row)} is not in (0, 1]")
    return value


_TONES: Final = frozenset(str(tone) for tone in range(1, tokens.NEUTRAL + 1))
_INITIALS: Final = _read("initial", tokens.INITIALS)
_FINALS: Final = _read("final", tokens.SOUNDS)
_TONE_RULES: Final = _read("tone", _TONES)
HABITS: Final[Mapping[str, float]] = {row["from"]: weight(row) for row in rows("accents") if row["rule"] == "habit"}
"""Weights of the rules that mandarin.py knows by name."""


def initials(textbook: str, final: str) -> dict[str, float]:
    """What an initial may sound like before that final, itself included."""
    fitting = (rule for rule in _INITIALS.get(textbook, ()) if rule.fits(final))
    return {textbook: 1.0} | {rule.heard: rule.weight for rule in fitting}


def finals(textbook: str, initial: str) -> dict[str, float]:
    """What a final may sound like after that initial, itself included, tone aside."""
    fitting = (rule for rule in _FINALS.get(textbook, ()) if rule.fits(initial))
    return {textbook: 1.0} | {rule.heard: rule.weight for rule in fitting}


def tones(textbook: int) -> dict[int, float]:
    """What a tone may sound like, itself included."""
    return {textbook: 1.0} | {int(rule.heard): rule.weight for rule in _TONE_RULES.get(str(textbook), ())}
