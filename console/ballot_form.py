"""The form of a new ballot: what was typed, and for how many it would be. Personal."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.schedule import at_minute, local_date
from checkins.tables import Neighbourhood
from community import ballot_making, ballot_proposals
from community.ballot import MOST_TOPICS, Unit
from community.ballot_doubts import doubtful_places
from community.ballot_proposals import Proposal
from community.ballot_tables import Ballot
from community.wrong import Wrong
from console import moments
from console.notice_form import YES, place_of

Typed = Mapping[str, str]
Topics = Sequence[tuple[str, list[str]]]

PROPOSALS = "proposals"
_OPEN_FOR = timedelta(days=7)
_CLOSES_AT = 20 * 60  # minute of the day
_CASE = re.compile("[0-9]{1,9}号?")
_BETWEEN = re.compile(r"[|｜、]")


@dataclass(frozen=True)
class Preview:
    """What would be read out, for how many places of the roll, and which of them may be one. `again`: the number of one
    of the same name that isn't over."""

    topics: Topics
    places: int
    doubtful: Sequence[tuple[str, ...]] = field(repr=False)
    opens: datetime
    closes: datetime
    again: int | None


@dataclass(frozen=True)
class Form:
    """`print`: of what was looked at, so that nothing else is made."""

    place: int
    committee: str
    zone: str
    places: tuple[tuple[int, str], ...]
    values: Typed = field(repr=False)
    preview: Preview | None = None
    print: str = ""


class UnseenError(Wrong):
    """What is to be made isn't what was looked at."""


def form(session: Session, typed: Typed, now: datetime, *, preview: bool = False) -> Form:
    """Wrong or Unknown where it can't be made and is to be looked at."""
    place = place_of(session, typed)
    known = tuple((one.id, one.name) for one in session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)))
    values = (
        typed if typed.get("closes") else {**typed, "closes": moments.typed(_in_a_week(place, now), place.timezone)}
    )
    found = Form(place.id, place.committee, place.timezone, known, values)
    if not preview:
        return found
    would = _preview(session, place, typed, now)
    return replace(found, preview=would, print=print_of(typed, would))


def make(session: Session, typed: Typed, by: str, now: datetime) -> Ballot:
    """Wrong, Unknown; UnseenError when it isn't what was looked at any more."""
    place = place_of(session, typed)
    would = _preview(session, place, typed, now)
    if print_of(typed, would) != typed.get("print"):
        raise UnseenError("请先看一遍，再建", "look at it first, then make it")
    if would.again is not None:
        raise Wrong(f"同名的打钩{would.again}还开着", f"{would.again} has the same name and isn't over")
    title, rings = typed.get("title", "").strip(), typed.get("rings") == YES
    if typed.get("kind") == PROPOSALS:
        found = _proposals(typed)
        return ballot_proposals.make(session, place, title, found, would.opens, would.closes, by, now, rings=rings)
    unit, roll = _unit(typed), _roll(typed)
    return ballot_making.open_one(
        session, place, title, would.topics, unit, would.opens, would.closes, by, now, roll=roll, rings=rings
    )


def _preview(session: Session, place: Neighbourhood, typed: Typed, now: datetime) -> Preview:
    topics, unit = _asked(session, place, typed)
    opens, closes = _times(typed, place.timezone, now)
    title, roll = typed.get("title", "").strip(), _roll(typed)
    places = ballot_making.roll_of(session, place, title, topics, unit, opens, closes, now, roll=roll)
    again = ballot_making.same(session, place, title, now)
    doubtful = doubtful_places(session, unit, places)
    return Preview(topics, len(places), doubtful, opens, closes, again.number if again else None)


def _asked(session: Session, place: Neighbourhood, typed: Typed) -> tuple[Topics, Unit]:
    if typed.get("kind") == PROPOSALS:
        found = _proposals(typed)
        ballot_proposals.check(session, place, found)
        return [(ballot_proposals.question(found), [each.text for each in found])], Unit.PERSON
    return _topics(typed), _unit(typed)


def _topics(typed: Typed) -> Topics:
    found = []
    for nth in range(1, MOST_TOPICS + 1):
        question, options = typed.get(f"question-{nth}", "").strip(), typed.get(f"options-{nth}", "").strip()
        if question or options:
            chosen = [part.strip() for part in _BETWEEN.split(options)] if options else []
            found.append(ballot_making.topic(question, chosen))
    return found


def _proposals(typed: Typed) -> list[Proposal]:
    rows = [_proposal(typed, nth) for nth in range(1, ballot_proposals.MOST + 1)]
    return [each for each in rows if each is not None]


def _proposal(typed: Typed, nth: int) -> Proposal | None:
    """None: nothing is typed there."""
    sentence, case, who = (typed.get(f"{part}-{nth}", "").strip() for part in ("sentence", "case", "proposer"))
    if not (sentence or case or who):
        return None
    if (case and not _CASE.fullmatch(case)) or _CASE.fullmatch(who):
        raise Wrong(f"诉求写编号（1007），提议人写姓名：{sentence}", "a matter has a number, who proposed it a name")
    first, *more = (part.replace("|", " ") for part in (sentence, case, who))
    return ballot_proposals.read("|".join((first, *filter(None, more))))


def _unit(typed: Typed) -> Unit:
    if typed.get("unit") not in list(Unit):
        raise Wrong("请选谁来选：一人、一户，还是一套业主", "choose who has one choice")
    return Unit(typed["unit"])


def _roll(typed: Typed) -> str:
    """Of owners alone: what another kind of ballot was typed with stays in the form."""
    return typed.get("roll", "").strip() if typed.get("unit") == Unit.OWNER and not typed.get("kind") else ""


def _times(typed: Typed, zone: str, now: datetime) -> tuple[datetime, datetime]:
    opens, closes = now, moments.moment(typed.get("closes", ""), zone)
    if closes is None:
        raise Wrong("请写清到哪天几点截止", "say when it closes")
    if typed.get("opens", "").strip():
        later = moments.moment(typed["opens"], zone)
        if later is None:
            raise Wrong("请写清从哪天几点开始，空着是现在", "say when it opens")
        opens = later
    return opens, closes


def print_of(typed: Typed, would: Preview) -> str:
    """Of everything that decides what is made, and for whom."""
    opens = typed.get("opens", "").strip()
    kept = tuple(typed.get(name, "").strip() for name in ("place", "kind", "title", "unit", "rings"))
    roll = hashlib.sha256(_roll(typed).encode()).hexdigest()
    whole = repr((kept, would.topics, opens, would.closes.isoformat(), would.places, roll))
    return hashlib.sha256(whole.encode()).hexdigest()[:32]


def _in_a_week(place: Neighbourhood, now: datetime) -> datetime:
    return at_minute(place.timezone, local_date(place.timezone, now + _OPEN_FOR), _CLOSES_AT)
