"""The roster as a spreadsheet: a CSV file in, all errors at once by row and column, nothing changed if there is one;
and the same table out again.

One row for each entry: kind 类别, elder 老人, person 谁, instead_of 替谁, from 从, until 到, days 天数, phone 电话.
A list that the file names (an elder's buddies, the rotation …) stands instead of the one before, in the order of its
rows; what the file does not name stays. Leave and standing in are not in it: they are changed one by one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import spreadsheet
from checkins.judged import CHANGED, judged_first
from checkins.phones import NumberError, national, to_e164
from checkins.roster.lists import Lists, Ready, differing, made_ready, put
from checkins.roster.loading import load, load_lists
from checkins.roster.turns import first_day
from checkins.roster.values import VOLUNTEERS_HOURS, Roster, Rotation, Shift
from checkins.schedule import read_minute
from checkins.spreadsheet import Table
from checkins.tables import GONE, Neighbourhood, Person, Role
from storage.database import Database

HEADINGS = {
    "kind": ("kind", "类别"),
    "elder": ("elder", "老人"),
    "person": ("person", "谁"),
    "instead_of": ("instead_of", "替谁"),
    "from": ("from", "从"),
    "until": ("until", "到"),
    "days": ("days", "天数"),
    "phone": ("phone", "电话"),
}
REQUIRED = ("kind", "person")
SHEET = ("值班表", "roster")  # what a workbook's sheet of it is called
KINDS = {
    "pair": "结对",
    "substitute": "替补",
    "family": "家属",
    "duty": "值班",
    "deputy": "副班",
    "shift": "时段",
    "hours": "上班时间",
    "street": "街道",
}
_KINDS = {zh: kind for kind, zh in KINDS.items()} | {kind: kind for kind in KINDS}
_VISITORS = (Role.BUDDY, Role.STAFF)
_WEEKDAYS = "一二三四五六日"
_DAYS_OF_A_TURN = 7


@dataclass(frozen=True)
class SheetReport:
    """`errors` as sentences ("row 3, column person: …"); when there are any, `changed` is 0: the lists that were."""

    changed: int
    errors: tuple[str, ...]
    encoding: str = ""


class _CellError(ValueError):
    def __init__(self, column: str, why: str) -> None:
        super().__init__(why)
        self.column = column


@dataclass(frozen=True)
class Somebody:
    """Of the register, or about to be: whom a row may name."""

    id: str
    name: str = field(repr=False)
    number: str | None = field(repr=False)
    role: str
    consents: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True)
class Judged:
    """`errors` as in the report; then there is nothing `ready`, nor when all lists are as they should be. `lists`: how
    many aren't."""

    errors: tuple[str, ...]
    lists: int = 0
    ready: Ready | None = field(default=None, repr=False)


# ── in ────────────────────────────────────────────────────────────────────────────────────────────


def import_roster(db: Database, neighbourhood_id: int, path: Path, by: str, now: datetime) -> SheetReport:
    """Changes the roster on the word of `by`. RosterError without a name."""
    try:
        table = spreadsheet.read(path, HEADINGS, REQUIRED, SHEET)
    except spreadsheet.TableError as error:
        return SheetReport(0, tuple(f"{path.name}: {sentence}" for sentence in error.sentences))
    return take(db, neighbourhood_id, table, by, now)


def take(
    db: Database,
    neighbourhood_id: int,
    table: Table,
    by: str,
    now: datetime,
    *,
    dry: bool = False,
    since: str = "",
    noted: Callable[[Session, Judged], None] = lambda _session, _judged: None,
) -> SheetReport:
    """With `dry` nothing is written. `since`: as judged_first has it. `noted`: what is written with it."""

    def write(session: Session, judged: Judged) -> None:
        carry_out(session, neighbourhood_id, judged)
        noted(session, judged)

    with db.read() as session:
        place = session.get_one(Neighbourhood, neighbourhood_id)
    judged = judged_first(
        db,
        place,
        lambda session: judge(session, place, table, everybody(session, place.id), by, now),
        lambda judged: judged.ready is not None and not dry,
        write,
        since=since,
    )
    if judged is None:
        return SheetReport(0, (CHANGED,), table.encoding)
    return SheetReport(judged.lists, judged.errors, table.encoding)


def judge(
    session: Session, place: Neighbourhood, table: Table, people: Iterable[Somebody], by: str, now: datetime
) -> Judged:
    """Only looks. `people`: whom the rows may name. RosterError when something is to be changed by nobody."""
    roster = load_lists(session, place.id)
    reader = _Reader(place, roster, people)
    errors = [str(fault) for fault in table.faults]
    errors += [error for number, cells in table.rows for error in reader.take(number, cells)]
    errors += reader.missing()
    lists = Lists() if errors else differing(roster, reader.wanted)
    ready = made_ready(session, place.id, roster, lists, by, now) if len(lists) else None
    return Judged(tuple(errors), len(lists), ready)


def carry_out(session: Session, place_id: int, judged: Judged) -> None:
    if judged.ready is not None:
        put(session, place_id, judged.ready)


def everybody(session: Session, place_id: int) -> list[Somebody]:
    """Who lives or helps here, but for who moved or died."""
    columns = Person.id, Person.name, Person.number, Person.role, Person.consents
    query = select(*columns).where(Person.neighbourhood_id == place_id, Person.state.not_in(GONE))
    return [Somebody(*row) for row in session.execute(query)]


class _Reader:
    """Takes the rows one after the other and remembers what they want."""

    def __init__(self, place: Neighbourhood, roster: Roster, people: Iterable[Somebody]) -> None:
        self.wanted, self._place = Lists(), place
        self._pairs = {elder: {pair.buddy_id for pair in pairs} for elder, pairs in roster.pairs.items()}
        self._substitute_rows: dict[tuple[str, str], int] = {}
        self._row = 0
        self._people: dict[str, list[Somebody]] = defaultdict(list)  # by id, name and number
        for person in people:
            for word in dict.fromkeys((person.id, person.name, person.number)):
                self._people[word or ""].append(person)
        self._kinds: Mapping[str, Callable[[Mapping[str, str]], None]] = {
            "pair": self._pair,
            "substitute": self._substitute,
            "family": self._family,
            "duty": self._duty,
            "deputy": self._deputy,
            "shift": self._shift,
            "hours": self._hours,
            "street": self._street,
        }

    def take(self, number: int, cells: Mapping[str, str]) -> Iterator[str]:
        """Sentences for what is wrong with this row."""
        self._row = number
        try:
            self._kinds[self._kind(cells.get("kind", ""))](cells)
        except _CellError as error:
            yield f"row {number}, column {error.column}: {error}"

    def missing(self) -> Iterator[str]:
        """What only the whole file shows."""
        if self.wanted.turns and self.wanted.beginning is None:
            yield "the first 值班 row needs the first hand-over in column from (2026-03-02 08:30)"
        for (elder, buddy), row in self._substitute_rows.items():
            if buddy not in self.wanted.pairs.get(elder, self._pairs.get(elder, ())):
                yield f"row {row}, column instead_of: is no buddy of this elder"

    def _kind(self, cell: str) -> str:
        if cell.lower() not in _KINDS:
            raise _CellError("kind", f"must be one of {', '.join(KINDS.values())}")
        return _KINDS[cell.lower()]

    # ── kinds ──

    def _pair(self, cells: Mapping[str, str]) -> None:
        elder = self._elder(cells, "buddy")
        self._add(self.wanted.pairs[elder.id], self._person(cells, "person", _VISITORS))

    def _substitute(self, cells: Mapping[str, str]) -> None:
        person = self._person(cells, "person", _VISITORS)
        if not cells.get("elder") and not cells.get("instead_of"):
            self._add(self.wanted.substitutes, person)
            return
        elder = self._elder(cells, "buddy")
        buddy = self._person(cells, "instead_of", _VISITORS)
        if buddy == person:
            raise _CellError("person", "nobody stands in for themselves")
        self._substitute_rows.setdefault((elder.id, buddy), self._row)
        self._add(self.wanted.pair_substitutes[elder.id, buddy], person)

    def _family(self, cells: Mapping[str, str]) -> None:
        elder = self._elder(cells, "family")
        self._add(self.wanted.family[elder.id], self._person(cells, "person", (Role.FAMILY,)))

    def _duty(self, cells: Mapping[str, str]) -> None:
        person = self._person(cells, "person", (Role.STAFF,))
        if cells.get("from"):
            if self.wanted.beginning is not None:
                raise _CellError("from", "only the first 值班 row says when the rotation begins")
            self.wanted.beginning = self._beginning(cells)
        self.wanted.turns.append(person)

    def _beginning(self, cells: Mapping[str, str]) -> tuple[date, int, int, date | None]:
        day, _, clock = cells["from"].replace("T", " ").partition(" ")
        minute = _clock(clock or "08:30", "from")
        until = _date(cells["until"], "until") if cells.get("until") else None
        days = cells.get("days") or str(_DAYS_OF_A_TURN)
        if not days.isascii() or not days.isdigit() or not 1 <= int(days[:4]) <= 366:
            raise _CellError("days", "must be a number of days from 1 to 366")
        return _date(day, "from"), minute, int(days), until

    def _deputy(self, cells: Mapping[str, str]) -> None:
        if self.wanted.deputy is not None:
            raise _CellError("person", "there is one deputy only")
        self.wanted.deputy = self._person(cells, "person", (Role.STAFF,))

    def _shift(self, cells: Mapping[str, str]) -> None:
        person = self._person(cells, "person", _VISITORS)
        day, _, clock = cells.get("from", "").partition(" ")
        weekday = _weekday(day)
        until = cells.get("until", "").split(" ")[-1]
        begins, ends = _clock(clock, "from"), _clock(until, "until")
        earliest, latest = VOLUNTEERS_HOURS[0]
        if not earliest <= begins < ends <= latest:
            raise _CellError("until", "a shift must rise, and lie between 08:00 and 21:00")
        self.wanted.shifts[person].append(Shift(weekday, begins, ends))

    def _hours(self, cells: Mapping[str, str]) -> None:
        begins, ends = (_clock(cells.get(column, ""), column) for column in ("from", "until"))
        if begins >= ends or (self.wanted.hours and begins < self.wanted.hours[-1][1]):
            raise _CellError("until", "working hours must rise and not overlap")
        self.wanted.hours.append((begins, ends))

    def _street(self, cells: Mapping[str, str]) -> None:
        name = cells.get("person", "")
        if not 0 < len(name) <= 100:
            raise _CellError("person", "say who answers at this number, e.g. 曹杨新村街道")
        try:
            self.wanted.street = name, to_e164(cells.get("phone", ""), self._place.area_code)
        except NumberError as error:
            raise _CellError("phone", str(error)) from None

    # ── people ──

    def _elder(self, cells: Mapping[str, str], consent: str) -> Somebody:
        elder = self._find(cells.get("elder", ""), "elder", (Role.ELDER,))
        if not elder.consents.get(consent):
            raise _CellError(
                "elder", f"has not agreed that {consent} hears of them: record the consent “{consent}” first"
            )
        return elder

    def _person(self, cells: Mapping[str, str], column: str, roles: Collection[Role]) -> str:
        return self._find(cells.get(column, ""), column, roles).id

    def _find(self, cell: str, column: str, roles: Collection[Role]) -> Somebody:
        """By id, name or number; of several with one name, the one whose role fits."""
        if not cell:
            raise _CellError(column, "is empty")
        named = self._people.get(cell) or self._people.get(self._as_number(cell) or "") or []
        found = [one for one in named if one.role in roles] or named
        if len(found) != 1:
            many = f"{len(found)} people are called so: write the telephone number or the id instead"
            raise _CellError(column, many if found else "there is nobody like this in the register")
        if found[0].role not in roles:
            raise _CellError(column, f"is {found[0].role} in the register; {' or '.join(roles)} is needed here")
        return found[0]

    def _as_number(self, cell: str) -> str | None:
        try:
            return to_e164(cell, self._place.area_code)
        except NumberError:
            return None

    def _add(self, people: list[str], person: str) -> None:
        if person in people:
            raise _CellError("person", "is named twice")
        people.append(person)


def _clock(cell: str, column: str) -> int:
    try:
        return read_minute(cell)
    except ValueError as error:
        raise _CellError(column, str(error)) from None


def _date(cell: str, column: str) -> date:
    try:
        return date.fromisoformat(cell.strip())
    except ValueError:
        raise _CellError(column, "write a date as 2026-03-02") from None


def _weekday(cell: str) -> int:
    day = cell.removeprefix("周").removeprefix("星期").replace("天", "日")
    if len(day) != 1 or day not in _WEEKDAYS:
        raise _CellError("from", "write weekday and time: 周二 09:00")
    return _WEEKDAYS.index(day)


# ── out ───────────────────────────────────────────────────────────────────────────────────────────


def export_roster(session: Session, neighbourhood_id: int, now: datetime) -> str:
    """The table that `import_roster` reads, as it stands: with Chinese headings."""
    return spreadsheet.to_csv(table_of(session, neighbourhood_id, now))


def table_of(session: Session, neighbourhood_id: int, now: datetime) -> list[list[str]]:
    """The same as rows, headings first."""
    roster = load(session, neighbourhood_id, now)
    label = _labels(session, neighbourhood_id)
    rows = [[cells.get(column, "") for column in HEADINGS] for cells in _rows(roster, label)]
    return [[names[1] for names in HEADINGS.values()], *rows]


def _rows(roster: Roster, label: Mapping[str, str]) -> Iterator[dict[str, str]]:
    for elder_id, pairs in roster.pairs.items():
        if elder_id in roster.elders:
            pairs = tuple(pair for pair in pairs if pair.buddy_id in label)
            for pair in pairs:
                yield _row("pair", label, pair.buddy_id, elder=elder_id)
            for pair in pairs:
                for one in _there(pair.substitutes, label):
                    yield _row("substitute", label, one, elder=elder_id, instead_of=pair.buddy_id)
    for one in _there(roster.substitutes, label):
        yield _row("substitute", label, one)
    for elder_id, family in roster.family.items():
        for one in _there(family, label) if elder_id in roster.elders else ():
            yield _row("family", label, one, elder=elder_id)
    yield from _duty_rows(roster, label)


def _duty_rows(roster: Roster, label: Mapping[str, str]) -> Iterator[dict[str, str]]:
    rotation = roster.rotation
    for at, one in enumerate(_there(rotation.people, label) if rotation else ()):
        yield _row("duty", label, one) | (_beginning(rotation) if rotation and at == 0 else {})
    if roster.deputy_id is not None and roster.deputy_id in label:
        yield _row("deputy", label, roster.deputy_id)
    for person_id, shifts in roster.shifts.items():
        for shift in shifts if person_id in label else ():
            span = {"from": f"周{_WEEKDAYS[shift.weekday]} {_text(shift.begins)}", "until": _text(shift.ends)}
            yield _row("shift", label, person_id) | span
    for begins, ends in roster.calendar.hours:
        yield {"kind": KINDS["hours"], "from": _text(begins), "until": _text(ends)}
    if roster.street is not None:
        yield {"kind": KINDS["street"], "person": roster.street.name, "phone": national(roster.street.number)}


def _row(kind: str, label: Mapping[str, str], person: str, **more: str) -> dict[str, str]:
    return {"kind": KINDS[kind], "person": label[person]} | {column: label[one] for column, one in more.items()}


def _there(people: Sequence[str], label: Mapping[str, str]) -> list[str]:
    """Who has not moved or died: nobody else could be read in again."""
    return [one for one in people if one in label]


def _beginning(rotation: Rotation) -> dict[str, str]:
    first = first_day(rotation)
    until = {} if rotation.until is None else {"until": rotation.until.isoformat()}
    return {"from": f"{first} {_text(rotation.minute)}", "days": str(rotation.days)} | until


def _text(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _labels(session: Session, neighbourhood_id: int) -> dict[str, str]:
    """What names somebody so that the import finds them again: the name, where two have it the number, else the id."""
    query = select(Person.id, Person.name, Person.number).where(Person.neighbourhood_id == neighbourhood_id)
    rows = session.execute(query.where(Person.state.not_in(GONE))).all()
    names, numbers = Counter(row.name for row in rows), Counter(row.number for row in rows)
    labels = {}
    for row in rows:
        numbered = row.number and numbers[row.number] == 1
        labels[row.id] = row.name if names[row.name] == 1 else national(row.number) if numbered else row.id
    return labels
