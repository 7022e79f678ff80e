"""Recognisers that hear what the story says they hear, in the order in which it is said."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from speech.phrases import DISTRESS, match
from speech.recogniser import SAMPLE_RATE, Hypothesis, Request


class ScriptedRecogniser:
    """Stands in for an engine of this name, so that the engine's bar of confidence holds for it."""

    name = "vosk"
    streaming = True

    def __init__(self) -> None:
        self.texts: deque[tuple[str, float]] = deque()
        self.requests: list[Request] = []

    def will_hear(self, *texts: str, confidence: float = 0.95) -> None:
        self.texts.extend((text, confidence) for text in texts)

    def supports(self, request: Request) -> bool:
        return request.mode != "spot"

    def open(self, request: Request) -> _Stream:
        self.requests.append(request)
        return _Stream(self, request)


class _Stream:
    def __init__(self, engine: ScriptedRecogniser, request: Request) -> None:
        self._engine, self._request = engine, request

    def feed(self, pcm: bytes) -> str | None:
        return None

    def finish(self) -> Hypothesis:
        text, confidence = self._engine.texts.popleft() if self._engine.texts else ("", 0.0)
        found = match(text, self._request.phrases)
        meaning = found.meaning if found else None
        return Hypothesis(text, "vosk", confidence, meaning, text if found else None, agreed=found is not None)

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True)
class Said:
    """What a phrase scorer finds in one utterance: `phrase` of `meaning`, known after `after_s` of its audio."""

    meaning: str | None
    phrase: str = ""
    after_s: float = 0.5
    margin: float = 2.0


class ScriptedScorer:
    """Stands in for the phrase scorer: judges answers at pauses, and spots a call for help while it goes on.

    `spots`, `answers`: what the next utterances of each mode hold; nothing when the script is used up.
    """

    name = "phrase-scorer"
    streaming = True

    def __init__(self, *modes: str) -> None:
        self.modes = modes or ("answer", "spot")
        self.spots: deque[Said] = deque()
        self.answers: deque[Said] = deque()
        self.requests: list[Request] = []
        self.seconds: list[float] = []  # audio of each utterance that was understood

    def will_spot(self, phrase: str, after_s: float) -> None:
        self.spots.append(Said(DISTRESS, phrase, after_s))

    def will_hear(self, meaning: str | None, phrase: str = "") -> None:
        self.answers.append(Said(meaning, phrase))

    def supports(self, request: Request) -> bool:
        return request.mode in self.modes

    def open(self, request: Request) -> _ScorerStream:
        self.requests.append(request)
        script = self.spots if request.mode == "spot" else self.answers
        return _ScorerStream(self, request, script.popleft() if script else Said(None))


class _ScorerStream:
    def __init__(self, engine: ScriptedScorer, request: Request, said: Said) -> None:
        self._engine, self._mode, self._said = engine, request.mode, said
        self._seconds = 0.0
        self.decided, self.meaning = False, said.meaning

    @property
    def _known(self) -> bool:
        return self._said.meaning is not None and self._seconds >= self._said.after_s

    def feed(self, pcm: bytes) -> str | None:
        before, self._seconds = self._known, self._seconds + len(pcm) / 2 / SAMPLE_RATE
        return self._said.phrase if self._mode == "spot" and self._known and not before else None

    def pause(self) -> None:
        self.decided = self._known

    def finish(self) -> Hypothesis:
        self._engine.seconds.append(self._seconds)
        said = self._said if self._known else Said(None)
        return Hypothesis(
            said.phrase,
            "phrase-scorer",
            0.9,
            said.meaning,
            said.phrase or None,
            margin=said.margin if said.meaning else None,
            seconds=self._seconds,
            begin_s=0.4 if said.meaning else None,
            end_s=0.9 if said.meaning else None,
        )

    def close(self) -> None:
        """Nothing is held."""
