"""complaints, what was dictated, replies, meetings

Revision ID: bb6674e4ef8c
Revises: d6fbd50c7e98
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "bb6674e4ef8c"
down_revision: str | None = "d6fbd50c7e98"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "complaint",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("neighbourhood_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=True),
        sa.Column("caller_number", sa.String(length=20), nullable=True),
        sa.Column("call_id", sa.String(length=36), nullable=False),
        sa.Column("nth", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("wish", sa.String(length=16), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=True),
        sa.Column("place", sa.String(length=100), nullable=True),
        sa.Column("sorted_by", sa.String(length=100), nullable=True),
        sa.Column("owner", sa.String(length=100), nullable=True),
        sa.Column("heard_due", sa.BigInteger(), nullable=True),
        sa.Column("heard_at", sa.BigInteger(), nullable=True),
        sa.Column("heard_by", sa.String(length=100), nullable=True),
        sa.Column("answer_due", sa.BigInteger(), nullable=True),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("level_above", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("text_by", sa.String(length=100), nullable=True),
        sa.Column("closed_by", sa.String(length=100), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("close_reason", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["neighbourhood_id"], ["neighbourhood.id"], name=op.f("fk_complaint_neighbourhood_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_complaint_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint")),
        sa.UniqueConstraint("call_id", "nth", name=op.f("uq_complaint_call_id_nth")),
        sa.UniqueConstraint("number", name=op.f("uq_complaint_number")),
    )
    with op.batch_alter_table("complaint", schema=None) as batch_op:
        batch_op.create_index("ix_complaint_open", ["status", "neighbourhood_id"], unique=False)
        batch_op.create_index("ix_complaint_person", ["person_id", "opened_at"], unique=False)

    op.create_table(
        "complaint_dictation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("complaint_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("call_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recording", sa.String(length=200), nullable=False),
        sa.Column("transcript", sa.Text(), nullable=False),
        sa.Column("engine", sa.String(length=32), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_complaint_dictation_complaint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_dictation")),
        sa.UniqueConstraint(
            "complaint_id", "call_id", "name", name=op.f("uq_complaint_dictation_complaint_id_call_id_name")
        ),
    )
    with op.batch_alter_table("complaint_dictation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_complaint_dictation_call_id"), ["call_id"], unique=False)

    op.create_table(
        "complaint_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("complaint_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("call_id", sa.String(length=36), nullable=True),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_complaint_event_complaint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_event")),
    )
    with op.batch_alter_table("complaint_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_complaint_event_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_complaint_event_call_id"), ["call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_complaint_event_complaint_id"), ["complaint_id"], unique=False)

    op.create_table(
        "complaint_meeting",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("complaint_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.Column("with_whom", sa.String(length=200), nullable=False),
        sa.Column("booked_by", sa.String(length=100), nullable=False),
        sa.Column("booked_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("noted_by", sa.String(length=100), nullable=True),
        sa.Column("noted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_complaint_meeting_complaint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_meeting")),
    )
    with op.batch_alter_table("complaint_meeting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_complaint_meeting_complaint_id"), ["complaint_id"], unique=False)

    op.create_table(
        "complaint_reply",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("complaint_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("recording", sa.String(length=200), nullable=True),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("intent_id", sa.String(length=36), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("outcome_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_complaint_reply_complaint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_reply")),
        sa.UniqueConstraint("complaint_id", "round", name=op.f("uq_complaint_reply_complaint_id_round")),
    )
    with op.batch_alter_table("complaint_reply", schema=None) as batch_op:
        batch_op.create_index("ix_complaint_reply_due", ["due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_complaint_reply_intent_id"), ["intent_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("complaint_reply", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_complaint_reply_intent_id"))
        batch_op.drop_index("ix_complaint_reply_due")

    op.drop_table("complaint_reply")
    with op.batch_alter_table("complaint_meeting", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_complaint_meeting_complaint_id"))

    op.drop_table("complaint_meeting")
    with op.batch_alter_table("complaint_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_complaint_event_complaint_id"))
        batch_op.drop_index(batch_op.f("ix_complaint_event_call_id"))
        batch_op.drop_index(batch_op.f("ix_complaint_event_at"))

    op.drop_table("complaint_event")
    with op.batch_alter_table("complaint_dictation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_complaint_dictation_call_id"))

    op.drop_table("complaint_dictation")
    with op.batch_alter_table("complaint", schema=None) as batch_op:
        batch_op.drop_index("ix_complaint_person")
        batch_op.drop_index("ix_complaint_open")

    op.drop_table("complaint")
