"""A plan of register_people.py, carried out: what is to be written is made ready before the transaction that writes it,
which so is short: a server beside it waits no longer than that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from checkins import consents, items, people
from checkins.consents import Word
from checkins.items import ItemKind
from checkins.people_csv import SPOKEN, Entry
from checkins.register_log import How, PersonEvent, What
from checkins.tables import Mode, Neighbourhood, NumberState, Person, Role, State
from community.register_people import Change, Plan, Told, wanted
from storage.ready_rows import ReadyRows, ready_rows

_PLAIN = ("name", "spoken_name", "language", "slot", *SPOKEN)  # written as they are
_AT_ONCE = 500  # ids in one statement
_Row = dict[str, Any]


@dataclass(frozen=True)
class Ready:
    """Rows: of those who are new, of fields of who is known (by their columns), and of what is noted about both.
    `changes`: of fields that the line must obey before its next call. `tenants`, by ids: who lives where somebody else
    comes to live."""

    people: ReadyRows
    fields: Mapping[tuple[str, ...], Sequence[_Row]] = field(repr=False)
    events: ReadyRows
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
    plain = {who: [change for change in each if change.column in _PLAIN] for who, each in changes.items()}
    events = [_event(made.ids[entry.row], entry, list(entry.values), told, now) for entry in made.new]
    events += [
        _event(who, each[0].entry, [change.column for change in each], told, now) for who, each in plain.items() if each
    ]
    dialect = session.get_bind().dialect
    new = [_person(made.ids[entry.row], entry, place) for entry in made.new]
    return Ready(
        ready_rows(dialect, Person, sorted(new, key=itemgetter("id"))),
        _by_columns(plain),
        ready_rows(dialect, PersonEvent, sorted(events, key=itemgetter("person_id"))),
        {who: each for who, each in sorted(changes.items()) if len(each) > len(plain[who])},
        [(tenant.known.id, ids[tenant.entry.row]) for tenant in made.tenants if tenant.entry.row in moved],
    )


def carry_out(session: Session, place_id: int, rows: Ready, told: Told, now: datetime) -> None:
    """Adds who is new, and changes who is known."""
    connection = session.connection()
    rows.people.write(session)
    for columns, values in rows.fields.items():
        there = Person.id == bindparam("who")
        connection.execute(
            update(Person).where(there).values({each: bindparam(f"_{each}") for each in columns}), values
        )
    rows.events.write(session)
    known = {person.id: person for person in _load(session, list(rows.changes))}
    for person_id, changes in rows.changes.items():
        _change(session, known[person_id], changes, told, now)
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


def _by_columns(changes: Mapping[str, Sequence[Change]]) -> dict[tuple[str, ...], list[_Row]]:
    found: dict[tuple[str, ...], list[_Row]] = defaultdict(list)
    for who, each in changes.items():
        if each:
            values = {f"_{change.column}": change.value for change in each}
            found[tuple(change.column for change in each)].append({"who": who, **values})
    return found


def _event(person_id: str, entry: Entry, columns: Sequence[str], told: Told, now: datetime) -> _Row:
    """Which fields the file wrote, on whose word, from which day."""
    on, agreed = entry.on or told.on, entry.values.get("consents")
    detail: _Row = {"fields": columns} | ({"on": on.isoformat()} if on else {})
    if "consents" in columns and isinstance(agreed, Mapping):
        detail["consents"] = [purpose for purpose, given in agreed.items() if given]
    said = {"by": told.by[:100], "said_by": entry.source or told.source, "how": How.FILE}
    return {"person_id": person_id, "at": now, "what": What.FIELDS, **said, "detail": detail}


# ── who is known ──────────────────────────────────────────────────────────────────────────────────


def _load(session: Session, ids: Sequence[str]) -> list[Person]:
    found: list[Person] = []
    for at in range(0, len(ids), _AT_ONCE):
        found += session.scalars(select(Person).where(Person.id.in_(ids[at : at + _AT_ONCE])))
    return found


def _change(session: Session, person: Person, changes: Sequence[Change], told: Told, now: datetime) -> None:
    """Each field by the way by which the line obeys it before its next call."""
    entry = changes[0].entry
    said_by, on = entry.source or told.source, entry.on or told.on

    def note(what: str) -> None:
        people.note_change(session, person.id, what, told.by, now, said_by=said_by, how=How.FILE, on=on)

    for change in changes:
        value: Any = change.value
        if change.column == "phone":
            _set_number(session, person, value)
            note("number")
        elif change.column == "mode":
            people.set_mode(session, person.id, Mode(value))
            note("mode")
        elif change.column == "consents":
            consents.replace(session, person.id, value, Word(told.by, said_by, How.FILE, on), now)
        elif change.column == "state":
            until, how = entry.until, How.FILE
            people.set_state(session, person.id, State(value), told.by, now, until=until, said_by=said_by, how=how)
            note("state")


def _set_number(session: Session, person: Person, number: str | None) -> None:
    if number is None:
        person.number = None
    else:
        people.set_number(session, person.id, number)
