"""Sentences of a natural voice as answers: 8 kHz μ-law, cut before the first and after the last sound."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from speech import g711
from speech.prompts import Prompts

FRAME_BYTES = 160
LOUD = 300  # root mean square of a frame that is no breath


SAID = ("您多保重,再会。", "好的,谢谢您告诉我们。", "收到。")  # of the prompt pack; the menu has none of them


@cache
def words(text: str = SAID[0]) -> bytes:
    audio = Prompts(cache=Path("/nonexistent")).find(text)
    assert audio, f"the prompt pack lacks {text}"
    return trimmed(audio)


def trimmed(audio: bytes) -> bytes:
    """From the first to the last frame that is a sound."""
    pieces = [audio[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\xff") for at in range(0, len(audio), FRAME_BYTES)]
    loud = [at for at, piece in enumerate(pieces) if g711.rms(g711.ulaw_decode(piece)) >= LOUD]
    return b"".join(pieces[loud[0] : loud[-1] + 1])
