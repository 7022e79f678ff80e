"""The yearly notice as a table: what goes in is what the committee keeps, and every mistake is named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import pytest
from sqlalchemy import select

from checkins.roster.announcement import Announced, import_announcement
from checkins.roster.errors import RosterError
from checkins.roster.holidays import Calendar, SpecialDay, Why, is_working_day, special_days
from checkins.roster.tables import CalendarDay, RosterChange
from tests.unit.checkins.roster.test_edits import BY, NOW, Book

DOCS = Path(__file__).parents[4] / "docs" / "roster.md"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(f"sqlite:///{tmp_path}/wenan.db")
    yield book
    book.db.close()


def read(book: Book, folder: Path, text: str, by: str = BY) -> Announced:
    path = folder / "notice.csv"
    path.write_text(text, "utf-8")
    with book.db.write() as session:
        return import_announcement(session, path, by, NOW)


def calendar(book: Book) -> Calendar:
    with book.db.read() as session:
        return Calendar(days={row.day: row.working for row in session.scalars(select(CalendarDay))})


def test_the_example_of_the_workers_page_is_the_notice_for_2026(book: Book, tmp_path: Path) -> None:
    example = DOCS.read_text("utf-8").split("## Holidays")[1].split("```csv\n")[1].partition("```")[0]
    first = read(book, tmp_path, example)
    assert (first.errors, first.years, first.missing) == ((), (2026,), ())
    written = calendar(book).days
    year = [date(2026, 1, 1) + timedelta(days=later) for later in range(365)]
    assert all(written.get(day, day.weekday() < 5) is chinese_calendar.is_workday(day) for day in year)
    assert len(written) == first.changed
    with book.db.read() as session:
        assert {row.who for row in session.scalars(select(RosterChange))} >= {BY}
    assert read(book, tmp_path, example).changed == 0


def test_every_mistake_is_named_and_nothing_is_written(book: Book, tmp_path: Path) -> None:
    before = dict(calendar(book).days)
    text = """节日,从,到,类别
元旦,2030-01-01,2030-01-03,放假
元旦,2030-01-03,,上班
元旦,2029年12月31日,2029/12/30,放假
春节,2030-02-01,2030-02-16,放假
春节,2030-02-31,,放假
春节,2030-02-05,,
国庆,2030-10-01,,上班
"""
    assert read(book, tmp_path, text).errors == (
        "row 3, column from: 2030-01-03 is named twice",
        "row 4, column until: must not lie before from, nor 15 days or more after it",
        "row 5, column until: must not lie before from, nor 15 days or more after it",
        "row 6, column from: there is no such day",
        "row 7, column kind: must be 放假 or 上班",
        "row 8, column kind: 2030-10-01 is a holiday by law: is the year right?",
    )
    assert calendar(book).days == before


@pytest.mark.parametrize(("text", "why"), [("从,类别\n", "names no day"), ("从\n2030-01-01\n", "kind")])
def test_a_file_that_says_nothing_is_told(book: Book, tmp_path: Path, text: str, why: str) -> None:
    (error,) = read(book, tmp_path, text).errors
    assert why in error


def test_nobody_writes_it_without_a_name(book: Book, tmp_path: Path) -> None:
    with pytest.raises(RosterError, match="say who"):
        read(book, tmp_path, "从,类别\n2030-10-01,放假\n", by=" ")


def test_days_of_the_law_that_the_notice_lacks_are_told(book: Book, tmp_path: Path) -> None:
    done = read(book, tmp_path, "从,到,类别\n2030-10-01,2030-10-07,放假\n2030-01-01,,放假\n")
    assert date(2030, 6, 5) in done.missing
    assert not {date(2030, 1, 1), date(2030, 10, 3)} & set(done.missing)
    assert not is_working_day(calendar(book), date(2030, 6, 5))  # all the same


def test_why_a_day_is_off_is_said() -> None:
    table = Calendar(days={date(2030, 5, 4): True, date(2030, 5, 6): False})
    found = {special.day: special for special in special_days(table, 2030)}
    may = [found.get(date(2030, 5, day)) for day in range(1, 8)]
    assert [None if each is None else (each.working, each.why) for each in may] == [
        (False, Why.LAW),
        (False, Why.LAW),
        (True, Why.PERHAPS),
        (True, Why.TABLE),
        None,
        (False, Why.TABLE),
        None,
    ]
    assert SpecialDay(date(2026, 10, 10), True, Why.NOTICE) in special_days(Calendar(), 2026)
