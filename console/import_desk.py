"""Spreadsheets on their way into the register: judged and written by a process of their own, one at a time; whoever
sent one looks at what it comes to, row by row, and says that it is to be done.

A file lies in a folder that only this program's user may read, until it is written, taken back, or half an hour old;
what a killed process left is gone when the next one begins.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from checkins.ports import Clock
from community.register_lines import Kind
from community.register_trial import Order, Result

log = logging.getLogger(__name__)

WITHIN_S = 300.0  # then the process is ended
KEPT = timedelta(minutes=30)
MOST_JOBS = 6  # files at once, of up to 20 MB each
PAGE = 50
_FOLDER = "import-"
ROOT = Path(__file__).parents[1]
_OPTIONS = ("place_id", "roster", "update", "source", "on")

StillMay = Callable[[], Coroutine[Any, Any, bool]]


class State(StrEnum):
    WAITING = "waiting"  # another file is being looked at
    WORKING = "working"
    JUDGED = "judged"
    WRITTEN = "written"
    FAILED = "failed"


class FullError(Exception):
    """Too many files at once."""


@dataclass
class Job:
    """`account`: whose it is, nobody else sees it. `hash`: of the file and of what was said about it."""

    id: str
    account: int
    order: Order
    hash: str
    size: int
    at: datetime
    state: State = State.WAITING
    step: str = ""
    done: int = 0
    of: int = 0
    result: Result | None = None

    @property
    def busy(self) -> bool:
        return self.state in (State.WAITING, State.WORKING)

    @property
    def writes(self) -> bool:
        return bool(self.order.since)

    def may_be_written(self) -> bool:
        """Nothing is wrong, and it would bring something."""
        found = self.result
        if self.state is not State.JUDGED or found is None or found.counts.get(Kind.WRONG):
            return False
        return bool(found.counts.get(Kind.NEW) or found.counts.get(Kind.CHANGED) or found.lists)


class ImportDesk:
    """`folder`: where files lie meanwhile."""

    def __init__(self, url: str, clock: Clock, folder: Path) -> None:
        self._url, self._clock, self._folder = url, clock, folder
        _sweep(folder)
        self._jobs: dict[str, Job] = {}
        self._one = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, account: int) -> list[Job]:
        """Theirs, the newest first."""
        self._forget()
        return sorted((job for job in self._jobs.values() if job.account == account), key=lambda job: job.at)[::-1]

    def find(self, job_id: str, account: int) -> Job | None:
        self._forget()
        job = self._jobs.get(job_id)
        return job if job is not None and job.account == account else None

    def take(self, account: int, raw: bytes, order: Order) -> Job:
        """Begins a dry run; what else they had waiting is taken back. FullError. Blocking: writes the file."""
        self._forget()
        for old in self.of(account):
            if not old.busy:
                self.drop(old)
        if len(self._jobs) >= MOST_JOBS:
            raise FullError
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=_FOLDER, dir=self._folder)
        path = Path(folder, "file")
        path.write_bytes(raw)
        order = replace(order, url=self._url, path=str(path), folder=folder, since="")
        job = Job(secrets.token_urlsafe(12), account, order, "", len(raw), self._clock.now())
        job.hash = _hash(raw, order)
        self._jobs[job.id] = job
        return job

    def begin(self, job: Job, still_may: StillMay) -> None:
        """Judges (or, when its order says since when, writes) it behind everybody's back. `still_may`: whether who
        asked may do so when its turn has come."""
        job.state, job.step, job.done, job.of = State.WAITING, "", 0, 0
        task = asyncio.ensure_future(self._work(job, still_may))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def agree(self, job: Job, update: bool, *, write: bool) -> None:
        """To what the dry run said (`write`), or to another one with `update`."""
        mark = job.result.mark if write and job.result else ""
        job.order = replace(job.order, update=update, since=mark, now=self._clock.now().isoformat())
        job.hash = _hash(Path(job.order.path).read_bytes(), job.order)
        job.at = self._clock.now()

    def drop(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        shutil.rmtree(job.order.folder, ignore_errors=True)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for job in list(self._jobs.values()):
            self.drop(job)

    def _forget(self) -> None:
        now = self._clock.now()
        for job in [one for one in self._jobs.values() if not one.busy and not timedelta(0) <= now - one.at < KEPT]:
            self.drop(job)

    async def _work(self, job: Job, still_may: StillMay) -> None:
        try:
            async with self._one:
                if not await still_may():
                    job.state = State.FAILED
                    return
                job.state = State.WORKING
                job.result = await asyncio.wait_for(self._child(job), WITHIN_S)
                job.state = State.WRITTEN if job.result.written else State.JUDGED
                job.order = replace(job.order, since="")
        except Exception as error:
            log.error("a spreadsheet could not be read in: %s", type(error).__name__)
            job.state = State.FAILED

    async def _child(self, job: Job) -> Result:
        command = (sys.executable, "-m", "community.register_trial")
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # an error's text may hold names
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            limit=1 << 20,
        )
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(asdict(job.order)).encode())
            process.stdin.close()
            async for line in process.stdout:
                told = json.loads(line)
                if "result" in told:
                    return _result(told["result"])
                job.step, job.done, job.of = told["step"], told["done"], told["of"]
            raise RuntimeError("the process ended without a result")
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def _sweep(folder: Path) -> None:
    """What is too old for any living process to come back to it."""
    for left in folder.glob(f"{_FOLDER}*"):
        if time.time() - left.stat().st_mtime > KEPT.total_seconds() + WITHIN_S:
            shutil.rmtree(left, ignore_errors=True)


def page(job: Job, kind: Kind, begin: int) -> tuple[list[dict[str, Any]], int | None]:
    """PAGE lines of a kind from a byte of its file on, and where the next ones begin. Blocking."""
    path = Path(job.order.folder, f"{kind}.jsonl")
    if not path.exists():
        return [], None
    with path.open("rb") as file:
        if begin:
            file.seek(begin - 1)
            file.readline()  # from the middle of a line on: the next one
        found = [json.loads(line) for line in _some(file, PAGE)]
        at = file.tell()
        return found, at if file.read(1) else None


def _some(file: Any, most: int) -> list[bytes]:
    lines = (file.readline() for _ in range(most))
    return [line for line in lines if line]


def _hash(raw: bytes, order: Order) -> str:
    said = json.dumps([getattr(order, name) for name in _OPTIONS], ensure_ascii=False)
    return hashlib.sha256(hashlib.sha256(raw).digest() + said.encode()).hexdigest()


def _result(told: dict[str, Any]) -> Result:
    return Result(**{**told, "left_out": tuple(told["left_out"])})
