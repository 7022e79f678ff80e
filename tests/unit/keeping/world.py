"""A row of every table but the roster's and the deletion's own, with a word in its personal columns to look for."""

from __future__ import annotations

from datetime import date, datetime
from itertools import count
from typing import Any
from uuid import uuid4

from sqlalchemy import JSON, Boolean, Column, Date, Float, String, Text, insert
from sqlalchemy.orm import Session

from cli import keep_commands  # its tables are all that the house has
from storage.database import Base, UtcTime

assert keep_commands.TABLES
_numbers = count(1000)
CALLS = ("call_id", "intent_id")


def everything(session: Session, word: str, at: datetime, *, closed: bool) -> str:
    """The id of the call that all of it rests on. What is not `closed` has no moment at which it ended."""
    call = str(uuid4())
    keys: dict[str, dict[str, Any]] = {}
    for table in Base.metadata.sorted_tables:
        if table.name.startswith("roster_") or table.name == "keep_run":
            continue
        row = {column.name: _value(column, word, at, call, keys) for column in table.columns}
        if not closed:
            row |= {name: None for name in ENDS if name in row and table.c[name].nullable}
        if table.name in ("call", "call_intent"):
            row["id"] = call
        session.execute(insert(table).values(row))
        keys[table.name] = row
    return call


ENDS = ("closed_at", "ended_at", "done_at", "over_at", "told_at", "settled_at", "sealed_at", "applied_at", "deleted_at")


def _value(column: Column[Any], word: str, at: datetime, call: str, keys: dict[str, dict[str, Any]]) -> Any:
    for key in column.foreign_keys:
        if key.column.table.name in keys:
            return keys[key.column.table.name][key.column.name]
        return None
    if column.name in CALLS:
        return call
    return _plain(column, word if column.info.get("personal") else "x", at)


def _plain(column: Column[Any], text: str, at: datetime) -> Any:
    kind = column.type
    if isinstance(kind, UtcTime):
        return at
    if isinstance(kind, Date):
        return date(2020, 1, 1) if not column.primary_key else date(2020, 1, 1).replace(year=next(_numbers))
    if isinstance(kind, JSON):
        return {"text": text}
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, Text | String):
        alone = column.unique or column.primary_key or column.name in ("key", "code", "message_id", "voter")
        return (uuid4().hex if alone else text)[: kind.length or 100]
    return 0.1 if isinstance(kind, Float) else next(_numbers)
