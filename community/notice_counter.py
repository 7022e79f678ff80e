"""What a flow asks about notices and the board while somebody is on the line. Every answer is one short transaction.
Personal: nothing of it is logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


@dataclass(frozen=True)
class _Asked:
    """Who asks, in which call, when."""

    call_id: str
    person_id: str
    now: datetime


class NoticeCounter:
    """Answers the questions in `QUERIES`; satisfies the telephone room's Answers for them."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def ask(self, call_id: str, query: str, person_id: str, _value: str = "") -> Told:
        if not person_id:  # a stranger's building and language are unknown
            return NONE
        asked, work = _Asked(call_id, person_id, self._clock.now()), QUERIES[query]
        return await self._db.run(lambda session: work(session, asked))


def _next(session: Session, asked: _Asked) -> Told:
    """In a call that was made for it."""
    found = next_notice(session, asked.call_id, asked.person_id)
    return NONE if found is None else _say(session, asked, *found)


def _on_demand(session: Session, asked: _Asked) -> Told:
    """Who asks hears all that holds for them, newest first, each once in a call; also what they have heard before."""
    found = notices.of_person(session, asked.person_id, asked.now)
    left = ((row, notice) for row, notice in found if row.call_id != asked.call_id)
    row, notice = next(left, (None, None))
    return NONE if row is None or notice is None else _say(session, asked, row, notice)


def _say(session: Session, asked: _Asked, row: Hearer, notice: Notice) -> Told:
    notices.say(session, row, asked.call_id)
    return Told("notice", notices.spoken(notice))


def _understood(session: Session, asked: _Asked) -> Told:
    row = notices.last_of_call(session, asked.call_id, asked.person_id)
    if row is None:
        return NOBODY
    notices.understood(row, session.get_one(Person, asked.person_id).name, asked.now)
    return NOTED


def _heard(session: Session, asked: _Asked) -> Told:
    """Nobody has pressed anything: it was played to the end."""
    row = notices.last_of_call(session, asked.call_id, asked.person_id)
    if row is None:
        return NOBODY
    notices.heard(row, asked.now)
    return NOTED


def _board(topic: Topic) -> Callable[[Session, _Asked], Told]:
    """The newest entry of this topic that holds for them, as one value."""

    def read(session: Session, asked: _Asked) -> Told:
        person = session.get_one(Person, asked.person_id)
        found = notices.valid(session, person.neighbourhood_id, asked.now, topic)
        mine = next((notice for notice in found if is_for(notice, person)), None)
        return NONE if mine is None else Told("entry", _entry(mine))

    return read


def _entry(notice: Notice) -> dict[str, str]:
    return {"entry_audio": notice.recording} if notice.recording else {"entry": notice.text}


QUERIES: Mapping[str, Callable[[Session, _Asked], Told]] = {
    "notice.next": _next,
    "notice.ask": _on_demand,
    "notice.understood": _understood,
    "notice.heard": _heard,
    "board.hours": _board(Topic.HOURS),
    "board.services": _board(Topic.SERVICES),
    "board.news": _board(Topic.NEWS),
}
