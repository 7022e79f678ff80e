"""Numbers that are said figure by figure (编号一零零七, 幺三八,零零零零,幺二三四): joined out of single figures of the
prompt pack or of people's recordings, so that the voice stays the same and nothing is synthesised in a call. Pure.
"""

from __future__ import annotations

from collections.abc import Callable

from speech import g711
from speech.loudness import PAUSES_MS
from speech.recogniser import SAMPLE_RATE

FIGURES = tuple("零幺一二三四五六七八九")
COMMAS = ",\uff0c、"
LEAST = 3  # 三 or 十二 alone is a word like any other
BETWEEN_MS = 90  # a figure is never run into the next one


def joined(text: str, find: Callable[[str], bytes | None]) -> bytes | None:
    """The number as 8 kHz μ-law; `find` gives one figure. None: `text` is no such number, or a figure is missing."""
    parts = text.strip().rstrip("。.")
    if sum(each in FIGURES for each in parts) < LEAST or not set(parts) <= {*FIGURES, *COMMAS}:
        return None
    audio = [find(each) if each in FIGURES else silence(PAUSES_MS[","]) for each in parts]
    if any(each is None for each in audio):
        return None
    return silence(BETWEEN_MS).join(each for each in audio if each is not None)


def silence(ms: int) -> bytes:
    return g711.ULAW_SILENCE * (ms * SAMPLE_RATE // 1000)
