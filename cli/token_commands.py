"""What the commands under `tokens` do. Each returns an exit status; LookupError and ValueError are said by whoever runs
them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from cli.spoken_files import say
from console import tokens
from console.tokens_tables import ApiToken
from database_in_use import read, write
from settings import Settings

_HOME = ZoneInfo("Asia/Shanghai")


async def show(settings: Settings, out: Console) -> int:
    found, now = await read(settings, tokens.listed), datetime.now(UTC)
    table = Table("name", "scopes", "by", "last used", "until", "", box=None)
    for one in found:
        used = one.used_on.isoformat() if one.used_on else "never"
        cells = (one.name, " ".join(one.scopes), one.made_by)
        table.add_row(*(each.replace("[", "\\[") for each in cells), used, _day(one.expires_at), _state(one, now))
    out.print(table if found else "no tokens", highlight=False)
    return 0


async def new(settings: Settings, name: str, scopes: str, days: int, by: str, out: Console) -> int:
    wanted, now = [scope.strip() for scope in scopes.split(",") if scope.strip()], datetime.now(UTC)
    _, token = await write(settings, lambda session: tokens.make(session, name, wanted, days, by, now))
    out.print(token, highlight=False, soft_wrap=True)
    out.print("It is not shown again. Send it as: Authorization: Bearer …")
    return 0


async def revoke(settings: Settings, name: str, by: str, out: Console) -> int:
    now = datetime.now(UTC)
    row = await write(settings, lambda session: tokens.revoke(session, tokens.by_name(session, name).id, by, now))
    say(out, f"{row.name} opens nothing any more")
    return 0


def _day(at: datetime) -> str:
    return at.astimezone(_HOME).strftime("%Y-%m-%d")


def _state(one: ApiToken, now: datetime) -> str:
    return "revoked" if one.revoked_at else "expired" if now >= one.expires_at else ""
