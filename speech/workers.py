"""Threads that recognise: the most urgent job first, and a thread that hangs is replaced.

Not a ThreadPoolExecutor, for three reasons: answers go before dictation pieces, a hung engine must cost one thread
and not the pool, and it must not keep the process from ending (an executor's threads are joined at exit).
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

NICE = 5  # of the scheduler's −20 … 19; the event loop has 0: about three times the share
LOOK_S = 0.5  # how often running jobs are looked at


def _give_way() -> None:
    """Frames go before recognition where both want the core: this thread is a little less urgent. Linux only, and
    where that is allowed."""
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


@dataclass(order=True)
class Job:
    """`urgency`: lower is sooner; same urgency in the order of arrival. `limit_s`: after so long in `run` it counts
    as hung; then `hung` is called (once, in the watching thread) and the thread is given up."""

    urgency: int
    number: int
    run: Callable[[], None] = field(compare=False)
    hung: Callable[[], None] = field(compare=False)
    limit_s: float = field(compare=False)


@dataclass
class _Running:
    job: Job
    since: float


class Workers:
    """`put` never blocks. Jobs must not raise; what they raise is logged."""

    def __init__(self, count: int) -> None:
        self._jobs: list[Job] = []
        self._numbers = itertools.count()
        self._change = threading.Condition()
        self._running: dict[threading.Thread, _Running] = {}
        self._closed = False
        self._end = threading.Event()
        self._threads = [self._start() for _ in range(count)]
        self._watch = threading.Thread(target=self._look, name="speech-watch", daemon=True)
        self._watch.start()

    def put(self, urgency: int, run: Callable[[], None], hung: Callable[[], None], limit_s: float) -> None:
        with self._change:
            if not self._closed:
                heapq.heappush(self._jobs, Job(urgency, next(self._numbers), run, hung, limit_s))
                self._change.notify_all()

    def close(self, wait_s: float = 2.0) -> None:
        """Waiting jobs are dropped; running ones get `wait_s` to end."""
        with self._change:
            self._closed = True
            self._jobs.clear()
            self._change.notify_all()
        self._end.set()
        until = time.monotonic() + wait_s
        for thread in (*self._threads, self._watch):
            thread.join(max(0.0, until - time.monotonic()))

    def _start(self) -> threading.Thread:
        thread = threading.Thread(target=self._work, name="speech-worker", daemon=True)
        thread.start()
        return thread

    def _work(self) -> None:
        _give_way()
        me = threading.current_thread()
        while True:
            with self._change:
                self._change.wait_for(lambda: self._jobs or self._closed)
                if self._closed:
                    return
                job = heapq.heappop(self._jobs)
                self._running[me] = _Running(job, time.monotonic())
                self._change.notify_all()  # the watch looks from now on
            try:
                job.run()
            except Exception as error:
                log.error("a recognition job failed (%s)", type(error).__name__)
            with self._change:
                if self._running.pop(me, None) is None:
                    return  # counted as hung meanwhile: another thread has this one's place

    def _look(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._running or self._closed)
                if self._closed:
                    return
                lost = self._give_up_hung()
            for job in lost:
                job.hung()
            if self._end.wait(LOOK_S):
                return

    def _give_up_hung(self) -> list[Job]:
        now, lost = time.monotonic(), []
        for thread, running in list(self._running.items()):
            if now - running.since > running.job.limit_s:
                del self._running[thread]
                self._threads.remove(thread)
                self._threads.append(self._start())
                lost.append(running.job)
        return lost
