"""G.711: known values, and what a round trip may lose."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from speech import g711


def pcm(*samples: int) -> bytes:
    return struct.pack(f"<{len(samples)}h", *samples)


def test_silence_has_its_own_byte() -> None:
    assert g711.ulaw_encode(pcm(0)) == g711.ULAW_SILENCE
    assert g711.alaw_encode(pcm(0)) == g711.ALAW_SILENCE
    assert g711.ulaw_decode(g711.ULAW_SILENCE) == pcm(0)


@pytest.mark.parametrize(("code", "sample"), [(0x80, 32124), (0x00, -32124), (0xFF, 0), (0xFE, 8), (0x7E, -8)])
def test_mu_law_values_of_the_standard(code: int, sample: int) -> None:
    assert g711.ulaw_decode(bytes([code])) == pcm(sample)


@pytest.mark.parametrize(
    ("encode", "decode"), [(g711.ulaw_encode, g711.ulaw_decode), (g711.alaw_encode, g711.alaw_decode)]
)
def test_a_code_survives_decoding_and_encoding(encode: object, decode: object) -> None:
    codes = bytes(range(256))
    again = encode(decode(codes))  # type: ignore[operator]
    # μ-law has two zeros; everything else comes back as it was.
    assert [a for a, b in zip(codes, again, strict=True) if a != b] in ([], [0x7F])


def test_a_round_trip_keeps_speech_within_quantisation_noise() -> None:
    tone = (8000 * np.sin(np.arange(8000) * 2 * np.pi * 440 / 8000)).astype("<i2")
    back = np.frombuffer(g711.ulaw_decode(g711.ulaw_encode(tone.tobytes())), "<i2")
    lost = np.mean((back.astype(float) - tone) ** 2) / np.mean(tone.astype(float) ** 2)
    assert 10 * np.log10(lost) < -35


def test_level() -> None:
    assert g711.rms(b"") == 0
    assert g711.rms(pcm(100, -100, 100, -100)) == 100
