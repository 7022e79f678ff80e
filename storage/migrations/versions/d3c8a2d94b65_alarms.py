"""alarms

Revision ID: d3c8a2d94b65
Revises: d2b7f1c83a54
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "d3c8a2d94b65"
down_revision: str | None = "d2b7f1c83a54"
branch_labels: str | None = None
depends_on: str | None = None

_OPEN = sa.text("over_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("acknowledged_by", sa.String(length=100), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("over_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
    )
    with op.batch_alter_table("alarm", schema=None) as batch_op:
        batch_op.create_index("ix_alarm_shown", ["over_at", "acknowledged_at"], unique=False)
        batch_op.create_index(
            "uq_alarm_open", ["kind", "subject"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
        )
    op.create_table(
        "alarm_way",
        sa.Column("alarm_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=True),
        sa.Column("rung", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarm.id"], name=op.f("fk_alarm_way_alarm_id")),
        sa.PrimaryKeyConstraint("alarm_id", "way", name=op.f("pk_alarm_way")),
    )
    with op.batch_alter_table("alarm_way", schema=None) as batch_op:
        batch_op.create_index("ix_alarm_way_due", ["next_at"], unique=False)
    with op.batch_alter_table("call_intent", schema=None) as batch_op:
        batch_op.add_column(sa.Column("trunk", sa.String(length=16), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("call_intent", schema=None) as batch_op:
        batch_op.drop_column("trunk")
    with op.batch_alter_table("alarm_way", schema=None) as batch_op:
        batch_op.drop_index("ix_alarm_way_due")
    op.drop_table("alarm_way")
    with op.batch_alter_table("alarm", schema=None) as batch_op:
        batch_op.drop_index("uq_alarm_open")
        batch_op.drop_index("ix_alarm_shown")
    op.drop_table("alarm")
