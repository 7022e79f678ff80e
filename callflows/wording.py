"""Templates of phrases: "{her}蛮好" stands for one phrase per entry of the list `her`. Pure.

`{name}` is left for the call: the person who is asked after, as the line says the name ("我是{name}").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from itertools import product

from callflows.flow import NAME

MOST = 2000  # phrases of one list: all of them are compared with every utterance
_BRACES = re.compile(r"\{([^{}]*)\}")
_HOLE = f"{{{NAME}}}"


class WordingError(ValueError):
    """A template that can't be spelled out; the message says why, without file and line."""


def spell(template: str, lists: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Every phrase that `template` stands for. `lists`: those that stand above, and the lexicon's. WordingError when it
    names another."""
    parts = _BRACES.split(template)
    if any(brace in fixed for fixed in parts[::2] for brace in "{}"):
        raise WordingError(f'"{template}" has a brace without its partner')
    ways = [_ways(part, lists) if at % 2 else [part] for at, part in enumerate(parts)]
    return tuple(dict.fromkeys("".join(way) for way in product(*ways)))


def _ways(name: str, lists: Mapping[str, Iterable[str]]) -> list[str]:
    if name == NAME:
        return [_HOLE]
    if name not in lists:
        raise WordingError(f"{{{name}}} is neither a list that stands above nor one of the lexicon{meant(name, lists)}")
    return list(lists[name])


def meant(name: str, known: Collection[str]) -> str:
    """A hint for a misspelt name; empty when nothing is like it."""
    close = get_close_matches(name, [NAME, *known], n=1)
    return f" (meant: {close[0]}?)" if close else ""


def plain(text: str) -> str:
    """For comparing phrases: without punctuation and spaces, in half width and lower case."""
    kept = (char for char in unicodedata.normalize("NFKC", text).lower() if unicodedata.category(char)[0] in "LNM")
    return "".join(kept)


def fill(phrases: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The phrases for a call that asks after `name`."""
    return tuple(phrase.replace(_HOLE, name) for phrase in phrases)
