"""Phrases made ready for scoring: their pronunciations as slots, the slots' contexts, the trie. Pure numpy.

A `PhraseBook` is compiled once for a set of phrases and used for any number of utterances. It turns the model's token
probabilities into what speech.scoring needs; that is done while frames come, so that little is left at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from speech.pronunciation import Pronunciation, Slot, pronunciations
from speech.pronunciation.tokens import SIZE, TOKENS, parts
from speech.scoring import START, Heard, Indices, Trie, build_trie

Floats = NDArray[np.float32]

TINY = 1e-9  # a probability that takes part in no sum
ANY = "*"  # as a token of a slot: every token
MAX_SKIPS = 3  # slots that may be left out are written out both ways, so long as there are no more in a phrase
LIKELY = 0.5  # tokens of at least this share of the best weight say what a slot is to what comes after it
_IDS = {token: at for at, token in enumerate(TOKENS)}
_FIRST = 3


class Model(Protocol):
    """What a book needs of the acoustic model."""

    start: Floats
    contexts: Floats

    def probabilities(self, frames: Floats, contexts: Floats) -> Floats: ...


@dataclass(frozen=True)
class Way:
    """One pronunciation of a phrase. `bias`: log weight of the slots that it leaves out."""

    phrase: int
    language: str
    slots: tuple[int, ...]
    bias: float
    syllables: int


class PhraseBook:
    """`phrases` in the order given; those that nobody can pronounce have no way. `ways` index `trie.ends`."""

    def __init__(self, model: Model, phrases: Sequence[str], languages: tuple[str, ...] = ("zh", "wuu")) -> None:
        self.phrases = tuple(phrases)
        self._model = model
        self._slots: dict[tuple[tuple[str, float], ...], int] = {}
        self.ways = tuple(self._ways(languages))
        self.trie = build_trie([way.slots for way in self.ways])
        self._compile()

    def _ways(self, languages: tuple[str, ...]) -> Iterator[Way]:
        for at, phrase in enumerate(self.phrases):
            known = set()
            for said in pronunciations(phrase, languages):
                for slots, bias in written_out(said):
                    numbers = tuple(self._slots.setdefault(key, len(self._slots)) for key in map(_key, slots))
                    if numbers not in known:
                        known.add(numbers)
                        yield Way(at, said.language, numbers, bias, said.syllables)

    def _compile(self) -> None:
        slots = [dict(key) for key in self._slots]
        vectors = dict.fromkeys(map(_sound, self._slots))
        self._contexts = np.stack([self._model.start, *(self._vector(sound) for sound in vectors)])
        number = {sound: at for at, sound in enumerate(vectors, 1)}
        self._context_of = np.array([number[_sound(key)] for key in self._slots], np.int64)
        tokens: list[Indices] = []
        weights: list[Floats] = []
        for before, slot in self.trie.arcs:
            context = 0 if before == START else int(self._context_of[before])
            ids, weight = _accepted(slots[slot])
            tokens.append(context * SIZE + ids)
            weights.append(weight)
        self._firsts = np.cumsum([0, *(len(one) for one in tokens)])[:-1]
        self._tokens, self._weights = np.concatenate(tokens), np.concatenate(weights)

    def masses(self, prior: Floats) -> NDArray[np.float64]:
        """For every way: the log chance that its slots come by themselves; `prior` (tokens,): of each token."""
        slots = [float(prior[ids] @ weight) for ids, weight in map(_accepted, map(dict, self._slots))]
        logs = np.log(np.maximum(slots, TINY))
        return np.array([logs[list(way.slots)].sum() for way in self.ways])

    def _vector(self, sound: frozenset[tuple[int, float]]) -> Floats:
        ids = np.array([token for token, _ in sound])
        weight = np.array([each for _, each in sound], np.float32)
        return np.asarray(weight @ self._model.contexts[ids] / weight.sum(), np.float32)

    def part(self, phrases: Collection[str]) -> tuple[Indices, Trie]:
        """A trie of the ways of some phrases only, over the same arcs; and which ways these are."""
        wanted = np.array([at for at, way in enumerate(self.ways) if self.phrases[way.phrase] in phrases], np.int64)
        trie = build_trie([self.ways[at].slots for at in wanted])
        known = {arc: at for at, arc in enumerate(self.trie.arcs)}
        column = np.array([known[arc] for arc in trie.arcs], np.int64)
        levels = tuple(replace(level, arc=column[level.arc]) for level in trie.levels)
        return wanted, replace(trie, levels=levels, arcs=self.trie.arcs)

    def hear(self, frames: Floats) -> Heard:
        """What the model thinks of these frames, (T, 320): the expensive part, frame by frame independent."""
        chances = self._model.probabilities(frames, self._contexts)
        blanks = np.log(np.maximum(chances[:, :, 0], TINY)).astype(np.float64)
        picked = chances.reshape(len(frames), -1)[:, self._tokens] * self._weights
        emit = np.add.reduceat(picked, self._firsts, axis=1)
        return Heard(blanks[:, 0], blanks[:, self._context_of], np.log(np.maximum(emit, TINY)).astype(np.float64))


def written_out(said: Pronunciation) -> Iterator[tuple[tuple[Slot, ...], float]]:
    """A pronunciation as slots that are all said, each with the log weight of what was left out."""
    may = [at for at, slot in enumerate(said.slots) if "" in slot][:MAX_SKIPS]
    full = [{token: weight for token, weight in slot.items() if token} for slot in said.slots]
    for left in product((False, True), repeat=len(may)):
        out = {at for at, gone in zip(may, left, strict=True) if gone}
        slots = tuple(slot for at, slot in enumerate(full) if at not in out)
        if slots and all(slots):
            yield slots, float(sum(np.log(said.slots[at][""]) for at in out))


def _key(slot: Slot) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(slot.items()))


def _accepted(slot: Mapping[str, float]) -> tuple[Indices, Floats]:
    if ANY in slot:
        return np.arange(_FIRST, SIZE), np.ones(SIZE - _FIRST, np.float32)
    return np.array([_IDS[token] for token in slot], np.int64), np.array(list(slot.values()), np.float32)


@lru_cache(maxsize=4096)
def _sound(key: tuple[tuple[str, float], ...]) -> frozenset[tuple[int, float]]:
    """What a slot is as a context: the sounds of its likely tokens, in every tone. (Tones told apart choose no better
    and make twice as many contexts.)"""
    slot = dict(key)
    if ANY in slot:
        return frozenset((token, 1.0) for token in range(_FIRST, SIZE))
    least = LIKELY * max(slot.values())
    sounds: dict[str, float] = {}
    for token, weight in slot.items():
        if weight >= least:
            sounds[_toneless(token)] = max(weight, sounds.get(_toneless(token), 0.0))
    return frozenset(
        (at, round(sounds[_toneless(token)], 1)) for token, at in _IDS.items() if _toneless(token) in sounds
    )


def _toneless(token: str) -> str:
    found = parts(token)
    return found[0] if found else token


def join(parts: Sequence[Heard]) -> Heard:
    """Frames in a row."""
    columns = zip(*((one.start, one.blank, one.emit) for one in parts), strict=True)
    return Heard(*(np.concatenate(column) for column in columns))
