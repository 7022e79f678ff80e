"""Who may be rung for an elder: the roster's answer, kept for as long as nothing in the roster begins or ends."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from checkins.escalation.policy import Who
from checkins.roster import resolve
from checkins.roster.holidays import next_working_time
from checkins.roster.spans import DAY
from checkins.roster.values import VOLUNTEERS_HOURS, Leave, Override, Responder, Roster
from checkins.schedule import at_minute, local_date

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Few:
    """Everybody who may be rung for one elder."""

    people: Mapping[Who, Sequence[Responder]]
    numbers: tuple[tuple[str, str | None], ...]  # of each id

    def busy(self, taken: Callable[[str | None], bool]) -> set[str]:
        """Ids of those whose number is taken."""
        return {who for who, number in self.numbers if taken(number)}


@dataclass(eq=False)
class Whom:
    """Asks checkins.roster once for each elder between two moments at which leave, a turn, a shift or somebody's hours
    begin or end."""

    roster: Roster
    _from: datetime = _LONG_AGO  # what is kept holds from here
    _until: datetime = _LONG_AGO  # until here
    _works: datetime = _LONG_AGO
    _known: dict[tuple[str, bool, bool], Few] = field(default_factory=dict)

    def __post_init__(self) -> None:
        leave = (one for some in self.roster.leave.values() for one in some)
        spans: list[Leave | Override] = [*self.roster.overrides, *leave]
        self._moments = sorted({moment for span in spans for moment in (span.begins, span.ends)})
        self._minutes = sorted(set(_minutes(self.roster)))

    def few(self, elder: str, at: datetime, *, emergency: bool, vital: bool = False) -> Few:
        """resolve.responders, by the names that a policy gives them."""
        self._look(at)
        found = self._known.get((elder, emergency, vital))
        if found is None:
            found = self._known[elder, emergency, vital] = self._ask(elder, at, emergency, vital)
        return found

    def working_from(self, at: datetime) -> datetime:
        """When the office works next: `at` or earlier when it works now."""
        self._look(at)
        return self._works

    def until(self, at: datetime) -> datetime:
        """Nothing of this changes between `at` and then."""
        self._look(at)
        return self._until

    def _ask(self, elder: str, at: datetime, emergency: bool, vital: bool) -> Few:
        found = resolve.responders(self.roster, elder, at, emergency=emergency, vital=vital)
        people = {Who(kind.value): some for kind, some in found.items()}
        return Few(people, tuple({one.id: one.number for some in found.values() for one in some}.items()))

    def _look(self, at: datetime) -> None:
        if self._from <= at < self._until:
            return
        day = local_date(self.roster.zone, at)
        clock = [at_minute(self.roster.zone, day, minute) for minute in self._minutes]
        after = bisect_right(self._moments, at)
        self._from = max([*(moment for moment in clock if moment <= at), *self._moments[:after][-1:]])
        self._until = min([*(moment for moment in clock if moment > at), *self._moments[after : after + 1]])
        self._works = next_working_time(self.roster.calendar, self._from)
        self._known.clear()


def _minutes(roster: Roster) -> Iterator[int]:
    """Clock times at which anything can change."""
    yield from (0, DAY)
    for begins, ends in (*VOLUNTEERS_HOURS, *roster.calendar.hours):
        yield from (begins, ends)
    for shift in (shift for some in roster.shifts.values() for shift in some):
        yield from (shift.begins, shift.ends)
    if roster.rotation is not None:
        yield roster.rotation.minute
