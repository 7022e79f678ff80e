"""What the commands of enrolment do: consents, a refusal that was asked about. Each returns an exit status."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from rich.console import Console
from sqlalchemy.orm import Session

from checkins import consents, people, refusals, register_words
from checkins.consents import Word
from checkins.people_csv import read_consents
from checkins.register_log import SELF, How
from checkins.schedule import local_date
from checkins.tables import Neighbourhood, Person, Role
from commands import find_person
from database_in_use import write
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
