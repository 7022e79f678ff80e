"""what the office reads in and gives out; logs are found by when something was done

Revision ID: b7e2c94d10fa
Revises: c7d1f20e5a93
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "b7e2c94d10fa"
down_revision: str | None = "c7d1f20e5a93"
branch_labels: str | None = None
depends_on: str | None = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LISTENED = sa.text("kind = 'listened'")
_AT = (
    ("ix_person_event_at", "person_event", "at"),
    ("ix_account_event_at", "account_event", "at"),
    ("ix_item_done_at", "item", "done_at"),
)


def upgrade() -> None:
    op.create_table(
        "office_event",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("neighbourhood_id", _ID, nullable=True),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["neighbourhood_id"], ["neighbourhood.id"], name=op.f("fk_office_event_neighbourhood_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office_event")),
    )
    op.create_index("ix_office_event_at", "office_event", ["at"])
    for name, table, column in _AT:
        op.create_index(name, table, [column])
    op.create_index("ix_call_event_listened", "call_event", ["at"], sqlite_where=_LISTENED, postgresql_where=_LISTENED)


def downgrade() -> None:
    op.drop_index("ix_call_event_listened", "call_event", sqlite_where=_LISTENED, postgresql_where=_LISTENED)
    for name, table, _column in reversed(_AT):
        op.drop_index(name, table)
    op.drop_table("office_event")
