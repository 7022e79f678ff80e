"""Where an utterance begins and ends: a pure state machine that counts frames, never reads a clock.

Onset needs a run of voiced frames (a click is no speech); the end is silence of the rule's length (PRODUCT.md: 1.2 s
for an answer, 4 s for a dictation), less when the recogniser knows the answer already (`settle`), or the limit (a
television would else hold the line for ever).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from speech.recogniser import FRAME_MS

# Silence after which an answer that is certain already counts as complete. Pauses inside a phrase (a stop's closure, a
# breath between two words) are shorter than 500 ms even in slow speech; 1.2 s is for those who still think.
SETTLED_MS = 600


@dataclass(frozen=True)
class EndpointRules:
    """Times in ms of audio. Onset: `onset_voiced_ms` voiced within the last `onset_window_ms`."""

    silence_ms: int = 1200
    max_ms: int = 15_000
    onset_voiced_ms: int = 120
    onset_window_ms: int = 240
    preroll_ms: int = 400
    # A pause of this length is told on its way: an answer can be judged ahead, a dictation's piece be looked at.
    pause_ms: int = 300

    @classmethod
    def answer(cls, silence_s: float = 1.2) -> EndpointRules:
        return cls(silence_ms=round(silence_s * 1000))

    @classmethod
    def dictation(cls, silence_s: float = 4.0, max_s: float = 180.0) -> EndpointRules:
        return cls(silence_ms=round(silence_s * 1000), max_ms=round(max_s * 1000), pause_ms=700)


@dataclass(frozen=True)
class SpeechStarted:
    """`at_ms`: where the utterance's audio begins (pre-roll included), since the endpointer was made.
    `audio`: the pre-roll and the frames up to now; give it to the recogniser, then every further frame."""

    at_ms: int
    audio: bytes


@dataclass(frozen=True)
class SpeechEnded:
    """`ms` is the length from `SpeechStarted.at_ms`, closing silence included; `voiced_ms` the voiced part of it,
    `silent_ms` the closing silence."""

    at_ms: int
    ms: int
    voiced_ms: int
    reason: Literal["silence", "limit"]
    silent_ms: int = 0

    @property
    def begin_ms(self) -> int:
        """Where its audio begins, since the endpointer was made."""
        return self.at_ms - self.ms


Event = SpeechStarted | SpeechEnded


class Endpointer:
    """Feed it every frame; after an end it waits for the next onset. `detector` says whether a frame is voiced."""

    def __init__(self, rules: EndpointRules, detector: Callable[[bytes], bool]) -> None:
        self.rules = rules
        self._detector = detector
        self._recent: deque[bool] = deque(maxlen=max(1, rules.onset_window_ms // FRAME_MS))
        keep = max(rules.preroll_ms, rules.onset_window_ms) // FRAME_MS
        self._preroll: deque[bytes] = deque(maxlen=max(1, keep))
        self._now_ms = 0
        self._start_ms: int | None = None
        self._last_voiced_ms = 0
        self._voiced_ms = 0
        self._settled_ms: int | None = None

    @property
    def speaking(self) -> bool:
        """Between onset and end."""
        return self._start_ms is not None

    @property
    def elapsed_ms(self) -> int:
        """Audio fed so far."""
        return self._now_ms

    @property
    def voiced_ms(self) -> int:
        """Voiced time of the current utterance, or of the last one."""
        return self._voiced_ms

    @property
    def silent_ms(self) -> int:
        """Time since the last voiced frame."""
        return self._now_ms - self._last_voiced_ms

    def feed(self, frame: bytes, suppressed: bool = False) -> Event | None:
        """Takes one 20 ms frame. `suppressed`: counts as silence whatever it holds (the line's own echo)."""
        voiced = self._detector(frame) and not suppressed
        return self.step(frame, voiced)

    def step(self, frame: bytes, voiced: bool) -> Event | None:
        """As `feed`, with the decision on the frame made by the caller."""
        self._now_ms += FRAME_MS
        if voiced:
            self._last_voiced_ms = self._now_ms
            self._settled_ms = None
        return self._inside(voiced) if self.speaking else self._outside(frame, voiced)

    def _outside(self, frame: bytes, voiced: bool) -> SpeechStarted | None:
        self._preroll.append(frame)
        self._recent.append(voiced)
        run_ms = sum(self._recent) * FRAME_MS
        if not voiced or run_ms < self.rules.onset_voiced_ms:
            return None
        self._start_ms = self._now_ms - len(self._preroll) * FRAME_MS
        self._voiced_ms = run_ms
        audio = b"".join(self._preroll)
        self._preroll.clear()
        self._recent.clear()
        return SpeechStarted(self._start_ms, audio)

    def settle(self, ms: int = SETTLED_MS) -> None:
        """What is being said is understood: `ms` of silence (counted from its last voiced frame) end it, if the rule
        doesn't end it sooner. Whoever goes on speaking undoes this; told to nobody who speaks it does nothing."""
        if self.speaking:
            self._settled_ms = ms

    def _inside(self, voiced: bool) -> SpeechEnded | None:
        self._voiced_ms += FRAME_MS * voiced
        patience = self.rules.silence_ms if self._settled_ms is None else min(self._settled_ms, self.rules.silence_ms)
        if self.silent_ms >= patience:
            return self._end("silence")
        if self._start_ms is not None and self._now_ms - self._start_ms >= self.rules.max_ms:
            return self._end("limit")
        return None

    def finish(self) -> SpeechEnded | None:
        """Ends an utterance that is under way (key pressed, wait over); None when nobody speaks."""
        return self._end("limit") if self.speaking else None

    def _end(self, reason: Literal["silence", "limit"]) -> SpeechEnded:
        start = self._start_ms or 0
        self._start_ms = self._settled_ms = None
        return SpeechEnded(self._now_ms, self._now_ms - start, self._voiced_ms, reason, self.silent_ms)
