"""ballots

Revision ID: e1b7c40d9a36
Revises: c7f1d09b3a52
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "e1b7c40d9a36"
down_revision: str | None = "c7f1d09b3a52"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "ballot",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("neighbourhood_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("opens_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("sealed_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(["neighbourhood_id"], ["neighbourhood.id"], name=op.f("fk_ballot_neighbourhood_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot")),
        sa.UniqueConstraint("number", name=op.f("uq_ballot_number")),
    )
    with op.batch_alter_table("ballot", schema=None) as batch_op:
        batch_op.create_index("ix_ballot_open", ["sealed_at", "closes_at"], unique=False)

    op.create_table(
        "ballot_call",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ballot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("errand", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("intent_id", sa.String(length=36), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_call_ballot_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_ballot_call_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot_call")),
        sa.UniqueConstraint("ballot_id", "person_id", "errand", name=op.f("uq_ballot_call_ballot_id_person_id_errand")),
    )
    with op.batch_alter_table("ballot_call", schema=None) as batch_op:
        batch_op.create_index("ix_ballot_call_due", ["due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_ballot_call_intent_id"), ["intent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ballot_call_person_id"), ["person_id"], unique=False)

    op.create_table(
        "ballot_choice",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("ballot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("voter", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.Integer(), nullable=False),
        sa.Column("nth", sa.Integer(), nullable=False),
        sa.Column("option", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_choice_ballot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot_choice")),
        sa.UniqueConstraint(
            "ballot_id", "voter", "topic", "nth", name=op.f("uq_ballot_choice_ballot_id_voter_topic_nth")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ballot_slot",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ballot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("owners", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("letter", sa.Integer(), nullable=True),
        sa.Column("pin", sa.String(length=200), nullable=True),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("locked_at", sa.BigInteger(), nullable=True),
        sa.Column("holder", sa.String(length=100), nullable=True),
        sa.Column("channel", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_slot_ballot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot_slot")),
        sa.UniqueConstraint("ballot_id", "code", name=op.f("uq_ballot_slot_ballot_id_code")),
        sa.UniqueConstraint("ballot_id", "letter", name=op.f("uq_ballot_slot_ballot_id_letter")),
    )
    op.create_table(
        "ballot_topic",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ballot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(length=300), nullable=False),
        sa.Column("options", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_topic_ballot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot_topic")),
        sa.UniqueConstraint("ballot_id", "position", name=op.f("uq_ballot_topic_ballot_id_position")),
    )
    op.create_table(
        "ballot_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ballot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("call_id", sa.String(length=36), nullable=True),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_event_ballot_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["ballot_slot.id"], name=op.f("fk_ballot_event_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot_event")),
    )
    with op.batch_alter_table("ballot_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ballot_event_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_ballot_event_ballot_id"), ["ballot_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ballot_event_call_id"), ["call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ballot_event_slot_id"), ["slot_id"], unique=False)

    op.create_table(
        "ballot_member",
        sa.Column("slot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_ballot_member_person_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["ballot_slot.id"], name=op.f("fk_ballot_member_slot_id")),
        sa.PrimaryKeyConstraint("slot_id", "person_id", name=op.f("pk_ballot_member")),
    )
    with op.batch_alter_table("ballot_member", schema=None) as batch_op:
        batch_op.create_index("ix_ballot_member_person", ["person_id"], unique=False)

    op.create_table(
        "ballot_proxy",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("document", sa.String(length=200), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["slot_id"], ["ballot_slot.id"], name=op.f("fk_ballot_proxy_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot_proxy")),
    )
    with op.batch_alter_table("ballot_proxy", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ballot_proxy_slot_id"), ["slot_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("ballot_proxy", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ballot_proxy_slot_id"))

    op.drop_table("ballot_proxy")
    with op.batch_alter_table("ballot_member", schema=None) as batch_op:
        batch_op.drop_index("ix_ballot_member_person")

    op.drop_table("ballot_member")
    with op.batch_alter_table("ballot_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ballot_event_slot_id"))
        batch_op.drop_index(batch_op.f("ix_ballot_event_call_id"))
        batch_op.drop_index(batch_op.f("ix_ballot_event_ballot_id"))
        batch_op.drop_index(batch_op.f("ix_ballot_event_at"))

    op.drop_table("ballot_event")
    op.drop_table("ballot_topic")
    op.drop_table("ballot_slot")
    op.drop_table("ballot_choice")
    with op.batch_alter_table("ballot_call", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ballot_call_person_id"))
        batch_op.drop_index(batch_op.f("ix_ballot_call_intent_id"))
        batch_op.drop_index("ix_ballot_call_due")

    op.drop_table("ballot_call")
    with op.batch_alter_table("ballot", schema=None) as batch_op:
        batch_op.drop_index("ix_ballot_open")

    op.drop_table("ballot")
