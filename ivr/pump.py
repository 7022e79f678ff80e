"""The audio pump: joins one call's frames to its session, both ways. All media carriers drive this same object.

Time is the inbound audio: `tick` is called once per 20 ms frame that came and gives the frame to send; every wait is
counted in frames. What takes longer (recognition, live synthesis, the database) runs beside it and comes back as an
event. Nothing here blocks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from tenacity import AsyncRetrying, RetryCallState, wait_exponential

from callflows.events import (
    Alarm,
    Answer,
    Dictate,
    HandOver,
    Hangup,
    HungUp,
    Input,
    Key,
    Listen,
    MachineBeeped,
    NoInput,
    Output,
    Query,
    Say,
    Started,
    StopPlaying,
    TimeLimit,
)
from callflows.events import Part as Spoken
from callflows.session import Session
from ivr import playback
from ivr.asking import verdict
from ivr.playout import Part, Playout
from ivr.ports import Answers
from ivr.recordings import WHOLE_CALL, Recordings, Take
from ivr.scribe import Book, Scribe
from ivr.secrecy import HIDDEN, TAIL_MS, is_secret
from ivr.utterances import Utterances, Wait
from speech.ears import Ears
from speech.recogniser import FRAME_MS

log = logging.getLogger(__name__)

TIME_LIMIT_MS = 10 * 60 * 1000  # PRODUCT.md: a call has a hard limit
LIMIT_GRACE_MS = 20_000  # for the goodbye
LAST_MS = 120_000  # so long who was handed over in vain may still talk to the line, whatever the limit
WAIT_LIMIT_MS = 45_000  # in a room where somebody always speaks (television) a wait ends all the same
# Somebody else spoke: whose consent to record we have is not theirs, so the recording of the whole call is dropped; or
# somebody who didn't want that, or wasn't asked to the end.
STRANGERS = frozenset({"wrong_number", "other_says_well", "other_says_unwell", "absent", "wrong_person", "pin_failed"})
STRANGERS |= {"not_recorded", "no_word"}
_SILENCE = b"\xff"  # of μ-law, one sample
MAX_KEYS = 500  # of one call; no person presses more, and every one is a row
SECOND_ZERO_MS = 3000  # before a call is handed over, a second 0 would have come
SPEAKING_MS = 10_000  # so long it is kept from being handed over while something is being said
ALARM_HOLD_S = 2.0  # so long the elder may hear nothing while an alarm is being written down


class CallBook(Book, Protocol):
    """What a call writes down while it goes on."""

    async def alarm(self, call_id: str, person: str, reason: str, detail: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True)
class Tools:
    """What all calls of a process share."""

    ears: Ears
    voice: playback.Voice
    recordings: Recordings
    book: CallBook
    trouble: Callable[[str], None] = log.error  # tells the operator: log and console
    answers: Answers | None = None  # of what a flow asks the program; None: nobody can say


@dataclass(frozen=True)
class Line:
    """What a pump must know of its call. `distress`: phrases that count at any moment."""

    call_id: str
    began: datetime
    distress: Sequence[str]
    records: bool  # everybody of this call agreed to be recorded
    transcribes: bool = True  # and to have dictations written down
    language: str = "zh"
    part: int = 1  # which stream of the call: its recordings have names of their own
    at_ms: int = 0  # where in the call it begins

    def label(self, what: str) -> str:
        """Names a recording within its call."""
        return what if self.part == 1 else f"part{self.part}-{what}"


class Pump:
    """One call."""

    def __init__(self, line: Line, session: Session, tools: Tools) -> None:
        self.session = session
        self.wait: Wait | None = None
        self.by_machine = False  # the carrier thinks so: a hint
        self.cleared = False  # the carrier's buffer must be emptied before the next frame
        self._line, self._tools = line, tools
        self._scribe = Scribe(tools.book, line.call_id, lambda: self.at_ms)
        self._playout = Playout()
        self._utterances = Utterances(self, tools.ears, self._store, line.distress, line.language, line.transcribes)
        self._ticks = min(line.at_ms, TIME_LIMIT_MS - LAST_MS) // FRAME_MS
        self._waited_ms = self._open_ms = self._dictations = self._keys = 0
        self._hanging_up = self._limited = False
        self._leaves_ms: int | None = None  # the call is handed over from then on
        self._asking: Query | None = None  # the open question to the program
        self._asked: set[asyncio.Task[None]] = set()
        self._recorded: dict[str, asyncio.Future[bytes]] = {}  # stored recordings that are played in this call
        self._muted_until_ms = 0  # so long nothing that comes in is recorded
        self._take: Take | None = (
            tools.recordings.take(line.call_id, line.label(WHOLE_CALL), line.began) if line.records else None
        )

    # ── the call's life ───────────────────────────────────────────────────────────────────────────

    @property
    def call_id(self) -> str:
        return self._line.call_id

    @property
    def at_ms(self) -> int:
        """Audio time since the first stream began; between two streams, time on the wall."""
        return self._ticks * FRAME_MS

    @property
    def playing(self) -> bool:
        """Something may still be heard at the other end."""
        return self._playout.playing

    @property
    def last_words(self) -> Sequence[Answer]:
        """What still counts while the goodbye is played."""
        return self.session.last_words

    @property
    def over(self) -> bool:
        """Nothing more will be said: the line may be cut."""
        if self._hanging_up and not self.playing:
            return True
        return self._limited and self.at_ms > TIME_LIMIT_MS + LIMIT_GRACE_MS

    @property
    def leaving(self) -> bool:
        """The call is to be handed over, and all has been heard that was to be heard before: the stream ends."""
        if self._leaves_ms is None or self.playing or self.at_ms < self._leaves_ms:
            return False
        return not self._utterances.busy or self.at_ms >= self._leaves_ms + SPEAKING_MS

    @property
    def pending(self) -> list[asyncio.Future[Any]]:
        """Work whose result the call waits for now (recognition, synthesis, an alarm being written down)."""
        return [*self._utterances.work, *self._playout.pending, *self._asked]

    def begin(self) -> None:
        """The call was answered and audio flows; a session that had begun before (by plain verbs) asks again."""
        self.note("stream", begun_at=self._line.began.isoformat())
        self.feed(Started())

    async def close(self, *, hung_up: bool) -> None:
        """Ends all work and finishes the recording; after this the session's findings stand."""
        if hung_up:
            self.note("hung_up")
        await self._utterances.finish()
        if hung_up:
            self.feed(HungUp())
        if self._asked:  # within 2 s: what was asked is settled before the call is told to be over
            await asyncio.wait(self._asked)
        if self._take is not None and not any(found.result in STRANGERS for found in self.session.findings):
            done = await self._take.close()
            self.note("recording", path=done.path, seconds=round(done.seconds, 2), sha256=done.sha256)
        elif self._take is not None:
            await self._take.discard()
        await self._scribe.flush()

    # ── what comes in ─────────────────────────────────────────────────────────────────────────────

    def tick(self, heard: bytes) -> tuple[bytes | None, list[str]]:
        """One 20 ms frame of μ-law came: the frame to send now (None: silence) and the marks to send after it."""
        self._ticks += 1
        sent, marks = self._playout.next()
        if self._take is not None:
            self._take.write(_SILENCE * len(heard) if self._muted else heard)
        self._utterances.step(heard, sent)
        for name in self._playout.overdue():
            self.note("prompt", name=name)
        self._time_passes()
        return sent, marks

    def key(self, digit: str) -> None:
        self._keys += 1
        if self._keys > MAX_KEYS:
            return
        self.note("key", node=self.wait.node if self.wait else "", digit=HIDDEN if self._secret else digit)
        if isinstance(self.wait, Dictate) and digit == self.wait.finish_key:
            self._end_dictation("key")
        else:
            self.feed(Key(digit, self.at_ms))

    def mark(self, name: str) -> None:
        """The carrier has played the prompt of this name, or dropped it."""
        if self._playout.came_back(name):
            self.note("prompt", name=name)

    def machine(self, answered_by: str) -> None:
        """The carrier thinks that a machine answered: a hint, and the session decides what it counts."""
        self.note("machine", answered_by=answered_by)
        self.by_machine = answered_by.startswith("machine")
        if answered_by.startswith("machine_end"):
            self.feed(MachineBeeped())

    # ── time ──────────────────────────────────────────────────────────────────────────────────────

    def _time_passes(self) -> None:
        if self.at_ms >= TIME_LIMIT_MS and not self._limited:
            self._limited = True
            self.note("limit")
            self.feed(TimeLimit())
        elif self.wait is not None and not self.playing:
            self._open_ms += FRAME_MS
            self._waited_ms += 0 if self._utterances.busy else FRAME_MS
            self._time_is_up(self.wait)

    def _time_is_up(self, wait: Wait) -> None:
        if isinstance(wait, Listen):
            if self._waited_ms >= wait.timeout_s * 1000 or self._open_ms >= WAIT_LIMIT_MS:
                self.note("no_input", node=wait.node)
                self.feed(NoInput())
        elif self._open_ms >= wait.max_s * 1000:
            self._end_dictation("limit")
        elif self._utterances.dictated_nothing and self._waited_ms >= wait.no_speech_s * 1000:
            self._end_dictation("silence")

    # ── the session ───────────────────────────────────────────────────────────────────────────────

    def feed(self, event: Input) -> None:
        """Gives the session what happened and does what it wants."""
        before = self._secret
        outputs = self.session.feed(event)
        for output in outputs:
            self._put(output)
        halfway = before and self._secret and isinstance(self.wait, Listen)  # the session holds some of the digits
        if (outputs or self.session.over) and not halfway:
            self._scribe.remember(self.session.to_json())

    def note(self, kind: str, **detail: object) -> None:
        """One line of the call's log."""
        self._scribe.note(kind, **detail)

    def _put(self, output: Output) -> None:
        match output:
            case Say():
                self._playout.say(output.name, [self._audio(part, output.language) for part in output.parts])
            case StopPlaying():
                self._stop_playing()
            case Listen() | Dictate():
                self._open(output)
            case Alarm():
                self._sound(output)
            case Query():
                self._ask(output)
            case HandOver():
                self.note("hand_over", number=output.number)
                self.wait, self._asking, self._hanging_up = None, None, False
                self._leaves_ms = self.at_ms + SECOND_ZERO_MS
            case Hangup():
                self.wait, self._asking, self._leaves_ms, self._hanging_up = None, None, None, True

    def _open(self, wait: Wait) -> None:
        """The same question again is the same wait: what is being said meanwhile still answers it."""
        self.wait, self._asking = self.wait if wait == self.wait else wait, None
        self._waited_ms, self._open_ms, self._hanging_up, self._leaves_ms = 0, 0, False, None
        self._utterances.expect(self.wait)

    def _ask(self, query: Query) -> None:
        """Beside the audio: the prompt goes on, and nothing is awaited of the person on the line."""
        self.note("query", name=query.name)
        self.wait, self._asking, self._hanging_up, self._leaves_ms = None, query, False, None
        task = asyncio.create_task(self._answer(query))
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    async def _answer(self, query: Query) -> None:
        said = await verdict(self._tools.answers, self.call_id, query)
        told = await playback.told(self._tools.recordings, self.session, said, self._tools.voice)
        self.note("verdict", name=query.name, word=told.word)
        if self._asking is query:  # the conversation has not gone on by itself (a call for help, the call's limit)
            self._asking = None
            self.feed(told)

    @property
    def _secret(self) -> bool:
        return is_secret(self.wait or self._asking)

    @property
    def _muted(self) -> bool:
        """A key's tone may be in the audio, and whoever has the recording could read the digits off it; so may what
        only they may hear, from a loud receiver."""
        secrets = self.session.tells_secrets
        if self._secret or (secrets and not secrets.isdisjoint(self._playout.heard_now())):
            self._muted_until_ms = self.at_ms + TAIL_MS
        return self.at_ms < self._muted_until_ms

    def _stop_playing(self) -> None:
        names = self._playout.clear()
        if names:
            self.cleared = True
            self.note("cleared", names=names)

    def _audio(self, part: Spoken, language: str) -> Part:
        if part.recording:
            return self._played(part.recording)
        found = self._tools.voice.find(part.text, language)
        return found if found is not None else asyncio.ensure_future(self._tools.voice.get(part.text, language))

    def _played(self, path: str) -> asyncio.Future[bytes]:
        """A stored recording, made a prompt beside the audio; once per call."""
        if path not in self._recorded:
            self._recorded[path] = asyncio.ensure_future(self._recording_or_word(path))
        return self._recorded[path]

    async def _recording_or_word(self, path: str) -> bytes:
        audio = await playback.as_prompt(self._tools.recordings, path)
        return audio if audio is not None else await self._tools.voice.get(playback.INSTEAD)

    def _end_dictation(self, ended_by: str) -> None:
        self._utterances.end_dictation(ended_by)
        self.wait = None

    async def _store(self, ulaw: bytes) -> str:
        """A dictation is kept as a recording of its own, for those who must listen to it."""
        if self._take is None:
            return ""
        self._dictations += 1
        label = self._line.label(f"dictation{self._dictations}")
        path = (await self._tools.recordings.add(self.call_id, label, self._line.began, ulaw)).path
        if self.session.recorded:
            self._played(path)  # it may be read back at once: be ready while the last words are being recognised
        return path

    def _sound(self, alarm: Alarm) -> None:
        """Written down before anything else is said; the elder doesn't wait longer than 2 s for that."""
        self.note("alarm", person=alarm.person, reason=alarm.reason)
        self._playout.hold(asyncio.ensure_future(_within(self._ring(alarm), ALARM_HOLD_S)))

    async def _ring(self, alarm: Alarm) -> None:
        """Until it is durable: a cry for help is not given up because the database is away."""
        again = AsyncRetrying(wait=wait_exponential(0.2, max=5), before_sleep=self._not_yet)
        await again(self._tools.book.alarm, self.call_id, alarm.person, alarm.reason, {"text": alarm.text})

    def _not_yet(self, attempt: RetryCallState) -> None:
        error = attempt.outcome.exception() if attempt.outcome else None
        self._tools.trouble(
            f"EMERGENCY in call {self.call_id}, person {attempt.args[1]}: it can't be written down "
            f"({type(error).__name__}). Act now, and see to disk and database"
        )


async def _within(work: Any, seconds: float) -> bytes:
    """Waits for `work`, which goes on all the same when it takes longer."""
    await asyncio.wait([asyncio.ensure_future(work)], timeout=seconds)
    return b""
