"""When inbound audio stops or comes late: time on the line goes on, and is counted once."""

from __future__ import annotations

from typing import Any

from ivr import media
from ivr.media_messages import StreamWriter


class StillPump:
    """Counts ticks."""

    over = False
    cleared = False

    def __init__(self) -> None:
        self.ticks = 0

    def tick(self, heard: bytes) -> tuple[bytes | None, list[str]]:
        self.ticks += 1
        return None, []


class DeafSocket:
    async def send(self, message: dict[str, Any]) -> None:
        """Nobody listens."""


def a_call() -> tuple[media._Call, StillPump]:
    pump = StillPump()
    return media._Call(pump, DeafSocket(), StreamWriter("MZ1")), pump  # type: ignore[arg-type]


async def test_frames_that_come_late_in_a_burst_are_not_counted_twice() -> None:
    call, pump = a_call()
    await call.silence(50)  # a second without frames: our own clock stood in
    now = call.last_frame + 1.0
    late = [call.late(now + 0.001 * number) for number in range(50)]
    assert late == [True] * 50
    assert not call.late(now + 0.05 + 0.02)
    assert pump.ticks == 50


async def test_after_a_true_gap_speech_counts_at_once() -> None:
    call, _ = a_call()
    await call.silence(50)
    now = call.last_frame + 1.0
    assert call.late(now)  # one frame is given up to see how the next ones come
    assert [call.late(now + 0.02 * number) for number in range(1, 10)] == [False] * 9


async def test_frames_at_their_pace_are_never_late() -> None:
    call, _ = a_call()
    now = call.last_frame
    assert not any(call.late(now + 0.02 * number) for number in range(1, 50))
