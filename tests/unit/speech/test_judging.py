"""The confidence: what makes an answer surer, and what takes it away."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from speech.engines.phrase_scorer import negated
from speech.judging import FAR, Candidate, judge, shipped

GOOD = Candidate("well", "蛮好的", 6, -6.0, -3.0)


def sure(
    best: Candidate = GOOD,
    *,
    lead: float = 8.0,
    outside: float = -10.0,
    many: int = 50,
    frames: int = 20,
    negated: float = -FAR,
) -> float:
    other = replace(best, meaning="unwell", phrase="腰痛", score=best.score - lead)
    judged = judge([other, best], outside, many, frames, shipped(), lambda _: negated)
    assert judged is not None
    assert judged.best == best
    return judged.confidence


def test_nothing_offered_is_no_judgement() -> None:
    assert judge([], 0.0, 0, 0, shipped()) is None


def test_what_makes_an_answer_surer() -> None:
    known = sure()
    assert sure(replace(GOOD, whole=-18.0, score=-15.0)) < known, "a worse fit"
    assert sure(lead=0.5) < known, "another meaning close behind"
    assert sure(outside=0.0) < known, "something that nobody offers fits better"
    assert sure(frames=60) < known, "it took three times as long as these words take"
    assert sure(frames=10) == known, "who speaks fast"


def test_its_own_negation_is_a_rival() -> None:
    """不对 is never taken for 对呀, whether 不对 is offered or not."""
    assert sure(negated=GOOD.score - 0.5) < sure(negated=GOOD.score - 9)
    assert sure(negated=GOOD.score) == 0
    assert sure(negated=GOOD.score + 3) == 0


@pytest.mark.parametrize(("said", "rival"), [("对呀", 1.0), ("对", 1.0), ("我是", 2.0), ("蛮好", None)])
def test_a_negation_is_found_wherever_it_is_known(said: str, rival: float | None) -> None:
    book: Any = SimpleNamespace(phrases=("不对", "不是", "好"), phrase_of=np.arange(3))
    best = Candidate("yes", said, 4, -4.0, -2.0)
    found = negated(book, np.array([1.0, 2.0, 3.0]), np.array([-1, -1, 0]), best, 0)
    assert found == rival if rival else found < -1e6
