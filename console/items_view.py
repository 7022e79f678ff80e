"""What staff must see to besides the cases, ready to show. Personal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import items
from checkins.items import ITEM_ZH, Item
from checkins.tables import Neighbourhood, Person

_WORDS: Mapping[str, str] = ITEM_ZH  # by kind; of one that nobody named, its own word is shown


@dataclass(frozen=True)
class Shown:
    """`whom`: the person it is about; `by`: the responder it comes from. Empty for nobody."""

    id: int
    kind: str
    whom: str = field(repr=False)
    number: str = field(repr=False)
    by: str = field(repr=False)
    text: str = field(repr=False)
    case: int | None
    since: datetime
    due: datetime | None
    zone: str
    place: str


def look(session: Session) -> tuple[Shown, ...]:
    """Everything that is open, what is due first comes first."""
    found = items.open_items(session)
    ids = {one for item in found for one in (item.person_id, item.by_id) if one}
    people = {person.id: person for person in session.scalars(select(Person).where(Person.id.in_(ids)))}
    places = {place.id: place for place in session.scalars(select(Neighbourhood))}
    return tuple(_shown(item, people, places[item.neighbourhood_id]) for item in found)


def _shown(item: Item, people: Mapping[str, Person], place: Neighbourhood) -> Shown:
    whom, by = (people.get(one or "") for one in (item.person_id, item.by_id))
    detail = item.detail or {}
    case = detail.get("case")
    return Shown(
        id=item.id,
        kind=_WORDS.get(item.kind, item.kind),
        whom=whom.name if whom else "",
        number=_number(whom or by) or str(detail.get("number") or detail.get("phone") or ""),
        by=by.name if by else "",
        text=str(detail.get("text") or detail.get("worry_text") or ""),
        case=case if isinstance(case, int) else None,
        since=item.opened_at,
        due=item.due_at,
        zone=place.timezone,
        place=place.name,
    )


def _number(person: Person | None) -> str:
    """Whom to ring about it: the one it is about, else the one it comes from."""
    return (person.number or "") if person else ""
