"""Contacts that buddies log, and who has had none for too long.

Every elder with a buddy has one contact a week, by whomever: seen or phoned, logged by telephone or found on the way
of a case. An attempt that reached nobody is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from checkins import items
from checkins.items import Item, ItemKind
from checkins.roster.tables import RosterChange, RosterPair
from checkins.schedule import local_date
from checkins.tables import PERSONAL, Neighbourhood, Person, State
from storage.database import Base, UtcTime

WEEK = 7  # days
_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER


class ContactKind(StrEnum):
    VISITED = "visited"  # seen in person
    PHONED = "phoned"
    COULD_NOT_REACH = "could_not_reach"


CONTACT_ZH = {
    ContactKind.VISITED: "上门见到",
    ContactKind.PHONED: "电话联系",
    ContactKind.COULD_NOT_REACH: "没联系到",
}


class Condition(StrEnum):
    FINE = "fine"
    WORRIED = "worried"
    UNKNOWN = "unknown"


class Contact(Base):
    """One for each elder and call: who logs twice in one call means the last."""

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("intent_id", "elder_id"),
        Index("ix_contact_elder_at", "elder_id", "at"),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    intent_id: Mapped[str] = mapped_column(String(36))  # the call in which it was logged
    elder_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    buddy_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    condition: Mapped[str] = mapped_column(String(16), info=PERSONAL)
    recording: Mapped[str | None] = mapped_column(String(200), info=PERSONAL)  # what worries them, in their own words
    at: Mapped[datetime] = mapped_column(UtcTime)


@dataclass(frozen=True)
class Pairing:
    """An elder and the first of their buddies, since when; None: nobody knows, so it was long ago."""

    elder_id: str
    buddy_id: str
    since: datetime | None


# ── rules ─────────────────────────────────────────────────────────────────────────────────────────


def due(last: datetime | None, now: datetime, zone: str) -> bool:
    """Whether a contact is due today, or was before: a week after the last one."""
    return last is None or _days(last, now, zone) >= WEEK


def missing(last_contacts: Mapping[str, datetime], pairs: Iterable[Pairing], now: datetime, zone: str) -> list[Pairing]:
    """Whose weekly contact was missed: the day on which it was due is over, and nobody logged one."""
    found = []
    for pair in pairs:
        begun = max(filter(None, (last_contacts.get(pair.elder_id), pair.since)), default=None)
        if begun is None or _days(begun, now, zone) > WEEK:
            found.append(pair)
    return found


def _days(since: datetime, now: datetime, zone: str) -> int:
    return (local_date(zone, now) - local_date(zone, since)).days


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────


def note(
    session: Session,
    intent_id: str,
    elder: Person,
    buddy: Person,
    kind: ContactKind,
    condition: Condition,
    now: datetime,
    recording: str | None = None,
) -> None:
    """Writes a contact; of one call and elder the last counts. A contact that was missed is made up for by it."""
    query = select(Contact).where(Contact.intent_id == intent_id, Contact.elder_id == elder.id)
    row = session.scalar(query) or Contact(intent_id=intent_id, elder_id=elder.id)
    row.buddy_id, row.kind, row.condition, row.at = buddy.id, kind, condition, now
    row.recording = recording or row.recording
    session.add(row)
    if kind is not ContactKind.COULD_NOT_REACH:
        missed = select(Item.id).where(Item.person_id == elder.id, Item.kind == ItemKind.CONTACT_MISSED)
        for item_id in session.scalars(missed.where(Item.done_at.is_(None))).all():
            items.done(session, item_id, buddy.name, now)


def last_contacts(session: Session, neighbourhood_id: int) -> dict[str, datetime]:
    """By elder. What staff did about a missed contact counts as one: they know."""
    logged = (
        select(Contact.elder_id, func.max(Contact.at))
        .join(Person, Person.id == Contact.elder_id)
        .where(Person.neighbourhood_id == neighbourhood_id, Contact.kind != ContactKind.COULD_NOT_REACH)
        .group_by(Contact.elder_id)
    )
    seen_to = (
        select(Item.person_id, func.max(Item.done_at))
        .where(Item.neighbourhood_id == neighbourhood_id, Item.kind == ItemKind.CONTACT_MISSED)
        .where(Item.done_at.is_not(None))
        .group_by(Item.person_id)
    )
    found: dict[str, datetime] = {}
    for elder_id, at in (*session.execute(logged), *session.execute(seen_to)):
        found[elder_id] = max(at, found.get(elder_id, at))
    return found


def pairings(session: Session, neighbourhood_id: int) -> list[Pairing]:
    """The first pair of each elder who shares with buddies and lives here now."""
    query = (
        select(RosterPair.elder_id, RosterPair.buddy_id, Person.consents)
        .join(Person, Person.id == RosterPair.elder_id)
        .where(RosterPair.neighbourhood_id == neighbourhood_id, Person.state.in_((State.ACTIVE, State.REFUSED)))
        .order_by(RosterPair.position, RosterPair.id)
    )
    first: dict[str, str] = {}
    for elder_id, buddy_id, consents in session.execute(query):
        if consents.get("buddy"):
            first.setdefault(elder_id, buddy_id)
    since = _paired_since(session, neighbourhood_id)
    return [Pairing(elder, buddy, since.get(elder)) for elder, buddy in first.items()]


def _paired_since(session: Session, neighbourhood_id: int) -> dict[str, datetime]:
    query = select(RosterChange.detail, RosterChange.at).where(
        RosterChange.neighbourhood_id == neighbourhood_id, RosterChange.what == "pair"
    )
    return {detail["elder"]: at for detail, at in session.execute(query.order_by(RosterChange.id)) if "elder" in detail}


def raise_missed(session: Session, now: datetime) -> int:
    """An item for each contact that was missed; safe to repeat. How many there are."""
    count = 0
    for place in session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)).all():
        last, pairs = last_contacts(session, place.id), pairings(session, place.id)
        for pair in missing(last, pairs, now, place.timezone):
            items.open_item(
                session,
                ItemKind.CONTACT_MISSED,
                now,
                neighbourhood_id=place.id,
                person_id=pair.elder_id,
                by_id=pair.buddy_id,
            )
            count += 1
    return count
