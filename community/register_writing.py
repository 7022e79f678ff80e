"""A plan of register_people.py, carried out: what is to be written is made ready before the transaction that writes it,
which so is short: a server beside it waits no longer than that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import insert, literal, select
from sqlalchemy.orm import Session

from checkins import consents, items, people
from checkins.consents import Word
from checkins.items import Item, ItemKind
from checkins.people_csv import CONSENTS, SPOKEN, Entry
from checkins.register_log import How, PersonEvent, What
from checkins.tables import Checkin, CheckinEvent, Mode, Neighbourhood, NumberState, Person, Role, State
from community.register_people import Change, Plan, Told, wanted
from storage.database import UtcTime
from storage.ready_rows import ReadyRows, ready_changes, ready_rows

_PLAIN = ("name", "spoken_name", "language", "slot", *SPOKEN)  # written as they are
_LOGGED = {"phone": "register:number", "mode": "register:mode"}  # in a case's log
_AT_ONCE = 500  # ids in one statement
_Row = dict[str, Any]


@dataclass(frozen=True)
class Ready:
    """`people`: who is new. `fields`: of who is known; `events`: what is noted about both. `logged`: whose newest case
    has which line more; `renumbered`: whose number was corrected; `changes`: what cases that are open must hear of,
    one after the other. `tenants`, by ids: who lives where somebody else comes to live."""

    people: ReadyRows
    fields: Sequence[ReadyRows]
    events: ReadyRows
    logged: Mapping[str, Sequence[str]]
    renumbered: Collection[str]
    changes: Mapping[str, Sequence[Change]] = field(repr=False)
    tenants: Sequence[tuple[str, str]] = ()

    def __bool__(self) -> bool:
        return bool(len(self.people) or self.fields or self.changes)


def ready(session: Session, place: Neighbourhood, made: Plan, told: Told, now: datetime, *, update: bool) -> Ready:
    """ValueError with faults."""
    if made.faults:
        raise ValueError("a file with faults changes nothing")
    changes = wanted(made, update=update)
    ids = made.ids | {entry.row: person.id for entry, person in made.known}
    moved = {change.row for each in changes.values() for change in each} | set(made.ids)
    slow = {who: found for who, each in sorted(changes.items()) if (found := [one for one in each if _heard(one)])}
    quick = {who: found for who, each in changes.items() if (found := [one for one in each if not _heard(one)])}
    new = [_person(made.ids[entry.row], entry, place) for entry in made.new]
    events = [_event(made.ids[entry.row], entry, list(entry.values), told, now) for entry in made.new]
    events += [event for who, each in quick.items() for event in _events(who, each, told, now)]
    dialect = session.get_bind().dialect
    return Ready(
        ready_rows(dialect, Person, sorted(new, key=itemgetter("id"))),
        [ready_changes(dialect, Person, rows) for rows in _by_columns(quick)],
        ready_rows(dialect, PersonEvent, sorted(events, key=itemgetter("person_id"))),
        {what: [who for who, each in quick.items() if _has(each, column)] for column, what in _LOGGED.items()},
        {who for who, each in quick.items() if _has(each, "phone")},
        slow,
        [(tenant.known.id, ids[tenant.entry.row]) for tenant in made.tenants if tenant.entry.row in moved],
    )


def carry_out(session: Session, place_id: int, rows: Ready, told: Told, now: datetime) -> None:
    """Adds who is new, and changes who is known."""
    rows.people.write(session)
    for each in rows.fields:
        each.write(session)
    rows.events.write(session)
    for what, people_ids in rows.logged.items():
        _log(session, what, people_ids, told.by.strip(), now)
    _settle(session, place_id, rows.renumbered, told.by.strip(), now)
    for person_id, changes in rows.changes.items():
        _change(session, session.get_one(Person, person_id), changes, told, now)
    session.flush()
    items.open_several(session, ItemKind.TENANT, now, place_id, rows.tenants)


def _person(person_id: str, entry: Entry, place: Neighbourhood) -> _Row:
    values: _Row = {column: entry.values.get(column) for column in (*_PLAIN, "role", "mode", "state")}
    return values | {
        "id": person_id,
        "neighbourhood_id": place.id,
        "number": entry.phone,
        "number_state": NumberState.OK,
        "role": values["role"] or Role.ELDER,
        "language": values["language"] or "zh",
        "mode": values["mode"] or Mode.KEYS,
        "state": values["state"] or State.ACTIVE,
        "state_until": entry.until if values["state"] else None,
        "state_source": (entry.source or None) if values["state"] else None,
        "consents": entry.values.get("consents", {}),
    }


def _event(person_id: str, entry: Entry, columns: Sequence[str], told: Told, now: datetime) -> _Row:
    """Which fields the file wrote, from which day."""
    on, agreed = entry.on or told.on, entry.values.get("consents")
    detail: _Row = {"fields": columns} | ({"on": on.isoformat()} if on else {})
    if "consents" in columns and isinstance(agreed, Mapping):
        detail["consents"] = [purpose for purpose, given in agreed.items() if given]
    return _said(person_id, What.FIELDS, detail, entry, told, now)


def _said(person_id: str, what: What, detail: _Row | None, entry: Entry, told: Told, now: datetime) -> _Row:
    """On whose word."""
    word = {"by": told.by.strip()[:100], "said_by": entry.source or told.source, "how": How.FILE}
    return {"person_id": person_id, "at": now, "what": what, **word, "detail": detail}


# ── who is known ──────────────────────────────────────────────────────────────────────────────────


def _heard(change: Change) -> bool:
    """Whether a case that is open must hear of it, and so nothing of it is written in one go."""
    if change.column == "consents":
        return bool(_agreed(change.old).get("calls")) and not _agreed(change.value).get("calls")
    return change.column == "state"


def _has(changes: Sequence[Change], column: str) -> bool:
    return any(change.column == column for change in changes)


def _agreed(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _by_columns(changes: Mapping[str, Sequence[Change]]) -> list[list[_Row]]:
    """What the register will have, parted by which columns of it change."""
    found: dict[tuple[str, ...], list[_Row]] = defaultdict(list)
    for who, each in changes.items():
        values = {key: value for change in each for key, value in _values(change).items()}
        found[tuple(values)].append({"id": who, **values})
    return list(found.values())


def _values(change: Change) -> _Row:
    """As people.set_number, set_mode and consents.replace have it."""
    if change.column == "phone":
        return {"number": change.value} | ({} if change.value is None else {"number_state": NumberState.OK})
    if change.column == "consents":
        return {"consents": {purpose: True for purpose in CONSENTS if _agreed(change.value).get(purpose)}}
    return {change.column: change.value}


def _events(who: str, changes: Sequence[Change], told: Told, now: datetime) -> Iterator[_Row]:
    entry = changes[0].entry
    on = entry.on or told.on
    day = {"on": on.isoformat()} if on else {}
    plain = [change.column for change in changes if change.column in _PLAIN]
    if plain:
        yield _event(who, entry, plain, told, now)
    for change in changes:
        if change.column == "phone":
            yield _said(who, What.NUMBER, day or None, entry, told, now)
        elif change.column == "mode":
            yield _said(who, What.MODE, {"mode": change.value, **day}, entry, told, now)
        elif change.column == "consents":
            old, new = _agreed(change.old), _agreed(change.value)
            for purpose in CONSENTS:
                if bool(old.get(purpose)) != bool(new.get(purpose)):
                    given = {"purpose": purpose, "given": bool(new.get(purpose)), **day}
                    yield _said(who, What.CONSENT, given, entry, told, now)


def _log(session: Session, what: str, people_ids: Sequence[str], by: str, now: datetime) -> None:
    """Into the newest case of each who has one, as people.note_change does."""
    newest = select(Checkin.id).where(Checkin.elder_id == Person.id).order_by(Checkin.date.desc()).limit(1)
    case = newest.correlate(Person).scalar_subquery()
    columns = [CheckinEvent.checkin_id, CheckinEvent.at, CheckinEvent.what, CheckinEvent.who]
    for at in range(0, len(people_ids), _AT_ONCE):
        known = select(case, literal(now, UtcTime), literal(what), literal(by))
        known = known.where(Person.id.in_(people_ids[at : at + _AT_ONCE]), case.is_not(None)).order_by(Person.id)
        session.execute(insert(CheckinEvent).from_select(columns, known))


def _settle(session: Session, place_id: int, renumbered: Collection[str], by: str, now: datetime) -> None:
    """A number that was corrected is not to be looked into any more."""
    kinds = ItemKind.NUMBER_BAD, ItemKind.NUMBER_DOUBTED
    doubted = select(Item).where(Item.neighbourhood_id == place_id, Item.kind.in_(kinds), Item.done_at.is_(None))
    for item in session.scalars(doubted.with_for_update()) if renumbered else ():
        if item.person_id in renumbered:
            items.done(session, item.id, by, now)


def _change(session: Session, person: Person, changes: Sequence[Change], told: Told, now: datetime) -> None:
    """Each by the way by which the line obeys it before its next call."""
    entry = changes[0].entry
    said_by, on, how = entry.source or told.source, entry.on or told.on, How.FILE
    for change in changes:
        if change.column == "consents":
            consents.replace(session, person.id, _agreed(change.value), Word(told.by, said_by, how, on), now)
        elif change.column == "state":
            until, state = entry.until, State(str(change.value))
            people.set_state(session, person.id, state, told.by, now, until=until, said_by=said_by, how=how)
            people.note_change(session, person.id, "state", told.by, now, said_by=said_by, how=how, on=on)
