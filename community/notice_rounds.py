"""What follows for notices by the passing of time: whoever came into the register gets their row, whom no machine may
ring (any more) is given up, and staff have one item for each notice with which somebody must go from door to door."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import items, promises
from checkins.items import Item, ItemKind
from checkins.people import stops_calls
from checkins.ports import Clock
from checkins.results import LINE
from checkins.roster import loading
from community import notice_calls, notices
from community.notice_tables import Hearer, Notice, Topic
from storage.database import Database
from storage.rounds import repeat

log = logging.getLogger(__name__)

EVERY_S = 30.0


class NoticeRounds:
    """Everything it does may be done twice."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def look(self) -> None:
        now = self._clock.now()
        for id_ in await self._db.view(lambda session: _to_keep(session, now)):
            await self._db.run(partial(keep, notice_id=id_, now=now))

    async def run(self, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
        """Looks until `stop` is set. A round that fails is logged, and the next one follows."""
        await repeat(self.look, stop, every_s, log, "a round of the notices failed (%s); the next one follows")


def _to_keep(session: Session, now: datetime) -> list[int]:
    """Notices that want something done. Only reads: most of the time there are none."""
    found = session.scalars(select(Notice).where(Notice.topic == Topic.NOTICE).order_by(Notice.id))
    return [notice.id for notice in found if _wants(session, notice, now)]


def _wants(session: Session, notice: Notice, now: datetime) -> bool:
    item = _open(session, notice)
    if not notices.holds(notice, now):
        return item is not None
    missing = bool(notices.not_written(session, notice))
    return missing or bool(_barred(session, notice)) or _door(session, notice, now) != (item is not None)


def keep(session: Session, notice_id: int, now: datetime) -> None:
    """Safe to repeat."""
    notice = session.get_one(Notice, notice_id, with_for_update=True)
    item = _open(session, notice)
    if notices.holds(notice, now):
        notices.spread(session, notice, now)
        notice_calls.give_up(_barred(session, notice), now)
        session.flush()
    door = notices.holds(notice, now) and _door(session, notice, now)
    if door and item is None:
        _want(session, notice, now)
    elif not door and item is not None:
        item.done_by, item.done_at = LINE, now


def _barred(session: Session, notice: Notice) -> list[Hearer]:
    """Who waits for a call and may not be rung by a machine as the register stands now."""
    return [row for row, person in notices.unreached(session, notice) if row.due_at is not None and stops_calls(person)]


def _door(session: Session, notice: Notice, now: datetime) -> bool:
    """Whether somebody must go, and nobody has done so since the last of them was given up."""
    found = notices.to_visit(session, notice, now)
    query = select(Item.done_at).where(Item.neighbourhood_id == notice.neighbourhood_id, Item.key == _key(notice))
    done = max(filter(None, session.scalars(query.where(Item.done_at.is_not(None)))), default=None)
    if done is None:
        return bool(found)
    since = [row.given_up_at or (None if notice.urgent else notices.half_time(notice)) for row, _ in found]
    return any(moment is not None and moment > done for moment in since)


def _want(session: Session, notice: Notice, now: datetime) -> None:
    due = promises.promised(loading.calendar_of(session, notice.neighbourhood_id), now)
    about, text = str(notice.number), f"{notice.number}号公告"
    items.open_item(
        session,
        ItemKind.NOTICE_DOOR,
        now,
        neighbourhood_id=notice.neighbourhood_id,
        due_at=min(due, notice.valid_until),
        about=about,
        detail={"notice": notice.number, "text": text},
    )


def _open(session: Session, notice: Notice) -> Item | None:
    query = select(Item).where(Item.neighbourhood_id == notice.neighbourhood_id, Item.key == _key(notice))
    return session.scalars(query.where(Item.done_at.is_(None))).first()


def _key(notice: Notice) -> str:
    return items.key_of(ItemKind.NOTICE_DOOR, about=str(notice.number))
