"""what of the register was changed, on whose word

Revision ID: c7f1d09b3a52
Revises: 2babcb9c8087
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "c7f1d09b3a52"
down_revision: str | None = "2babcb9c8087"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "person_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("said_by", sa.String(length=100), nullable=True),
        sa.Column("how", sa.String(length=16), nullable=True),
        sa.Column("call_id", sa.String(length=36), nullable=True),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_event_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_event")),
    )
    with op.batch_alter_table("person_event", schema=None) as batch_op:
        batch_op.create_index("ix_person_event_person", ["person_id", "what", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_person_event_call_id"), ["call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_person_event_what"), ["what"], unique=False)


def downgrade() -> None:
    op.drop_table("person_event")
