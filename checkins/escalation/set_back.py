"""A search that was written by a clock that ran fast, by the clock as it is now. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from checkins.escalation.hours import elder_awake
from checkins.escalation.values import Search


def set_back(search: Search, now: datetime) -> Search:
    """What lies ahead of `now` happened now, and what is awaited is awaited from now on. A call that lies ahead is no
    reason to wait with the next one: it is forgotten, so that the search goes on at once."""
    changes = {name: min(moment, now) for name in _MOMENTS if (moment := getattr(search, name)) is not None}
    changed = replace(
        search,
        calls=tuple(call for call in search.calls if call.last <= now),
        untold=tuple(replace(item, since=min(item.since, now)) for item in search.untold),
        **changes,
    )
    if search.finding_due is not None:
        latest = now + timedelta(minutes=search.plan.finding_within)
        changed = replace(changed, finding_due=min(search.finding_due, latest))
    if search.confirm_by is not None and search.found_at is not None and search.found_at > now:
        after, by = elder_awake(search.hours, search.zone, now, search.plan.confirm_within)
        changed = replace(changed, confirm_after=after, confirm_by=by)
    return changed


_MOMENTS = ("since", "pass_since", "round_since", "accepted_at", "found_at", "ended_at")
