"""Moments as a form writes them, in the place's zone: "2026-03-02T09:00"."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_YEARS = (2000, 2200)  # outside these a zone's arithmetic may overflow


def moment(text: str, zone: str) -> datetime | None:
    """None for what is none, or for none that anybody means."""
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if local.tzinfo is not None or not _YEARS[0] <= local.year < _YEARS[1]:
        return None
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def typed(moment: datetime, zone: str) -> str:
    """As the field of a form holds it."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")
