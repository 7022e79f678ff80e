"""`simulate`: a city is made, lived through with a progress bar, told in a table and a page."""

from __future__ import annotations

import importlib.util
import os
import resource
import time
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from checkins.schedule import read_minute
from simulation import report
from simulation.city import City, live
from simulation.measures import Figures
from simulation.neighbourhood import Outage

_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TimeRemainingColumn(),
)


def run(city: City, folder: Path | None, processes: int, out: Console) -> int:
    """0: every case of every elder was closed and no rule was broken; else 1."""
    began = time.monotonic()
    figures = _live(city, processes, out)
    found = report.lines(city, figures, time.monotonic() - began)
    report.show(found, out)
    out.print(f"memory: {_megabytes()} MB in the largest process", highlight=False)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        page = report.write(found, _pictures(figures, city, folder, out), folder)
        out.print(f"report: {page}", highlight=False)
    return 0 if figures.good else 1


def _live(city: City, processes: int, out: Console) -> Figures:
    with Progress(*_COLUMNS, console=out) as progress:
        task = progress.add_task("老人·天 elder-days", total=city.elders * city.days)
        figures = live(city, processes, lambda elder_days: progress.advance(task, elder_days))
        progress.update(task, completed=city.elders * city.days)  # the last words may come late
        return figures


def _pictures(figures: Figures, city: City, folder: Path, out: Console) -> list[tuple[Path, str]]:
    if importlib.util.find_spec("matplotlib") is None:
        out.print("no pictures: matplotlib isn't installed (`make setup-dev` brings it)")
        return []
    from simulation.plots import draw

    return draw(figures, city.days, folder)


def read_outages(texts: Iterable[str]) -> tuple[Outage, ...]:
    """ "09:00-10:00": every day; "2 09:00-10:00": on the second. ValueError for anything else."""
    return tuple(_outage(text) for text in texts)


def _outage(text: str) -> Outage:
    day, _, span = text.strip().rpartition(" ")
    begins, dash, ends = span.partition("-")
    if not dash or (day and not day.strip().isdecimal()):
        raise ValueError('write an outage as "09:00-10:00", or "2 09:00-10:00" for the second day')
    outage = Outage(read_minute(begins), read_minute(ends), int(day) if day else None)
    if outage.begins >= outage.ends:
        raise ValueError("an outage must end after it begins, on the same day")
    return outage


def processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0))


def _megabytes() -> int:
    usage = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return int(max(usage) // 1024)
