"""What a form has made and nobody may see twice: kept in memory from the form's answer to the page after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

FOR = timedelta(minutes=2)


@dataclass(frozen=True)
class OneTime:
    """A password that is good once, and whose it is."""

    login: str = field(repr=False)
    password: str = field(repr=False)


@dataclass
class ShownOnce:
    """By the cookie of the session that asked: no other sees it, and that one sees it once."""

    _kept: dict[str, tuple[datetime, OneTime]] = field(default_factory=dict, repr=False)

    def keep(self, cookie: str, what: OneTime, now: datetime) -> None:
        self._kept = {one: kept for one, kept in self._kept.items() if now - kept[0] < FOR}
        self._kept[cookie] = now, what

    def take(self, cookie: str, now: datetime) -> OneTime | None:
        at, what = self._kept.pop(cookie, (now, None))
        return what if now - at < FOR else None
