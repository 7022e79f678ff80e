"""When who sleeps may be rung again, in the neighbourhood's own zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from checkins.escalation.hours import awake_from, elder_awake, office_from
from checkins.escalation.policy import Hours
from tests.unit.checkins.escalation.people import at

ZONE, HOURS = "Asia/Shanghai", Hours()


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (at("07:59"), at("08:00")),
        (at("08:00"), at("08:00")),
        (at("20:59"), at("20:59")),
        (at("21:00"), at("08:00", 3)),
        (at("00:00"), at("08:00")),
        (at("23:59", 31), at("08:00", 31).replace(month=4, day=1)),
    ],
)
def test_quiet_hours_end_at_eight(now: datetime, then: datetime) -> None:
    assert awake_from(HOURS, ZONE, now) == then


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (at("08:59"), at("09:00")),
        (at("12:00"), at("12:00")),
        (at("17:00"), at("09:00", 3)),
        (at("17:00", 6), at("09:00", 9)),  # Friday evening
        (at("10:00", 7), at("09:00", 9)),  # Saturday
        (at("07:00", 8), at("09:00", 9)),  # Sunday
    ],
)
def test_the_office_works_from_monday_to_friday(now: datetime, then: datetime) -> None:
    assert office_from(HOURS, ZONE, now) == then


@pytest.mark.parametrize(
    ("now", "begins", "ends"),
    [
        (at("10:00"), at("10:00"), at("12:00")),
        (at("20:00"), at("20:00"), at("21:00")),
        (at("20:45"), at("20:45"), at("21:00")),
        (at("20:46"), at("08:00", 3), at("10:00", 3)),  # too little is left of the evening
        (at("22:00"), at("08:00", 3), at("10:00", 3)),
        (at("05:00"), at("08:00"), at("10:00")),
    ],
)
def test_the_elder_is_rung_to_confirm_when_awake(now: datetime, begins: datetime, ends: datetime) -> None:
    assert elder_awake(HOURS, ZONE, now, 120) == (begins, ends)


def test_a_night_with_a_change_of_summer_time_ends_at_eight_all_the_same() -> None:
    evening = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
    assert awake_from(HOURS, "Europe/Berlin", evening) == datetime(2026, 3, 29, 6, 0, tzinfo=UTC)
