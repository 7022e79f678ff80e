"""Engines by name, or by entry `module:callable` (a callable without arguments gives the Recogniser)."""

from __future__ import annotations

import importlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from speech.catalogue import CATALOGUE
from speech.ears import ORDER, make_engine
from speech.recogniser import SAMPLE_RATE, Recogniser, Request

STREAMS = 16  # opened together to see what one of them takes


def installed() -> tuple[str, ...]:
    """The names of all engines that the program knows, first the ones that are asked first."""
    names = dict.fromkeys([*ORDER, *(weights.engine for weights in CATALOGUE)])
    return tuple(names)


def make(name: str, models: Path) -> tuple[Recogniser | None, str]:
    """The engine, or None and why not."""
    if ":" in name:
        module, _, entry = name.partition(":")
        return getattr(importlib.import_module(module), entry)(), "ready"
    return make_engine(name, models, workers=1, threads=1)


def decode_once(engine: Any) -> None:
    """The same audio is offered with several menus; an engine whose decoding knows no menu decodes it once."""
    if hasattr(engine, "decode"):
        engine.decode = lru_cache(maxsize=8)(engine.decode)


def resident_mb() -> float:
    """Memory of this process and its children that is really there (Linux; elsewhere 0)."""
    children = Path("/proc/self/task").glob("*/children")
    numbers = ["self", *(number for file in children for number in _read(file).split())]
    return sum(_resident_mb(number) for number in numbers)


def _resident_mb(process: str) -> float:
    lines = _read(Path(f"/proc/{process}/status")).splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def _read(file: Path) -> str:
    try:
        return file.read_text("ascii", "replace")
    except OSError:  # no Linux, or the process has ended
        return ""


def stream_mb(engine: Recogniser, request: Request) -> float:
    """What one open stream with a second of audio takes, after the engine has warmed up."""
    second = bytes(2 * SAMPLE_RATE)
    warm = engine.open(request)
    warm.feed(second)
    before = resident_mb()
    streams = [engine.open(request) for _ in range(STREAMS)]
    for stream in streams:
        stream.feed(second)
    after = resident_mb()
    for stream in (warm, *streams):
        stream.close()
    return max(0.0, after - before) / STREAMS
