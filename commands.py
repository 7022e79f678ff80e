"""What the commands do with a running house: one round, one call, people in and out. Each returns an exit status."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, joinedload

from checkins import cases, consents, people, pins, register_words
from checkins.cases import Row
from checkins.claims import NotNowError
from checkins.consents import Word
from checkins.names import is_name
from checkins.people_csv import SPOKEN, ImportReport, import_people, read_consents, read_spoken
from checkins.phones import national
from checkins.results import Status
from checkins.schedule import local_date
from checkins.tables import GONE, Checkin, Mode, Neighbourhood, NumberState, Person, Role, State
from database_in_use import opened, read, write
from house import House
from settings import Settings, SettingsError

_AHEAD = (Status.PLANNED, Status.CALLING, Status.WAITING)
LOOK_EVERY_S = 1.0
_T = TypeVar("_T")
_Word = TypeVar("_Word", bound=StrEnum)


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


async def import_csv(settings: Settings, file: Path, committee: str, out: Console) -> int:
    """Reads people from CSV into the neighbourhood of `committee`. 2 with every error named; nothing is added then."""
    committee = committee.strip()
    if not committee:
        out.print("wenan: --committee is empty: say the committee's name as it is spoken", style="red", highlight=False)
        return 2
    with contextlib.closing(opened(settings, make=True)) as db:
        report, made = await db.run(lambda session: _import(session, committee, file))
    for error in report.errors:
        out.print(error, style="red", highlight=False)
    if report.errors:
        out.print(f"{len(report.errors)} error{'s' * (len(report.errors) > 1)}: nothing was imported", style="red")
        return 2
    if made:
        out.print(f"new neighbourhood {committee} made (`people list` shows all)", highlight=False)
    for warning in report.warnings:
        out.print(f"warning: {warning}", style="yellow", highlight=False)
    out.print(f"{report.added} added, {report.known} known before. `serve` renders their names before the first call.")
    if report.homes:
        out.print(f"{report.homes} of those known before: address, key holder or notes filled in.")
    if report.no_consent:
        out.print(
            f"{report.no_consent} of those added have no consent to calls (没有同意自动电话): the line will not ring "
            "them, each is a person's case every day. `people set … --consents calls` notes it.",
            style="yellow",
            highlight=False,
        )
    return 0


async def show_people(settings: Settings, out: Console) -> int:
    """Everybody in the register, by neighbourhood and name."""
    table = _people_table()
    query = select(Person).options(joinedload(Person.neighbourhood))
    found = await read(settings, lambda session: session.scalars(query).all())
    for person in sorted(found, key=lambda person: (person.neighbourhood_id, person.name)):
        table.add_row(*_listed(person))
    out.print(table)
    return 0


async def show_person(settings: Settings, who: str, out: Console) -> int:
    """Who is behind an id that the log names: name, number, home. It only reads. 0; 2 with one sentence."""
    with contextlib.closing(opened(settings, as_it_is=True)) as db:
        try:
            shown = await db.view(lambda session: _shown(session, who))
        except LookupError as error:
            out.print(f"wenan: {error.args[0]}", style="red", highlight=False)
            return 2
        with contextlib.suppress(DBAPIError):  # an older program's database, which nobody has brought up to date yet
            shown += await db.view(lambda session: _said(session, who))
    for line in shown:
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    return 0


def _said(session: Session, who: str) -> list[str]:
    person = find_person(session, who)
    return register_words.lines(session, person, session.get_one(Neighbourhood, person.neighbourhood_id).timezone)


def _shown(session: Session, who: str) -> list[str]:
    person = find_person(session, who)
    person.neighbourhood = session.get_one(Neighbourhood, person.neighbourhood_id)
    id_, name, committee, number, role, state, mode, agreed = _listed(person)
    found = [("name", f"{name} ({person.spoken_name})"), ("number", number), ("address", person.address)]
    found += [("key holder", person.key_holder), ("notes", person.notes), ("committee", committee), ("role", role)]
    found += [("state", state), ("mode", mode), ("consents", agreed), ("id", id_)]
    return [f"{what}: {text}" for what, text in found if text]


def _people_table() -> Table:
    """An id is never cut, however narrow the screen or pipe: it is what other commands are given."""
    columns = ("name", "committee", "number", "role", "state", "mode", "consents")
    whole = Column("id", no_wrap=True, min_width=36)
    return Table(whole, *(Column(name, overflow="fold") for name in columns))


def _listed(person: Person) -> tuple[str, ...]:
    state = person.state + (f" until {person.state_until}" if person.state_until else "")
    number = national(person.number) + ("" if person.number_state == NumberState.OK else f" ({person.number_state})")
    agreed = " ".join(word for word, given in person.consents.items() if given)
    return person.id, person.name, person.neighbourhood.committee, number, person.role, state, person.mode, agreed


@dataclass(frozen=True)
class Change:
    """What `people set` is asked to change, as it was typed. None: left as it is."""

    state: str | None = None
    until: str | None = None
    number: str | None = None
    mode: str | None = None
    consents: str | None = None
    address: str | None = None
    key_holder: str | None = None
    notes: str | None = None


async def set_pin(settings: Settings, who: str, by: str, pin: str | None, out: Console, *, unlock: bool) -> int:
    """Sets (None: makes and shows) or unlocks somebody's PIN. 0; 2 with one sentence."""
    now = datetime.now(UTC)

    def work(session: Session) -> str:
        person = find_person(session, who)
        if person.role == Role.ELDER:
            raise LookupError("elders need no PIN: it is for who logs contacts, or says by telephone what they found")
        if unlock:
            if not pins.unlock(session, person.id, by, now):
                raise LookupError("this person has no PIN: set one")
            return "unlocked"
        chosen = pin or pins.make(person.number)
        pins.set_pin(session, person.id, chosen, by, now)
        return "set" if pin else f"set to {chosen}; it is not shown again"

    try:
        done = await write(settings, work)
    except (LookupError, ValueError) as error:
        out.print(f"wenan: {error.args[0]}", style="red", highlight=False)
        return 2
    out.print(f"the PIN is {done}", highlight=False)
    return 0


async def set_person(settings: Settings, who: str, by: str, change: Change, out: Console) -> int:
    """Changes the register on the word of `by`: all that was asked for, or nothing. 0; 2 with one sentence."""
    now = datetime.now(UTC)
    try:
        person = await write(settings, lambda session: _change(session, find_person(session, who), by, change, now))
    except (LookupError, ValueError) as error:
        out.print(f"wenan: {error.args[0]}", style="red", highlight=False)
        return 2
    table = _people_table()
    table.add_row(*_listed(person))
    out.print(table)
    if person.role != Role.ELDER and person.state in GONE:
        out.print("Not rung from now on. `roster remove` takes them out of the roster, `roster gaps` says if it must.")
    return 0


def _check(by: str, change: Change) -> None:
    if not is_name(by):
        raise ValueError("--by: say who says so, by a name; the line itself is none")
    if change == Change():
        raise ValueError("nothing to change: give --state, --number, --mode … (see --help)")
    if change.until is not None and change.state != State.PAUSED:
        raise ValueError("--until goes with --state paused only")


def _change(session: Session, person: Person, by: str, change: Change, now: datetime) -> Person:
    _check(by, change)
    place = session.get_one(Neighbourhood, person.neighbourhood_id)
    if change.number is not None:
        _typed("--number", lambda: people.set_number(session, person.id, change.number or ""))
    if change.mode is not None:
        people.set_mode(session, person.id, _word("--mode", Mode, change.mode))
    if change.consents is not None:
        agreed = _typed("--consents", lambda: read_consents(change.consents or ""))
        consents.replace(session, person.id, agreed, Word(by, said_by=None), now)
    for column, most in SPOKEN.items():
        text = getattr(change, column)
        if text is not None:
            read = partial(read_spoken, text, most)
            people.set_home(session, person.id, **{column: _typed(f"--{column.replace('_', '-')}", read)})
    if change.state is not None:
        until = _last_day(change, local_date(place.timezone, now))
        people.set_state(session, person.id, _word("--state", State, change.state), by, now, until=until)
    for what in ("state", "number", "mode", "consents", *SPOKEN):
        if getattr(change, what) is not None:
            people.note_change(session, person.id, what, by, now)
    session.flush()
    person.neighbourhood = place
    return person


def _last_day(change: Change, today: date) -> date | None:
    if change.state != State.PAUSED:
        return None
    try:
        until = date.fromisoformat(change.until or "")
    except ValueError:
        raise ValueError("a pause needs its last day: --until 2026-03-31") from None
    if until < today:
        raise ValueError("--until: the last day of a pause can't have passed")
    return until


def _typed(option: str, read: Callable[[], _T]) -> _T:
    """ValueErrors name the option."""
    try:
        return read()
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from None


def _word(option: str, words: type[_Word], text: str) -> _Word:
    if text not in list(words):
        raise ValueError(f"{option} must be one of {', '.join(words)}")
    return words(text)


def _import(session: Session, committee: str, file: Path) -> tuple[ImportReport, bool]:
    """Imports, and whether the neighbourhood was made for it; with errors there is no new neighbourhood either."""
    known = session.scalar(select(Neighbourhood).where(Neighbourhood.committee == committee).limit(1))
    place = known or Neighbourhood(name=committee.removesuffix("居委会") or committee, committee=committee)
    session.add(place)
    session.flush()
    report = import_people(session, place.id, file)
    if report.errors and known is None:
        session.delete(place)
    return report, known is None


def _todays(session: Session, house: House) -> list[Row]:
    now = house.clock.now()
    places = session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)).all()
    return [row for place in places for row in cases.today(session, place.id, local_date(place.timezone, now))]


def find_person(session: Session, who: str, *, elders: bool = False) -> Person:
    """The one person (or elder) with this id or whole name; LookupError says what is wrong."""
    query = select(Person).where(or_(Person.id == who, Person.name == who))
    found = session.scalars(query.where(Person.role == Role.ELDER) if elders else query).all()
    if len(found) != 1:
        one, several = ("elder", "elders") if elders else ("person", "people")
        many = f"{len(found)} {several} have this name; use the id" if found else f"no {one} with this id or name"
        raise LookupError(f"{many} (`people list` shows all)")
    return found[0]


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
