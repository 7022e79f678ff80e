"""Who has which case's recording open, so that two people don't do the same work. In memory: it is over when the page
is closed, and a restart forgets it."""

from __future__ import annotations

from datetime import datetime, timedelta

KEPT = timedelta(seconds=40)  # a page says every 15 s that it is open


class Presence:
    def __init__(self) -> None:
        self._open: dict[int, dict[str, datetime]] = {}

    def here(self, case: int, who: str, now: datetime) -> bool:
        """`who` has it open; whether that is news to others."""
        known = self._alive(case, now)
        self._open[case] = {**known, who: now}
        return who not in known

    def gone(self, case: int, who: str) -> None:
        self._open.get(case, {}).pop(who, None)

    def others(self, case: int, who: str, now: datetime) -> list[str]:
        """Everybody else who has it open, by name."""
        return sorted(one for one in self._alive(case, now) if one != who)

    def _alive(self, case: int, now: datetime) -> dict[str, datetime]:
        alive = {who: at for who, at in self._open.get(case, {}).items() if timedelta(0) <= now - at <= KEPT}
        if not alive:
            self._open.pop(case, None)
        return alive
