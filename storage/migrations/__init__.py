"""Alembic environment and revisions; ships with the package."""
