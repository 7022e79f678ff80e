"""Numbers out of single figures."""

from __future__ import annotations

import pytest

from speech import g711
from speech.figures import FIGURES, joined

SOUNDS = {figure: bytes([n + 1]) * 800 for n, figure in enumerate(FIGURES)}
BREATH, COMMA = g711.ULAW_SILENCE * 720, g711.ULAW_SILENCE * 1280


def test_figure_by_figure_with_a_breath_between() -> None:
    assert joined("一零七", SOUNDS.get) == SOUNDS["一"] + BREATH + SOUNDS["零"] + BREATH + SOUNDS["七"]


def test_groups_are_set_apart_by_a_longer_pause() -> None:
    said = joined("幺三,五", SOUNDS.get)
    assert said == BREATH.join([SOUNDS["幺"], SOUNDS["三"], COMMA, SOUNDS["五"]])


@pytest.mark.parametrize("text", ["", "三", "一二", "一零号", "三次没接电话", ",,,", "10019"])
def test_what_is_no_such_number_is_left_to_others(text: str) -> None:
    assert joined(text, SOUNDS.get) is None


def test_a_missing_figure_leaves_the_whole_to_one_voice() -> None:
    assert joined("一零七", {**SOUNDS, "零": None}.get) is None
