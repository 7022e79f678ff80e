"""What comes of a recording made in a browser: what can be used, and what is said of it."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import pytest

from demo import clips as demo_clips
from speech import g711
from speech.clips import clip
from speech.human import Unreadable
from speech.loudness import TARGET_DBOV, active_level
from speech.recogniser import SAMPLE_RATE
from speech.resample import Floats, from_floats, resample_floats, to_floats
from speech.takes import Doubt

RATE, MOST_S = 48_000, 180.0


def voice() -> Floats:
    said = to_floats(g711.ulaw_decode(demo_clips.load()("zm_yunxi/tell_dizzy")))
    return resample_floats(said, SAMPLE_RATE, RATE)


def wav(samples: Floats, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(from_floats(samples))
    return file.getvalue()


def at(dbov: float) -> Floats:
    said = voice()
    level = active_level(resample_floats(said, RATE, SAMPLE_RATE))
    return np.asarray(said * 10 ** ((dbov - level) / 20), np.float32)


@pytest.mark.parametrize("dbov", [-40.0, -26.0, -18.0])
def test_a_voice_is_brought_to_the_loudness_of_all_prompts(dbov: float) -> None:
    made = clip(wav(at(dbov)), MOST_S)
    assert made.doubt is None
    assert abs(active_level(to_floats(g711.ulaw_decode(made.audio))) - TARGET_DBOV) < 1.5


def test_what_is_doubtful_can_be_used_and_is_told() -> None:
    assert clip(wav(at(-46.0)), MOST_S).doubt is Doubt.QUIET
    cut = np.asarray(np.clip(at(-2.0), -0.99, 0.99), np.float32)
    assert clip(wav(cut), MOST_S).doubt is Doubt.CLIPPED
    assert clip(wav(cut), MOST_S).audio


def test_nobody_speaks_in_silence_hiss_or_a_knock() -> None:
    noise = np.asarray(np.random.default_rng(1).normal(0, 0.003, 3 * RATE), np.float32)
    knock = np.zeros(3 * RATE, np.float32)
    knock[RATE : RATE + 500] = 0.5
    for sound in (np.zeros(RATE, np.float32), noise, knock, np.zeros(0, np.float32)):
        made = clip(wav(sound), MOST_S)
        assert (made.audio, made.doubt) == (b"", Doubt.SILENT)


def test_what_is_too_long_is_told_before_it_is_looked_into() -> None:
    made = clip(wav(np.zeros(181 * 8000, np.float32), 8000), MOST_S)
    assert (made.audio, made.doubt) == (b"", Doubt.LONG)


def test_a_recorder_may_leave_the_length_open() -> None:
    file = bytearray(wav(voice()))
    file[4:8] = file[40:44] = b"\xff\xff\xff\xff"
    assert clip(bytes(file), MOST_S).doubt is None


def header(channels: int = 1, rate: int = 8000, bits: int = 16, form: int = 1, size: int = 0) -> bytes:
    width = channels * bits // 8
    fields = struct.pack("<IHHIIHH", 16, form, channels, rate, rate * width % 2**32, width % 2**16, bits)
    return b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + fields + b"data" + struct.pack("<I", size)


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"RIFF",
        b"ID3\x04" + b"\x00" * 400,
        header(channels=0) + b"\x00" * 100,
        header(rate=0) + b"\x00" * 100,
        header(rate=2**32 - 1) + b"\x00" * 100,
        header(bits=0) + b"\x00" * 100,
        header(bits=64) + b"\x00" * 800,
        header(form=3, bits=32) + b"\x00" * 800,
        b"RIFF" + b"\xff" * 8 + b"WAVE" + b"LIST" + b"\xff\xff\xff\x7f" + b"\x00" * 50,
    ],
)
def test_what_is_no_wav_is_refused(file: bytes) -> None:
    with pytest.raises(Unreadable):
        clip(file, MOST_S)


def test_a_header_that_promises_gigabytes_costs_nothing() -> None:
    for lying in (header(size=2**31 - 1), header(channels=65_535, size=2**31 - 1)):
        assert clip(lying + b"\x00" * 100, MOST_S).audio == b""
