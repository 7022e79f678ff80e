"""A spreadsheet into the register: people (and, of a workbook, the roster) in one go. All of it or nothing.

A dry run is the same run, taken back at its end: what it says is what would happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from checkins import people_csv, spreadsheet
from checkins.people_csv import Entry, read_entries
from checkins.roster import sheet as roster_sheet
from checkins.schedule import local_date
from checkins.spreadsheet import Fault, Table, TableError
from checkins.tables import Neighbourhood, Person, Role
from checkins.workbook import Sheet
from community import register_people
from community.register_people import Plan, Told

_ROSTER_LEFT = "the sheet 值班表 (roster) was not read: `register import` takes it in together with the people"
SOURCES = ("来源", "sources")  # who said what, in an export


@dataclass(frozen=True)
class Book:
    """A file that was read, before anything is looked up. `roster`: the workbook's sheet of that name."""

    name: str
    encoding: str
    people: Table | None
    roster: Table | None = None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class BookReport:
    """`errors`: all that is wrong, as sentences ("row 7, column phone: has too few digits"); then nothing was done.
    `added` and `known` people; `changes` made (or that would be, in a dry run), `differs`: what `update` would change,
    `kept`: what stays, and why; `lists` of the roster that changed. All sentences are personal."""

    errors: tuple[str, ...] = field(default=(), repr=False)
    encoding: str = ""
    added: int = 0
    known: int = 0
    changes: tuple[str, ...] = field(default=(), repr=False)
    differs: tuple[str, ...] = field(default=(), repr=False)
    kept: tuple[str, ...] = field(default=(), repr=False)
    warnings: tuple[str, ...] = field(default=(), repr=False)
    tenants: tuple[str, ...] = field(default=(), repr=False)
    left_out: tuple[str, ...] = ()
    spoken_names: tuple[str, ...] = field(default=(), compare=False, repr=False)
    no_consent: int = 0
    homes: int = 0
    lists: int = 0


class _TakenBackError(Exception):
    """Ends a transaction inside the session's, so that nothing of it stays."""


def open_book(path: Path) -> Book:
    """Reads a file, which may take seconds: outside a transaction."""
    try:
        sheets, encoding = spreadsheet.open_file(path)
        roster, rest = _parted(sheets)
        sheet = spreadsheet.choose(rest, people_csv.HEADINGS, people_csv.REQUIRED, people_csv.SHEET)
        table = spreadsheet.table(sheet, encoding, people_csv.HEADINGS, people_csv.REQUIRED)
        columns = roster_sheet.HEADINGS, roster_sheet.REQUIRED
        duty = None if roster is None else spreadsheet.table(roster, encoding, *columns)
    except TableError as error:
        return Book(path.name, "", None, errors=tuple(f"{path.name}: {each}" for each in error.sentences))
    return Book(path.name, encoding, table, duty)


def entries_of(book: Book, place: Neighbourhood, now: datetime) -> tuple[list[Entry], list[Fault]]:
    """What the rows of people say, and what is wrong with them: likewise."""
    assert book.people is not None
    return read_entries(book.people, place.area_code, local_date(place.timezone, now))


def take(
    session: Session,
    place: Neighbourhood,
    book: Book,
    read: tuple[Sequence[Entry], Sequence[Fault]],
    told: Told,
    now: datetime,
    *,
    update: bool = False,
    dry: bool = False,
) -> BookReport:
    """`read`: what `entries_of` has found. With `dry`, or when anything is wrong, the register stays as it is."""
    entries, faults = read
    report = BookReport(encoding=book.encoding)
    try:
        with session.begin_nested():
            made = register_people.plan(session, place, entries, told, local_date(place.timezone, now))
            report = _take_all(session, place, book, made, faults, told, now, update=update)
            if dry or report.errors:
                raise _TakenBackError
    except _TakenBackError:
        session.expire_all()
    return report


def import_people(
    session: Session,
    neighbourhood_id: int,
    path: Path,
    now: datetime,
    *,
    by: str = "people import",
    update: bool = False,
) -> BookReport:
    """The people of a file without more, e.g. a first list: its name is the source."""
    place, book = session.get_one(Neighbourhood, neighbourhood_id), open_book(path)
    if book.people is None:
        return BookReport(book.errors)
    read, told = entries_of(book, place, now), Told(by, book.name[:100])
    report = take(session, place, replace(book, roster=None), read, told, now, update=update)
    return report if book.roster is None else replace(report, warnings=(*report.warnings, _ROSTER_LEFT))


def _parted(sheets: Sequence[Sheet]) -> tuple[Sheet | None, list[Sheet]]:
    """The roster's sheet, and those of which one holds the people; the sources are for reading only."""
    roster = [sheet for sheet in sheets if sheet.name.strip() in roster_sheet.SHEET]
    return next(iter(roster), None), [sheet for sheet in sheets if sheet not in roster and sheet.name not in SOURCES]


def _take_all(
    session: Session,
    place: Neighbourhood,
    book: Book,
    made: Plan,
    faults: Sequence[Fault],
    told: Told,
    now: datetime,
    *,
    update: bool,
) -> BookReport:
    assert book.people is not None
    wrong = sorted([*faults, *made.faults], key=lambda fault: fault.row)
    sentences = _sentences(made, update=update) if not wrong else ((), (), (), tuple(made.warnings), ())
    made.faults.clear()  # the rest is tried all the same, so that the roster's rows are judged by it, and taken back
    added = (
        register_people.carry_out(session, place, made, told, now, update=update) if book.roster or not wrong else []
    )
    errors, lists = [str(fault) for fault in wrong], 0
    if book.roster is not None:
        roster = roster_sheet.take(session, place, book.roster, told.by, now)
        errors += [f"{roster_sheet.SHEET[0]}: {error}" for error in roster.errors]
        lists = roster.changed
    if errors:
        return BookReport(tuple(errors), book.encoding, left_out=tuple(book.people.left_out), warnings=sentences[3])
    changes, differs, kept, warnings, tenants = sentences
    return BookReport(
        (),
        book.encoding,
        len(added),
        len(made.known),
        changes,
        differs,
        kept,
        warnings,
        tenants,
        tuple(book.people.left_out),
        tuple(dict.fromkeys(person.spoken_name for person in added)),
        sum(_silent(person) for person in added),
        len({change.row for change in made.changes if change.fills and not change.stays}),
        lists,
    )


def _sentences(made: Plan, *, update: bool) -> tuple[tuple[str, ...], ...]:
    """Changes, what differs, what stays, warnings, tenants."""
    open_ = [change for change in made.changes if not change.stays]
    done = tuple(str(change) for change in open_ if update or change.fills)
    differs = tuple(str(change) for change in open_ if not (update or change.fills))
    kept = tuple(str(change) for change in made.changes if change.stays)
    return done, differs, kept, tuple(made.warnings), tuple(map(str, made.tenants))


def _silent(person: Person) -> bool:
    return person.role == Role.ELDER and not person.consents.get("calls")
