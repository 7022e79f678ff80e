"""A file is judged while everybody else goes on writing, and written in one short transaction: there it is looked at
once more whether the register and the roster are still those by which it was judged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session

from checkins.register_log import PersonEvent
from checkins.roster.tables import RosterChange
from checkins.tables import Neighbourhood, Person
from storage.database import Database

TRIES = 3
CHANGED = (
    "the register was changed by somebody else while the file was being judged, several times: nothing was changed, "
    "try again"
)
_PEOPLE = (
    Person.id,
    Person.name,
    Person.spoken_name,
    Person.number,
    Person.role,
    Person.language,
    Person.mode,
    Person.slot,
    Person.state,
    Person.state_until,
    Person.address,
    Person.key_holder,
    Person.notes,
    cast(Person.consents, Text),
)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Seen:
    """What a judgement rests on. Whoever changes the roster, or says that a field is so, adds a row. `places`: those of
    this committee, of which there must be one at most."""

    people: tuple[tuple[Any, ...], ...] = field(repr=False)
    words: tuple[Any, ...]
    roster: tuple[Any, ...]
    places: tuple[int, ...]


class ChangedSinceError(Exception):
    """The register or the roster is not the one that somebody has looked at any more."""


def mark(session: Session, place: Neighbourhood) -> str:
    """Another one whenever register or roster is: for whoever looks at a dry run, and says later that it holds."""
    return _mark(seen(session, place))


def _mark(was: Seen) -> str:
    return hashlib.sha256(repr((was.people, was.words, was.roster, was.places)).encode()).hexdigest()


def seen(session: Session, place: Neighbourhood) -> Seen:
    """`place` may be one that is still to be made."""
    people = session.execute(select(*_PEOPLE).where(Person.neighbourhood_id == place.id).order_by(Person.id))
    words = select(func.count(), func.max(PersonEvent.id)).join(Person, PersonEvent.person_id == Person.id)
    changes = select(func.count(), func.max(RosterChange.id)).where(RosterChange.neighbourhood_id == place.id)
    places = select(Neighbourhood.id).where(Neighbourhood.committee == place.committee).order_by(Neighbourhood.id)
    return Seen(
        tuple(map(tuple, people)),
        tuple(session.execute(words.where(Person.neighbourhood_id == place.id)).one()),
        tuple(session.execute(changes).one()),
        tuple(session.scalars(places)),
    )


def judged_first(
    db: Database,
    place: Neighbourhood,
    judge: Callable[[Session], _T],
    right: Callable[[_T], bool],
    write: Callable[[Session, _T], None],
    *,
    since: str = "",
) -> _T | None:
    """What `judge`, which only looks, has found; written when that is `right`. Who changes the register in between is
    heard first: it is judged again. None: that happened each time, and nothing was written. `since`: the mark that it
    must have; ChangedSinceError when it hasn't (any more)."""
    for _ in range(TRIES):
        with db.read() as session:
            was = seen(session, place)
            if since and _mark(was) != since:
                raise ChangedSinceError
            found = judge(session)
        if not right(found):
            return found
        with db.write() as session:
            _hold(session, place)
            if seen(session, place) == was:
                write(session, found)
                return found
    return None


def _hold(session: Session, place: Neighbourhood) -> None:
    """Against other changes of its roster, as these hold it themselves (PostgreSQL; SQLite has one writer)."""
    if place.id is not None:
        session.get(Neighbourhood, place.id, with_for_update={"key_share": True})
