"""Who speaks a text now: the places of `prompts.Prompts`, asked in the same order, without its audio.

Every call looks at the disk or waits for whoever does: ask from a thread.
"""

from __future__ import annotations

import threading
from enum import StrEnum
from pathlib import Path

from speech import figures
from speech.human import HumanRecordings
from speech.pack import Packs


class Speaker(StrEnum):
    """`PERSON`: a recording; `PACK`: rendered, shipped with the program; `SYNTHESISER`: whatever is left (what is
    rendered is kept)."""

    PERSON = "person"
    PACK = "pack"
    SYNTHESISER = "synthesiser"


class Voices:
    """`human`: the folder of recordings. Safe in any thread."""

    def __init__(self, human: Path, packs: Packs) -> None:
        self._human, self._packs = HumanRecordings(human), packs
        self._rendered = frozenset(packs.texts("zh"))
        self._one = threading.Lock()

    def recorded(self, text: str, language: str) -> bool:
        """Whether a person has recorded it in this language."""
        with self._one:
            return self._human.has(text, language)

    def speaker(self, text: str) -> Speaker:
        """In Mandarin; Shanghainese has people, and what speaks Mandarin."""
        if self.recorded(text, "zh"):
            return Speaker.PERSON
        joined = text not in self._rendered and figures.joined(text, self._figure) is not None
        return Speaker.PACK if joined or text in self._rendered else Speaker.SYNTHESISER

    def rendered(self, text: str) -> bytes | None:
        """As the pack speaks it."""
        with self._one:
            return self._packs.get(text, "zh")

    def _figure(self, figure: str) -> bytes | None:
        return b"" if figure in self._rendered or self.recorded(figure, "zh") else None
