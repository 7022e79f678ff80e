"""The last months of an elder, day by day: whether she was heard, by whom, and who was with her. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from checkins.results import LINE, REASON_ZH, RESULT_ZH, Reason, Result, Status

WEEKS = 13
_MISSED = frozenset({Reason.UNREACHED, Reason.OFF_HOOK, Reason.UNKNOWN, Reason.BUDDY_MISSED})
_BY_REGISTER = "state:"  # how the register says why it closed a case


class Kind(StrEnum):
    WELL = "well"  # said so herself
    OTHER = "other"  # somebody else said so
    PERSON = "person"  # a person closed it
    MISSED = "missed"  # nobody reached her by telephone; a person closed it
    OPEN = "open"
    AHEAD = "ahead"
    NONE = "none"  # no call was due


KIND_ZH: Mapping[Kind, tuple[str, str]] = {
    Kind.WELL: ("本人说好", "said well herself"),
    Kind.OTHER: ("旁人说好", "said by another"),
    Kind.PERSON: ("由人联系", "by a person"),
    Kind.MISSED: ("电话没联系上，由人办结", "missed, closed by a person"),
    Kind.OPEN: ("还没办完", "open"),
    Kind.AHEAD: ("今天还要打", "ahead today"),
}


@dataclass(frozen=True)
class Case:
    """What the plot needs of a case. Personal."""

    id: int
    day: date
    status: Status
    result: Result | None = field(repr=False)
    reason: Reason | None = field(repr=False)
    closed_by: str | None = field(repr=False)
    finding: str | None = field(repr=False)
    tries: int


@dataclass(frozen=True)
class Day:
    """One square. `contacts`: what buddies logged on it."""

    day: date
    kind: Kind
    said: str = field(repr=False)
    contacts: tuple[str, ...] = field(repr=False)
    case: int | None


@dataclass(frozen=True)
class Plot:
    """Weeks from the oldest, each from Monday; the last one ends today."""

    weeks: tuple[tuple[Day, ...], ...]

    @property
    def days(self) -> tuple[Day, ...]:
        return tuple(day for week in self.weeks for day in week)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Those that occur, for the legend."""
        there = {day.kind for day in self.days}
        return tuple(kind for kind in KIND_ZH if kind in there)

    @property
    def contacted(self) -> bool:
        return any(day.contacts for day in self.days)


def first_day(today: date, weeks: int = WEEKS) -> date:
    """The Monday with which the plot begins."""
    return today - timedelta(days=today.weekday() + 7 * (weeks - 1))


def plot(cases: Iterable[Case], contacts: Mapping[date, tuple[str, ...]], today: date, weeks: int = WEEKS) -> Plot:
    known = {case.day: case for case in cases}
    begins = first_day(today, weeks)
    days = [begins + timedelta(days=number) for number in range((today - begins).days + 1)]
    squares = [_day(day, known.get(day), contacts.get(day, ())) for day in days]
    return Plot(tuple(tuple(squares[at : at + 7]) for at in range(0, len(squares), 7)))


def _day(day: date, case: Case | None, contacts: tuple[str, ...]) -> Day:
    if case is None:
        return Day(day, Kind.NONE, "没有安排", contacts, None)
    return Day(day, kind_of(case), _said(case), contacts, case.id)


def kind_of(case: Case) -> Kind:
    if case.status is Status.NEEDS_PERSON:
        return Kind.OPEN
    if case.status is not Status.CLOSED:
        return Kind.AHEAD
    if case.closed_by == LINE:
        return Kind.OTHER if case.result is Result.OTHER_SAYS_WELL else Kind.WELL
    if (case.finding or "").startswith(_BY_REGISTER):
        return Kind.NONE
    return Kind.MISSED if case.reason in _MISSED else Kind.PERSON


def _said(case: Case) -> str:
    kind = kind_of(case)
    if kind is Kind.NONE:
        return "没有安排"
    why = REASON_ZH[case.reason] if case.reason else RESULT_ZH[case.result] if case.result else ""
    who = f"{case.closed_by}：{case.finding}" if kind in (Kind.PERSON, Kind.MISSED) and case.finding else ""
    return "，".join(dict.fromkeys(filter(None, (KIND_ZH[kind][0], why, who))))
