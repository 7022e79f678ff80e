"""What the log may know of an error: never what was to be written."""

from __future__ import annotations

import errno
import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import JSON, Column, MetaData, String, Table, insert
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from storage.database import Database
from storage.faults import Discreet, where

people = Table(
    "person", MetaData(), Column("name", String), Column("number", String, unique=True), Column("said", JSON)
)
ROW = {"name": "王秀英", "number": "+862155500001", "said": {"text": "救命,我摔倒了" * 2000}}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/wenan.db")
    people.create(database.engine)
    yield database
    database.close()


def full_disk(db: Database) -> OperationalError:
    """No page can be added to the file any more."""
    with db.write() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count={pages}")
        with pytest.raises(OperationalError, match="full") as caught:
            session.execute(insert(people).values(**ROW))
        session.rollback()
    return caught.value


def twice(db: Database) -> IntegrityError:
    with db.write() as session:
        session.execute(insert(people).values(**ROW | {"said": None}))
        with pytest.raises(IntegrityError) as caught:
            session.execute(insert(people).values(**ROW))
        session.rollback()
    return caught.value


@pytest.mark.parametrize(("fail", "code"), [(full_disk, "SQLITE_FULL"), (twice, "SQLITE_CONSTRAINT_UNIQUE")])
def test_a_failed_write_tells_the_code_and_nobodys_name_number_or_words(db: Database, fail: object, code: str) -> None:
    error: DBAPIError = fail(db)  # type: ignore[operator]
    for told in (str(error), where(error)):
        assert not [secret for secret in ("王秀英", "2155500001", "救命", "\\u") if secret in told]
    assert where(error).startswith(f"{type(error).__name__} {code} at test_faults.py:")


def test_the_place_is_our_own_line_and_not_the_librarys() -> None:
    with pytest.raises(ValueError, match="invalid literal") as caught:
        int("王秀英")
    assert re.fullmatch(r"ValueError at test_faults\.py:\d+", where(caught.value))
    assert where(KeyError("王秀英")) == "KeyError"
    assert where(OSError(errno.ENOSPC, "王秀英")) == "OSError ENOSPC"


def test_of_postgresqls_errors_the_sqlstate_is_told() -> None:
    class RefusedError(Exception):
        sqlstate = "53100"

    assert where(OperationalError("insert", None, RefusedError("王秀英"))) == "OperationalError 53100"
    RefusedError.sqlstate = "Key (name)=(王秀英)"
    assert where(OperationalError("insert", None, RefusedError())) == "OperationalError"


def test_errors_that_others_log_show_the_way_without_a_message() -> None:
    """The web server and the event loop log whatever comes up to them, with all they know of it."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(Discreet("%(levelname)s %(message)s"))
    others = logging.Logger("others")
    others.addHandler(handler)
    try:
        try:
            raise KeyError("+862155500001")
        except KeyError as first:
            raise LookupError("王秀英".encode("unicode_escape").decode()) from first
    except LookupError:
        others.exception("Exception in ASGI application")
    told = out.getvalue()
    assert told.startswith("ERROR Exception in ASGI application\nTraceback (most recent call last):\n")
    assert told.rstrip().endswith("LookupError")
    assert "test_faults.py" in told
    shown = [line for line in told.splitlines() if not line.startswith("    ")]  # but for lines of our source
    assert not [secret for secret in ("2155500001", "王", "\\u") if secret in "\n".join(shown)]
