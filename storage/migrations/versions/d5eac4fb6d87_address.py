"""where an elder lives, and who has the key

Revision ID: d5eac4fb6d87
Revises: d4d9b3ea5c76
"""

from __future__ import annotations

revision: str = "d5eac4fb6d87"
down_revision: str | None = "d4d9b3ea5c76"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
