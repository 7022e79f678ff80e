"""since when a device is in test mode: it ends by itself

A device that was left in test mode is live from now on.

Revision ID: d6fbd50c7e98
Revises: d5eac4fb6d87
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "d6fbd50c7e98"
down_revision: str | None = "d5eac4fb6d87"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.add_column(sa.Column("testing_since", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_column("testing_since")
