"""The shipped revisions make exactly the tables of the code, on both databases' terms."""

from __future__ import annotations

from alembic import command
from sqlalchemy import create_engine, inspect

from storage import migrate


def test_no_table_or_column_lacks_its_revision() -> None:
    care = [
        "tables",
        "roster.tables",
        "items",
        "contacts",
        "pins",
        "alarms",
        "device_tables",
        "register_log",
        "office_log",
    ]
    assert (
        migrate.missing(
            [
                *(f"checkins.{name}" for name in care),
                "ivr.records",
                "keeping.tables",
                "community.tables",
                "community.tickets_tables",
                "community.ballot_tables",
                "community.notice_tables",
                "console.accounts_tables",
                "console.tokens_tables",
                "checkins.outgoing_tables",
                "community.meeting_tables",
            ]
        )
        == []
    )


def test_every_revision_leads_up_and_down_again(any_url: str) -> None:
    migrate.upgrade(any_url)
    newest = tables(any_url)
    assert {"call", "checkin", "transcripts", "roster_pair", "item", "complaint"} <= newest
    down(any_url, "ba29725b181e")
    older = tables(any_url)
    roster = {name for name in older if name.startswith("roster_")} | {"calendar_day"}
    down(any_url, "58603d7fe259")
    assert tables(any_url) == older - roster
    down(any_url, "0bae21ec8071")
    assert tables(any_url) == older - roster - {"transcripts"}
    migrate.upgrade(any_url)
    assert tables(any_url) == newest
    down(any_url, "base")
    assert tables(any_url) == {"alembic_version"}


def down(url: str, to: str) -> None:
    with migrate._connection(url) as connection, connection.begin():
        command.downgrade(migrate._config(connection, migrate.SCRIPTS), to)


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()
