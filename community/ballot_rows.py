"""Rows of ballots, found and written. Every function runs inside somebody's transaction; whoever writes a choice holds
the ballot and then the place on the roll."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from checkins.items import Item
from checkins.tables import GONE, Person
from community import ballot as core
from community.ballot import Chosen, Record, Taken
from community.ballot_tables import (
    FIRST_BALLOT,
    FIRST_LETTER,
    LAST_LETTER,
    Ballot,
    BallotChoice,
    BallotEvent,
    BallotMember,
    BallotSlot,
    BallotTopic,
)
from community.wrong import Unknown, Wrong

REFUSED, PROVEN, LETTER_MADE, MADE = "refused", "proven", "letter_made", "made"
TOLD = "told"  # staff have told the result to an owner of whom the line knows nobody


def by_number(session: Session, number: int) -> Ballot:
    """Locked. LookupError when there is none."""
    row = session.scalar(select(Ballot).where(Ballot.number == number).with_for_update())
    if row is None:
        raise Unknown(f"没有{number}号打钩", f"there is no ballot {number} (`ballots list` shows all)")
    return row


def locked(session: Session, ballot_id: int) -> Ballot:
    session.flush()
    return session.get_one(Ballot, ballot_id, with_for_update=True, populate_existing=True)


def next_number(session: Session) -> int:
    return (session.scalar(select(func.max(Ballot.number))) or FIRST_BALLOT - 1) + 1


def free_letters(session: Session, most: int) -> list[int]:
    """Numbers of letters that no ballot has which isn't over: never used ones first, then those that rest the longest.
    ValueError when there are not so many."""
    query = select(BallotSlot.letter, Ballot.id, Ballot.sealed_at).join(Ballot, Ballot.id == BallotSlot.ballot_id)
    last, busy = dict[int, int](), set[int]()
    for letter, ballot_id, sealed_at in session.execute(
        query.where(BallotSlot.letter.is_not(None)).order_by(Ballot.id)
    ):
        last[letter or 0] = ballot_id
        if sealed_at is None:
            busy.add(letter or 0)
    free = sorted(
        (each for each in range(FIRST_LETTER, LAST_LETTER + 1) if each not in busy), key=lambda each: last.get(each, 0)
    )
    if len(free) < most:
        raise Wrong(
            f"要{most}封信，编号只剩{len(free)}个：等别的打钩结束",
            f"{most} letters are needed, and {len(free)} numbers are free until another ballot is over",
        )
    return free[:most]


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


def locked_slots(session: Session, ballot: Ballot) -> list[BallotSlot]:
    """Owners' units whose letter opens nothing any more."""
    return [slot for slot in slots(session, ballot) if slot.locked_at is not None]


def slot_of(session: Session, ballot: Ballot, person_id: str) -> BallotSlot | None:
    """The place on the roll that this person is a member of."""
    query = select(BallotSlot).join(BallotMember, BallotMember.slot_id == BallotSlot.id)
    query = query.where(BallotSlot.ballot_id == ballot.id, BallotMember.person_id == person_id)
    return session.scalars(query.order_by(BallotSlot.id)).first()


def members(session: Session, slot: BallotSlot) -> list[Person]:
    query = select(Person).join(BallotMember, BallotMember.person_id == Person.id)
    return list(session.scalars(query.where(BallotMember.slot_id == slot.id).order_by(Person.name, Person.id)))


def took_part(session: Session, ballot: Ballot) -> list[str]:
    """Ids, by the roll: of a person's or a household's place who chose; of an owner's unit that chose who of it is in
    the register. Nobody who has moved or died."""
    query = select(Person.id)
    if ballot.unit == core.Unit.OWNER:
        query = query.join(BallotMember, BallotMember.person_id == Person.id)
        query = query.join(BallotSlot, BallotSlot.id == BallotMember.slot_id)
    else:
        query = query.join(BallotSlot, BallotSlot.holder == Person.id)
    query = query.where(BallotSlot.ballot_id == ballot.id, BallotSlot.holder.is_not(None), Person.state.not_in(GONE))
    return list(dict.fromkeys(session.scalars(query.order_by(BallotSlot.id, Person.name, Person.id))))


def is_gone(session: Session, person_id: str) -> bool:
    person = session.get(Person, person_id)
    return person is not None and person.state in GONE


def untold(session: Session, ballot: Ballot) -> list[BallotSlot]:
    """Owners' units that took part, of which the line can tell the result to nobody, and staff have not yet."""
    if ballot.unit != core.Unit.OWNER or ballot.result is None:
        return []
    known = select(BallotMember.slot_id).join(Person, Person.id == BallotMember.person_id)
    told = select(BallotEvent.slot_id).where(BallotEvent.ballot_id == ballot.id, BallotEvent.what == TOLD)
    query = select(BallotSlot).where(BallotSlot.ballot_id == ballot.id, BallotSlot.holder.is_not(None))
    query = query.where(BallotSlot.id.not_in(known.where(Person.state.not_in(GONE))), BallotSlot.id.not_in(told))
    return list(session.scalars(query.order_by(BallotSlot.id)))


def forget_phones(session: Session, ballot: Ballot, but: Collection[int] = ()) -> None:
    """Staff ring nobody of these units any more."""
    for slot in slots(session, ballot):
        if slot.id not in but:
            slot.phone = None
    session.flush()


def taken(slot: BallotSlot) -> Taken | None:
    if slot.holder is None or slot.channel is None:
        return None
    return Taken(slot.id, slot.holder, core.Channel(slot.channel))


def chosen(session: Session, ballot: Ballot, voter: str | None = None) -> list[Chosen]:
    """The log of choices; of one voter, or all of it."""
    columns = (BallotChoice.voter, BallotChoice.topic, BallotChoice.nth, BallotChoice.option)
    query = select(*columns).where(BallotChoice.ballot_id == ballot.id)
    if voter is not None:
        query = query.where(BallotChoice.voter == voter)
    return [Chosen(*row) for row in session.execute(query)]


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


def shuffle(session: Session, ballot: Ballot) -> None:
    """What counts becomes papers in a box, one for each choice: how often somebody changed it, and which topics
    somebody left out, stands in the log of events with their name, and would say which choices are theirs."""
    last = core.last_of(chosen(session, ballot))
    session.execute(delete(BallotChoice).where(BallotChoice.ballot_id == ballot.id))
    papers = sorted((secrets.token_hex(16), topic, option) for (_, topic), option in last.items())
    same = {"ballot_id": ballot.id, "nth": 1}
    new = [{"id": id_, "voter": id_, "topic": topic, "option": option, **same} for id_, topic, option in papers]
    if new:
        session.execute(insert(BallotChoice), new)


def event(
    ballot: Ballot,
    what: str,
    who: str,
    now: datetime,
    *,
    slot: BallotSlot | None = None,
    call_id: str | None = None,
    detail: dict[str, Any] | None = None,
) -> BallotEvent:
    """A line of the log of what happened; never what was chosen."""
    row = BallotEvent(ballot_id=ballot.id, slot_id=slot.id if slot else None, at=now, what=what, who=who[:100])
    row.call_id, row.detail = call_id, detail or None
    return row


def note(session: Session, ballot: Ballot, what: str, who: str, now: datetime, **more: Any) -> None:
    """Writes such a line."""
    session.add(event(ballot, what, who, now, **more))
    session.flush()


def in_call(session: Session, call_id: str) -> list[BallotEvent]:
    return list(session.scalars(select(BallotEvent).where(BallotEvent.call_id == call_id).order_by(BallotEvent.id)))


def proven_in(session: Session, call_id: str) -> list[int]:
    """Places whose PIN was typed in this call, the last one first, if no newer letter has made that PIN void."""
    typed = {each.slot_id: each.id for each in in_call(session, call_id) if each.what == PROVEN and each.slot_id}
    query = select(BallotEvent.slot_id, func.max(BallotEvent.id)).group_by(BallotEvent.slot_id)
    query = query.where(BallotEvent.what == LETTER_MADE, BallotEvent.slot_id.in_(typed))
    made = {slot_id: event_id for slot_id, event_id in session.execute(query)}
    return [each for each in sorted(typed, key=typed.__getitem__, reverse=True) if made.get(each, 0) < typed[each]]


def events(session: Session, ballot: Ballot) -> list[BallotEvent]:
    query = select(BallotEvent).where(BallotEvent.ballot_id == ballot.id).order_by(BallotEvent.id)
    return list(session.scalars(query))


def end_items(session: Session, ballot: Ballot, keys: Collection[str], by: str, now: datetime) -> None:
    """What staff were to see to under these keys (`checkins.items`) is over."""
    session.flush()
    query = select(Item).where(Item.neighbourhood_id == ballot.neighbourhood_id, Item.key.in_(keys))
    for item in session.scalars(query.where(Item.done_at.is_(None)).with_for_update()):
        item.done_by, item.done_at = by[:100], now
