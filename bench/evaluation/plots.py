"""The report's pictures as PNG (matplotlib, no display)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from bench.evaluation.conditions import CONDITIONS, MAIN
from bench.evaluation.metrics import Row
from bench.evaluation.offmenu import COUNTED_APART, PREFIX
from bench.evaluation.trial import Outcome

mpl.use("Agg")
from matplotlib import pyplot as plt

BINS = np.linspace(0, 1, 11)
SIZE, DPI = (7.0, 4.6), 110
COLOURS = {"answers": "#1b6ca8", "off-menu": "#c8553d"}


def draw(outcomes: Sequence[Outcome], rows: Sequence[Row], folder: Path) -> list[Path]:
    """All plots that the outcomes have data for; the files that were written."""
    made = [_conditions(rows, folder)]
    for engine in dict.fromkeys(one.engine for one in outcomes):
        these = [one for one in outcomes if one.engine == engine and one.menu == "answers" and one.condition == MAIN]
        judged = [one for one in these if one.kind not in {PREFIX + name for name in COUNTED_APART}]
        name = engine.replace(":", "_").replace("/", "_")
        made += [_reliability(judged, folder, name), _sweep(judged, folder, name)]
        made.append(_latency([one for one in outcomes if one.engine == engine], folder, name))
    return [path for path in made if path]


def _figure(title: str, x: str, y: str) -> tuple[Any, Any]:
    figure, axes = plt.subplots(figsize=SIZE, dpi=DPI)
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    return figure, axes


def _saved(figure: Any, path: Path) -> Path:
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
    return path


def reliability(outcomes: Sequence[Outcome]) -> list[tuple[float, float, int]]:
    """For each tenth of confidence that occurs: mean confidence, share right, count. Where the engine chose nothing
    there is nothing to be confident of; what it chose from off-menu speech is wrong."""
    chosen = [one for one in outcomes if one.choice is not None]
    confidence = np.array([one.confidence for one in chosen])
    right = np.array([one.right for one in chosen])
    places = np.clip(np.digitize(confidence, BINS) - 1, 0, len(BINS) - 2)
    return [
        (float(confidence[places == at].mean()), float(right[places == at].mean()), int((places == at).sum()))
        for at in range(len(BINS) - 1)
        if (places == at).any()
    ]


def _reliability(outcomes: Sequence[Outcome], folder: Path, engine: str) -> Path | None:
    points = reliability(outcomes)
    if not points:
        return None
    confidence, right, counts = zip(*points, strict=True)
    figure, axes = _figure(f"{engine}: reliability (8 kHz μ-law, answers and off-menu)", "confidence", "share right")
    axes.plot([0, 1], [0, 1], "--", color="grey", linewidth=1, label="calibrated")
    axes.plot(confidence, right, "o-", color=COLOURS["answers"], label="measured")
    for x, y, count in points:
        axes.annotate(str(count), (x, y), textcoords="offset points", xytext=(6, -12), fontsize=8)
    axes.set(xlim=(-0.03, 1.06), ylim=(-0.06, 1.06))
    axes.legend(loc="upper left", title=f"numbers: results ({sum(counts)})")
    return _saved(figure, folder / f"reliability-{engine}.png")


Score = Callable[[Outcome], float]


def _by_margin(one: Outcome) -> float:
    return -np.inf if one.choice is None or one.margin is None else one.margin


def _by_confidence(one: Outcome) -> float:
    return -np.inf if one.choice is None else one.confidence


def _sweep(outcomes: Sequence[Outcome], folder: Path, engine: str) -> Path | None:
    """What a bar on the engine's margin, or on its confidence, would let through."""
    if not any(one.expected and one.choice for one in outcomes) or all(one.expected for one in outcomes):
        return None
    figure, panels = plt.subplots(1, 2, figsize=(2 * SIZE[0] * 0.8, SIZE[1]), dpi=DPI, sharey=True)
    for axes, kind, score in zip(panels, ("margin (nats)", "confidence"), (_by_margin, _by_confidence), strict=True):
        _curves(axes, outcomes, score)
        axes.set(xlabel=f"bar: {kind}", ylim=(-0.02, 1.02))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("share accepted")
    panels[0].legend(loc="lower left", title="that number alone, no other rule", title_fontsize=8)
    figure.suptitle(f"{engine}: what a bar would accept (8 kHz μ-law)")
    return _saved(figure, folder / f"bars-{engine}.png")


def _curves(axes: Any, outcomes: Sequence[Outcome], score: Score) -> None:
    inside = np.array([score(one) for one in outcomes if one.expected])
    off = np.array([score(one) for one in outcomes if not one.expected])
    finite = inside[np.isfinite(inside)]
    if not len(finite):
        return
    low, high = np.percentile(finite, [0, 100])
    bars = np.linspace(float(low) - 0.3 * float(high - low), float(high), 300)
    axes.plot(
        bars, [(inside >= bar).mean() for bar in bars], color=COLOURS["answers"], label=f"answers ({len(inside)})"
    )
    axes.plot(bars, [(off >= bar).mean() for bar in bars], color=COLOURS["off-menu"], label=f"off-menu ({len(off)})")


def _conditions(rows: Sequence[Row], folder: Path) -> Path | None:
    measured = [row for row in rows if row.kind == "answer" and row.metric == "meaning_accuracy"]
    order = [name for name in CONDITIONS if any(row.condition == name for row in measured)]
    if not order:
        return None
    figure, axes = _figure("Answers, all open at once", "condition", "meaning right")
    engines = list(dict.fromkeys(row.engine for row in measured))
    width = 0.8 / len(engines)
    for place, engine in enumerate(engines):
        values = {row.condition: row.value for row in measured if row.engine == engine}
        at = np.arange(len(order)) + (place - (len(engines) - 1) / 2) * width
        bars = axes.bar(at, [values.get(name, np.nan) for name in order], width * 0.92, label=engine)
        axes.bar_label(bars, fmt=lambda value: f"{100 * value:.0f}", fontsize=7)
    axes.set_xticks(range(len(order)), order, rotation=30, ha="right")
    axes.set_ylim(0, 1.12)
    axes.legend(loc="lower left")
    return _saved(figure, folder / "conditions.png")


def _latency(outcomes: Sequence[Outcome], folder: Path, engine: str) -> Path | None:
    spent = [1000 * one.latency_s for one in outcomes if one.fresh and one.seconds and one.menu == "answers"]
    if not spent:
        return None
    figure, axes = _figure(f"{engine}: end of audio → result, {len(spent)} utterances", "ms", "utterances")
    axes.hist(np.clip(spent, 0, np.percentile(spent, 99.5)), bins=40, color=COLOURS["answers"])
    for share in (50, 95):
        value = np.percentile(spent, share)
        axes.axvline(value, color="black", linestyle="--", linewidth=1)
        axes.annotate(f"{share} %: {value:.0f}", (value, 0.95), xycoords=("data", "axes fraction"), fontsize=8)
    return _saved(figure, folder / f"latency-{engine}.png")
