"""What a swallowed negation leaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lexicon.negation import NEGATIONS, shortened


@pytest.mark.parametrize(
    ("phrase", "left"),
    [
        ("勿好", {"好"}),
        ("不太好", {"太好", "好"}),
        ("身体勿大好", {"身体大好", "身体好"}),
        ("呒没", {"没", "呒"}),
        ("没有了", {"有了", "了"}),
        ("覅打了", {"打了", "要打了"}),
        ("蛮好", set()),
        ("勿", set()),
        ("不是很好", {"是很好", "好", "很好"}),
    ],
)
def test_what_is_left(phrase: str, left: set[str]) -> None:
    assert shortened(phrase) == left


@given(st.text("我今朝身体蛮好要去来三", min_size=1, max_size=6), st.sampled_from(NEGATIONS), st.integers(0, 6))
def test_a_negation_put_in_anywhere_can_be_swallowed_again(words: str, negation: str, at: int) -> None:
    assert words in shortened(words[:at] + negation + words[at:])


@given(st.text("勿不没呒有覅别未太大是好要", max_size=8))
def test_every_rest_is_shorter_or_has_lost_its_fused_negation(phrase: str) -> None:
    for left in shortened(phrase):
        assert left
        assert len(left) < len(phrase) or left.count("覅") < phrase.count("覅")
