"""By when somebody of the committee rings an elder who asks for a person: as a moment, and as the line says it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from checkins.escalation.policy import Who
from checkins.responders import Rosters
from checkins.roster.holidays import Calendar, add_working_hours, is_working_time
from checkins.tables import Checkin

COMMITTEE = (Who.DUTY, Who.DEPUTY)
WORK = timedelta(minutes=30)  # of work, until somebody rings back
SOON = timedelta(minutes=5)  # an elder's call may take so long until a 0

_DAYS = ("今天", "明天", "后天")
_WEEK = 7
_WEEKDAYS = "一二三四五六天"
_HOURS = ("十二", "一", "两", "三", "四", "五", "六", "七", "八", "九", "十", "十一")
_NOON, _EVENING = 12, 18


def promised(calendar: Calendar, now: datetime, work: timedelta = WORK) -> datetime:
    """The full hour (UTC) by which somebody rings whoever asks for a person now: after so much `work`. Never earlier
    than true: days that may turn out to be holidays don't count."""
    return full_hour(calendar, add_working_hours(calendar, now, work, surely=True))


def full_hour(calendar: Calendar, by: datetime) -> datetime:
    """The next full hour (UTC) there: the line says no minutes."""
    local = by.astimezone(ZoneInfo(calendar.zone))
    full = local.replace(minute=0, second=0, microsecond=0)
    return (full if full == local else full + timedelta(hours=1)).astimezone(UTC)


def spoken(calendar: Calendar, now: datetime, by: datetime) -> str:
    """As the line says it: 明天上午九点前."""
    here, there = (moment.astimezone(ZoneInfo(calendar.zone)) for moment in (now, by))
    days = (there.date() - here.date()).days
    if days < len(_DAYS):
        day = _DAYS[days]
    else:
        day = f"星期{_WEEKDAYS[there.weekday()]}" if days < _WEEK else f"{there.month}月{there.day}号"
    return f"{day}{hour(there)}前"


def hour(local: datetime) -> str:
    """下午两点, without the minutes. `local`: in the committee's zone."""
    return f"{_part(local.hour)}{_HOURS[local.hour % len(_HOURS)]}点"


def _part(hour: int) -> str:
    if hour == _NOON:
        return "中午"
    if hour < _NOON:
        return "上午"
    return "下午" if hour < _EVENING else "晚上"


def variables(rosters: Rosters, row: Checkin, now: datetime) -> dict[str, str]:
    """What an elder's flow must know of it. `duty`: somebody may be rung out of the call."""
    calendar = rosters.calendar(row)
    promise = {"promise": spoken(calendar, now, promised(calendar, now))}
    working = is_working_time(calendar, now) or is_working_time(calendar, now + SOON)
    return {**promise, "duty": "1"} if working and rosters.has_duty(row) else promise
