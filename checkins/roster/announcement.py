"""The State Council's notice for a year, written down by staff as a table: days off, and weekends that are worked.

One row for each stretch: from 从, until 到 (none: one day), kind 类别 (放假 or 上班), and for the reader name 节日. All
rows or none; every mistake is named by row and column. It says for all neighbourhoods, and wins over the library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import spreadsheet
from checkins.roster import edits
from checkins.roster.festivals import statutory
from checkins.roster.tables import CalendarDay

HEADINGS = {
    "name": ("name", "节日"),
    "from": ("from", "从"),
    "until": ("until", "到"),
    "kind": ("kind", "类别"),
}
_KINDS = {"放假": False, "off": False, "上班": True, "worked": True}
_YEARS = range(2000, 2200)  # outside these a day is a slip of the hand, and a stretch may run out of the calendar
_LONGEST = 15  # days in one row


@dataclass(frozen=True)
class Announced:
    """`errors` as sentences; when there are any, nothing is `changed` (days). `years`: that the file speaks of;
    `missing`: days of these years that the law makes holidays, and that no table has yet."""

    changed: int
    errors: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    missing: tuple[date, ...] = ()


class _CellError(ValueError):
    def __init__(self, column: str, why: str) -> None:
        super().__init__(why)
        self.column = column


def import_announcement(session: Session, path: Path, by: str, now: datetime) -> Announced:
    """Writes the table on the word of `by`. The same file again changes nothing. RosterError without a name."""
    try:
        table = spreadsheet.read(path, HEADINGS, ("from", "kind"))
    except ValueError as error:
        return Announced(0, (f"{path.name}: {error}",))
    return write_announcement(session, table.rows, by, now, [str(fault) for fault in table.faults], path.name)


def write_announcement(
    session: Session,
    rows: Sequence[tuple[int, Mapping[str, str]]],
    by: str,
    now: datetime,
    faults: Sequence[str] = (),
    where: str = "the table",
) -> Announced:
    """Numbered rows with the cells of HEADINGS, and what was wrong with them already."""
    wanted, errors = _read(rows)
    errors = [*faults, *errors]
    if not wanted and not errors:
        errors = [f"{where}: names no day"]
    if errors:
        return Announced(0, tuple(errors))
    known = {row.day: row.working for row in session.scalars(select(CalendarDay))}
    changes = {day: working for day, working in sorted(wanted.items()) if known.get(day) != working}
    for day, working in changes.items():
        edits.set_working_day(session, day, working, by, now)
    years = tuple(sorted({day.year for day in wanted}))
    missing = sorted(day for year in years for day in statutory(year) - known.keys() - wanted.keys())
    return Announced(len(changes), (), years, tuple(missing))


def _read(rows: Sequence[tuple[int, Mapping[str, str]]]) -> tuple[dict[date, bool], list[str]]:
    """Day → worked?, and sentences for what is wrong."""
    wanted: dict[date, bool] = {}
    errors = []
    for number, cells in rows:
        try:
            for day, working in _days(cells):
                _check(day, working, wanted)
                wanted[day] = working
        except _CellError as error:
            errors.append(f"row {number}, column {error.column}: {error}")
    return wanted, errors


def _days(cells: Mapping[str, str]) -> Iterator[tuple[date, bool]]:
    kind = cells.get("kind", "").lower()
    if kind not in _KINDS:
        raise _CellError("kind", "must be 放假 or 上班")
    first = _date(cells.get("from", ""), "from")
    last = _date(cells["until"], "until") if cells.get("until") else first
    if not first <= last < first + timedelta(days=_LONGEST):
        raise _CellError("until", f"must not lie before from, nor {_LONGEST} days or more after it")
    for later in range((last - first).days + 1):
        yield first + timedelta(days=later), _KINDS[kind]


def _check(day: date, working: bool, wanted: Mapping[date, bool]) -> None:
    if day in wanted:
        raise _CellError("from", f"{day} is named twice")
    if working and day in statutory(day.year):
        raise _CellError("kind", f"{day} is a holiday by law: is the year right?")


def _date(cell: str, column: str) -> date:
    try:
        day = spreadsheet.read_date(cell)
    except ValueError as error:
        raise _CellError(column, str(error)) from None
    if day.year not in _YEARS:
        raise _CellError(column, f"{day} lies in a year that no notice is about")
    return day
