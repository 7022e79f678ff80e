"""Revisions: run once or twice, by one process or two; and what they lack is seen."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, Table, create_engine, inspect, text

from storage import migrate
from storage.database import Base

ENV = (migrate.SCRIPTS / "env.py").read_text("utf-8")
MAKO = (migrate.SCRIPTS / "script.py.mako").read_text("utf-8")
FIRST = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade():
    op.create_table("elder", sa.Column("id", sa.Integer, primary_key=True))
    op.create_table(
        "visit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("elder_id", sa.Integer, sa.ForeignKey("elder.id")),
    )
    op.execute("INSERT INTO elder VALUES (1)")
    op.execute("INSERT INTO visit VALUES (1, 1)")
"""
SECOND = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade():
    with op.batch_alter_table("elder") as batch:
        batch.add_column(sa.Column("slot", sa.Integer))
"""
BROKEN = """
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade():
    op.execute("DELETE FROM elder")
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A history of its own, so that these tests don't change with the house's."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENV, "utf-8")
    (folder / "script.py.mako").write_text(MAKO, "utf-8")
    (folder / "versions" / "0001_first.py").write_text(FIRST, "utf-8")
    return folder


@pytest.fixture
def extra_table() -> Iterator[Table]:
    """A table that no revision knows."""
    table = Table("extra_of_a_test", Base.metadata, Column("id", Integer, primary_key=True))
    yield table
    Base.metadata.remove(table)


def ask(url: str, query: str) -> list[object]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return list(connection.execute(text(query)).scalars())
    finally:
        engine.dispose()


def test_upgrade_makes_the_folder_and_twice_is_once(tmp_path: Path, scripts: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/folder/wenan.db"
    migrate.upgrade(url, scripts)
    migrate.upgrade(url, scripts)
    assert ask(url, "SELECT id FROM elder") == [1]
    assert ask(url, "SELECT version_num FROM alembic_version") == ["0001"]


def test_a_table_that_others_refer_to_is_changed_without_losing_a_row(tmp_path: Path, scripts: Path) -> None:
    url = f"sqlite:///{tmp_path}/wenan.db"
    migrate.upgrade(url, scripts)
    (scripts / "versions" / "0002_second.py").write_text(SECOND, "utf-8")
    migrate.upgrade(url, scripts)
    assert ask(url, "SELECT elder_id FROM visit") == [1]
    engine = create_engine(url)
    assert {column["name"] for column in inspect(engine).get_columns("elder")} == {"id", "slot"}
    engine.dispose()


def test_a_revision_that_leaves_dangling_references_changes_nothing(tmp_path: Path, scripts: Path) -> None:
    url = f"sqlite:///{tmp_path}/wenan.db"
    migrate.upgrade(url, scripts)
    (scripts / "versions" / "0002_broken.py").write_text(BROKEN, "utf-8")
    with pytest.raises(RuntimeError, match="1 dangling references, first in table visit"):
        migrate.upgrade(url, scripts)
    assert ask(url, "SELECT id FROM elder") == [1]
    assert ask(url, "SELECT version_num FROM alembic_version") == ["0001"]


def test_two_processes_that_start_at_once(tmp_path: Path, scripts: Path) -> None:
    url = f"sqlite:///{tmp_path}/wenan.db"
    program = textwrap.dedent(f"""
        from pathlib import Path
        from storage.migrate import upgrade
        upgrade({url!r}, Path({str(scripts)!r}))
    """)
    both = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) for _ in range(2)]
    ends = [(process.communicate(timeout=60)[1], process.returncode) for process in both]
    assert ends == [(b"", 0), (b"", 0)]
    assert ask(url, "SELECT id FROM elder") == [1]


def test_missing_sees_a_new_table_and_revision_writes_it(tmp_path: Path, scripts: Path, extra_table: Table) -> None:
    (scripts / "versions" / "0001_first.py").unlink()
    found = migrate.missing([], scripts)
    assert "extra_of_a_test" in [item[1].name for item in found if item[0] == "add_table"]
    migrate.revision("everything", [], scripts)
    assert migrate.missing([], scripts) == []
    (written,) = (scripts / "versions").glob("*everything.py")
    assert "UtcTime" not in written.read_text("utf-8")


def test_missing_sees_a_new_column(tmp_path: Path, scripts: Path, extra_table: Table) -> None:
    (scripts / "versions" / "0001_first.py").unlink()
    migrate.revision("everything", [], scripts)
    extra_table.append_column(Column("slot", Integer))
    ((what, _schema, where, column),) = migrate.missing([], scripts)
    assert (what, where, column.name) == ("add_column", "extra_of_a_test", "slot")


def test_alembics_own_command_is_sent_to_ours(scripts: Path) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts))
    with pytest.raises(RuntimeError, match=r"storage\.migrate\.upgrade"):
        command.upgrade(config, "head")


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert migrate.main(["upgrade", f"sqlite:///{tmp_path}/wenan.db"]) == 0
    assert (tmp_path / "wenan.db").exists()
    assert migrate.main(["revision"]) == 2
    assert "python -m storage.migrate upgrade" in capsys.readouterr().err
