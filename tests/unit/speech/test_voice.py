"""Is there a voice in it: made sounds have none, real ones and synthetic speech do, however it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech import g711
from speech.voice import Voice
from tests.unit.speech.audio import mixed, noise, over_the_line, prompt, quieter, silence
from tests.unit.speech.sounds import KINDS, sound

SAID = over_the_line(silence(300) + prompt("收到。") + silence(300))


def heard(pcm: bytes, piece: int = 3200) -> bool:
    voice = Voice()
    for at in range(0, len(pcm), piece):
        voice.feed(pcm[at : at + piece])
    return voice.heard


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"music"}))
@pytest.mark.parametrize("rms", [100, 800, 3000])
def test_no_noise_tone_click_or_breath_is_a_voice(kind: str, rms: int) -> None:
    assert not heard(over_the_line(sound(kind, 20, rms, seed=3)))


@pytest.mark.parametrize("text", ["收到。", "对不起,打扰了。再会。"])
def test_speech_is_loud_quiet_and_in_noise(text: str) -> None:
    said = prompt(text)
    for pcm in (said, quieter(said, 20), mixed(said, noise(len(said) // 16, g711.rms(said) // 2))):
        assert heard(over_the_line(pcm))


@given(st.lists(st.integers(1, 4000), min_size=1, max_size=30))
@settings(max_examples=30, deadline=None)
def test_how_it_is_cut_makes_no_difference(cuts: list[int]) -> None:
    whole, pieces, at = Voice(), Voice(), 0
    whole.feed(SAID)
    for cut in cuts:
        pieces.feed(SAID[at : at + cut])
        at += cut
    pieces.feed(SAID[at:])
    assert (pieces.heard, pieces._recent, pieces._rest) == (whole.heard, whole._recent, whole._rest) or whole.heard
    assert pieces.heard == whole.heard
