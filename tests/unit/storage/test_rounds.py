"""Work that fails again and again: said once, then once a minute; and known for as long as it fails."""

from __future__ import annotations

import asyncio
import logging

import pytest

from storage.rounds import FAILING, Complaints, Failing, repeat

log = logging.getLogger("rounds")


def test_the_same_error_is_said_once_and_then_every_minute_with_how_often(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    complaints = Complaints(log, "a round failed (%s); the next one follows", lambda: now)
    for second in range(121):
        now = float(second)
        complaints.say("OperationalError SQLITE_FULL")
    again = "a round failed (OperationalError SQLITE_FULL); the next one follows (59 more times until now)"
    assert caplog.messages == ["a round failed (OperationalError SQLITE_FULL); the next one follows", again, again]


def test_another_error_is_said_at_once_and_two_that_take_turns_fill_no_log(caplog: pytest.LogCaptureFixture) -> None:
    complaints = Complaints(log, "failed (%s)", lambda: 0.0)
    for what in "ABABAB":
        complaints.say(what)
    assert caplog.messages == ["failed (A)", "failed (B)"]


async def test_what_fails_now_is_known_until_a_round_goes_well() -> None:
    failing, stop, known = Failing(), asyncio.Event(), []
    FAILING.set(failing)

    async def work() -> None:
        known.append(failing.of("rounds"))
        if len(known) == 1:
            raise KeyError("王秀英")
        if len(known) == 3:
            stop.set()

    await asyncio.wait_for(repeat(work, stop, 0.0, log, "failed (%s)"), 10)
    assert [len(each) for each in known] == [0, 1, 0]
    assert known[1][0].startswith("rounds: KeyError at test_rounds.py:")
    assert failing.of("others") == []
