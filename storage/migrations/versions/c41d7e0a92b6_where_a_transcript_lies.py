"""where a transcript lies, and its margin

Revision ID: c41d7e0a92b6
Revises: c41f0d9a7e35
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "c41d7e0a92b6"
down_revision: str | None = "c41f0d9a7e35"
branch_labels: str | None = None
depends_on: str | None = None

COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "live_margin": sa.Float(),
    "live_begin_ms": sa.Integer(),
    "live_end_ms": sa.Integer(),
    "margin": sa.Float(),
    "begin_ms": sa.Integer(),
    "end_ms": sa.Integer(),
}


def upgrade() -> None:
    with op.batch_alter_table("transcripts", schema=None) as batch_op:
        for name, kind in COLUMNS.items():
            batch_op.add_column(sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("transcripts", schema=None) as batch_op:
        for name in reversed(COLUMNS):
            batch_op.drop_column(name)
