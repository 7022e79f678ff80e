"""A spreadsheet read in by a process of its own: reading and judging 50,000 rows takes seconds of a core and of the
interpreter, which here carries calls. It may be killed at any moment: what it writes is one transaction.

    python -m community.register_trial < order.json

It tells how far it is, one JSON document a line, the last of which is the result. What is said of each row goes into
files of the order's folder, one for each kind, a JSON document a line in the file's order: they are read a page at a
time.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from checkins import judged, office_log, spreadsheet
from checkins.judged import ChangedSinceError
from checkins.roster import sheet as roster_sheet
from checkins.spreadsheet import TableError
from checkins.tables import Neighbourhood
from community import register_book, register_lines
from community.register_book import Book
from community.register_lines import Kind, Line
from community.register_people import Told
from storage.database import Database

MOST_MEMORY = 3 << 30  # bytes of address space
MOST_CPU_S = 180
EVERY = 1_000  # rows, between two lines that tell how far it is

Tell = Callable[[str, int, int], None]  # which step, so many rows of so many


@dataclass(frozen=True)
class Order:
    """`path`: the file, which was called `name`; `roster`: it is a roster, not people. `since`: the mark of the dry run
    that somebody has looked at; "": this is one."""

    url: str = field(repr=False)
    place_id: int
    path: str
    name: str = field(repr=False)
    folder: str
    by: str = field(repr=False)
    source: str = field(repr=False)
    on: str
    now: str
    roster: bool
    update: bool
    since: str = ""

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.now)

    @property
    def told(self) -> Told:
        return Told(self.by, self.source or self.name[:100], date.fromisoformat(self.on) if self.on else None)


@dataclass(frozen=True)
class Result:
    """`counts`: lines by kind; `lists` of the roster that change. `mark`: of the register that it was judged by.
    `written`; `stale`: it should have been, and the register was another one, so this is a dry run anew."""

    counts: Mapping[str, int]
    lists: int = 0
    no_consent: int = 0
    left_out: tuple[str, ...] = ()
    mark: str = ""
    written: bool = False
    stale: bool = False


def run(order: Order, tell: Tell) -> Result:
    """Judges, and writes when a dry run was agreed to and still holds."""
    with contextlib.closing(Database(order.url)) as db:
        with db.read() as session:
            place = session.get_one(Neighbourhood, order.place_id)
            seen = judged.mark(session, place)
        work = _roster if order.roster else _people
        if not order.since:
            return replace(work(order, db, place, tell, ""), mark=seen)
        try:
            found = work(order, db, place, tell, order.since)
            return replace(found, mark=seen, written=not found.counts.get(Kind.WRONG))
        except ChangedSinceError:
            return replace(work(order, db, place, tell, ""), mark=seen, stale=True)


def _people(order: Order, db: Database, place: Neighbourhood, tell: Tell, since: str) -> Result:
    tell("read", 0, 0)
    book = register_book.open_book(Path(order.path))
    if book.people is None:
        wrong = [error.removeprefix(f"{book.name}: ") for error in book.errors]
        return Result(_written(order, [register_lines.wrong(each, {}) for each in wrong]))
    read = register_book.entries_of(_counted(book, tell), place, order.at)
    tell("write" if since else "judge", 0, 0)
    report = register_book.take(
        db, place, book, read, order.told, order.at, update=order.update, dry=not since, since=since
    )
    lines = register_lines.lines(report, {row: cells.get("name", "") for row, cells in book.people.rows})
    return Result(_written(order, lines), report.lists, report.no_consent, report.left_out)


def _roster(order: Order, db: Database, place: Neighbourhood, tell: Tell, since: str) -> Result:
    tell("read", 0, 0)
    try:
        table = spreadsheet.read(Path(order.path), roster_sheet.HEADINGS, roster_sheet.REQUIRED, roster_sheet.SHEET)
    except TableError as error:
        return Result(_written(order, [register_lines.wrong(each, {}) for each in error.sentences]))
    tell("write" if since else "judge", 0, 0)

    def noted(session: Session, done: roster_sheet.Judged) -> None:
        told = {"added": 0, "changed": 0, "lists": done.lists}
        office_log.note(session, office_log.IMPORTED, order.by, order.at, place_id=place.id, detail=told)

    report = roster_sheet.take(db, place.id, table, order.by, order.at, dry=not since, since=since, noted=noted)
    return Result(_written(order, [register_lines.wrong(each, {}) for each in report.errors]), report.changed)


def _counted(book: Book, tell: Tell) -> Book:
    """The same book, which tells how far it was read."""
    assert book.people is not None
    return replace(book, people=replace(book.people, rows=_Counted(book.people.rows, tell)))


class _Counted(Sequence[Any]):
    def __init__(self, rows: Sequence[Any], tell: Tell) -> None:
        self._rows, self._tell = rows, tell

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, at: Any) -> Any:
        return self._rows[at]

    def __iter__(self) -> Iterator[Any]:
        for at, row in enumerate(self._rows):
            if at % EVERY == 0:
                self._tell("rows", at, len(self._rows))
            yield row


def _written(order: Order, lines: Sequence[Line]) -> dict[str, int]:
    """How many there are of each kind; the lines themselves in files that nobody else may read."""
    counts: dict[str, int] = {}
    for kind in Kind:
        mine = [line for line in lines if line.kind is kind]
        text = "".join(json.dumps(asdict(line), ensure_ascii=False) + "\n" for line in mine)
        Path(order.folder, f"{kind}.jsonl").write_text(text, "utf-8")
        counts[kind] = len(mine)
    return counts


def _say(document: Mapping[str, Any]) -> None:
    print(json.dumps(document, ensure_ascii=False), flush=True)


def main() -> None:
    os.nice(10)  # calls go first
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
    order = Order(**json.load(sys.stdin))
    result = run(order, lambda step, done, of: _say({"step": step, "done": done, "of": of}))
    _say({"result": asdict(result)})


if __name__ == "__main__":
    main()
