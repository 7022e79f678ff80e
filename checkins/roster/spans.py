"""Spans of time: clock times of a local day as moments, and what changes when. Pure; everything returned is UTC.

A span is half open: its first moment belongs to it, its last one does not. Clock times are minutes of the local day
(0 to 1440) and are looked up in the zone, so an hour that clocks skip or repeat is counted as it really passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache

from checkins.schedule import at_minute, local_date

Span = tuple[datetime, datetime]
Minutes = tuple[tuple[int, int], ...]  # clock times from, until
DAY = 24 * 60


def checked(minutes: Minutes, what: str) -> Minutes:
    """`minutes` when each pair rises within one day and none overlaps the next; else ValueError naming `what`."""
    last = 0
    for begins, ends in minutes:
        if not last <= begins < ends <= DAY:
            raise ValueError(f"{what}: times must rise within one day, from 00:00 to 24:00, and not overlap")
        last = ends
    return minutes


@lru_cache(maxsize=8192)
def day_spans(zone: str, day: date, minutes: Minutes) -> tuple[Span, ...]:
    """The moments of `minutes` on `day`, joined where the zone makes them overlap."""
    spans = ((at_minute(zone, day, begins), at_minute(zone, day, ends)) for begins, ends in minutes)
    return tuple(joined(span for span in spans if span[0] < span[1]))


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that touch or overlap made one."""
    result: list[Span] = []
    for begins, ends in sorted(spans):
        if result and begins <= result[-1][1]:
            result[-1] = (result[-1][0], max(ends, result[-1][1]))
        else:
            result.append((begins, ends))
    return result


def within(spans: Iterable[Span], at: datetime) -> bool:
    return any(begins <= at < ends for begins, ends in spans)


def clipped(spans: Iterable[Span], begin: datetime, until: datetime) -> list[Span]:
    """The parts of `spans` that lie in [begin, until)."""
    parts = ((max(begins, begin), min(ends, until)) for begins, ends in spans)
    return [part for part in parts if part[0] < part[1]]


def days(zone: str, begin: datetime, until: datetime) -> Iterator[date]:
    """The local dates that [begin, until] touches, and one on either side (a day may be skipped or repeated)."""
    day, last = local_date(zone, begin) - timedelta(days=1), local_date(zone, until) + timedelta(days=1)
    while day <= last:
        yield day
        day += timedelta(days=1)
