"""Time for tests: stands still unless moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class WarpClock:
    """An aware UTC clock that only moves forward, when told to (by a test, or by a call's line time)."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 3, 2, 0, 30, tzinfo=UTC)  # a Monday, 08:30 in Shanghai

    def now(self) -> datetime:
        return self._now

    def advance_to(self, moment: datetime) -> None:
        """Moves to `moment`; an earlier one changes nothing."""
        if moment.tzinfo is None:
            raise ValueError("naive datetime")
        self._now = max(self._now, moment.astimezone(UTC))

    def advance(self, seconds: float = 0, **more: float) -> None:
        """Moves by so much (`minutes=`, `hours=` too)."""
        self.advance_to(self._now + timedelta(seconds=seconds, **more))
