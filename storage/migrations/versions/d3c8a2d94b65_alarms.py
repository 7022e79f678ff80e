"""alarms

Revision ID: d3c8a2d94b65
Revises: d2b7f1c83a54
"""

from __future__ import annotations

revision: str = "d3c8a2d94b65"
down_revision: str | None = "d2b7f1c83a54"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
