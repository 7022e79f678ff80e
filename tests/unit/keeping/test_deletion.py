"""Years go by: what must be gone is gone, rows and files, also from the database's free pages; what must stay stays."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Text, cast, func, select

from keeping import deletion
from keeping.deletion import Deletion
from keeping.periods import FILES, ROWS, STAYS
from keeping.tables import KeepRun
from storage.database import Base, Database
from storage.migrate import upgrade
from tests.unit.keeping.world import everything

BEGAN = datetime(2026, 3, 2, 8, tzinfo=UTC)
YEARS = timedelta(days=1200)
GONE, OPEN = "secretgone", "secretopen"


class Clock:
    now = BEGAN


@pytest.fixture
def db(any_url: str) -> Iterator[Database]:
    upgrade(any_url)
    made = Database(any_url)
    yield made
    made.close()


@pytest.fixture
def line(db: Database, tmp_path: Path) -> Deletion:
    return Deletion(db, lambda: Clock.now, tmp_path / "data", SAID.append)


SAID: list[str] = []


@pytest.fixture(autouse=True)
def fresh_clock() -> None:
    Clock.now = BEGAN
    SAID.clear()


def rows(db: Database, table: str) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(Base.metadata.tables[table])) or 0


def told(db: Database, table: str, word: str) -> list[str]:
    """Columns of `table` in which `word` stands."""
    with db.read() as session:
        columns = Base.metadata.tables[table].columns
        return [
            one.name for one in columns if session.scalar(select(one).where(cast(one, Text).contains(word)).limit(1))
        ]


def test_every_table_has_a_period_or_a_reason_to_stay() -> None:
    named = {period.table for period in ROWS}
    assert set(Base.metadata.tables) == named | set(STAYS)
    assert not named & set(STAYS)
    for period in ROWS:
        columns = Base.metadata.tables[period.table].columns
        assert {*period.blank, *([period.call] if period.call else [])} <= set(columns.keys())


async def test_after_years_nothing_that_is_closed_is_found(db: Database, line: Deletion) -> None:
    with db.write() as session:
        everything(session, GONE, BEGAN, closed=True)
        everything(session, OPEN, BEGAN, closed=False)
    Clock.now = BEGAN + YEARS
    await line.run("李敏")
    left = {period.table: told(db, period.table, GONE) for period in ROWS}
    assert {table: columns for table, columns in left.items() if columns} == {}
    for table in ("complaint_dictation", "ticket", "checkin", "item", "alarm", "call_news", "api_answer"):
        assert rows(db, table) == (0 if table == "api_answer" else 1), table


async def test_an_open_case_keeps_all_that_it_rests_on(db: Database, line: Deletion) -> None:
    with db.write() as session:
        everything(session, OPEN, BEGAN, closed=False)
        everything(session, GONE, BEGAN, closed=True)
    before = {name: told(db, name, OPEN) for name in HELD}
    Clock.now = BEGAN + YEARS
    await line.run("李敏")
    assert {name: told(db, name, OPEN) for name in HELD} == before
    assert all(before[name] for name in HELD)


HELD = ("complaint", "complaint_dictation", "complaint_meeting", "ticket_dictation", "checkin", "call", "call_event")
HELD += ("call_intent", "transcripts", "item", "webhook_inbox")


async def test_nothing_goes_a_day_too_soon(db: Database, line: Deletion) -> None:
    with db.write() as session:
        everything(session, GONE, BEGAN, closed=True)
    for period in ROWS:
        Clock.now = BEGAN + timedelta(days=period.days)
        with db.read() as session:
            here = [one for one in ROWS if one.days >= period.days]
            assert {one.table: deletion.due_rows.count(session, one, Clock.now) for one in here} == {
                one.table: 0 for one in here
            }


async def test_it_is_gone_from_the_file_as_well(db: Database, line: Deletion, tmp_path: Path) -> None:
    if not db.sqlite:
        pytest.skip("PostgreSQL's vacuum does that")
    with db.write() as session:
        everything(session, GONE, BEGAN, closed=True)
        stays = [Base.metadata.tables[name] for name in STAYS if name in Base.metadata.tables]
        for table in stays:
            named = {one.name: "{}" for one in table.columns if one.info.get("personal") and not one.primary_key}
            if named:
                texts = {name: ({} if "JSON" in str(table.c[name].type) else "n") for name in named}
                session.execute(table.update().values(texts))
    assert GONE.encode() in b"".join(file.read_bytes() for file in tmp_path.glob("wenan.db*"))
    Clock.now = BEGAN + YEARS
    await line.run("李敏")
    assert GONE.encode() not in b"".join(file.read_bytes() for file in tmp_path.glob("wenan.db*"))


async def test_files_go_by_their_day_and_open_cases_keep_theirs(db: Database, line: Deletion, tmp_path: Path) -> None:
    with db.write() as session:
        call = everything(session, OPEN, BEGAN, closed=False)
        over = everything(session, GONE, BEGAN, closed=True)
    data = tmp_path / "data"
    names = [f"recordings/2026/03/02/{one}-call{end}" for one in (call, over) for end in (".ulaw", ".sha256")]
    names += [f"recordings/2026/03/02/{over}-grows.part", "recordings/2026/05/31/new.ulaw", "sheets/2026-03-02-1.html"]
    names += ["sheets/2026-05-30-1.html"]
    for name in names:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text("x")
    Clock.now = datetime(2026, 6, 2, 8, tzinfo=UTC)
    await line.run("李敏")
    left = {file.relative_to(data).as_posix() for file in data.rglob("*") if file.is_file()}
    assert left == set(names) - {names[2], names[3], "sheets/2026-03-02-1.html"}
    with db.read() as session:
        assert session.scalars(select(KeepRun.files)).all() == [3]
    assert all(sum(1 for _ in deletion.due_files.due(data, one, BEGAN, held(db))) == 0 for one in FILES)


def held(db: Database) -> deletion.due_files.Held:
    with db.read() as session:
        return deletion.due_files.held(session, BEGAN)


async def test_a_run_that_broke_off_is_taken_up_again(
    db: Database, line: Deletion, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.write() as session:
        everything(session, GONE, BEGAN, closed=True)
    Clock.now = BEGAN + YEARS
    real, done = deletion.due_rows.delete_some, []

    def breaks(*given: object) -> int:
        done.append(given)
        if len(done) > 9:
            raise OSError("the machine is off")
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(deletion.due_rows, "delete_some", breaks)
    with pytest.raises(OSError, match="off"):
        await line.run("李敏")
    monkeypatch.setattr(deletion.due_rows, "delete_some", real)
    assert await line.run("王强") is None  # its lease holds
    Clock.now += timedelta(minutes=11)
    again = await line.run("王强")
    assert again is not None
    assert again.by == "李敏"
    assert rows(db, "keep_run") == 1
    assert rows(db, "checkin") == 0


async def test_two_at_once_do_no_harm(db: Database, line: Deletion) -> None:
    with db.write() as session:
        everything(session, GONE, BEGAN, closed=True)
    Clock.now = BEGAN + YEARS
    ran = await asyncio.gather(line.run("李敏"), line.run("王强"), return_exceptions=True)
    assert not [one for one in ran if isinstance(one, BaseException)]
    assert rows(db, "checkin") == 0


async def test_a_clock_that_jumped_deletes_nothing_by_itself(db: Database, line: Deletion) -> None:
    await line.look()  # nothing is due: it begins by itself
    with db.write() as session:
        everything(session, GONE, BEGAN, closed=True)
    Clock.now = BEGAN + YEARS
    await line.look()
    assert SAID == [deletion.WAITS]
    assert rows(db, "checkin") == 1
    await line.run("李敏")
    Clock.now += timedelta(days=1)
    await line.look()
    assert rows(db, "keep_run") == 3
    await line.look()  # once a day
    assert rows(db, "keep_run") == 3
