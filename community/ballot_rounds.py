"""When a ballot is over its result is counted and sealed, in one transaction: the counts, that the key of its voters is
gone and their choices are shuffled, and whom the line tells. Then nobody can choose, or change, any more."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins.ports import Clock
from checkins.results import LINE
from community import ballot as core
from community import ballot_acts as acts
from community import ballot_calls as calls
from community import ballot_rows as rows
from community.ballot_tables import Ballot, BallotSlot, Errand
from storage.database import Database
from storage.rounds import repeat

log = logging.getLogger(__name__)

EVERY_S = 20.0
SEALED = "sealed"


class BallotRounds:
    """Everything it does may be done twice."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def look(self) -> None:
        now = self._clock.now()
        for ballot_id in await self._db.view(lambda session: _over(session, now)):
            await self._db.run(partial(seal, ballot_id=ballot_id, now=now))

    async def run(self, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
        await repeat(self.look, stop, every_s, log, "a round of the ballots failed (%s); the next one follows")


def _over(session: Session, now: datetime) -> list[int]:
    query = select(Ballot.id).where(Ballot.sealed_at.is_(None), Ballot.closes_at <= now, Ballot.withdrawn_by.is_(None))
    return list(session.scalars(query.order_by(Ballot.id)))


def seal(session: Session, ballot_id: int, now: datetime) -> None:
    ballot = rows.locked(session, ballot_id)
    if ballot.sealed_at is not None or ballot.closes_at > now:
        return
    ballot.result, ballot.sealed_at, ballot.key = counted(session, ballot), now, None
    rows.shuffle(session, ballot)
    rows.note(session, ballot, SEALED, LINE, now)
    calls.stop(session, ballot, LINE, now)
    acts.unlocked(session, ballot, rows.locked_slots(session, ballot), LINE, now)
    calls.tell(session, ballot, rows.took_part(session, ballot), now)
    by_staff = rows.untold(session, ballot)
    rows.forget_phones(session, ballot, but={slot.id for slot in by_staff})
    if by_staff:
        calls.open_item(session, ballot, Errand.RESULT, now)


def counted(session: Session, ballot: Ballot) -> dict[str, list[int]]:
    """From the log alone; before and after the sealing it comes to the same."""
    found = core.counts(rows.chosen(session, ballot), _options(session, ballot))
    return {str(topic): votes for topic, votes in found.items()}


@dataclass(frozen=True)
class Recount:
    """The log counted anew, beside what was told. `took`: places of the roll that chose; more voters than these would
    mean that somebody has added choices."""

    counts: dict[str, list[int]]
    voters: int
    took: int
    same: bool

    @property
    def agrees(self) -> bool:
        return self.same and self.voters <= self.took


def recount(session: Session, ballot: Ballot) -> Recount | None:
    """None before it is over, and for one that was withdrawn."""
    if ballot.result is None:
        return None
    log, options = rows.chosen(session, ballot), _options(session, ballot)
    counts = {str(topic): votes for topic, votes in core.counts(log, options).items()}
    query = select(func.count()).where(BallotSlot.ballot_id == ballot.id, func.coalesce(BallotSlot.holder, "") != "")
    return Recount(counts, core.voters(log), session.scalar(query) or 0, counts == ballot.result)


def _options(session: Session, ballot: Ballot) -> dict[int, int]:
    return {topic.position: len(topic.options) for topic in rows.topics(session, ballot)}
