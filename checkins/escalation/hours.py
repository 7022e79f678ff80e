"""When somebody who sleeps, or works, may be rung next. Pure; moments are aware, `zone` is the neighbourhood's."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from checkins.escalation.policy import Hours
from checkins.schedule import at_minute, local_date

_DAY = timedelta(days=1)
_SATURDAY = 5


def awake_from(hours: Hours, zone: str, now: datetime) -> datetime:
    """The first moment from `now` on outside quiet hours."""
    minute = _minute(zone, now)
    if hours.quiet_until <= minute < hours.quiet_from:
        return now
    day = local_date(zone, now)
    return at_minute(zone, day if minute < hours.quiet_until else day + _DAY, hours.quiet_until)


def office_from(hours: Hours, zone: str, now: datetime) -> datetime:
    """The first moment from `now` on in working hours, Monday to Friday: for want of the roster's word."""
    day, minute = local_date(zone, now), _minute(zone, now)
    if day.weekday() < _SATURDAY and hours.office_from <= minute < hours.office_until:
        return now
    if minute >= hours.office_from:
        day += _DAY
    while day.weekday() >= _SATURDAY:
        day += _DAY
    return at_minute(zone, day, hours.office_from)


def elder_awake(hours: Hours, zone: str, now: datetime, minutes: int, least: int = 15) -> tuple[datetime, datetime]:
    """The next span of up to `minutes` outside quiet hours: what is left of the evening if that is `least` or more,
    else the morning's."""
    begins = awake_from(hours, zone, now)
    ends = at_minute(zone, local_date(zone, begins), hours.quiet_from)
    if ends - begins < timedelta(minutes=least):
        begins = awake_from(hours, zone, ends)
        ends = at_minute(zone, local_date(zone, begins), hours.quiet_from)
    return begins, min(begins + timedelta(minutes=minutes), ends)


def _minute(zone: str, now: datetime) -> int:
    local = now.astimezone(ZoneInfo(zone))
    return local.hour * 60 + local.minute
