"""By when something must be done, in words of a hurried reader. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from checkins.schedule import local_date

_NEAR = timedelta(hours=1)
_DAYS = ("今天", "明天", "后天")


def deadline_zh(now: datetime, due: datetime | None, zone: str) -> str:
    """已过期 2 小时, 还剩 7 分钟, 今天 17:00 前, 12-04 17:00 前; "" for none."""
    if due is None:
        return ""
    if due <= now:
        return f"已过期 {_span(now - due)}"
    if due - now < _NEAR:
        return f"还剩 {_span(due - now)}"
    return f"{moment_zh(now, due, zone)} 前"


def moment_zh(now: datetime, at: datetime, zone: str) -> str:
    """今天 14:00, 明天 09:30, 12-04 10:00."""
    local, ahead = at.astimezone(ZoneInfo(zone)), (local_date(zone, at) - local_date(zone, now)).days
    day = _DAYS[ahead] if 0 <= ahead < len(_DAYS) else f"{local:%m-%d}"
    return f"{day} {local:%H:%M}"


def _span(time: timedelta) -> str:
    if time < timedelta(minutes=1):
        return "不到 1 分钟"
    if time < timedelta(hours=1):
        return f"{time.seconds // 60} 分钟"
    if time < timedelta(days=1):
        return f"{time.seconds // 3600} 小时"
    return f"{time.days} 天"
