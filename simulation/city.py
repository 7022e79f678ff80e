"""A city: its neighbourhoods one beside the other, as many at a time as there are processors."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from simulation.measures import Figures
from simulation.neighbourhood import Job, Outage, simulate
from simulation.people import Size
from simulation.rates import Rates

_LOOK_EVERY_S = 0.2


@dataclass(frozen=True)
class City:
    """`elders` in neighbourhoods of at most `together`."""

    elders: int
    days: int
    seed: int = 1
    begin: date = date(2026, 3, 2)
    together: int = 1000
    lines: int | None = None  # of each neighbourhood's trunk
    rates: Rates = field(default_factory=Rates)
    outages: tuple[Outage, ...] = ()

    def jobs(self) -> list[Job]:
        """Of sizes as equal as can be."""
        places = -(-self.elders // self.together)
        sizes = [self.elders // places + (number < self.elders % places) for number in range(places)]
        return [
            Job(number, str(self.seed), Size(size, self.begin, self.days), self.rates, self.lines, self.outages)
            for number, size in enumerate(sizes)
        ]


def live(city: City, processes: int, done: Callable[[int], None] = lambda _elder_days: None) -> Figures:
    """The whole city's figures; `done` hears of elder-days as they pass. The same city gives the same figures, however
    many processes there are."""
    jobs, total = city.jobs(), Figures()
    if min(processes, len(jobs)) <= 1:
        for job in jobs:
            total.add(simulate(job, done))
        return total
    with _processes(min(processes, len(jobs))) as (pool, news):
        futures = [pool.submit(_one, job) for job in jobs]
        _follow(futures, news, done)
        for future in futures:
            total.add(future.result())
    return total


@contextmanager
def _processes(number: int) -> Iterator[tuple[ProcessPoolExecutor, Any]]:
    context = multiprocessing.get_context("spawn")
    news = context.Queue()
    pool = ProcessPoolExecutor(number, mp_context=context, initializer=_listen, initargs=(news,))
    try:
        yield pool, news
    finally:
        pool.shutdown(cancel_futures=True)


def _follow(futures: list[Future[Figures]], news: Any, done: Callable[[int], None]) -> None:
    """Until all are done, or one has failed: then at once, with its error."""
    waiting = set(futures)
    while waiting:
        for future in [future for future in waiting if future.done()]:
            future.result()
            waiting.remove(future)
        try:
            done(news.get(timeout=_LOOK_EVERY_S))
        except queue.Empty:
            continue


_news: Any = None  # of this process, set when it begins


def _listen(news: Any) -> None:
    global _news
    _news = news


def _one(job: Job) -> Figures:
    return simulate(job, _news.put)
