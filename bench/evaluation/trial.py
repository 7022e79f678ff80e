"""One clip in one condition, offered to one engine with one or several requests: what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.evaluation import engines
from bench.evaluation.conditions import CONDITIONS, TAIL_S, arrive
from bench.evaluation.folder import Recording
from speech import phrases
from speech.endpoint import EndpointRules
from speech.interpret import interpret
from speech.phrases import DISTRESS
from speech.recogniser import SAMPLE_RATE, Hypothesis, Mode, Recogniser, Request, Stream

PAUSE_S = EndpointRules.answer().pause_ms / 1000
PIECE = 2 * SAMPLE_RATE // 10  # bytes: a stream is fed as it would be on the line, 100 ms at a time


@dataclass(frozen=True)
class Ask:
    """`menu`: the name of what is open. `expected`: the right meaning; None: none of it was said."""

    menu: str
    expected: str | None = None


@dataclass(frozen=True)
class Task:
    """Audio comes either from a recording, sent through `condition`, or is ready (`pcm`, 8 kHz, condition done)."""

    kind: str
    language: str
    text: str
    condition: str
    asks: tuple[Ask, ...]
    recording: Recording | None = None
    pcm: bytes = b""
    group: str = ""  # utterances of one trial that count once

    def audio(self) -> bytes:
        if self.recording is None:
            return self.pcm
        samples, rate = self.recording.read()
        return arrive(samples, rate, CONDITIONS[self.condition], self.recording.file.name)


@dataclass(frozen=True)
class Outcome:
    """`meaning`, `certain`: what the line would make of it (speech.interpret). `choice`: what the engine holds most
    probable, whether it is sure enough or not. `error`: the engine raised."""

    engine: str
    kind: str
    language: str
    text: str
    condition: str
    menu: str
    expected: str | None
    meaning: str | None = None
    certain: bool = False
    choice: str | None = None
    phrase: str | None = None
    heard: str = ""
    confidence: float = 0.0
    margin: float | None = None
    seconds: float = 0.0
    work_s: float = 0.0  # all of the engine's work
    latency_s: float = 0.0  # from the end of the audio to the result
    group: str = ""
    error: str = ""
    fresh: bool = True  # False: the engine may have decoded this audio before, so its times mean nothing

    @property
    def accepted(self) -> bool:
        return self.meaning is not None

    @property
    def right(self) -> bool:
        """The engine's choice, sure or not."""
        return self.expected is not None and self.choice == self.expected

    @property
    def understood(self) -> bool:
        """What the line makes of it."""
        return self.expected is not None and self.meaning == self.expected

    @property
    def syllables(self) -> int:
        return len(phrases.normalise(self.text))


@dataclass(frozen=True)
class Machine:
    """What the engine takes. `why` when it can't be had."""

    engine: str
    why: str = ""
    load_mb: float = 0.0
    stream_mb: float = 0.0
    modes: frozenset[tuple[Mode, str]] = field(default_factory=frozenset)  # (mode, language) that it serves


MODES: tuple[Mode, ...] = ("answer", "dictation", "spot")
LANGUAGES = ("zh", "wuu")


class Judge:
    """An engine in memory and everything that may be open. Lives in one process."""

    def __init__(self, name: str, models: Path, menus: Mapping[str, Request]) -> None:
        before = engines.resident_mb()
        self._engine, why = engines.make(name, models)
        loaded = max(0.0, engines.resident_mb() - before)
        self._menus, self._name = menus, name
        self.machine = Machine(name, why)
        if self._engine is not None:
            self.machine = self._measured(self._engine, loaded)
            engines.decode_once(self._engine)

    def _measured(self, engine: Recogniser, loaded: float) -> Machine:
        asked = [Request(mode, {DISTRESS: ["救命"]}, language) for mode in MODES for language in LANGUAGES]
        modes = frozenset((one.mode, one.language) for one in asked if engine.supports(one))
        request = next((one for one in self._menus.values() if engine.supports(one)), None)
        try:
            each = engines.stream_mb(engine, request) if request else 0.0
        except Exception:  # then its outcomes will say so, one by one
            each = 0.0
        return Machine(self._name, "", loaded, each, modes)

    def outcomes(self, task: Task) -> list[Outcome]:
        """One outcome for each ask that the engine serves. OSError, RuntimeError, ValueError: no such audio."""
        engine = self._engine
        assert engine is not None, "an engine that could not be made judges nothing"
        asks = [ask for ask in task.asks if engine.supports(self._request(ask, task.language))]
        pcm = task.audio() if asks else b""
        modes = [self._menus[ask.menu].mode for ask in asks]
        return [
            replace(self._outcome(engine, task, ask, pcm), fresh=modes[at] not in modes[:at])
            for at, ask in enumerate(asks)
        ]

    def _request(self, ask: Ask, language: str) -> Request:
        menu = self._menus[ask.menu]
        return Request(menu.mode, menu.phrases, language if language in LANGUAGES else "zh")

    def _outcome(self, engine: Recogniser, task: Task, ask: Ask, pcm: bytes) -> Outcome:
        request = self._request(ask, task.language)
        if not pcm:  # the line's ear let nothing through
            return _outcome(self._name, task, ask)
        try:
            found, hypothesis, work_s, latency_s = listen(engine.open(request), pcm, pauses=request.mode == "answer")
        except Exception as error:
            return _outcome(self._name, task, ask, error=f"{type(error).__name__}: {error}")
        told = interpret(hypothesis, request)
        meaning = DISTRESS if request.mode == "spot" and found else told.meaning
        return _outcome(
            self._name,
            task,
            ask,
            meaning=meaning,
            certain=told.certain,
            choice=hypothesis.meaning or meaning,
            phrase=hypothesis.phrase or told.phrase,
            heard=hypothesis.text or found,
            confidence=hypothesis.confidence,
            margin=hypothesis.margin,
            seconds=len(pcm) / (2 * SAMPLE_RATE),
            work_s=work_s,
            latency_s=latency_s,
        )


def _outcome(engine: str, task: Task, ask: Ask, **more: object) -> Outcome:
    return Outcome(
        engine,
        task.kind,
        task.language,
        task.text,
        task.condition,
        ask.menu,
        ask.expected,
        group=task.group,
        **more,  # type: ignore[arg-type]
    )


def listen(stream: Stream, pcm: bytes, *, pauses: bool = False) -> tuple[str, Hypothesis, float, float]:
    """The last partial text, the result, all the time it took, and the time after the last audio.

    `pauses`: as in an answer, a stream that wants to know is told of the pause after the words (its `pause`) and does
    not get the silence after that, which the line keeps back, too (ivr.utterances).
    """
    begin, partial, fed = time.perf_counter(), "", 0
    pause = getattr(stream, "pause", None) if pauses else None
    paused_at = len(pcm) - 2 * round((TAIL_S - PAUSE_S) * SAMPLE_RATE)
    try:
        for piece in _pieces(pcm):
            partial = stream.feed(piece) or partial
            fed += len(piece)
            if pause and fed >= paused_at:
                partial = pause() or partial
                break
        ended = time.perf_counter()
        hypothesis = stream.finish()
    finally:
        stream.close()
    done = time.perf_counter()
    return partial, hypothesis, done - begin, done - ended


def _pieces(pcm: bytes) -> Iterator[bytes]:
    return (pcm[at : at + PIECE] for at in range(0, len(pcm), PIECE))
