"""the search for a person

Revision ID: c41f0d9a7e35
Revises: ba29725b181e
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "c41f0d9a7e35"
down_revision: str | None = "ba29725b181e"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    with op.batch_alter_table("neighbourhood", schema=None) as batch_op:
        batch_op.add_column(sa.Column("escalation", sa.JSON(none_as_null=True), nullable=True))
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("escalation", sa.JSON(none_as_null=True), nullable=True))
    with op.batch_alter_table("checkin", schema=None) as batch_op:
        batch_op.add_column(sa.Column("search", sa.JSON(none_as_null=True), nullable=True))
    with op.batch_alter_table("call_intent", schema=None) as batch_op:
        batch_op.add_column(sa.Column("flow", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("responder", sa.String(length=36), nullable=True))
        batch_op.create_index(batch_op.f("ix_call_intent_responder"), ["responder"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("call_intent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_call_intent_responder"))
        batch_op.drop_column("responder")
        batch_op.drop_column("flow")
    with op.batch_alter_table("checkin", schema=None) as batch_op:
        batch_op.drop_column("search")
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_column("escalation")
    with op.batch_alter_table("neighbourhood", schema=None) as batch_op:
        batch_op.drop_column("escalation")
