"""where other programs want to be told what happens, and what is still to be told to them

Revision ID: d8e4b1c97a63
Revises: e8f2a94c6d17
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "d8e4b1c97a63"
down_revision: str | None = "e8f2a94c6d17"
branch_labels: str | None = None
depends_on: str | None = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "outgoing_endpoint",
        sa.Column("id", _ID, nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("secret", sa.String(length=120), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("neighbourhood_id", sa.Integer(), nullable=True),
        sa.Column("made_by", sa.String(length=100), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("paused_by", sa.String(length=100), nullable=True),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.Column("removed_by", sa.String(length=100), nullable=True),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.Column("failing", sa.String(length=60), nullable=True),
        sa.ForeignKeyConstraint(
            ["neighbourhood_id"], ["neighbourhood.id"], name=op.f("fk_outgoing_endpoint_neighbourhood_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_endpoint")),
    )
    op.create_table(
        "outgoing_message",
        sa.Column("id", _ID, nullable=False),
        sa.Column("endpoint_id", _ID, nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("neighbourhood_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_since", sa.BigInteger(), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["outgoing_endpoint.id"], name=op.f("fk_outgoing_message_endpoint_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_message")),
        sa.UniqueConstraint("message_id", name=op.f("uq_outgoing_message_message_id")),
    )
    unsent = sa.text("sent_at IS NULL")
    with op.batch_alter_table("outgoing_message", schema=None) as batch_op:
        batch_op.create_index("ix_outgoing_message_endpoint_id", ["endpoint_id"], unique=False)
        batch_op.create_index("ix_outgoing_message_at", ["at"], unique=False)
        batch_op.create_index(
            "ix_outgoing_message_due", ["next_at"], unique=False, sqlite_where=unsent, postgresql_where=unsent
        )


def downgrade() -> None:
    op.drop_table("outgoing_message")
    op.drop_table("outgoing_endpoint")
