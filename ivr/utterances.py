"""What the elder says in one call: from frames to utterances and dictations, recognised beside the audio.

Three rules hold here. A call for help counts at any moment. An answer counts only for the wait during which it began.
What is unintelligible over a prompt (television, a cough, a neighbour) leaves the prompt alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from callflows.events import Answer, Dictate, DictationEnded, Distress, Heard, Input, Listen, SpeechFailed
from ivr.hearing import Hearing, Pause, SpeechEnded, SpeechStarted, is_click
from speech.ears import Ear, EarFailed, Ears
from speech.endpoint import EndpointRules
from speech.interpret import Interpretation
from speech.phrases import DISTRESS, match
from speech.recogniser import Request
from storage.faults import where

log = logging.getLogger(__name__)

LAST_WORDS_S = 4.0  # so long a dictation's last words may take to be recognised; the recording has them anyway

MENU = "请按"  # only the line says this: a menu that came back too late for the echo guard

Wait = Listen | Dictate
Store = Callable[[bytes], Awaitable[str]]  # keeps a dictation's μ-law; the recording's path, "" when it may not be kept


class Desk(Protocol):
    """Whom the utterances are told."""

    @property
    def wait(self) -> Wait | None: ...

    @property
    def playing(self) -> bool: ...

    @property
    def last_words(self) -> Sequence[Answer]:
        """What still counts while the goodbye is played."""
        ...

    def feed(self, event: Input) -> None: ...

    def note(self, kind: str, **detail: object) -> None: ...


@dataclass
class _Utterance:
    """Something being said. `wait`: the wait that was open when it began; another one may be open when it ends."""

    wait: Wait | None
    over_prompt: bool
    goodbye: bool = False  # it began while the goodbye was played
    ear: Ear | None = None
    distress: bool = False  # a call for help in it was acted on already


@dataclass
class _Dictation:
    """What the elder dictates: kept from the end of the prompt, or from the first word, on."""

    audio: bytearray
    node: str
    voiced_ms: int = 0
    spoke: bool = False


class Utterances:
    """One per call. `step` with every frame; `expect` with every new wait."""

    def __init__(
        self,
        desk: Desk,
        ears: Ears,
        store: Store,
        distress: Sequence[str],
        language: str,
        transcribes: bool = True,
    ) -> None:
        self._desk, self._ears, self._store = desk, ears, store
        self._distress, self._language, self._transcribes = tuple(distress), language, transcribes
        self._hearing = Hearing()
        self._now: _Utterance | None = None
        self._dictation: _Dictation | None = None
        self._judging = 0
        self.work: set[asyncio.Task[None]] = set()  # recognition under way

    # ── what the pump asks ────────────────────────────────────────────────────────────────────────

    @property
    def busy(self) -> bool:
        """Somebody speaks, or what was said is still being recognised: no silence is counted."""
        return self._hearing.speaking or self._judging > 0

    @property
    def dictated_nothing(self) -> bool:
        return self._dictation is not None and not self._dictation.spoke

    def expect(self, wait: Wait) -> None:
        """A new wait is open. A dictation that a key or a cry broke off is kept, too: it comes to the session later."""
        if self._dictation is not None and self._dictation.node != wait.node:
            self._break_off(self._dictation)
        if isinstance(wait, Dictate):
            self._hearing.expect(EndpointRules.dictation(wait.silence_s, wait.max_s))
            self._dictation = _Dictation(bytearray(), wait.node)
        else:
            self._hearing.expect(EndpointRules.answer(wait.endpoint_s))

    def step(self, heard: bytes, sent: bytes | None) -> None:
        """One frame that came and the one that was sent with it, μ-law (None: silence)."""
        pcm, event = self._hearing.step(heard, sent)
        self._keep(heard)
        if isinstance(event, SpeechStarted):
            self._now = self._begin(event.audio)
        elif self._now is None:
            return
        elif isinstance(event, SpeechEnded):
            self._ended(event)
        elif self._now.ear is not None:
            self._now.ear.feed(pcm)
            if isinstance(event, Pause) and isinstance(self._now.wait, Dictate):
                self._now.ear.pause()

    async def finish(self) -> None:
        """The line is gone: what was being said still counts ("救命" and a dropped receiver is a call for help)."""
        ended = self._hearing.finish()
        if isinstance(self._desk.wait, Dictate):
            self.end_dictation("hangup")
        elif ended and self._now:
            self._ended(ended)
        if self.work:
            await asyncio.wait(self.work, timeout=2 * LAST_WORDS_S)

    # ── answers ───────────────────────────────────────────────────────────────────────────────────

    def _begin(self, audio: bytes) -> _Utterance:
        goodbye = bool(self._desk.last_words)
        request, utterance = self._request(), _Utterance(self._desk.wait, self._desk.playing, goodbye)
        if self._ears.can(request):
            utterance.ear = self._ears.open(request, lambda text: self._partial(utterance, text))
            utterance.ear.feed(audio)
        if self._dictation:
            self._dictation.spoke = True
        return utterance

    def _request(self) -> Request:
        """What may be said now; distress always may."""
        wait, phrases = self._desk.wait, {DISTRESS: self._distress}
        answers = wait.answers if isinstance(wait, Listen) and wait.speech else self._desk.last_words
        phrases |= {answer.meaning: answer.phrases for answer in answers if answer.phrases}
        return Request("dictation" if isinstance(wait, Dictate) else "answer", phrases, self._language)

    def _partial(self, utterance: _Utterance, text: str) -> None:
        """Words of an utterance that still goes on; only a call for help is acted on before its end."""
        if not utterance.distress and self._is_distress(text):
            self._distressed(utterance, text, "partial", 0.0)

    def _ended(self, ended: SpeechEnded) -> None:
        utterance, self._now = self._now, None
        assert utterance is not None
        if self._dictation and utterance.wait is self._desk.wait:
            self._dictation.voiced_ms += ended.voiced_ms
            self._now = utterance
            self.end_dictation(ended.reason)
        elif not is_click(ended):
            self._do(self._understand(utterance, ended))
        elif utterance.ear:
            utterance.ear.close()

    async def _understand(self, utterance: _Utterance, ended: SpeechEnded) -> None:
        try:
            told = await self._finish(utterance)
        except EarFailed as failure:
            self._desk.note("error", what="recognition", why=str(failure))
            if self._in_time(utterance) and not utterance.over_prompt:
                self._desk.feed(SpeechFailed(str(failure)))
            return
        # Something unintelligible over a prompt is a television, a cough or a neighbour: the prompt goes on.
        stray = told.meaning is None and utterance.over_prompt
        last_words = utterance.goodbye and told.meaning is not None
        ignored = stray or not (self._in_time(utterance) or last_words) or MENU in told.text
        self._note_heard(utterance, told, ended, counts=not ignored or told.meaning == DISTRESS)
        if told.meaning == DISTRESS:
            self._distressed(utterance, told.text, told.engine, told.confidence)
        elif not ignored:
            self._desk.feed(Heard(told.text, told.meaning, told.confidence, told.engine, told.certain, told.phrase))

    async def _finish(self, utterance: _Utterance) -> Interpretation:
        if utterance.ear is None:
            raise EarFailed("no engine can hear this")
        return await utterance.ear.finish()

    def _in_time(self, utterance: _Utterance) -> bool:
        return utterance.wait is not None and utterance.wait is self._desk.wait

    def _note_heard(self, utterance: _Utterance, told: Interpretation, ended: SpeechEnded, *, counts: bool) -> None:
        self._desk.note(
            "heard",
            node=utterance.wait.node if utterance.wait else "",
            text=told.text,
            meaning=told.meaning,
            phrase=told.phrase,
            confidence=round(told.confidence, 3),
            engine=told.engine,
            certain=told.certain,
            reason=told.reason,
            seconds=round(ended.ms / 1000, 2),
            work_s=round(told.work_s, 3),
            counts=counts,
        )

    # ── distress ──────────────────────────────────────────────────────────────────────────────────

    def _is_distress(self, text: str) -> bool:
        return match(text, {DISTRESS: self._distress}) is not None

    def _distressed(self, utterance: _Utterance | None, text: str, engine: str, confidence: float) -> None:
        """Told once per utterance."""
        if utterance is not None:
            if utterance.distress:
                return
            utterance.distress = True
        self._desk.note("distress", text=text, engine=engine, confidence=round(confidence, 3))
        self._desk.feed(Distress(text, engine, confidence))

    # ── dictation ─────────────────────────────────────────────────────────────────────────────────

    def _keep(self, heard: bytes) -> None:
        dictation = self._dictation
        if dictation is not None and (dictation.audio or self._hearing.speaking or not self._desk.playing):
            dictation.audio += heard

    def end_dictation(self, ended_by: str) -> None:
        """By a key, by silence, at the limit, or because the line is gone."""
        dictation, self._dictation = self._dictation, None
        assert dictation is not None
        ended = self._hearing.finish()
        dictation.voiced_ms += ended.voiced_ms if ended else 0
        said, self._now = self._now, None
        self._do(self._dictated(dictation, ended_by, said))

    def _break_off(self, dictation: _Dictation) -> None:
        """What is being said at this moment goes on as an utterance; only a call for help in it still counts."""
        self._dictation = None
        if dictation.spoke:
            self._do(self._dictated(dictation, "key", None))

    async def _dictated(self, dictation: _Dictation, ended_by: str, said: _Utterance | None) -> None:
        path = await self._store(bytes(dictation.audio)) if dictation.spoke else ""
        told = await self._last_words(said.ear if said else None)
        text, confidence, engine = (told.text, round(told.confidence, 3), told.engine) if told else ("", 0.0, "none")
        cry = bool(text) and self._is_distress(text)
        if not self._transcribes and not cry:  # listened to for a call for help only
            text, confidence, engine = "", 0.0, "none"
        seconds = round(len(dictation.audio) / 8000, 2)
        voiced = dictation.voiced_ms / 1000
        self._desk.note(
            "dictation", seconds=seconds, text=text, confidence=confidence, engine=engine, recording=path, by=ended_by
        )
        if cry:
            self._distressed(said, text, engine, confidence)
        self._desk.feed(DictationEnded(seconds, voiced, text, confidence, engine, path, ended_by, dictation.node))

    async def _last_words(self, ear: Ear | None) -> Interpretation | None:
        if ear is None:
            return None
        try:
            return await asyncio.wait_for(ear.finish(), LAST_WORDS_S)
        except (EarFailed, TimeoutError) as failure:
            self._desk.note("error", what="transcription", why=str(failure) or "took too long")
            return None
        finally:
            ear.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._judging += 1
        task = asyncio.create_task(work)
        self.work.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._judging -= 1
        self.work.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("recognition beside a call failed: %s", where(task.exception() or RuntimeError()))
