"""Programs that have a token."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from console import tokens
from console.scopes import Scope
from storage.database import Database

PROGRAM = "曹杨街道平台"


def token_of(
    db: Database, now: datetime, scopes: Collection[str] = tuple(Scope), name: str = PROGRAM, days: int = 365
) -> str:
    with db.write() as session:
        return tokens.make(session, name, scopes, days, "主任", now)[1]
