"""`make nobody-forgotten`: very many days. Every day has a number; one that breaks a promise is told at once, and
repeated by `--first NUMBER --pure 1`. Exit status 1 when there was one."""

from __future__ import annotations

import argparse
import gc
import logging
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.property.town.day import Day
from tests.property.town.doomed import Doomed
from tests.property.town.sql_house import SqlHouse
from tests.property.town.values import Weather

SQL_HOURS = 4  # of a day on the database; on the pure cores it lasts up to 24 h
TOLD_EVERY = 10_000  # days: where nobody sees the bar, how far it has come
Broken = list[tuple[str, str]]


def pure(seed: int) -> None:
    Day(Weather.of(seed)).live()


def database(seed: int) -> None:
    Day(Weather.of(seed).short(SQL_HOURS), SqlHouse).live()


def between_commits(moment: int) -> None:
    Doomed(moment).live()


def between_writes(moment: int) -> None:
    Doomed(moment, within=True).live()


def several(live: Callable[[int], None], first: int, count: int) -> Broken:
    """Which of these days broke a promise, and which one."""
    logging.disable(logging.CRITICAL)
    gc.set_threshold(100_000)  # a day leaves hardly anything in circles
    broken = []
    for number in range(first, first + count):
        try:
            live(number)
        except Exception as error:
            broken.append((f"{live.__name__} {number}", f"{type(error).__name__}: {error}"))
    return broken


def portions(first: int, count: int, size: int) -> Iterator[tuple[int, int]]:
    for begin in range(first, first + count, size):
        yield begin, min(size, first + count - begin)


def run(live: Callable[[int], None], first: int, count: int, size: int, pool: ProcessPoolExecutor) -> Broken:
    columns = (TextColumn("{task.description:16}"), BarColumn(), MofNCompleteColumn())
    began, broken = time.monotonic(), Broken()
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn()) as progress:
        task = progress.add_task(live.__name__, total=count)
        jobs: dict[Future[Broken], int] = {}
        for begin, portion in portions(first, count, size):
            jobs[pool.submit(several, live, begin, portion)] = portion
        done = 0
        for job in as_completed(jobs):
            broken += job.result()
            tell(progress.console, job.result())
            progress.advance(task, jobs[job])
            done, before = done + jobs[job], done
            if done // TOLD_EVERY > before // TOLD_EVERY and done < count:
                progress.console.print(f"{live.__name__}: {done} of {count} so far, {len(broken)} broke a promise")
    Console().print(f"{live.__name__}: {count} days in {time.monotonic() - began:.0f} s, {len(broken)} broke a promise")
    return broken


def tell(console: Console, broken: Broken) -> None:
    for day, what in broken:
        console.print(f"[red]{day}[/red]: {what}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make nobody-forgotten", description=__doc__)
    parser.add_argument("--pure", type=int, default=100_000, help="days on the pure cores")
    parser.add_argument("--database", type=int, default=1_000, help="days on the database")
    parser.add_argument("--every", type=int, default=1, help="kill at every so-many-th commit and write; 0: at none")
    parser.add_argument("--first", type=int, default=0, help="number of the first day")
    parser.add_argument("--jobs", type=int, default=None, help="processes; as many as there are processors")
    given = parser.parse_args()
    with ProcessPoolExecutor(given.jobs) as pool:
        broken = run(pure, given.first, given.pure, 50, pool) + run(database, given.first, given.database, 2, pool)
        if given.every:
            broken += run(between_commits, 1, Doomed(0).live().sql.writes.done // given.every, 2, pool)
            broken += run(between_writes, 1, Doomed(0, within=True).live().sql.writes.done // given.every, 2, pool)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
