"""This run beside the last one: which numbers got better or worse. Pure but for reading the last run's rows.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.evaluation.metrics import Row

ROWS = "rows.json"
# Less is better for what begins so; more is better for everything else.
LESS = (*("false_", "wrong_", "own_menu_wrong", "cer", "latency", "rtf", "memory", "distress_miss", "empty", "failed"),)
NOISY = ("latency", "rtf", "memory")  # the machine's load is in them: a quarter up or down means nothing
NOISE = 0.25

Turn = Literal["better", "worse", "same", "new"]
ARROWS = {"better": "▲", "worse": "▼", "same": "=", "new": ""}


@dataclass(frozen=True)
class Change:
    row: Row
    before: float | None
    turn: Turn


def changes(rows: Sequence[Row], before: Sequence[Row]) -> list[Change]:
    """Every row of this run, beside the same row of the last one."""
    known = {row.key: row.value for row in before}
    return [Change(row, known.get(row.key), _turn(row, known.get(row.key))) for row in rows]


def _turn(row: Row, before: float | None) -> Turn:
    if before is None:
        return "new"
    margin = NOISE * abs(before) if row.metric.startswith(NOISY) else 1e-9
    if abs(row.value - before) <= margin:
        return "same"
    return "better" if (row.value < before) == row.metric.startswith(LESS) else "worse"


def last_run(folder: Path, name: str) -> tuple[str, list[Row]]:
    """The newest earlier run in `folder` over a set of the same name, by its folder's name; ("", []) if none."""
    for path in sorted(folder.glob(f"*/{ROWS}"), reverse=True):
        try:
            kept = json.loads(path.read_text("utf-8"))
            if kept["set"] == name:
                return path.parent.name, [Row(**row) for row in kept["rows"]]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # broken off in the middle of writing, or by another version
    return "", []


def save(path: Path, name: str, rows: Sequence[Row]) -> None:
    kept = {"set": name, "rows": [row.as_json() for row in rows]}
    path.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", "utf-8")
