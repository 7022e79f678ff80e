"""A ballot is made: what is asked, of whom, until when. What is typed wrongly is a Wrong or Unknown, one sentence."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.homes import plain
from checkins.names import named, says_something
from checkins.phones import NumberError, to_e164
from checkins.tables import GONE, Neighbourhood, Person, Role
from community import ballot as core
from community import ballot_calls as calls
from community import ballot_rows as rows
from community.ballot import Neighbour, Unit
from community.ballot_tables import Ballot, BallotMember, BallotSlot, BallotTopic
from community.spoken import bounded
from community.wrong import Wrong

DEFAULT_OPTIONS = ("赞成", "反对")
MOST_SAID = 10  # faults of a roll that are said at once in a page


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
    return topic(question, options)


def topic(question: str, options: Sequence[str]) -> tuple[str, list[str]]:
    """As it is read out, if it can be."""
    found = list(options) or list(DEFAULT_OPTIONS)
    if not says_something(question) or not 2 <= len(found) <= core.KEYS or len(set(found)) < len(found):
        typed = "|".join((question, *options))
        raise Wrong(
            f"一个题目要有问题和2到{core.KEYS}个不同的选项：{question}（{'、'.join(options)}）",
            f'a topic is "question|option|option": 2 to {core.KEYS} options, each another one: {typed}',
        )
    if any(not says_something(each) or len(each) > 30 for each in found):
        raise Wrong(f"一个选项1到30个字：{'、'.join(options)}", f"an option is 1 to 30 characters long: {options}")
    return bounded(question), found


def read_roll(text: str) -> list[tuple[str, tuple[str, ...], str]]:
    """The owners' roll: 室号,业主,电话 (several owners: 、). All that is wrong is said at once."""
    found, wrong, wrong_zh, seen = [], [], list[str](), dict[str, str]()
    reader = csv.DictReader(StringIO(text.lstrip("\ufeff")))
    if not {"室号", "业主"} <= {(name or "").strip() for name in reader.fieldnames or ()}:
        raise Wrong(
            "业主名册的第一行要写：室号,业主,电话（电话可空）",
            "the owners' roll needs the columns 室号 and 业主 (and 电话, if the line is to tell the result)",
        )
    for line, row in enumerate(reader, 2):
        unit, phone = (row.get("室号") or "").strip(), (row.get("电话") or "").strip()
        owners = tuple(name.strip() for name in (row.get("业主") or "").split("、") if name.strip())
        if not plain(unit) or not owners:
            wrong.append(f"line {line}: a unit and its owner are needed")
            wrong_zh.append(f"第{line}行要有室号和业主")
        elif plain(unit) in seen:
            wrong.append(f"line {line}: {unit} stands there twice ({seen[plain(unit)]})")
            wrong_zh.append(f"第{line}行的{unit}重复了")
        seen.setdefault(plain(unit), f"line {line}: {unit}")
        found.append((unit, owners, phone))
    if wrong or not found:
        zh = "；".join(wrong_zh[:MOST_SAID]) + (f"；还有{len(wrong_zh) - MOST_SAID}处" if wrong_zh[MOST_SAID:] else "")
        raise Wrong(f"业主名册：{zh or '是空的'}", "the owners' roll: " + ("; ".join(wrong) or "it is empty"))
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
    by, places = named(by), roll_of(session, place, title, asked, unit, opens, closes, now, roll=roll)
    ballot = Ballot(neighbourhood_id=place.id, number=rows.next_number(session), title=title, unit=unit, made_by=by)
    ballot.opens_at, ballot.closes_at, ballot.key = opens, closes, secrets.token_hex(32)
    session.add(ballot)
    session.flush()
    for nth, (question, options) in enumerate(asked, 1):
        session.add(BallotTopic(ballot_id=ballot.id, position=nth, question=question, options=options))
    _enrol(session, ballot, places, rings, now)
    rows.note(session, ballot, rows.MADE, by, now)
    return ballot


def roll_of(
    session: Session,
    place: Neighbourhood,
    title: str,
    asked: Sequence[tuple[str, list[str]]],
    unit: Unit,
    opens: datetime,
    closes: datetime,
    now: datetime,
    *,
    roll: str = "",
) -> list[Place]:
    """Who may choose, if it can be made so; nothing is written."""
    if not says_something(title) or len(title) > 60:
        raise Wrong("名称要写1到60个字", "a title is 1 to 60 characters long")
    if not 1 <= len(asked) <= core.MOST_TOPICS:
        raise Wrong(f"要有1到{core.MOST_TOPICS}个题目", f"a ballot has 1 to {core.MOST_TOPICS} topics")
    if closes <= max(opens, now):
        raise Wrong("截止要晚于开始，也要晚于现在", "it would close before it opens, or is over already")
    if (unit is Unit.OWNER) != bool(roll):
        raise Wrong(
            "按业主的打钩要有业主名册，别的不要", "an owners' ballot, and only that, needs the owners' roll (--roll)"
        )
    places = _owned(session, place, roll) if unit is Unit.OWNER else _lived(session, place, unit)
    if not places:
        raise Wrong(
            "没有人可以选：登记里没有这个居委的老人", "nobody may choose: the register has no elder of this committee"
        )
    return places


def same(session: Session, place: Neighbourhood, title: str, now: datetime) -> Ballot | None:
    """One of this name that isn't over: a form that was sent twice makes no second."""
    query = select(Ballot).where(Ballot.neighbourhood_id == place.id, Ballot.title == title.strip())
    return session.scalars(query.where(Ballot.sealed_at.is_(None), Ballot.closes_at > now).limit(1)).first()


def _enrol(session: Session, ballot: Ballot, places: Sequence[Place], rings: bool, now: datetime) -> None:
    owner = ballot.unit == Unit.OWNER
    numbers = rows.free_letters(session, len(places)) if owner else [None] * len(places)
    slots = [_slot(ballot, each, letter) for each, letter in zip(places, numbers, strict=True)]
    session.add_all(slots)
    session.flush()
    pairs = [(slot.id, person) for slot, each in zip(slots, places, strict=True) for person in each.members]
    session.add_all(BallotMember(slot_id=slot_id, person_id=person) for slot_id, person in pairs)
    if not owner:
        calls.first(session, ballot, [person for _, person in pairs], rings, now)
    session.flush()


def _slot(ballot: Ballot, place: Place, letter: int | None) -> BallotSlot:
    slot = BallotSlot(ballot_id=ballot.id, code=place.code[:100], label=place.label[:200], wrong=0, letter=letter)
    slot.owners, slot.phone = list(place.owners) or None, place.phone[:40] or None
    return slot


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
