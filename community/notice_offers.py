"""The newest notice that an elder has neither understood nor heard to the end goes along with their daily call, in
place of the neighbourhood's own sentence."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from checkins.errands import CHECKIN
from checkins.ports import Callee, CallPlacer, CallRequest, Clock, Placed, Trace
from community import notices
from community.notice_tables import Hearer, Notice
from storage.database import Database
from storage.faults import where

log = logging.getLogger(__name__)


class NoticeOffers:
    """Places calls as `placer` does; satisfies checkins.ports.CallPlacer. No call waits for a notice: what fails here
    is logged, and the call is made without."""

    def __init__(self, placer: CallPlacer, db: Database, clock: Clock) -> None:
        self._placer, self._db, self._clock = placer, db, clock

    async def place(self, request: CallRequest) -> Placed:
        return await self._placer.place(await self._with_notices(request))

    async def trace(self, intent_id: str, number: str, since: datetime) -> Trace:
        return await self._placer.trace(intent_id, number, since)

    async def _with_notices(self, request: CallRequest) -> CallRequest:
        if request.flow != CHECKIN:
            return request
        now, ids = self._clock.now(), [callee.id for callee in request.callees]
        try:
            if not await self._db.view(lambda session: any(_newest(session, id_, now) for id_ in ids)):
                return request
            found = await self._db.run(lambda session: offer(session, request.id, ids, now))
        except Exception as error:
            log.error("call %s goes without its notices (%s)", request.id, where(error))
            return request
        return replace(request, callees=tuple(_also(callee, found) for callee in request.callees))


def offer(session: Session, call_id: str, people: Sequence[str], now: datetime) -> dict[str, dict[str, str]]:
    """What this call is going to say, by person, written down; nothing for whom there is nothing new."""
    found = {}
    for person_id in people:
        newest = _newest(session, person_id, now)
        if newest is not None:
            row, notice = newest
            notices.say(session, row, call_id)
            found[person_id] = {**notices.with_words(notice), "notice_asks": "1"}
    return found


def _newest(session: Session, person_id: str, now: datetime) -> tuple[Hearer, Notice] | None:
    fresh = notices.of_person(session, person_id, now)
    return next((each for each in fresh if each[0].understood_at is None and each[0].heard_at is None), None)


def _also(callee: Callee, found: Mapping[str, Mapping[str, str]]) -> Callee:
    return replace(callee, variables={**callee.variables, **found.get(callee.id, {})})
