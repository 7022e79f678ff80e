"""Sample rates: pitch stays, length scales, and pieces joined equal the whole."""

from __future__ import annotations

import numpy as np

from speech.resample import Resampler, from_floats, resample, to_floats


def tone(hz: float, rate: int, seconds: float = 1.0) -> bytes:
    return from_floats(0.3 * np.sin(np.arange(round(rate * seconds)) * 2 * np.pi * hz / rate))


def loudest_hz(pcm: bytes, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(to_floats(pcm)))
    return float(np.argmax(spectrum)) * rate / (len(pcm) / 2)


def test_the_same_rate_is_the_same_audio() -> None:
    assert resample(tone(440, 8000), 8000, 8000) == tone(440, 8000)
    assert resample(b"", 8000, 16000) == b""


def test_pitch_and_length_stay() -> None:
    up = resample(tone(440, 8000), 8000, 16000)
    assert len(up) == 2 * 16000
    assert abs(loudest_hz(up, 16000) - 440) < 2


def test_what_8_khz_cannot_carry_is_taken_out_not_folded_down() -> None:
    down = resample(tone(5000, 16000), 16000, 8000)
    assert np.abs(to_floats(down)[400:-400]).max() < 0.003


def test_pieces_joined_equal_the_whole() -> None:
    whole, stream = tone(300, 8000, 0.5), Resampler(8000, 16000)
    pieces = [whole[at : at + 322] for at in range(0, len(whole), 322)]
    joined = b"".join(stream.feed(piece) for piece in pieces) + stream.feed(b"", last=True)
    assert len(joined) == 2 * len(whole)
    difference = to_floats(joined) - to_floats(resample(whole, 8000, 16000))
    assert np.abs(difference).max() < 1e-3


def test_full_scale_is_clipped_not_wrapped() -> None:
    assert from_floats(np.array([2.0, -2.0])) == from_floats(np.array([32767 / 32768, -1.0]))
