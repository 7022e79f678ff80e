"""Passwords of accounts: chosen with sense, hashed slowly (argon2id), one at a time.

Hashing costs a tenth of a second of a core and 64 MB. The machine carries calls, so only one is done at a time, and a
wrong one makes the next wait: whoever floods the login page gets half a core at most, and from one address a part of
the queue.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST, MOST = 10, 128  # signs
WAITING = 50  # who waits for the hasher beyond that is sent away
WAITING_FROM_ONE = 10  # address
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no 0 o 1 l i: read from paper
_GROUPS, _GROUP = 4, 4  # 79 bits


class PasswordError(ValueError):
    """Says why a password is refused, without repeating it."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh


class CrowdedError(Exception):
    """Too many wait for the hasher."""


def one_time() -> str:
    """A password to be typed once, from paper: "k7fm-2xqp-vw3h-9nde"."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def check_choice(password: str, *known: str) -> None:
    """PasswordError for what is too short or long, one sign or run again and again, or the end of the keyboard, and
    what is built on what others know (login, name)."""
    if not LEAST <= len(password) <= MOST:
        raise PasswordError(f"密码要 {LEAST} 到 {MOST} 个字符", f"a password has {LEAST} to {MOST} signs")
    plain = password.casefold()
    if any(plain == (plain[:size] * len(plain))[: len(plain)] for size in range(1, 6)) or _is_run(plain):
        raise PasswordError("这个密码太好猜", "this password is easily guessed")
    if any(len(one) >= 3 and one.casefold() in plain and len(plain) - len(one) < 6 for one in known):
        raise PasswordError("密码不要用账号或姓名", "don't build a password on the login or the name")


_RUNS = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def _is_run(plain: str) -> bool:
    """Digits or letters in the order in which they lie, with nothing else but a few signs after them."""
    start = plain[:LEAST]
    return any(start in run for run in _RUNS) or plain.startswith(("password", "1qaz2wsx", "admin123"))


@dataclass
class Hasher:
    """argon2id with RFC 9106's parameters for machines with little memory, on one core."""

    argon2: PasswordHasher = field(
        default_factory=lambda: PasswordHasher(time_cost=3, memory_cost=65536, parallelism=1)
    )
    pause_s: float = 0.1  # after a wrong one, before the next
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _waiting: Counter[str] = field(default_factory=Counter)
    _nobody: str = ""  # the hash of a password that nobody has

    async def hash(self, password: str) -> str:
        """CrowdedError when too many wait."""
        async with self._turn(""):
            return await asyncio.to_thread(self.argon2.hash, password)

    async def matches(self, hashed: str | None, password: str, address: str = "") -> bool:
        """Takes as long for an account that isn't there (None), so that nobody learns which there are. CrowdedError
        when too many wait, or too many from this address."""
        async with self._turn(address):
            if not self._nobody:
                self._nobody = await asyncio.to_thread(self.argon2.hash, secrets.token_hex(16))
            right = await asyncio.to_thread(self._verify, hashed or self._nobody, password[: MOST + 1])
            if not right:
                await asyncio.sleep(self.pause_s)
        return right and hashed is not None

    @asynccontextmanager
    async def _turn(self, address: str) -> AsyncIterator[None]:
        if self._waiting.total() >= WAITING or (address and self._waiting[address] >= WAITING_FROM_ONE):
            raise CrowdedError
        self._waiting[address] += 1
        try:
            async with self._one:
                yield
        finally:
            self._waiting[address] -= 1
            self._waiting += Counter()  # forgets who waits no more

    def is_old(self, hashed: str) -> bool:
        """Made with other parameters than today's: to be made anew when the password is known."""
        return self.argon2.check_needs_rehash(hashed)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self.argon2.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False
