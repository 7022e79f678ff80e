"""What the law says of holidays before the State Council's notice says the rest. Pure.

The law (全国年节及纪念日放假办法, as of 2025) names thirteen days that are off in every year. Which days around them
are off too, and which weekends make up for these, is the notice's to say, each November for the next year. Until then
some weekdays *may* be off: those that notices add by the rules that they follow (a single day with the weekend beside
it, on a Wednesday alone; 1–5 May; eight days of Spring Festival, and one in reserve; 1–8 October).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

# 清明, 春节 (正月初一), 端午, 中秋, by the lunisolar calendar (GB/T 33661): as month and day. The years that notices
# know are here so that tests hold what follows against them.
_MOVABLE = {
    2016: ((4, 4), (2, 8), (6, 9), (9, 15)),
    2017: ((4, 4), (1, 28), (5, 30), (10, 4)),
    2018: ((4, 5), (2, 16), (6, 18), (9, 24)),
    2019: ((4, 5), (2, 5), (6, 7), (9, 13)),
    2020: ((4, 4), (1, 25), (6, 25), (10, 1)),
    2021: ((4, 4), (2, 12), (6, 14), (9, 21)),
    2022: ((4, 5), (2, 1), (6, 3), (9, 10)),
    2023: ((4, 5), (1, 22), (6, 22), (9, 29)),
    2024: ((4, 4), (2, 10), (6, 10), (9, 17)),
    2025: ((4, 4), (1, 29), (5, 31), (10, 6)),
    2026: ((4, 5), (2, 17), (6, 19), (9, 25)),
    2027: ((4, 5), (2, 6), (6, 9), (9, 15)),
    2028: ((4, 4), (1, 26), (5, 28), (10, 3)),
    2029: ((4, 4), (2, 13), (6, 16), (9, 22)),
    2030: ((4, 5), (2, 3), (6, 5), (9, 12)),
    2031: ((4, 5), (1, 23), (6, 24), (10, 1)),
    2032: ((4, 4), (2, 11), (6, 12), (9, 19)),
    2033: ((4, 4), (1, 31), (6, 1), (9, 8)),
    2034: ((4, 5), (2, 19), (6, 20), (9, 27)),
    2035: ((4, 5), (2, 8), (6, 10), (9, 16)),
    2036: ((4, 4), (1, 28), (5, 30), (10, 4)),
    2037: ((4, 4), (2, 15), (6, 18), (9, 24)),
    2038: ((4, 5), (2, 4), (6, 7), (9, 13)),
    2039: ((4, 5), (1, 24), (5, 27), (10, 2)),
    2040: ((4, 4), (2, 12), (6, 14), (9, 20)),
}
# From an only day of holiday, by its weekday, to the weekday that notices join to it: the day between it and the
# weekend, or the Monday after a weekend's.
_JOINED = {1: -1, 3: 1, 5: 2, 6: 1}


@lru_cache(maxsize=64)
def statutory(year: int) -> frozenset[date]:
    """The days of this year that the law makes holidays. After 2040 without those of the moon."""
    fixed = [(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)]
    return frozenset([*(date(year, *each) for each in fixed), *_movable(year)])


@lru_cache(maxsize=64)
def perhaps_off(year: int) -> frozenset[date]:
    """The days that this year's notice may make days off, those of the law among them. The first may lie in the
    December before."""
    single = [date(year, 1, 1), date(year, 5, 1)]
    found = [*_span(date(year, 5, 1), 0, 4), *_span(date(year, 10, 1), 0, 7)]
    if year in _MOVABLE:
        tomb, spring, boat, moon = _dates(year)
        single += [tomb, boat, moon]
        found += _span(spring, -1, 7)
    found += [day + timedelta(days=_JOINED.get(day.weekday(), 0)) for day in single]
    return statutory(year) | frozenset(found)


def _movable(year: int) -> Iterator[date]:
    if year in _MOVABLE:
        tomb, spring, boat, moon = _dates(year)
        yield from (tomb, boat, moon, *_span(spring, -1, 2))


def _dates(year: int) -> list[date]:
    return [date(year, *each) for each in _MOVABLE[year]]


def _span(day: date, first: int, last: int) -> list[date]:
    return [day + timedelta(days=each) for each in range(first, last + 1)]
