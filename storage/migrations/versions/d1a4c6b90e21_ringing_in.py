"""ringing in, contacts logged, items for staff

Revision ID: d1a4c6b90e21
Revises: c41d7e0a92b6
"""

from __future__ import annotations

revision: str = "d1a4c6b90e21"
down_revision: str | None = "c41d7e0a92b6"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
