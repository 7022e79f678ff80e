"""What the elder says in one call: from frames to utterances and dictations, recognised beside the audio.

Three rules hold here. A call for help counts at any moment: where the ear for what may be said is no good at finding
one (a dictation's), a second ear that only spots it listens beside. An answer counts only for the wait during which it
began. What is unintelligible over a prompt (television, a cough, a neighbour) leaves the prompt alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from callflows.events import Answer, Dictate, DictationEnded, Distress, Heard, Input, Listen, SpeechFailed
from ivr.hearing import Hearing, Pause, SpeechEnded, SpeechStarted, is_click
from ivr.secrecy import is_secret
from speech.ears import Ear, EarFailed, Ears
from speech.endpoint import EndpointRules
from speech.interpret import Interpretation
from speech.phrases import DISTRESS, Match, match
from speech.recogniser import FRAME_MS, Mode, Request
from storage.faults import where

log = logging.getLogger(__name__)

# Shorter answers that nobody understood are a cough or one syllable: another engine makes no more of them.
SECOND_VOICED_MS = 800
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
    """Something being said. `wait`: the wait that was open when it began; another one may be open when it ends.
    `begin_ms`: where its audio begins in the call's."""

    wait: Wait | None
    over_prompt: bool
    begin_ms: int
    goodbye: bool = False  # it began while the goodbye was played
    ear: Ear | None = None  # None: nobody can hear it, or only the spotter may
    spotter: Ear | None = None
    distress: bool = False  # a call for help in it was acted on already
    # Silence since a pause: given to the ears when somebody goes on, and to nobody when that was the end. So what was
    # judged at the pause is all that there is to judge, and a short answer costs a third less.
    silence: bytearray | None = None

    @property
    def ears(self) -> list[Ear]:
        return [ear for ear in (self.ear, self.spotter) if ear is not None]

    @property
    def understood(self) -> bool:
        """An answer that need not wait for the full silence. A dictation always does."""
        return self.ear is not None and not isinstance(self.wait, Dictate) and self.ear.decided

    def close(self) -> None:
        for ear in self.ears:
            ear.close()


@dataclass
class _Dictation:
    """What the elder dictates: kept from the end of the prompt, or from the first word, on."""

    audio: bytearray
    node: str
    begin_ms: int = 0
    voiced_ms: int = 0
    spoke: bool = False


@dataclass(frozen=True)
class _Cry:
    """A call for help: the words in which it was found, and the phrase of it."""

    text: str
    phrase: str
    engine: str
    confidence: float

    @classmethod
    def of(cls, told: Interpretation) -> _Cry:
        return cls(told.text, told.phrase or told.text, told.engine, told.confidence)


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
            self._now = self._begin(event)
        elif self._now is None:
            return
        elif isinstance(event, SpeechEnded):
            self._ended(event)
        elif isinstance(event, Pause):
            self._pauses(self._now, pcm)
        else:
            self._goes_on(self._now, pcm)

    def _goes_on(self, utterance: _Utterance, pcm: bytes) -> None:
        if utterance.silence is not None and self._hearing.silent:
            utterance.silence += pcm
            if utterance.understood:
                self._hearing.settle()
            return
        if utterance.silence is not None:
            pcm, utterance.silence = bytes(utterance.silence) + pcm, None
        for ear in utterance.ears:
            ear.feed(pcm)

    def _pauses(self, utterance: _Utterance, pcm: bytes) -> None:
        utterance.silence = bytearray()
        for ear in utterance.ears:
            ear.feed(pcm)
            ear.pause()

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

    def _begin(self, started: SpeechStarted) -> _Utterance:
        utterance = _Utterance(self._desk.wait, self._desk.playing, started.at_ms, bool(self._desk.last_words))
        utterance.ear, utterance.spotter = self._open(utterance)
        for ear in utterance.ears:
            ear.feed(started.audio)
        if self._dictation:
            self._dictation.spoke = True
        return utterance

    def _open(self, utterance: _Utterance) -> tuple[Ear | None, Ear | None]:
        """An ear for what may be said, one for calls for help. The second alone where nothing else may be said, or be
        written down; where no engine spots, the first one's words are looked through for them."""
        request, spot = self._request(), Request("spot", {DISTRESS: self._distress}, self._language)
        dictated, spots = request.mode == "dictation", self._ears.can(spot)
        wanted = self._transcribes if dictated else len(request.phrases) > 1
        return (
            self._ear(request, utterance) if wanted or not spots else None,
            self._ear(spot, utterance) if spots and (dictated or not wanted) else None,
        )

    def _ear(self, request: Request, utterance: _Utterance) -> Ear | None:
        if not self._ears.can(request):
            return None
        return self._ears.open(request, lambda text: self._partial(utterance, request.mode, text))

    def _request(self) -> Request:
        """What may be said now; distress always may."""
        wait, phrases = self._desk.wait, {DISTRESS: self._distress}
        answers = wait.answers if isinstance(wait, Listen) and wait.speech else self._desk.last_words
        phrases |= {answer.meaning: answer.phrases for answer in answers if answer.phrases}
        return Request("dictation" if isinstance(wait, Dictate) else "answer", phrases, self._language)

    def _partial(self, utterance: _Utterance, mode: Mode, text: str) -> None:
        """Words of an utterance that still goes on; only a call for help is acted on before its end."""
        cry = self._cry(text) if not utterance.distress else None
        if cry:
            ear = utterance.spotter if mode == "spot" else utterance.ear
            self._distressed(utterance, _Cry(text, cry.phrase, ear.engine if ear else "", 0.0))

    def _ended(self, ended: SpeechEnded) -> None:
        utterance, self._now = self._now, None
        assert utterance is not None
        if self._dictation and utterance.wait is self._desk.wait:
            self._dictation.voiced_ms += ended.voiced_ms
            self._now = utterance
            self.end_dictation(ended.reason)
        elif not is_click(ended):
            self._do(self._understand(utterance, ended))
        else:
            utterance.close()

    async def _understand(self, utterance: _Utterance, ended: SpeechEnded) -> None:
        try:
            told = await self._finish(utterance, ended)
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
            self._distressed(utterance, _Cry.of(told))
        elif not ignored:
            self._desk.feed(Heard(told.text, told.meaning, told.confidence, told.engine, told.certain, told.phrase))

    async def _finish(self, utterance: _Utterance, ended: SpeechEnded) -> Interpretation:
        """What the spotter found counts first; else what the utterance's own ear makes of it."""
        spotted = await utterance.spotter.finish() if utterance.spotter else None
        if spotted and (spotted.meaning == DISTRESS or utterance.ear is None):
            utterance.close()
            return spotted
        if utterance.ear is None:
            raise EarFailed("no engine can hear this")
        worthwhile = ended.voiced_ms >= SECOND_VOICED_MS and not utterance.over_prompt and self._in_time(utterance)
        return await utterance.ear.finish(second=worthwhile)

    def _in_time(self, utterance: _Utterance) -> bool:
        return utterance.wait is not None and utterance.wait is self._desk.wait

    def _note_heard(self, utterance: _Utterance, told: Interpretation, ended: SpeechEnded, *, counts: bool) -> None:
        hidden = is_secret(utterance.wait) and told.meaning != DISTRESS  # a PIN that was spoken
        self._desk.note(
            "heard",
            node=utterance.wait.node if utterance.wait else "",
            text="" if hidden else told.text,
            meaning=told.meaning,
            phrase=told.phrase,
            confidence=round(told.confidence, 3),
            margin=None if told.margin is None else round(told.margin, 2),
            engine=told.engine,
            certain=told.certain,
            reason=told.reason,
            begin_ms=_begin_ms(told, ended),
            end_ms=_end_ms(told, ended),
            seconds=round(ended.ms / 1000, 2),
            work_s=round(told.work_s, 3),
            counts=counts,
        )

    # ── distress ──────────────────────────────────────────────────────────────────────────────────

    def _cry(self, text: str) -> Match | None:
        return match(text, {DISTRESS: self._distress})

    def _distressed(self, utterance: _Utterance | None, cry: _Cry) -> None:
        """Told once per utterance. Without consent to transcription nothing but the phrase is kept."""
        if utterance is not None:
            if utterance.distress:
                return
            utterance.distress = True
        text = cry.text if self._transcribes else cry.phrase
        begin = {"begin_ms": utterance.begin_ms} if utterance is not None else {}
        self._desk.note("distress", text=text, engine=cry.engine, confidence=round(cry.confidence, 3), **begin)
        self._desk.feed(Distress(text, cry.engine, cry.confidence))

    # ── dictation ─────────────────────────────────────────────────────────────────────────────────

    def _keep(self, heard: bytes) -> None:
        dictation = self._dictation
        if dictation is not None and (dictation.audio or self._hearing.speaking or not self._desk.playing):
            if not dictation.audio:
                dictation.begin_ms = self._hearing.elapsed_ms - FRAME_MS
            dictation.audio += heard

    def end_dictation(self, ended_by: str) -> None:
        """By a key, by silence, at the limit, or because the line is gone."""
        dictation, self._dictation = self._dictation, None
        if dictation is None:  # it is over already: the line went before the next step was told
            return
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
        storing = asyncio.ensure_future(self._stored(dictation))  # whoever waits to hear it waits for no engine
        spotted = await self._last_words(said.spotter if said else None)
        if spotted and spotted.meaning == DISTRESS:
            self._distressed(said, _Cry.of(spotted))
        path = await storing
        told = await self._last_words(said.ear if said else None)
        cry = self._cry(told.text) if told and told.text else None
        if told and cry:
            self._distressed(said, _Cry(told.text, cry.phrase, told.engine, told.confidence))
        text, confidence, engine = (told.text, round(told.confidence, 3), told.engine) if told else ("", 0.0, "none")
        margin = None if told is None or told.margin is None else round(told.margin, 2)
        if not self._transcribes:  # listened to for a call for help only
            text, confidence, engine = (cry.phrase, confidence, engine) if cry else ("", 0.0, "none")
        seconds, begin_ms = round(len(dictation.audio) / 8000, 2), dictation.begin_ms
        self._desk.note(
            "dictation",
            seconds=seconds,
            text=text,
            confidence=confidence,
            margin=margin,
            engine=engine,
            recording=path,
            by=ended_by,
            begin_ms=begin_ms,
            end_ms=begin_ms + round(seconds * 1000),
        )
        voiced = dictation.voiced_ms / 1000
        self._desk.feed(DictationEnded(seconds, voiced, text, confidence, engine, path, ended_by, dictation.node))

    async def _stored(self, dictation: _Dictation) -> str:
        """Its path, noted as soon as it is whole and on the disk; "" where nothing was said, or may be kept."""
        path = await self._store(bytes(dictation.audio)) if dictation.spoke else ""
        if path:
            self._desk.note("stored", node=dictation.node, recording=path, begin_ms=dictation.begin_ms)
        return path

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


def _begin_ms(told: Interpretation, ended: SpeechEnded) -> int:
    """Where what was understood begins in the call's audio: the words, if the engine knows, else the utterance."""
    return ended.begin_ms + round(1000 * (told.begin_s or 0.0))


def _end_ms(told: Interpretation, ended: SpeechEnded) -> int:
    return ended.at_ms - ended.silent_ms if told.end_s is None else ended.begin_ms + round(1000 * told.end_s)
