"""Measures the line from outside, each figure beside its limit, in the same run: `python -m bench [WHAT …]`.

The line runs as a process of its own on one core, the caller on the other ones.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import uvloop

from bench.caller import FRAME_S, Stream, beat, dial
from bench.city import city
from bench.cries import cries
from bench.figures import out, percentile, report, verdict
from bench.measured import ENDPOINT_S, dial_all, lateness, line
from bench.notices import notices
from bench.register import register
from bench.talking import talking
from bench.words import FRAME_BYTES, words

# engine → limit in ms, and what it is
ENGINES = {
    "phrase-scorer": (300.0, "phrase-scorer"),
    "vosk": (300.0, "vosk, streaming, Korean weights"),
    "whisper": (None, "whisper, not streaming"),
}

# ── from a key, and from the end of speech, to the next prompt ────────────────────────────────────


async def latency(samples: int) -> None:
    async with line(samples, "none") as measured:
        waits = [wait for call in measured.calls for wait in await _by_key(measured.base_url, call)]
    report("key press → first audio of the next prompt", waits, 60)
    for engine, (limit, name) in ENGINES.items():
        async with line(max(3, samples // 3), engine) as measured:
            spoken = [await _by_voice(measured.base_url, call) for call in measured.calls]
        report(f"end of speech → next prompt, less {ENDPOINT_S} s of endpoint silence ({name})", spoken, limit)


async def _by_key(base_url: str, call: str) -> list[float]:
    """Three keys, each pressed 1 s into a prompt; ms until the next prompt's first sound."""
    stream, waits = await dial(base_url, call), []
    for digit in "111":
        sounded = len(stream.seen.sounds)
        await _frames(stream, lambda n=sounded: len(stream.seen.sounds) > n + 50)
        pressed = time.perf_counter()
        stream.press(digit)
        await asyncio.sleep(random.uniform(0, FRAME_S))  # a key falls anywhere between two frames
        # What was under way before the key arrived still comes; a new prompt begins after the cut.
        await _frames(stream, lambda p=pressed: _resumed(stream, p) is not None or stream.closed)
        resumed = _resumed(stream, pressed)
        if resumed is not None:
            waits.append((resumed - pressed) * 1000)
    return waits


def _resumed(stream: Stream, pressed: float) -> float | None:
    """The first sound after a key: frames sent before the line saw the key left within one beat of it."""
    clear = next((at for at in stream.seen.clears if at >= pressed), None)
    return None if clear is None else next((at for at in stream.seen.sounds if at >= clear), None)


async def _by_voice(base_url: str, call: str) -> float:
    """Answers the greeting with real speech; ms from its last sound to the next prompt, less the endpoint silence."""
    said = words()
    stream = await dial(base_url, call)
    await _frames(stream, lambda: bool(stream.seen.marks))
    frames = iter([stream.media(said[at : at + FRAME_BYTES]) for at in range(0, len(said), FRAME_BYTES)])
    spoken = 0.0

    def speak() -> None:
        nonlocal spoken
        frame = next(frames, None)
        stream.send(frame)
        spoken = time.perf_counter() if frame else spoken

    before = len(stream.seen.sounds)
    await beat(lambda: len(stream.seen.sounds) > before or stream.closed, speak)
    return (stream.seen.sounds[before] - spoken - ENDPOINT_S) * 1000


async def _frames(stream: Stream, until: Callable[[], bool]) -> None:
    await beat(lambda: until() or stream.closed, stream.send)


# ── many calls at once ────────────────────────────────────────────────────────────────────────────


async def calls(count: int, seconds: float) -> None:
    async with line(count, "none") as measured:
        streams = await dial_all(measured)
        before, begun = measured.ask(), time.perf_counter()
        beats = await _hold(streams, seconds)
        spent, lasted = measured.ask()["cpu_s"] - before["cpu_s"], time.perf_counter() - begun
    late = [ms for stream, due in beats for ms in lateness(stream, due, begun)]
    share = spent / lasted
    out.print(f"\n[b]{count} calls at once, nobody speaks[/b] ({lasted:.0f} s, {len(late)} frames)")
    verdict("frame lateness, 99th percentile", percentile(late, 99), 20, "ms")
    out.print(
        f"  median {percentile(late, 50):.1f} ms, 99.9th {percentile(late, 99.9):.1f} ms, worst {max(late):.1f} ms"
    )
    out.print(f"  {share:.2f} of one core, {share / count * 100:.2f} % a call (a bare sender on one clock: 0.15 %)")


async def _hold(streams: Sequence[Stream], seconds: float) -> list[tuple[Stream, list[float]]]:
    """Sends every call's frames, spread over the 20 ms; the moment at which each frame went out."""
    loop = asyncio.get_running_loop()
    groups = [streams[at::20] for at in range(20)]  # one group per millisecond
    sent: dict[int, list[float]] = {id(stream): [] for stream in streams}
    begun = loop.time()
    for number in range(int(seconds * 1000)):
        await asyncio.sleep(max(0.0, begun + number / 1000 - loop.time()))
        for stream in groups[number % 20]:
            stream.send()
            sent[id(stream)].append(time.perf_counter())
    await asyncio.sleep(0.1)
    return [(stream, sent[id(stream)]) for stream in streams]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures the line from outside.")
    parser.add_argument(
        "what",
        nargs="*",
        default=["latency", "calls", "talking", "cries"],
        help="latency, calls, talking, cries, register, notices, city",
    )
    parser.add_argument("--calls", type=int, default=150, help="simultaneous calls")
    parser.add_argument("--talking", type=int, default=60, help="simultaneous ordinary calls of people who talk")
    parser.add_argument("--engine", default="phrase-scorer", help="the engine that hears who talks")
    parser.add_argument("--seconds", type=float, default=30, help="how long calls are held")
    parser.add_argument("--samples", type=int, default=20, help="calls measured one after the other")
    parser.add_argument("--elders", type=int, default=4000, help="of the neighbourhood that gets a notice")
    parser.add_argument("--city", type=int, default=200_000, help="elders of the city that is planned")
    parser.add_argument("--to", type=Path, default=Path("."), help="the folder for the picture of notices, city.json")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, set(cores[1:]) or set(cores))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for what in options.what:
            match what:
                case "latency":
                    runner.run(latency(options.samples))
                case "calls":
                    runner.run(calls(options.calls, options.seconds))
                case "talking":
                    runner.run(talking(options.talking, options.seconds, options.engine))
                case "cries":
                    runner.run(cries(options.samples))
                case "register":
                    register()
                case "notices":
                    os.sched_setaffinity(0, set(cores))
                    notices(options.elders, options.to)
                case "city":
                    os.sched_setaffinity(0, set(cores))
                    city(options.city, options.to)
                case _:
                    parser.error(f"nothing to measure is called {what!r}")


if __name__ == "__main__":
    main()
