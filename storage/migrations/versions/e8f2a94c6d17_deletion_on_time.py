"""what was deleted on time

Revision ID: e8f2a94c6d17
Revises: c3f7a1d80b52
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "e8f2a94c6d17"
down_revision: str | None = "c3f7a1d80b52"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "keep_run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keep_run")),
    )
    op.create_index("ix_keep_run_began_at", "keep_run", ["began_at"])


def downgrade() -> None:
    op.drop_table("keep_run")
