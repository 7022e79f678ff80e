"""People of a spreadsheet beside the register: a plan, which says all that is wrong and all that would change. It only
looks; register_writing.py carries it out.

Who is meant: the id, else name and number, else name and flat. What holds is changed only when that is asked for
(`update`), and never by an older word: what somebody said themselves stays, unless the row has a later date.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import register_log
from checkins.homes import home_of
from checkins.people_csv import SPOKEN, Entry, text_of, value_of
from checkins.register_log import How, Source
from checkins.roster.sheet import Somebody
from checkins.schedule import local_date
from checkins.spreadsheet import Fault
from checkins.tables import GONE, Neighbourhood, Person, Role, State


@dataclass(frozen=True)
class Change:
    """Of one field of somebody known. `fills`: nothing stood there. `stays`: why it is left as it is; "": it isn't."""

    row: int
    person: Person = field(repr=False)
    column: str
    old: object = field(repr=False)
    value: object = field(repr=False)
    entry: Entry = field(repr=False)
    stays: str = ""

    @property
    def fills(self) -> bool:
        return self.column in SPOKEN and self.old is None

    def __str__(self) -> str:
        """Personal: old and new, as people read them."""
        old = text_of(self.column, self.old) or "–"
        new = text_of(self.column, self.value) or "–"
        why = f": stays, since {self.stays}" if self.stays else ""
        return f"row {self.row}, column {self.column}: {self.person.name}: {old} → {new}{why}"


@dataclass(frozen=True)
class Tenant:
    """Somebody comes to live where the register has somebody else."""

    entry: Entry
    known: Person

    def __str__(self) -> str:
        return (
            f"row {self.entry.row}: {self.entry.name} has the address of {self.known.name}, who has another number: "
            "staff are asked who lives there"
        )


@dataclass
class Plan:
    """What the rows come to. Nothing is done when there are `faults`. `people`: who is in the register; `ids`: by row,
    what those who are new will have."""

    people: Sequence[Person] = ()
    new: list[Entry] = field(default_factory=list)
    ids: dict[int, str] = field(default_factory=dict)
    known: list[tuple[Entry, Person]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    tenants: list[Tenant] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Told:
    """`by` reads the file in; `source` and `on` are for rows that have none."""

    by: str
    source: str = field(repr=False)
    on: date | None = None


def plan(session: Session, place: Neighbourhood, entries: Sequence[Entry], told: Told, today: date) -> Plan:
    """Only looks."""
    register = _Register(session, place)
    made = Plan(register.people)
    rows: dict[str, int] = {}
    for entry in entries:
        try:
            person = register.find(entry)
        except LookupError as error:
            made.faults.append(Fault(entry.row, "id", str(error.args[0])))
            continue
        if _pause_is_over(entry, person, today):
            made.faults.append(
                Fault(entry.row, "until", "has passed: leave it and the state empty, or write a later day")
            )
        elif person is None:
            _newcomer(made, register, entry)
        elif person.id in rows:
            made.faults.append(
                Fault(entry.row, "", f"the same person as in row {rows[person.id]}: leave one of them out")
            )
        else:
            rows[person.id] = entry.row
            _known(made, entry, person)
    said = register_log.sources(session, {person.id for _, person in made.known})
    for entry, person in made.known:
        made.changes += _changes(entry, person, said.get(person.id, {}), told, place.timezone)
    made.tenants += _movers(made.changes, register)
    made.warnings += _elsewhere(session, place, made.new)
    return made


def wanted(made: Plan, *, update: bool) -> dict[str, list[Change]]:
    """The changes that are made, by person: what is empty is filled in, and with `update` what is otherwise changed."""
    found: dict[str, list[Change]] = defaultdict(list)
    for change in made.changes:
        if not change.stays and (update or change.fills):
            found[change.person.id].append(change)
    return found


def planned(made: Plan, *, update: bool) -> list[Somebody]:
    """Whom the register will have: by them a roster that comes with the people is judged."""
    changes = wanted(made, update=update)
    found = []
    for person in made.people:
        values = {change.column: change.value for change in changes.get(person.id, ())}
        if values.get("state", person.state) not in GONE:
            about = {"name": person.name, "phone": person.number, "consents": person.consents, **values}
            found.append(_somebody(person.id, person.role, about))
    return found + [
        _somebody(made.ids[entry.row], entry.values.get("role", Role.ELDER), entry.values) for entry in made.new
    ]


def _somebody(person_id: str, role: object, values: Mapping[str, Any]) -> Somebody:
    return Somebody(person_id, values["name"], values["phone"], str(role), values.get("consents", {}))


# ── who is meant ──────────────────────────────────────────────────────────────────────────────────


class _Register:
    """The people of one neighbourhood, found by what a row has."""

    def __init__(self, session: Session, place: Neighbourhood) -> None:
        self._ids: dict[str, Person] = {}
        self._numbers: dict[tuple[str, str | None], Person] = {}
        self._flats: dict[tuple[str, str], Person] = {}
        self._names: dict[str, list[Person]] = defaultdict(list)
        self._homes: dict[str, list[Person]] = defaultdict(list)
        query = select(Person).where(Person.neighbourhood_id == place.id).order_by(Person.id)
        self.people = sorted(session.scalars(query), key=lambda one: one.state in GONE)  # who lives here first
        for person in self.people:
            self._take(person)

    def _take(self, person: Person) -> None:
        home = home_of(person.address)
        self._ids[person.id] = person
        self._numbers.setdefault((person.name, person.number), person)
        if person.state in GONE:
            return
        self._names[person.name].append(person)
        if home:
            self._flats.setdefault((person.name, home), person)
        if home and person.role == Role.ELDER:
            self._homes[home].append(person)

    def find(self, entry: Entry) -> Person | None:
        """LookupError for an id that nobody has."""
        if entry.id:
            if entry.id not in self._ids:
                raise LookupError("nobody in this neighbourhood has this id")
            return self._ids[entry.id]
        by_number = self._numbers.get((entry.name, entry.phone))
        return by_number or self._flats.get((entry.name, home_of(entry.values.get("address"))))

    def namesakes(self, entry: Entry) -> list[Person]:
        """Of whom nobody can tell whether they are the same: one of the two has no flat."""
        home = home_of(entry.values.get("address"))
        return [one for one in self._names.get(entry.name, ()) if not (home and home_of(one.address))]

    def tenants(self, address: object, number: object, person_id: str = "") -> list[Person]:
        """Elders who live there already, with another number."""
        there = self._homes.get(home_of(address), ())
        return [one for one in there if one.number != number and one.id != person_id]


def _pause_is_over(entry: Entry, person: Person | None, today: date) -> bool:
    """Whether it would begin a pause that is over. One that the register has is no news: it lasts until a person has
    asked how they are."""
    if entry.until is None or entry.until >= today:
        return False
    return person is None or (person.state, person.state_until) != (State.PAUSED, entry.until)


def _newcomer(made: Plan, register: _Register, entry: Entry) -> None:
    if entry.values.get("state") in GONE:
        made.faults.append(Fault(entry.row, "state", "who is gone is not added: leave the row out"))
        return
    made.new.append(entry)
    made.ids[entry.row] = str(uuid4())
    made.warnings += [
        f"row {entry.row}: {entry.name} is in the register with another number. Is it the same person, write "
        f"{one.id} into column id; if not, an address tells them apart"
        for one in register.namesakes(entry)
    ]
    if entry.values.get("role", Role.ELDER) == Role.ELDER:
        there = register.tenants(entry.values.get("address"), entry.phone)
        made.tenants += [Tenant(entry, one) for one in there]


def _known(made: Plan, entry: Entry, person: Person) -> None:
    role = entry.values.get("role", person.role)
    if role != person.role:
        why = f"is {text_of('role', person.role)} in the register, {text_of('role', role)} here: a role stays"
        made.faults.append(Fault(entry.row, "role", why))
    else:
        made.known.append((entry, person))


def _movers(changes: Sequence[Change], register: _Register) -> list[Tenant]:
    moved = [each for each in changes if each.column == "address" and each.person.role == Role.ELDER]
    return [
        Tenant(each.entry, one)
        for each in moved
        if not each.stays and home_of(each.value) != home_of(each.person.address)
        for one in register.tenants(each.value, each.entry.phone, each.person.id)
    ]


def _elsewhere(session: Session, place: Neighbourhood, new: Sequence[Entry]) -> list[str]:
    """A sentence for each other neighbourhood whose register has the same name and number."""
    wanted: dict[tuple[str, str | None], Entry] = {(entry.name, entry.phone): entry for entry in new}
    numbers = sorted({entry.phone for entry in new if entry.phone})
    found = []
    for at in range(0, len(numbers), 500):
        query = (
            select(Person.name, Person.number, Neighbourhood.committee)
            .join(Neighbourhood, Person.neighbourhood_id == Neighbourhood.id)
            .where(Person.number.in_(numbers[at : at + 500]), Neighbourhood.id != place.id, Person.state.not_in(GONE))
        )
        for name, number, committee in session.execute(query.distinct()):
            if (name, number) in wanted:
                same = "is in the register with the same number, too: who moved is set to `moved` there"
                found.append((wanted[name, number].row, f"{name}: {committee} {same}"))
    return [sentence for _, sentence in sorted(found)]


# ── what changes ──────────────────────────────────────────────────────────────────────────────────


def _changes(entry: Entry, person: Person, said: Mapping[str, Source], told: Told, zone: str) -> Iterator[Change]:
    if person.state in GONE and "state" not in entry.values:
        return  # an old list; nobody is brought back by it
    for column, value in entry.values.items():
        old = value_of(person, column)
        if value != old or (column == "state" and entry.until != person.state_until):
            stays = _older(said.get(column), entry.on or told.on, zone)
            yield Change(entry.row, person, column, old, value, entry, stays)


def _older(source: Source | None, on: date | None, zone: str) -> str:
    """Why the register's word counts more than one of that day; "": it doesn't."""
    if source is None:
        return ""
    day = source.on or local_date(zone, source.at)
    if source.how == How.FILE:
        older = on is not None and source.on is not None and on < source.on
    else:
        older = on is None or on <= day
    return f"{source.said_by or source.by} said so on {day}" + ("" if on else " (the row has no date)") if older else ""
