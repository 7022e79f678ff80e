"""devices, and who must hear that a case is taken

Revision ID: d2b7f1c83a54
Revises: d1a4c6b90e21
"""

from __future__ import annotations

revision: str = "d2b7f1c83a54"
down_revision: str | None = "d1a4c6b90e21"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
