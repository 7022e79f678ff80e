"""What makes thousands of tests on real databases quick, and changes nothing that they could notice."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, make_url

import database_in_use
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


@pytest.fixture(scope="session", autouse=True)
def quick_migrations(tmp_path_factory: pytest.TempPathFactory, quick_databases: None) -> Iterator[None]:
    """Whoever opens the line on a new SQLite file gets a copy of one that all revisions made: they take ten times as
    long. The revisions themselves are tested by `storage.migrate`, which stays as it is."""
    upgrade, made = database_in_use.upgrade, tmp_path_factory.mktemp("migrated") / "wenan.db"

    def copied(url: str) -> None:
        file = Path(make_url(url).database or "")
        if url.startswith("sqlite") and file.name and not file.exists():
            if not made.exists():
                upgrade(f"sqlite:///{made}")
            with suppress(OSError):  # `upgrade` says it its own way
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(made.read_bytes())
        upgrade(url)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database_in_use, "upgrade", copied)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_garbage() -> None:
    """What was there before the first test stays to the end: there is no use in looking through it again and again."""
    gc.collect()
    gc.freeze()
