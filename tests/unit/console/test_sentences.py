"""Numbers by which staff ask for a sentence."""

from __future__ import annotations

from console.sentences import number_of, numbered, shipped


def test_every_shipped_sentence_has_a_number_of_its_own() -> None:
    """A collision: choose another _SALT before numbers are printed anywhere, else word one of the two anew."""
    found = shipped().all
    assert len(found) > 200
    assert [one.text for one in found if one.number != number_of(one.text)] == []


def test_a_number_stays_the_same_whatever_stands_around_the_sentence() -> None:
    assert number_of("收到。") == number_of(" 收到 ") == 56447
    assert shipped().get(56447) is not None


def test_two_of_one_number_are_told_apart() -> None:
    one, other = (
        "句0",
        next(text for text in (f"句{n}" for n in range(1, 500_000)) if number_of(text) == number_of("句0")),
    )
    first, second = numbered({one: (("a",), ""), other: (("a",), "")})
    assert second.number == first.number + 1


def test_the_next_one_goes_round() -> None:
    found = shipped()
    first, second = found.all[:2]
    assert found.next_after(None, lambda _: True) == first
    assert found.next_after(first.number, lambda _: True) == second
    assert found.next_after(found.all[-1].number, lambda one: one == second) == second
    assert found.next_after(second.number, lambda one: one == second) is None
