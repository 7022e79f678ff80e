"""Recognition beside the event loop: utterances are fed from the loop, recognised in worker threads, in engine order.

An utterance is worked on by one thread at a time, a turn each, so its audio keeps its order and several utterances
progress together. An engine that raises or hangs costs a fall-back to the next one, which gets all the audio again;
only when none is left the utterance fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from types import MappingProxyType

from speech.catalogue import CATALOGUE
from speech.engines import vosk_engine, whisper_engine
from speech.interpret import Interpretation, interpret
from speech.phrases import DISTRESS
from speech.recogniser import SAMPLE_RATE, Hypothesis, Recogniser, Request, Stream, Word
from speech.workers import Workers

log = logging.getLogger(__name__)

ORDER = ("phrase-scorer", "vosk", "whisper")  # unknown engines come last
MAX_AUDIO_S = 240  # a dictation ends at 180 s; whatever comes after this is not recognised (the recording has it)
# One turn with an engine may take so long; then it counts as hung. An elder waits for the turn of an answer.
HANG_S = MappingProxyType({"answer": 12.0, "dictation": 60.0, "spot": 12.0})
URGENCY = MappingProxyType({"answer": 0, "spot": 0, "dictation": 1})

Partial = Callable[[str], None]


class EarFailed(Exception):  # noqa: N818
    """No engine could recognise this utterance. The message is one sentence for the call's log."""


@dataclass(frozen=True)
class EngineStatus:
    """`why`: one sentence; when not ready, with what to do."""

    name: str
    ready: bool
    why: str


class Ears:
    """All recognition of the process. Made once; `open` an ear for every utterance, in the event loop's thread.

    `hang_s`: overrides how long one turn with an engine may take (tests).
    """

    def __init__(
        self,
        recognisers: Sequence[Recogniser],
        *,
        workers: int = 2,
        status: Sequence[EngineStatus] = (),
        hang_s: float | None = None,
    ) -> None:
        self._engines = sorted(recognisers, key=lambda engine: _rank(engine.name))
        self._status = {one.name: one for one in status}
        self._workers = Workers(workers)
        self._hang_s = hang_s
        self._busy: set[Ear] = set()
        self._stuck: set[str] = set()

    def can(self, request: Request) -> bool:
        """Whether any engine can serve the request."""
        return bool(self._for(request))

    def open(self, request: Request, on_partial: Partial | None = None) -> Ear:
        """A new utterance. `on_partial` is called in the loop's thread with the whole text so far."""
        return Ear(self, self._for(request), request, on_partial)

    @property
    def idle(self) -> bool:
        """No audio waits and no utterance is being recognised."""
        return not self._busy

    def status(self) -> tuple[EngineStatus, ...]:
        """What each engine can do now, in engine order."""
        made = {engine.name: EngineStatus(engine.name, True, "ready") for engine in self._engines}
        known = made | self._status
        for name in self._stuck & known.keys():
            known[name] = EngineStatus(name, False, "hangs in an utterance; the others go on (restart if it stays)")
        return tuple(sorted(known.values(), key=lambda one: _rank(one.name)))

    def close(self) -> None:
        """Ends the threads. Utterances that are still open fail."""
        self._workers.close()
        for ear in list(self._busy):
            ear.close()

    def _for(self, request: Request) -> list[Recogniser]:
        return [one for one in self._engines if one.name not in self._stuck and one.supports(request)]


def _rank(name: str) -> tuple[int, str]:
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


def load_ears(models_dir: Path, *, workers: int, whisper_threads: int) -> Ears:
    """Ears with the engines whose weights are in `models_dir`; the status says of every other one what to do.

    Blocking (seconds, while weights are read). Without any weights the line goes on by keys and recording.
    """
    engines: list[Recogniser] = []
    status = []
    for name in dict.fromkeys(weights.engine for weights in CATALOGUE):
        engine, why = make_engine(name, models_dir, workers=workers, threads=whisper_threads)
        engines += [engine] if engine else []
        status.append(EngineStatus(name, engine is not None, why))
    if not engines:
        log.warning("no recogniser: the line works by keys and recordings (python server.py models pull)")
    return Ears(engines, workers=workers, status=status)


def make_engine(name: str, models_dir: Path, *, workers: int, threads: int) -> tuple[Recogniser | None, str]:
    """The engine with its weights loaded, or None; and one sentence on it. `threads`: per utterance, for whisper."""
    makers: dict[str, Callable[[Path], Recogniser]] = {
        "vosk": vosk_engine.VoskRecogniser,
        "whisper": lambda folder: whisper_engine.WhisperRecogniser(folder, workers=workers, threads=threads),
    }
    weights = next((one for one in CATALOGUE if one.engine == name), None)
    if weights is None or name not in makers:
        return None, f"no such engine; known are {', '.join(makers)}"
    folder = models_dir / weights.name
    if not folder.is_dir():
        return None, f"no weights: python server.py models pull {weights.name}"
    try:
        return makers[name](folder), f"ready, with {weights.name}"
    except ImportError as error:
        return None, f"the package {error.name} is missing: run make setup"
    except Exception as error:  # whatever the engine's library throws at weights that it can't read
        log.warning("%s can't be loaded: %s", weights.name, type(error).__name__)
        return None, f"the weights in {folder} can't be loaded: python server.py models verify, then models pull"


class Ear:
    """One utterance. Audio is 8 kHz PCM. All methods belong to the event loop's thread and never block it."""

    def __init__(self, ears: Ears, engines: Sequence[Recogniser], request: Request, on_partial: Partial | None) -> None:
        self._ears, self._request, self._on_partial = ears, request, on_partial
        self._left = list(engines)
        self._loop = asyncio.get_running_loop()
        self._result: asyncio.Future[Hypothesis | EarFailed] = self._loop.create_future()
        self._lock = Lock()  # guards what the loop and a worker both touch: everything below
        self._audio = bytearray()
        self._pause_at = 0
        self._finishing_at: float | None = None
        self._queued = False
        self._closed = False
        self._attempt: _Attempt | None = None
        self._why: list[str] = []
        self._next_engine()

    def feed(self, pcm: bytes) -> None:
        """More audio of the utterance."""
        with self._lock:
            if self._closed or self._finishing_at is not None or len(self._audio) >= MAX_AUDIO_S * SAMPLE_RATE * 2:
                return
            self._audio += pcm
            if self._attempt and self._attempt.streaming:
                self._wake()

    def pause(self) -> None:
        """A pause was heard in a dictation: an engine that doesn't stream recognises the piece up to here."""
        with self._lock:
            if self._closed or self._finishing_at is not None:
                return
            self._pause_at = len(self._audio)
            if self._attempt and not self._attempt.streaming:
                self._wake()

    async def finish(self) -> Interpretation:
        """The whole utterance, understood. Raises EarFailed when no engine could recognise it."""
        with self._lock:
            if self._closed:
                raise EarFailed("the utterance was closed")
            if self._finishing_at is None:
                self._finishing_at = time.monotonic()
                self._wake()
        if self._attempt is None and not self._result.done():
            self._fail()
        heard = await asyncio.shield(self._result)
        if isinstance(heard, EarFailed):
            raise heard
        told = interpret(heard, self._request)
        if self._request.mode == "dictation" and told.meaning != DISTRESS:
            return replace(told, meaning=None, certain=False, phrase=None, reason="")
        return told

    def close(self) -> None:
        """Drops the utterance; a turn under way ends unheard. Idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            attempt, self._attempt = self._attempt, None
            queued = self._queued
        self._ears._busy.discard(self)
        if attempt and not queued:
            attempt.drop()
        if not self._result.done():
            self._result.set_result(EarFailed("the utterance was closed"))

    # ── turns: in a worker's thread, one at a time ────────────────────────────────────────────────

    def _wake(self) -> None:
        """Asks for a turn. With the lock held, in the loop's thread or a worker's."""
        if self._queued or self._closed or self._attempt is None:
            return
        self._queued = True
        self._ears._busy.add(self)
        limit = self._ears._hang_s or HANG_S[self._request.mode]
        attempt = self._attempt
        self._ears._workers.put(
            URGENCY[self._request.mode], lambda: self._turn(attempt), lambda: self._hung(attempt), limit
        )

    def _turn(self, attempt: _Attempt) -> None:
        with self._lock:
            if self._attempt is not attempt:
                attempt.drop()
                return
            pause, ending = self._pause_at > attempt.paused, self._finishing_at is not None
            # Pieces are cut at the pause, not where the talk has got to meanwhile.
            upto = len(self._audio) if ending or attempt.streaming else self._pause_at
            piece = bytes(memoryview(self._audio)[attempt.taken : upto])
        try:
            told = attempt.work(piece, pause=pause, ending=ending)
        except Exception as error:
            kind = type(error).__name__
            log.warning("%s failed in an utterance (%s); the next engine takes over", attempt.name, kind)
            self._over(attempt, f"{attempt.name}: {error or kind}")
            return
        self._after(attempt, upto, told)

    def _after(self, attempt: _Attempt, upto: int, told: str | Hypothesis | None) -> None:
        """The turn went well. Anything that came meanwhile makes another turn."""
        self._ears._stuck.discard(attempt.name)
        with self._lock:
            if self._attempt is not attempt:
                attempt.drop()
                return
            self._queued = False
            attempt.taken = upto
            attempt.paused = min(self._pause_at, upto)
            more = not isinstance(told, Hypothesis) and self._unfinished(attempt)
            if more:
                self._wake()
            elif not isinstance(told, Hypothesis):
                self._ears._busy.discard(self)
        if isinstance(told, Hypothesis):
            self._tell(self._done, replace(told, work_s=time.monotonic() - (self._finishing_at or 0.0)))
        elif told is not None:
            self._tell(self._partial, told)

    def _unfinished(self, attempt: _Attempt) -> bool:
        if self._finishing_at is not None or self._pause_at > attempt.paused:
            return True
        return attempt.streaming and len(self._audio) > attempt.taken

    def _hung(self, attempt: _Attempt) -> None:
        self._ears._stuck.add(attempt.name)
        log.error("%s hangs in an utterance; the next engine takes over", attempt.name)
        self._over(attempt, f"{attempt.name}: took too long")

    def _over(self, attempt: _Attempt, why: str) -> None:
        """This engine is out; the next one gets everything from the start."""
        with self._lock:
            if self._attempt is not attempt:
                return
            self._queued = False
            self._why.append(why)
            self._next_engine()
            if self._attempt and (self._finishing_at is not None or self._attempt.streaming or self._pause_at):
                self._wake()
            elif self._attempt is None:
                self._tell(self._fail)
            else:
                self._ears._busy.discard(self)

    def _next_engine(self) -> None:
        engine = self._left.pop(0) if self._left else None
        self._attempt = _Attempt(engine, self._request) if engine else None

    # ── back in the loop's thread ─────────────────────────────────────────────────────────────────

    def _tell(self, what: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(what, *args)

    def _partial(self, text: str) -> None:
        if self._on_partial and not self._closed:
            self._on_partial(text)

    def _done(self, hypothesis: Hypothesis) -> None:
        self._ears._busy.discard(self)
        if not self._result.done():
            self._result.set_result(hypothesis)

    def _fail(self) -> None:
        self._ears._busy.discard(self)
        if self._finishing_at is not None and not self._result.done():
            self._result.set_result(EarFailed("; ".join(self._why) or "no engine can hear this"))


class _Attempt:
    """One utterance with one engine. `work` is called by one thread at a time.

    An engine that streams gets the audio as it comes. One that doesn't gets pieces: in a dictation up to each pause,
    so that a call for help is found before the end.
    """

    def __init__(self, engine: Recogniser, request: Request) -> None:
        self.name, self.streaming = engine.name, engine.streaming
        self._engine, self._request = engine, request
        self._stream: Stream | None = None
        self._pieces: list[Hypothesis] = []
        self.taken = 0  # bytes of the utterance that the engine has
        self.paused = 0  # the pause, in bytes, up to which it was asked

    def work(self, pcm: bytes, *, pause: bool, ending: bool) -> str | Hypothesis | None:
        """Takes the next audio; returns the partial text if it changed, or at the end the hypothesis."""
        partial = None
        if pcm:
            self._stream = self._stream or self._engine.open(self._request)
            partial = self._stream.feed(pcm)
        if ending:
            return self._end()
        if pause and not self.streaming:
            self._close_piece()
            return self._text()
        return partial

    def _close_piece(self) -> None:
        if self._stream:
            stream, self._stream = self._stream, None
            self._pieces.append(stream.finish())

    def _end(self) -> Hypothesis:
        self._close_piece()
        if len(self._pieces) == 1:
            return self._pieces[0]
        return _joined(self._pieces, self.name, self._text())

    def _text(self) -> str:
        return "".join(piece.text for piece in self._pieces)

    def drop(self) -> None:
        stream, self._stream = self._stream, None
        if stream:
            stream.close()


def _joined(pieces: Sequence[Hypothesis], engine: str, text: str) -> Hypothesis:
    """The pieces of a dictation as one; confidence weighted by length of text, word times shifted."""
    letters = sum(len(piece.text) for piece in pieces)
    confidence = sum(piece.confidence * len(piece.text) for piece in pieces) / letters if letters else 0.0
    words: list[Word] = []
    seconds = 0.0
    for piece in pieces:
        words += [replace(word, start_s=word.start_s + seconds, end_s=word.end_s + seconds) for word in piece.words]
        seconds += piece.seconds
    return Hypothesis(text, engine, confidence, words=tuple(words), seconds=seconds)
