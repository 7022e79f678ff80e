"""What `roster holidays` does: days on and off, shown or written from the yearly notice. Returns an exit status."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.names import is_name
from checkins.roster import announcement
from checkins.roster.announcement import Announced, import_announcement
from checkins.roster.holidays import Calendar, SpecialDay, Why, is_known, special_days
from checkins.roster.loading import load_calendar
from checkins.tables import Neighbourhood
from cli import problems
from database_in_use import read, write
from settings import Settings

_WHY = {
    Why.TABLE: "as the table has it",
    Why.NOTICE: "by the State Council's notice",
    Why.LAW: "by law",
    Why.PERHAPS: "the notice may make it a day off: nothing is promised for it",
}


async def holidays(settings: Settings, file: Path | None, by: str, year: int | None, out: Console) -> int:
    """2: the file has errors, nothing was changed; 3: a year is not known yet."""
    now = datetime.now(UTC)
    if file is not None and not await _take_in(settings, file, by, now, out):
        return 2
    calendar = await read(settings, _calendar)
    this = now.astimezone(ZoneInfo(calendar.zone)).year
    years = (year,) if year else (this, this + 1)
    for each in years:
        _show(calendar, each, out)
    return 0 if all(is_known(calendar, each) for each in years) else 3


async def _take_in(settings: Settings, file: Path, by: str, now: datetime, out: Console) -> bool:
    if not is_name(by):
        raise ValueError("--by: say who says so")
    done: Announced = await write(settings, lambda session: import_announcement(session, file, by, now))
    if done.errors:
        problems.told(done.errors, announcement.HEADINGS, "changed", out)
        return False
    out.print(f"{done.changed} days changed, for all committees.")
    if done.missing:
        days = ", ".join(_day(day) for day in done.missing)
        out.print(f"holidays by law that the table does not name: {days}", style="yellow", highlight=False)
    return True


def _calendar(session: Session) -> Calendar:
    """The days are the same for all committees."""
    zone = session.scalar(select(Neighbourhood.timezone).order_by(Neighbourhood.id).limit(1))
    return load_calendar(session, zone or "Asia/Shanghai", None)


def _show(calendar: Calendar, year: int, out: Console) -> None:
    unknown = "" if is_known(calendar, year) else ": not known yet (docs/roster.md#holidays)"
    out.print(f"{year}{unknown}", style="bold" if not unknown else "yellow", highlight=False)
    for special in special_days(calendar, year):
        out.print(f"  {_line(special)}", highlight=False)


def _line(special: SpecialDay) -> str:
    state = "perhaps" if special.why is Why.PERHAPS else "worked" if special.working else "off"
    return f"{_day(special.day)}  {state:8}{_WHY[special.why]}"


def _day(day: date) -> str:
    return f"{day:%a %Y-%m-%d}"
