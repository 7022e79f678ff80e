"""the times for a meeting that are offered by telephone, and who is asked for them

Revision ID: a5d9e2c71b40
Revises: f4a81c6d2e07
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "a5d9e2c71b40"
down_revision: str | None = "f4a81c6d2e07"
branch_labels: str | None = None
depends_on: str | None = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "complaint_meeting_plan",
        sa.Column("id", _ID, nullable=False),
        sa.Column("complaint_id", _ID, nullable=False),
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.Column("with_whom", sa.String(length=200), nullable=False),
        sa.Column("times", sa.JSON(), nullable=False),
        sa.Column("struck", sa.JSON(), nullable=False),
        sa.Column("chosen", sa.Integer(), nullable=True),
        sa.Column("meeting_id", _ID, nullable=True),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by_hand_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_complaint_meeting_plan_complaint_id")
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["complaint_meeting.id"], name=op.f("fk_complaint_meeting_plan_meeting_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_meeting_plan")),
    )
    with op.batch_alter_table("complaint_meeting_plan", schema=None) as batch_op:
        batch_op.create_index("ix_complaint_meeting_plan_open", ["ended_at", "complaint_id"], unique=False)

    op.create_table(
        "complaint_meeting_party",
        sa.Column("id", _ID, nullable=False),
        sa.Column("plan_id", _ID, nullable=False),
        sa.Column("nth", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("ask", sa.String(length=16), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("intent_id", sa.String(length=36), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_complaint_meeting_party_person_id")),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["complaint_meeting_plan.id"], name=op.f("fk_complaint_meeting_party_plan_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_meeting_party")),
        sa.UniqueConstraint("plan_id", "nth", name=op.f("uq_complaint_meeting_party_plan_id_nth")),
    )
    with op.batch_alter_table("complaint_meeting_party", schema=None) as batch_op:
        batch_op.create_index("ix_complaint_meeting_party_due", ["due_at"], unique=False)
        batch_op.create_index("ix_complaint_meeting_party_person", ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_complaint_meeting_party_intent_id"), ["intent_id"], unique=False)


def downgrade() -> None:
    op.drop_table("complaint_meeting_party")
    op.drop_table("complaint_meeting_plan")
