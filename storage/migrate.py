"""Brings a database to the newest revision; writes new revisions (developers only).

    python -m storage.migrate upgrade sqlite:///data/wenan.db
    python -m storage.migrate revision "what changes" checkins.tables ivr.records

The second compares the tables of the named modules with a fresh database made by the revisions so far. This
room imports nothing of ours, so the modules that define tables are named by whoever calls.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from storage.database import Base, Database

SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x77656E616E  # "wenan": PostgreSQL's advisory lock while migrating


def upgrade(url: str, scripts: Path = SCRIPTS) -> None:
    """Runs all revisions that `url` lacks, in one transaction; creates the folder of an SQLite file. Two processes
    that start at once wait for each other. Raises RuntimeError when a revision left dangling references."""
    with _connection(url) as connection, connection.begin():
        _alone(connection)
        command.upgrade(_config(connection, scripts), "head")
        _check_references(connection)


def is_current(connection: Connection, scripts: Path = SCRIPTS) -> bool:
    """Whether it has all revisions; only looks. CommandError when it has one that this program doesn't know."""
    known = ScriptDirectory.from_config(_config(connection, scripts))
    here = set(MigrationContext.configure(connection).get_current_heads())
    for each in here:
        known.get_revision(each)
    return here == set(known.get_heads())


def revision(message: str, modules: Sequence[str], scripts: Path = SCRIPTS) -> None:
    """Writes the revision that leads from the newest one to the tables of `modules`."""
    for module in modules:
        import_module(module)
    with _fresh(scripts) as connection, connection.begin():
        command.revision(_config(connection, scripts), message, autogenerate=True)


def missing(modules: Sequence[str], scripts: Path = SCRIPTS) -> list[Any]:
    """What the revisions lack against the tables of `modules` (empty: nothing); for a test."""
    for module in modules:
        import_module(module)
    with _fresh(scripts) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


@contextmanager
def _fresh(scripts: Path) -> Iterator[Connection]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/fresh.db"
        upgrade(url, scripts)
        with _connection(url) as connection:
            yield connection


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    database = Database(url, workers=1)
    try:
        with database.engine.connect().execution_options(wenan_begin="IMMEDIATE") as connection:
            if database.sqlite:
                _without_references(connection)
            yield connection
    finally:
        database.close()


def _without_references(connection: Connection) -> None:
    """SQLite changes a table by copying it; with references enforced, dropping the old one would delete rows that
    refer to it. The pragma counts only outside a transaction, so it goes to the driver directly."""
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys=OFF")


def _alone(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _check_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"migration left {len(broken)} dangling references, first in table {broken[0][0]}")


def _config(connection: Connection, scripts: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def main(arguments: Sequence[str]) -> int:
    match list(arguments):
        case ["upgrade", url]:
            upgrade(url)
        case ["revision", message, *modules] if modules:
            revision(message, modules)
        case _:
            print((__doc__ or "").strip(), file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
