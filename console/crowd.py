"""One page, made once for all who ask for it at once: a change is told to every open page, and all of them ask.

While it is being made, whoever asks waits for the next one, with all others who do: nobody is shown what was there
before they asked. Where the logs have not gone on since, the last one is still the page, for two seconds.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from markupsafe import escape

from console.accounts_sessions import Visitor
from console.roles import Role

KEPT = timedelta(seconds=2)  # clocks go on, and what stands in no log changes

T = TypeVar("T")


@dataclass(frozen=True)
class _Made:
    page: str = field(repr=False)
    end: str
    at: datetime


class Crowd:
    """`key`: which page, and for whom. `end`: of the logs (console/live.py)."""

    def __init__(self) -> None:
        self._turns: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._next: dict[Hashable, asyncio.Task[Any]] = {}
        self._made: dict[Hashable, _Made] = {}

    async def one(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What `make` gives, begun after this was asked; of all who wait for it, once."""
        if key not in self._next:
            self._next[key] = asyncio.create_task(self._in_turn(key, make))
        made: T = await asyncio.shield(self._next[key])
        return made

    async def _in_turn(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        async with self._turns[key]:
            del self._next[key]  # whoever asks from now on waits for one that begins later
            return await make()

    def as_kept(self, key: Hashable, end: str, now: datetime, make: Callable[[], str]) -> str:
        """The last one, where it still stands; else a new one. Safe to ask from several threads."""
        made = self._made.get(key)
        if made is None or made.end != end or not timedelta(0) <= now - made.at < KEPT:
            made = self._made[key] = _Made(make(), end, now)
        return made.page


class Nobody:
    """Who stands on a shared page until whoever asked is put in their place. The marks are random and leave the house
    on no page, so that nothing that somebody typed can hold one."""

    def __init__(self) -> None:
        self._name, self._cookie = secrets.token_hex(16), secrets.token_hex(16)

    def of(self, role: Role, now: datetime) -> Visitor:
        return Visitor(0, self._name, self._name, role, must_change=False, cookie=self._cookie, seen_at=now)

    def replaced(self, page: str, who: Visitor) -> str:
        mark = self.of(who.role, who.seen_at)
        return page.replace(mark.form, who.form).replace(mark.name, str(escape(who.name or who.login)))
