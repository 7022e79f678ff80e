"""what the committee lets its elders know, and who has heard it

Revision ID: f4a81c6d2e07
Revises: e1b7c40d9a36
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "f4a81c6d2e07"
down_revision: str | None = "e1b7c40d9a36"
branch_labels: str | None = None
depends_on: str | None = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", _ID, nullable=False),
        sa.Column("neighbourhood_id", _ID, nullable=False),
        sa.Column("topic", sa.String(length=16), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("recording", sa.String(length=200), nullable=True),
        sa.Column("buildings", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("complaint_id", _ID, nullable=True),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_by", sa.String(length=100), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_notice_complaint_id")),
        sa.ForeignKeyConstraint(["neighbourhood_id"], ["neighbourhood.id"], name=op.f("fk_notice_neighbourhood_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index("ix_notice_valid", ["neighbourhood_id", "valid_until"], unique=False)

    op.create_table(
        "notice_hearer",
        sa.Column("id", _ID, nullable=False),
        sa.Column("notice_id", _ID, nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("intent_id", sa.String(length=36), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("given_up_at", sa.BigInteger(), nullable=True),
        sa.Column("call_id", sa.String(length=36), nullable=True),
        sa.Column("nth", sa.Integer(), nullable=False),
        sa.Column("heard_at", sa.BigInteger(), nullable=True),
        sa.Column("understood_at", sa.BigInteger(), nullable=True),
        sa.Column("by", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_notice_hearer_notice_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_notice_hearer_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_hearer")),
        sa.UniqueConstraint("notice_id", "person_id", name=op.f("uq_notice_hearer_notice_id_person_id")),
    )
    with op.batch_alter_table("notice_hearer", schema=None) as batch_op:
        batch_op.create_index("ix_notice_hearer_due", ["due_at"], unique=False)
        batch_op.create_index("ix_notice_hearer_person", ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_notice_hearer_call_id"), ["call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_notice_hearer_intent_id"), ["intent_id"], unique=False)


def downgrade() -> None:
    op.drop_table("notice_hearer")
    op.drop_table("notice")
