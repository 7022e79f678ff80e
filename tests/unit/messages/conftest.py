"""A neighbourhood, and another program that wants to be told."""

from __future__ import annotations

from tests.unit.checkins.conftest import any_world, postgres_tables, world

__all__ = ["any_world", "postgres_tables", "world"]
