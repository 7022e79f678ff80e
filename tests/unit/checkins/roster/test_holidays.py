"""Working days and hours: the holidays of 2026, weekends that make up for them, and years nobody knows yet."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import chinese_calendar
import pytest

from checkins.roster.festivals import perhaps_off, statutory
from checkins.roster.holidays import (
    Calendar,
    add_working_hours,
    is_surely_worked,
    is_working_day,
    is_working_time,
    next_working_time,
    unknown_years,
)
from checkins.roster.spans import Minutes
from tests.unit.checkins.roster.street import at

OFFICE = Calendar()
WITH_NOON = Calendar(hours=((8 * 60 + 30, 11 * 60 + 30), (13 * 60 + 30, 17 * 60)))
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 3, 2), True),  # an ordinary Monday
        (date(2026, 3, 7), False),  # an ordinary Saturday
        (date(2026, 2, 16), False),  # New Year's Eve, a Monday
        (date(2026, 2, 14), True),  # the Saturday that makes up for it
        (date(2026, 10, 1), False),
        (date(2026, 10, 10), True),  # makes up for National Day
        (date(2025, 10, 8), False),
    ],
)
def test_the_state_councils_notice(day: date, works: bool) -> None:
    assert is_working_day(OFFICE, day) is works


def test_the_committees_own_table_wins_over_the_notice_and_over_the_weekday() -> None:
    calendar = Calendar(days={date(2026, 10, 1): True, date(2026, 3, 2): False, date(2031, 5, 3): True})
    assert is_working_day(calendar, date(2026, 10, 1))
    assert not is_working_day(calendar, date(2026, 3, 2))
    assert is_working_day(calendar, date(2031, 5, 3))  # a Saturday in a year without notice


def test_without_the_notice_the_days_of_the_law_are_off_and_weekends_not_worked() -> None:
    """2030: New Year on a Tuesday, New Year's Eve of the moon on a Saturday."""
    new_year, spring, may = date(2030, 1, 1), date(2030, 2, 4), date(2030, 5, 2)
    off = [day for day in (new_year, spring, may, date(2030, 6, 5), date(2030, 10, 3)) if is_working_day(OFFICE, day)]
    assert off == []
    assert is_working_day(OFFICE, date(2030, 5, 3))  # perhaps; who must be rung on it is rung
    assert not is_surely_worked(OFFICE, date(2030, 5, 3))
    assert not is_surely_worked(OFFICE, date(2029, 12, 31))  # between a weekend and New Year
    assert is_surely_worked(OFFICE, date(2029, 12, 28))


def test_what_is_promised_in_a_year_nobody_knows_is_never_too_early() -> None:
    """The eve of Spring Festival: nine days later, unless the table says that work begins before."""
    eve = at(date(2030, 2, 1), "16:50")
    assert add_working_hours(OFFICE, eve, HOUR) == at(date(2030, 2, 6), "09:20")
    assert add_working_hours(OFFICE, eve, HOUR, surely=True) == at(date(2030, 2, 11), "09:20")
    back = Calendar(days={date(2030, 2, 7): True})
    assert add_working_hours(back, eve, HOUR, surely=True) == at(date(2030, 2, 7), "09:20")
    whole = Calendar(days={date(2030, 10, 1): False})
    assert add_working_hours(whole, eve, HOUR, surely=True) == at(date(2030, 2, 6), "09:20")


@pytest.mark.parametrize("year", range(2016, 2027))
def test_every_notice_kept_to_the_days_that_may_be_off(year: int) -> None:
    weekdays = {day for day in chinese_calendar.holidays if day.weekday() < 5}
    of_this_year = {day for day in weekdays if day.year == year and (day.month, day.day) < (12, 30)}
    new_year = {day for day in weekdays if date(year - 1, 12, 30) <= day < date(year, 1, 1)}
    assert of_this_year | new_year <= perhaps_off(year)


@pytest.mark.parametrize("year", range(2016, 2041))
def test_the_day_of_the_tombs_is_the_solar_term(year: int) -> None:
    terms = chinese_calendar.get_solar_terms(date(year, 4, 1), date(year, 4, 15))
    assert statutory(year) & {date(year, 4, day) for day in range(1, 16)} == {
        day for day, name in terms if name == "清明"
    }


@pytest.mark.parametrize("year", range(2025, 2027))
def test_the_days_of_the_law_are_in_every_notice(year: int) -> None:
    """Since the law has thirteen."""
    assert statutory(year) <= chinese_calendar.holidays.keys()


def test_a_year_nobody_knows_yet_is_said_once_until_its_first_of_october_is_written_down() -> None:
    span = at(date(2029, 12, 1), "00:00"), at(date(2030, 2, 1), "00:00")
    assert unknown_years(OFFICE, *span) == (2029, 2030)
    assert unknown_years(Calendar(days={date(2030, 10, 1): False}), *span) == (2029,)
    assert unknown_years(OFFICE, at(date(2026, 1, 1), "00:00"), at(date(2026, 12, 31), "23:59")) == ()


def test_a_year_counts_from_its_first_moment_here_not_before() -> None:
    new_year = at(date(2030, 1, 1), "00:00")
    december = at(date(2029, 12, 31), "12:00")
    assert unknown_years(OFFICE, december, new_year) == (2029,)
    assert unknown_years(OFFICE, december, new_year + timedelta(milliseconds=1)) == (2029, 2030)


@pytest.mark.parametrize(
    ("clock", "works"), [("08:29", False), ("08:30", True), ("11:30", False), ("13:30", True), ("17:00", False)]
)
def test_working_time_has_a_break_at_noon(clock: str, works: bool) -> None:
    assert is_working_time(WITH_NOON, at(date(2026, 3, 2), clock)) is works


def test_what_comes_on_the_eve_of_a_long_holiday_waits_for_its_end() -> None:
    eve = at(date(2026, 9, 30), "17:00")
    assert next_working_time(OFFICE, eve) == at(date(2026, 10, 8), "08:30")
    assert next_working_time(OFFICE, at(date(2026, 9, 30), "16:59")) == at(date(2026, 9, 30), "16:59")


def test_two_working_hours_over_noon_over_night_and_over_a_weekend() -> None:
    monday, friday = date(2026, 3, 2), date(2026, 3, 6)
    assert add_working_hours(WITH_NOON, at(monday, "09:00"), 2 * HOUR) == at(monday, "11:00")
    assert add_working_hours(WITH_NOON, at(monday, "11:00"), 2 * HOUR) == at(monday, "15:00")
    assert add_working_hours(WITH_NOON, at(monday, "22:00"), 2 * HOUR) == at(date(2026, 3, 3), "10:30")
    assert add_working_hours(WITH_NOON, at(friday, "16:00"), 2 * HOUR) == at(date(2026, 3, 9), "09:30")


def test_work_that_fills_the_day_is_over_at_its_end_not_on_the_next_morning() -> None:
    monday = date(2026, 3, 2)
    assert add_working_hours(OFFICE, at(monday, "15:00"), 2 * HOUR) == at(monday, "17:00")
    assert add_working_hours(OFFICE, at(monday, "17:00"), 0 * HOUR) == at(date(2026, 3, 3), "08:30")
    with pytest.raises(ValueError, match="added"):
        add_working_hours(OFFICE, at(monday, "15:00"), -HOUR)


def test_a_night_shift_in_a_zone_that_skips_an_hour_works_an_hour_less() -> None:
    night = Calendar("Europe/Berlin", ((60, 5 * 60),), {date(2026, 3, 29): True})
    begin = at(date(2026, 3, 29), "01:00", "Europe/Berlin")
    assert add_working_hours(night, begin, 3 * HOUR) == at(date(2026, 3, 29), "05:00", "Europe/Berlin")


@pytest.mark.parametrize("hours", [(), ((600, 600),), ((600, 500),), ((0, 1441),), ((0, 600), (500, 700))])
def test_hours_that_are_none_are_refused(hours: Minutes) -> None:
    with pytest.raises(ValueError, match="working hours"):
        Calendar(hours=hours)


def test_a_moment_without_zone_is_no_moment() -> None:
    with pytest.raises((ValueError, TypeError)):
        is_working_time(OFFICE, datetime(2026, 3, 2))  # noqa: DTZ001
