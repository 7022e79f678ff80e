"""The line that the evaluation makes out of a clean recording is as bad as it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.evaluation import noises, offmenu
from bench.evaluation.conditions import CONDITIONS, LEAD_S, LEVEL, TAIL_S, arrive, lost, rms, wsola
from bench.evaluation.plan import own_menus
from bench.evaluation.texts import DISTRESS, HALVES, INSIDE, load
from callflows.loader import shipped
from speech import g711, phrases
from speech.recogniser import SAMPLE_RATE
from speech.resample import from_floats, to_floats
from tests.unit.bench.plug import pitch, tone
from tests.unit.speech.audio import prompt

LEAD = round(LEAD_S * SAMPLE_RATE)


def words() -> np.ndarray:
    return to_floats(prompt("您多保重,再会。"))


@pytest.mark.parametrize("name", ["ulaw+noise20", "ulaw+noise10", "ulaw+noise5"])
def test_noise_lies_below_the_speech_by_what_the_name_says(name: str) -> None:
    condition = CONDITIONS[name]
    heard = to_floats(arrive(words(), SAMPLE_RATE, condition, "clip"))
    tail = heard[-round(TAIL_S * SAMPLE_RATE) :]
    measured = 20 * np.log10(LEVEL * rms(words()) / rms(tail))
    assert measured == pytest.approx(condition.snr_db, abs=0.5)


@pytest.mark.parametrize("name", ["ulaw+loss1", "ulaw+loss5"])
def test_packets_are_lost_as_often_as_the_name_says(name: str) -> None:
    condition = CONDITIONS[name]
    pcm = lost(b"\x01\x00" * SAMPLE_RATE * 200, condition.loss, np.random.default_rng(1))
    packets = np.frombuffer(pcm, "<i2").reshape(-1, 160)
    gone = (packets == 0).all(axis=1)
    assert ((packets == 0).any(axis=1) == gone).all()  # whole packets only
    assert gone.mean() == pytest.approx(condition.loss, abs=0.004)


def test_the_same_clip_arrives_the_same_way_again() -> None:
    condition = CONDITIONS["ulaw+loss5"]
    first = arrive(words(), SAMPLE_RATE, condition, "clip")
    assert arrive(words(), SAMPLE_RATE, condition, "clip") == first
    assert arrive(words(), SAMPLE_RATE, condition, "another") != first


@pytest.mark.parametrize(("name", "decode"), [("ulaw", g711.ulaw_decode), ("alaw", g711.alaw_decode)])
def test_a_codec_leaves_only_its_own_levels(name: str, decode: object) -> None:
    assert callable(decode)
    levels = np.frombuffer(decode(bytes(range(256))), "<i2")
    heard = np.frombuffer(arrive(words(), SAMPLE_RATE, CONDITIONS[name], "clip"), "<i2")
    assert set(heard) <= set(levels)


def test_slow_takes_longer_and_keeps_the_pitch() -> None:
    clip = tone(6, 1.0, SAMPLE_RATE)
    slow = wsola(clip, 0.8)
    assert len(slow) / len(clip) == pytest.approx(1.25, abs=0.02)
    assert pitch(from_floats(slow)) == pytest.approx(pitch(from_floats(clip)), rel=0.01)
    inner = slow[800:-800]
    assert rms(inner) == pytest.approx(rms(clip), rel=0.05)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.7, 1.3), st.integers(0, 6000))
def test_wsola_takes_any_length(tempo: float, length: int) -> None:
    clip = np.random.default_rng(1).normal(0, 0.1, length).astype(np.float32)
    made = wsola(clip, tempo)
    assert np.isfinite(made).all()
    assert len(made) <= length / tempo + 600


@pytest.mark.parametrize("maker", noises.MAKERS)
def test_noises_are_audible_and_not_clipped(maker: object) -> None:
    assert callable(maker)
    for seed in range(3):
        made = maker(np.random.default_rng(seed))
        assert 0.15 < np.abs(made).max() <= 0.55
        assert 0.05 < len(made) / SAMPLE_RATE < 8


def test_an_echo_is_as_weak_and_late_as_a_hybrid_makes_it() -> None:
    played = words()
    for seed in range(8):
        echo = offmenu.echoed(played, np.random.default_rng(seed))
        late = (len(echo) - len(played)) / SAMPLE_RATE
        assert 0.02 <= late <= 0.3
        below = 20 * np.log10(rms(echo[len(echo) - len(played) :]) / rms(played))
        assert -25.5 < below < -9.5


def test_the_ear_of_the_line_hears_people_and_not_the_prompt() -> None:
    played = prompt("您多保重,再会。")
    echo = from_floats(offmenu.echoed(to_floats(played), np.random.default_rng(2)))
    assert offmenu.through_the_ear(echo, played) == []
    assert len(offmenu.through_the_ear(prompt("您多保重,再会。"), b"")) == 1


# ── the texts ─────────────────────────────────────────────────────────────────────────────────────


def test_the_halves_share_no_text_and_are_as_large() -> None:
    halves = [{text.text for text in load() if text.half == half} for half in HALVES]
    assert not halves[0] & halves[1]
    assert len(halves[0]) + len(halves[1]) == len(load())
    assert abs(len(halves[0]) - len(halves[1])) < 10


def test_no_off_menu_text_is_an_answer_and_every_cry_is_one() -> None:
    flow = shipped("daily_checkin")
    for text in load():
        if text.kind == DISTRESS:
            found = phrases.match(text.text, {DISTRESS: flow.distress})
            assert found, text.text
        elif text.kind != INSIDE:
            matches = [phrases.match(text.text, menu) for menu in own_menus().values()]
            assert not any(match and match.whole for match in matches), text.text


def test_a_broken_line_of_the_texts_is_named(tmp_path: object) -> None:
    from pathlib import Path

    file = Path(str(tmp_path)) / "texts.txt"
    file.write_text("# head\ncalibration\tchat\t好\nsomewhere\tchat\t好\n", "utf-8")
    with pytest.raises(ValueError, match=r"texts\.txt:3"):
        load(file)
