"""What follows for notices by the passing of time: whoever came into the register gets their row, whom no machine may
ring (any more) is given up, and staff have one item for each notice with which somebody must go from door to door.

Most looks find nothing to do and read a few rows by their indexes, however many elders there are. The register is read
through only now and then: who came in waits for that, and whom no machine may ring is not rung before, either.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from checkins import items, promises
from checkins.items import Item, ItemKind
from checkins.people import stops_calls
from checkins.ports import Clock
from checkins.results import LINE
from checkins.roster import loading
from checkins.tables import GONE, Neighbourhood, Person
from community import notice_calls, notices
from community.notice_draft import elders as elders_of
from community.notice_tables import FIRST_NOTICE, Hearer, Notice, Topic
from community.notice_targets import is_for
from storage.database import Database
from storage.rounds import repeat

log = logging.getLogger(__name__)

EVERY_S = 30.0
READ_THROUGH = timedelta(minutes=5)  # the register
_LONG_AGO = datetime.fromtimestamp(0, UTC)


class NoticeRounds:
    """Everything it does may be done twice."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self._read_at: datetime | None = None

    async def look(self) -> None:
        now = self._clock.now()
        through = self._read_at is None or not timedelta() <= now - self._read_at < READ_THROUGH
        for id_ in await self._db.view(lambda session: _to_keep(session, now, through=through)):
            await self._db.run(partial(keep, notice_id=id_, now=now))
        if through:
            self._read_at = now

    async def run(self, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
        """Looks until `stop` is set. A round that fails is logged, and the next one follows."""
        await repeat(self.look, stop, every_s, log, "a round of the notices failed (%s); the next one follows")


def keep(session: Session, notice_id: int, now: datetime) -> None:
    """Safe to repeat."""
    notice = session.get_one(Notice, notice_id, with_for_update=True)
    item = _open(session, notice)
    if notices.holds(notice, now):
        notices.spread(session, notice, now)
        notice_calls.give_up(_barred(session, notice), now)
        session.flush()
    else:
        notices.stop_ringing(session, notice)
    door = _door(session, notice, now)
    if door and item is None:
        _want(session, notice, now)
    elif not door and item is not None:
        item.done_by, item.done_at = LINE, now


# ── what wants something done: only reads ─────────────────────────────────────────────────────────


def _to_keep(session: Session, now: datetime, *, through: bool) -> list[int]:
    holding = _holding(session, now)
    found = {notice.id for notice in holding if _door(session, notice, now) != (_open(session, notice) is not None)}
    found |= _over(session, {notice.id for notice in holding})
    if through:
        found |= _changed(session, holding) | _still_due(session, now)
    return sorted(found)


def _holding(session: Session, now: datetime) -> Sequence[Notice]:
    places = select(Neighbourhood.id)  # by the index of places and ends: old notices are not read
    query = select(Notice).where(Notice.neighbourhood_id.in_(places), Notice.valid_until > now)
    query = query.where(Notice.valid_from <= now, Notice.withdrawn_at.is_(None), Notice.topic == Topic.NOTICE)
    return session.scalars(query.order_by(Notice.id)).all()


def _over(session: Session, holding: set[int]) -> set[int]:
    """Notices that hold no more, or not yet, and whose item is open."""
    places = select(Neighbourhood.id)
    query = select(Item.detail).where(Item.neighbourhood_id.in_(places), Item.done_at.is_(None))
    numbers = (detail["notice"] for detail in session.scalars(query.where(Item.kind == ItemKind.NOTICE_DOOR)) if detail)
    return {number - FIRST_NOTICE + 1 for number in numbers} - holding


def _changed(session: Session, holding: Sequence[Notice]) -> set[int]:
    """Those for which the register says something new: somebody has no row yet, or may not be rung any more."""
    found = set()
    for place in {notice.neighbourhood_id for notice in holding}:
        elders = session.scalars(select(Person).where(*elders_of(place))).all()
        barred = {person.id for person in elders if stops_calls(person) is not None}
        here = [notice for notice in holding if notice.neighbourhood_id == place]
        found |= {notice.id for notice in here if _is_new(session, notice, elders, barred)}
    return found


def _is_new(session: Session, notice: Notice, elders: Sequence[Person], barred: set[str]) -> bool:
    written = set(session.scalars(select(Hearer.person_id).where(Hearer.notice_id == notice.id)))
    waiting = select(Hearer.person_id).where(*_waits(notice))
    return not barred.isdisjoint(session.scalars(waiting)) or any(
        person.id not in written and is_for(notice, person) for person in elders
    )


def _still_due(session: Session, now: datetime) -> set[int]:
    """Those that hold no more and have rows with a call ahead: so found by the index of `due_at`."""
    query = select(Hearer.notice_id).join(Notice, Notice.id == Hearer.notice_id).where(Hearer.due_at > _LONG_AGO)
    return set(session.scalars(query.where((Notice.valid_until <= now) | Notice.withdrawn_at.is_not(None))))


# ── who must be gone to ───────────────────────────────────────────────────────────────────────────


def _waits(notice: Notice) -> tuple[ColumnElement[bool], ...]:
    """Rows of those who have not been reached, and have not been given up."""
    return Hearer.notice_id == notice.id, Hearer.understood_at.is_(None), Hearer.given_up_at.is_(None)


def _barred(session: Session, notice: Notice) -> list[Hearer]:
    """Whom a machine may not ring as the register stands now, and who has not been given up."""
    query = select(Hearer, Person).join(Person, Person.id == Hearer.person_id).where(*_waits(notice))
    found = session.execute(query.where(Person.state.not_in(GONE)).order_by(Hearer.id).with_for_update(of=Hearer))
    return [row for row, person in found if stops_calls(person) is not None]


def _door(session: Session, notice: Notice, now: datetime) -> bool:
    """Whether somebody must go, and nobody has done so since the last of them was given up; once more for all when half
    of its time is over."""
    if not notices.holds(notice, now):
        return False
    done, half = _done(session, notice), notices.half_time(notice)
    open_ = select(Hearer.id).join(Person, Person.id == Hearer.person_id)
    open_ = open_.where(Hearer.notice_id == notice.id, Hearer.understood_at.is_(None), Person.state.not_in(GONE))
    if now < half or (done is not None and done >= half):
        given_up = Hearer.given_up_at.is_not(None) if done is None else Hearer.given_up_at > done
        open_ = open_.where(given_up)
    return session.scalar(open_.limit(1)) is not None


def _done(session: Session, notice: Notice) -> datetime | None:
    """When somebody has ticked it off last."""
    query = select(func.max(Item.done_at)).where(Item.neighbourhood_id == notice.neighbourhood_id)
    return session.scalar(query.where(Item.key == _key(notice)))


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
