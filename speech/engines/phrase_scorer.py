"""The phrase scorer: which of the phrases that may be said now was said, in Mandarin or Shanghainese, or none of them.

The acoustic model listens while audio comes; scores are ready a few milliseconds after the last frame. All phrases of
the lexicon are scored together, whether they are offered or not: what is known and not offered is the best garbage
model. Phrases that a flow's wait has besides (`prepare`) are in a second book, those that only this call knows (with a
name in them) in a small third one; the model is asked once for all three. Calls for help are looked for anywhere in
what is said, all the while.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lexicon.book import Lexicon, load
from lexicon.negation import shortened
from speech import judging
from speech.judging import Candidate, Judgement, judge
from speech.likeness import resembles
from speech.phrase_book import PhraseBook, join
from speech.phrases import DISTRESS, normalise
from speech.pronunciation.tokens import INITIALS, TOKENS
from speech.recogniser import SAMPLE_RATE, Hypothesis, Request
from speech.scoring import NEVER, Heard, Indices, Logs, Trie, inside, whole
from speech.zipformer import FIRST_TOKEN, FRAME_S, Zipformer

NAME = "phrase-scorer"
LANGUAGES = frozenset({"zh", "wuu"})
MENU_WORDS = "请按"  # only the line says this: a prompt that came back
MENUS = 512  # that are kept ready: a few for every call; 0.1 MB each
SPOT_FRAMES = 110  # 4.4 s: the longest cry takes about 3 s
SPOT_EVERY = 16  # frames; at a pause and at the end in any case
LEAST = -4.0  # nats a slot; beginnings that are less likely are not followed
# One phrase is far ahead. Of the answers rendered for calibration some 77 % reach the confidence, none with a wrong
# meaning; the lead was not measured.
DECIDED_CONFIDENCE, DECIDED_LEAD = 0.95, 5.0
EXPLAINED = 0.85  # confidence from which the whole of an answer explains what sounds like a call for help in it
CLEAR_CRY = 3.0  # nats above the bar: not by chance
LONG = 75  # frames, 3 s: no short answer any more
# Chance of any token in a frame, on the average of all contexts. Noise, tones and clicks made by formula stay below
# 0.31 (hard clicks: 0.41, once), every answer rendered for calibration reaches 0.47 somewhere.
VOICED = 0.39
SYLLABLES = 2  # of the shortest cry: each has such a frame, a click makes one
SPOKEN = 0.5
# Sounds (half syllables) by which a call for help must differ from whatever else is open and came near: 失火 and 是我
# are 1.1 apart, 救命 and 就是 2.
ALIKE_SOUNDS = 2.0


@dataclass(frozen=True)
class Shelf:
    """A book with what is added to the log probability of each of its ways."""

    book: PhraseBook
    penalty: Logs


@dataclass(frozen=True)
class Menu:
    """A request made ready. `shelves`: the lexicon's first, each beside the one before it, with the meaning of each way
    (OUTSIDE: offered by nobody; ALIKE: offered by nobody, but no rival of what is offered). `many`: phrases offered."""

    meanings: tuple[str, ...]
    many: int
    shelves: tuple[tuple[Shelf, Indices], ...]
    spots: tuple[str, ...]


OUTSIDE, ALIKE = -1, -2


class PhraseScorer:
    """`folder`: the zipformer's files. About 70 MB and a second to load."""

    name = NAME
    streaming = True

    def __init__(self, folder: Path, calibration: judging.Calibration | None = None) -> None:
        self.model = Zipformer(folder)
        self.calibration = calibration or judging.shipped()
        lexicon = load()
        self._lists = _own_lists(lexicon)
        self._everyday = {**lexicon.everyday, **dict.fromkeys(lexicon.phrases(DISTRESS), judging.CRIES_LEVEL)}
        self.base = PhraseBook(self.model, (*sorted(frozenset().union(*self._lists.values())), MENU_WORDS))
        self._known = frozenset(self.base.phrases)
        self.base_penalty = self.penalty(self.base)
        self._prepared: tuple[Shelf, ...] = ()
        self.anything = self.model.contexts[FIRST_TOKEN:].mean(axis=0, keepdims=True)
        self.menu = lru_cache(maxsize=MENUS)(self._menu)
        self._own = lru_cache(maxsize=MENUS)(self.shelf)
        self.spotting = lru_cache(maxsize=8)(self._spotting)

    def supports(self, request: Request) -> bool:
        return request.mode in ("answer", "spot") and request.language in LANGUAGES

    def prepare(self, waits: Iterable[Sequence[str]]) -> None:
        """The phrases of waits that many calls will have, those with a name left out: made ready once, and not in the
        call that needs them first. What was prepared earlier goes. Takes about 0.4 ms a phrase."""
        unknown = dict.fromkeys(tuple(phrase for phrase in wait if phrase not in self._known) for wait in waits)
        shelves = [self.shelf(phrases, self.base) for phrases in unknown]
        self._prepared = tuple(sorted((one for one in shelves if one.book.ways), key=lambda one: -len(one.book.ways)))
        self.menu.cache_clear()
        self._own.cache_clear()

    def open(self, request: Request) -> PhraseStream:
        offered = tuple((meaning, tuple(ways)) for meaning, ways in request.phrases.items())
        return PhraseStream(self, request, self.menu(offered))

    def penalty(self, book: PhraseBook) -> Logs:
        """What is added to the log probability of every way: what it left out, less what is expected anyway, less a
        doubt about Shanghainese (which a stream of a Shanghainese speaker takes back), and something for what is said
        every day."""
        told = self.calibration
        bias = np.array([way.bias - told.slot_cost * len(way.slots) for way in book.ways])
        expected = book.expected(told.frame)
        often = np.array([self._everyday.get(phrase, 0) for phrase in book.phrases], np.float64)[book.phrase_of]
        doubt = judging.OTHER_LANGUAGE * book.foreign
        return np.asarray(bias - told.prior_share * expected - doubt + judging.EVERYDAY * often)

    def _menu(self, offered: tuple[tuple[str, tuple[str, ...]], ...]) -> Menu:
        meanings = tuple(meaning for meaning, _ in offered)
        meaning_of: dict[str, int] = {}
        for at, (_, ways) in enumerate(offered):
            for phrase in ways:
                meaning_of.setdefault(phrase, at)
        shelves = [(Shelf(self.base, self.base_penalty), self.meanings_of(meaning_of))]
        for shelf in self._beside(meaning_of):
            meanings_of = [meaning_of[phrase] for phrase in shelf.book.phrases]
            shelves.append((shelf, np.array(meanings_of, np.int64)[shelf.book.phrase_of]))
        spots = next((ways for meaning, ways in offered if meaning == DISTRESS), ())
        return Menu(meanings, len(meaning_of), tuple(shelves), spots)

    def meanings_of(self, offered: Mapping[str, int]) -> Indices:
        """For every way of the lexicon: the number of what it means, OUTSIDE or ALIKE. `offered`: phrase → number."""
        alike = {phrase for ways in self._lists.values() if ways & offered.keys() for phrase in ways}
        number = [offered.get(phrase, ALIKE if phrase in alike else OUTSIDE) for phrase in self.base.phrases]
        return np.array(number, np.int64)[self.base.phrase_of]

    def _beside(self, offered: Mapping[str, int]) -> Iterator[Shelf]:
        """What is offered and not in the lexicon: the largest prepared book of which all is offered, the rest."""
        book, unknown = self.base, [phrase for phrase in offered if phrase not in self._known]
        prepared = next((one for one in self._prepared if offered.keys() >= set(one.book.phrases)), None)
        if prepared:
            yield prepared
            book, found = prepared.book, frozenset(prepared.book.phrases)
            unknown = [phrase for phrase in unknown if phrase not in found]
        own = self._own(tuple(unknown), book)
        if own.book.ways:
            yield own

    def shelf(self, phrases: tuple[str, ...], beside: PhraseBook) -> Shelf:
        book = PhraseBook(self.model, phrases, beside=beside)
        return Shelf(book, self.penalty(book))

    def _spotting(self, phrases: tuple[str, ...]) -> tuple[Indices, Trie, Logs]:
        """Ways of the base book to look for inside what is said, their trie, and what is added to their scores."""
        ways, trie = self.base.part(frozenset(phrases))
        made = [self.base.ways[at] for at in ways]
        offset = [way.bias + self.calibration.spot_offset(self.base.phrases[way.phrase], way.language) for way in made]
        return ways, trie, np.array(offset)


def _own_lists(lexicon: Lexicon) -> dict[str, frozenset[str]]:
    """The lexicon's lists without what belongs to a part of theirs."""
    return {
        name: frozenset(lexicon.phrases(name)).difference(*(lexicon.phrases(part) for part in meaning.parts))
        for name, meaning in lexicon.meanings.items()
    }


def best_ways(
    book: PhraseBook, penalty: Logs, scores: Logs, meaning_of: Indices, names: Sequence[str]
) -> Iterator[tuple[int, Candidate]]:
    """The best way of each meaning; `scores` with the penalty in them."""
    for at, meaning in enumerate(names):
        ways = np.flatnonzero(meaning_of == at)
        if len(ways) and scores[best := int(ways[scores[ways].argmax()])] > NEVER / 2:
            way = book.ways[best]
            phrase = book.phrases[way.phrase]
            yield (
                at,
                Candidate(meaning, phrase, len(way.slots), float(scores[best] - penalty[best]), float(scores[best])),
            )


_SUBJECT = "我"


@lru_cache(maxsize=MENUS)
def _negations(phrases: tuple[str, ...]) -> dict[str, list[int]]:
    """What is left of some of the phrases when a negation in them isn't heard, without particles (对 of 不对呀) → their
    numbers."""
    found: dict[str, list[int]] = {}
    for at, phrase in enumerate(phrases):
        for left in {normalise(each) for each in shortened(phrase)}:
            found.setdefault(left, []).append(at)
    return found


def negated(book: PhraseBook, scores: Logs, meaning_of: Indices, best: Candidate, meaning: int) -> float:
    """The best score of a phrase that becomes `best` without its negation, and means something else. (不是 is a rival
    of 我是, too: 不 and 我 are one short syllable each.)"""
    known, said = _negations(book.phrases), normalise(best.phrase)
    numbers = [number for each in {said, said.removeprefix(_SUBJECT)} for number in known.get(each, ())]
    if not numbers:
        return NEVER
    rivals = np.isin(book.phrase_of, numbers) & (meaning_of != meaning)
    return float(scores[rivals].max(initial=NEVER))


@dataclass
class _Ears:
    """What was heard so far, with one book. `meaning_of`: for every way."""

    book: PhraseBook
    penalty: Logs
    meaning_of: Indices
    parts: list[Heard] = field(default_factory=list)

    def whole(self) -> Logs:
        return np.asarray(whole(self.book.trie, join(self.parts)) + self.penalty)


class PhraseStream:
    """One utterance. After `pause`, `decided` and `meaning` say whether one phrase is far ahead."""

    def __init__(self, engine: PhraseScorer, request: Request, menu: Menu) -> None:
        self._engine, self._request, self._menu = engine, request, menu
        self._listening = engine.model.listen()
        shelves = menu.shelves if request.mode == "answer" else menu.shelves[:1]
        trust = judging.OTHER_LANGUAGE if request.language == "wuu" else 0.0
        self._books = [_Ears(one.book, one.penalty + trust * one.book.foreign, of) for one, of in shelves]
        self._frames: list[NDArray[np.float32]] = []
        self._samples = self._spotted_at = self._heard = 0
        self._ahead = False
        self._spot: tuple[str, float] | None = None
        self._judged: tuple[int, Judgement | None] | None = None
        self._told_cry = False
        self.decided, self.meaning = False, ""

    def feed(self, pcm: bytes) -> str | None:
        """A call for help, once, as soon as it is found in what was said."""
        self._samples += len(pcm) // 2
        self._take_back()
        self._take(self._listening.feed(pcm))
        if self._heard - self._spotted_at < SPOT_EVERY:
            return None
        return self._cry(over=False)

    def pause(self) -> str | None:
        """Judges ahead: what is said up to here may be all. If nothing follows, this is the judgement."""
        self._take_ahead()
        found = self._cry(over=True)
        if self._request.mode == "answer":
            judged = self._judge()
            sure = judged is not None and judged.confidence >= DECIDED_CONFIDENCE
            self.decided = bool(sure and judged and judged.lead >= DECIDED_LEAD)
            self.meaning = judged.best.meaning if judged and self.decided else ""
        return found

    def finish(self) -> Hypothesis:
        begin = time.monotonic()
        if not self._ahead:
            self._take(self._listening.finish())
            self._look()
        told = self._told()
        self.close()
        return replace(told, work_s=time.monotonic() - begin)

    def close(self) -> None:
        """The books go, the model stays."""
        self._books, self._frames = [], []

    def _take(self, frames: NDArray[np.float32]) -> None:
        if not len(frames) or not self._books:
            return
        self._frames.append(frames)
        self._heard += len(frames)
        chances = self._engine.model.probabilities(frames, self._books[-1].book.contexts)
        for ears in self._books:
            ears.parts.append(ears.book.read(chances))

    def _take_ahead(self) -> None:
        """What would be heard if silence followed."""
        self._take_back()
        frames = self._listening.rest()
        if len(frames) and self._books:
            self._take(frames)
            self._ahead = True

    def _take_back(self) -> None:
        """Somebody goes on."""
        if not self._ahead:
            return
        self._ahead, self._judged = False, None
        self._heard -= len(self._frames.pop())
        self._spotted_at = min(self._spotted_at, self._heard)
        for ears in self._books:
            ears.parts.pop()

    def _look(self) -> None:
        """Looks for a call for help in the last seconds, until one was found."""
        self._spotted_at = self._heard
        if not self._books or not self._heard or not self._menu.spots or self._spot:
            return
        base = self._books[0]
        recent = _last(base.parts, SPOT_FRAMES)
        if np.count_nonzero(_activity(recent) > VOICED) < SYLLABLES:
            return
        ways, trie, offset = self._engine.spotting(self._menu.spots)
        logs, _ = inside(trie, recent, LEAST)
        scores = logs + offset
        best = int(scores.argmax()) if len(scores) else 0
        if not len(scores) or scores[best] < self._engine.calibration.spot:
            return
        phrase = base.book.phrases[base.book.ways[ways[best]].phrase]
        self._spot = (str(phrase), float(scores[best]) - self._engine.calibration.spot)

    def _cry(self, *, over: bool) -> str | None:
        """A new call for help. In an answer it waits for the pause, where the whole of what was said may explain it
        better (是的 holds something like 寻死), unless it is loud and clear or somebody speaks at length."""
        self._look()
        if self._spot is None or self._told_cry:
            return None
        phrase, above = self._spot
        clear = self._request.mode == "spot" or above >= CLEAR_CRY or self._heard >= LONG
        if not clear and (not over or _explains(self._judge())):
            return None
        self._told_cry = True
        return phrase

    def _judge(self) -> Judgement | None:
        """The best of what may be said. Kept until something new is said: silence changes nothing."""
        said = self._said()
        if self._judged and self._judged[0] == said:
            return self._judged[1]
        found: dict[int, Candidate] = {}
        outside = NEVER
        names = self._menu.meanings
        heard = [ears.whole() if ears.parts else np.full(len(ears.book.ways), NEVER) for ears in self._books]
        for ears, scores in zip(self._books, heard, strict=True):
            outside = max(outside, float(scores[ears.meaning_of == OUTSIDE].max(initial=NEVER)))
            for meaning, candidate in best_ways(ears.book, ears.penalty, scores, ears.meaning_of, names):
                if meaning not in found or candidate.score > found[meaning].score:
                    found[meaning] = candidate

        def opposite(best: Candidate) -> float:
            told = zip(self._books, heard, strict=True)
            meaning = names.index(best.meaning)
            return max(negated(ears.book, scores, ears.meaning_of, best, meaning) for ears, scores in told)

        calibration = self._engine.calibration
        judged = judge(list(found.values()), outside, self._menu.many, self._span(), calibration, opposite)
        self._judged = (said, judged)
        return judged

    def _said(self) -> int:
        """Frames up to the last one in which anything is said."""
        spoken = self._activity() > VOICED
        return int(np.flatnonzero(spoken)[-1]) + 1 if spoken.any() else 0

    def _span(self) -> int:
        """Frames from the first one in which anything is said to the last one."""
        spoken = np.flatnonzero(self._activity() > VOICED)
        return int(spoken[-1] - spoken[0]) + 1 if len(spoken) else 0

    def _activity(self) -> NDArray[np.float64]:
        """Chance of any token, frame by frame."""
        parts = self._books[0].parts
        return np.concatenate([_activity(part) for part in parts]) if parts else np.zeros(0)

    def _told(self) -> Hypothesis:
        """A phrase, a call for help, or only how it sounded."""
        active = np.flatnonzero(self._activity() > VOICED)
        told = Hypothesis(self._sounds(), NAME, 0.0, seconds=self._samples / SAMPLE_RATE)
        if not len(active):
            return told
        told = replace(told, begin_s=_seconds(active[0]), end_s=_seconds(active[-1] + 1))
        judged = self._judge() if self._request.mode == "answer" else None
        if self._spot and (self._told_cry or not _explains(judged)):
            return replace(
                told,
                text=self._spot[0],
                phrase=self._spot[0],
                meaning=DISTRESS,
                margin=self._spot[1],
                confidence=SPOKEN,
                agreed=True,
            )
        if judged is None:
            return told
        best = judged.best
        return replace(
            told,
            meaning=best.meaning,
            phrase=best.phrase,
            confidence=judged.confidence,
            margin=judged.margin,
            agreed=bool(self._spot) if best.meaning == DISTRESS else None,
            alike=best.meaning == DISTRESS and resembles(best.phrase, judged.others, ALIKE_SOUNDS),
        )

    def _sounds(self) -> str:
        """The likeliest sounds as pinyin: for people who read the log, not for matching."""
        if not self._frames:
            return ""
        chances = self._engine.model.probabilities(np.concatenate(self._frames), self._engine.anything)[:, 0]
        best, spoken = chances[:, FIRST_TOKEN:].argmax(axis=1) + FIRST_TOKEN, chances[:, 0] < SPOKEN
        tokens = [
            int(token)
            for at, token in enumerate(best)
            if spoken[at] and not (at and spoken[at - 1] and best[at - 1] == token)
        ]
        return "".join((" " if TOKENS[token] in INITIALS else "") + TOKENS[token] for token in tokens).strip()


def _explains(judged: Judgement | None) -> bool:
    return judged is not None and judged.confidence >= EXPLAINED


def _activity(heard: Heard) -> NDArray[np.float64]:
    return np.asarray(1 - np.exp(heard.blank).mean(axis=1), np.float64)


def _seconds(frame: int) -> float:
    return round(float(frame) * FRAME_S, 2)


def _last(parts: Sequence[Heard], frames: int) -> Heard:
    kept: list[Heard] = []
    for part in reversed(parts):
        kept.insert(0, part)
        if sum(len(one.start) for one in kept) >= frames:
            break
    return join(kept)
