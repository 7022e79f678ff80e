"""Which rungs the ladder has passed, and which of their roles had nobody who may be rung. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from checkins.escalation.policy import Who
from checkins.escalation.scene import Scene
from checkins.escalation.values import Responders, Search
from checkins.rehearsal.values import Kind, Moment


def passed(before: Search | None, after: Search) -> list[int]:
    """The rungs from where it stood (before a search: from the first one) to where it stands now, that one included."""
    if before is None:
        return [*range(after.rung + 1)]
    if before.pass_since == after.pass_since:
        return [*range(before.rung + 1, after.rung + 1)]
    rungs, loop = range(len(after.plan.steps)), after.plan.loop
    again = [*rungs[loop:], *rungs[:loop]]
    return [*rungs[before.rung + 1 :], *again[: again.index(after.rung) + 1]]


def lacking(
    search: Search, rungs: list[int], responders: Responders, now: datetime, working_from: datetime
) -> Iterator[Moment]:
    scene = Scene(search, responders, frozenset(), now, working_from)
    for rung in dict.fromkeys(rungs):
        for role in search.plan.steps[rung].who:
            if not scene.rings(role):
                yield Moment(now, Kind.ASLEEP, rung=rung, role=role)
            elif not _anybody(responders, role):
                yield Moment(now, Kind.LACKS, rung=rung, role=role)


def _anybody(responders: Responders, role: Who) -> bool:
    return any(one.number for one in responders.get(role, ()))
