"""What the commands under `keep` do. Each returns an exit status."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from checkins.names import named
from console import accounts_tables, tokens_tables
from database_in_use import opened, read
from keeping import all_tables, deletion
from keeping.periods import AUDIO, FILES, ROWS, STAYS
from settings import Settings

TABLES = (all_tables, accounts_tables, tokens_tables)  # the periods name tables of all rooms


async def show(settings: Settings, backups: Path | None, out: Console) -> int:
    table = Table("what", "days", "why", box=None)
    kinds = [(one.kind, one.days, one.why) for one in FILES] + [(one.kind, one.days, one.why) for one in ROWS]
    for kind, days, why in dict.fromkeys(kinds):
        table.add_row(kind, str(days), why)
    for name, why in STAYS.items():
        table.add_row(name, "-", why)
    out.print(table)
    last = await read(settings, deletion.last)
    state = f"last run {last.began_at:%Y-%m-%d %H:%M} UTC by {last.by}" if last else "nothing was ever deleted"
    out.print(state if last is None or last.ended_at else f"{state}, not finished", highlight=False)
    if backups is not None:
        _show_backups(out, await asyncio.to_thread(_files, backups))
    return 0


def _files(folder: Path) -> list[tuple[str, int]]:
    """Names and ages in days, the oldest first. LookupError when there is no such folder."""
    now = datetime.now(UTC).timestamp()
    try:
        found = [(file.name, int((now - file.stat().st_mtime) // 86400)) for file in folder.iterdir()]
    except OSError as error:
        raise LookupError(f"{folder}: {error.strerror}") from None
    return sorted(found, key=lambda one: -one[1])


def _show_backups(out: Console, found: list[tuple[str, int]]) -> None:
    for name, days in found:
        late = f"  older than recordings are kept ({AUDIO.days} days): delete it" if days > AUDIO.days else ""
        out.print(f"{days:5} days  {name}{late}", highlight=False, markup=False, soft_wrap=True)


async def show_due(settings: Settings, out: Console) -> int:
    found = await read(settings, lambda session: deletion.due(session, settings.data_dir, datetime.now(UTC)))
    table = Table("what", "older than", "where", "how much", box=None)
    for one in found:
        if one.count:
            table.add_row(one.kind, f"{one.days} days", one.what, str(one.count))
    out.print(table if table.rows else "nothing is due", highlight=False)
    return 0


async def run(settings: Settings, by: str, out: Console) -> int:
    with contextlib.closing(opened(settings)) as db:
        deleting = deletion.Deletion(db, lambda: datetime.now(UTC), settings.data_dir, out.print)
        ran = await deleting.run(named(by))
        done = None if ran is None else await db.view(deletion.last)
    if done is None:
        out.print("somebody else is deleting just now", highlight=False)
        return 3
    out.print(f"deleted: {done.rows} rows, {done.files} files", highlight=False)
    return 0
