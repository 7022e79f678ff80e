"""What the commands `tickets …` do. Each returns an exit status; they work beside a running server. What staff say is
kept with their name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy.orm import Session

from checkins.names import named
from checkins.schedule import at_minute, local_date, read_minute
from checkins.tables import Person
from cli.spoken_files import clock, copy_all, log_listening, path_of, say, stored, tell_broken
from community import readable
from community import tickets_rows as rows
from community import tickets_staff as staff
from community import tickets_waiting as waiting
from community.board import TICKET_STATUS_ZH as STATUS_ZH
from community.tickets_policy import ReplyClock
from community.tickets_tables import Booking, Ticket, TicketDictation
from database_in_use import read, write
from settings import Settings

# ── looking ───────────────────────────────────────────────────────────────────────────────────────


async def show_all(settings: Settings, out: Console, *, everything: bool) -> int:
    """3: something is overdue."""
    now = datetime.now(UTC)

    def work(session: Session) -> list[tuple[Ticket, str, str]]:
        found: list[tuple[Ticket, str, str]] = []
        for row in waiting.of_interest(session, None, everything=everything):
            with readable.apart(session, f"ticket {row.number} can't be shown"):
                whose = session.get_one(Person, row.person_id).name
                found.append((row, whose, rows.calendar(session, row).zone))
        return found

    found, broken = await read(settings, work), await read(settings, readable.tickets)
    table = Table("number", "", "what", Column("since", no_wrap=True), "who", "owner", Column("due", no_wrap=True))
    for row, who, zone in found:
        due = clock(row.due_at, zone)[5:]
        late = f"[red]{due}[/red]" if row.due_at is not None and row.due_at <= now else due
        cells = (str(row.number), STATUS_ZH[row.status], waiting.KIND_ZH[row.kind], clock(row.opened_at, zone)[5:])
        table.add_row(*cells, who.replace("[", "\\["), (row.owner or "").replace("[", "\\["), late)
    out.print(table if found else "no tickets" if everything else "no ticket is open")
    tell_broken(out, broken)
    return 3 if broken or any(row.due_at is not None and row.due_at <= now for row, _, _ in found) else 0


async def show(settings: Settings, number: int, out: Console) -> int:
    """Everything about one."""

    def work(session: Session) -> tuple[Any, ...]:
        row = rows.by_number(session, number)
        who, zone = session.get_one(Person, row.person_id), rows.calendar(session, row).zone
        return row, who, zone, rows.dictations(session, row), rows.bookings(session, row), rows.events(session, row)

    row, who, zone, said, booked, events = await read(settings, work)
    owner, due = row.owner or "nobody", clock(row.due_at, zone) or "nobody is waited for but the line"
    say(out, f"{row.number} {waiting.KIND_ZH[row.kind]}: {STATUS_ZH[row.status]}, {who.name} {who.number or ''}")
    say(out, f"since {clock(row.opened_at, zone)}, owner: {owner}, due: {due}")
    _dictations(out, settings, said)
    for each in booked:
        what = each.text or f"recorded: {path_of(settings, each.recording or '')}"
        say(out, f"booking {each.round} ({each.by}, {clock(each.at, zone)}): {what} → {each.outcome or 'not told yet'}")
    for event in events:
        detail = " ".join(f"{name}={value}" for name, value in (event.detail or {}).items())
        say(out, f"{clock(event.at, zone)}  {event.what:12} {event.who}  {detail}")
    return 0


async def hear(settings: Settings, number: int, by: str, to: Path | None, out: Console) -> int:
    """Says where the recordings are, and writes down who listens."""
    now = datetime.now(UTC)

    def work(session: Session) -> list[TicketDictation]:
        said = rows.dictations(session, staff.hear(session, number, by, now))
        log_listening(session, said, named(by), now)
        return said

    said = await write(settings, work)
    _dictations(out, settings, said)
    if not any(each.recording for each in said):
        say(out, "nothing was recorded: ring them back", style="yellow")
    if to is not None:
        await copy_all(settings, number, said, to, out)
    return 0


# ── acts ──────────────────────────────────────────────────────────────────────────────────────────


async def take(settings: Settings, number: int, by: str, out: Console) -> int:
    return await _act(settings, out, lambda session, now: staff.take(session, number, by, now))


async def book(
    settings: Settings, number: int, text: str, recording: Path | None, before: str, by: str, out: Console
) -> int:
    now = datetime.now(UTC)
    within = ReplyClock(timedelta(minutes=settings.ticket_minutes))

    def work(session: Session, kept: str | None) -> Booking:
        zone = rows.calendar(session, rows.by_number(session, number)).zone
        return staff.book(session, number, by, now, text or None, kept, moment(before, zone, now), within)

    async with stored(settings, f"ticket-{number}", "booking", recording, now) as kept:
        booking = await write(settings, lambda session: work(session, kept))
    rings = booking.due_at is not None
    say(out, "The line rings them with it." if rings else "The line can't ring them: tell them, then `tickets told`.")
    return 0


async def told(settings: Settings, number: int, words: str, by: str, out: Console) -> int:
    return await _act(settings, out, lambda session, now: staff.told(session, number, words, by, now))


async def cannot(settings: Settings, number: int, words: str, by: str, out: Console) -> int:
    return await _act(settings, out, lambda session, now: staff.cannot(session, number, words, by, now))


async def close(settings: Settings, number: int, by: str, out: Console) -> int:
    return await _act(settings, out, lambda session, now: staff.close(session, number, by, now))


async def _act(settings: Settings, out: Console, work: Callable[[Session, datetime], Ticket]) -> int:
    """Does it and says how the ticket stands then."""
    now = datetime.now(UTC)
    row = await write(settings, lambda session: work(session, now))
    say(out, f"{row.number}: {STATUS_ZH[row.status]}{f', {row.owner}' if row.owner else ''}")
    return 0


def moment(text: str, zone: str, now: datetime) -> datetime | None:
    """ "14:30": today; "2026-03-03 08:30". None for nothing."""
    if not text.strip():
        return None
    day, _, clock = text.strip().replace("T", " ").rpartition(" ")
    try:
        date = datetime.fromisoformat(day).date() if day else local_date(zone, now)
        return at_minute(zone, date, read_minute(clock))
    except ValueError:
        raise ValueError(f'"{text}": write a time as "14:30" or "2026-03-03 08:30"') from None


# ── recordings ────────────────────────────────────────────────────────────────────────────────────


def _dictations(out: Console, settings: Settings, said: Sequence[TicketDictation]) -> None:
    for each in said:
        how = f"{each.engine} {each.confidence:.2f}" if each.engine and each.confidence else each.engine or "no engine"
        say(out, f"{each.name}: 「{each.transcript}」 ({how}{f', {each.seconds:.0f} s' if each.seconds else ''})")
        if each.recording:
            say(out, f"  {path_of(settings, each.recording)}")
