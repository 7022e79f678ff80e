"""What of the register was changed for somebody, when, on whose word: rows that are only ever added.

The register itself (tables.Person) says what holds; this says who said so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from checkins.tables import PERSONAL
from storage.database import Base, UtcTime

SELF = "本人"
_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER


class What(StrEnum):
    CONSENT = "consent"  # detail: purpose, given; on: the day on the paper
    STATE = "state"  # detail: state, until
    NUMBER = "number"  # corrected
    NUMBER_DOUBTED = "number_doubted"  # "wrong number", said there
    MODE = "mode"  # detail: mode
    FIELDS = "fields"  # detail: fields, columns that were written; consents, if among them; on: since when it is so
    SAID_WRONG = "said_wrong"  # by telephone, of what the register has; detail: field, recording
    HOME_KEYED = "home_keyed"  # by telephone, where they live: as the register has it
    HOME_NOT_KEYED = "home_not_keyed"  # otherwise than the register has it
    NOT_CHANGED = "not_changed"  # staff looked into that, and it stays; detail: field, why
    REFUSAL_MEANT = "refusal_meant"  # asked in person: it was the elder's own wish
    REFUSAL_NOT_MEANT = "refusal_not_meant"  # asked in person: calls are wanted again
    ONE_KEY = "one_key"  # the elder was shown key 5
    TEST_WANTED = "test_wanted"  # staff want a test call rung now
    TEST_CALL = "test_call"  # one was ordered; detail: asked, who of the staff had wanted it
    # What a test call came to; detail: disposition, result.
    TEST_HEARD = "test_heard"
    TEST_VAIN = "test_vain"
    TEST_NOTHING = "test_nothing"  # no call was possible, or the line failed: it says nothing of the telephone


class How(StrEnum):
    """How somebody said it."""

    PAPER = "paper"
    PHONE = "phone"
    IN_PERSON = "in_person"
    FILE = "file"  # in a spreadsheet


class PersonEvent(Base):
    """`by`: who wrote it down: a name, or what the line has for one ("by phone"). `said_by`: whose word it is, SELF for
    the elder's own; None: nobody wrote that down."""

    __tablename__ = "person_event"
    __table_args__ = (Index("ix_person_event_person", "person_id", "what", "id"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    what: Mapped[str] = mapped_column(String(32), index=True)
    by: Mapped[str] = mapped_column(String(100))
    said_by: Mapped[str | None] = mapped_column(String(100), info=PERSONAL)
    how: Mapped[str | None] = mapped_column(String(16))
    call_id: Mapped[str | None] = mapped_column(String(36), index=True)
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), info=PERSONAL)


def note(
    session: Session,
    person_id: str,
    what: What,
    by: str,
    now: datetime,
    *,
    said_by: str | None = None,
    how: How | None = None,
    call_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> PersonEvent:
    event = PersonEvent(person_id=person_id, at=now, what=what, by=by[:100], said_by=said_by, how=how, call_id=call_id)
    event.detail = dict(detail) if detail else None
    session.add(event)
    return event


def events(session: Session, person_id: str, *what: What) -> list[PersonEvent]:
    """The oldest first; all of them, or of these kinds."""
    query = select(PersonEvent).where(PersonEvent.person_id == person_id)
    if what:
        query = query.where(PersonEvent.what.in_(what))
    return list(session.scalars(query.order_by(PersonEvent.id)))


def last(session: Session, person_id: str, *what: What) -> PersonEvent | None:
    query = select(func.max(PersonEvent.id)).where(PersonEvent.person_id == person_id, PersonEvent.what.in_(what))
    newest = session.scalar(query)
    return None if newest is None else session.get(PersonEvent, newest)


# ── each field's source ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Source:
    """Whose word a field of the register is, how it was said, on which day (None: nobody wrote a day), who noted it."""

    said_by: str | None = field(repr=False)
    how: str | None
    on: date | None
    by: str
    at: datetime


def sources(session: Session, person_ids: Collection[str]) -> dict[str, dict[str, Source]]:
    """By person and column of the spreadsheet ("phone", "consents" …), the newest word; no entry: nobody wrote it."""
    found: dict[str, dict[str, Source]] = {}
    for chunk in _chunks(sorted(person_ids)):
        query = select(PersonEvent).where(PersonEvent.person_id.in_(chunk)).order_by(PersonEvent.id)
        for event in session.scalars(query):
            source = _source(event)
            found.setdefault(event.person_id, {}).update(dict.fromkeys(_fields(event), source))
    return found


def _source(event: PersonEvent) -> Source:
    on = (event.detail or {}).get("on")
    return Source(event.said_by, event.how, date.fromisoformat(on) if on else None, event.by, event.at)


def _fields(event: PersonEvent) -> tuple[str, ...]:
    if event.what == What.FIELDS:
        return tuple((event.detail or {}).get("fields", ()))
    return _FIELDS.get(What(event.what), ())


_FIELDS = {
    What.CONSENT: ("consents",),
    What.STATE: ("state",),
    What.REFUSAL_MEANT: ("state",),
    What.REFUSAL_NOT_MEANT: ("state",),
    What.NUMBER: ("phone",),
    What.MODE: ("mode",),
}


def _chunks(ids: list[str], most: int = 500) -> Iterator[list[str]]:
    return (ids[at : at + most] for at in range(0, len(ids), most))
