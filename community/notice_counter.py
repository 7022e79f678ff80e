"""What a flow asks about notices and the board while somebody is on the line. Every answer is one short transaction.
Personal: nothing of it is logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from checkins.ports import Clock, Told
from checkins.tables import Person
from community import notices
from community.notice_calls import next_notice
from community.notice_tables import Hearer, Notice, Topic
from community.notice_targets import is_for
from storage.database import Database

NOBODY = Told("")  # nobody can say
NONE = Told("none")
NOTED = Told("noted")
ASKED_AGAIN = Told("asked_again")  # understood, as far as a number that rings in can say so
BOARD = (Topic.HOURS, Topic.SERVICES, Topic.NEWS)
MOST = 4  # entries of a topic that are read, one after the other


@dataclass(frozen=True)
class _Asked:
    """Who asks, in which call, when; `value`: what the question is about."""

    call_id: str
    person_id: str
    now: datetime
    value: str = ""


class NoticeCounter:
    """Answers the questions in `QUERIES`; satisfies the telephone room's Answers for them."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def ask(self, call_id: str, query: str, person_id: str, value: str = "") -> Told:
        if not person_id:  # a stranger's building and language are unknown
            return NONE
        asked, work = _Asked(call_id, person_id, self._clock.now(), value), QUERIES[query]
        return await self._db.run(lambda session: work(session, asked))


def _next(session: Session, asked: _Asked) -> Told:
    """In a call that was made for it."""
    found = next_notice(session, asked.call_id, asked.person_id)
    if found is None:
        return NONE
    row, notice = found
    notices.say(session, row, asked.call_id)
    return Told("notice", notices.spoken(notice))


def _on_demand(session: Session, asked: _Asked) -> Told:
    """Who asks hears all that holds for them, newest first, each once in a call; also what they have heard before.
    With it goes whether there is something on the board for them."""
    found = notices.of_person(session, asked.person_id, asked.now)
    left = ((row, notice) for row, notice in found if row.call_id != asked.call_id)
    row, notice = next(left, (None, None))
    more = {"board": "1"} if any(_entries(session, asked, topic) for topic in BOARD) else {}
    if row is None or notice is None:
        return Told("none", more)
    notices.say(session, row, asked.call_id)
    return Told("notice", {**notices.with_words(notice), **more})


def _understood(session: Session, asked: _Asked) -> Told:
    row = notices.last_of_call(session, asked.call_id, asked.person_id)
    if row is None:
        return NOBODY
    if not _counts(session, asked, row):
        return ASKED_AGAIN
    notices.understood(row, session.get_one(Person, asked.person_id).name, asked.now)
    return NOTED


def _heard(session: Session, asked: _Asked) -> Told:
    """Nobody has pressed anything: it was played to the end."""
    row = notices.last_of_call(session, asked.call_id, asked.person_id)
    if row is None:
        return NOBODY
    if _counts(session, asked, row):
        notices.heard(row, asked.now)
    return NOTED


def _counts(session: Session, asked: _Asked, row: Hearer) -> bool:
    """Of an urgent notice only what was pressed in a call that we made: a number that rings in proves nothing, and
    whoever forges it must not keep the elder from being told."""
    return not session.get_one(Notice, row.notice_id).urgent or notices.is_ours(session, asked.call_id)


def _board(topic: Topic) -> Callable[[Session, _Asked], Told]:
    """The newest entry of this topic that holds for them; asked about an entry's number: the one after that."""

    def read(session: Session, asked: _Asked) -> Told:
        left = _after(_entries(session, asked, topic), asked.value)
        return Told("entry", _entry(left[0])) if left else NONE

    return read


def _entries(session: Session, asked: _Asked, topic: Topic) -> Sequence[Notice]:
    """The newest that hold for them, the newest first."""
    person = session.get_one(Person, asked.person_id)
    found = notices.valid(session, person.neighbourhood_id, asked.now, topic)
    return [notice for notice in found if is_for(notice, person)][:MOST]


def _after(found: Sequence[Notice], number: str) -> Sequence[Notice]:
    """Those that follow on the entry of this number; all when there is none."""
    return [notice for notice in found if notice.number < int(number)] if number.isdecimal() else found


def _entry(notice: Notice) -> dict[str, str]:
    """A recording is played; the words are for when it can't be."""
    recorded = {"entry_audio": notice.recording} if notice.recording else {}
    return {"entry": notice.text, "entry_number": str(notice.number), **recorded}


QUERIES: Mapping[str, Callable[[Session, _Asked], Told]] = {
    "notice.next": _next,
    "notice.ask": _on_demand,
    "notice.understood": _understood,
    "notice.heard": _heard,
    "board.hours": _board(Topic.HOURS),
    "board.services": _board(Topic.SERVICES),
    "board.news": _board(Topic.NEWS),
}
