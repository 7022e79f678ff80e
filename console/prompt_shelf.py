"""The line's sentences and who speaks them: what the pages of prompts read and change. The telephone's desk
(console/prompt_desk.py) publishes by the same `Published`. All but `spoken` waits for the disk: ask from a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

from callflows import loader
from callflows.flow import Flow
from callflows.samples import SAMPLES
from console import sentences
from console.prompt_uses import Whole, wholes
from console.sentences import Sentence, Sentences
from speech.human import sentence_key
from speech.pack import Packs
from speech.published import PUBLISH, Entry, Published, standing
from speech.voices import Speaker, Voices

COMMITTEE = "committee"  # the variable whose value is a sentence of this line's own
LANGUAGES = ("zh", "wuu")


class Voice(Protocol):
    """The line's prompts (speech.prompts.Prompts)."""

    @property
    def packs(self) -> Packs: ...

    async def get(self, text: str, language: str = "zh") -> bytes: ...


@dataclass(frozen=True)
class Line:
    """A sentence, who speaks its Mandarin, and whether a person speaks it in Shanghainese."""

    sentence: Sentence
    mandarin: Speaker
    shanghainese: bool

    def recorded(self, language: str) -> bool:
        return self.shanghainese if language == "wuu" else self.mandarin is Speaker.PERSON


@dataclass(frozen=True)
class Version:
    """A take that was published once. `state`: "now", "former" (played again when the one after it is taken back) or
    "withdrawn"."""

    take: str
    at: str
    by: str = field(repr=False)
    state: str = "now"


class Shelf:
    """`folder`: of recordings by people; `voice`: the line's own."""

    def __init__(self, folder: Path, voice: Voice, shipped: Callable[[], Sentences] = sentences.shipped) -> None:
        self.voice, self.published = voice, Published(folder)
        self._voices = Voices(folder, voice.packs)
        self._shipped = cache(shipped)

    def sentences(self, committees: Sequence[str] = ()) -> Sentences:
        """`committees`: as they are spoken."""
        return sentences.with_names(self._shipped(), COMMITTEE, committees, _flows()) if committees else self._shipped()

    def lines(self, found: Sequence[Sentence]) -> list[Line]:
        return [self.line(one) for one in found]

    def line(self, one: Sentence) -> Line:
        return Line(one, self._voices.speaker(one.text), self._voices.recorded(one.spoken("wuu"), "wuu"))

    def after(self, known: Sentences, one: Sentence, language: str) -> Sentence | None:
        """The next one that nobody has recorded in this language, round to the beginning."""
        return known.next_after(one.number, lambda other: not self._voices.recorded(other.spoken(language), language))

    def wholes(self, sentence: Sentence, committees: Sequence[str]) -> tuple[Whole, ...]:
        own = sentence_key(sentence.text) in map(sentence_key, committees)
        return wholes(sentence, _flows(), COMMITTEE if own else "")

    def rendered(self, sentence: Sentence) -> bytes | None:
        """As the pack speaks it."""
        return self._voices.rendered(sentence.text)

    def versions(self, sentence: Sentence, language: str) -> list[Version]:
        """The newest first."""
        history = [one for one in self.published.history() if one.key == _key(sentence, language)]
        stack = [one.take for one in standing(history).get(_key(sentence, language), ())]
        states = {take: "former" for take in stack[:-1]} | {take: "now" for take in stack[-1:]}
        takes = [one for one in history if one.act == PUBLISH]
        return [Version(one.take, one.at, one.by, states.get(one.take, "withdrawn")) for one in reversed(takes)]

    def take(self, sentence: Sentence, language: str, name: str) -> bytes | None:
        """A take of this sentence that was published once."""
        known = any(one.take == name for one in self.versions(sentence, language))
        return self.published.audio(language, name) if known else None

    def history(self, sentence: Sentence) -> list[Entry]:
        """What was done with it in any language, the newest first."""
        keys = {_key(sentence, language) for language in LANGUAGES}
        return [one for one in reversed(self.published.history()) if one.key in keys]

    async def spoken(self, whole: Whole, language: str, instead: bytes | None, committee: str) -> bytes:
        """The whole prompt as the line says it, with samples in the variables' places; `instead`: what is to be heard
        in the place of the sentence."""
        values: Mapping[str, str] = SAMPLES | ({COMMITTEE: committee} if committee else {})
        audio = []
        for one in whole.pieces:
            if one.here and instead is not None:
                audio.append(instead)
            else:
                text = values.get(one.bit.text, "") if one.bit.variable else one.bit.text
                audio.append(await self.voice.get(text, language) if text else b"")
        return b"".join(audio)


def _key(sentence: Sentence, language: str) -> tuple[str, str]:
    return language, sentence_key(sentence.spoken(language))


@cache
def _flows() -> tuple[Flow, ...]:
    return tuple(loader.shipped(name) for name in sentences.by_rank(loader.shipped_names()))
