"""where an elder lives, and who has the key

Revision ID: d5eac4fb6d87
Revises: d4d9b3ea5c76
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "d5eac4fb6d87"
down_revision: str | None = "d4d9b3ea5c76"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("address", sa.String(length=100), nullable=True))
        batch_op.add_column(sa.Column("key_holder", sa.String(length=100), nullable=True))
        batch_op.add_column(sa.Column("notes", sa.String(length=200), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_column("notes")
        batch_op.drop_column("key_holder")
        batch_op.drop_column("address")
