"""What the commands `ballots …` do. Each returns an exit status; they work beside a running server. No command shows
who chose what, and none counts before the closing."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.enrolment import font as fonts
from checkins.phones import national
from checkins.schedule import at_minute, read_minute
from checkins.tables import Neighbourhood
from cli.places import place_named
from cli.spoken_files import clock, say
from community import ballot as core
from community import ballot_doubts as doubts
from community import ballot_letters, ballot_making
from community import ballot_papers as papers
from community import ballot_proposals as proposed
from community import ballot_rounds as rounds
from community import ballot_rows as rows
from community import ballot_staff as staff
from community.ballot import Channel, Refusal, Unit
from community.ballot_facts import facts_of
from community.ballot_papers import Addressed
from community.ballot_tables import Ballot, BallotEvent
from community.ballot_words import CHANGEABLE, REFUSAL_ZH, UNIT_ZH
from database_in_use import read, write
from settings import Settings

DOUBTS = 20  # that are said at once


# ── looking ───────────────────────────────────────────────────────────────────────────────────────


async def show_all(settings: Settings, out: Console, *, everything: bool) -> int:
    def work(session: Session) -> list[tuple[Ballot, str]]:
        query = select(Ballot).order_by(Ballot.number)
        found = session.scalars(query if everything else query.where(Ballot.sealed_at.is_(None)))
        return [(row, session.get_one(Neighbourhood, row.neighbourhood_id).timezone) for row in found]

    found = await read(settings, work)
    table = Table("number", "title", "who", Column("from", no_wrap=True), Column("until", no_wrap=True), "")
    for row, zone in found:
        over = "" if row.sealed_at is None else "withdrawn" if row.withdrawn_by else "over"
        times = (clock(row.opens_at, zone), clock(row.closes_at, zone))
        table.add_row(str(row.number), row.title.replace("[", "\\["), UNIT_ZH[Unit(row.unit)], *times, over)
    out.print(table if found else "no ballots" if everything else "no ballot is open")
    return 0


async def show(settings: Settings, number: int, out: Console) -> int:
    def work(session: Session) -> tuple[Any, ...]:
        row = rows.by_number(session, number)
        labels = {slot.id: slot.label for slot in rows.slots(session, row)}
        zone = session.get_one(Neighbourhood, row.neighbourhood_id).timezone
        see = [(person.name, person.address or "") for person in staff.to_visit(session, row)]
        events = rows.events(session, row)
        acted = [each for each in events if each.what == rows.REFUSED or "signer" in (each.detail or {})]
        tell = [f"{slot.label} {slot.phone or ''}".strip() for slot in rows.untold(session, row)]
        made = [each.detail or {} for each in events if each.what == proposed.PROPOSED]
        doubtful = doubts.doubtful(session, row) if row.sealed_at is None else []
        return row, zone, rows.topics(session, row), labels, see, tell, acted, made, doubtful

    row, zone, topics, labels, see, tell, acted, made, doubtful = await read(settings, work)
    say(
        out,
        f"{row.number} {row.title}: {UNIT_ZH[Unit(row.unit)]}, until {clock(row.closes_at, zone)}, by {row.made_by}",
    )
    for topic in topics:
        counted = (row.result or {}).get(str(topic.position))
        told = f": {core.told(topic.options, counted)}" if counted else f" ({' / '.join(topic.options)})"
        say(out, f"  {topic.position}. {topic.question}{told}")
    for each in made:
        if "case" in each:
            say(out, f"  proposal {each['option']} comes from {each['case']}")
    if see:
        say(out, "to be seen in person: " + ", ".join(f"{name} {address}".strip() for name, address in see))
    for each in tell:
        say(out, f"请告诉结果 (tell them the result, then `ballots told`): {each}")
    _say_doubtful(out, doubtful)
    for line in dict.fromkeys(_act_line(each, zone, labels.get(each.slot_id, "")) for each in acted):
        say(out, line)
    return 0


def _act_line(event: BallotEvent, zone: str, label: str) -> str:
    """What was refused and why, or that a paper counts; who signed it, and who entered it. One line for all topics of a
    paper; never what was chosen."""
    detail = event.detail or {}
    done = f"refused: {REFUSAL_ZH.get(detail['reason'], '')}" if "reason" in detail else "登记了 (entered)"
    proxy = f",委托书:{detail['proxy']}" if "proxy" in detail else ""
    signer = f"签名:{detail['signer']}{proxy}" if "signer" in detail else ""
    return "  ".join(each for each in (clock(event.at, zone), done, label, signer, f"({event.who})") if each)


async def count(settings: Settings, number: int, out: Console) -> int:
    """3: the log does not come to what was told, or has more voters than there are places that chose."""

    found = await read(settings, lambda session: rounds.recount(session, rows.by_number(session, number)))
    if found is None:
        raise ValueError("it is counted when it is over")
    told = "the same result" if found.agrees else "NOT what was told"
    say(out, f"{found.voters} voters, {found.took} places of the roll chose: {told}")
    return 0 if found.agrees else 3


# ── acts ──────────────────────────────────────────────────────────────────────────────────────────


async def new(
    settings: Settings,
    title: str,
    topics: Sequence[str],
    committee: str,
    unit: str,
    roll: Path | None,
    since: str,
    until: str,
    rings: bool,
    by: str,
    out: Console,
    *,
    dry_run: bool = False,
) -> int:
    if unit not in list(Unit):
        raise ValueError(f"--unit must be one of {', '.join(Unit)}")
    now, text = datetime.now(UTC), _text(roll)

    def work(session: Session) -> tuple[int, int, list[tuple[str, ...]]]:
        place = place_named(session, committee)
        opens = moment(since, place.timezone, "--from") if since.strip() else now
        closes = moment(until, place.timezone, "--until", end=True)
        row = ballot_making.make(
            session, place, title.strip(), topics, Unit(unit), opens, closes, by, now, roll=text, rings=rings
        )
        made = row.number, len(rows.slots(session, row)), doubts.doubtful(session, row)
        if dry_run:
            session.rollback()
        return made

    number, places, doubtful = await write(settings, work)
    _say_doubtful(out, doubtful)
    if dry_run:
        say(out, f"{places} would have one choice each; nothing was made.")
        return 0
    say(out, f"{number}: {places} may choose, each once.")
    if unit == Unit.OWNER:
        say(out, f"Now their letters: `ballots letters {number} --to FILE --by WHO`.")
    return 0


def _say_doubtful(out: Console, found: Sequence[tuple[str, ...]]) -> None:
    for homes in found[:DOUBTS]:
        say(out, f"可能是同一户 (doubtful, maybe one home): {' / '.join(homes)}", style="yellow")
    if len(found) > DOUBTS:
        say(out, f"… and {len(found) - DOUBTS} more", style="yellow")
    if found:
        say(out, "是同一户的,先把地址改成一样,再重新建 (if they are one: correct the address, withdraw, make it anew)")


async def proposals(
    settings: Settings,
    title: str,
    texts: Sequence[str],
    committee: str,
    since: str,
    until: str,
    rings: bool,
    by: str,
    out: Console,
) -> int:
    now, found = datetime.now(UTC), [proposed.read(text) for text in texts]

    def work(session: Session) -> tuple[int, str]:
        place = place_named(session, committee)
        opens = moment(since, place.timezone, "--from") if since.strip() else now
        closes = moment(until, place.timezone, "--until", end=True)
        row = proposed.make(session, place, title.strip(), found, opens, closes, by, now, rings=rings)
        return row.number, proposed.question(found)

    number, question = await write(settings, work)
    say(out, f"{number}: {question}")
    return 0


async def enter(
    settings: Settings,
    number: int,
    whose: str,
    choose: Sequence[str],
    who: str,
    visit: bool,
    change: bool,
    by: str,
    out: Console,
) -> int:
    """1: refused."""
    now, choices, channel = datetime.now(UTC), read_choices(choose), Channel.VISIT if visit else Channel.PAPER

    def work(session: Session) -> Refusal | None:
        return staff.enter(session, number, whose, choices, channel, by, now, who=who, change=change)

    why = await write(settings, work)
    if why is None:
        say(out, "It counts.")
        return 0
    say(out, f"refused, and logged: {REFUSAL_ZH[why]} ({why})", style="red")
    if why in CHANGEABLE:
        say(out, "当面问过、要改的,加 --change (they want it so, and you have asked them: --change)")
    return 1


async def proxy(settings: Settings, number: int, unit: str, name: str, document: str, by: str, out: Console) -> int:
    now = datetime.now(UTC)
    await write(settings, lambda session: staff.proxy(session, number, unit, name, document, by, now))
    say(out, f"{name} may choose for {unit}.")
    return 0


async def told(settings: Settings, number: int, units: Sequence[str], by: str, out: Console) -> int:
    now = datetime.now(UTC)
    count = await write(settings, lambda session: staff.told(session, number, units, by, now))
    say(out, f"已告诉 {count} 户 ({count} were told by you; who still waits: `ballots show {number}`).")
    return 0


async def withdraw(settings: Settings, number: int, by: str, out: Console) -> int:
    now = datetime.now(UTC)
    await write(settings, lambda session: staff.withdraw(session, number, by, now))
    say(out, f"{number} is over, without a result.")
    return 0


# ── papers ────────────────────────────────────────────────────────────────────────────────────────


async def letters(
    settings: Settings, number: int, to: Path, unit: str, line: str, font: Path | None, by: str, out: Console
) -> int:
    """First the paper, then what counts: a PIN that nobody has on paper would shut its owner out. No transaction
    is open while the PINs are hashed."""
    fonts.load(font)
    _not_there(to)
    facts = await read(settings, lambda session: facts_of(session, number, _line(settings, line)))
    found = await read(settings, lambda session: ballot_letters.addressees(session, number, datetime.now(UTC), unit))
    if not found:
        raise ValueError("all units have their letter; --unit makes a new one")
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        made = list(progress.track(ballot_letters.letters_for(found), len(found), description="PINs"))
    _write(to, papers.letters(facts, [Addressed(each.unit, each.number, each.pin) for each in made]))
    now = datetime.now(UTC)
    await write(settings, lambda session: ballot_letters.post(session, number, made, by, now))
    say(out, f"{len(made)} letters in {to}: print them, then delete the file.")
    return 0


async def paper(settings: Settings, number: int, to: Path, line: str, font: Path | None, out: Console) -> int:
    fonts.load(font)
    facts = await read(settings, lambda session: facts_of(session, number, _line(settings, line)))
    _write(to, papers.sheet(facts))
    say(out, f"{to}: one for each who chooses by hand.")
    return 0


def _line(settings: Settings, line: str) -> str:
    number = line.strip() or national(settings.number)
    if not number:
        raise ValueError("which number do people ring? WENAN_TWILIO_FROM is not set: give --line")
    return number


def _not_there(to: Path) -> None:
    """Before work that takes minutes."""
    if to.exists():
        raise LookupError(f"{to}: {os.strerror(errno.EEXIST)}")


def _write(to: Path, pdf: bytes) -> None:
    """Readable by nobody else; LookupError when it is there already, or can't be written."""
    try:
        to.touch(mode=0o600, exist_ok=False)
        to.write_bytes(pdf)
    except OSError as error:
        raise LookupError(f"{to}: {error.strerror}") from None


# ── reading what is typed ─────────────────────────────────────────────────────────────────────────


def read_choices(choose: Sequence[str]) -> dict[int, int]:
    """ "1=2": of topic 1 the second option."""
    found: dict[int, int] = {}
    for each in choose:
        topic, _, option = each.partition("=")
        if not (topic.strip().isdecimal() and option.strip().isdecimal()) or int(topic) in found:
            raise ValueError(f'--choose: write "1=2" for the second option of topic 1, each topic once: {each}')
        found[int(topic)] = int(option)
    return found


def moment(text: str, zone: str, what: str, *, end: bool = False) -> datetime:
    """ "2026-03-09" (its beginning, or its `end`), "2026-03-09 17:00"."""
    day, _, time = text.strip().replace("T", " ").partition(" ")
    try:
        on = date.fromisoformat(day)
        if time.strip():
            return at_minute(zone, on, read_minute(time.strip()))
        return at_minute(zone, on + timedelta(days=1) if end else on, 0)
    except ValueError:
        raise ValueError(f'{what}: write "2026-03-09" or "2026-03-09 17:00"') from None


def _text(roll: Path | None) -> str:
    if roll is None:
        return ""
    try:
        return roll.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{roll}: save it as CSV in UTF-8") from None
    except OSError as error:
        raise LookupError(f"{roll}: {error.strerror}") from None
