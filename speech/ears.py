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
from dataclasses import replace
from pathlib import Path
from threading import Lock
from types import MappingProxyType

from speech.attempt import Attempt
from speech.engines.choice import dictation_order
from speech.interpret import POSITIVE, SCORER, Interpretation, interpret
from speech.making import EngineStatus, make_engine, make_engines
from speech.phrases import DISTRESS
from speech.readable import readable
from speech.recogniser import SAMPLE_RATE, Hypothesis, Recogniser, Request
from speech.workers import Workers

__all__ = ["Ear", "EarFailed", "Ears", "EngineStatus", "load_ears", "make_engine"]

log = logging.getLogger(__name__)

# Engines and families of them, the best first; unknown ones come last. For dictations those go first that were trained
# for the elder's language (speech.engines.choice).
ORDER = ("phrase-scorer", "sherpa", "vosk", "whisper")
MAX_AUDIO_S = 240  # a dictation ends at 180 s; whatever comes after this is not recognised (the recording has it)
# One turn with an engine may take so long; then it counts as hung. An elder waits for the turn of an answer.
HANG_S = MappingProxyType({"answer": 12.0, "dictation": 60.0, "spot": 12.0})
# Whoever has paused or ended waits for the line: that goes before audio of people who still speak.
WAITED_FOR = 0
URGENCY = MappingProxyType({"answer": 1, "spot": 1, "dictation": 2})
# A streaming engine is woken for so much new audio (100 ms), or for a pause: fewer turns cost less, and its encoder
# works in larger pieces anyway.
PIECE_BYTES = SAMPLE_RATE * 2 // 10
SECOND_S = 1.5  # so long the elder may wait for a second opinion; then the no-match stands
# Whoever begins with one of these may go on to the opposite ("蛮好…就是头昏", "是我…的女儿"): always the full silence.
NEVER_EARLY = POSITIVE | {"me", "hello"}

Partial = Callable[[str], None]


class EarFailed(Exception):  # noqa: N818
    """No engine could recognise this utterance. The message is one sentence for the call's log."""


class Ears:
    """All recognition of the process. Made once; `open` an ear for every utterance, in the event loop's thread.

    `hang_s`: overrides how long one turn with an engine may take (tests). `second_opinion`: whether another engine is
    asked about an answer in which the phrase scorer found nothing; one at a time in the whole process.
    """

    def __init__(
        self,
        recognisers: Sequence[Recogniser],
        *,
        workers: int = 2,
        status: Sequence[EngineStatus] = (),
        hang_s: float | None = None,
        second_opinion: bool = True,
    ) -> None:
        self._engines = sorted(recognisers, key=lambda engine: _rank(engine.name))
        self._status = {one.name: one for one in status}
        self._workers = Workers(workers)
        self._hang_s = hang_s
        self._busy: set[Ear] = set()
        self._stuck: set[str] = set()
        self._second_opinion = second_opinion
        self._seconding = False

    def prepare(self, waits: Sequence[Sequence[str]]) -> None:
        """Tells the engines which phrases the flows' waits offer, those with names left out, so that no call has to
        wait until they are ready. Blocking (a second)."""
        for engine in self._engines:
            getattr(engine, "prepare", lambda _: None)(waits)

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
        for engine in self._engines:  # those that run in processes of their own
            getattr(engine, "close", lambda: None)()

    def _for(self, request: Request) -> list[Recogniser]:
        able = [one for one in self._engines if one.name not in self._stuck and one.supports(request)]
        return dictation_order(request.language, able) if request.mode == "dictation" else able


def _rank(name: str) -> tuple[int, str]:
    family = next((one for one in ORDER if name == one or name.startswith(f"{one}-")), None)
    return (len(ORDER) if family is None else ORDER.index(family), name)


def load_ears(models_dir: Path, *, workers: int, whisper_threads: int) -> Ears:
    """Ears with the engines whose weights are in `models_dir`; the status says of every other one what to do.

    Blocking (seconds, while weights are read). Without any weights the line goes on by keys and recording.
    """
    made = list(make_engines(models_dir, workers=workers, threads=whisper_threads))
    engines = [one.engine for one in made if one.engine]
    if not engines:
        log.warning("no recogniser: the line works by keys and recordings (.venv/bin/python server.py models pull)")
    return Ears(engines, workers=workers, status=[one.status for one in made])


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
        self._attempt: Attempt | None = None
        self._why: list[str] = []
        self._next_engine()

    def feed(self, pcm: bytes) -> None:
        """More audio of the utterance."""
        with self._lock:
            if self._closed or self._finishing_at is not None or len(self._audio) >= MAX_AUDIO_S * SAMPLE_RATE * 2:
                return
            self._audio += pcm
            if self._attempt and self._unfinished(self._attempt):
                self._wake()

    def pause(self) -> None:
        """A pause was heard: an engine that streams may judge ahead what was said up to here; one that doesn't
        recognises this piece of a dictation."""
        with self._lock:
            if self._closed or self._finishing_at is not None:
                return
            self._pause_at = len(self._audio)
            if self._attempt and self._attempt.pauses:
                self._wake()

    @property
    def decided(self) -> bool:
        """Whether what was said up to the last pause is understood and need not wait for the full silence: one phrase
        far ahead of all others, of a meaning that nobody goes on to take back."""
        attempt = self._attempt
        if attempt is None or attempt.decided is None or attempt.paused != self._pause_at:
            return False
        return self._request.mode == "answer" and attempt.decided not in NEVER_EARLY

    @property
    def engine(self) -> str:
        """Who listens now; "" when nobody is left."""
        attempt = self._attempt
        return attempt.name if attempt else ""

    async def finish(self, *, second: bool = False) -> Interpretation:
        """The whole utterance, understood. Raises EarFailed when no engine could recognise it.

        `second`: somebody spoke for long enough that an answer without a meaning is worth another engine's opinion.
        """
        told = await self._understood()
        if second and told.meaning is None and told.engine == SCORER and self._request.mode == "answer":
            return await self._second(told)
        return told

    async def _second(self, told: Interpretation) -> Interpretation:
        """What the next engine makes of an answer that the first one did not understand; `told` when it doesn't know
        either, takes too long, or is asked already."""
        ears = self._ears
        if not (ears._second_opinion and self._left) or ears._seconding:
            return told
        ears._seconding = True
        ear = Ear(ears, self._left, self._request, None)
        ear._result.add_done_callback(lambda _: setattr(ears, "_seconding", False))
        ear.feed(bytes(self._audio))
        try:
            other = await asyncio.wait_for(ear.finish(), SECOND_S)  # a late one ends unheard, then the next may ask
        except (EarFailed, TimeoutError):
            return told
        return other if other.meaning is not None else told

    async def _understood(self) -> Interpretation:
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
        if self._request.mode != "dictation":
            return told
        told = replace(told, text=readable(heard.text, heard.words))
        cry = told.meaning == DISTRESS
        return told if cry else replace(told, meaning=None, certain=False, phrase=None, reason="")

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
        attempt, mode = self._attempt, self._request.mode
        waited_for = mode != "dictation" and (self._finishing_at is not None or self._pause_at > attempt.paused)
        urgency = WAITED_FOR if waited_for else URGENCY[mode]
        self._ears._workers.put(urgency, lambda: self._turn(attempt), lambda: self._hung(attempt), limit)

    def _turn(self, attempt: Attempt) -> None:
        with self._lock:
            if self._attempt is not attempt:
                attempt.drop()
                return
            pause_at, ending = self._pause_at, self._finishing_at is not None
            pause = attempt.pauses and pause_at > attempt.paused
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
        self._after(attempt, upto, pause_at, told)

    def _after(self, attempt: Attempt, upto: int, pause_at: int, told: str | Hypothesis | None) -> None:
        """The turn went well. Anything that came meanwhile makes another turn."""
        self._ears._stuck.discard(attempt.name)
        with self._lock:
            if self._attempt is not attempt:
                attempt.drop()
                return
            self._queued = False
            attempt.taken = upto
            attempt.paused = pause_at
            more = not isinstance(told, Hypothesis) and self._unfinished(attempt)
            if more:
                self._wake()
            elif not isinstance(told, Hypothesis):
                self._ears._busy.discard(self)
        if isinstance(told, Hypothesis):
            self._tell(self._done, replace(told, work_s=time.monotonic() - (self._finishing_at or 0.0)))
        elif told is not None:
            self._tell(self._partial, told)

    def _unfinished(self, attempt: Attempt) -> bool:
        if self._finishing_at is not None or (attempt.pauses and self._pause_at > attempt.paused):
            return True
        return attempt.streaming and len(self._audio) - attempt.taken >= PIECE_BYTES

    def _hung(self, attempt: Attempt) -> None:
        self._ears._stuck.add(attempt.name)
        log.error("%s hangs in an utterance; the next engine takes over", attempt.name)
        self._over(attempt, f"{attempt.name}: took too long")

    def _over(self, attempt: Attempt, why: str) -> None:
        """This engine is out; the next one gets everything from the start."""
        with self._lock:
            if self._attempt is not attempt:
                return
            self._queued = False
            self._why.append(why)
            self._next_engine()
            if self._attempt and self._unfinished(self._attempt):
                self._wake()
            elif self._attempt is None:
                self._tell(self._fail)
            else:
                self._ears._busy.discard(self)

    def _next_engine(self) -> None:
        engine = self._left.pop(0) if self._left else None
        self._attempt = Attempt(engine, self._request) if engine else None

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
