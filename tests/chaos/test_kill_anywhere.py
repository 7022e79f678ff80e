"""kill -9 at any moment of a call, again and again: the elder is dealt with in the end, one call for each intent.

`make chaos`; WENAN_CHAOS_SEED repeats a run, WENAN_CHAOS_KILLS sets how many moments are tried.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from checkins.cases import Row
from checkins.results import Reason, Result, Status
from tests.e2e.test_crash import WELL, Line, Watched, answers

SEED = int(os.environ.get("WENAN_CHAOS_SEED", random.SystemRandom().randrange(10**6)))
KILLS = int(os.environ.get("WENAN_CHAOS_KILLS", "12"))
LIMIT_S = 300  # a call of which nothing is heard is given up after a minute; the machine may have much else to do
MOMENTS = [round(random.Random(SEED * 1000 + number).uniform(0.3, 25.0), 2) for number in range(KILLS)]


@pytest.mark.parametrize("seconds", MOMENTS)
async def test_killed_after(seconds: float, tmp_path: Path) -> None:
    watched = Watched(answers(*WELL))
    async with watched.carrier:
        line = Line(tmp_path, watched.carrier)
        process = await line.start()
        try:
            await asyncio.sleep(seconds)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            process = await line.start()
            row = await _dealt_with(line)
            # Killed between the intent and the carrier's answer nobody can know whether it rang: a person, no redial.
            assert (row.result, row.evidence) == (Result.WELL, "key") or row.reason is Reason.UNKNOWN
            assert set(watched.rung().values()) == {1}, f"seed {SEED}: rung twice for one intent"
            assert len(watched.rung()) <= 2
        finally:
            process.kill()
            await process.wait()
            line.db.close()


async def _dealt_with(line: Line) -> Row:
    async with asyncio.timeout(LIMIT_S):
        while (row := _row(line)) is None or row.status not in (Status.CLOSED, Status.NEEDS_PERSON):
            await asyncio.sleep(0.5)
    return row


def _row(line: Line) -> Row | None:
    """None: killed before the day was planned, and what was started again is still getting up."""
    try:
        return line.row()
    except ValueError:
        return None
