"""What the commands do that ring somebody, with a running house: one round, one call. Each returns an exit status."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import cases
from checkins.cases import Row
from checkins.claims import NotNowError
from checkins.results import Status
from checkins.schedule import local_date
from checkins.tables import Checkin, Neighbourhood, Person
from cli.people_commands import find_person
from database_in_use import read
from house import House
from settings import Settings, SettingsError

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
    await house.drain(rounds=True)
    await running
    rows = await house.db.view(lambda session: _todays(session, house))
    waiting = [row for row in rows if row.status is Status.NEEDS_PERSON]
    out.print(_table(rows))
    out.print(f"{len(rows)} elders today, {len(waiting)} need a person. Details: the console of `serve`.")
    return 130 if stopped else 3 if waiting else 0


async def must_know(settings: Settings, elder: str) -> None:
    """SettingsError, before anything is started, when no elder has this id or name."""
    try:
        await read(settings, lambda session: find_person(session, elder, elders=True))
    except LookupError as error:
        raise SettingsError(error.args[0]) from None


async def call_one(house: House, elder: str, stop: asyncio.Event, out: Console) -> int:
    """Rings one elder once, now; nobody else is planned, rung or raised. 0: closed by the elder's own answer; 3: a
    person is needed, or a further try; 1: no call was possible; 130: stopped before the end."""
    running = asyncio.create_task(house.telephone.run(stop))
    names = asyncio.create_task(house.prepare_names())
    try:
        row = await _ring(house, elder, out)
        row = await _until_over(house, row.checkin_id, stop)
        if stop.is_set():
            await house.drain()
            return 130
        out.print(_table([row]))
        if row.status is Status.WAITING and row.due_at:
            when = _clock(row.due_at, row)
            out.print(f"The next try is due at {when}. `call` doesn't make it: only a running `serve` does.")
        return 0 if row.status is Status.CLOSED else 3
    except LookupError as error:
        out.print(f"wenan: {error.args[0]}", style="red", highlight=False)
        return 1
    finally:
        stop.set()
        names.cancel()
        await asyncio.gather(running, names, return_exceptions=True)


async def _ring(house: House, elder: str, out: Console) -> Row:
    """Has the call placed and says so; LookupError says why there is none."""
    person = await house.db.view(lambda session: find_person(session, elder, elders=True))
    await house.cycle.plan_one(person.id)
    checkin_id = await house.db.view(lambda session: _case_of(session, house, person))
    try:
        report = await house.cycle.call_now(checkin_id)
    except NotNowError as error:
        raise LookupError(_not_now(error, await _look(house, checkin_id))) from None
    row = await _look(house, checkin_id)
    if not report.placed:
        raise LookupError(_why_no_call(row))
    out.print(f"ringing {row.name} …", highlight=False)
    return row


async def _look(house: House, checkin_id: int) -> Row:
    row = await house.db.view(lambda session: cases.one(session, checkin_id))
    assert row is not None, "cases are never deleted"
    return row


def _todays(session: Session, house: House) -> list[Row]:
    now = house.clock.now()
    places = session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)).all()
    return [row for place in places for row in cases.today(session, place.id, local_date(place.timezone, now))]


def _case_of(session: Session, house: House, elder: Person) -> int:
    """Today's case of this elder; LookupError when there is none."""
    place = session.get_one(Neighbourhood, elder.neighbourhood_id)
    day = local_date(place.timezone, house.clock.now())
    case = session.scalar(select(Checkin.id).where(Checkin.elder_id == elder.id, Checkin.date == day))
    if case is None:
        raise LookupError("this elder is not due today (see the state in `people list`)")
    return case


def _why_no_call(row: Row) -> str:
    """Why no call was placed although nothing forbade it: the case stands otherwise, or the carrier didn't take it."""
    if row.status is Status.CALLING:
        return "this elder is being called right now"
    if row.status is Status.CLOSED:
        return f"today is closed already, by {row.closed_by}"
    if row.status is Status.NEEDS_PERSON and row.reason:
        why = row.reason.replace("_", " ")
        return f"the machine doesn't call now, a person must act: {why} ({row.reason_zh})"
    next_try = f"; the next try is due at {_clock(row.due_at, row)}, by `serve`" if row.due_at else ""
    return f"the carrier did not take the call{next_try}"


def _not_now(error: NotNowError, row: Row) -> str:
    if error.until is None:
        return f"no call now: {error.why}"
    due = "is due" if error.until == row.due_at else "is possible"
    return f"no call now: {error.why}; the next one {due} at {_clock(error.until, row)}"


def _clock(moment: datetime, row: Row) -> str:
    """Of the elder's place; with the date when it isn't today's case's."""
    local = moment.astimezone(ZoneInfo(row.zone))
    return local.strftime("%H:%M" if local.date() == row.date else "%Y-%m-%d %H:%M")


async def _until_over(house: House, checkin_id: int, stop: asyncio.Event) -> Row:
    while True:
        row = await _look(house, checkin_id)
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
