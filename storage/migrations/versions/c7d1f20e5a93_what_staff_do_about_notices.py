"""what staff do about notices

Revision ID: c7d1f20e5a93
Revises: a8d3f05c61e2
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "c7d1f20e5a93"
down_revision: str | None = "a8d3f05c61e2"
branch_labels: str | None = None
depends_on: str | None = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "notice_event",
        sa.Column("id", _ID, nullable=False),
        sa.Column("notice_id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("call_id", sa.String(length=36), nullable=True),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_notice_event_notice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_event")),
    )
    with op.batch_alter_table("notice_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_event_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_notice_event_call_id"), ["call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_notice_event_notice_id"), ["notice_id"], unique=False)


def downgrade() -> None:
    op.drop_table("notice_event")
