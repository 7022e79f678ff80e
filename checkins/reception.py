"""What the telephone room asks of the care room while somebody is on the line: who rings in, and what a flow asks of
the program. Every answer is one short transaction in a thread: who stops waiting for it breaks nothing off."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from checkins import answers, away, buddy_logs, handing_over, pins, ringing_in
from checkins.case_rows import served_by
from checkins.errands import BUDDY_LOG, RECORD_PROMPTS
from checkins.intents import INBOUND
from checkins.pins import Known, PinVerdict
from checkins.ports import CallRequest, Clock, Told
from checkins.ringing_in import Heard
from checkins.tables import CallIntent, Checkin, Person
from storage.database import Database

log = logging.getLogger(__name__)


class Reception:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def rang_in(self, call_id: str, number: str, key: str | None = None) -> CallRequest | Heard:
        """Durable when it returns. `key`: the answer to WHO ("": none)."""
        now = self._clock.now()
        return await self._db.run(lambda session: ringing_in.rang_in(session, call_id, number, now, key))

    async def ask(self, call_id: str, query: str, person_id: str, value: str) -> Told:
        """The flow's word for the answer ("": nobody can say), and the values that go with it. `value` may be a
        PIN."""
        now = self._clock.now()
        if query == "pin":
            return Told(await asyncio.to_thread(self._pin, call_id, value, now))
        if query in _WITH_VALUES:
            told = _WITH_VALUES[query]
            return await self._db.run(lambda session: told(session, call_id, person_id, value, now))
        work = _QUESTIONS.get(query)
        if work is None:
            log.error("call %s: nobody here answers the question %s", call_id, query)
            return Told("")
        return Told(await self._db.run(lambda session: work(session, call_id, person_id, now)))

    def _pin(self, call_id: str, value: str, now: datetime) -> str:
        """Hashing takes its time: between two transactions, not in one."""
        with self._db.read() as session:
            known = _pins_of(session, call_id)
        if not known:
            return ""
        right = next((each for each in known if pins.matches(value, each.hashed)), None)
        with self._db.write() as session:
            verdict = pins.judge_all(session, known, right, now)
            if verdict is PinVerdict.RIGHT and right is not None:
                intent = session.get_one(CallIntent, call_id, with_for_update=True)
                intent.applied, intent.responder = {**intent.applied, "pin": True}, right.person_id
        return verdict or ""


_WHO_MAY: Mapping[str, Callable[[Session, CallIntent], list[Person]]] = {
    BUDDY_LOG: ringing_in.who_may_log,
    RECORD_PROMPTS: ringing_in.who_may_record,
}


def _pins_of(session: Session, call_id: str) -> list[Known]:
    """PINs that count in this call. A finding is asked of one person; others may be any of those with this number."""
    intent = session.get(CallIntent, call_id)
    if intent is None or intent.purpose != INBOUND or intent.responder is None:
        return []
    whose = [intent.responder]
    if may := _WHO_MAY.get(intent.flow or ""):
        whose = [one.id for one in may(session, intent)]
    return [pin for one in whose if (pin := pins.known(session, one)) is not None]


def _claim(session: Session, call_id: str, person_id: str, now: datetime) -> str:
    """Whether who has just pressed that they go was the first. From now on it is theirs."""
    intent = session.get(CallIntent, call_id, with_for_update=True)
    query = served_by(call_id).where(Checkin.elder_id == person_id)
    row = session.scalars(query.with_for_update(of=Checkin)).first()
    if intent is None or intent.responder is None or row is None:
        return ""
    return "first" if answers.first(session, intent, row, now) else "taken"


def _could_not_reach(session: Session, call_id: str, person_id: str, now: datetime) -> str:
    intent = session.get(CallIntent, call_id, with_for_update=True)
    opened = intent is not None and buddy_logs.could_not_reach(session, intent, person_id, now)
    return "opened" if opened else ""


def _take(session: Session, call_id: str, person_id: str, now: datetime) -> str:
    return "yours" if handing_over.taken(session, call_id, person_id, now) else ""


_QUESTIONS: Mapping[str, Callable[[Session, str, str, datetime], str]] = {
    "claim": _claim,
    "could_not_reach": _could_not_reach,
    "take": _take,
}
_WITH_VALUES: Mapping[str, Callable[[Session, str, str, str, datetime], Told]] = {
    "away": away.until,
    "away.confirmed": away.confirmed,
}
