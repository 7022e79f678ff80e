"""Shanghainese in Wugniu romanisation → slots of Mandarin tokens, by the wugniu_ tables. Pure.

Wugniu is the romanisation of wugniu.com for urban Shanghai: initials p ph b m f v t th d n l ts tsh s z c ch j sh zh gn
k kh g ng h gh or none; y- and w- begin a breathy syllable (gh) with i or u after it; finals end in -q where checked; a
tone digit (1 5 6 7 8) may follow. The Mandarin model hears none of this, so each sound has several Mandarin options.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final, NamedTuple

from speech.pronunciation import tokens
from speech.pronunciation.slots import NOTHING, SKIP, Syllable, slot
from speech.pronunciation.table import rows

MOST: Final = 16
"""Tokens in a slot of one reading: three finals in all their tones."""
MOST_MERGED: Final = 24
"""Tokens in a slot that several readings share."""
_NONE: Final = "-"
INITIALS: Final = (
    *("p", "ph", "b", "m", "f", "v", "t", "th", "d", "n", "l", "ts", "tsh", "s", "z"),
    *("c", "ch", "j", "sh", "zh", "gn", "k", "kh", "g", "ng", "h", "gh"),
)
_BY_LENGTH: Final = sorted(INITIALS, key=len, reverse=True)
_PALATAL: Final = frozenset({"c", "ch", "j", "sh", "zh", "gn"})
_SIBILANT: Final = frozenset({"ts", "tsh", "s", "z"})
_BACK: Final = frozenset({"k", "kh", "g", "ng", "h"})
_LIPS: Final = frozenset({"p", "ph", "b", "m", "f", "v"})
_BUZZED: Final = "y"
_SYLLABIC: Final = frozenset({"m", "n", "ng", "er"})
_SYLLABLE: Final = re.compile(r"[a-z]+[1-8]?")


class Wu(NamedTuple):
    """A syllable cut up: initial ("" for none; y- and w- spelt out as gh), final, tone digit or ""."""

    initial: str
    final: str
    tone: str


class _Rule(NamedTuple):
    where: tuple[str, ...]
    heard: Mapping[str, float]

    def fits(self, neighbour: str) -> bool:
        return not self.where or any(fnmatchcase(neighbour or _NONE, pattern) for pattern in self.where)


def _read(name: str, where: str) -> Mapping[str, tuple[_Rule, ...]]:
    found: dict[str, list[_Rule]] = {}
    for row in rows(name):
        heard = {sound: float(weight) for sound, weight in (each.split(":") for each in row["heard"].split())}
        if not heard or not all(0 < weight <= 1 for weight in heard.values()):
            raise ValueError(f"{name}.tsv: weights of {dict(row)} are not in (0, 1]")
        found.setdefault(row[name.removeprefix("wugniu_")[:-1]], []).append(_Rule(tuple(row[where].split()), heard))
    return {sound: tuple(rules) for sound, rules in found.items()}


_HEARD_INITIALS: Final = _read("wugniu_initials", "before")
_HEARD_FINALS: Final = _read("wugniu_finals", "after")
FINALS: Final = tuple(_HEARD_FINALS)
_MANDARIN: Final[Mapping[str, frozenset[str]]] = {
    row["initial"].replace(_NONE, ""): frozenset(row["finals"].split()) for row in rows("mandarin_syllables")
}

_SPELLING: Final = {row["final"]: row for row in rows("mandarin_spelling")}
_COLUMNS: Final = {"y": "after_y", "w": "after_w", "j": "after_jqx", "q": "after_jqx", "x": "after_jqx"}


def cut(syllable: str) -> Wu:
    """Wugniu → its parts. ValueError for what urban Shanghainese doesn't have."""
    if not _SYLLABLE.fullmatch(syllable):
        raise ValueError(f"{syllable!r} is not a Wugniu syllable")
    bare = syllable.rstrip("12345678")
    tone = syllable[len(bare) :]
    for initial, final in _cuts(bare):
        if final in _HEARD_FINALS and goes_with(initial, final):
            return Wu(initial, final, tone)
    raise ValueError(f"{syllable!r} is not a Wugniu syllable of urban Shanghai")


def _cuts(bare: str) -> Iterator[tuple[str, str]]:
    if bare in _SYLLABIC:
        yield "", bare
    if bare.startswith("y") and len(bare) > 1:
        rest = bare.removeprefix("y")
        yield "gh", rest if rest.startswith("i") else "i" + rest
    if bare.startswith("w") and len(bare) > 1:
        rest = bare.removeprefix("w")
        yield "gh", rest if rest == "u" else "u" + rest
        yield "gh", rest
    yield from ((initial, bare.removeprefix(initial)) for initial in _BY_LENGTH if bare.startswith(initial))
    yield "", bare


def goes_with(initial: str, final: str) -> bool:
    """Whether Shanghainese has that final after that initial, by classes: a loose test, meant for slips of the pen."""
    if final in _SYLLABIC:
        return initial == "" or (initial == "h" and final in ("m", "ng"))
    if final == _BUZZED:
        return initial in _SIBILANT
    high, round_ = final.startswith("i"), final.startswith("u") and final != "u"
    if initial in _PALATAL:
        return high
    if initial in _SIBILANT or initial in _BACK:
        return not high
    if initial in _LIPS:
        return not round_ and (initial not in ("f", "v") or not high or final in ("i", "iau"))
    return True


@lru_cache(maxsize=4096)
def syllable(wugniu: str) -> Syllable:
    """The slots of a syllable. ValueError for what isn't one."""
    wu = cut(wugniu)
    initials, finals = _heard_initials(wu), _first_fitting(_HEARD_FINALS[wu.final], wu.initial)
    pairs = [
        (initial, weight, shown, likely)
        for initial, weight in initials.items()
        for final, likely in finals.items()
        if (shown := _after(initial, final)) is not None
    ]
    if not pairs:
        raise ValueError(f"no Mandarin sounds for {wugniu!r}")
    first = slot(((initial, weight) for initial, weight, _, _ in pairs), MOST)
    second = slot(_in_all_tones((shown, likely) for _, _, shown, likely in pairs), MOST)
    return (first if set(first) != {SKIP} else NOTHING), second


def _heard_initials(wu: Wu) -> Mapping[str, float]:
    if wu.final in ("m", "n", "ng"):
        return {"m": 1.0, "w": 0.4} if wu.final == "m" else {"": 1.0, "n": 0.4, "w": 0.3}
    heard = _first_fitting(_HEARD_INITIALS[wu.initial or _NONE], wu.final)
    return {"" if initial == _NONE else initial: weight for initial, weight in heard.items()}


def _first_fitting(rules: tuple[_Rule, ...], neighbour: str) -> Mapping[str, float]:
    return next((rule.heard for rule in rules if rule.fits(neighbour)), {})


def _after(initial: str, final: str) -> str | None:
    """How the model writes that Mandarin final after that initial, or the nearest that Mandarin has there."""
    if final == _NONE:
        return SKIP
    row, legal = _SPELLING[final], _MANDARIN[initial]
    ways = (row[_COLUMNS[initial]],) if initial in _COLUMNS else (final, row["otherwise"])
    return next((way for way in ways if way in legal), None)


def _in_all_tones(finals: Iterator[tuple[str, float]]) -> list[tuple[str, float]]:
    """Every tone of each final alike; the likeliest finals, as many as a slot holds whole."""
    options: dict[str, float] = {}
    for sound, weight in sorted(finals, key=lambda each: -each[1]):
        shown = [tokens.final(sound, tone) for tone in tokens.tones(sound)] if sound else [SKIP]
        fresh = {token: weight for token in shown if token is not None and token not in options}
        if len(options) + len(fresh) <= MOST:
            options |= fresh
    return list(options.items())


def read(romanisation: str) -> tuple[Syllable, ...]:
    """Slots of Wugniu, one syllable a word ("veq8 seq7 i5"). ValueError for what isn't Wugniu."""
    if not romanisation.split():
        raise ValueError("no syllable")
    return tuple(syllable(each) for each in romanisation.split())
