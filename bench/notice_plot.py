"""A morning with notices beside one without, as a picture: check-ins, who has understood it, and both limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl

from bench.notice_morning import Day
from bench.notices import TICK_MS, at_clock

mpl.use("Agg")
from matplotlib import pyplot as plt

BLUE, ORANGE, RED = "#1b6ca8", "#e6a23c", "#8e2f2f"


def draw(without: Day, with_them: Day, late: Mapping[str, float], tick_s: int, path: Path) -> Path:
    figure, (rung, delay, looks) = plt.subplots(1, 3, figsize=(13, 4.2), dpi=110)
    _steps(rung, without.first_calls().values(), "first check-in, without notices", BLUE, width=5, alpha=0.35)
    _steps(rung, with_them.first_calls().values(), "first check-in, with notices", BLUE)
    _steps(rung, with_them.told, "urgent notice understood by telephone", ORANGE)
    rung.set(title="A morning", xlabel="o'clock", ylabel="elders")
    rung.legend(fontsize=8)
    delay.hist(list(late.values()), bins=40, color=BLUE)
    delay.axvline(tick_s, color=RED, label=f"limit: one look of the cycle, {tick_s} s")
    delay.set(title="Check-ins, later than without notices", xlabel="s", ylabel="elders", yscale="log")
    delay.legend(fontsize=8)
    for name, day, colour in (("without notices", without, BLUE), ("with notices", with_them, ORANGE)):
        looks.ecdf(day.ticks, label=f"cycle, {name}", color=colour)
    looks.ecdf(with_them.rounds, label="rounds of the notices", color=ORANGE, linestyle=":")
    looks.axvline(TICK_MS, color=RED, label="limit")
    looks.set(title="A look takes", xlabel="ms of processor time", xscale="log", ylabel="share of looks")
    looks.legend(fontsize=8)
    for axes in (rung, delay, looks):
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
    return path


def _steps(axes: Any, moments: Any, label: str, colour: str, *, width: float = 1.5, alpha: float = 1.0) -> None:
    hours: Sequence[float] = sorted(at_clock(moment) for moment in _known(moments))
    axes.plot(hours, range(1, len(hours) + 1), label=label, color=colour, linewidth=width, alpha=alpha)


def _known(moments: Any) -> list[datetime]:
    return list(moments)
