"""Tasks over at most two processes, each with the engine in memory. One engine after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from bench.evaluation.trial import Judge, Machine, Outcome, Task
from speech.recogniser import Request

MAX_JOBS = 2
BATCH = 4  # tasks that a process takes at once

Done = tuple[list[Outcome], str]  # what came of one task, and a sentence when its audio could not be had
Run = Callable[[Sequence[Task]], Iterator[Done]]

_judge: Judge | None = None  # in a worker process


@dataclass(frozen=True)
class Crew:
    machine: Machine
    run: Run


@contextmanager
def crew(name: str, models: Path, menus: Mapping[str, Request], jobs: int) -> Iterator[Crew]:
    """The engine in `jobs` processes; 1: in this one. `machine.why` says when it can't be had."""
    if jobs <= 1:
        judge = Judge(name, models, menus)
        yield Crew(judge.machine, lambda tasks: (attempt(judge, task) for task in tasks))
        return
    context = get_context("spawn")
    arguments = (name, models, dict(menus))
    with ProcessPoolExecutor(min(jobs, MAX_JOBS), context, initializer=_start, initargs=arguments) as pool:
        machine = pool.submit(_machine).result()
        yield Crew(machine, lambda tasks: pool.map(_attempt, tasks, chunksize=BATCH))


def attempt(judge: Judge, task: Task) -> Done:
    try:
        return judge.outcomes(task), ""
    except (OSError, RuntimeError, ValueError) as error:  # soundfile's errors are RuntimeErrors
        name = task.recording.file.name if task.recording else task.kind
        return [], f"{name}: can't be read: {error}"


def _start(name: str, models: Path, menus: Mapping[str, Request]) -> None:
    global _judge
    _judge = Judge(name, models, menus)


def _machine() -> Machine:
    assert _judge
    return _judge.machine


def _attempt(task: Task) -> Done:
    assert _judge
    return attempt(_judge, task)
