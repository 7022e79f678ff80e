"""Who is on duty from when to when. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from checkins.roster.gaps import duty_changes
from checkins.roster.holidays import is_working_day
from checkins.roster.resolve import on_duty
from checkins.roster.values import Duty, Roster
from checkins.schedule import at_minute


@dataclass(frozen=True)
class DutySpan:
    begins: datetime
    ends: datetime
    duty: Duty


@dataclass(frozen=True)
class DutyDay:
    """One local day; `spans` fill it."""

    day: date
    working: bool
    spans: tuple[DutySpan, ...]


def duty_spans(roster: Roster, begin: datetime, until: datetime) -> list[DutySpan]:
    """Fills [begin, until); neighbours differ. `roster` must hold all leave and overrides of that time."""
    result: list[DutySpan] = []
    for begins, ends in pairwise(sorted({begin, until, *duty_changes(roster, begin, until)})):
        duty = on_duty(roster, begins)
        if result and result[-1].duty == duty:
            result[-1] = DutySpan(result[-1].begins, ends, duty)
        else:
            result.append(DutySpan(begins, ends, duty))
    return result


def duty_days(roster: Roster, first: date, count: int) -> Iterator[DutyDay]:
    for number in range(count):
        day = first + timedelta(days=number)
        begin, until = (at_minute(roster.zone, day, minute) for minute in (0, 24 * 60))
        yield DutyDay(day, is_working_day(roster.calendar, day), tuple(duty_spans(roster, begin, until)))
