"""Very many rows of one table, made ready before the transaction that writes them: in it nothing is worked out any
more, and whoever else wants to write waits less long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Compiled, Dialect, bindparam, insert, inspect, update
from sqlalchemy.orm import Session

from storage.database import Base

_Row = Mapping[str, Any]


@dataclass(frozen=True)
class ReadyRows:
    """As the database's driver takes them."""

    statement: str = ""
    values: Sequence[Any] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.values)

    def write(self, session: Session) -> None:
        if self.values:
            session.connection().exec_driver_sql(self.statement, self.values)


def ready_rows(dialect: Dialect, table: type[Base], rows: Sequence[_Row]) -> ReadyRows:
    """New rows by the table's columns, all with the same ones; defaults of Python's side are not filled in."""
    if not rows:
        return ReadyRows()
    statement = insert(table).compile(dialect=dialect, column_keys=list(rows[0]))
    return _ready(dialect, table, statement, {name: name for name in rows[0]}, rows)


def ready_changes(dialect: Dialect, table: type[Base], rows: Sequence[_Row]) -> ReadyRows:
    """The same for rows that are there, by their `id`."""
    if not rows:
        return ReadyRows()
    names = {f"to_{name}": name for name in rows[0]}
    wanted: dict[str, Any] = {name: bindparam(parameter) for parameter, name in names.items() if name != "id"}
    there = inspect(table).columns["id"] == bindparam("to_id")
    return _ready(dialect, table, update(table).where(there).values(wanted).compile(dialect=dialect), names, rows)


def _ready(
    dialect: Dialect, table: type[Base], statement: Compiled, names: Mapping[str, str], rows: Sequence[_Row]
) -> ReadyRows:
    """`names`: the columns of the statement's parameters."""
    columns, places = inspect(table).columns, getattr(statement, "positiontup", None)
    order = tuple(places or names)
    ways = [
        (name, columns[name].type.dialect_impl(dialect).bind_processor(dialect))
        for name in (names[each] for each in order)
    ]
    taken = ([row[name] if way is None else way(row[name]) for name, way in ways] for row in rows)
    if places:
        return ReadyRows(str(statement), [tuple(each) for each in taken])
    return ReadyRows(str(statement), [dict(zip(order, each, strict=True)) for each in taken])
