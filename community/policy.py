"""By when a complaint is heard and answered, and what closes it. Pure.

Time counts as the committee's calendar says (checkins.roster.holidays): nothing is due at night or on a holiday.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from checkins import promises
from checkins.roster.holidays import Calendar, add_working_hours, is_surely_worked
from checkins.schedule import at_minute, local_date

LEVEL_ABOVE_AFTER = 2  # answers that didn't solve it
REPLY_CALLS = 3  # that reached nobody: then a person goes there
REOPEN_WITHIN = timedelta(days=30)  # so long a solved complaint can be told of, and reopened, by telephone
RING_BACK = promises.WORK  # who wants to talk about an answer


@dataclass(frozen=True)
class Deadlines:
    """`heard_within`: working hours until somebody of the committee has listened. `answered_within`: working days
    until there is an answer, the day of the call not counted."""

    heard_within: timedelta = timedelta(hours=2)
    answered_within: int = 5

    def heard_by(self, calendar: Calendar, now: datetime) -> datetime:
        """After exactly so much working time; the line says the next full hour (promises.full_hour)."""
        return add_working_hours(calendar, now, self.heard_within, surely=True)

    def answered_by(self, calendar: Calendar, now: datetime) -> datetime:
        """The end of work on that day, rounded down to a full hour: the line says no minutes."""
        day, left = local_date(calendar.zone, now), self.answered_within
        while left > 0:
            day += timedelta(days=1)
            left -= is_surely_worked(calendar, day)
        ends = at_minute(calendar.zone, day, calendar.hours[-1][1]).astimezone(ZoneInfo(calendar.zone))
        return max(ends.replace(minute=0, second=0, microsecond=0).astimezone(UTC), now)


DEFAULT = Deadlines()
