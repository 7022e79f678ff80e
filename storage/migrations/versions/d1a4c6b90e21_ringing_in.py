"""ringing in, contacts logged, items for staff

Revision ID: d1a4c6b90e21
Revises: c41d7e0a92b6
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "d1a4c6b90e21"
down_revision: str | None = "c41d7e0a92b6"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "contact",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("intent_id", sa.String(length=36), nullable=False),
        sa.Column("elder_id", sa.String(length=36), nullable=False),
        sa.Column("buddy_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("condition", sa.String(length=16), nullable=False),
        sa.Column("recording", sa.String(length=200), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["buddy_id"], ["person.id"], name=op.f("fk_contact_buddy_id")),
        sa.ForeignKeyConstraint(["elder_id"], ["person.id"], name=op.f("fk_contact_elder_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("intent_id", "elder_id", name=op.f("uq_contact_intent_id_elder_id")),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_buddy_id"), ["buddy_id"], unique=False)
        batch_op.create_index("ix_contact_elder_at", ["elder_id", "at"], unique=False)

    op.create_table(
        "item",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("neighbourhood_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=True),
        sa.Column("by_id", sa.String(length=36), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("done_by", sa.String(length=100), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["neighbourhood_id"], ["neighbourhood.id"], name=op.f("fk_item_neighbourhood_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_item_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
    )
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.create_index(
            "uq_item_open",
            ["neighbourhood_id", "key"],
            unique=True,
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )

    op.create_table(
        "pin",
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("hashed", sa.String(length=200), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("locked_at", sa.BigInteger(), nullable=True),
        sa.Column("set_by", sa.String(length=100), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_pin_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_pin")),
    )


def downgrade() -> None:
    op.drop_table("pin")
    op.drop_table("item")
    op.drop_table("contact")
