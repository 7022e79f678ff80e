"""What is left of a phrase when its negation is swallowed: 勿 and 不 are one short syllable each. Pure."""

from __future__ import annotations

# Longer ones first: 呒没 goes as a whole and as its parts.
NEGATIONS = ("呒没", "没有", "勿", "不", "没", "呒", "覅", "别", "未")
# What goes with it: 不太好 → 好.
_DEGREES = ("怎么", "哪能", "是很", "是蛮", "是老", "太", "大", "是", "很", "蛮", "老", "算")
_FUSED = ("覅", "要")  # 覅 is 勿要 in one syllable


def shortened(phrase: str) -> frozenset[str]:
    """Every phrase that `phrase` turns into when one negation in it is not heard (with its degree word, or without
    it). Never empty texts, never `phrase` itself."""
    left: set[str] = set()
    for at in range(len(phrase)):
        for negation in NEGATIONS:
            if phrase.startswith(negation, at):
                before, after = phrase[:at], phrase[at + len(negation) :]
                rests = {after, *(after.removeprefix(degree) for degree in _DEGREES)}
                left |= {before + rest for rest in rests}
        if phrase.startswith(_FUSED[0], at):
            left.add(phrase[:at] + _FUSED[1] + phrase[at + 1 :])
    return frozenset(left - {"", phrase})
