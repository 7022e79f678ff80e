"""The measured line as a process of its own, seen from the caller's side."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from rich.progress import Progress

from bench.caller import Stream, dial
from bench.figures import out

ENDPOINT_S = 1.2  # silence that ends an answer (PRODUCT.md)


@dataclass
class Line:
    """The measured process. `calls`: ids that can be dialled, each once."""

    process: subprocess.Popen[str]
    base_url: str
    calls: list[str]

    def ask(self) -> dict[str, Any]:
        """Processor time so far, live calls, moments of what was heard."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found


def line(calls: int, engine: str) -> AbstractAsyncContextManager[Line]:
    return started("bench.line", str(calls), engine)


@asynccontextmanager
async def started(module: str, *arguments: str) -> AsyncIterator[Line]:
    command = [sys.executable, "-m", module, *arguments]
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


async def dial_all(measured: Line) -> list[Stream]:
    """All calls, one after the other."""
    with Progress(console=out, transient=True) as progress:
        task, streams = progress.add_task("dialling", total=len(measured.calls)), []
        for call in measured.calls:
            streams.append(await dial(measured.base_url, call))
            progress.advance(task)
    return streams


def lateness(stream: Stream, sent: Sequence[float], begun: float) -> list[float]:
    """How long after the frame that it answers each frame came, in ms: time on the line is the inbound audio."""
    frames = [at for at in stream.seen.frames if at >= begun]
    return [(came - went) * 1000 for went, came in zip(sent, frames, strict=False)]
