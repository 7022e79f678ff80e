"""handing a call over to a person

Revision ID: d4d9b3ea5c76
Revises: d3c8a2d94b65
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "d4d9b3ea5c76"
down_revision: str | None = "d3c8a2d94b65"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Which call somebody else is rung out of, and how far that is; no such thing was done before."""
    with op.batch_alter_table("call") as batch:
        batch.add_column(sa.Column("handing", sa.JSON(none_as_null=True), nullable=True))
    with op.batch_alter_table("call_intent") as batch:
        batch.add_column(sa.Column("for_call", sa.String(length=36), nullable=True))
        batch.create_index("uq_call_intent_for_call", ["for_call", "try_no"], unique=True)


def downgrade() -> None:
    with op.batch_alter_table("call_intent") as batch:
        batch.drop_index("uq_call_intent_for_call")
        batch.drop_column("for_call")
    with op.batch_alter_table("call") as batch:
        batch.drop_column("handing")
