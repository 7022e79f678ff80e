"""Runs revisions on the connection that storage.migrate hands over (never on one of its own)."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from storage.database import Base, UtcTime


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Revisions must not depend on today's code: our own type is written as what it is in the database."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, UtcTime) else False


def run() -> None:
    connection: Connection | None = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError("run migrations with storage.migrate.upgrade(url), not with alembic's own command")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
