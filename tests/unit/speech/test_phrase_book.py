"""Phrases made ready for scoring, with a model whose answers are made up: what it is asked, what is read from it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from speech.phrase_book import ANY, PhraseBook, join, written_out
from speech.pronunciation import Pronunciation, pronunciations
from speech.pronunciation.tokens import SIZE, TOKENS
from speech.scoring import START, whole

Floats = NDArray[np.float32]
DIM = 4
PHRASES = ("蛮好的", "不好", "好", "救命", "好的")


class MadeUp:
    """A model that answers by chance, the same every time. `asked`: how many contexts, call by call."""

    def __init__(self) -> None:
        draw = np.random.default_rng(1)
        self.start: Floats = draw.normal(size=DIM).astype(np.float32)
        self.contexts: Floats = draw.normal(size=(SIZE, DIM)).astype(np.float32)
        self._tokens = draw.normal(size=(DIM, SIZE)).astype(np.float32)
        self.asked: list[int] = []

    def probabilities(self, frames: Floats, contexts: Floats) -> Floats:
        self.asked.append(len(contexts))
        logits = (frames[:, None] + contexts[None]) @ self._tokens
        chances: Floats = np.exp(logits)
        return chances / chances.sum(axis=2, keepdims=True)


@pytest.fixture
def model() -> MadeUp:
    return MadeUp()


@pytest.fixture
def frames() -> Floats:
    return np.random.default_rng(2).normal(size=(6, DIM)).astype(np.float32)


def test_what_may_be_left_out_is_written_out_both_ways() -> None:
    said = Pronunciation("zh", ({"h": 1.0}, {"ǎo": 1.0, "": 0.5}, {"d": 1.0, "": 0.2}), 2, "pinyin")
    ways = {tuple("".join(slot) for slot in slots): bias for slots, bias in written_out(said)}
    assert ways == {
        ("h", "ǎo", "d"): 0.0,
        ("h", "d"): pytest.approx(np.log(0.5)),
        ("h", "ǎo"): pytest.approx(np.log(0.2)),
        ("h",): pytest.approx(np.log(0.1)),
    }


def test_a_phrase_is_never_left_out_as_a_whole() -> None:
    assert list(written_out(Pronunciation("zh", ({"h": 1.0, "": 1.0},), 1, "pinyin"))) == [(({"h": 1.0},), 0.0)]


def test_every_phrase_has_its_ways_in_both_languages(model: MadeUp) -> None:
    book = PhraseBook(model, PHRASES)
    assert book.phrases == PHRASES
    assert {PHRASES[way.phrase] for way in book.ways} == set(PHRASES)
    assert {way.language for way in book.ways} == {"zh", "wuu"}
    assert len(book.trie.ends) == len(book.ways) == len(book.phrase_of)
    assert len({(way.phrase, way.slots) for way in book.ways}) == len(book.ways)


def test_what_cannot_be_said_has_no_way(model: MadeUp, frames: Floats) -> None:
    book = PhraseBook(model, ("OK!", "好"))
    assert {way.phrase for way in book.ways} == {1}
    empty = PhraseBook(model, ("OK!",), beside=book)
    assert empty.ways == ()
    assert whole(empty.trie, empty.hear(frames)).tolist() == []
    assert empty.expected(frames[0]).tolist() == []


def test_chances_are_read_where_the_slots_stand(model: MadeUp, frames: Floats) -> None:
    """For the first slot of 好: nothing was said before, and any of its tokens will do, by its weight."""
    book = PhraseBook(model, ("好",), ("zh",))
    heard = book.hear(frames)
    first = pronunciations("好", ("zh",))[0].slots[0]
    chances = model.probabilities(frames, model.start[None])[:, 0]
    wanted = sum(chances[:, TOKENS.index(token)] * weight for token, weight in first.items())
    (level, *_) = book.trie.levels
    assert np.exp(heard.emit[:, level.arc[0]]) == pytest.approx(wanted, rel=1e-4)
    assert np.exp(heard.start) == pytest.approx(chances[:, 0], rel=1e-4)


def test_slots_that_sound_alike_share_a_context(model: MadeUp) -> None:
    one, both = PhraseBook(model, ("妈",), ("zh",)), PhraseBook(model, ("妈", "马"), ("zh",))
    assert len(one.contexts) == len(both.contexts)  # the same but for the tone
    assert np.array_equal(one.contexts[0], model.start)


def test_a_book_beside_another_asks_for_its_own_contexts_only(model: MadeUp, frames: Floats) -> None:
    base = PhraseBook(model, PHRASES)
    beside = PhraseBook(model, ("好的呀", "救命啊"), beside=base)
    alone = PhraseBook(model, ("好的呀", "救命啊"))
    assert np.array_equal(beside.contexts[: len(base.contexts)], base.contexts)
    assert len(beside.contexts) < len(base.contexts) + len(alone.contexts) - 1
    chances = model.probabilities(frames, beside.contexts)
    assert whole(beside.trie, beside.read(chances)) == pytest.approx(whole(alone.trie, alone.hear(frames)), abs=1e-4)
    assert whole(base.trie, base.read(chances)) == pytest.approx(whole(base.trie, base.hear(frames)), abs=1e-4)


def test_a_part_scores_as_the_whole_book(model: MadeUp, frames: Floats) -> None:
    book = PhraseBook(model, PHRASES)
    heard = book.hear(frames)
    ways, trie = book.part({"救命", "不好"})
    assert {PHRASES[book.ways[at].phrase] for at in ways} == {"救命", "不好"}
    assert whole(trie, heard, beam=1e9) == pytest.approx(whole(book.trie, heard, beam=1e9)[ways])
    none, empty = book.part(())
    assert (len(none), whole(empty, heard).tolist()) == (0, [])


def test_frames_are_heard_alike_in_any_pieces(model: MadeUp, frames: Floats) -> None:
    book = PhraseBook(model, PHRASES)
    pieces = join([book.hear(frames[:1]), book.hear(frames[1:4]), book.hear(frames[4:])])
    for piece, once in zip((pieces.start, pieces.blank, pieces.emit), vars(book.hear(frames)).values(), strict=True):
        assert piece == pytest.approx(once, abs=1e-5)


def test_what_is_expected_is_the_chance_of_the_slots_after_each_other(model: MadeUp, frames: Floats) -> None:
    book = PhraseBook(model, ("好",), ("zh",))
    first, second = pronunciations("好", ("zh",))[0].slots
    chances = model.probabilities(frames[:1], book.contexts)[0]
    chances[:, 0] = 0
    chances /= chances.sum(axis=1, keepdims=True)

    def chance(context: int, slot: Mapping[str, float]) -> float:
        return float(sum(chances[context, TOKENS.index(token)] * weight for token, weight in slot.items()))

    (way,) = (one for one in book.ways if len(one.slots) == 2)
    after = book._context_of[way.slots[0]]
    assert book.expected(frames[0])[0] == pytest.approx(np.log(chance(0, first) * chance(after, second)), abs=1e-4)


def test_any_token_fits_a_slot_of_anything(monkeypatch: pytest.MonkeyPatch, model: MadeUp, frames: Floats) -> None:
    anything = Pronunciation("zh", ({ANY: 1.0},), 1, "pinyin")
    monkeypatch.setattr("speech.phrase_book.pronunciations", lambda *_: (anything,))
    book = PhraseBook(model, ("test: anything",))
    heard = book.hear(frames)
    chances = model.probabilities(frames, model.start[None])[:, 0]
    assert np.exp(heard.emit[:, book.trie.levels[0].arc[0]]) == pytest.approx(chances[:, 3:].sum(axis=1), rel=1e-4)
    assert book.trie.arcs == ((START, 0),)
