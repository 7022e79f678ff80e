"""A clock that runs in real time and can jump forward: calls stay real, waits between tries are compressed."""

from __future__ import annotations

import time
from datetime import datetime, timedelta


class JumpClock:
    """Starts at `start` (aware) and runs with the monotonic clock. Only forward, only by `jump_to`."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._begun = time.monotonic()
        self._skipped = timedelta()

    def now(self) -> datetime:
        return self._start + self._skipped + timedelta(seconds=time.monotonic() - self._begun)

    def jump_to(self, when: datetime) -> timedelta:
        """Moves to `when` if that lies ahead; returns how far it jumped."""
        leap = max(when - self.now(), timedelta())
        self._skipped += leap
        return leap
