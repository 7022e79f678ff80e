"""What the commands under `hooks` do. Each returns an exit status; LookupError and ValueError are said by whoever runs
them."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from checkins import outgoing_staff
from checkins.outgoing_tables import Endpoint
from cli.places import place_named
from cli.spoken_files import say
from database_in_use import read, write
from settings import Settings

_DONE = {
    "pause": "paused",
    "resume": "goes on",
    "remove": "removed",
    "test": "a try is on its way, if the server runs and it isn't paused",
}


async def show(settings: Settings, out: Console) -> int:
    found = await read(settings, outgoing_staff.listed)
    table = Table("no", "url", "events", "by", "", box=None)
    for one in found:
        cells = (str(one.id), one.url, " ".join(one.events), one.made_by, _state(one))
        table.add_row(*(each.replace("[", "\\[") for each in cells))
    out.print(table if found else "nobody is told", highlight=False)
    return 0


async def new(settings: Settings, url: str, events: str, committee: str, by: str, out: Console) -> int:
    wanted, now = [event.strip() for event in events.split(",") if event.strip()], datetime.now(UTC)

    def add(session: Session) -> tuple[Endpoint, str]:
        place = place_named(session, committee).id if committee else None
        return outgoing_staff.add(session, url, wanted, by, now, place)

    row, secret = await write(settings, add)
    out.print(secret, highlight=False, soft_wrap=True)
    out.print(f"It is not shown again. Number {row.id}; try it: hooks test {row.id} --by …", highlight=False)
    return 0


async def act(settings: Settings, act: str, number: int, by: str, out: Console) -> int:
    now = datetime.now(UTC)
    row = await write(settings, lambda session: outgoing_staff.ACTS[act](session, number, by, now))
    say(out, f"{row.id}: {_DONE[act]}")
    return 0


def _state(one: Endpoint) -> str:
    paused = f"paused by {one.paused_by}" if one.paused_at else ""
    return ", ".join(each for each in (paused, one.failing or "") if each)
