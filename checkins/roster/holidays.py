"""Working days and working hours of a committee: China's public holidays, and the weekends that make up for them.

Days come from, best first: the table that the committee keeps; the State Council's yearly notice, as the library
chinesecalendar has it; the days that the law names (checkins.roster.festivals); Monday to Friday. The notice for a year
appears in the November before: until table or library have it, `unknown_years` says so, and a weekday that may turn out
to be off is worked for whoever must be rung now, and not worked for what is promised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

import chinese_calendar

from checkins.roster.festivals import perhaps_off, statutory
from checkins.roster.spans import Minutes, Span, checked, day_spans, within
from checkins.schedule import local_date

OFFICE: Minutes = ((8 * 60 + 30, 17 * 60),)
_NATIONAL_DAY = (10, 1)  # a holiday in every year's notice: who knows it has the notice
_SATURDAY = 5
_DECEMBER = 12


@dataclass(frozen=True)
class Calendar:
    """When a committee works: clock times of a working day, and `days` (date → working day?), which wins over all
    else. ValueError for hours that are none or don't rise."""

    zone: str = "Asia/Shanghai"
    hours: Minutes = OFFICE
    days: Mapping[date, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not checked(self.hours, "working hours"):
            raise ValueError("working hours: give at least one time from and until")


_Worked = Callable[[Calendar, date], bool]


def is_working_day(calendar: Calendar, day: date) -> bool:
    written = calendar.days.get(day)
    return _national(day) if written is None else written


def is_surely_worked(calendar: Calendar, day: date) -> bool:
    """Whether `day` is a working day whatever a notice that is not out yet may say: for what is promised."""
    return is_working_day(calendar, day) and (day in calendar.days or not _may_turn_out_off(calendar, day))


def is_working_time(calendar: Calendar, at: datetime) -> bool:
    """Whether the committee is at work at `at` (aware)."""
    return within(_work_on(calendar, local_date(calendar.zone, at), is_working_day), at)


def next_working_time(calendar: Calendar, at: datetime) -> datetime:
    """`at` itself when the committee is at work then, else the moment when it begins next (UTC)."""
    return next(max(begins, at.astimezone(UTC)) for begins, _ in _work_from(calendar, at, is_working_day))


def add_working_hours(calendar: Calendar, at: datetime, work: timedelta, *, surely: bool = False) -> datetime:
    """The moment (UTC) when `work` has passed at work since `at`; work that fills a day to its end is over at that
    day's end. No work at all: the next working time. `surely`: days that may turn out to be off don't count, so that a
    promise is never too early. ValueError when negative."""
    if work < timedelta(0):
        raise ValueError("working hours can only be added")
    for begins, ends in _work_from(calendar, at, is_surely_worked if surely else is_working_day):
        begins = max(begins, at.astimezone(UTC))
        if not work or work <= ends - begins:
            return begins + work
        work -= ends - begins
    raise AssertionError("unreachable: working days never end")


def unknown_years(calendar: Calendar, begin: datetime, until: datetime) -> tuple[int, ...]:
    """The years in [begin, until) whose holidays neither the library nor the table knows: there, Monday to Friday
    but the law's days are taken for working days. A year counts as known by the table once its 1 October is in it."""
    last_moment = max(begin, until - timedelta(microseconds=1))
    first, last = local_date(calendar.zone, begin).year, local_date(calendar.zone, last_moment).year
    return tuple(year for year in range(first, last + 1) if not is_known(calendar, year))


class Why(StrEnum):
    """Why a day is not what its weekday says."""

    TABLE = "table"
    NOTICE = "notice"
    LAW = "law"
    PERHAPS = "perhaps"  # worked, but the notice, which is not out yet, may make it a day off


@dataclass(frozen=True)
class SpecialDay:
    day: date
    working: bool
    why: Why


def special_days(calendar: Calendar, year: int) -> list[SpecialDay]:
    """The days of this year on which the committee doesn't work though it is a weekday, works on a weekend, or may
    turn out not to work."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    days = (first + timedelta(days=later) for later in range((last - first).days + 1))
    return [SpecialDay(day, is_working_day(calendar, day), why) for day in days if (why := _why(calendar, day))]


def _why(calendar: Calendar, day: date) -> Why | None:
    working = is_working_day(calendar, day)
    if working is (day.weekday() < _SATURDAY):
        return None if not working or is_surely_worked(calendar, day) else Why.PERHAPS
    if day in calendar.days:
        return Why.TABLE
    return Why.NOTICE if _library_knows(day.year) else Why.LAW


def _may_turn_out_off(calendar: Calendar, day: date) -> bool:
    """A year's notice reaches back into the December before."""
    years = (day.year, day.year + 1) if day.month == _DECEMBER else (day.year,)
    return any(day in perhaps_off(year) and not is_known(calendar, year) for year in years)


def is_known(calendar: Calendar, year: int) -> bool:
    """Whether library or table have the year's notice."""
    return _library_knows(year) or date(year, *_NATIONAL_DAY) in calendar.days


@lru_cache(maxsize=64)
def _library_knows(year: int) -> bool:
    return date(year, *_NATIONAL_DAY) in chinese_calendar.holidays


@lru_cache(maxsize=8192)
def _national(day: date) -> bool:
    if _library_knows(day.year):
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < _SATURDAY and day not in statutory(day.year)


def _work_on(calendar: Calendar, day: date, worked: _Worked) -> tuple[Span, ...]:
    return day_spans(calendar.zone, day, calendar.hours) if worked(calendar, day) else ()


def _work_from(calendar: Calendar, at: datetime, worked: _Worked) -> Iterator[Span]:
    """Spans of work that end after `at`, without end."""
    day = local_date(calendar.zone, at)
    while True:
        yield from (span for span in _work_on(calendar, day, worked) if span[1] > at)
        day += timedelta(days=1)
