"""the telephone of an owners' roll: by it staff tell the result to who is not in the register

Revision ID: a8d3f05c61e2
Revises: f9c20b7e41d8
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "a8d3f05c61e2"
down_revision: str | None = "f9c20b7e41d8"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    with op.batch_alter_table("ballot_slot", schema=None) as batch_op:
        batch_op.add_column(sa.Column("phone", sa.String(length=40), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("ballot_slot", schema=None) as batch_op:
        batch_op.drop_column("phone")
