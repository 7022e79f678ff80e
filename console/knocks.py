"""How long whoever gave wrong passwords waits for the next try. Pure, but for the memory.

The wait is one account's from one address: who tries a colleague's account from elsewhere keeps nobody out, and nobody
is kept out for longer than a quarter of an hour. It is forgotten when the process ends; five tries more are no danger
to a password of ten signs.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

FREE = 5  # wrong ones in a row without a wait
FIRST, LONGEST = timedelta(seconds=30), timedelta(minutes=15)  # doubled from one to the other
FORGOTTEN = timedelta(hours=12)
MOST_KEPT = 10_000  # pairs of account and address


@dataclass(frozen=True)
class Tries:
    wrong: int
    last: datetime


def wait(tries: Tries | None, now: datetime) -> timedelta:
    """Until the next try is looked at; zero for none. A clock that was set back makes nobody wait longer."""
    if tries is None or tries.wrong < FREE or now - tries.last > FORGOTTEN:
        return timedelta()
    whole: timedelta = min(FIRST * 2 ** min(tries.wrong - FREE, 10), LONGEST)
    return max(timedelta(), min(tries.last + whole - now, whole))


def one_more(tries: Tries | None, now: datetime) -> Tries:
    known = 0 if tries is None or now - tries.last > FORGOTTEN else tries.wrong
    return Tries(known + 1, now)


class Knocks:
    """Counts a try before it is looked at, so that tries at the same time all count; a right one forgets them."""

    def __init__(self) -> None:
        self._tries: OrderedDict[tuple[str, str], Tries] = OrderedDict()

    def begin(self, login: str, address: str, now: datetime) -> timedelta:
        """Zero: this try may be looked at, and counts as wrong until `right`. Else how long to wait; nothing counts."""
        key = (login, network(address))
        known = self._tries.get(key)
        if left := wait(known, now):
            return left
        self._tries[key] = one_more(known, now)
        self._tries.move_to_end(key)
        while len(self._tries) > MOST_KEPT:
            self._tries.popitem(last=False)
        return timedelta()

    def unheard(self, login: str, address: str) -> None:
        """A try that was begun was not looked at: it doesn't count."""
        key = (login, network(address))
        if known := self._tries.pop(key, None):
            self._tries[key] = replace(known, wrong=max(known.wrong - 1, 0))

    def right(self, login: str, address: str) -> None:
        self._tries.pop((login, network(address)), None)


def network(address: str) -> str:
    """An IPv6 address is one of 2^64 that a household has: its network counts."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    return str(IPv6Address(int(parsed) >> 64 << 64)) if isinstance(parsed, IPv6Address) else str(parsed)
