"""When people meet, as the line says it, and by when they are reminded. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from checkins import away, promises
from checkins.schedule import at_minute, local_date

MOST = 4  # times in one offer: nobody keeps more in mind
LEAD = timedelta(hours=2)  # a time that is nearer can't be chosen any more
AHEAD = timedelta(days=90)  # the line says no year
FROM, UNTIL = 7 * 60, 21 * 60  # when people meet
EVENING = 17 * 60 + 30  # of the day before: somebody is at home, and the calls end at 21:00
OVER = timedelta(hours=2)  # after it began, it is asked what came of it
_DAYS = ("今天", "明天", "后天")
_WEEKDAYS = "一二三四五六天"
_MINUTES: Mapping[int, str] = {0: "", 15: "一刻", 30: "半", 45: "三刻"}


def readable(at: datetime, zone: str) -> bool:
    """Whether the line can say it: it says quarters of an hour."""
    local = at.astimezone(ZoneInfo(zone))
    return local.minute in _MINUTES and not local.second and not local.microsecond


def by_day(at: datetime, zone: str) -> bool:
    """Whether it is an hour at which people meet: 3:00 was meant for 15:00."""
    local = at.astimezone(ZoneInfo(zone))
    return FROM <= local.hour * 60 + local.minute <= UNTIL


def moment(zone: str, at: datetime, now: datetime) -> str:
    """明天,三月三号星期二,下午两点半."""
    local = at.astimezone(ZoneInfo(zone))
    ahead = (local.date() - local_date(zone, now)).days
    near = f"{_DAYS[ahead]}," if 0 <= ahead < len(_DAYS) else ""
    clock = promises.hour(local) + _MINUTES[local.minute]
    return f"{near}{away.spoken(local.date())}星期{_WEEKDAYS[local.weekday()]},{clock}"


def choices(zone: str, times: Mapping[int, datetime], now: datetime) -> str:
    """Each time with its key. A time keeps its key when others have gone."""
    return "".join(f"{moment(zone, at, now)},请按{place + 1};" for place, at in times.items())


def free(times: Mapping[int, datetime], now: datetime) -> dict[int, datetime]:
    """Those that can still be chosen."""
    return {place: at for place, at in times.items() if at >= now + LEAD}


def reminded_at(zone: str, at: datetime, now: datetime) -> datetime | None:
    """The evening before; None: that is over."""
    evening = at_minute(zone, local_date(zone, at) - timedelta(days=1), EVENING)
    return evening if evening > now else None


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
