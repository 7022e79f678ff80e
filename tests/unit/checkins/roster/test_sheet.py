"""The roster by spreadsheet: what is read is what is kept, every mistake is named, and what goes out comes in again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from checkins.people import set_state
from checkins.roster import edits
from checkins.roster.loading import load
from checkins.roster.sheet import SheetReport, export_roster, import_roster
from checkins.roster.tables import RosterChange
from checkins.roster.values import Roster
from checkins.tables import Person, Role, State
from tests.unit.checkins.roster.street import MONDAY
from tests.unit.checkins.roster.test_edits import BY, NOW, Book, fill

WEEK = """类别,老人,谁,替谁,从,到,天数,电话
结对,wang,li,,,,,
结对,wang,zhang,,,,,
结对,he,zhang,,,,,
替补,wang,zhou,li,,,,
替补,wang,zhang,li,,,,
替补,,zhou,,,,,
家属,wang,son,,,,,
家属,wang,daughter,,,,,
值班,,chen,,2026-03-02 08:30,2026-09-01,7,
值班,,wu,,,,,
值班,,chen,,,,,
副班,,wu,,,,,
时段,,zhou,,周二 09:00,12:00,,
时段,,zhou,,星期四 09:00,周四 12:00,,
上班时间,,,,08:30,11:30,,
上班时间,,,,13:30,17:00,,
街道,,曹杨新村街道,,,,,62345678
"""


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(f"sqlite:///{tmp_path}/wenan.db")
    yield book
    book.db.close()


def read(book: Book, folder: Path, text: str) -> SheetReport:
    path = folder / "roster.csv"
    path.write_text(text, "utf-8")
    return import_roster(book.db, book.place_id, path, BY, NOW)


def roster(book: Book) -> Roster:
    with book.db.read() as session:
        return load(session, book.place_id, NOW)


def changes(book: Book) -> int:
    with book.db.read() as session:
        return session.query(RosterChange).count()


def test_a_week_by_spreadsheet_is_the_week_by_hand(book: Book, tmp_path: Path) -> None:
    by_hand = Book(f"sqlite:///{tmp_path}/hand.db")
    by_hand.edit(fill)
    by_hand.edit(lambda session, _: edits.set_working_day(session, MONDAY, None, BY, NOW))
    report = read(book, tmp_path, WEEK)
    assert (report.errors, report.encoding) == ((), "UTF-8")
    assert roster(book) == by_hand.load()
    by_hand.db.close()


def test_what_goes_out_comes_in_again_and_changes_nothing(book: Book, tmp_path: Path) -> None:
    assert read(book, tmp_path, WEEK).changed == 10
    before, noted = roster(book), changes(book)
    with book.db.read() as session:
        text = export_roster(session, book.place_id, NOW)
    assert read(book, tmp_path, text) == SheetReport(0, (), "UTF-8")
    assert (roster(book), changes(book)) == (before, noted)


def test_a_list_that_is_named_is_replaced_and_the_others_stay(book: Book, tmp_path: Path) -> None:
    read(book, tmp_path, WEEK)
    before = roster(book)
    assert read(book, tmp_path, "类别,老人,谁\n结对,wang,zhang\n结对,wang,li\n").changed == 1
    after = roster(book)
    assert [pair.buddy_id for pair in after.pairs["wang"]] == ["zhang", "li"]
    assert after.pairs["wang"][1].substitutes == ("zhou", "zhang"), "who stays keeps her substitutes"
    assert (after.pairs["he"], after.rotation, after.family) == (before.pairs["he"], before.rotation, before.family)


def test_every_mistake_is_named_by_row_and_column_and_nothing_is_changed(book: Book, tmp_path: Path) -> None:
    rows = [
        "结对,nobody,li,,,,,",
        "结对,wang,son,,,,,",
        "结对,wang,li,,,,,",
        "结对,wang,li,,,,,",
        "替补,he,zhou,li,,,,",
        "值班,,li,,,,,",
        "值班,,chen,,,,,",
        "时段,,zhou,,周八 09:00,12:00,,",
        "时段,,zhou,,周二 06:00,12:00,,",
        "上班时间,,,,17:00,08:30,,",
        "街道,,街道,,,,,12",
        "饭局,,li,,,,,",
        "家属,wang,,,,,,",
    ]
    report = read(book, tmp_path, WEEK.splitlines()[0] + "\n" + "\n".join(rows))
    assert report.changed == 0
    assert report.errors == (
        "row 2, column elder: there is nobody like this in the register",
        "row 3, column person: is family in the register; buddy or staff is needed here",
        "row 5, column person: is named twice",
        "row 7, column person: is buddy in the register; staff is needed here",
        "row 9, column from: write weekday and time: 周二 09:00",
        "row 10, column until: a shift must rise, and lie between 08:00 and 21:00",
        "row 11, column until: working hours must rise and not overlap",
        "row 12, column phone: has too few digits",
        "row 13, column kind: must be one of 结对, 替补, 家属, 值班, 副班, 时段, 上班时间, 街道",
        "row 14, column person: is empty",
        "the first 值班 row needs the first hand-over in column from (2026-03-02 08:30)",
        "row 6, column instead_of: is no buddy of this elder",
    )
    assert changes(book) == 0


def test_without_consent_a_pair_is_a_mistake_in_the_file(book: Book, tmp_path: Path) -> None:
    book.edit(lambda session, _: setattr(session.get_one(Person, "wang"), "consents", {}))
    (error,) = read(book, tmp_path, "类别,老人,谁\n结对,wang,li\n").errors
    assert error.startswith("row 2, column elder: has not agreed that buddy hears of them")


def test_who_moved_is_a_gap_until_somebody_takes_them_off_and_duty_goes_on(book: Book, tmp_path: Path) -> None:
    read(book, tmp_path, WEEK.replace("值班,,chen,,,,,\n", ""))
    book.edit(lambda session, _: set_state(session, "chen", State.MOVED, BY, NOW))
    before = roster(book)
    assert before.gone == {"chen": "chen"}
    with book.db.read() as session:
        assert "chen" not in export_roster(session, book.place_id, NOW), "nobody could read it in again"
    book.edit(lambda session, _: edits.take_off(session, "chen", BY, NOW))
    after = roster(book)
    assert after.rotation is not None
    assert (after.rotation.people, after.rotation.anchor, after.rotation.until) == (
        ("wu",),
        MONDAY,
        before.rotation and before.rotation.until,
    )
    assert book.history()[-1].what == "taken_off"


def test_the_example_of_the_workers_page_is_a_good_file(book: Book, tmp_path: Path) -> None:
    page = Path(__file__).parents[4] / "docs" / "roster.md"
    text = page.read_text("utf-8").split("```csv\n")[2].partition("```")[0]  # the first one is the people's
    names = {
        "wang": "何桂珍",
        "li": "李梅",
        "zhang": "张兰",
        "zhou": "周平",
        "daughter": "何芳",
        "chen": "陈静",
        "wu": "吴强",
    }

    def rename(session: Session, place: int) -> None:
        for person, name in names.items():
            session.get_one(Person, person).name = name
        session.add(Person(id="sun", name="孙丽", spoken_name="孙老师", role=Role.STAFF, neighbourhood_id=place))

    book.edit(rename)
    assert read(book, tmp_path, text) == SheetReport(9, (), "UTF-8")
