"""The generated speech: what is shipped for it, and what comes out."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest

from bench.evaluation import clips, offmenu
from bench.evaluation.folder import load as load_folder
from bench.evaluation.plan import make
from bench.evaluation.texts import HALVES, load
from speech.recogniser import SAMPLE_RATE
from speech.resample import to_floats
from tests.unit.bench.plug import make_folder, put

EVERY = 100


@cache
def some() -> tuple[offmenu.Utterance, ...]:
    return tuple(offmenu.generate("evaluation", EVERY))


def espoken(one: offmenu.Utterance) -> bool:
    return one.kind == f"{offmenu.PREFIX}espeak"


@pytest.mark.parametrize("half", HALVES)
def test_every_text_of_a_half_was_spoken_by_the_halfs_own_voices(half: str) -> None:
    known = clips.rendered(half)
    assert {(clip.kind, clip.text) for clip in known} == {(one.kind, one.text) for one in load() if one.half == half}
    others = {clip.voice for other in HALVES if other != half for clip in clips.rendered(other)}
    assert not others & {clip.voice for clip in known}
    # three to eight characters a second: nothing was cut off, nothing is silence
    paces = [len(clip.text) / (len(clip.samples) / SAMPLE_RATE) for clip in known]
    assert min(paces) > 2.5
    assert max(paces) < 9


def test_a_whole_run_has_more_than_a_thousand_trials() -> None:
    counted = {name: number for name, number in offmenu.AMOUNTS.items() if name not in offmenu.COUNTED_APART}
    assert sum(counted.values()) >= 1200


def test_each_source_gives_its_share_and_none_is_clipped_or_silent() -> None:
    found = Counter(one.kind.removeprefix(offmenu.PREFIX) for one in some())
    for source, number in offmenu.AMOUNTS.items():
        if source != "espeak" or found[source]:  # espeak-ng can't run everywhere
            assert found[source] >= -(-number // EVERY), source
    assert found["distress"] == 4 * -(-sum(one.kind == "distress" for one in clips.rendered("evaluation")) // EVERY)
    for one in some():
        if one.pcm:
            peak = np.abs(to_floats(one.pcm)).max()
            assert 0.003 < peak < 0.99, one.kind


def test_the_same_half_gives_the_same_audio_and_the_other_one_other_audio() -> None:
    """But for espeak-ng's share: that program doesn't always say the same to the sample."""
    again = list(offmenu.generate("evaluation", EVERY))
    assert [one.pcm for one in again if not espoken(one)] == [one.pcm for one in some() if not espoken(one)]
    other = {one.pcm for one in offmenu.generate("calibration", EVERY) if one.pcm}
    assert not other & {one.pcm for one in some()}


def test_a_text_that_is_an_answer_of_the_folder_is_not_held_against_the_engine(tmp_path: object) -> None:
    from pathlib import Path

    said = next(one for one in some() if one.kind == "off-menu/voices").text
    made = make_folder(Path(str(tmp_path)) / "set", [("a.wav", "zh", "answer", "solved", said)])
    put(made, "a.wav", 0)
    plan = make(load_folder(made), ["ulaw"], some())
    asked = [
        ask.menu for task in plan.tasks if task.kind == "off-menu/voices" and task.text == said for ask in task.asks
    ]
    assert asked
    assert "answers" not in asked
