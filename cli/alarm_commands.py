"""What the commands `alarms …` do. Each returns an exit status; they work beside a running server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import alarms, fast_clock
from checkins.alarms import Alarm, Kind
from checkins.tables import Neighbourhood
from community.fast_clock import accept as community_accept
from community.policy import Deadlines
from community.tickets_policy import ReplyClock
from console.fast_clock import accept as console_accept
from database_in_use import read, write
from ivr.fast_clock import accept as ivr_accept
from settings import Settings

EXERCISE = "这是一次演练：电话机器人没有出问题。听到、看到的人请按“知道了”。"


async def show_alarms(settings: Settings, out: Console) -> int:
    """What people must see. 0: nothing, or somebody knows of all of it; 3: something that nobody has acknowledged."""
    found, zone = await read(settings, lambda session: (alarms.open_alarms(session), _zone(session)))
    table = Table("id", "what", "since", "over", "known to", "told", "in words")
    for alarm in found:
        table.add_row(*_listed(alarm, zone))
    out.print(table if found else "no alarms")
    return 3 if any(alarm.acknowledged_at is None for alarm in found) else 0


async def acknowledge_alarm(settings: Settings, number: int, by: str, out: Console) -> int:
    """0: `by` knows of it, and it is told no more; 1: there is no such alarm, or somebody was faster; 2: no name."""
    now = datetime.now(UTC)
    try:
        done = await write(settings, lambda session: alarms.acknowledge(session, number, by, now))
    except ValueError as error:
        out.print(f"wenan: --by: {error}", style="red", highlight=False)
        return 2
    if not done:
        out.print(f"wenan: no alarm {number} waits for somebody (`alarms list`)", style="red", highlight=False)
        return 1
    out.print(f"alarm {number}: {by.strip()} knows of it; it is told no more", highlight=False)
    return 0


async def raise_test(settings: Settings, out: Console) -> int:
    """An exercise; open until somebody acknowledges it."""
    now = datetime.now(UTC)
    number = await write(settings, lambda session: alarms.raise_alarm(session, Kind.TEST, EXERCISE, now).id)
    out.print(f"alarm {number} is raised; a running `serve` tells it until somebody acknowledges it", highlight=False)
    return 0


async def accept_clock(settings: Settings, by: str, out: Console) -> int:
    """0; 2 without a name."""
    now = datetime.now(UTC)
    deadlines = Deadlines(timedelta(hours=settings.complaint_heard_hours), settings.complaint_answer_days)
    within = ReplyClock(timedelta(minutes=settings.ticket_minutes))

    def work(session: Session) -> tuple[fast_clock.Accepted, int]:
        done = fast_clock.accept(session, by, now)
        told = ivr_accept(session, now) + community_accept(session, now, deadlines, within)
        return done, told + console_accept(session, now)

    try:
        done, told = await write(settings, work)
    except ValueError as error:
        out.print(f"wenan: --by: {error}", style="red", highlight=False)
        return 2
    out.print(
        f"{done.moments + told} moments lay ahead and count as now; {done.open} cases are looked at again, "
        f"{done.ahead} of days to come are a person's on their day",
        highlight=False,
    )
    return 0


def _listed(alarm: Alarm, zone: ZoneInfo) -> tuple[str, ...]:
    def clock(moment: datetime | None) -> str:
        return moment.astimezone(zone).strftime("%m-%d %H:%M") if moment else ""

    known = f"{alarm.acknowledged_by} {clock(alarm.acknowledged_at)}" if alarm.acknowledged_by else ""
    told = f"{alarm.rounds}×"
    return str(alarm.id), alarm.kind, clock(alarm.raised_at), clock(alarm.over_at), known, told, alarm.text


def _zone(session: Session) -> ZoneInfo:
    first = select(Neighbourhood.timezone).order_by(Neighbourhood.id).limit(1)
    return ZoneInfo(session.scalar(first) or "Asia/Shanghai")
