"""Rows of ballots, found and written. Every function runs inside somebody's transaction; whoever writes a choice holds
the ballot and then the place on the roll."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins.tables import Person
from community import ballot as core
from community.ballot import Chosen, Record, Taken
from community.ballot_tables import (
    FIRST_BALLOT,
    Ballot,
    BallotChoice,
    BallotEvent,
    BallotMember,
    BallotSlot,
    BallotTopic,
)

REFUSED = "refused"


def by_number(session: Session, number: int) -> Ballot:
    """Locked. LookupError when there is none."""
    row = session.scalar(select(Ballot).where(Ballot.number == number).with_for_update())
    if row is None:
        raise LookupError(f"there is no ballot {number} (`ballots list` shows all)")
    return row


def locked(session: Session, ballot_id: int) -> Ballot:
    session.flush()
    return session.get_one(Ballot, ballot_id, with_for_update=True, populate_existing=True)


def next_number(session: Session) -> int:
    return (session.scalar(select(func.max(Ballot.number))) or FIRST_BALLOT - 1) + 1


def is_open(ballot: Ballot, now: datetime) -> bool:
    return ballot.opens_at <= now < ballot.closes_at and ballot.sealed_at is None and ballot.key is not None


def open_now(session: Session, now: datetime) -> list[Ballot]:
    """What closes first comes first."""
    query = select(Ballot).where(Ballot.opens_at <= now, Ballot.closes_at > now, Ballot.sealed_at.is_(None))
    return list(session.scalars(query.order_by(Ballot.closes_at, Ballot.id)))


def topics(session: Session, ballot: Ballot) -> list[BallotTopic]:
    return list(
        session.scalars(select(BallotTopic).where(BallotTopic.ballot_id == ballot.id).order_by(BallotTopic.position))
    )


def slots(session: Session, ballot: Ballot) -> list[BallotSlot]:
    return list(session.scalars(select(BallotSlot).where(BallotSlot.ballot_id == ballot.id).order_by(BallotSlot.id)))


def slot_of(session: Session, ballot: Ballot, person_id: str) -> BallotSlot | None:
    """The place on the roll that this person is a member of."""
    query = select(BallotSlot).join(BallotMember, BallotMember.slot_id == BallotSlot.id)
    query = query.where(BallotSlot.ballot_id == ballot.id, BallotMember.person_id == person_id)
    return session.scalars(query.order_by(BallotSlot.id)).first()


def members(session: Session, slot: BallotSlot) -> list[Person]:
    query = select(Person).join(BallotMember, BallotMember.person_id == Person.id)
    return list(session.scalars(query.where(BallotMember.slot_id == slot.id).order_by(Person.name, Person.id)))


def taken(slot: BallotSlot) -> Taken | None:
    if slot.holder is None or slot.channel is None:
        return None
    return Taken(slot.id, slot.holder, core.Channel(slot.channel))


def chosen(session: Session, ballot: Ballot, voter: str | None = None) -> list[Chosen]:
    """The log of choices; of one voter, or all of it."""
    query = select(BallotChoice).where(BallotChoice.ballot_id == ballot.id)
    if voter is not None:
        query = query.where(BallotChoice.voter == voter)
    return [Chosen(row.voter, row.topic, row.nth, row.option) for row in session.scalars(query)]


def write(session: Session, ballot: Ballot, slot: BallotSlot, records: Sequence[Record]) -> None:
    for record in records:
        match record:
            case Taken(_, holder, channel):
                slot.holder, slot.channel = holder, channel
            case Chosen(voter, topic, nth, option):
                row = BallotChoice(id=secrets.token_hex(16), ballot_id=ballot.id, voter=voter, topic=topic, nth=nth)
                row.option = option
                session.add(row)
    session.flush()


def note(
    session: Session,
    ballot: Ballot,
    what: str,
    who: str,
    now: datetime,
    *,
    slot: BallotSlot | None = None,
    call_id: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Writes into the log of what happened; never what was chosen."""
    event = BallotEvent(ballot_id=ballot.id, slot_id=slot.id if slot else None, at=now, what=what, who=who[:100])
    event.call_id, event.detail = call_id, detail or None
    session.add(event)
    session.flush()


def in_call(session: Session, call_id: str) -> list[BallotEvent]:
    return list(session.scalars(select(BallotEvent).where(BallotEvent.call_id == call_id).order_by(BallotEvent.id)))


def events(session: Session, ballot: Ballot) -> list[BallotEvent]:
    query = select(BallotEvent).where(BallotEvent.ballot_id == ballot.id).order_by(BallotEvent.id)
    return list(session.scalars(query))
