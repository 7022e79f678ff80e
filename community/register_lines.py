"""What a spreadsheet comes to, row by row: what is wrong, who would be new, what would change, and who stays as they
are. Personal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from checkins.people_csv import text_of
from checkins.roster import sheet as roster_sheet
from community.register_book import BookReport
from community.register_people import Change, Plan

_FAULT = re.compile(r"(?:row (?P<row>\d+)(?:, column (?P<column>[a-z_]+|\d+))?: )?(?P<why>.*)", re.DOTALL)


class Kind(StrEnum):
    WRONG = "wrong"
    NEW = "new"
    CHANGED = "changed"
    DIFFERS = "differs"  # would change, if that were asked for
    KEPT = "kept"  # stays, since somebody said so themselves, or later
    NOTED = "noted"  # worth a look: namesakes, somebody else's address
    SAME = "same"


@dataclass(frozen=True)
class Line:
    """`row` 0: of the file as a whole; `sheet`: "" for people. `column`: ours, or the file's number of it; `text`: a
    fault, or why it stays, as `checkins` says it."""

    kind: Kind
    row: int
    name: str = field(default="", repr=False)
    column: str = ""
    old: str = field(default="", repr=False)
    new: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    sheet: str = ""


def lines(report: BookReport, names: Mapping[int, str]) -> list[Line]:
    """`names`: as they stand in the file, by row."""
    found = [wrong(error, names) for error in report.errors]
    if report.made is not None and not found:
        found += sorted(_planned(report, report.made), key=lambda line: line.row)
    return found + [noted(each, names) for each in (*report.warnings, *report.tenants)]


def wrong(error: str, names: Mapping[int, str]) -> Line:
    """ "row 7, column phone: …", of the roster's sheet "值班表: row 7, …"."""
    return _read(error, names, Kind.WRONG)


def noted(sentence: str, names: Mapping[int, str]) -> Line:
    return _read(sentence, names, Kind.NOTED)


def _read(sentence: str, names: Mapping[int, str], kind: Kind) -> Line:
    sheet = roster_sheet.SHEET[0] if sentence.startswith(f"{roster_sheet.SHEET[0]}: ") else ""
    found = _FAULT.fullmatch(sentence.removeprefix(f"{sheet}: "))
    assert found is not None, "the pattern takes anything"
    row = int(found["row"] or 0)
    name = "" if sheet else names.get(row, "")
    return Line(kind, row, name, found["column"] or "", text=found["why"], sheet=sheet)


def _planned(report: BookReport, made: Plan) -> Iterator[Line]:
    done = set(report.changes)
    touched: set[int] = set()
    for entry in made.new:
        yield Line(Kind.NEW, entry.row, entry.name, new=text_of("phone", entry.phone))
    for change in made.changes:
        touched.add(change.row)
        kind = Kind.KEPT if change.stays else Kind.CHANGED if str(change) in done else Kind.DIFFERS
        yield _changed(change, kind)
    for entry, person in made.known:
        if entry.row not in touched:
            yield Line(Kind.SAME, entry.row, person.name)


def _changed(change: Change, kind: Kind) -> Line:
    old, new = (text_of(change.column, value) for value in (change.old, change.value))
    return Line(kind, change.row, change.person.name, change.column, old, new, change.stays)
