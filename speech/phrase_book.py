"""Phrases made ready for scoring: their pronunciations as slots, the slots' contexts, the trie. Pure numpy.

A `PhraseBook` is compiled once for a set of phrases and used for any number of utterances. It turns the model's token
probabilities into what speech.scoring needs; that is done while frames come, so that little is left at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
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
# Tokens of at least this share of the best weight say what a slot is to what comes after it. At 0.5 there are 183
# contexts instead of 82, and the model's answer costs twice as much; scores of rendered answers differ by 0.03 nats.
LIKELY = 0.85
_IDS = {token: at for at, token in enumerate(TOKENS)}
_FIRST = 3
Sound = frozenset[tuple[int, float]]  # tokens and their weights
Key = tuple[tuple[str, float], ...]  # a slot


class Model(Protocol):
    """What a book needs of the acoustic model."""

    @property
    def start(self) -> Floats: ...
    @property
    def contexts(self) -> Floats: ...

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
    """`phrases` in the order given; those that nobody can pronounce have no way. `ways` index `trie.ends`; the levels
    of `trie` name columns of what `hear` finds. `contexts` (C, 320): what the model is asked after; a book `beside`
    another one has that one's first, so one answer of the model serves both."""

    def __init__(
        self,
        model: Model,
        phrases: Sequence[str],
        languages: tuple[str, ...] = ("zh", "wuu"),
        beside: PhraseBook | None = None,
    ) -> None:
        self.phrases = tuple(phrases)
        self._model = model
        self._slots: dict[Key, int] = {}
        self.ways = tuple(self._ways(languages))
        self.phrase_of = np.array([way.phrase for way in self.ways], np.int64)
        self.foreign = np.array([way.language != "zh" for way in self.ways], np.float64)
        self._columns: dict[tuple[int, int], int] = {}  # (context, slot) → column of emit
        self._contexts_from(beside)
        self.trie = self._placed(build_trie([way.slots for way in self.ways]))
        self._compile()

    def _ways(self, languages: tuple[str, ...]) -> Iterator[Way]:
        for at, phrase in enumerate(self.phrases):
            known = set()
            for language, syllables, keys, bias in _said(phrase, languages):
                numbers = tuple([self._slots.setdefault(key, len(self._slots)) for key in keys])
                if numbers not in known:
                    known.add(numbers)
                    yield Way(at, language, numbers, bias, syllables)

    def _contexts_from(self, beside: PhraseBook | None) -> None:
        """Numbers the contexts: START is 0; slots that sound alike share one."""
        self._numbers: dict[Sound, int] = dict(beside._numbers) if beside else {}
        known = beside.contexts if beside else self._model.start[None]
        sounds = [_sound(key) for key in self._slots]
        new = [sound for sound in dict.fromkeys(sounds) if sound not in self._numbers]
        self._numbers |= {sound: at for at, sound in enumerate(new, len(known))}
        self.contexts: Floats = np.concatenate([known, *(self._vector(sound)[None] for sound in new)])
        self._context_of = [self._numbers[sound] for sound in sounds]

    def _placed(self, trie: Trie) -> Trie:
        """The same, its levels naming columns: arcs after the same context are one."""
        place = self._columns
        after = [(0 if before == START else self._context_of[before], slot) for before, slot in trie.arcs]
        column = np.array([place.setdefault(pair, len(place)) for pair in after], np.int64)
        context = np.array(self._context_of, np.int64)
        levels = [replace(level, arc=column[level.arc], slot=context[level.slot]) for level in trie.levels]
        return replace(trie, levels=tuple(levels))

    def _compile(self) -> None:
        accepted = [_accepted(key) for key in self._slots]
        tokens = [context * SIZE + accepted[slot][0] for context, slot in self._columns]
        self._firsts = np.cumsum([0, *map(len, tokens)])[:-1]
        self._tokens = np.concatenate(tokens) if tokens else np.zeros(0, np.int64)
        weights = [accepted[slot][1] for _, slot in self._columns]
        self._weights = np.concatenate(weights) if weights else np.zeros(0, np.float32)

    def expected(self, frame: Floats) -> NDArray[np.float64]:
        """For every way: the log chance that its tokens come after each other when the audio says nothing special,
        `frame` (320,) being the average of what is heard in speech: what the model has learnt of the language."""
        if not self.ways:
            return np.zeros(0)
        chances = self._model.probabilities(frame[None], self.contexts)[0].astype(np.float64)
        chances[:, 0] = 0.0
        chances /= chances.sum(axis=1, keepdims=True)
        picked = chances.reshape(-1)[self._tokens] * self._weights
        logs = np.log(np.maximum(np.add.reduceat(picked, self._firsts), 1e-6))
        return np.array([logs[self._path(way)].sum() for way in self.ways])

    def _path(self, way: Way) -> list[int]:
        """Its columns of `emit`."""
        before = [0, *(self._context_of[slot] for slot in way.slots[:-1])]
        return [self._columns[pair] for pair in zip(before, way.slots, strict=True)]

    def _vector(self, sound: Sound) -> Floats:
        ids = np.array([token for token, _ in sound])
        weight = np.array([each for _, each in sound], np.float32)
        return np.asarray(weight @ self._model.contexts[ids] / weight.sum(), np.float32)

    def part(self, phrases: Collection[str]) -> tuple[Indices, Trie]:
        """A trie of the ways of some phrases only, over the same arcs; and which ways these are."""
        chosen = np.array([phrase in phrases for phrase in self.phrases], np.bool_)
        wanted = np.flatnonzero(chosen[self.phrase_of]) if self.ways else np.zeros(0, np.int64)
        return wanted, self._placed(build_trie([self.ways[at].slots for at in wanted]))

    def hear(self, frames: Floats) -> Heard:
        """What the model thinks of these frames, (T, 320): the expensive part, frame by frame independent."""
        return self.read(self._model.probabilities(frames, self.contexts))

    def read(self, chances: Floats) -> Heard:
        """The same from the model's answer: (T, contexts, tokens), more contexts than this book's do no harm."""
        blank = np.log(np.maximum(chances[:, : len(self.contexts), 0], TINY))
        picked = np.take(chances.reshape(len(chances), -1), self._tokens, axis=1)
        picked *= self._weights
        emit = np.add.reduceat(picked, self._firsts, axis=1)
        np.maximum(emit, TINY, out=emit)
        return Heard(blank[:, 0], blank, np.log(emit, out=emit))


def written_out(said: Pronunciation) -> Iterator[tuple[tuple[Slot, ...], float]]:
    """A pronunciation as slots that are all said, each with the log weight of what was left out."""
    may = [at for at, slot in enumerate(said.slots) if "" in slot][:MAX_SKIPS]
    full = [{token: weight for token, weight in slot.items() if token} for slot in said.slots]
    for left in product((False, True), repeat=len(may)):
        out = {at for at, gone in zip(may, left, strict=True) if gone}
        slots = tuple(slot for at, slot in enumerate(full) if at not in out)
        if slots and all(slots):
            yield slots, float(sum(np.log(said.slots[at][""]) for at in out))


def _key(slot: Slot) -> Key:
    return tuple(sorted(slot.items()))


@lru_cache(maxsize=16_384)
def _said(phrase: str, languages: tuple[str, ...]) -> tuple[tuple[str, int, tuple[Key, ...], float], ...]:
    """(language, syllables, slots, bias) of every way to say a phrase."""
    return tuple(
        (said.language, said.syllables, tuple(map(_key, slots)), bias)
        for said in pronunciations(phrase, languages)
        for slots, bias in written_out(said)
    )


@lru_cache(maxsize=4096)
def _accepted(key: Key) -> tuple[Indices, Floats]:
    slot = dict(key)
    if ANY in slot:
        return np.arange(_FIRST, SIZE), np.ones(SIZE - _FIRST, np.float32)
    return np.array([_IDS[token] for token in slot], np.int64), np.array(list(slot.values()), np.float32)


@lru_cache(maxsize=4096)
def _sound(key: Key) -> Sound:
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
