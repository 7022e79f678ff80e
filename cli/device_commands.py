"""What the commands under `devices` do: alarm buttons and smoke detectors in and out. Each returns an exit status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from checkins import devices
from checkins.devices import KIND_ZH, DeviceKind, Listed
from checkins.tables import Person, Role
from console.device_events import PATH
from database_in_use import read, write
from settings import Settings

_T = TypeVar("_T")
_HOME = ZoneInfo("Asia/Shanghai")
_UNTIL = "for an hour, or until `devices live {} --by WHO`; then it is live by itself"


async def add(settings: Settings, elder: str, kind: str, by: str, out: Console, *, testing: bool) -> int:
    """Prints the device's address and secret, once."""

    def work(session: Session) -> tuple[str, str]:
        if kind not in list(DeviceKind):
            raise ValueError(f"--kind must be one of {', '.join(DeviceKind)}")
        found = devices.add(session, _elder(session, elder), DeviceKind(kind), by, datetime.now(UTC), testing=testing)
        return found.id, found.secret

    done = await _tried(settings, work, out)
    if done is None:
        return 2
    base = settings.public_url or f"http://127.0.0.1:{settings.port}"
    out.print(f"address: {base}{PATH}/{done[0]}\nsecret:  {done[1]}", highlight=False, soft_wrap=True)
    out.print(
        'The secret is not shown again. Send {"kind": "test"} before you rely on it (`devices list` shows it came).'
    )
    if testing:
        out.print(f"In test mode: it rings nobody {_UNTIL.format(done[0])}.", style="yellow")
    return 0


async def remove(settings: Settings, device_id: str, by: str, out: Console) -> int:
    return await _changed(
        settings, lambda session: devices.remove(session, device_id, by, datetime.now(UTC)), f"{device_id} removed", out
    )


async def set_testing(settings: Settings, device_id: str, by: str, out: Console, *, testing: bool) -> int:
    testing_s = f"in test mode: it rings nobody {_UNTIL.format(device_id)}"
    mode = testing_s if testing else "live: what it sends rings people"
    change = lambda session: devices.set_testing(session, device_id, testing, by, datetime.now(UTC))  # noqa: E731
    return await _changed(settings, change, f"{device_id} is {mode}", out)


async def show(settings: Settings, out: Console) -> int:
    rest = ("elder", "kind", "mode", "added", "last alarm", "last test", "unknown word")
    # An id is never cut, however narrow the screen or pipe: it is what other commands are given.
    table = Table(Column("id", no_wrap=True, min_width=12), *(Column(name, overflow="fold") for name in rest))
    found = await read(settings, lambda session: devices.listed(session, datetime.now(UTC)))
    for device in found:
        table.add_row(*_listed(device))
    out.print(table)
    return 0


def _listed(device: Listed) -> tuple[str, ...]:
    added = f"{_clock(device.added_at)} {device.added_by}"
    mode = f"test until {_clock(device.until)}" if device.testing else "live"
    kind = f"{device.kind} {KIND_ZH[device.kind]}"
    return (
        device.id, device.elder, kind, mode, added, _clock(device.last), _clock(device.last_test), device.strange or "",
    )  # fmt: skip


def _clock(moment: datetime | None) -> str:
    return moment.astimezone(_HOME).strftime("%Y-%m-%d %H:%M") if moment else "–"


def _elder(session: Session, who: str) -> str:
    query = select(Person.id).where(Person.role == Role.ELDER, or_(Person.id == who, Person.name == who))
    found = session.scalars(query).all()
    if len(found) != 1:
        many = f"{len(found)} elders have this name; use the id" if found else "no elder with this id or name"
        raise LookupError(f"{many} (`people list` shows all)")
    return found[0]


async def _changed(settings: Settings, change: Callable[[Session], None], done: str, out: Console) -> int:
    def work(session: Session) -> bool:
        change(session)
        return True

    if await _tried(settings, work, out) is None:
        return 2
    out.print(done, highlight=False)
    return 0


async def _tried(settings: Settings, work: Callable[[Session], _T], out: Console) -> _T | None:
    """None, and one sentence, when it can't be done."""
    try:
        return await write(settings, work)
    except (LookupError, ValueError) as error:
        out.print(f"wenan: {error.args[0]}", style="red", highlight=False)
        return None
