"""Rows whose time is over: which they are, and their deletion by the batch."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Select,
    Table,
    Text,
    cast,
    delete,
    exists,
    func,
    null,
    or_,
    select,
    text,
    tuple_,
    union,
    update,
)
from sqlalchemy.orm import Session

from keeping import all_tables
from keeping.periods import Period
from storage.database import Base

assert all_tables.CARE, all_tables.REST
BATCH = 500


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


def count(session: Session, period: Period, now: datetime) -> int:
    return session.scalar(select(func.count()).select_from(_due(period, now).subquery())) or 0


def delete_some(session: Session, period: Period, now: datetime) -> int:
    """A batch of what is due at `now`; 0: nothing is left."""
    table = _table(period.table)
    keys = [tuple(row) for row in session.execute(_due(period, now).limit(BATCH))]
    if keys:
        among = tuple_(*table.primary_key.columns).in_(keys)
        emptied = {name: _empty(table, name) for name in period.blank}
        session.execute(update(table).where(among).values(emptied) if emptied else delete(table).where(among))
    return len(keys)


def _due(period: Period, now: datetime) -> Select[Any]:
    table = _table(period.table)
    above: Table = table
    whole: Any = table
    for column in period.path:
        reference = next(iter(above.c[column].foreign_keys)).column
        whole = whole.join(reference.table, above.c[column] == reference)
        above = reference.table
    query = select(*table.primary_key.columns).select_from(whole).where(above.c[period.since] < period.until(now))
    if period.only:
        query = query.where(text(f"{period.table}.{period.only}"))
    if period.call:
        query = query.where(table.c[period.call].not_in(held_calls()))
    if period.blank:
        return query.where(or_(*(_filled(table, name) for name in period.blank)))
    return query.where(*_unreferenced(table))


def held_calls() -> Any:
    """Ids of the calls that an open case rests on."""
    complaint, ticket, checkin = _table("complaint"), _table("ticket"), _table("checkin")
    said, asked, served = _table("complaint_dictation"), _table("ticket_dictation"), _table("intent_checkin")
    return union(
        select(complaint.c.call_id).where(complaint.c.closed_at.is_(None)),
        select(said.c.call_id)
        .join(complaint, said.c.complaint_id == complaint.c.id)
        .where(complaint.c.closed_at.is_(None)),
        select(ticket.c.call_id).where(ticket.c.closed_at.is_(None)),
        select(asked.c.call_id).join(ticket, asked.c.ticket_id == ticket.c.id).where(ticket.c.closed_at.is_(None)),
        select(served.c.intent_id)
        .join(checkin, served.c.checkin_id == checkin.c.id)
        .where(checkin.c.closed_at.is_(None)),
    )


def _unreferenced(table: Table) -> list[ColumnElement[bool]]:
    """Nothing refers to it any more: what does has a longer time of its own."""
    others = (other for other in Base.metadata.sorted_tables if other is not table)
    keys = (key for other in others for key in other.foreign_keys if key.column.table is table)
    return [~exists().where(key.parent == key.column) for key in keys]


def _filled(table: Table, name: str) -> ColumnElement[bool]:
    column = table.c[name]
    if column.nullable:
        return column.is_not(None)
    return cast(column, Text) != ("{}" if isinstance(column.type, JSON) else "")


def _empty(table: Table, name: str) -> Any:
    column = table.c[name]
    if column.nullable:
        return null()
    return {} if isinstance(column.type, JSON) else ""
