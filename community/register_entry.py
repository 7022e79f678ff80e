"""An elder's own entry: what they are told of it, what they say is wrong, and what staff make of that.

Nothing is changed by telephone alone: staff listen, and confirm it as the elder's own word, or let it stay and say why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import consents, items, people, register_log
from checkins.consents import PURPOSE_ZH, Word
from checkins.items import Item, ItemKind
from checkins.names import named, says_something
from checkins.people_csv import CONSENTS, reader
from checkins.phones import spoken
from checkins.register_log import SELF, How, PersonEvent, What
from checkins.schedule import local_date
from checkins.tables import Mode, Neighbourhood, Person

OTHER, ASKED = "other", "entry"  # what can't be told apart; a person reads the whole entry to them
FIELDS = {
    "name": "姓名",
    "address": "住址",
    "phone": "电话",
    "key_holder": "钥匙",
    "consents": "同意了什么",
    OTHER: "别的",
    ASKED: "想核对登记，电话里没有读，请回电",
}
CHANGED = ("name", "spoken_name", "phone", "language", "mode", "slot", "consents", "address", "key_holder", "notes")
LOOKED_INTO = timedelta(days=7)


@dataclass(frozen=True)
class Said:
    """One recording of what they said is wrong. `id` of its row; `name`: about which field."""

    id: int
    call_id: str
    name: str
    recording: str


def told(person: Person) -> dict[str, str]:
    """What the line says of an entry, by field, in the order in which it is said. Personal. Who has the key is never
    named: a number that is shown, and a flat, are no proof that would do for that."""
    agreed = [PURPOSE_ZH[purpose] for purpose in CONSENTS if person.consents.get(purpose)]
    return {
        "name": f"您的姓名,登记的是{person.name}。",
        "address": f"您的住址,登记的是{person.address}。" if person.address else "您的住址没有登记。",
        "phone": f"您的电话,登记的是{spoken(person.number)}。" if person.number else "您的电话没有登记。",
        "key_holder": "有人保管您家的钥匙,是登记了的,名字电话里不说。"
        if person.key_holder
        else "没有登记谁有您家的钥匙。",
        "consents": f"您同意了:{'、'.join(agreed)}。" if agreed else "您没有登记同意什么。",
    }


def say_wrong(
    session: Session,
    person_id: str,
    about: str,
    call_id: str,
    now: datetime,
    *,
    recording: str | None = None,
    text: str = "",
) -> Item:
    """What they said is wrong, by field (FIELDS) and in their own words. A recording that is told again is no news,
    also when staff have done it meanwhile; a field that is called wrong again then waits again. `text`: what an ear
    made of it. ValueError."""
    if about not in FIELDS:
        raise ValueError(f"fields are {', '.join(FIELDS)}")
    person = session.get_one(Person, person_id)
    detail = {"field": about} | ({"recording": recording} if recording else {})
    known = any(each.detail == detail for each in in_call(session, person_id, call_id))
    item = _last(session, person_id, about) if known else None
    if item is not None and item.done_at is not None and recording:
        return item
    if item is None or item.done_at is not None:
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
        detail={"call": call_id, "text": FIELDS[about] + (f"：{text}" if text else ""), **detail},
        about=about,
    )


def _last(session: Session, person_id: str, about: str) -> Item:
    """The newest of what was said about this field."""
    query = select(Item).where(Item.key == items.key_of(ItemKind.ENTRY_WRONG, person_id, about=about))
    return session.scalars(query.order_by(Item.id.desc()).limit(1)).one()


def in_call(session: Session, person_id: str, call_id: str) -> list[PersonEvent]:
    """What they called wrong in this call, the first first."""
    found = register_log.events(session, person_id, What.SAID_WRONG)
    return [each for each in found if each.call_id == call_id]


def waiting(session: Session, neighbourhood_id: int | None = None) -> list[Item]:
    return [item for item in items.open_items(session, neighbourhood_id) if item.kind == ItemKind.ENTRY_WRONG]


def recordings(session: Session, item: Item) -> list[Said]:
    """All that was dictated for it since it waits, the first first."""
    about, found = (item.detail or {}).get("field"), []
    for event in register_log.events(session, str(item.person_id), What.SAID_WRONG):
        said = event.detail or {}
        if event.at >= item.opened_at and said.get("field") == about and said.get("recording"):
            found.append(Said(event.id, event.call_id or "", str(about), said["recording"]))
    return found


def by_number(session: Session, item_id: int) -> Item:
    """One that waits. LookupError when nobody waits for it any more."""
    item = session.get(Item, item_id)
    if item is None or item.kind != ItemKind.ENTRY_WRONG or item.done_at is not None:
        raise LookupError("nobody waits for this: `register corrections` shows who does")
    return item


def confirm(session: Session, item_id: int, column: str, text: str, by: str, now: datetime) -> None:
    """Writes what the elder said into the register, as their own word. ValueError for what can't stand there,
    LookupError when nobody waits for it any more."""
    item = by_number(session, item_id)
    person = session.get_one(Person, item.person_id)
    write(session, person, column, text, Word(named(by), SELF, How.PHONE), now)
    items.done(session, item_id, by, now)


def refuse(session: Session, item_id: int, by: str, why: str, now: datetime) -> None:
    """It stays as it is; why, so that somebody can tell the elder. ValueError without a reason."""
    item, name = by_number(session, item_id), named(by)
    if not says_something(why):
        raise ValueError("say why it stays as it is: the elder will ask")
    detail = {"field": (item.detail or {}).get("field", ""), "why": why.strip()[:200]}
    register_log.note(session, str(item.person_id), What.NOT_CHANGED, name, now, detail=detail)
    items.done(session, item_id, by, now)


def write(session: Session, person: Person, column: str, text: str, word: Word, now: datetime) -> None:
    """One column, as somebody writes it in a cell, on their word. ValueError for what can't stand there."""
    if column not in CHANGED:
        raise ValueError(f"what can be written: {', '.join(CHANGED)}")
    place = session.get_one(Neighbourhood, person.neighbourhood_id)
    try:
        value = reader(column, place.area_code, local_date(place.timezone, now))(text.strip())
    except ValueError as error:
        raise ValueError(f"{column}: {error}") from None
    if column == "consents":
        assert isinstance(value, dict)
        consents.replace(session, person.id, value, word, now)
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
    people.note_change(session, person.id, what, word.by, now, said_by=word.said_by, how=word.how, on=word.on)
