"""What the commands under `accounts` do. Each returns an exit status; LookupError and ValueError are said by whoever
runs them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from console import accounts
from console.accounts_tables import Account
from console.passwords import Hasher, one_time
from console.roles import ROLE_ZH, Role
from database_in_use import read, write
from settings import Settings

_HOME = ZoneInfo("Asia/Shanghai")


async def show(settings: Settings, out: Console) -> int:
    def look(session: Session) -> tuple[list[Account], dict[int, datetime]]:
        return accounts.listed(session), accounts.last_login(session)

    found, last = await read(settings, look)
    if not found:
        out.print("no accounts yet: `serve` makes the first one, or `accounts add`")
        return 0
    table = Table("login", "name", "role", "last login", "", box=None)
    for one in found:
        table.add_row(one.login, one.name or "-", _role(one.role), _moment(last.get(one.id)), _state(one))
    out.print(table, highlight=False)
    return 0


async def add(settings: Settings, login: str, name: str, role: str, by: str, out: Console) -> int:
    password = one_time()
    hashed = await Hasher().hash(password)
    account = await write(
        settings, lambda session: accounts.add(session, login, name, role, hashed, by, datetime.now(UTC))
    )
    out.print(f"{account.login} ({account.name}, {_role(account.role)})", highlight=False, markup=False)
    _tell(account.login, password, out)
    return 0


async def set_role(settings: Settings, login: str, role: str, by: str, out: Console) -> int:
    account = await write(settings, lambda session: accounts.set_role(session, login, role, by, datetime.now(UTC)))
    out.print(f"{account.login} is {_role(account.role)} now", highlight=False)
    return 0


async def lock(settings: Settings, login: str, by: str, out: Console, *, undo: bool) -> int:
    act = accounts.unlock if undo else accounts.lock
    account = await write(settings, lambda session: act(session, login, by, datetime.now(UTC)))
    out.print(f"{account.login} is {'open again' if undo else 'locked, and logged out everywhere'}", highlight=False)
    return 0


async def reset(settings: Settings, login: str, by: str, out: Console) -> int:
    password = one_time()
    hashed = await Hasher().hash(password)
    account = await write(settings, lambda session: accounts.reset(session, login, hashed, by, datetime.now(UTC)))
    _tell(account.login, password, out)
    if account.locked_at is not None:
        out.print(f"It is locked: accounts lock {account.login} --undo --by WHO", style="yellow", highlight=False)
    return 0


def _tell(login: str, password: str, out: Console) -> None:
    out.print(f"login {login}, one-time password {password}", highlight=False, soft_wrap=True)
    out.print("Good for 7 days, until it is changed at the first login. It is not shown again.")


def _role(role: str) -> str:
    return f"{role} {ROLE_ZH[Role(role)]}"


def _moment(at: datetime | None) -> str:
    return at.astimezone(_HOME).strftime("%Y-%m-%d %H:%M") if at else "never"


def _state(one: Account) -> str:
    if one.locked_at is not None:
        return "locked"
    if one.one_time_until is None:
        return ""
    return "one-time password" if datetime.now(UTC) < one.one_time_until else "one-time password, void"
