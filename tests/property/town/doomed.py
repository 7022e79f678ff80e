"""A morning on which the process dies at any moment that one chooses."""

from __future__ import annotations

from tests.property.town.day import Day
from tests.property.town.sql_house import SqlHouse
from tests.property.town.values import Weather

# Two are not reached, people don't pick up at once, some news comes twice or never.
BAD_MORNING = Weather(
    seed=7, begins=8 * 60 + 20, hours=1, missing=frozenset(), answers=0.2, helps=0.6, helps_after=0, lost=0.1,
    twice=0.2, late=0, timeouts=0.1, outage=(0, 0), jumps=(), edits=0, crashes=0,
)  # fmt: skip


class Doomed(Day):
    """It is killed at the `moment`-th commit, or with `within` at the `moment`-th write, and started again."""

    def __init__(self, moment: int, *, within: bool = False) -> None:
        super().__init__(BAD_MORNING, SqlHouse)
        assert isinstance(self.house, SqlHouse)
        self.sql = self.house
        self.sql.writes.commits_only = not within
        self.sql.writes.done, self.sql.writes.dies_at = 0, moment
