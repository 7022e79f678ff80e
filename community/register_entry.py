"""An elder's own entry: what they are told of it, what they say is wrong, and what staff make of that.

Nothing is changed by telephone alone: staff listen, and confirm it as the elder's own word, or let it stay and say why.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from checkins import consents, items, people, register_log
from checkins.consents import PURPOSE_ZH, Word
from checkins.items import Item, ItemKind
from checkins.names import named, says_something
from checkins.people_csv import CONSENTS, reader
from checkins.phones import spoken
from checkins.register_log import SELF, How, What
from checkins.schedule import local_date
from checkins.tables import Mode, Neighbourhood, Person

FIELDS = {"name": "姓名", "address": "住址", "phone": "电话", "key_holder": "钥匙", "other": "别的"}
CHANGED = ("name", "spoken_name", "phone", "language", "mode", "slot", "consents", "address", "key_holder", "notes")
LOOKED_INTO = timedelta(days=7)


def told(person: Person) -> list[str]:
    """The sentences that the line says of an entry, shortest first thing first. Personal."""
    agreed = [PURPOSE_ZH[purpose] for purpose in CONSENTS if person.consents.get(purpose)]
    return [
        f"您的姓名登记的是:{person.name}。",
        f"住址:{person.address}。" if person.address else "住址没有登记。",
        f"电话:{spoken(person.number)}。" if person.number else "电话没有登记。",
        f"钥匙在{person.key_holder}那里。" if person.key_holder else "没有登记谁有钥匙。",
        f"您同意了:{'、'.join(agreed)}。" if agreed else "您没有登记同意什么。",
    ]


def say_wrong(
    session: Session, person_id: str, field: str, call_id: str, now: datetime, *, recording: str | None = None
) -> Item:
    """What they said is wrong, by field (FIELDS) and in their own words; said again it is the same. ValueError."""
    if field not in FIELDS:
        raise ValueError(f"fields are {', '.join(FIELDS)}")
    person = session.get_one(Person, person_id)
    detail = {"field": field} | ({"recording": recording} if recording else {})
    register_log.note(
        session, person_id, What.SAID_WRONG, SELF, now, said_by=SELF, how=How.PHONE, call_id=call_id, detail=detail
    )
    return items.open_item(
        session,
        ItemKind.ENTRY_WRONG,
        now,
        neighbourhood_id=person.neighbourhood_id,
        person_id=person_id,
        due_at=now + LOOKED_INTO,
        detail={"call": call_id, **detail},
        about=field,
    )


def waiting(session: Session, neighbourhood_id: int | None = None) -> list[Item]:
    return [item for item in items.open_items(session, neighbourhood_id) if item.kind == ItemKind.ENTRY_WRONG]


def confirm(session: Session, item_id: int, column: str, text: str, by: str, now: datetime) -> None:
    """Writes what the elder said into the register, as their own word. ValueError for what can't stand there,
    LookupError when nobody waits for it any more."""
    item = _open(session, item_id)
    person = session.get_one(Person, item.person_id)
    _write(session, person, column, text, named(by), now)
    items.done(session, item_id, by, now)


def refuse(session: Session, item_id: int, by: str, why: str, now: datetime) -> None:
    """It stays as it is; why, so that somebody can tell the elder. ValueError without a reason."""
    item, name = _open(session, item_id), named(by)
    if not says_something(why):
        raise ValueError("say why it stays as it is: the elder will ask")
    detail = {"field": (item.detail or {}).get("field", ""), "why": why.strip()[:200]}
    register_log.note(session, str(item.person_id), What.NOT_CHANGED, name, now, detail=detail)
    items.done(session, item_id, by, now)


def _open(session: Session, item_id: int) -> Item:
    item = session.get(Item, item_id)
    if item is None or item.kind != ItemKind.ENTRY_WRONG or item.done_at is not None:
        raise LookupError("nobody waits for this: `register corrections` shows who does")
    return item


def _write(session: Session, person: Person, column: str, text: str, by: str, now: datetime) -> None:
    if column not in CHANGED:
        raise ValueError(f"what can be written: {', '.join(CHANGED)}")
    place = session.get_one(Neighbourhood, person.neighbourhood_id)
    try:
        value = reader(column, place.area_code, local_date(place.timezone, now))(text.strip())
    except ValueError as error:
        raise ValueError(f"{column}: {error}") from None
    if column == "consents":
        assert isinstance(value, dict)
        consents.replace(session, person.id, value, Word(by, SELF, How.PHONE), now)
        return
    if column == "phone":
        if value is None:
            raise ValueError("phone: is no telephone number")
        people.set_number(session, person.id, str(value))
    elif column == "mode":
        people.set_mode(session, person.id, Mode(str(value)))
    else:
        setattr(person, column, value)
    what = "number" if column == "phone" else column
    people.note_change(session, person.id, what, by, now, said_by=SELF, how=How.PHONE)
