"""When an alarm is told, and how often. Pure: values in, an action out.

| alarm | told every | rung |
|---|---|---|
| most | 10 min | at once, and every 30 min from then on |
| late elders | 10 min | from the second round on: the cycle mostly catches up |
| disk | 60 min | never: nobody is hurt tonight |
| overdue items | 60 min | once, at work |
| overdue tickets | 10 min, at work only | once, in the second round |
| roster gap | once, in the evening | never |

All of it ends with a name; when the condition is over before that, everybody who was told hears so once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from checkins.alarms import Kind

_RETRIES = tuple(timedelta(minutes=minutes) for minutes in (1, 1, 2, 5, 10))


@dataclass(frozen=True)
class Rhythm:
    """`every` None: told once. `call_from`: the first round that rings people; None: no round does."""

    every: timedelta | None = timedelta(minutes=10)
    call_from: int | None = 1
    call_each: int = 3  # every so many rounds from then on
    all_clear: bool = True

    def rings(self, round_: int) -> bool:
        first = self.call_from
        return first is not None and round_ >= first and (round_ - first) % self.call_each == 0


_NEVER = 1_000_000  # rounds: staff have evenings
_USUAL = Rhythm()
_RHYTHMS: Mapping[str, Rhythm] = {
    Kind.LATE: Rhythm(call_from=2),
    Kind.DISK: Rhythm(every=timedelta(minutes=60), call_from=None),
    Kind.ITEM_OVERDUE: Rhythm(every=timedelta(minutes=60), call_each=_NEVER),
    # Over in the evening, and raised anew in the morning: no word that it was seen to.
    Kind.TICKET_OVERDUE: Rhythm(call_from=2, call_each=_NEVER, all_clear=False),
    Kind.ROSTER_GAP: Rhythm(every=None, call_from=None, all_clear=False),
    Kind.EMERGENCY_UNWRITTEN: Rhythm(all_clear=False),
    Kind.CRIED: Rhythm(every=timedelta(minutes=15), call_each=1, all_clear=False),  # three people, 5 min apart
    Kind.TEST: Rhythm(all_clear=False),
}


def rhythm(kind: str) -> Rhythm:
    return _RHYTHMS.get(kind, _USUAL)


@dataclass(frozen=True)
class Told:
    """How far an alarm has been told. `next_at` None: nothing is to be said."""

    kind: str
    next_at: datetime | None
    rounds: int
    acknowledged: bool
    over: bool


@dataclass(frozen=True)
class Quiet:
    """Nothing to say now."""


@dataclass(frozen=True)
class Tell:
    """Say it on every way; with `call` people are rung, too. `next_at`: when again."""

    round: int
    call: bool
    next_at: datetime | None


@dataclass(frozen=True)
class AllClear:
    """Say, once, that it is over."""


def decide(told: Told, now: datetime) -> Quiet | Tell | AllClear:
    """What is to be said of an alarm at `now`."""
    own = rhythm(told.kind)
    if not is_due(told.next_at, now, own.every or timedelta(hours=1)):
        return Quiet()
    if told.over:
        return AllClear()
    if told.acknowledged:
        return Quiet()
    round_ = told.rounds + 1
    return Tell(round_, own.rings(round_), None if own.every is None else now + own.every)


def is_due(moment: datetime | None, now: datetime, longest: timedelta) -> bool:
    """Whether `moment` has come. One that lies further ahead than it ever may was written before the clock went back:
    it counts as now, else an alarm would sleep for as long as the clock is wrong."""
    return moment is not None and not now < moment <= now + longest


def retry_after(tries: int) -> timedelta:
    """How long after so many failed tries a way is tried again."""
    return _RETRIES[min(tries, len(_RETRIES)) - 1]
