"""By when somebody of the committee takes what is asked for by key 5, and what follows after that. Pure.

The clock counts minutes of work (checkins.roster.holidays): it stands still over lunch, at night and on holidays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from checkins import promises
from checkins.roster.holidays import Calendar, add_working_hours
from community.tickets_tables import TicketStatus

BOOKED_WITHIN = timedelta(hours=1)  # of work, from when somebody has taken it
CALLS = 3  # with a booking, that reached nobody: then a person rings
AGAIN = (timedelta(minutes=15), timedelta(minutes=45))  # after the first call, after the second
LEAD = timedelta(minutes=10)  # before they must know it, a person rings at the latest
STUCK = timedelta(hours=1)  # a call with a booking is due for so long, and wasn't made
KEPT = timedelta(days=7)  # a booking that has no hour closes so long after it was read back

# What may follow on what; every act asks this first.
FOLLOWS: Mapping[str, frozenset[str]] = {
    TicketStatus.INTERRUPTED: frozenset({"waiting", "taken", "booked", "read_back", "closed"}),
    TicketStatus.WAITING: frozenset({"taken", "booked", "read_back", "closed"}),
    TicketStatus.TAKEN: frozenset({"taken", "booked", "read_back", "closed"}),
    TicketStatus.BOOKED: frozenset({"taken", "booked", "read_back", "waiting", "closed"}),
    TicketStatus.READ_BACK: frozenset({"taken", "booked", "read_back", "waiting", "closed"}),
    TicketStatus.CLOSED: frozenset(),
}


@dataclass(frozen=True)
class ReplyClock:
    """`within`: minutes of work until somebody of the committee has it."""

    within: timedelta = timedelta(minutes=10)

    def due(self, calendar: Calendar, now: datetime) -> datetime:
        return add_working_hours(calendar, now, self.within, surely=True)

    def spoken(self, calendar: Calendar, now: datetime) -> str:
        """十分钟以内, or when work begins again: 明天上午十点前."""
        if self.due(calendar, now) == now + self.within:
            return f"{minutes(round(self.within.total_seconds() / 60))}分钟以内"
        return promises.spoken(calendar, now, promises.promised(calendar, now, self.within))


def minutes(number: int) -> str:
    """1 … 99 before 分钟."""
    figures = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    if number == 2:
        return "两"
    return ("" if tens == 0 else "十" if tens == 1 else f"{figures[tens]}十") + (figures[ones] if ones else "")


def again_after(calls: int) -> timedelta:
    """After so many calls that reached nobody."""
    return AGAIN[min(max(calls, 1), len(AGAIN)) - 1]


def last_moment(known_by: datetime | None, due: datetime) -> datetime:
    """When a person must ring instead of the line: shortly before they must know, or when the call is stuck."""
    return due + STUCK if known_by is None else min(known_by - LEAD, due + STUCK)


CLOCK = ReplyClock()
