"""What the commands `register …` do: spreadsheets in and out, elders' corrections. Each returns an exit status."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console
from sqlalchemy.orm import Session

from checkins import people_csv, spreadsheet, workbook
from checkins.names import is_name, named
from checkins.phones import national
from checkins.roster import sheet
from checkins.schedule import local_date
from checkins.tables import Neighbourhood, Person
from cli import problems
from cli.places import place_named
from cli.spoken_files import copy_all, log_listening, path_of, say, unheard
from community import register_entry, register_export
from community.register_book import entries_of, open_book, take
from community.register_people import Told
from database_in_use import opened, read, write
from settings import Settings


@dataclass(frozen=True)
class Typed:
    """Who reads a file in, for which committee, and what holds for rows without a source or a date."""

    by: str
    committee: str
    source: str
    date: str


async def import_book(settings: Settings, file: Path, typed: Typed, update: bool, dry: bool, out: Console) -> int:
    """2 with every problem named; nothing is changed then, nor in a dry run."""
    now = datetime.now(UTC)
    if not is_name(typed.by):
        raise ValueError("--by: say who says so")
    place = await read(settings, lambda session: place_named(session, typed.committee))
    told = Told(typed.by.strip(), (typed.source or file.name)[:100], _day(typed.date, place, now))
    book = await asyncio.to_thread(open_book, file)
    if book.people is None:
        return _failed(book.errors, out)
    rows = await asyncio.to_thread(entries_of, book, place, now)

    with contextlib.closing(opened(settings, as_it_is=dry)) as db:
        report = await asyncio.to_thread(take, db, place, book, rows, told, now, update=update, dry=dry)
    _say(report.warnings, out, "warning: ")
    if report.left_out:
        out.print(f"left out, the line does not keep it: {'、'.join(report.left_out)}", highlight=False)
    if report.errors:
        return _failed(report.errors, out)
    for sentences in (report.changes, report.kept, report.tenants):
        _say(sentences, out)
    if report.differs:
        _say(report.differs, out)
        out.print(f"{len(report.differs)} of these stand otherwise in the register: --update changes them.")
    would = "dry run, nothing is changed. Would be: " if dry else ""
    done = f"{report.added} people added, {len(report.changes)} fields changed, {report.lists} lists of the roster"
    out.print(f"{would}{done}; {report.known} people known before.", highlight=False, soft_wrap=True)
    if report.no_consent:
        out.print(f"{report.no_consent} of those added have not agreed to calls: the line will not ring them.")
    return 0


async def export_book(settings: Settings, file: Path, committee: str, street: bool, out: Console) -> int:
    now = datetime.now(UTC)

    def work(session: Session) -> tuple[dict[str, register_export.Rows], int]:
        place = place_named(session, committee)
        if street:
            rows, left = register_export.upward(session, place, now)
            return {"结对名册": rows}, left
        return register_export.register_book(session, place, now), 0

    sheets, left = await read(settings, work)
    raw = _as_file(sheets, file.suffix.lower())
    try:
        await asyncio.to_thread(file.write_bytes, raw)
    except OSError as error:
        raise LookupError(f"{file}: {error.strerror}") from None
    out.print(f"{file}: written. It holds names: keep it as you keep the register.", highlight=False, soft_wrap=True)
    if left:
        out.print(f"{left} are left out: they have not agreed that the street hears of them.", highlight=False)
    return 0


async def show_corrections(settings: Settings, committee: str, out: Console) -> int:
    def work(session: Session) -> list[str]:
        place = place_named(session, committee)
        found = register_entry.waiting(session, place.id)
        return [_correction(session, item.id, item.person_id, item.detail or {}) for item in found]

    found = await read(settings, work)
    _say(found, out)
    out.print(f"{len(found)} wait. `register confirm` or `register refuse` answers one.")
    return 0


async def hear(settings: Settings, number: int, by: str, to: Path | None, out: Console) -> int:
    """Says where the recordings are, and writes down who listens."""
    now = datetime.now(UTC)

    def work(session: Session) -> list[register_entry.Said]:
        said = register_entry.recordings(session, register_entry.by_number(session, number))
        log_listening(session, said, named(by), now)
        return said

    said = await write(settings, work)
    for each in said:
        why = await asyncio.to_thread(unheard, settings, each.recording)
        say(out, f"{register_entry.FIELDS[each.name]}: {why or path_of(settings, each.recording)}")
    if not said:
        say(out, "nothing was recorded: ring them back", style="yellow")
    if to is not None:
        await copy_all(settings, number, said, to, out)
    return 0


async def confirm(settings: Settings, number: int, column: str, text: str, by: str, out: Console) -> int:
    now = datetime.now(UTC)
    await write(settings, lambda session: register_entry.confirm(session, number, column, text, by, now))
    out.print("written, as the elder's own word")
    return 0


async def refuse(settings: Settings, number: int, by: str, why: str, out: Console) -> int:
    now = datetime.now(UTC)
    await write(settings, lambda session: register_entry.refuse(session, number, by, why, now))
    out.print("it stays as it is")
    return 0


def _correction(session: Session, number: int, person_id: str | None, detail: dict[str, str]) -> str:
    """Personal. What the ear made of it is an aid: the recording is the record."""
    person = session.get_one(Person, person_id)
    about = detail.get("text") or register_entry.FIELDS.get(detail.get("field", ""), "")
    said = f"`register hear {number}`" if detail.get("recording") else f"not recorded, ring {national(person.number)}"
    return f"{number}: {person.name}: {about} ({said}), call {detail.get('call', '')}"


def _as_file(sheets: dict[str, register_export.Rows], suffix: str) -> bytes:
    if suffix == ".xlsx":
        return workbook.write(sheets)
    if suffix == ".csv":
        return spreadsheet.to_csv(next(iter(sheets.values()))).encode("utf-8-sig")  # spreadsheets take it for UTF-8
    raise ValueError("write to a file that ends in .xlsx or .csv")


def _failed(errors: tuple[str, ...], out: Console) -> int:
    _say([problems.in_both(error, _headings(error)) for error in errors], out)
    out.print(f"{len(errors)} problem{'s' * (len(errors) > 1)}: nothing was changed", style="red")
    return 2


def _headings(error: str) -> problems.Headings:
    return sheet.HEADINGS if error.startswith(sheet.SHEET[0]) else people_csv.HEADINGS


def _say(lines: Iterable[str], out: Console, before: str = "") -> None:
    """Many at once: a file of 50,000 rows may have as many problems."""
    text = "\n".join(f"{before}{line}" for line in lines)
    if text:
        out.out(text, highlight=False)


def _day(text: str, place: Neighbourhood, now: datetime) -> date | None:
    if not text:
        return None
    try:
        day = spreadsheet.read_date(text)
    except ValueError as error:
        raise ValueError(f"--date: {error}") from None
    if day > local_date(place.timezone, now):
        raise ValueError("--date: is still to come")
    return day
