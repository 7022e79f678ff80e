"""The run as a table on the terminal and as report.md with its plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.evaluation.compare import ARROWS, Change
from bench.evaluation.metrics import Row
from bench.evaluation.plan import MESSAGE, OFF_MENU, RUNNING

STYLES = {"better": "green", "worse": "red", "same": "", "new": ""}
# On the terminal; report.md and rows.json have everything.
SHOWN = {
    "meaning_accuracy_2plus": "≥2 syl",
    "meaning_accuracy_1": "1 syl",
    "accepted": "taken",
    "certain": "sure",
    "wrong_accepted": "wrong",
    "false_accept": "off-menu",
    "false_accept_upper95": "≤",
    "false_well": "as well",
    "false_well_upper95": "≤",
    "own_menu_accuracy": "own",
    "choice_accuracy": "choice",
    "cer": "CER",
    "distress_miss": "missed",
    "distress_miss_upper95": "≤",
    "false_alarms_per_hour": "alarms/h",
    "false_alarms_per_hour_upper95": "≤",
    "latency_ms_p50": "ms",
    "latency_ms_p95": "ms 95 %",
    "rtf": "RTF",
}
COUNTS = ("false_well", "failed")
PLAIN = ("latency", "rtf", "memory", "false_alarms")


@dataclass(frozen=True)
class Run:
    """What the report says of the run itself."""

    title: str
    before: str  # the run it is compared with, "" if none
    notes: tuple[str, ...]  # engines that could not be had, rows that could not be read
    missed: tuple[str, ...] | None  # limits; None: not looked at


def figure(change: Change) -> str:
    """The value as people read it: shares in per cent, the rest in its own unit."""
    metric, value = change.row.metric, change.row.value
    if metric.startswith(COUNTS) and not metric.endswith("_upper95") and value == int(value):
        return f"{value:g}"
    if metric.startswith(PLAIN):
        return f"{value:.3f}" if metric == "rtf" else f"{value:.0f}" if metric.startswith("latency") else f"{value:.1f}"
    return f"{100 * value:.1f} %"


def show(console: Console, changes: Sequence[Change], run: Run) -> None:
    """Engine by engine, a line for each condition, kind and language; what was said, what was made, what it costs."""
    for engine in dict.fromkeys(change.row.engine for change in changes):
        these = [change for change in changes if change.row.engine == engine]
        console.rule(f"{engine}: {_memory(these)}", align="left")
        for said in (True, False):
            lines = [change for change in these if _is_said(change) == said]
            if any(change.row.metric in SHOWN for change in lines):
                console.print(_table(lines))
    console.print("Shares in %. docs/evaluation.md explains every column.", highlight=False)
    for note in run.notes:
        console.print(note, style="yellow", highlight=False, soft_wrap=True)
    if run.before:
        console.print(f"▲ ▼: better or worse than the run {run.before}", highlight=False)
    for sentence in run.missed or ():
        console.print(f"missed: {sentence}", style="bold red", highlight=False, soft_wrap=True)


def _memory(changes: Sequence[Change]) -> str:
    known = {change.row.metric: change.row.value for change in changes}
    return f"+{known.get('memory_mb', 0):.0f} MB, +{known.get('memory_per_stream_mb', 0):.2f} MB a stream"


def _is_said(change: Change) -> bool:
    """Out of the folder, not generated."""
    kind = change.row.kind
    return not kind.startswith(OFF_MENU) and kind not in (MESSAGE, RUNNING)


def _table(changes: Sequence[Change]) -> Table:
    shown = [metric for metric in SHOWN if any(change.row.metric == metric for change in changes)]
    table = Table(box=None, pad_edge=False)
    table.add_column("condition", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    for metric in shown:
        table.add_column(SHOWN[metric], justify="right", no_wrap=True)
    lines: dict[tuple[str, str, str], dict[str, Change]] = {}
    for change in changes:
        row = change.row
        lines.setdefault((row.condition, row.kind, row.language), {})[row.metric] = change
    for (condition, kind, language), cells in lines.items():
        if cells.keys() & set(shown):
            name = kind if language == "zh" else f"{kind}, {language}"
            table.add_row(condition, name, *(_cell(cells.get(metric)) for metric in shown))
    return table


def _cell(change: Change | None) -> str:
    if change is None:
        return ""
    style = STYLES[change.turn]
    arrow = f" {ARROWS[change.turn]}" if change.turn in ("better", "worse") else ""
    text = figure(change).removesuffix(" %") + arrow
    return f"[{style}]{text}[/{style}]" if style else text


# ── report.md ─────────────────────────────────────────────────────────────────────────────────────


def write(path: Path, changes: Sequence[Change], run: Run, plots: Sequence[Path]) -> None:
    parts = [f"# {run.title}", *_summary(changes, run)]
    parts += [f"![{plot.stem}]({plot.name})" for plot in plots]
    for engine in dict.fromkeys(change.row.engine for change in changes):
        parts += [f"## {engine}", _lines([change for change in changes if change.row.engine == engine])]
    path.write_text("\n\n".join(parts) + "\n", "utf-8")


def _summary(changes: Sequence[Change], run: Run) -> list[str]:
    parts = []
    if run.missed is not None:
        held = "All limits are held." if not run.missed else "Missed:\n" + "".join(f"\n- {one}" for one in run.missed)
        parts.append(held)
    if run.before:
        worse = [change for change in changes if change.turn == "worse"]
        lines = "".join(f"\n- {' · '.join(one.row.key)}: {_was(one)}" for one in worse)
        parts.append(
            f"Compared with {run.before}. Worse: {len(worse)}\n{lines}"
            if worse
            else f"Nothing is worse than {run.before}."
        )
    if run.notes:
        parts.append("Left out:\n" + "".join(f"\n- {note}" for note in run.notes))
    return parts


def _was(change: Change) -> str:
    return f"{figure(change)}, was {figure(Change(_with(change), None, 'new'))}"


def _with(change: Change) -> Row:
    return replace(change.row, value=change.before or 0.0)


def _lines(changes: Sequence[Change]) -> str:
    head = "| condition | kind | language | metric | value | n | |\n|---|---|---|---|---:|---:|---|\n"
    order = {MESSAGE: 1, RUNNING: 2, OFF_MENU: 3}
    ranked = sorted(changes, key=lambda change: order.get(change.row.kind, 0 if "/" not in change.row.kind else 4))
    return head + "\n".join(_line(change) for change in ranked)


def _line(change: Change) -> str:
    row = change.row
    mark = f"{ARROWS[change.turn]} {change.turn}" if change.turn in ("better", "worse") else ""
    n = f"{row.n:g}" if row.n == int(row.n) else f"{row.n:.2f}"
    return f"| {row.condition} | {row.kind} | {row.language} | {row.metric} | {figure(change)} | {n} | {mark} |"
