"""Letters of an owners' ballot: a number and a PIN for each unit, which stand on paper only."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import pins
from checkins.names import named
from community import ballot_acts as acts
from community import ballot_rows as rows
from community.ballot import Unit
from community.ballot_staff import units
from community.ballot_tables import Ballot, BallotEvent, BallotSlot
from community.wrong import Unknown, Wrong


@dataclass(frozen=True)
class Addressee:
    """A unit that a letter goes to, and the letter's number. `before`: the hash of the PIN that it has."""

    slot_id: int
    unit: str = field(repr=False)
    number: int
    before: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Letter:
    """`pin` stands on paper only."""

    slot_id: int
    unit: str = field(repr=False)
    number: int
    pin: str = field(repr=False)
    hashed: str = field(repr=False)
    before: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Batch:
    """Letters that were made in one go, and are the newest of their units."""

    at: datetime
    by: str
    slots: tuple[int, ...]


def letters(session: Session, number: int, now: datetime, unit: str = "") -> list[Letter]:
    """New PINs for all units that have none, or for one. Only read: they count from `post` on."""
    return [letter(each) for each in addressees(session, number, now, unit)]


def addressees(session: Session, number: int, now: datetime, unit: str = "") -> list[Addressee]:
    """All units that have no letter yet, or this one. Unknown, or Wrong when it is over."""
    ballot = _owners(session, number, now)
    slots = rows.slots(session, ballot)
    found = units(slots, unit) if unit else [each for each in slots if not each.pin]
    if unit and not found:
        raise Unknown(f"业主名册上没有{unit}", f"{unit} is no unit of this ballot's owners' roll")
    return [_addressee(slot) for slot in found]


def again(session: Session, number: int, now: datetime, batch: datetime) -> list[Addressee]:
    """Those of a batch that never came onto paper, or was lost; who has had a newer letter since keeps that."""
    ballot = _owners(session, number, now)
    meant = {slot_id for each in batches(session, ballot) if each.at == batch for slot_id in each.slots}
    if not meant:
        raise Unknown("没有这一批信，或者已经重新做过", "there is no such batch of letters, or newer ones were made")
    return [_addressee(slot) for slot in rows.slots(session, ballot) if slot.id in meant]


def batches(session: Session, ballot: Ballot) -> list[Batch]:
    """Newest first."""
    query = select(BallotEvent).where(BallotEvent.ballot_id == ballot.id, BallotEvent.what == rows.LETTER_MADE)
    newest = {event.slot_id: event for event in session.scalars(query.order_by(BallotEvent.id)) if event.slot_id}
    found: dict[tuple[datetime, str], list[int]] = {}
    for slot_id, event in newest.items():
        found.setdefault((event.at, event.who), []).append(slot_id)
    return [Batch(at, by, tuple(slots)) for (at, by), slots in sorted(found.items(), reverse=True)]


def letters_for(found: Sequence[Addressee]) -> Iterator[Letter]:
    """One after the other as they are made, in the order of `found`: about 20 a second for each processor. Needs no
    database."""
    with ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0)), thread_name_prefix="letters") as pool:
        yield from pool.map(letter, found)


def letter(to: Addressee) -> Letter:
    """Takes its time: the PIN is hashed."""
    pin = pins.make()
    return Letter(to.slot_id, to.unit, to.number, pin, pins.hashed(pin), to.before)


def _addressee(slot: BallotSlot) -> Addressee:
    return Addressee(slot.id, slot.label, slot.letter or 0, slot.pin)


def _owners(session: Session, number: int, now: datetime) -> Ballot:
    ballot = session.scalars(select(Ballot).where(Ballot.number == number)).one_or_none()
    if ballot is None or ballot.unit != Unit.OWNER:
        raise Unknown(f"{number}不是业主打钩", f"{number} is no owners' ballot")
    _not_over(ballot, now)
    return ballot


def _not_over(ballot: Ballot, now: datetime) -> None:
    if ballot.sealed_at is not None or ballot.closes_at <= now:
        raise Wrong(f"{ballot.number}已经结束，信没有用了", f"{ballot.number} is over: a letter would open nothing")


def post(session: Session, number: int, made: Sequence[Letter], by: str, now: datetime) -> None:
    """The letters are on paper: their PINs count, and older ones no more. Wrong when it is over meanwhile, or somebody
    else has made letters for some of these units: theirs count."""
    ballot, by = rows.by_number(session, number), named(by)
    _not_over(ballot, now)
    query = select(BallotSlot).where(BallotSlot.ballot_id == ballot.id).with_for_update()
    places = {slot.id: slot for slot in session.scalars(query.execution_options(populate_existing=True))}
    posted = [places[letter.slot_id] for letter in made]
    if any(slot.pin != letter.before for slot, letter in zip(posted, made, strict=True)):
        raise Wrong(
            "这时有人也做了信，这一批不算，请不要发出去", "somebody else has made letters meanwhile: these open nothing"
        )
    acts.unlocked(session, ballot, [slot for slot in posted if slot.locked_at is not None], by, now)
    for slot, letter in zip(posted, made, strict=True):
        slot.pin, slot.wrong, slot.locked_at = letter.hashed, 0, None
        session.add(rows.event(ballot, rows.LETTER_MADE, by, now, slot=slot))
    session.flush()
