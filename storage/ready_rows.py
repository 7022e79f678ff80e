"""Very many rows of one table, made ready before the transaction that writes them: in it nothing is worked out any
more, and whoever else wants to write waits less long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Dialect, insert, inspect
from sqlalchemy.orm import Session

from storage.database import Base


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


def ready_rows(dialect: Dialect, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> ReadyRows:
    """`rows` by the table's columns, all with the same ones; defaults of Python's side are not filled in."""
    if not rows:
        return ReadyRows()
    columns = inspect(table).columns
    statement = insert(table).compile(dialect=dialect, column_keys=list(rows[0]))
    names = tuple(statement.positiontup or rows[0])
    ways = [columns[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    taken: Iterable[Sequence[Any]] = (
        [row[name] if way is None else way(row[name]) for name, way in zip(names, ways, strict=True)] for row in rows
    )
    if statement.positiontup:
        return ReadyRows(str(statement), [tuple(each) for each in taken])
    return ReadyRows(str(statement), [dict(zip(names, each, strict=True)) for each in taken])
