"""The shipped revisions make exactly the tables of the code, on both databases' terms."""

from __future__ import annotations

from storage.migrate import missing


def test_no_table_or_column_lacks_its_revision() -> None:
    assert missing(["checkins.tables", "ivr.records"]) == []
