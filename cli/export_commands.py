"""What `export` does: one workbook for the street office, from what is written down already."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from sqlalchemy.orm import Session

from checkins import workbook
from cli.places import place_named
from community import upward
from community.register_export import Rows
from console import accounts
from database_in_use import read
from settings import Settings


async def export(settings: Settings, file: Path, committee: str, month: str, out: Console) -> int:
    """All lists of one month, each on a sheet of its own. Without a month: the one that is going on."""
    if file.suffix.lower() != ".xlsx":
        raise ValueError("write to a file that ends in .xlsx")
    now = datetime.now(UTC)

    def work(session: Session) -> dict[str, Rows]:
        place = place_named(session, committee)
        text = month or f"{now.astimezone(ZoneInfo(place.timezone)):%Y-%m}"
        staff = [each.name for each in accounts.listed(session)]
        return upward.sheets(session, place, upward.month(text, place.timezone), now, staff)

    raw = workbook.write(await read(settings, work))
    try:
        await asyncio.to_thread(file.write_bytes, raw)
    except OSError as error:
        raise LookupError(f"{file}: {error.strerror}") from None
    said = f"{file}: written, for the street office. It may go there, and nowhere else."
    out.print(said, highlight=False, soft_wrap=True)
    return 0
