"""What went wrong, one line each, for people who look for the reason: mistakes.tsv beside the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.evaluation.letters import letters
from bench.evaluation.trial import Outcome

COLUMNS = (
    "engine",
    "condition",
    "kind",
    "language",
    "menu",
    "text",
    "expected",
    "taken for",
    "sure",
    "choice",
    "phrase",
)
NUMBERS = ("heard", "confidence", "margin")


def is_mistake(one: Outcome) -> bool:
    """In-menu: chosen wrongly or not taken; off-menu: taken; dictation: any edit."""
    if one.menu == "dictation":
        return letters(one.text) != letters(one.heard)
    return one.accepted if one.expected is None else not (one.right and one.understood)


def write(path: Path, outcomes: Sequence[Outcome]) -> None:
    lines = ["\t".join((*COLUMNS, *NUMBERS)), *(_line(one) for one in outcomes if is_mistake(one))]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _line(one: Outcome) -> str:
    told = (one.engine, one.condition, one.kind, one.language, one.menu, one.text, one.expected, one.meaning)
    found = ("sure" if one.certain else "", one.choice, one.phrase, one.heard, f"{one.confidence:.3f}")
    margin = "" if one.margin is None else f"{one.margin:.2f}"
    return "\t".join(str(field or "").replace("\t", " ") for field in (*told, *found, margin))
