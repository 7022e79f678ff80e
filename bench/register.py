"""A wrong spreadsheet of 50,000 rows: from the file to the complete list of its problems, beside the limit of 20 s.

Seconds of one core, so that what else this machine does is no matter; the clock's are shown beside them."""

from __future__ import annotations

import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import out, verdict
from checkins import workbook
from checkins.people_csv import HEADINGS
from checkins.spreadsheet import to_csv
from checkins.tables import Neighbourhood, Person
from community.register_book import entries_of, open_book, take
from community.register_people import Told
from storage.database import Base, Database

ROWS = 50_000
KNOWN = 4_000
LIMIT_S = 20.0
COLUMNS = ("name", "spoken_name", "phone", "language", "mode", "slot", "consents", "address", "notes")


def register() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [[HEADINGS[column][1] for column in COLUMNS], *(_row(number) for number in range(ROWS))]
        files = {"people.xlsx": workbook.write({"人员": rows}), "people.csv": to_csv(rows).encode("gb18030")}
        for name, raw in files.items():
            path = Path(folder, name)
            path.write_bytes(raw)
            db = _register_of(folder, name)
            _measure(db, path)
            db.close()


def _measure(db: Database, path: Path) -> None:
    begun, clock, now = time.process_time(), time.perf_counter(), datetime.now(UTC)
    book = open_book(path)
    with db.write() as session:
        place = session.query(Neighbourhood).one()
        report = take(session, place, book, entries_of(book, place, now), Told("bench", "bench"), now)
        there = session.query(Person).count()
    took = time.process_time() - begun
    out.print(
        f"\n[b]{path.name}: {ROWS:,} rows, {len(report.errors):,} problems, {there:,} people before and after[/b]"
    )
    assert there == KNOWN
    assert len(report.errors) > ROWS // 10
    verdict("from the file to the list of problems", took, LIMIT_S, "s")
    out.print(f"  by the clock {time.perf_counter() - clock:.1f} s")


def _row(number: int) -> list[str]:
    """One in five has something wrong: the number, the time, a person twice, a word that nobody knows."""
    chance = random.Random(number)
    phone, slot, agreed = f"021{10_000_000 + number}", "08:30", "拨打 录音"
    wrong = chance.randrange(20)
    if wrong == 0:
        phone = chance.choice(["123", "O2162345678", "1.38E+10", ""])
    elif wrong == 1:
        slot = "25:00"
    elif wrong == 2:
        agreed = "拨打 八卦"
    elif wrong == 3:
        number, phone = number // 2, f"021{10_000_000 + number // 2}"
    return [f"王{number}", "王阿婆", phone, "", "语音", slot, agreed, f"{number}号楼{number % 30}室", "耳朵不好"]


def _register_of(folder: str, name: str) -> Database:
    db = Database(f"sqlite:///{folder}/{name}.db")
    Base.metadata.create_all(db.engine)
    with db.write() as session:
        place = Neighbourhood(name="曹杨", committee="曹杨居委会")
        session.add(place)
        session.flush()
        more = {"neighbourhood_id": place.id, "spoken_name": "王阿婆"}
        session.add_all(
            Person(name=f"王{number}", number=f"+8621{10_000_000 + number}", **more) for number in range(KNOWN)
        )
    return db
