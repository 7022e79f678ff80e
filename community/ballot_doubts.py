"""What a roll took for several places and may be one: staff look before anybody chooses twice."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.homes import alike, plain
from checkins.tables import Person
from community import ballot_rows as rows
from community.ballot import Unit
from community.ballot_tables import Ballot, BallotMember, BallotSlot


def doubtful(session: Session, ballot: Ballot) -> list[tuple[str, ...]]:
    """Addresses or units of several places, as they are written: alike, or the same (of a roll that took two spellings
    for two units, or where no flat is named)."""
    homes: dict[str, dict[int, str]] = {}
    for place, text in _written(session, ballot):
        homes.setdefault(plain(text), {}).setdefault(place, text)
    found = [tuple(there.values()) for there in homes.values() if len(there) > 1]
    pairs = [(homes[one], homes[other]) for one, other in alike(homes)]
    return found + [(*one.values(), *other.values()) for one, other in pairs if one.keys() != other.keys()]


def _written(session: Session, ballot: Ballot) -> list[tuple[int, str]]:
    match ballot.unit:
        case Unit.OWNER:
            return [(slot.id, unit_of(slot)) for slot in rows.slots(session, ballot)]
        case Unit.HOUSEHOLD:
            query = select(BallotSlot.id, Person.address).join(BallotMember, BallotMember.slot_id == BallotSlot.id)
            query = query.join(Person, Person.id == BallotMember.person_id).where(BallotSlot.ballot_id == ballot.id)
            found = session.execute(query.order_by(BallotSlot.id, Person.id))
            return [(place, address) for place, address in found if address]
    return []


def unit_of(slot: BallotSlot) -> str:
    """An owner's unit as the roll has it."""
    return slot.label.removesuffix(f" {'、'.join(slot.owners or [])}")
