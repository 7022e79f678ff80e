"""Which engine writes a message down, and which of two texts of the same audio stands. Pure.

The elder's preference decides first, then what the engines were trained for. After the call two engines may have
written the same message (ivr.second_pass); then it counts, too, how sure they are. Their scores
(mean probability of a token) come from different models and are not calibrated against each other, so only a wide lead
turns the order round; where an engine gives none, nothing can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

# How much surer another engine must be. Not measured on speech: weights for two languages were not at hand together.
# Chosen so that it takes "nearly certain" against "half of it guessed".
LEAD = 0.25
# Nobody says more characters in a second; a text that does was invented or is a loop.
CHARACTERS_PER_S = 10.0
SLACK = 4  # characters more than that in a short piece


class Named(Protocol):
    """An engine as far as the choice goes. It may have `languages`: what it was trained for, best first."""

    @property
    def name(self) -> str: ...


Engine = TypeVar("Engine", bound=Named)
MANDARIN = ("zh",)  # what an engine knows that doesn't say


@dataclass(frozen=True)
class Text:
    """What one engine made of the audio. `score`: mean probability of a token, 0..1; None: it gives none."""

    engine: str
    text: str
    score: float | None
    seconds: float


def fitness(language: str, known: Sequence[str]) -> int:
    """0: trained for this language first; 1: knows it beside another; 2: doesn't know it."""
    if language not in known:
        return 2
    return 0 if known[0] == language else 1


def dictation_order(language: str, engines: Sequence[Engine]) -> list[Engine]:
    """The engines for a dictation by an elder who prefers `language`: those trained for it, those that also know it,
    then the rest, whose text is an aid at best. Within each kind as they were given."""
    return sorted(engines, key=lambda one: fitness(language, getattr(one, "languages", MANDARIN)))


def stands(texts: Sequence[Text]) -> Text:
    """The text that stands, of one or more of the same audio: the engine's for the elder's language is the first.

    An empty text never stands against one that can have been said: nothing voiced is empty with every engine, and a
    person listens to the recording anyway. Ties go to the earlier one.
    """
    first, *others = sorted(texts, key=lambda one: not credible(one))
    for other in others:
        if credible(other) and _ahead(other, first):
            first = other
    return first


def credible(one: Text) -> bool:
    """Whether somebody can have said that in the time."""
    return bool(one.text) and len(one.text) <= one.seconds * CHARACTERS_PER_S + SLACK


def _ahead(other: Text, best: Text) -> bool:
    return other.score is not None and best.score is not None and other.score >= best.score + LEAD
