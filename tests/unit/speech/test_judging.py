"""The confidence: of many phrases one fits by chance sooner than of few."""

from __future__ import annotations

from dataclasses import replace

from speech.judging import Candidate, judge, shipped

GOOD = Candidate("well", "蛮好的", 6, -6.0, -3.0)


def sure(best: Candidate = GOOD, *, lead: float = 8.0, outside: float = -10.0, many: int = 50) -> float:
    other = replace(best, meaning="unwell", phrase="腰痛", score=best.score - lead)
    judged = judge([other, best], outside, many, shipped())
    assert judged is not None
    assert judged.best == best
    return judged.confidence


def test_nothing_offered_is_no_judgement() -> None:
    assert judge([], 0.0, 0, shipped()) is None


def test_what_makes_an_answer_surer() -> None:
    known = sure()
    assert sure(replace(GOOD, whole=-18.0, score=-15.0)) < known, "a worse fit"
    assert sure(lead=0.5) < known, "another meaning close behind"
    assert sure(outside=0.0) < known, "something that nobody offers fits better"
    assert sure(many=1500) < known, "a thousand phrases to choose from"
    assert sure(many=5) > known
