"""What staff do about ballots. Each act names who does it. What is refused by a rule comes back as a Refusal, and is
logged; what is typed wrongly is a ValueError or LookupError, one sentence."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import pins
from checkins.homes import plain
from checkins.names import named, says_something
from checkins.people import stops_calls
from checkins.phones import NumberError, to_e164
from checkins.tables import GONE, Neighbourhood, Person, Role
from community import ballot as core
from community import ballot_acts as acts
from community import ballot_calls as calls
from community import ballot_rows as rows
from community.ballot import BY_STAFF, Act, Channel, Neighbour, Refusal, Unit
from community.ballot_tables import (
    Ballot,
    BallotMember,
    BallotProxy,
    BallotSlot,
    BallotTopic,
    Errand,
)
from community.spoken import bounded

WITHDRAWN, PROXY = "withdrawn", "proxy"
DEFAULT_OPTIONS = ("赞成", "反对")


@dataclass(frozen=True)
class Place:
    """A place on the roll to be."""

    code: str
    label: str
    members: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    phone: str = ""


# ── making one ────────────────────────────────────────────────────────────────────────────────────


def read_topic(text: str) -> tuple[str, list[str]]:
    """ "要不要装电梯?|赞成|反对|弃权"; without options 赞成 and 反对."""
    question, *options = (part.strip() for part in text.split("|"))
    found = options or list(DEFAULT_OPTIONS)
    if not says_something(question) or not 2 <= len(found) <= core.KEYS or len(set(found)) < len(found):
        raise ValueError(f'a topic is "question|option|option": 2 to {core.KEYS} options, each another one: {text}')
    if any(not says_something(each) or len(each) > 30 for each in found):
        raise ValueError(f"an option is 1 to 30 characters long: {text}")
    return bounded(question), found


def read_roll(text: str) -> list[tuple[str, tuple[str, ...], str]]:
    """The owners' roll: 室号,业主,电话 (several owners: 、). All that is wrong is said at once."""
    found, wrong, seen = [], [], dict[str, str]()
    reader = csv.DictReader(StringIO(text.lstrip("\ufeff")))
    if not {"室号", "业主"} <= {(name or "").strip() for name in reader.fieldnames or ()}:
        raise ValueError(
            "the owners' roll needs the columns 室号 and 业主 (and 电话, if the line is to tell the result)"
        )
    for line, row in enumerate(reader, 2):
        unit, phone = (row.get("室号") or "").strip(), (row.get("电话") or "").strip()
        owners = tuple(name.strip() for name in (row.get("业主") or "").split("、") if name.strip())
        if not plain(unit) or not owners:
            wrong.append(f"line {line}: a unit and its owner are needed")
        elif plain(unit) in seen:
            wrong.append(f"line {line}: {unit} stands there twice ({seen[plain(unit)]})")
        seen.setdefault(plain(unit), f"line {line}: {unit}")
        found.append((unit, owners, phone))
    if wrong or not found:
        raise ValueError("the owners' roll: " + ("; ".join(wrong) or "it is empty"))
    return found


def make(
    session: Session,
    place: Neighbourhood,
    title: str,
    topics: Sequence[str],
    unit: Unit,
    opens: datetime,
    closes: datetime,
    by: str,
    now: datetime,
    *,
    roll: str = "",
    rings: bool = True,
) -> Ballot:
    """`topics` as they are typed: `read_topic`."""
    asked = [read_topic(each) for each in topics]
    return open_one(session, place, title, asked, unit, opens, closes, by, now, roll=roll, rings=rings)


def open_one(
    session: Session,
    place: Neighbourhood,
    title: str,
    asked: Sequence[tuple[str, list[str]]],
    unit: Unit,
    opens: datetime,
    closes: datetime,
    by: str,
    now: datetime,
    *,
    roll: str = "",
    rings: bool = True,
) -> Ballot:
    """`asked`: topics with their options. Its roll is made now, from the register or the owners' roll, and stays."""
    by = named(by)
    if not says_something(title) or len(title) > 60:
        raise ValueError("a title is 1 to 60 characters long")
    if not 1 <= len(asked) <= core.MOST_TOPICS:
        raise ValueError(f"a ballot has 1 to {core.MOST_TOPICS} topics")
    if closes <= max(opens, now):
        raise ValueError("it would close before it opens, or is over already")
    if (unit is Unit.OWNER) != bool(roll):
        raise ValueError("an owners' ballot, and only that, needs the owners' roll (--roll)")
    ballot = Ballot(neighbourhood_id=place.id, number=rows.next_number(session), title=title, unit=unit, made_by=by)
    ballot.opens_at, ballot.closes_at, ballot.key = opens, closes, secrets.token_hex(32)
    session.add(ballot)
    session.flush()
    for nth, (question, options) in enumerate(asked, 1):
        session.add(BallotTopic(ballot_id=ballot.id, position=nth, question=question, options=options))
    places = _owned(session, place, roll) if unit is Unit.OWNER else _lived(session, place, unit)
    if not places:
        raise ValueError("nobody may choose: the register has no elder of this committee")
    _enrol(session, ballot, places, rings, now)
    rows.note(session, ballot, rows.MADE, by, now)
    return ballot


def _enrol(session: Session, ballot: Ballot, places: Sequence[Place], rings: bool, now: datetime) -> None:
    owner = ballot.unit == Unit.OWNER
    numbers = rows.free_letters(session, len(places)) if owner else []
    for nth, each in enumerate(places):
        slot = BallotSlot(ballot_id=ballot.id, code=each.code[:100], label=each.label[:200], wrong=0)
        slot.owners, slot.letter = (list(each.owners), numbers[nth]) if owner else (None, None)
        slot.phone = each.phone[:40] or None
        session.add(slot)
        session.flush()
        session.add_all(BallotMember(slot_id=slot.id, person_id=person) for person in each.members)
        for person in each.members if not owner else ():
            if rings:
                calls.ask(session, ballot, person, Errand.ASK, now)
            elif stops_calls(session.get_one(Person, person)) is not None:
                calls.see(session, ballot, person, now)
    session.flush()


def _residents(session: Session, place: Neighbourhood) -> list[Person]:
    query = select(Person).where(Person.neighbourhood_id == place.id, Person.role == Role.ELDER)
    return list(session.scalars(query.where(Person.state.not_in(GONE)).order_by(Person.name, Person.id)))


def _lived(session: Session, place: Neighbourhood, unit: Unit) -> list[Place]:
    people = {person.id: person for person in _residents(session, place)}
    if unit is Unit.PERSON:
        return [Place(one.id, one.name, (one.id,)) for one in people.values()]
    homes = core.households([Neighbour(one.id, one.address or "", one.number or "") for one in people.values()])
    return [Place(home[0], "、".join(people[each].name for each in home), tuple(home)) for home in homes]


def _owned(session: Session, place: Neighbourhood, roll: str) -> list[Place]:
    """Who of the register is told the result: by name and number of the roll. It proves nothing."""
    known = {(one.name, one.number): one.id for one in _residents(session, place)}
    found = []
    for unit, owners, phone in read_roll(roll):
        number = _number(phone, place.area_code)
        members = tuple(known[name, number] for name in owners if number and (name, number) in known)
        found.append(Place(plain(unit), f"{unit} {'、'.join(owners)}", members, owners, phone))
    return found


def _number(phone: str, area: str) -> str | None:
    try:
        return to_e164(phone, area) if phone else None
    except NumberError:
        return None


# ── paper, visits, proxies ────────────────────────────────────────────────────────────────────────


def find_slot(session: Session, ballot: Ballot, whose: str) -> BallotSlot | None:
    """By an owner's unit, or by the name or id of somebody who lives there. ValueError when that is several."""
    if ballot.unit == Unit.OWNER:
        found = _units(rows.slots(session, ballot), whose)
    else:
        lived = [(slot, rows.members(session, slot)) for slot in rows.slots(session, ballot)]
        found = [slot for slot, people in lived if any(whose in (person.id, person.name) for person in people)]
    if len(found) > 1:
        raise ValueError(f"{whose} is {len(found)} places of this roll: give the person's id (`people list`)")
    return found[0] if found else None


def _units(slots: Sequence[BallotSlot], whose: str) -> list[BallotSlot]:
    """However it is written. A roll that took two spellings for two units, as rolls did, has both: then the one that
    is written so."""
    code = plain(whose)
    found = [slot for slot in slots if plain(slot.code) == code]
    literal = [slot for slot in found if slot.label.startswith(f"{whose.strip()} ")]
    return literal if len(found) > 1 and literal else found


def enter(
    session: Session,
    number: int,
    whose: str,
    choices: Mapping[int, int],
    channel: Channel,
    by: str,
    now: datetime,
    *,
    who: str = "",
    change: bool = False,
) -> Refusal | None:
    """What stands on a paper, or was said at a door. `who` has signed it, of an owner's unit: an owner, or somebody
    whose written proxy is on file. They speak for the unit: what another one signs is refused, but for `change`."""
    ballot, by = rows.by_number(session, number), named(by)
    if channel not in BY_STAFF or not choices:
        raise ValueError("say what was chosen, on paper or at a visit")
    slot = find_slot(session, ballot, whose)
    if slot is None:
        return acts.refuse(session, ballot, Refusal.NOT_ON_ROLL, by, now)
    owner = ballot.unit == Unit.OWNER
    signed = _signed(session, slot, who.strip()) if owner else acts.NOBODY_SIGNED
    if signed is None:
        claimed = {"signer": who.strip()[:100]} if who.strip() else acts.NOBODY_SIGNED
        return acts.refuse(session, ballot, Refusal.NO_PROXY, by, now, slot=slot, signed=claimed)
    holder = signed["signer"] if owner else _resident(session, slot, whose)
    done = [Act(slot.id, holder, channel, topic, option, change, owner) for topic, option in sorted(choices.items())]
    why = acts.choose_all(session, ballot, slot, done, by, now, signed=signed)
    if why is None:
        calls.chosen(session, ballot, slot, now, by)
    return why


def _resident(session: Session, slot: BallotSlot, whose: str) -> str:
    return next(each.id for each in rows.members(session, slot) if whose in (each.id, each.name))


def _signed(session: Session, slot: BallotSlot, who: str) -> acts.Signed | None:
    """None: neither an owner, nor anybody whose proxy is on file."""
    if who and who in (slot.owners or []):
        return {"signer": who[:100]}
    query = select(BallotProxy.document).where(BallotProxy.slot_id == slot.id, BallotProxy.name == who)
    document = session.scalars(query.order_by(BallotProxy.id.desc())).first()
    return {"signer": who, "proxy": document} if document else None


def proxy(session: Session, number: int, unit: str, name: str, document: str, by: str, now: datetime) -> None:
    """`name` may choose for this unit, by a paper that is kept at `document`."""
    ballot, by = rows.by_number(session, number), named(by)
    slot = _unit(session, ballot, unit)
    if not says_something(document):
        raise ValueError("a proxy counts only in writing: say where the paper is kept (--document)")
    session.add(BallotProxy(slot_id=slot.id, name=named(name)[:100], document=document.strip()[:200], by=by, at=now))
    rows.note(session, ballot, PROXY, by, now, slot=slot)


def withdraw(session: Session, number: int, by: str, now: datetime) -> None:
    """It is over without a result: nobody is rung any more."""
    ballot, by = rows.by_number(session, number), named(by)
    if ballot.sealed_at is not None:
        raise ValueError("it is over already")
    ballot.withdrawn_by, ballot.sealed_at, ballot.key = by[:100], now, None
    rows.forget_phones(session, ballot)
    rows.note(session, ballot, WITHDRAWN, by, now)
    calls.stop(session, ballot, by, now)
    acts.unlocked(session, ballot, rows.locked_slots(session, ballot), by, now)


def told(session: Session, number: int, units: Sequence[str], by: str, now: datetime) -> int:
    """`by` has told the result to these units, or to all that wait for it; how many that is. LookupError for what is no
    unit of the roll."""
    ballot, by = rows.by_number(session, number), named(by)
    if ballot.unit != Unit.OWNER or ballot.result is None:
        raise ValueError(f"{number} is no owners' ballot with a result")
    meant = {_unit(session, ballot, each).id for each in units}
    waiting = [slot for slot in rows.untold(session, ballot) if not units or slot.id in meant]
    for slot in waiting:
        slot.phone = None
        rows.note(session, ballot, rows.TOLD, by, now, slot=slot)
    calls.settle_if_all(session, ballot, Errand.RESULT, by, now)
    return len(waiting)


def _unit(session: Session, ballot: Ballot, unit: str) -> BallotSlot:
    slot = find_slot(session, ballot, unit) if ballot.unit == Unit.OWNER else None
    if slot is None:
        raise LookupError(f"{unit} is no unit of this ballot's owners' roll")
    return slot


# ── letters ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Letter:
    """`pin` stands on paper only."""

    slot_id: int
    unit: str
    number: int
    pin: str
    hashed: str


def letters(session: Session, number: int, now: datetime, unit: str = "") -> list[Letter]:
    """New PINs for all units that have none, or for one. Only read: they count from `post` on. About 20 a second.
    ValueError when it is over."""
    ballot = session.scalars(select(Ballot).where(Ballot.number == number)).one_or_none()
    if ballot is None or ballot.unit != Unit.OWNER:
        raise LookupError(f"{number} is no owners' ballot")
    _not_over(ballot, now)
    slots = rows.slots(session, ballot)
    found = _units(slots, unit) if unit else [each for each in slots if not each.pin]
    if unit and not found:
        raise LookupError(f"{unit} is no unit of this ballot's owners' roll")
    return [_letter(slot) for slot in found]


def _not_over(ballot: Ballot, now: datetime) -> None:
    if ballot.sealed_at is not None or ballot.closes_at <= now:
        raise ValueError(f"{ballot.number} is over: a letter would open nothing")


def _letter(slot: BallotSlot) -> Letter:
    pin = pins.make()
    return Letter(slot.id, slot.label, slot.letter or 0, pin, pins.hashed(pin))


def post(session: Session, number: int, made: Sequence[Letter], by: str, now: datetime) -> None:
    """The letters are on paper: their PINs count, and older ones no more. ValueError when it is over meanwhile."""
    ballot, by = rows.by_number(session, number), named(by)
    _not_over(ballot, now)
    query = select(BallotSlot).where(BallotSlot.ballot_id == ballot.id).with_for_update()
    places = {slot.id: slot for slot in session.scalars(query.execution_options(populate_existing=True))}
    posted = [places[letter.slot_id] for letter in made]
    acts.unlocked(session, ballot, [slot for slot in posted if slot.locked_at is not None], by, now)
    for slot, letter in zip(posted, made, strict=True):
        slot.pin, slot.wrong, slot.locked_at = letter.hashed, 0, None
        session.add(rows.event(ballot, rows.LETTER_MADE, by, now, slot=slot))
    session.flush()


# ── whom to see ───────────────────────────────────────────────────────────────────────────────────


def to_visit(session: Session, ballot: Ballot) -> list[Person]:
    """Who has not chosen and can't be rung, or wasn't reached: paper goes to their door. After the result: who has
    not heard it."""
    return calls.to_see(session, ballot, Errand.ASK if ballot.sealed_at is None else Errand.RESULT)
