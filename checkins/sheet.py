"""The morning sheet: who is due today, to print. With the line down it is the list to ring by hand.

It comes from the register, not from the plan alone, so that it is whole even when nothing was planned yet.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from base64 import b64encode
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from checkins.phones import national
from checkins.results import REASON_ZH, RESULT_ZH, Reason, Result, Status
from checkins.roster import loading
from checkins.roster.values import Kind, Roster
from checkins.schedule import at_minute, local_date
from checkins.tables import MODE_ZH, Checkin, Mode, Neighbourhood, Person, Role, State
from storage.database import Database

_HERE = Path(__file__).parent
_STYLE = (_HERE / "sheet.css").read_text("utf-8")
# For a page's content security policy: the sheet brings its own style, because it is a file to be kept and printed.
STYLE_HASH = "sha256-" + b64encode(sha256(_STYLE.encode()).digest()).decode()


@dataclass(frozen=True)
class Line:
    """One elder on the sheet. Personal."""

    time: str  # "08:20", or empty: no slot yet
    name: str
    spoken_name: str
    number: str
    note: str  # how to reach them, or why a person, or what is known already
    address: str = ""
    key_holder: str = ""
    buddies: tuple[tuple[str, str], ...] = ()  # name and number of whoever may go and look


async def write_sheets(db: Database, folder: Path, now: datetime) -> list[Path]:
    """Writes today's sheet of every neighbourhood to FOLDER/YYYY-MM-DD-ID.html: whole or not at all, readable by its
    owner only. Safe to repeat. Raises OSError when the disk refuses."""
    pages = await db.view(lambda session: _pages(session, now))
    return await asyncio.to_thread(lambda: [_write(folder / name, page) for name, page in pages.items()])


def render(session: Session, place: Neighbourhood, now: datetime, home: str = "", icon: str = "") -> str:
    """Today's sheet of `place` as one HTML page that needs nothing else. `home`: where it leads back to on a screen, if
    anywhere; `icon`: for the browser's tab."""
    day = local_date(place.timezone, now)
    return (
        _environment()
        .get_template("sheet.html")
        .render(
            committee=place.committee,
            day=day,
            weekday="一二三四五六日"[day.weekday()],
            printed=now.astimezone(ZoneInfo(place.timezone)).strftime("%H:%M"),
            lines=lines(session, place, day),
            style=_STYLE,
            home=home,
            icon=icon,
        )
    )


def lines(session: Session, place: Neighbourhood, day: date) -> list[Line]:
    """All elders of the register who count on `day`, by slot and name."""
    ended = and_(Person.state == State.PAUSED, Person.state_until < day)
    query = (
        select(Person, Checkin)
        .outerjoin(Checkin, and_(Checkin.elder_id == Person.id, Checkin.date == day))
        .where(Person.neighbourhood_id == place.id, Person.role == Role.ELDER)
        .where(or_(Person.state.in_((State.ACTIVE, State.REFUSED)), ended))
    )
    zone = ZoneInfo(place.timezone)
    roster = loading.load(session, place.id, at_minute(place.timezone, day, place.plan_from))
    found = [_line(person, case, zone, roster) for person, case in session.execute(query)]
    return sorted(found, key=lambda line: (line.time or "99", line.name))


def _line(person: Person, case: Checkin | None, zone: ZoneInfo, roster: Roster) -> Line:
    slot = f"{person.slot // 60:02d}:{person.slot % 60:02d}" if person.slot is not None else ""
    time = case.slot.astimezone(zone).strftime("%H:%M") if case else slot
    number, note = national(person.number), _note(person, case)
    home = (person.address or "", person.key_holder or "")
    return Line(time, person.name, person.spoken_name, number, note, *home, _buddies(person.id, roster))


def _buddies(elder_id: str, roster: Roster) -> tuple[tuple[str, str], ...]:
    """Those paired with an elder who shares with them: the list is rung by hand, and somebody may have to go."""
    elder = roster.elders.get(elder_id)
    if elder is None or Kind.BUDDY not in elder.shares:
        return ()
    found = (roster.people.get(pair.buddy_id) for pair in roster.pairs.get(elder_id, ()))
    return tuple((buddy.spoken_name, national(buddy.number)) for buddy in found if buddy is not None)


def _note(person: Person, case: Checkin | None) -> str:
    if case and case.status == Status.CLOSED:
        return "已办结 " + (RESULT_ZH[Result(case.result)] if case.result else "")
    if case and case.reason:
        return REASON_ZH[Reason(case.reason)]
    return "" if person.mode == Mode.KEYS else MODE_ZH[Mode(person.mode)]


def _pages(session: Session, now: datetime) -> dict[str, str]:
    places = session.scalars(select(Neighbourhood).order_by(Neighbourhood.id))
    return {f"{local_date(place.timezone, now)}-{place.id}.html": render(session, place, now) for place in places}


def _write(path: Path, page: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".sheet-")  # mode 0600 from the start
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)
