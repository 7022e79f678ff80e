"""Every fixed sentence of the line, with a number by which staff ask for it on the telephone.

The number comes from the sentence itself (its letters and figures), not from where it stands: it stays the same when
flows are changed around it, on every machine, and punctuation doesn't count. A sentence that is worded anew is another
sentence, with another number. Where two would have the same one, the newer one has a number in `MOVED`, for good; a
test demands that of the shipped flows. In a flow of a site's own the later one has the next number that is free.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from callflows import loader
from callflows.flow import Flow
from ivr.twilio.documents import SENTENCES
from speech.human import sentence_key

FIGURES = 5  # of a number
LINE = "line"  # where the sentences stand that belong to no flow
_FIRST, _SALT = 10_000, "3"  # never changed again: every number would be another
# What elders hear most comes first.
ORDER = ("daily_checkin", "rings_in", "stranger", "reply", "booking", "notices", "ballot", "alarm", "test_call")
RANK: Mapping[str, int] = {flow: at for at, flow in enumerate(ORDER)}
MOVED: Mapping[str, int] = {"记下了": 23173}  # sentence_key → number


@dataclass(frozen=True)
class Sentence:
    """`flows`: where it is said. `wuu`: its wording in Shanghainese, where a flow has one; else whoever records it
    finds the words."""

    number: int
    text: str
    flows: tuple[str, ...]
    wuu: str = ""

    def spoken(self, language: str) -> str:
        """The words that a recording in this language replaces."""
        return self.wuu if language == "wuu" and self.wuu else self.text


class Sentences:
    """All of them, in the order of `by_rank`, as calls go, each once."""

    def __init__(self, found: Iterable[Sentence]) -> None:
        self.all: Sequence[Sentence] = tuple(found)
        self._numbers: Mapping[int, Sentence] = {one.number: one for one in self.all}

    def get(self, number: int) -> Sentence | None:
        return self._numbers.get(number)

    def of(self, flow: str) -> Sequence[Sentence]:
        """Those of one flow; all with ""."""
        return [one for one in self.all if not flow or flow in one.flows]

    def next_after(self, number: int | None, wanted: Callable[[Sentence], bool]) -> Sentence | None:
        """The next one that is `wanted` after this number's, round to the beginning; None when there is no other."""
        at = next((at + 1 for at, one in enumerate(self.all) if one.number == number), 0)
        turned = [*self.all[at:], *self.all[:at]]
        return next((one for one in turned if one.number != number and wanted(one)), None)


def shipped() -> Sentences:
    """Of the flows that come with the program, and of the line itself; what elders hear most first."""
    return Sentences(numbered(_texts([loader.shipped(name) for name in by_rank(loader.shipped_names())])))


def by_rank(flows: Iterable[str]) -> list[str]:
    return sorted(flows, key=lambda name: (RANK.get(name, len(RANK)), name))


def number_of(text: str) -> int:
    """The number that a sentence has when no other has it: a figure between 10000 and 99999. Pure."""
    key = sentence_key(text)
    if key in MOVED:
        return MOVED[key]
    digest = hashlib.sha256(f"{_SALT}{key}".encode()).digest()
    return _FIRST + int.from_bytes(digest) % (9 * _FIRST)


def numbered(texts: Mapping[str, tuple[tuple[str, ...], str]]) -> list[Sentence]:
    """By text: flows and the wording in Shanghainese. Pure."""
    taken: set[int] = set()
    found = []
    for text, (flows, wuu) in texts.items():
        number = number_of(text)
        while number in taken:
            number = _FIRST + (number + 1 - _FIRST) % (9 * _FIRST)
        taken.add(number)
        found.append(Sentence(number, text, flows, wuu))
    return found


def with_names(found: Sentences, variable: str, names: Iterable[str], flows: Sequence[Flow]) -> Sentences:
    """And what only this line says in the place of `variable` (the committee's name), after all others."""
    said = tuple(flow.name for flow in flows if variable in flow.variables)
    texts = {one.text: (one.flows, one.wuu) for one in found.all}
    known = {sentence_key(text) for text in texts}
    own = {name: (said, "") for name in names if sentence_key(name) not in known | {""}}
    return Sentences(numbered(texts | own))


def _texts(flows: Sequence[Flow]) -> dict[str, tuple[tuple[str, ...], str]]:
    """Two texts that differ in punctuation alone are one sentence: the one that begins with a word."""
    found: dict[str, tuple[str, list[str], str]] = {}
    said = [(flow.name, text, wuu) for flow in flows for text, wuu in _of(flow)]
    for where, text, wuu in [*said, *((LINE, text, "") for text in SENTENCES.values())]:
        key = sentence_key(text)
        if key:
            first, names, known = found.setdefault(key, (text, [], wuu))
            best = text if text[0].isalnum() > first[0].isalnum() else first
            found[key] = (best, names if where in names else [*names, where], known or wuu)
    return {text: (tuple(names), wuu) for text, names, wuu in found.values()}


def _of(flow: Flow) -> list[tuple[str, str]]:
    """Its sentences, each with its wording in Shanghainese where the prompt has as many pieces in both."""
    wuu: dict[str, str] = {}
    for prompt in [flow.acknowledge, *(prompt for step in flow.steps.values() for prompt in step.said)]:
        pairs = zip(prompt.texts.get("zh", ()), prompt.texts.get("wuu", ()), strict=False)
        wuu |= {one.text: other.text for one, other in pairs if not one.variable and not other.variable}
    return [(text, wuu.get(text, "")) for text in flow.sentences("zh")]
