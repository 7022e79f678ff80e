"""What every recogniser offers. Engines are plug-ins behind these protocols; one model in memory serves all calls.

Audio is 16-bit little-endian mono PCM at 8 kHz everywhere inside the house; an engine that wants 16 kHz
resamples itself. All methods may block: they run in worker threads (speech.ears), never on the event loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

SAMPLE_RATE = 8000
FRAME_MS = 20
FRAME_SAMPLES = SAMPLE_RATE * FRAME_MS // 1000  # 160 samples; 160 bytes μ-law, 320 bytes PCM

Mode = Literal["answer", "dictation", "spot"]


@dataclass(frozen=True)
class Request:
    """What may be said now. `phrases`: meaning → ways to say it (empty for dictation).

    Distress phrases are always among them under the meaning "distress". Mode "spot": only these phrases are looked
    for, anywhere in running speech; `feed` returns a phrase as soon as it was found.
    """

    mode: Mode
    phrases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    language: str = "zh"  # "zh" Mandarin, "wuu" Shanghainese


@dataclass(frozen=True)
class Word:
    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True)
class Hypothesis:
    """What an engine made of one utterance.

    `phrase`/`meaning` are set when one of the request's phrases was recognised, else None (no-match).
    `confidence` 0..1 is the engine's own; `margin` (nats, None if unknown) is its lead over whatever else may have
    been said: phrase-scorer, per token, over the open decoding; whisper, of the meaning over all other hypotheses
    together. `agreed` says that a free decoding without the menu gave the same meaning
    (None: none was made). `alike`: something else that may be said now sounds like this call for help. `text` is the
    free text where there is one, else the phrase.
    Silence and noise give empty text, never an invented sentence.
    """

    text: str
    engine: str
    confidence: float
    meaning: str | None = None
    phrase: str | None = None
    margin: float | None = None
    agreed: bool | None = None
    alike: bool = False
    words: tuple[Word, ...] = ()
    seconds: float = 0.0  # audio length
    begin_s: float | None = None  # where the words begin and end in the utterance's audio, if the engine knows
    end_s: float | None = None
    work_s: float = 0.0  # time the engine spent after the last audio


class Stream(Protocol):
    """One utterance being recognised."""

    def feed(self, pcm: bytes) -> str | None:
        """Takes any amount of audio; returns the partial text when it changed and the engine streams."""
        ...

    def finish(self) -> Hypothesis:
        """The final result; the stream is unusable afterwards."""
        ...

    def close(self) -> None:
        """Drops the stream without a result. Idempotent."""
        ...


class Recogniser(Protocol):
    """An engine with its model loaded."""

    name: str
    streaming: bool  # True: works while audio comes; False: works at finish()

    def supports(self, request: Request) -> bool:
        """Whether this engine can serve the request at all (language, mode)."""
        ...

    def open(self, request: Request) -> Stream: ...
