"""A spreadsheet into the register: people (and, of a workbook, the roster) in one go. All of it or nothing.

It is read and judged while everybody else goes on writing (checkins/judged.py), and written in one short transaction
when nothing is wrong. A dry run is the same without the writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from checkins import office_log, people_csv, spreadsheet
from checkins.judged import CHANGED, judged_first
from checkins.people_csv import Entry, read_entries
from checkins.roster import sheet as roster_sheet
from checkins.schedule import local_date
from checkins.spreadsheet import Fault, Table, TableError
from checkins.tables import Neighbourhood, Role
from checkins.workbook import Sheet
from community import register_people, register_writing
from community.register_people import Plan, Told
from community.register_writing import Ready
from storage.database import Database

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
    made: Plan | None = field(default=None, compare=False, repr=False)  # row by row


@dataclass(frozen=True)
class _Judged:
    """What the plan comes to (`rows`), and `roster`, are written when nothing is wrong."""

    report: BookReport
    made: Plan | None = None
    rows: Ready | None = None
    roster: roster_sheet.Judged | None = None

    @property
    def brings(self) -> bool:
        return bool(self.rows) or (self.roster is not None and self.roster.lists > 0)


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
    db: Database,
    place: Neighbourhood,
    book: Book,
    read: tuple[Sequence[Entry], Sequence[Fault]],
    told: Told,
    now: datetime,
    *,
    update: bool = False,
    dry: bool = False,
    since: str = "",
) -> BookReport:
    """`read`: what `entries_of` has found; `place` may be one that is still to be made. With `dry`, or when anything is
    wrong, nothing is written, and nobody else has to wait. `since`: as judged_first has it."""
    judged = judged_first(
        db,
        place,
        lambda session: _judge(session, place, book, read, told, now, update=update),
        lambda judged: not (dry or judged.report.errors) and (judged.brings or place.id is None),
        lambda session, judged: _carry_out(session, place, judged, told, now),
        since=since,
    )
    return BookReport((CHANGED,), book.encoding) if judged is None else judged.report


def import_people(
    db: Database, place: Neighbourhood, path: Path, now: datetime, *, by: str = "people import", update: bool = False
) -> BookReport:
    """The people of a file without more, e.g. a first list: its name is the source."""
    book = open_book(path)
    if book.people is None:
        return BookReport(book.errors)
    read, told = entries_of(book, place, now), Told(by, book.name[:100])
    report = take(db, place, replace(book, roster=None), read, told, now, update=update)
    return report if book.roster is None else replace(report, warnings=(*report.warnings, _ROSTER_LEFT))


def _parted(sheets: Sequence[Sheet]) -> tuple[Sheet | None, list[Sheet]]:
    """The roster's sheet, and those of which one holds the people; the sources are for reading only."""
    roster = [sheet for sheet in sheets if sheet.name.strip() in roster_sheet.SHEET]
    return next(iter(roster), None), [sheet for sheet in sheets if sheet not in roster and sheet.name not in SOURCES]


def _judge(
    session: Session,
    place: Neighbourhood,
    book: Book,
    read: tuple[Sequence[Entry], Sequence[Fault]],
    told: Told,
    now: datetime,
    *,
    update: bool,
) -> _Judged:
    """Only looks. The roster is judged by the people there will be, those of rows in which nothing is wrong."""
    assert book.people is not None
    entries, faults = read
    made = register_people.plan(session, place, entries, told, local_date(place.timezone, now))
    errors = [str(fault) for fault in sorted([*faults, *made.faults], key=lambda fault: fault.row)]
    roster = None
    if book.roster is not None:
        roster = roster_sheet.judge(
            session, place, book.roster, register_people.planned(made, update=update), told.by, now
        )
        errors += [f"{roster_sheet.SHEET[0]}: {error}" for error in roster.errors]
    left_out, warnings = tuple(book.people.left_out), tuple(made.warnings)
    if errors:
        return _Judged(BookReport(tuple(errors), book.encoding, left_out=left_out, warnings=warnings, made=made))
    report = replace(_report(made, update=update), encoding=book.encoding, left_out=left_out, warnings=warnings)
    rows = register_writing.ready(session, place, made, told, now, update=update)
    return _Judged(replace(report, lists=0 if roster is None else roster.lists), made, rows, roster)


def _carry_out(session: Session, place: Neighbourhood, judged: _Judged, told: Told, now: datetime) -> None:
    """A committee that is new is made for its people."""
    assert judged.rows is not None
    assert judged.made is not None
    rows = judged.rows
    if place.id is None:
        session.add(place)
        session.flush()
        rows = register_writing.ready(session, place, judged.made, told, now, update=False)
    register_writing.carry_out(session, place.id, rows, told, now)
    if judged.roster is not None:
        roster_sheet.carry_out(session, place.id, judged.roster)
    done = {"added": judged.report.added, "changed": len(judged.report.changes), "lists": judged.report.lists}
    office_log.note(session, office_log.IMPORTED, told.by, now, place_id=place.id, detail=done)


def _report(made: Plan, *, update: bool) -> BookReport:
    open_ = [change for change in made.changes if not change.stays]
    return BookReport(
        added=len(made.new),
        known=len(made.known),
        changes=tuple(str(change) for change in open_ if update or change.fills),
        differs=tuple(str(change) for change in open_ if not (update or change.fills)),
        kept=tuple(str(change) for change in made.changes if change.stays),
        tenants=tuple(map(str, made.tenants)),
        spoken_names=tuple(dict.fromkeys(str(entry.values["spoken_name"]) for entry in made.new)),
        no_consent=sum(_silent(entry) for entry in made.new),
        made=made,
        homes=len({change.row for change in made.changes if change.fills and not change.stays}),
    )


def _silent(entry: Entry) -> bool:
    agreed = entry.values.get("consents", {})
    assert isinstance(agreed, dict)
    return entry.values.get("role", Role.ELDER) == Role.ELDER and not agreed.get("calls")
