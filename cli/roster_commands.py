"""What the commands `roster …` do: spreadsheet in and out, who is on duty, gaps, leave. Each returns an exit status."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from checkins.names import is_name
from checkins.roster import edits, sheet
from checkins.roster.duty_days import DutySpan, duty_days
from checkins.roster.gaps import shown_ahead
from checkins.roster.loading import load
from checkins.roster.sentences import Sentence, sentence
from checkins.roster.sheet import export_roster, import_roster
from checkins.roster.values import Roster
from checkins.schedule import at_minute, local_date, read_minute
from checkins.tables import Neighbourhood, Person, Role
from cli import problems
from cli.places import place_named
from database_in_use import opened, read, write
from settings import Settings

DAYS = 14  # ahead
_T = TypeVar("_T")


async def import_sheet(settings: Settings, file: Path, committee: str, by: str, out: Console) -> int:
    """2 with every error named; nothing is changed then."""
    now = datetime.now(UTC)
    with contextlib.closing(opened(settings)) as db:
        place = await db.view(lambda session: place_named(session, committee))
        report = await asyncio.to_thread(import_roster, db, place.id, file, _name(by), now)
    if report.errors:
        return problems.told(report.errors, sheet.HEADINGS, "changed", out)
    out.print(f"{report.changed} lists changed. `roster gaps` says what is still missing.")
    return 0


async def export_sheet(settings: Settings, committee: str, file: Path | None, out: Console) -> int:
    """The table that `roster import` reads; without `file` it is printed."""
    now = datetime.now(UTC)
    text = await read(settings, lambda session: export_roster(session, place_named(session, committee).id, now))
    if file is None:
        out.out(text, end="", highlight=False)
        return 0
    try:
        await asyncio.to_thread(file.write_bytes, text.encode("utf-8-sig"))  # so that spreadsheets take it for UTF-8
    except OSError as error:
        raise LookupError(f"{file}: {error.strerror}") from None
    out.print(f"{file}: written. It holds names: keep it as you keep the register.", highlight=False)
    return 0


async def show(settings: Settings, committee: str, out: Console) -> int:
    """Who is on duty, today and in the next days, and how many elders have whom."""
    now = datetime.now(UTC)
    roster = await read(settings, lambda session: load(session, place_named(session, committee).id, now))
    table = Table("day", "", "on duty", "deputy")
    for day in duty_days(roster, local_date(roster.zone, now), DAYS):
        spans = [span for span in day.spans if span.ends > now]
        first, deputy = (
            "\n".join(_duty(roster, span, day.day, deputy=each) for span in spans) for each in (False, True)
        )
        table.add_row(f"{day.day:%a %Y-%m-%d}", "" if day.working else "off", first, deputy)
    out.print(table)
    paired = sum(bool(roster.pairs.get(elder)) for elder in roster.elders)
    out.print(
        f"{len(roster.elders)} elders, {paired} with a buddy, {len(roster.substitutes)} substitutes for everybody."
    )
    return 0


async def show_gaps(settings: Settings, committee: str, days: int, out: Console) -> int:
    """0: none; 3: there are gaps."""
    now = datetime.now(UTC)
    roster = await read(settings, lambda session: load(session, place_named(session, committee).id, now))
    found = _sentences(roster, now, days)
    for one in found:
        out.print(f"{one.zh}  ({one.en})", highlight=False)
    many = f"{len(found)} gap{'s' * (len(found) > 1)}" if found else "no gap"
    out.print(f"{many} in the next {days} days")
    return 3 if found else 0


async def leave(settings: Settings, who: str, begins: str, ends: str, by: str, out: Console) -> int:
    """Somebody is away; says which gaps there are now."""
    now = datetime.now(UTC)

    def work(session: Session) -> tuple[str, Roster]:
        person = _person(session, who)
        zone = session.get_one(Neighbourhood, person.neighbourhood_id).timezone
        span = _moment("--from", begins, zone, 0), _moment("--until", ends, zone, 24 * 60)
        edits.put_on_leave(session, person.id, *span, _name(by), now)
        return person.name, load(session, person.neighbourhood_id, now)

    name, roster = await write(settings, work)
    out.print(f"{name} is not rung from {begins} until {ends}.", highlight=False)
    _tell_gaps(roster, now, out)
    return 0


async def take_off(settings: Settings, who: str, by: str, out: Console) -> int:
    """Out of everything that is ahead; says which gaps there are now."""
    now = datetime.now(UTC)

    def work(session: Session) -> tuple[str, Roster]:
        person = _person(session, who)
        edits.take_off(session, person.id, _name(by), now)
        return person.name, load(session, person.neighbourhood_id, now)

    name, roster = await write(settings, work)
    out.print(f"{name} is in no roster any more.", highlight=False)
    _tell_gaps(roster, now, out)
    return 0


def _tell_gaps(roster: Roster, now: datetime, out: Console) -> None:
    for one in _sentences(roster, now, DAYS):
        out.print(f"gap: {one.zh}  ({one.en})", style="yellow", highlight=False)


def _sentences(roster: Roster, now: datetime, days: int) -> list[Sentence]:
    ahead = timedelta(days=days)
    return [sentence(roster, gap, now, now + ahead) for gap in shown_ahead(roster, now, ahead)]


def _duty(roster: Roster, span: DutySpan, day: date, *, deputy: bool) -> str:
    """ "08:30 陈老师"; without a time when it is so from the day's first moment on."""
    person = span.duty.deputy if deputy else span.duty.first
    name = person.name if person else "–" if deputy else "nobody"
    local = span.begins.astimezone(ZoneInfo(roster.zone))
    return name if span.begins == at_minute(roster.zone, day, 0) else f"{local:%H:%M} {name}"


# ── what was typed ────────────────────────────────────────────────────────────────────────────────


def _name(by: str) -> str:
    if not is_name(by):
        raise ValueError("--by: say who says so")
    return by


def _person(session: Session, who: str) -> Person:
    query = select(Person).where(or_(Person.id == who, Person.name == who), Person.role != Role.ELDER)
    found = session.scalars(query).all()
    if len(found) != 1:
        many = f"{len(found)} people have this name; use the id" if found else "no buddy, staff or family of this name"
        raise LookupError(f"{many} (`people list` shows all)")
    return found[0]


def _moment(option: str, text: str, zone: str, minute: int) -> datetime:
    """ "2026-03-02 09:00"; a date alone: its minute `minute`."""
    day, _, clock = text.strip().replace("T", " ").partition(" ")
    try:
        return at_minute(zone, date.fromisoformat(day), read_minute(clock) if clock else minute)
    except ValueError:
        raise ValueError(f'{option}: write "2026-03-02" or "2026-03-02 09:00"') from None
