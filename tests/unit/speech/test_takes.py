"""What somebody recorded by telephone: what is wrong with it is said, the tone of the last key is cut off."""

from __future__ import annotations

import numpy as np
import pytest

from speech import g711, takes
from speech.loudness import TARGET_DBOV, active_level
from speech.pack import Packs
from speech.recogniser import SAMPLE_RATE
from speech.resample import Floats, from_floats, to_floats
from speech.takes import Doubt, take, without_key_tone
from tests.unit.speech.audio import prompt

TEXT = "今天身体好吗?身体好,请按1;不舒服,请按2;想找人说话,请按3。"


def recorded(gain: float = 0.4, text: str = TEXT) -> Floats:
    return np.asarray(np.clip(to_floats(prompt(text)) * gain, -1, 1), np.float32)


def ulaw(*samples: Floats) -> bytes:
    return g711.ulaw_encode(from_floats(np.concatenate(samples)))


def key(seconds: float) -> Floats:
    """#, as a telephone sends it (ITU-T Q.23)."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(0.3 * np.sin(2 * np.pi * 941 * time) + 0.3 * np.sin(2 * np.pi * 1477 * time), np.float32)


def still(seconds: float) -> Floats:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


@pytest.mark.parametrize(
    ("audio", "doubt"),
    [
        (recorded(), None),
        (recorded(0.05), Doubt.QUIET),
        (recorded(0.01), Doubt.SILENT),
        (still(2), Doubt.SILENT),
        (recorded(20.0), Doubt.CLIPPED),
        (recorded(text="收到。"), Doubt.SHORT),
        (np.concatenate([recorded()] * 4), Doubt.LONG),
    ],
)
def test_what_is_doubtful(audio: Floats, doubt: Doubt | None) -> None:
    assert take(ulaw(audio), TEXT).doubt == doubt


def test_it_becomes_as_loud_as_every_prompt() -> None:
    made = take(ulaw(still(1), recorded(0.1), still(2)), TEXT).prompt
    assert abs(active_level(to_floats(g711.ulaw_decode(made))) - TARGET_DBOV) < 1
    assert len(made) < len(recorded()) + SAMPLE_RATE


@pytest.mark.parametrize("pause", [0.0, 0.3])
def test_the_tone_of_the_key_that_ended_it_is_cut_off(pause: float) -> None:
    voice = recorded()
    left = without_key_tone(np.concatenate([voice, still(pause), key(0.06), still(0.1)]))
    assert abs(len(left) - len(voice) - pause * SAMPLE_RATE) <= 0.02 * SAMPLE_RATE
    assert len(without_key_tone(voice)) == len(voice)


def test_a_recording_that_is_levelled_already_gets_the_pauses_of_its_text_and_stays_as_loud() -> None:
    known = Packs().get("收到。", "zh")
    assert known
    inside, end = takes.fitted(known, "收到"), takes.fitted(known, "收到。")
    assert len(end.prompt) - len(inside.prompt) > 0.1 * 8000
    assert (
        abs(active_level(to_floats(g711.ulaw_decode(end.prompt))) - active_level(to_floats(g711.ulaw_decode(known))))
        < 0.2
    )
    assert end.doubt is None
    assert takes.fitted(known, "收到。" * 10).doubt is Doubt.SHORT
    assert takes.fitted(b"", "收到。").doubt is Doubt.SILENT
    assert takes.fitted(b"\xff" * 8000, "收到。").prompt == b""
