"""What makes thousands of tests on real databases quick, and changes nothing that they could notice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event

import storage.database

os.environ.pop("COLUMNS", None)  # workers have one; tests say how wide a terminal is
shipped_engine = storage.database._engine  # as the product makes them


def _unsynced(connection: Any, _record: Any) -> None:
    """A test outlives the death of a process, not that of the machine: it needn't wait for the disk."""
    connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session", autouse=True)
def quick_databases() -> Iterator[None]:
    """SQLAlchemy compiles a statement once an engine and dialect, and here every test has an engine of its own."""
    first: dict[str, Engine] = {}
    make = storage.database._engine

    def engine(url: str) -> Engine:
        made = make(url)
        known = first.setdefault(made.dialect.name, made)
        made.dialect, made._compiled_cache = known.dialect, known._compiled_cache
        if made.dialect.name == "sqlite":
            event.listen(made, "connect", _unsynced)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage.database, "_engine", engine)
        yield
