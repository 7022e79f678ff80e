"""How many sounds part two phrases."""

from __future__ import annotations

from math import inf

import pytest

from speech.likeness import parted, resembles


@pytest.mark.parametrize(
    ("one", "other", "most"), [("救命", "救命", 0.0), ("失火", "是我", 1.5), ("摔倒了", "睡倒了", 0.5)]
)
def test_what_a_telephone_makes_of_one_another_is_near(one: str, other: str, most: float) -> None:
    assert parted(one, other) == parted(other, one) <= most


def test_what_has_other_sounds_is_far() -> None:
    assert parted("救命", "就是") == pytest.approx(2)
    assert parted("快来人", "还可以") > 4
    assert parted("救命", "!") == inf, "nobody can say that"


def test_a_phrase_resembles_any_of_the_others() -> None:
    assert resembles("失火", ["蛮好", "是我"], 2)
    assert not resembles("快来人", ["蛮好", "是我", "还可以"], 2)
    assert not resembles("失火", [], 2)
