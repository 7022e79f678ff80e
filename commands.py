"""What the commands do with a running house: one round, one call, people in and out. Each returns an exit status."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from checkins import cases
from checkins.cases import Row
from checkins.people_csv import import_people
from checkins.results import Status
from checkins.schedule import local_date
from checkins.tables import Checkin, Neighbourhood, Person, Role
from house import House
from settings import Settings
from storage.database import Database
from storage.migrate import upgrade

_AHEAD = (Status.PLANNED, Status.CALLING, Status.WAITING)
LOOK_EVERY_S = 1.0


async def round_once(house: House, stop: asyncio.Event, out: Console) -> int:
    """Runs today's round until no call is ahead (or `stop`), then says who needs a person. 0: nobody is left; 3: people
    need somebody; 130: stopped before the end."""
    running = asyncio.create_task(house.run(stop))
    await house.cycle.plan()
    while not stop.is_set():
        rows = await house.db.view(lambda session: _todays(session, house))
        if not any(row.status in _AHEAD for row in rows) and house.active_calls() == 0:
            break
        await _pause(stop)
    stopped = stop.is_set()
    stop.set()
    await house.drain()
    await running
    rows = await house.db.view(lambda session: _todays(session, house))
    waiting = [row for row in rows if row.status is Status.NEEDS_PERSON]
    out.print(_table(rows))
    out.print(f"{len(rows)} elders today, {len(waiting)} need a person. Details: the console of `serve`.")
    return 130 if stopped else 3 if waiting else 0


async def call_one(house: House, elder: str, stop: asyncio.Event, out: Console) -> int:
    """Rings one elder now. 0: closed by the elder's own answer; 3: a person is needed; 1: no call was possible."""
    running = asyncio.create_task(house.run(stop, rounds=False))
    await house.cycle.plan()
    try:
        checkin_id = await house.db.view(lambda session: _case_of(session, house, elder))
        report = await house.cycle.call_now(checkin_id)
        if not report.placed:
            raise LookupError(_why_no_call(await house.db.view(lambda session: cases.one(session, checkin_id))))
        row = await _until_over(house, checkin_id, stop)
        out.print(_table([row]))
        return 0 if row.status is Status.CLOSED else 3
    except LookupError as error:
        out.print(f"wenan: {error.args[0]}", style="red", highlight=False)
        return 1
    finally:
        stop.set()
        await running


async def import_csv(settings: Settings, file: Path, committee: str, out: Console) -> int:
    """Reads people from CSV into the neighbourhood of `committee`. 2 with every error named; nothing is added then."""
    with contextlib.closing(_database(settings)) as db:
        report = await db.run(lambda session: import_people(session, _place(session, committee), file))
    for error in report.errors:
        out.print(error, style="red", highlight=False)
    if report.errors:
        out.print(f"{len(report.errors)} errors: nothing was imported", style="red")
        return 2
    out.print(f"{report.added} added, {report.known} known before. `serve` renders their names before the first call.")
    return 0


async def show_people(settings: Settings, out: Console) -> int:
    table = Table("id", "name", "role", "state", "mode")
    with contextlib.closing(_database(settings)) as db:
        for person in await db.view(lambda session: session.scalars(select(Person).order_by(Person.name)).all()):
            table.add_row(person.id, person.name, person.role, person.state, person.mode)
    out.print(table)
    return 0


def _database(settings: Settings) -> Database:
    upgrade(settings.database_url)
    return Database(settings.database_url)


def _place(session: Session, committee: str) -> int:
    found = session.scalar(select(Neighbourhood).where(Neighbourhood.committee == committee))
    if found is None:
        found = Neighbourhood(name=committee.removesuffix("居委会") or committee, committee=committee)
        session.add(found)
        session.flush()
    return found.id


def _todays(session: Session, house: House) -> list[Row]:
    now = house.clock.now()
    places = session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)).all()
    return [row for place in places for row in cases.today(session, place.id, local_date(place.timezone, now))]


def _case_of(session: Session, house: House, elder: str) -> int:
    """Today's case of the elder with this id or name; LookupError says what is wrong."""
    query = select(Person).where(Person.role == Role.ELDER, or_(Person.id == elder, Person.name == elder))
    found = session.scalars(query).all()
    if len(found) != 1:
        many = f"{len(found)} elders have this name; use the id" if found else "there is no elder with this id or name"
        raise LookupError(f"{many} (`people list` shows all)")
    place = session.get_one(Neighbourhood, found[0].neighbourhood_id)
    day = local_date(place.timezone, house.clock.now())
    case = session.scalar(select(Checkin.id).where(Checkin.elder_id == found[0].id, Checkin.date == day))
    if case is None:
        raise LookupError("this elder is not due today (see the state in `people list`)")
    return case


def _why_no_call(row: Row | None) -> str:
    if row is None or row.status is Status.CALLING:
        return "this elder is being called right now"
    if row.status is Status.CLOSED:
        return f"today is closed already, by {row.closed_by}"
    if row.status is Status.NEEDS_PERSON:
        return f"the machine doesn't call now, a person must act: {row.reason_zh}"
    return "no call is possible now: no line is free, or the line rules put it off"


async def _until_over(house: House, checkin_id: int, stop: asyncio.Event) -> Row:
    while True:
        row = await house.db.view(lambda session: cases.one(session, checkin_id))
        assert row is not None, "cases are never deleted"
        if (row.status is not Status.CALLING and house.active_calls() == 0) or stop.is_set():
            return row
        await house.cycle.reconcile()
        await _pause(stop)


async def _pause(stop: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)


def _table(rows: list[Row]) -> Table:
    table = Table("name", "state", "result", "why a person", "closed by")
    for row in rows:
        table.add_row(row.name, row.status_zh, row.result_zh, row.reason_zh, row.closed_by or "")
    return table
