"""What the recogniser must show (issue 3), as numbers that a run holds or misses. `--limits` makes a miss an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.evaluation.conditions import MAIN
from bench.evaluation.metrics import Row
from bench.evaluation.plan import OFF_MENU

ENGINE = "phrase-scorer"
MIN_OFF_MENU = 1000


@dataclass(frozen=True)
class Limit:
    """`most`: the value may be at most `value`, else it must be at least that."""

    what: str
    kind: str
    metric: str
    value: float
    most: bool = False

    def held(self, row: Row) -> bool:
        return row.value <= self.value if self.most else row.value >= self.value


LIMITS = (
    Limit("meaning of answers of two or more syllables", "answer", "meaning_accuracy_2plus", 0.99),
    Limit("meaning of answers of one syllable", "answer", "meaning_accuracy_1", 0.95),
    Limit("in-menu answers accepted", "answer", "accepted", 0.95),
    Limit("meaning with only a step's own menu open", "answer", "own_menu_accuracy", 0.995),
    Limit('"well" from any other answer', "answer", "false_well", 0, most=True),
    Limit("off-menu speech taken for an answer", OFF_MENU, "false_accept", 0.01, most=True),
    Limit('off-menu speech taken for "well"', OFF_MENU, "false_well", 0, most=True),
    Limit("the same with a step's own menu open", OFF_MENU, "false_accept_own_menu", 0.01, most=True),
    Limit("the same for well", OFF_MENU, "false_well_own_menu", 0, most=True),
    Limit("result after the end of speech, ms", "answer", "latency_ms_p95", 60, most=True),
)


def missed(rows: Sequence[Row], engine: str = ENGINE) -> list[str]:
    """One sentence for each limit that the run misses or did not measure. Too few off-menu trials miss, too."""
    known = {(row.kind, row.metric): row for row in rows if row.engine == engine and row.condition == MAIN}
    found = [_missed(limit, known.get((limit.kind, limit.metric)), engine) for limit in LIMITS]
    return [sentence for sentence in found if sentence]


def _missed(limit: Limit, row: Row | None, engine: str) -> str:
    wanted = f"{'at most' if limit.most else 'at least'} {limit.value:g}"
    if row is None:
        return f"{engine}: {limit.what} ({limit.metric}): not measured, {wanted} is wanted"
    if limit.kind == OFF_MENU and row.n < MIN_OFF_MENU:
        return f"{engine}: {limit.what} ({limit.metric}): only {row.n:g} trials, {MIN_OFF_MENU} are wanted"
    if not limit.held(row):
        return f"{engine}: {limit.what} ({limit.metric}): {row.value:.4g} of {row.n:g}, {wanted} is wanted"
    return ""
