"""Measures the line from outside, each figure beside its limit, in the same run: `python -m bench [WHAT …]`.

The line runs as a process of its own on one core, the caller on the other ones.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvloop
from rich.console import Console
from rich.progress import Progress

from bench.caller import FRAME_S, Stream, beat, dial
from bench.words import FRAME_BYTES, words

out = Console()
ENDPOINT_S = 1.2  # silence that ends an answer (PRODUCT.md)


@dataclass
class Line:
    """The measured process."""

    process: subprocess.Popen[str]
    base_url: str
    calls: list[str]

    def ask(self) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found


@asynccontextmanager
async def line(calls: int, engine: str) -> AsyncIterator[Line]:
    command = [sys.executable, "-m", "bench.line", str(calls), engine]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        ready = json.loads(await asyncio.to_thread(process.stdout.readline) or "{}")
        if not ready:
            raise SystemExit("the measured line did not start; its error is above")
        yield Line(process, ready["base_url"], ready["calls"])
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


# ── from a key, and from the end of speech, to the next prompt ────────────────────────────────────


async def latency(samples: int) -> None:
    async with line(samples, "none") as measured:
        waits = [wait for call in measured.calls for wait in await _by_key(measured.base_url, call)]
    _report("key press → first audio of the next prompt", waits, 60)
    for engine, limit in (("vosk", 300.0), ("whisper", None)):
        async with line(max(3, samples // 3), engine) as measured:
            spoken = [await _by_voice(measured.base_url, call) for call in measured.calls]
        name = "vosk, streaming, Korean weights" if engine == "vosk" else "whisper, not streaming"
        _report(f"end of speech → next prompt, less {ENDPOINT_S} s of endpoint silence ({name})", spoken, limit)


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
        streams = await _dial_all(measured)
        before, begun = measured.ask(), time.perf_counter()
        beats = await _hold(streams, seconds)
        spent, lasted = measured.ask()["cpu_s"] - before["cpu_s"], time.perf_counter() - begun
    late = [ms for stream, due in beats for ms in _lateness(stream, due, begun)]
    share = spent / lasted
    out.print(f"\n[b]{count} calls at once, nobody speaks[/b] ({lasted:.0f} s, {len(late)} frames)")
    _verdict("frame lateness, 99th percentile", _percentile(late, 99), 20, "ms")
    out.print(
        f"  median {_percentile(late, 50):.1f} ms, 99.9th {_percentile(late, 99.9):.1f} ms, worst {max(late):.1f} ms"
    )
    out.print(f"  {share:.2f} of one core, {share / count * 100:.2f} % a call (a bare sender on one clock: 0.15 %)")


async def _dial_all(measured: Line) -> list[Stream]:
    with Progress(console=out, transient=True) as progress:
        task, streams = progress.add_task("dialling", total=len(measured.calls)), []
        for call in measured.calls:
            streams.append(await dial(measured.base_url, call))
            progress.advance(task)
    return streams


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


def _lateness(stream: Stream, sent: Sequence[float], begun: float) -> list[float]:
    """How long after the frame that it answers each frame came, in ms: time on the line is the inbound audio."""
    frames = [at for at in stream.seen.frames if at >= begun]
    return [(came - went) * 1000 for went, came in zip(sent, frames, strict=False)]


# ── everybody talks ───────────────────────────────────────────────────────────────────────────────


async def talking(count: int, seconds: float) -> None:
    bare = await asyncio.to_thread(_bare_throughput)
    async with line(count, "whisper") as measured:
        streams = await _dial_all(measured)
        begun = time.perf_counter()
        sent = await _talk(streams, seconds)
        heard = measured.ask()["heard"]
    rate = (len(heard) - 1) / (heard[-1] - heard[0])
    late = [ms for stream in streams for ms in _lateness(stream, sent[id(stream)], begun)]
    out.print(f"\n[b]{count} calls at once, everybody answers by voice[/b] (whisper base, on the line's one core)")
    out.print(
        f"  {rate:.2f} answers a second through the line, bare recogniser on one core {bare:.2f}: {rate / bare:.0%}"
    )
    out.print(f"  at one answer in 10 s and call, recognition allows about {rate * 10:.0f} talking calls on this core")
    _verdict("frame lateness meanwhile, 99th percentile", _percentile(late, 99), 20, "ms")


def _bare_throughput() -> float:
    """Answers a second of the recogniser alone, on the core that the line has."""
    command = [sys.executable, "-m", "bench.bare", "10"]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


async def _talk(streams: Sequence[Stream], seconds: float) -> dict[int, list[float]]:
    """Everybody answers each prompt with the same sentence; the moment at which each frame went out."""
    said = words()
    speaking = {id(stream): 0 for stream in streams}
    spoken: dict[int, list[bytes]] = {
        id(s): [s.media(said[at : at + FRAME_BYTES]) for at in range(0, len(said), FRAME_BYTES)] for s in streams
    }
    sent: dict[int, list[float]] = {id(stream): [] for stream in streams}

    def hear(stream: Stream, kind: str) -> None:
        if kind == "mark":
            speaking[id(stream)] = len(spoken[id(stream)])

    for stream in streams:
        stream.told = lambda kind, _name, s=stream: hear(s, kind)

    def work() -> None:
        for stream in streams:
            left = speaking[id(stream)]
            stream.send(spoken[id(stream)][-left] if left else None)
            sent[id(stream)].append(time.perf_counter())
            speaking[id(stream)] = max(0, left - 1)

    until = time.perf_counter() + seconds
    await beat(lambda: time.perf_counter() > until, work)
    return sent


# ── figures ───────────────────────────────────────────────────────────────────────────────────────


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]


def _report(what: str, ms: Sequence[float], limit: float | None) -> None:
    out.print(f"\n[b]{what}[/b] ({len(ms)} samples)")
    middle = statistics.median(ms)
    if limit is None:
        out.print(f"  median {middle:.0f} ms")
    else:
        _verdict("median", middle, limit, "ms")
    out.print(f"  95th {_percentile(ms, 95):.0f} ms, worst {max(ms):.0f} ms")


def _verdict(what: str, value: float, limit: float, unit: str) -> None:
    mark = "[green]✓[/green]" if value <= limit else "[red]✗[/red]"
    out.print(f"  {mark} {what} {value:.1f} {unit} (limit {limit:g}, ratio {value / limit:.2f})")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures the line from outside.")
    parser.add_argument("what", nargs="*", default=["latency", "calls", "talking"], help="latency, calls, talking")
    parser.add_argument("--calls", type=int, default=150, help="simultaneous calls")
    parser.add_argument("--talking", type=int, default=80, help="simultaneous calls of people who talk")
    parser.add_argument("--seconds", type=float, default=30, help="how long calls are held")
    parser.add_argument("--samples", type=int, default=20, help="calls measured one after the other")
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
                    runner.run(talking(options.talking, options.seconds))
                case _:
                    parser.error(f"nothing to measure is called {what!r}")


if __name__ == "__main__":
    main()
