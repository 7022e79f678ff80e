"""The report's pictures as PNG (matplotlib, which comes with the tools for tests; no display)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from simulation.measures import Figures

mpl.use("Agg")
from matplotlib import pyplot as plt

SIZE, DPI = (8.0, 4.4), 110
_KINDS = {
    "checkin": ("daily check-in", "#1b6ca8"),
    "confirm": ("elder seen: confirming call", "#7fb069"),
    "emergency": ("elder, in an emergency", "#8e2f2f"),
    "dispatch": ("will you go?", "#c8553d"),
    "finding": ("what did you find?", "#e6a23c"),
    "taken": ("somebody has it", "#8d8d8d"),
}
_WAITS = (
    ("unreached", "three calls missed", "#c8553d"),
    ("emergencies", "cry for help", "#8e2f2f"),
    ("others", "not well, silent, visited by people …", "#1b6ca8"),
)


def draw(figures: Figures, days: int, folder: Path) -> list[tuple[Path, str]]:
    """The pictures and what is seen in them."""
    mpl.rcParams["axes.axisbelow"] = True
    return [
        (_waits(figures, folder), "需要人 → 有人接下 · a person is needed → somebody has accepted"),
        (_hours(figures, days, folder), "每天每小时的电话(全市) · calls by hour, a day, the whole city"),
        (_trouble(figures, folder), "出事 → 有人出发、有人在身边 · in trouble → on the way, there"),
        (_lines(figures, folder), "占用线路 · lines taken, each neighbourhood"),
        (_load(figures, folder), "老伙伴和值班的负担 · load of buddies and of staff"),
    ]


def _figure(columns: int = 1) -> tuple[Any, Any]:
    figure, axes = plt.subplots(1, columns, figsize=SIZE, dpi=DPI, squeeze=False)
    for one in axes[0]:
        one.grid(alpha=0.3)
    return figure, axes[0]


def _saved(figure: Any, path: Path) -> Path:
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
    return path


def _cumulative(axes: Any, seconds: Sequence[int], label: str, colour: str, unit: int) -> None:
    if not seconds:
        return
    ordered = sorted(seconds)
    shares = [(number + 1) / len(ordered) for number in range(len(ordered))]
    axes.step(
        [value / unit for value in ordered], shares, where="post", label=f"{label} ({len(ordered):,})", color=colour
    )


def _waits(figures: Figures, folder: Path) -> Path:
    figure, (axes,) = _figure()
    for name, label, colour in _WAITS:
        _cumulative(axes, getattr(figures, name), label, colour, 60)
    axes.axhline(0.95, color="grey", linestyle="--", linewidth=1)
    axes.set(title="A person is needed → somebody has accepted", xlabel="minutes", ylabel="share of cases")
    axes.set(xscale="symlog", xlim=(0, None), ylim=(0, 1.02))
    axes.set_xticks(
        [0, 1, 2, 5, 10, 30, 60, 180, 720, 2880], ["0", "1", "2", "5", "10", "30", "1 h", "3 h", "12 h", "2 d"]
    )
    axes.legend(loc="lower right")
    return _saved(figure, folder / "waits.png")


def _hours(figures: Figures, days: int, folder: Path) -> Path:
    figure, (axes,) = _figure()
    below = [0.0] * 24
    for kind, (label, colour) in _KINDS.items():
        counts = [figures.calls[f"{kind} {hour}"] / days for hour in range(24)]
        axes.bar(range(24), counts, bottom=below, label=label, color=colour)
        below = [low + count for low, count in zip(below, counts, strict=True)]
    axes.set(
        title="Calls by hour, a day, the whole city", xlabel="hour of the day", ylabel="calls", xticks=range(0, 24, 2)
    )
    axes.legend(loc="upper right")
    return _saved(figure, folder / "hours.png")


def _trouble(figures: Figures, folder: Path) -> Path:
    figure, (axes,) = _figure()
    _cumulative(axes, figures.trouble, "somebody is on the way", "#c8553d", 3600)
    _cumulative(axes, figures.helped, "somebody is there", "#1b6ca8", 3600)
    axes.set(
        title="In trouble at any hour; the line rings once a day",
        xlabel="hours",
        ylabel="share of elders",
        ylim=(0, 1.02),
    )
    if figures.helped:
        axes.legend(loc="lower right")
    else:
        axes.text(0.5, 0.5, "nobody, in these days", ha="center", transform=axes.transAxes, color="grey")
    return _saved(figure, folder / "trouble.png")


def _lines(figures: Figures, folder: Path) -> Path:
    figure, (axes,) = _figure()
    most = max(figures.lines, default=1)
    total = max(1, sum(figures.lines.values()))
    axes.bar(range(1, most + 1), [100 * figures.lines[lines] / total for lines in range(1, most + 1)], color="#1b6ca8")
    axes.set(title="Lines taken, while any is", xlabel="calls at once", ylabel="% of the time")
    axes.xaxis.get_major_locator().set_params(integer=True)
    return _saved(figure, folder / "lines.png")


def _load(figures: Figures, folder: Path) -> Path:
    figure, (buddies, staff) = _figure(2)
    buddies.hist(figures.buddy_tasks, bins=_bins(figures.buddy_tasks), color="#7fb069")
    buddies.set(title="Buddies", xlabel="cases accepted in all the days", ylabel="buddies", yscale="log")
    bins = _bins([*figures.shift_calls, *figures.night_calls])
    for name, label, colour in (("shift_calls", "8:00-21:00", "#e6a23c"), ("night_calls", "21:00-8:00", "#33415c")):
        values = getattr(figures, name)
        staff.hist(values, bins=bins, label=label, color=colour, alpha=0.8)
    staff.set(title="Duty, deputy, street", xlabel="calls to them, a shift", ylabel="shifts of all neighbourhoods")
    staff.legend(loc="upper right")
    return _saved(figure, folder / "load.png")


def _bins(values: Sequence[int]) -> list[int]:
    """About 24 of the same width, from nothing on."""
    most = max(values, default=0)
    width = most // 24 + 1
    return list(range(0, most + width + 1, width))
