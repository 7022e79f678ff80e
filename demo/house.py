"""What the demo's round needs of the running house. `server.py` builds one; tests build a smaller one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from checkins.cycle import Cycle
from checkins.ports import Clock
from ivr.virtual.observation import Observe
from storage.database import Database


class Entry(Protocol):
    """An entry of a call's log (ivr.calls.LogEntry)."""

    @property
    def kind(self) -> str: ...

    @property
    def at_ms(self) -> int: ...

    @property
    def detail(self) -> Mapping[str, Any]: ...


CallObserver = Callable[[str, Any], None]  # (call id, Entry), in the event loop's thread


class Calls(Protocol):
    @property
    def observers(self) -> list[CallObserver]: ...


class Engine(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def ready(self) -> bool: ...

    @property
    def why(self) -> str: ...


class Ears(Protocol):
    @property
    def idle(self) -> bool: ...

    def status(self) -> Sequence[Engine]: ...


class Prompts(Protocol):
    async def prepare(self, texts: Iterable[str], language: str = "zh") -> tuple[str, ...]: ...


class Carrier(Protocol):
    @property
    def observers(self) -> list[Observe]: ...


class House(Protocol):
    """`active_calls` counts lines in use, ringing ones included; `clock` must be a demo.clock.JumpClock."""

    @property
    def db(self) -> Database: ...

    @property
    def cycle(self) -> Cycle: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def ears(self) -> Ears: ...

    @property
    def prompts(self) -> Prompts: ...

    @property
    def carrier(self) -> Carrier: ...

    @property
    def calls(self) -> Calls: ...

    @property
    def base_url(self) -> str: ...

    def active_calls(self) -> int: ...
