"""The page on which a pile of papers is entered: whose paper it is, what is to be asked of it, and whether it would be
refused. Never what anybody has chosen before. Values only. Personal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins.homes import plain
from checkins.tables import GONE, Neighbourhood, Person
from community import ballot as core
from community import ballot_acts as ballot_log
from community import ballot_rows as rows
from community.ballot import Channel, Refusal, Unit
from community.ballot_doubts import unit_of
from community.ballot_tables import Ballot, BallotEvent, BallotMember, BallotProxy, BallotSlot
from community.ballot_words import CHANGEABLE, CHANNEL_ZH, REFUSAL_ZH
from console import ballot_view
from console.ballot_view import Act, Line, Topic
from console.find_view import matches

MOST = 20  # of those that fit what was asked
_MINE = 12  # papers that were entered last


@dataclass(frozen=True)
class Candidate:
    """A place on the roll; of a person's or a household's, who of it has signed."""

    slot: int
    who: str
    name: str = field(repr=False)
    address: str = field(repr=False)
    home: str = field(repr=False)


@dataclass(frozen=True)
class Paper:
    """`taken`: who speaks for this place already, and how. `refusal`: why another paper would be refused; of an owner's
    unit it depends on who has signed (`signers`). `seen`: the last choice that the page knows of."""

    slot: int
    who: str
    name: str = field(repr=False)
    taken: str = field(repr=False)
    refusal: Refusal | None
    signers: tuple[str, ...] = field(repr=False)
    seen: int

    @property
    def refusal_zh(self) -> str:
        return REFUSAL_ZH[self.refusal] if self.refusal else ""

    @property
    def changeable(self) -> bool:
        return self.refusal in CHANGEABLE


@dataclass(frozen=True)
class Pile:
    """`several`: fit what was asked; `entered`: whose paper has just been counted."""

    line: Line
    topics: tuple[Topic, ...]
    several: tuple[Candidate, ...]
    more: bool
    paper: Paper | None
    entered: str = field(repr=False)
    acts: tuple[Act, ...]


def look(
    session: Session, number: int, asked: str, slot: int, who: str, entered: int, by: str, now: datetime
) -> Pile | None:
    """None: there is no such ballot."""
    ballot = ballot_view.found(session, number)
    if ballot is None:
        return None
    place = session.get_one(Neighbourhood, ballot.neighbourhood_id)
    several = candidates(session, ballot, asked) if asked and not slot else []
    if len(several) == 1:
        slot, who = several[0].slot, several[0].who
    done = session.get(BallotSlot, entered) if entered else None
    return Pile(
        line=ballot_view.line_of(ballot, place, now),
        topics=tuple(ballot_view.topics(session, ballot)),
        several=tuple(several[:MOST]) if len(several) > 1 else (),
        more=len(several) > MOST,
        paper=paper(session, ballot, slot, who) if slot else None,
        entered=done.label if done and done.ballot_id == ballot.id and done.holder else "",
        acts=tuple(ballot_view.acts(session, ballot, by)[:_MINE]),
    )


# ── whose it is ───────────────────────────────────────────────────────────────────────────────────


def candidates(session: Session, ballot: Ballot, asked: str) -> list[Candidate]:
    """Whoever is called exactly so, or the unit that is written so; else all of whom a part fits."""
    found = _units(session, ballot, asked) if ballot.unit == Unit.OWNER else _people(session, ballot, asked)
    exact = [each for each in found if asked in (each.name, each.who)]
    return exact or found


def _people(session: Session, ballot: Ballot, asked: str) -> list[Candidate]:
    query = select(BallotSlot.id, BallotSlot.label, Person).join(BallotMember, BallotMember.slot_id == BallotSlot.id)
    query = query.join(Person, Person.id == BallotMember.person_id).where(BallotSlot.ballot_id == ballot.id)
    found = session.execute(query.order_by(Person.name, Person.address, Person.id))
    return [
        Candidate(slot, person.id, person.name, person.address or "", "" if label == person.name else label)
        for slot, label, person in found
        if asked == person.id or matches(asked, person)
    ]


def _units(session: Session, ballot: Ballot, asked: str) -> list[Candidate]:
    """By the unit however it is written, or by part of it or of an owner's name."""
    unit, found = plain(asked), rows.slots(session, ballot)
    written = [each for each in found if unit and plain(each.code) == unit]
    fits = written or [each for each in found if asked in each.label or (unit and unit in plain(each.code))]
    return [Candidate(each.id, "", unit_of(each), "、".join(each.owners or ()), "") for each in fits]


# ── the paper ─────────────────────────────────────────────────────────────────────────────────────


def paper(session: Session, ballot: Ballot, slot_id: int, who: str) -> Paper | None:
    """None: no such place on this roll, or nobody of it."""
    slot = session.get(BallotSlot, slot_id)
    if slot is None or slot.ballot_id != ballot.id:
        return None
    seen = last_choice(session, slot)
    if ballot.unit == Unit.OWNER:
        why = Refusal.OTHER_CHANNEL if slot.channel == Channel.PHONE else None
        return Paper(slot.id, "", slot.label, _taken(session, slot), why, tuple(_signers(session, slot)), seen)
    person = next((each for each in rows.members(session, slot) if each.id == who), None)
    if person is None:
        return None
    why = _refusal(slot, person)
    name = person.name if slot.label == person.name else f"{person.name}（{slot.label}）"
    return Paper(slot.id, person.id, name, _taken(session, slot), why, (), seen)


def _refusal(slot: BallotSlot, person: Person) -> Refusal | None:
    if person.state in GONE:
        return Refusal.GONE
    return core.refusal(rows.taken(slot), core.Act(slot.id, person.id, Channel.PAPER, 1, 1))


def _taken(session: Session, slot: BallotSlot) -> str:
    """ "王秀珍，电话"; "" when nobody has chosen."""
    if slot.holder is None or slot.channel is None:
        return ""
    person = session.get(Person, slot.holder)
    who = person.name if person else "" if slot.holder == slot.code else slot.holder
    return "，".join(filter(None, (who, CHANNEL_ZH[slot.channel])))


def _signers(session: Session, slot: BallotSlot) -> list[str]:
    """Owners, and who has a written proxy."""
    query = select(BallotProxy.name).where(BallotProxy.slot_id == slot.id).order_by(BallotProxy.id)
    return list(dict.fromkeys((*(slot.owners or ()), *session.scalars(query))))


def last_choice(session: Session, slot: BallotSlot) -> int:
    """When somebody has chosen for this place last, as the number of its event; 0: never."""
    query = select(func.max(BallotEvent.id)).where(BallotEvent.slot_id == slot.id)
    return session.scalar(query.where(BallotEvent.what.in_((ballot_log.CHOSE, ballot_log.CHANGED)))) or 0
