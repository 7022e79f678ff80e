"""Staff record the line's sentences by telephone: what the flow `record_prompts` asks of the program.

Which language and sentence a call is about, and what was recorded last, stands with the call's intent, so that any
process can go on with it. Nothing is answered to a call in which nobody has given a PIN. A take is made a prompt when
it is checked; that audio is played back, and published as it is. Personal: nothing of it is logged.

    query                   words
    prompt.zh, prompt.wuu   noted
    prompt.number (digits)  found {number, sentence, present}, unknown
    prompt.next             found {…}, none: the next one that nobody has recorded in this language
    prompt.check (a take)   good {take}, quiet, clipped, short, long (the same), silent, later: it isn't here yet
    prompt.publish          published, doubtful: something is wrong with it, and they must say so once more
    prompt.publish_anyway   published
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from checkins.errands import RECORD_PROMPTS
from checkins.ports import Clock, Told
from checkins.tables import CallIntent
from community import spoken
from console.sentences import Sentence, Sentences
from ivr.recordings import RecordingBrokenError, Recordings
from speech import takes
from speech.human import HumanRecordings
from speech.published import Published
from speech.takes import Doubt
from storage.database import Database

log = logging.getLogger(__name__)

NOBODY = Told("")  # nobody can say
_STATE = "prompt"  # in CallIntent.applied


@dataclass(frozen=True)
class Work:
    """What a call is about now. `by`: the id of whoever gave the PIN. `take`: the recording that would be published,
    already a prompt; `doubt`: what is wrong with it."""

    by: str
    language: str = "zh"
    sentence: int = 0
    takes: int = 0
    take: str = field(default="", repr=False)
    doubt: str = ""

    def about(self, sentence: Sentence) -> Work:
        return replace(self, sentence=sentence.number, take="", doubt="")


class PromptDesk:
    """Answers the questions in `QUERIES`; satisfies the telephone room's Answers for them."""

    def __init__(
        self, db: Database, clock: Clock, recordings: Recordings, folder: Path, sentences: Callable[[], Sentences]
    ) -> None:
        self._db, self._clock, self._recordings = db, clock, recordings
        self._published, self._human = Published(folder), HumanRecordings(folder)
        self._sentences = sentences

    async def ask(self, call_id: str, query: str, _person_id: str, value: str = "") -> Told:
        work = await self._db.view(lambda session: _work(session, call_id))
        if work is None:
            log.error("call %s asks about prompts, and nobody in it has given a PIN", call_id)
            return NOBODY
        return await QUERIES[query](self, call_id, work, value)

    # ── which sentence ────────────────────────────────────────────────────────────────────────────

    async def language(self, call_id: str, work: Work, language: str) -> Told:
        await self._keep(call_id, Work(work.by, language, takes=work.takes))
        return Told("noted")

    async def number(self, call_id: str, work: Work, value: str) -> Told:
        found = self._sentences().get(int(value)) if value.isascii() and value.isdecimal() else None
        return Told("unknown") if found is None else await self._found(call_id, work, found)

    async def next_one(self, call_id: str, work: Work, _value: str) -> Told:
        found = await asyncio.to_thread(self._missing, work)
        return Told("none") if found is None else await self._found(call_id, work, found)

    def _missing(self, work: Work) -> Sentence | None:
        def unrecorded(one: Sentence) -> bool:
            return not self._human.has(one.spoken(work.language), work.language)

        return self._sentences().next_after(work.sentence, unrecorded)

    async def _found(self, call_id: str, work: Work, sentence: Sentence) -> Told:
        """The Mandarin one is played as it sounds now; what was published in another language, after it."""
        await self._keep(call_id, work.about(sentence))
        values = {"number": spoken.number(sentence.number), "sentence": sentence.text}
        present = await asyncio.to_thread(self._present, work.language, sentence)
        return Told("found", values | ({"present": present} if present else {}))

    def _present(self, language: str, sentence: Sentence) -> str:
        entry = self._published.now(language, sentence.spoken(language)) if language != "zh" else None
        there = entry is not None and (self._recordings.folder / entry.source).is_file()
        return entry.source if entry is not None and there else ""

    # ── the recording ─────────────────────────────────────────────────────────────────────────────

    async def check(self, call_id: str, work: Work, value: str) -> Told:
        sentence = self._sentences().get(work.sentence)
        if sentence is None:
            return NOBODY
        if not value:
            return Told("later")
        try:
            made = await asyncio.to_thread(self._made, value, sentence.spoken(work.language))
        except RecordingBrokenError:
            log.error("call %s: the recording %s can't be read", call_id, value)
            return NOBODY
        if not made.prompt or made.doubt is Doubt.SILENT:
            await self._keep(call_id, replace(work, take="", doubt=Doubt.SILENT))
            return Told(Doubt.SILENT)
        kept = await self._recordings.add(call_id, f"prompt{work.takes + 1}", self._clock.now(), made.prompt)
        await self._keep(call_id, replace(work, takes=work.takes + 1, take=kept.path, doubt=made.doubt or ""))
        return Told(made.doubt or "good", {"take": kept.path})

    def _made(self, path: str, text: str) -> takes.Take:
        return takes.take(self._recordings.read(path), text)

    async def publish(self, call_id: str, work: Work, _value: str) -> Told:
        return Told("doubtful") if work.doubt else await self.publish_anyway(call_id, work, _value)

    async def publish_anyway(self, call_id: str, work: Work, _value: str) -> Told:
        sentence = self._sentences().get(work.sentence)
        if sentence is None or not work.take:
            return NOBODY
        try:
            await asyncio.to_thread(self._publish, work, sentence, self._clock.now())
        except (OSError, ValueError, RecordingBrokenError) as error:
            log.error("call %s: the recording %s can't be published: %s", call_id, work.take, type(error).__name__)
            return NOBODY
        return Told("published")

    def _publish(self, work: Work, sentence: Sentence, now: datetime) -> None:
        prompt, take, text = self._recordings.read(work.take), Path(work.take).stem, sentence.spoken(work.language)
        self._published.publish(work.language, text, prompt, take, work.by, now.isoformat(), work.take)

    async def _keep(self, call_id: str, work: Work) -> None:
        await self._db.run(lambda session: _store(session, call_id, work))


def _work(session: Session, call_id: str) -> Work | None:
    """None: this call is none in which prompts may be recorded."""
    intent = session.get(CallIntent, call_id)
    if intent is None or intent.flow != RECORD_PROMPTS or not intent.applied.get("pin") or not intent.responder:
        return None
    return Work(intent.responder, **intent.applied.get(_STATE, {}))


def _store(session: Session, call_id: str, work: Work) -> None:
    intent = session.get_one(CallIntent, call_id, with_for_update=True)
    kept = {"language": work.language, "sentence": work.sentence, "takes": work.takes}
    intent.applied = {**intent.applied, _STATE: {**kept, "take": work.take, "doubt": str(work.doubt)}}


Answer = Callable[[PromptDesk, str, Work, str], Awaitable[Told]]


def _in(language: str) -> Answer:
    return lambda desk, call_id, work, _value: desk.language(call_id, work, language)


QUERIES: Mapping[str, Answer] = {
    "prompt.zh": _in("zh"),
    "prompt.wuu": _in("wuu"),
    "prompt.number": PromptDesk.number,
    "prompt.next": PromptDesk.next_one,
    "prompt.check": PromptDesk.check,
    "prompt.publish": PromptDesk.publish,
    "prompt.publish_anyway": PromptDesk.publish_anyway,
}
