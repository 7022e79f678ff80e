"""What the commands `notices …` do. Each returns an exit status; they work beside a running server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.enrolment import font as fonts
from checkins.tables import Neighbourhood
from cli.people_commands import find_person
from cli.places import place_named
from cli.spoken_files import clock, say, stored
from cli.ticket_commands import moment
from community import notice_papers, notices, rows
from community.notice_papers import Door, Facts
from community.notice_sheets import door_of, facts_of
from community.notice_tables import Notice, Topic
from database_in_use import read, write
from settings import Settings


async def publish(
    settings: Settings,
    text: str,
    since: str,
    until: str,
    buildings: Sequence[str],
    language: str,
    topic: str,
    urgent: bool,
    recording: Path | None,
    committee: str,
    by: str,
    out: Console,
    *,
    anyway: bool = False,
) -> int:
    if topic not in list(Topic):
        raise ValueError(f"--topic: one of {', '.join(Topic)}")
    now = datetime.now(UTC)

    def work(session: Session, kept: str | None) -> str:
        place = place_named(session, committee)
        ends, begins = _until(until, place.timezone, now), moment(since, place.timezone, now)
        notice = notices.publish(
            session,
            place.id,
            text,
            by,
            now,
            until=ends,
            since=begins,
            topic=Topic(topic),
            urgent=urgent,
            buildings=buildings,
            language=language or None,
            recording=kept,
            anyway=anyway,
        )
        return _published(session, notice, place.timezone, now)

    async with stored(settings, f"notice-{now:%Y%m%d%H%M%S}", "notice", recording, now) as kept:
        sentence = await write(settings, lambda session: work(session, kept))
    say(out, sentence)
    return 0


async def answer(settings: Settings, complaint: int, text: str, until: str, urgent: bool, by: str, out: Console) -> int:
    now = datetime.now(UTC)

    def work(session: Session) -> str:
        zone = rows.calendar(session, rows.by_number(session, complaint)).zone
        ends = _until(until, zone, now)
        notice = notices.answer(session, complaint, text, by, now, until=ends, urgent=urgent)
        return _published(session, notice, zone, now)

    say(out, await write(settings, work))
    return 0


def _published(session: Session, notice: Notice, zone: str, now: datetime) -> str:
    """For whom it is, and what work that is; of one that stood already: as what it stands now."""
    said = "published"
    if notice.at != now:
        said = f"was published before; it is now {_urgent(notice)}until {clock(notice.valid_until, zone)}"
    if notice.topic != Topic.NOTICE:
        return f"{notice.number}: {said}"
    reach = notices.reach(session, notice)
    way = "can be rung" if notice.urgent else "hear it in their daily call"
    return (
        f"{notice.number}: {said}; for {reach.elders} elders: {reach.by_telephone} {way}, {reach.doors} need the door"
    )


def _urgent(notice: Notice) -> str:
    """Who made it so is named: elders are rung by their word."""
    return f"urgent (by {notice.urgent_by or notice.by}), " if notice.urgent else ""


async def show_all(settings: Settings, out: Console, *, everything: bool) -> int:
    """3: somebody must go from door to door."""
    now = datetime.now(UTC)

    def work(session: Session) -> list[tuple[Notice, str, int]]:
        places = {place.id: place.timezone for place in session.scalars(select(Neighbourhood))}
        found = notices.listed(session, now, places, everything=everything)
        return [(each, places[each.neighbourhood_id], _doors(session, each, now)) for each in found]

    found = await read(settings, work)
    table = Table("number", "topic", "what", Column("until", no_wrap=True), "door to door")
    for each, zone, doors in found:
        topic = f"{each.topic}, {_urgent(each)}".rstrip(", ").replace("[", "\\[")
        table.add_row(
            str(each.number), topic, each.text.replace("[", "\\["), clock(each.valid_until, zone), str(doors or "")
        )
    out.print(table if found else "no notices")
    return 3 if any(doors for _, _, doors in found) else 0


def _doors(session: Session, notice: Notice, now: datetime) -> int:
    return len(notices.to_visit(session, notice, now)) if notices.holds(notice, now) else 0


async def sheet(settings: Settings, number: int, to: Path, font: Path | None, out: Console) -> int:
    fonts.load(font)

    def work(session: Session) -> tuple[Facts, list[Door]]:
        notice = notices.by_number(session, number)
        return facts_of(session, notice), [door_of(*each) for each in notices.unreached(session, notice)]

    facts, doors = await read(settings, work)
    _write(to, notice_papers.door_sheet(facts, doors))
    say(out, f"{to}: {len(doors)} to go to")
    return 0


async def poster(settings: Settings, number: int, to: Path, font: Path | None, out: Console) -> int:
    fonts.load(font)
    facts = await read(settings, lambda session: facts_of(session, notices.by_number(session, number)))
    _write(to, notice_papers.poster(facts))
    say(out, str(to))
    return 0


async def told(settings: Settings, number: int, who: str, by: str, out: Console) -> int:
    now = datetime.now(UTC)
    await write(settings, lambda session: notices.told(session, number, find_person(session, who).id, by, now).id)
    say(out, "noted")
    return 0


async def withdraw(settings: Settings, number: int, by: str, out: Console) -> int:
    now = datetime.now(UTC)
    await write(settings, lambda session: notices.withdraw(session, number, by, now).id)
    say(out, f"{number}: withdrawn")
    return 0


def _write(to: Path, pdf: bytes) -> None:
    try:
        to.write_bytes(pdf)
    except OSError as error:
        raise LookupError(f"{to}: {error.strerror}") from None


def _until(text: str, zone: str, now: datetime) -> datetime:
    ends = moment(text, zone, now)
    if ends is None:
        raise ValueError('--until: write "17:30" or "2026-03-03 17:30"')
    return ends
