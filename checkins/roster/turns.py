"""The turns of a duty rotation. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from checkins.roster.values import WEEK, Rotation
from checkins.schedule import at_minute, local_date


def in_turn(rotation: Rotation, zone: str, at: datetime) -> tuple[str, ...]:
    """Everybody of the rotation, each once: who has the turn at `at` first, then who comes next. () after its end."""
    ends = end_of(rotation, zone)
    if ends is not None and at >= ends:
        return ()
    start = _turn(rotation, zone, at) % len(rotation.people)
    return tuple(dict.fromkeys(rotation.people[start:] + rotation.people[:start]))


def handovers(rotation: Rotation, zone: str, begin: datetime, until: datetime) -> Iterator[datetime]:
    """The moments in [begin, until) when a turn begins, rising."""
    number = _turn(rotation, zone, begin)
    while (moment := _begins(rotation, zone, number)) < until:
        if moment >= begin:
            yield moment
        number += 1


def without(rotation: Rotation, person_id: str, zone: str, at: datetime) -> Rotation | None:
    """The rotation without somebody: whose turn it is at `at` keeps it, else the next one has it; None: nobody is
    left."""
    turn = _turn(rotation, zone, at)
    start = turn % len(rotation.people)
    order = rotation.people[start:] + rotation.people[:start]
    rest = tuple(each for each in order if each != person_id)
    first = first_day(rotation) + timedelta(days=turn * rotation.days)
    return replace(rotation, people=rest, anchor=first, weekday=first.weekday()) if rest else None


def end_of(rotation: Rotation, zone: str) -> datetime | None:
    """The moment at which the rotation ends, or None."""
    return None if rotation.until is None else at_minute(zone, rotation.until, rotation.minute)


def _turn(rotation: Rotation, zone: str, at: datetime) -> int:
    """The number of the turn at `at`; the first from the anchor on is 0."""
    number = (local_date(zone, at) - first_day(rotation)).days // rotation.days
    return number if _begins(rotation, zone, number) <= at else number - 1


def _begins(rotation: Rotation, zone: str, number: int) -> datetime:
    return at_minute(zone, first_day(rotation) + timedelta(days=number * rotation.days), rotation.minute)


def first_day(rotation: Rotation) -> date:
    """On which the first of its people has the first turn."""
    return rotation.anchor + timedelta(days=(rotation.weekday - rotation.anchor.weekday()) % WEEK)
