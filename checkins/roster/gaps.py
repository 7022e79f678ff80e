"""What the roster lacks, found before it hurts. Pure: the answers of `resolve` change only at known moments, so one
look after each of them finds every gap, to the moment.

A gap of duty is every moment without anybody on duty. A gap of buddies is every moment of volunteers' hours at which
nobody may be rung for an elder (who shares with buddies); nights don't end it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from checkins.roster.holidays import unknown_years
from checkins.roster.resolve import buddies_for, line_up, on_duty
from checkins.roster.spans import Minutes, Span, clipped, day_spans, days
from checkins.roster.turns import end_of, handovers
from checkins.roster.values import VOLUNTEERS_HOURS, Kind, Override, Pair, Roster
from checkins.schedule import at_minute

YEAR_AHEAD = timedelta(days=31)  # so long before it begins a year's holidays should be known


class GapKind(StrEnum):
    NO_DUTY = "no_duty"
    NO_BUDDY = "no_buddy"
    NO_NUMBER = "no_number"  # somebody whom the roster names can't be rung
    GONE = "gone"  # somebody whom the roster names has moved, died or refused calls
    ROTATION_ENDS = "rotation_ends"
    YEAR_UNKNOWN = "year_unknown"  # its holidays are not known but for those of the law


@dataclass(frozen=True)
class Gap:
    """Something that nobody covers in [begins, ends). `who`: the ids that it is about, sorted (elders, or people
    without a number). Sentences: checkins.roster.sentences."""

    kind: GapKind
    begins: datetime
    ends: datetime
    who: tuple[str, ...] = ()


def gaps(roster: Roster, begin: datetime, until: datetime) -> list[Gap]:
    """Every gap in [begin, until), the earliest first. `roster` must hold all leave and overrides of that time."""
    begin, until = begin.astimezone(UTC), until.astimezone(UTC)
    if begin >= until:
        return []
    found = [*_duty(roster, begin, until), *_buddies(roster, begin, until), *_numbers(roster, begin, until)]
    found += [*_rotation_end(roster, begin, until), *_years(roster, begin, until)]
    return sorted(found, key=lambda gap: (gap.begins, gap.kind, gap.ends, gap.who))


def shown_ahead(roster: Roster, now: datetime, ahead: timedelta) -> list[Gap]:
    """What staff are shown: every gap in [now, now + ahead), and years without holidays a month before they begin: the
    notice is out by then, and writing it down takes somebody an hour."""
    found = [gap for gap in gaps(roster, now, now + ahead) if gap.kind is not GapKind.YEAR_UNKNOWN]
    return [*found, *_years(roster, now.astimezone(UTC), now.astimezone(UTC) + max(ahead, YEAR_AHEAD))]


def duty_changes(roster: Roster, begin: datetime, until: datetime) -> set[datetime]:
    """The moments in [begin, until), `begin` among them, at which it may change who is on duty."""
    moments = {begin, *_away(roster, roster.people, begin, until), *_standing_in(roster.overrides, begin, until)}
    if roster.rotation is not None:
        moments |= {*handovers(roster.rotation, roster.zone, begin, until)}
        moments |= _inside((end_of(roster.rotation, roster.zone),), begin, until)
    return moments


def _duty(roster: Roster, begin: datetime, until: datetime) -> Iterator[Gap]:
    moments = duty_changes(roster, begin, until)
    for begins, ends in _empty(moments, [(begin, until)], lambda at: on_duty(roster, at).first is None):
        yield Gap(GapKind.NO_DUTY, begins, ends)


def _buddies(roster: Roster, begin: datetime, until: datetime) -> Iterator[Gap]:
    """Elders who have the same people, the same wishes and no override of their own lack them at the same time."""
    hours = _each_day(roster, VOLUNTEERS_HOURS, begin, until)
    alike: dict[object, list[str]] = defaultdict(list)
    for elder_id, elder in roster.elders.items():
        if Kind.BUDDY in elder.shares:
            alike[_situation(roster, elder_id)].append(elder_id)
    together: dict[Span, list[str]] = defaultdict(list)
    for elders in alike.values():
        for span in _without_buddy(roster, elders[0], hours, begin, until):
            together[span] += elders
    for (begins, ends), who in together.items():
        last = until if ends == hours[-1][1] else ends
        yield Gap(GapKind.NO_BUDDY, begins, last, tuple(sorted(who)))


def _situation(roster: Roster, elder_id: str) -> tuple[tuple[str, ...], tuple[Override, ...]]:
    return line_up(roster, elder_id), tuple(each for each in roster.overrides if each.elder_id == elder_id)


def _without_buddy(
    roster: Roster, elder_id: str, hours: Sequence[Span], begin: datetime, until: datetime
) -> Iterator[Span]:
    overrides = [each for each in roster.overrides if each.elder_id in (None, elder_id)]
    concerned = {*line_up(roster, elder_id), *(each.person_id for each in overrides)}
    moments = {*_away(roster, concerned, begin, until), *_standing_in(overrides, begin, until)}
    for shift in {shift for person_id in concerned for shift in roster.shifts.get(person_id, ())}:
        spans = _each_day(roster, ((shift.begins, shift.ends),), begin, until, shift.weekday)
        moments |= _inside((moment for span in spans for moment in span), begin, until)
    return _empty(moments, hours, lambda at: not buddies_for(roster, elder_id, at))


def _empty(moments: Iterable[datetime], spans: Sequence[Span], lacks: Callable[[datetime], bool]) -> Iterator[Span]:
    """The parts of `spans` in which `lacks` is true, when it changes at `moments` only. A part that reaches the end of
    a span and goes on with the next one is one."""
    pieces = (piece for span in spans for piece in _cut(span, moments))
    opened, closed = None, None
    for begins, ends in pieces:
        if lacks(begins):
            opened, closed = opened or begins, ends
        elif opened and closed:
            yield opened, closed
            opened = closed = None
    if opened and closed:
        yield opened, closed


def _cut(span: Span, moments: Iterable[datetime]) -> Iterator[Span]:
    edges = sorted({*span, *(moment for moment in moments if span[0] < moment < span[1])})
    return pairwise(edges)


def _away(roster: Roster, people: Iterable[str], begin: datetime, until: datetime) -> set[datetime]:
    leaves = (leave for person_id in people for leave in roster.leave.get(person_id, ()))
    return _inside((moment for leave in leaves for moment in (leave.begins, leave.ends)), begin, until)


def _standing_in(overrides: Iterable[Override], begin: datetime, until: datetime) -> set[datetime]:
    return _inside((moment for each in overrides for moment in (each.begins, each.ends)), begin, until)


def _inside(moments: Iterable[datetime | None], begin: datetime, until: datetime) -> set[datetime]:
    return {moment.astimezone(UTC) for moment in moments if moment is not None and begin <= moment < until}


def _each_day(
    roster: Roster, minutes: Minutes, begin: datetime, until: datetime, weekday: int | None = None
) -> list[Span]:
    wanted = (day for day in days(roster.zone, begin, until) if weekday in (None, day.weekday()))
    return clipped((span for day in wanted for span in day_spans(roster.zone, day, minutes)), begin, until)


def _numbers(roster: Roster, begin: datetime, until: datetime) -> Iterator[Gap]:
    named = _named(roster)
    for person_id in sorted(named & roster.gone.keys()):
        yield Gap(GapKind.GONE, begin, until, (person_id,))
    people = (roster.people[person_id] for person_id in sorted(named & roster.people.keys()))
    for person in people:
        if person.number is None:
            yield Gap(GapKind.NO_NUMBER, begin, until, (person.id,))


def _named(roster: Roster) -> set[str]:
    """Ids of everybody whom the roster would have rung."""
    named = {person_id for elder_id in roster.elders for person_id in _named_for(roster, elder_id)}
    named |= {*roster.substitutes, *(each.person_id for each in roster.overrides)}
    return named | {*(() if roster.rotation is None else roster.rotation.people), roster.deputy_id or ""}


def _named_for(roster: Roster, elder_id: str) -> Iterator[str]:
    pairs: tuple[Pair, ...] = roster.pairs.get(elder_id, ())
    for pair in pairs:
        yield pair.buddy_id
        yield from pair.substitutes
    yield from roster.family.get(elder_id, ())


def _rotation_end(roster: Roster, begin: datetime, until: datetime) -> Iterator[Gap]:
    ends = None if roster.rotation is None else end_of(roster.rotation, roster.zone)
    if ends is not None and ends < until:
        yield Gap(GapKind.ROTATION_ENDS, max(ends, begin), until)


def _years(roster: Roster, begin: datetime, until: datetime) -> Iterator[Gap]:
    for year in unknown_years(roster.calendar, begin, until):
        starts, ends = (at_minute(roster.calendar.zone, date(each, 1, 1), 0) for each in (year, year + 1))
        yield Gap(GapKind.YEAR_UNKNOWN, max(starts, begin), min(ends, until))
