"""The log of acts, ready to show: all logs in one, newest first, a page at a time from a key on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from itertools import islice

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from checkins.tables import Person, Role
from console.accounts_tables import Account
from console.audit_sources import SOURCES, Act, Key, Narrowed
from console.audit_words import KIND_ZH

PAGE = 50
BATCH = 500
MOST_PEOPLE = 50  # whom one question may be about
LOOKED_AT = 5_000  # for one page, where every line must be read to find a word


@dataclass(frozen=True)
class About:
    id: str
    name: str = field(repr=False)
    elder: bool


@dataclass(frozen=True)
class Line:
    at: datetime
    kind: str
    by: str = field(repr=False)
    zh: str = field(repr=False)
    en: str = field(repr=False)
    about: tuple[About, ...] = field(repr=False)
    case: int | None
    key: Key

    @property
    def kind_zh(self) -> str:
        return KIND_ZH[self.kind]

    def has(self, words: Sequence[str]) -> bool:
        whole = " ".join((self.by, self.zh, self.en, *(one.name for one in self.about))).casefold()
        return all(word in whole for word in words)


@dataclass(frozen=True)
class Found:
    """`older`: from where the next page begins; None: that was all. `looked`: so many were read, and too few found."""

    lines: tuple[Line, ...] = field(repr=False)
    older: Key | None
    looked: int = 0


def page(session: Session, narrowed: Narrowed, text: str, before: Key | None) -> Found:
    """Reads no more than it must; for words no more than LOOKED_AT lines, and says where to go on."""
    words = text.casefold().split()
    if not words:
        lines = list(islice(_lines(session, narrowed, before, PAGE + 1), PAGE + 1))
        return Found(tuple(lines[:PAGE]), lines[PAGE - 1].key if len(lines) > PAGE else None)
    found: list[Line] = []
    last, seen = before, 0
    for line in islice(_lines(session, narrowed, before, BATCH), LOOKED_AT):
        last, seen = line.key, seen + 1
        if line.has(words):
            found.append(line)
            if len(found) == PAGE:
                return Found(tuple(found), last)
    return Found(tuple(found), last if seen == LOOKED_AT else None, seen if seen == LOOKED_AT else 0)


def everything(session: Session, narrowed: Narrowed, text: str, most: int) -> list[Line]:
    """So many at most."""
    words = text.casefold().split()
    return list(islice((line for line in _lines(session, narrowed, None, BATCH) if line.has(words)), most))


def people_like(session: Session, asked: str) -> tuple[str, ...]:
    """Ids of whom that names: by id, or part of the name or of how the line says it; MOST_PEOPLE at most."""
    alike = (column.contains(asked, autoescape=True) for column in (Person.name, Person.spoken_name))
    query = select(Person.id).where(or_(Person.id == asked, *alike)).order_by(Person.name, Person.id)
    return tuple(session.scalars(query.limit(MOST_PEOPLE)))


def names(session: Session) -> list[str]:
    """Of accounts: who mostly acts."""
    return list(session.scalars(select(Account.name).where(Account.name != "").order_by(Account.name)))


def _lines(session: Session, narrowed: Narrowed, before: Key | None, batch: int) -> Iterator[Line]:
    """All, newest first, read in batches."""
    while True:
        acts = _batch(session, narrowed, before, batch)
        yield from _named(session, acts)
        if len(acts) < batch:
            return
        before = acts[-1].key


def _batch(session: Session, narrowed: Narrowed, before: Key | None, most: int) -> list[Act]:
    found = [source.look(session, narrowed, before, most) for source in SOURCES]
    return list(islice(merge(*found, key=lambda act: act.key, reverse=True), most))


def _named(session: Session, acts: Sequence[Act]) -> list[Line]:
    ids = {one for act in acts for one in act.about}
    known: dict[str, About] = {}
    for chunk in _chunks(sorted(ids)):
        rows = session.execute(select(Person.id, Person.name, Person.role).where(Person.id.in_(chunk)))
        known |= {id_: About(id_, name, role == Role.ELDER) for id_, name, role in rows}
    return [_line(act, known) for act in acts]


def _line(act: Act, known: dict[str, About]) -> Line:
    about = tuple(known[one] for one in act.about if one in known)
    return Line(act.at, act.kind, act.by, act.said.zh, act.said.en, about, act.case, act.key)


def _chunks(ids: list[str], most: int = 500) -> Iterator[list[str]]:
    return (ids[at : at + most] for at in range(0, len(ids), most))
