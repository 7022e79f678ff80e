"""PINs of those who ring in: four to six digits, hashed, locked after five wrong ones in a row over all calls.

Checking is slow on purpose (scrypt), so it is never done inside a writing transaction: read the row, `matches`, then
`judge` what came of it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from checkins import items
from checkins.items import Item, ItemKind
from checkins.names import named
from checkins.tables import Person
from storage.database import Base, UtcTime

LEAST, MOST = 4, 6  # digits; as in callflows/flows/buddy_log.yaml
WRONG = 5  # in a row, then it is locked
_COST = (2**14, 8, 1)  # scrypt's N, r, p: about 50 ms and 16 MB for each try
_RUNS = ("01234567890", "09876543210")


class PinError(ValueError):
    """Says why a PIN is refused, without repeating it."""


class PinVerdict(StrEnum):
    """The words that the flow lists."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"


class Pin(Base):
    """Never the PIN itself. Four to six digits are few: who has the table can try them all, so the table is as secret
    as the register."""

    __tablename__ = "pin"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    hashed: Mapped[str] = mapped_column(String(200))  # "scrypt:N:r:p:salt:hash", the last two in hexadecimal
    wrong: Mapped[int] = mapped_column(Integer, default=0)  # in a row, over all calls
    locked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    set_by: Mapped[str] = mapped_column(String(100))
    set_at: Mapped[datetime] = mapped_column(UtcTime)


@dataclass(frozen=True)
class Known:
    """What must be known to check a PIN outside a transaction."""

    person_id: str
    hashed: str
    locked: bool


# ── choosing ──────────────────────────────────────────────────────────────────────────────────────


def check_choice(pin: str, number: str | None = None) -> None:
    """PinError for what isn't 4 to 6 digits, what anybody would try first (1111, 1234, 4321, 1212), and the end of
    the person's own `number`: whoever finds the telephone knows that."""
    if not (pin.isascii() and pin.isdecimal() and LEAST <= len(pin) <= MOST):
        raise PinError(f"a PIN is {LEAST} to {MOST} digits")
    repeats = any(pin == pin[:size] * (len(pin) // size) for size in (1, 2, 3))
    if repeats or any(pin in run for run in _RUNS):
        raise PinError("this PIN is the first that anybody would try: choose digits in no order, not 1234 or 1212")
    if number and number.endswith(pin):
        raise PinError("this PIN is the end of the telephone number")


def make(number: str | None = None) -> str:
    """A PIN of six digits by chance."""
    while True:
        pin = f"{secrets.randbelow(10**MOST):0{MOST}d}"
        try:
            check_choice(pin, number)
        except PinError:
            continue
        return pin


# ── hashing ───────────────────────────────────────────────────────────────────────────────────────


def hashed(pin: str) -> str:
    salt = secrets.token_bytes(16)
    return ":".join(["scrypt", *map(str, _COST), salt.hex(), _scrypt(pin, salt, *_COST).hex()])


def matches(pin: str, stored: str) -> bool:
    """Takes some 50 ms. ValueError when `stored` is no hash of ours."""
    kind, cost, block, parallel, salt, digest = stored.split(":")
    if kind != "scrypt":
        raise ValueError("a PIN is stored in a way that this program doesn't know")
    tried = _scrypt(pin, bytes.fromhex(salt), int(cost), int(block), int(parallel))
    return hmac.compare_digest(tried, bytes.fromhex(digest))


def _scrypt(pin: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=cost, r=block, p=parallel, dklen=32)


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────


def known(session: Session, person_id: str) -> Known | None:
    row = session.get(Pin, person_id)
    return None if row is None else Known(person_id, row.hashed, row.locked_at is not None)


def set_pin(session: Session, person_id: str, pin: str, by: str, now: datetime) -> None:
    """Sets (and unlocks) the PIN of one person on somebody's word; what staff had to do about it is done. PinError."""
    by = named(by)
    person = session.get_one(Person, person_id)
    check_choice(pin, person.number)
    row = session.get(Pin, person_id, with_for_update=True) or Pin(person_id=person_id)
    row.hashed, row.wrong, row.locked_at, row.set_by, row.set_at = hashed(pin), 0, None, by[:100], now
    session.add(row)
    _settled(session, person_id, by, now)


def unlock(session: Session, person_id: str, by: str, now: datetime) -> bool:
    """The old PIN counts again. False: there is none."""
    by = named(by)
    row = session.get(Pin, person_id, with_for_update=True)
    if row is None:
        return False
    row.wrong, row.locked_at = 0, None
    _settled(session, person_id, by, now)
    return True


def judge(session: Session, pin: Known, right: bool, now: datetime) -> PinVerdict | None:
    """Counts a try. A lock holds against the right PIN too; staff are told by an item. None: the PIN was changed since
    it was read, so nobody can say."""
    row = session.get(Pin, pin.person_id, with_for_update=True)
    if row is None or row.hashed != pin.hashed:
        return None
    if row.locked_at is not None or pin.locked:
        return PinVerdict.LOCKED
    if right:
        row.wrong = 0
        return PinVerdict.RIGHT
    row.wrong += 1
    if row.wrong < WRONG:
        return PinVerdict.WRONG
    row.locked_at = now
    tell(session, ItemKind.PIN_LOCKED, pin.person_id, now)
    return PinVerdict.LOCKED


def judge_all(session: Session, pins: Sequence[Known], right: Known | None, now: datetime) -> PinVerdict | None:
    """Counts a try of somebody who may be any of them: `right` is whose PIN it was. A wrong one counts against all, for
    it may have been guessed at any of them."""
    if right is not None:
        return judge(session, right, True, now)
    verdicts = {judge(session, pin, False, now) for pin in pins}
    if None in verdicts:
        return None
    return PinVerdict.WRONG if PinVerdict.WRONG in verdicts else PinVerdict.LOCKED


def tell(session: Session, kind: ItemKind, person_id: str, now: datetime) -> None:
    """An item for staff about somebody's PIN."""
    person = session.get_one(Person, person_id)
    items.open_item(session, kind, now, neighbourhood_id=person.neighbourhood_id, person_id=person_id, due_at=now)


def _settled(session: Session, person_id: str, by: str, now: datetime) -> None:
    kinds = (ItemKind.PIN_LOCKED, ItemKind.NO_PIN)
    query = select(Item.id).where(Item.person_id == person_id, Item.kind.in_(kinds), Item.done_at.is_(None))
    for item_id in session.scalars(query).all():
        items.done(session, item_id, by, now)
