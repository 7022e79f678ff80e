"""Calendar arithmetic in the neighbourhood's zone. Pure; everything returned is UTC.

A clock time of a day is found by asking the zone (never by adding hours to midnight), so that days with a change
of summer time keep their morning at 08:00.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from checkins.policy import Policy


@dataclass(frozen=True)
class Day:
    """The moments of one local day that matter to one case, in UTC."""

    opens: datetime  # no routine call before
    closes: datetime  # nor from here on
    unserved: datetime  # whoever was not served by then becomes a human contact
    ends: datetime  # local midnight


def local_date(zone: str, now: datetime) -> date:
    """The date in `zone` at `now` (aware)."""
    return now.astimezone(ZoneInfo(zone)).date()


def at_minute(zone: str, day: date, minute: int) -> datetime:
    """The moment when clocks in `zone` show `minute` (0..1440) of `day`. A time that clocks skip is the moment just
    after the skip; of a time that comes twice, the first."""
    day, minute = (day + timedelta(days=1), 0) if minute >= 24 * 60 else (day, minute)
    return datetime.combine(day, time(minute // 60, minute % 60), ZoneInfo(zone)).astimezone(UTC)


def day_of(zone: str, day: date, policy: Policy) -> Day:
    return Day(
        opens=at_minute(zone, day, policy.calls_from),
        closes=at_minute(zone, day, policy.calls_until),
        unserved=at_minute(zone, day, policy.unserved_at),
        ends=at_minute(zone, day, 24 * 60),
    )


def read_minute(text: str) -> int:
    """ "08:30" → 510. ValueError for anything else."""
    hours, colon, minutes = text.strip().replace("\uff1a", ":").partition(":")
    if not colon or not (hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2):
        raise ValueError("write a time as 08:30")
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError("write a time between 00:00 and 23:59")
    return int(hours) * 60 + int(minutes)
