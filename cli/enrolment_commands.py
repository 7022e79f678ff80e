"""What the commands of enrolment do: consents, refusals that were asked about, papers. Each returns an exit status."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import consents, people, refusals, register_log, register_words
from checkins.consents import Word
from checkins.enrolment import font as fonts
from checkins.enrolment import trial_calls
from checkins.enrolment.papers import Facts, consent_sheet, fridge_card
from checkins.names import named
from checkins.people_csv import read_consents
from checkins.phones import national
from checkins.register_log import SELF, How, What
from checkins.schedule import local_date
from checkins.tables import GONE, Neighbourhood, Person, Role
from cli.people_commands import find_person
from database_in_use import read, write
from settings import Settings


async def consent(
    settings: Settings, who: str, give: str, withdraw: str, guardian: str, how: str, on: str, by: str, out: Console
) -> int:
    """Writes down what was agreed to and taken back, and shows what holds. 0; LookupError, ValueError: one sentence."""
    if how not in list(How):
        raise ValueError(f"--how must be one of {', '.join(How)}")
    now = datetime.now(UTC)

    def work(session: Session) -> list[str]:
        elder, place = _elder(session, who)
        day = _day(on, local_date(place.timezone, now))
        word = Word(by, guardian.strip() or SELF, How(how), day)
        consents.change(session, elder.id, _given(give, withdraw), word, now)
        people.note_change(session, elder.id, "consents", by, now)
        session.flush()
        return register_words.lines(session, elder, place.timezone)

    _print(out, await write(settings, work))
    return 0


async def refusal(settings: Settings, who: str, meant: bool, found: str, by: str, out: Console) -> int:
    """Writes down what the elder said who was asked in person. The same."""
    now = datetime.now(UTC)

    def work(session: Session) -> list[str]:
        elder, place = _elder(session, who)
        refusals.asked(session, elder.id, by, now, meant=meant, found=found)
        session.flush()
        return register_words.lines(session, elder, place.timezone)[:2]

    _print(out, await write(settings, work))
    return 0


async def test_call(settings: Settings, who: str, by: str, out: Console) -> int:
    """Orders one, which the running line makes. The same."""
    now = datetime.now(UTC)

    def work(session: Session) -> str:
        elder, _ = _elder(session, who)
        trial_calls.want(session, elder.id, by, now)
        return elder.name

    name = await write(settings, work)
    most = int(trial_calls.WANTED_FOR.total_seconds()) // 60
    _print(out, [f"{name}: the line rings as soon as it may, within {most} minutes or not at all: `people show` says"])
    return 0


async def one_key(settings: Settings, who: str, by: str, out: Console) -> int:
    """Writes down that the elder was shown key 5. The same."""
    now = datetime.now(UTC)

    def work(session: Session) -> list[str]:
        elder, place = _elder(session, who)
        register_log.note(session, elder.id, What.ONE_KEY, named(by), now)
        session.flush()
        return register_words.lines(session, elder, place.timezone)

    _print(out, await write(settings, work))
    return 0


async def papers(
    settings: Settings, who: str, everybody: bool, to: Path, line: str, font: Path | None, out: Console
) -> int:
    """Writes both papers of one elder, or of all. The same."""
    if everybody == bool(who):
        raise ValueError("name one elder, or say --all")
    number = line.strip() or national(settings.number)
    if not number:
        raise ValueError("which number do elders ring? WENAN_TWILIO_FROM is not set: give --line")
    fonts.load(font)
    found = await read(settings, lambda session: _whom(session, who, number))
    _write(to, found)
    out.print(f"{len(found)} elders: a sheet and a card each, in {to}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _write(folder: Path, found: list[tuple[str, Facts]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for stem, facts in found:
        (folder / f"{stem} 同意书.pdf").write_bytes(consent_sheet(facts))
        (folder / f"{stem} 电话卡.pdf").write_bytes(fridge_card(facts))


def _whom(session: Session, who: str, number: str) -> list[tuple[str, Facts]]:
    if who:
        elders = [_elder(session, who)[0]]
    else:
        query = select(Person).where(Person.role == Role.ELDER, Person.state.not_in(GONE))
        elders = list(session.scalars(query.order_by(Person.neighbourhood_id, Person.name)))
    return [_facts(elder, session.get_one(Neighbourhood, elder.neighbourhood_id), number) for elder in elders]


def _facts(elder: Person, place: Neighbourhood, number: str) -> tuple[str, Facts]:
    """With a file's name: people of one name are told apart by their id."""
    name = "".join(sign if sign.isalnum() else "_" for sign in elder.name)[:60]
    if elder.slot is None:
        hour = f"{_clock(place.plan_from)}到{_clock(place.plan_until)}之间"
    else:
        hour = f"{_clock(elder.slot)}左右"
    return f"{name} {elder.id[:8]}", Facts(elder.name, place.committee, number, hour)


def _clock(minute: int) -> str:
    hour, rest = divmod(minute, 60)
    return f"{hour}点" + (f"{rest:02d}分" if rest else "")


def _elder(session: Session, who: str) -> tuple[Person, Neighbourhood]:
    person = find_person(session, who)
    if person.role != Role.ELDER:
        raise LookupError("this is no elder: consents and refusals are theirs")
    return person, session.get_one(Neighbourhood, person.neighbourhood_id)


def _given(give: str, withdraw: str) -> Mapping[str, bool]:
    yes, no = set(read_consents(give)), set(read_consents(withdraw))
    if yes & no:
        raise ValueError("given and taken back at once: " + ", ".join(sorted(yes & no)))
    if not (yes or no):
        raise ValueError("say what is agreed to (--give) or taken back (--withdraw)")
    return dict.fromkeys(yes, True) | dict.fromkeys(no, False)


def _day(on: str, today: date) -> date | None:
    if not on:
        return None
    try:
        day = date.fromisoformat(on)
    except ValueError:
        raise ValueError("--on: write the day as 2026-03-31") from None
    if day > today:
        raise ValueError("--on: this day is still to come")
    return day


def _print(out: Console, lines: list[str]) -> None:
    for line in lines:
        out.print(line, highlight=False, markup=False, soft_wrap=True)
