"""handing a call over to a person

Revision ID: d4d9b3ea5c76
Revises: d3c8a2d94b65
"""

from __future__ import annotations

revision: str = "d4d9b3ea5c76"
down_revision: str | None = "d3c8a2d94b65"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
