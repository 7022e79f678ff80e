"""Numbers by which staff ask for a sentence."""

from __future__ import annotations

import pytest

from console import sentences
from console.sentences import number_of, numbered, shipped


def test_every_shipped_sentence_has_a_number_of_its_own() -> None:
    """When it fails: give the newer one of the two a free number in console.sentences.MOVED. Never change the salt, or
    every list that was printed is wrong."""
    found = shipped().all
    assert len(found) > 200
    assert [one.text for one in found if one.number != number_of(one.text)] == []


def test_a_number_stays_the_same_whatever_stands_around_the_sentence() -> None:
    assert number_of("收到。") == number_of(" 收到 ") == 56447
    assert shipped().get(56447) is not None


def test_two_of_one_number_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences, "MOVED", {"甲": 99999, "乙": 99999})
    found = numbered({"甲。": (("a",), ""), "乙。": (("a",), "")})
    assert [one.number for one in found] == [99999, 10000]


def test_the_next_one_goes_round() -> None:
    found = shipped()
    first, second = found.all[:2]
    assert found.next_after(None, lambda _: True) == first
    assert found.next_after(first.number, lambda _: True) == second
    assert found.next_after(found.all[-1].number, lambda one: one == second) == second
    assert found.next_after(second.number, lambda one: one == second) is None


def test_one_that_was_moved_keeps_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences, "MOVED", {"收到": 12345})
    assert number_of("收到。") == 12345
