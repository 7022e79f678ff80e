"""who made a notice urgent; what the rounds look for is found without reading whole tables

Revision ID: f9c20b7e41d8
Revises: a5c0e81d7b46
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "f9c20b7e41d8"
down_revision: str | None = "a5c0e81d7b46"
branch_labels: str | None = None
depends_on: str | None = None

_OPEN = sa.text("understood_at IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.add_column(sa.Column("urgent_by", sa.String(length=100), nullable=True))
    op.execute(sa.text('UPDATE notice SET urgent_by = "by" WHERE urgent'))
    with op.batch_alter_table("notice_hearer", schema=None) as batch_op:
        batch_op.create_index(
            "ix_notice_hearer_open",
            ["notice_id", "given_up_at"],
            unique=False,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        )
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.create_index("ix_item_key", ["neighbourhood_id", "key"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.drop_index("ix_item_key")
    with op.batch_alter_table("notice_hearer", schema=None) as batch_op:
        batch_op.drop_index("ix_notice_hearer_open", sqlite_where=_OPEN, postgresql_where=_OPEN)
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_column("urgent_by")
