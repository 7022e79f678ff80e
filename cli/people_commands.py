"""What the commands `people …` do: people in, out and changed. Each returns an exit status."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, joinedload

from checkins import consents, people, people_csv, pins, register_words
from checkins.consents import Word
from checkins.names import is_name
from checkins.people_csv import SPOKEN, read_consents, read_slot, read_spoken
from checkins.phones import national
from checkins.schedule import local_date
from checkins.tables import GONE, Mode, Neighbourhood, NumberState, Person, Role, State
from cli import problems
from community.register_book import BookReport, import_people
from database_in_use import missing, opened, read, write
from settings import Settings
from storage.database import Database
from storage.migrate import upgrade

WIDE = 130  # columns of a screen that holds a person in one row
_T = TypeVar("_T")
_Word = TypeVar("_Word", bound=StrEnum)


async def import_csv(settings: Settings, file: Path, committee: str, out: Console) -> int:
    """Reads people from CSV into the neighbourhood of `committee`. 2 with every error named; nothing is added then."""
    committee = committee.strip()
    if not committee:
        out.print("wenan: --committee is empty: say the committee's name as it is spoken", style="red", highlight=False)
        return 2
    if missing(settings):
        report = await _tried(committee, file)
        if report.errors:
            return _refused(report, out)
    with contextlib.closing(opened(settings, make=True)) as db:
        report, made = await asyncio.to_thread(_import, db, committee, file)
    if report.errors:
        return _refused(report, out)
    if made:
        out.print(f"new neighbourhood {committee} made (`people list` shows all)", highlight=False)
    for warning in report.warnings:
        out.print(f"warning: {warning}", style="yellow", highlight=False)
    out.print(f"{report.added} added, {report.known} known before. `serve` renders their names before the first call.")
    if report.homes:
        out.print(f"{report.homes} of those known before: address, key holder or notes filled in.")
    if report.differs or report.kept:
        many = len(report.differs) + len(report.kept)
        out.print(f"{many} fields stand otherwise in the register: `register import --dry-run` shows them.")
    if report.no_consent:
        out.print(
            f"{report.no_consent} of those added have no consent to calls (没有同意自动电话): the line will not ring "
            "them, each is a person's case every day. `people set … --consents calls` notes it.",
            style="yellow",
            highlight=False,
        )
    return 0


def _refused(report: BookReport, out: Console) -> int:
    return problems.told(report.errors, people_csv.HEADINGS, "imported", out)


async def _tried(committee: str, file: Path) -> BookReport:
    """What would come of it, on a database to throw away: a list with mistakes leaves no empty one behind, on which
    later commands would work in good faith."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/wenan.db"
        upgrade(url)
        with contextlib.closing(Database(url)) as db:
            report, _ = await asyncio.to_thread(_import, db, committee, file)
    return report


async def show_people(settings: Settings, out: Console) -> int:
    """Everybody in the register, by neighbourhood and name."""
    query = select(Person).options(joinedload(Person.neighbourhood))
    found = await read(settings, lambda session: session.scalars(query).all())
    _print_people(sorted(found, key=lambda person: (person.neighbourhood_id, person.name)), out)
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
    slot = "" if person.slot is None else f"{person.slot // 60:02}:{person.slot % 60:02}"
    found += [("state", state), ("mode", mode), ("rung at", slot), ("consents", agreed), ("id", id_)]
    return [f"{what}: {text}" for what, text in found if text]


def _print_people(found: Sequence[Person], out: Console) -> None:
    """An id is never cut, however narrow the screen or pipe: it is what other commands are given. Where a row of all
    would be torn to letters, a person takes three lines."""
    columns = ("name", "committee", "number", "role", "state", "mode", "consents")
    if out.width >= WIDE:
        whole = Column("id", no_wrap=True, min_width=36)
        table = Table(whole, *(Column(name, overflow="fold") for name in columns))
        for person in found:
            table.add_row(*_listed(person))
        out.print(table)
        return
    for person in found:
        id_, name, committee, number, *rest = _listed(person)
        lines = f"{name}  {number}  {committee}", f"  {id_}", f"  {'; '.join(word for word in rest if word)}"
        for line in lines:
            out.print(line, highlight=False, markup=False, soft_wrap=True)


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
    slot: str | None = None


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
    _print_people([person], out)
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
    if change.slot is not None:
        person.slot = _typed("--slot", lambda: read_slot(change.slot or ""))
    for column, most in SPOKEN.items():
        text = getattr(change, column)
        if text is not None:
            read = partial(read_spoken, text, most)
            people.set_home(session, person.id, **{column: _typed(f"--{column.replace('_', '-')}", read)})
    if change.state is not None:
        until = _last_day(change, local_date(place.timezone, now))
        people.set_state(session, person.id, _word("--state", State, change.state), by, now, until=until)
    for what in ("state", "number", "mode", "consents", "slot", *SPOKEN):
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


def _import(db: Database, committee: str, file: Path) -> tuple[BookReport, bool]:
    """Imports, and whether the neighbourhood was made for it; with errors there is no new neighbourhood either."""
    with db.read() as session:
        known = session.scalar(select(Neighbourhood).where(Neighbourhood.committee == committee).limit(1))
    name = committee.removesuffix("居委会") or committee
    here = {"timezone": "Asia/Shanghai", "area_code": "021"}
    place = known or Neighbourhood(name=name, committee=committee, **here)
    return import_people(db, place, file, datetime.now(UTC)), known is None


def find_person(session: Session, who: str, *, elders: bool = False) -> Person:
    """The one person (or elder) with this id or whole name; LookupError says what is wrong."""
    query = select(Person).where(or_(Person.id == who, Person.name == who))
    found = session.scalars(query.where(Person.role == Role.ELDER) if elders else query).all()
    if len(found) != 1:
        one, several = ("elder", "elders") if elders else ("person", "people")
        many = f"{len(found)} {several} have this name; use the id" if found else f"no {one} with this id or name"
        raise LookupError(f"{many} (`people list` shows all)")
    return found[0]
