"""What a roll took for several places and may be one: staff look before anybody chooses twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.homes import alike, plain
from checkins.tables import Person
from community import ballot_rows as rows
from community.ballot import Unit
from community.ballot_making import Place
from community.ballot_tables import Ballot, BallotMember, BallotSlot


def doubtful(session: Session, ballot: Ballot) -> list[tuple[str, ...]]:
    """Addresses or units of several places, as they are written: alike, or the same (of a roll that took two spellings
    for two units, or where no flat is named)."""
    return _alike(_written(session, ballot))


def doubtful_places(session: Session, unit: Unit, places: Sequence[Place]) -> list[tuple[str, ...]]:
    """The same of a roll to be."""
    if unit is Unit.OWNER:
        return _alike((nth, unit_in(each.label, each.owners)) for nth, each in enumerate(places))
    if unit is Unit.PERSON:
        return []
    members = {person: nth for nth, each in enumerate(places) for person in each.members}
    query = select(Person.id, Person.address).where(Person.address.is_not(None)).order_by(Person.id)
    return _alike((members[who], address) for who, address in session.execute(query) if who in members and address)


def _alike(written: Iterable[tuple[int, str]]) -> list[tuple[str, ...]]:
    homes: dict[str, dict[int, str]] = {}
    for place, text in written:
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
    return unit_in(slot.label, slot.owners or ())


def unit_in(label: str, owners: Sequence[str]) -> str:
    return label.removesuffix(f" {'、'.join(owners)}")
