"""A spreadsheet of 50,000 rows with a roster of 12,000, beside a server that writes every 50 ms: from the file to the
report, beside the limit of 20 s; and how long that server waits at most, beside the second in which a carrier must be
answered: for a list with mistakes, for a dry run, for an import, and for one that changes everybody.

Seconds of one core, so that what else this machine does is no matter; the clock's are shown beside them."""

from __future__ import annotations

import multiprocessing
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError

from bench.figures import out, verdict
from checkins import workbook
from checkins.people_csv import HEADINGS
from checkins.spreadsheet import to_csv
from checkins.tables import Neighbourhood, Person
from community.register_book import BookReport, entries_of, open_book, take
from community.register_people import Told
from storage.database import Base, Database

ROWS = 50_000
ROSTER = 12_000
KNOWN = 4_000
LIMIT_S = 20.0
WAIT_S = 1.0  # a webhook is answered by then
EVERY_S = 0.05
COLUMNS = ("name", "spoken_name", "phone", "language", "mode", "slot", "consents", "address", "notes")
DUTY = ["类别", "老人", "谁"]


def register() -> None:
    head = [HEADINGS[column][1] for column in COLUMNS]
    wrong = [head, *(_row(number) for number in range(ROWS))]
    pairs = [["结对", f"王{number * 3}", f"没有{number}"] for number in range(ROSTER)]
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "people.xlsx": workbook.write({"人员": wrong, "值班表": [DUTY, *pairs]}),
            "people.csv": to_csv(wrong).encode("gb18030"),
        }
        for name, raw in files.items():
            path = Path(folder, name)
            path.write_bytes(raw)
            db = _register_of(folder, name)
            _measure(db, path)
            db.close()
        _measure_right(folder)


def _measure(db: Database, path: Path) -> None:
    report = _taken(db, path, "a list with mistakes")
    with db.read() as session:
        there = session.query(Person).count()
    out.print(f"  {len(report.errors):,} problems, {there:,} people before and after")
    assert there == KNOWN
    assert len(report.errors) > ROWS // 10


def _measure_right(folder: str) -> None:
    """Each sixth is a buddy; later everybody's consents and notes are others."""
    db, path = _register_of(folder, "right"), Path(folder, "right.xlsx")
    path.write_bytes(workbook.write(_right("拨打 老伙伴", "")))
    assert not _taken(db, path, "a dry run", dry=True).errors
    report = _taken(db, path, "an import")
    assert (report.added, report.lists) == (ROWS, ROSTER)
    path.write_bytes(workbook.write(_right("拨打 老伙伴 录音", "耳朵不好")))
    assert len(_taken(db, path, "everybody's consents and notes", update=True).changes) == 2 * ROWS
    db.close()


def _right(agreed: str, notes: str) -> dict[str, list[list[str]]]:
    roles = ["老伙伴" if number % 6 == 5 else "老人" for number in range(ROWS)]
    rows = [
        [
            f"李{number}",
            "李阿婆",
            f"021{20_000_000 + number}",
            "",
            "语音",
            "08:30",
            agreed,
            f"{number}号楼",
            notes,
            role,
        ]
        for number, role in enumerate(roles)
    ]
    elders = [number for number, role in enumerate(roles) if role == "老人"][:ROSTER]
    pairs = [["结对", f"李{elder}", f"李{elder % 500 * 6 + 5}"] for elder in elders]
    return {"人员": [[HEADINGS[column][1] for column in (*COLUMNS, "role")], *rows], "值班表": [DUTY, *pairs]}


def _taken(db: Database, path: Path, what: str, *, dry: bool = False, update: bool = False) -> BookReport:
    with _server(db) as waits, _written(db) as written:
        begun, clock, now = time.process_time(), time.perf_counter(), datetime.now(UTC)
        book = open_book(path)
        with db.read() as session:
            place = session.query(Neighbourhood).one()
        read = entries_of(book, place, now)
        report = take(db, place, book, read, Told("bench", "bench"), now, dry=dry, update=update)
        took, by_the_clock = time.process_time() - begun, time.perf_counter() - clock
    out.print(f"\n[b]{path.name}, {what}: {ROWS:,} rows{', a roster' if book.roster else ''}[/b]")
    verdict("from the file to the report", took, LIMIT_S, "s")
    verdict("the server's longest wait, by the clock", max(waits), WAIT_S, "s")
    if written:
        verdict("the transaction that writes", written[-1], WAIT_S, "s")
    out.print(f"  by the clock {by_the_clock:.1f} s")
    return report


@contextmanager
def _written(db: Database) -> Iterator[list[float]]:
    """What each transaction that has written took, in seconds of one core."""
    begun, found = list[float](), list[float]()

    def begin(_connection: Connection) -> None:
        begun.append(time.process_time())

    def commit(_connection: Connection) -> None:
        found.append(time.process_time() - begun[-1])

    event.listen(db.engine, "begin", begin)
    event.listen(db.engine, "commit", commit)
    try:
        yield found
    finally:
        event.remove(db.engine, "begin", begin)
        event.remove(db.engine, "commit", commit)


@contextmanager
def _server(db: Database) -> Iterator[list[float]]:
    """Another process that writes. Its waits, in seconds, when it has ended; what fails has waited all the same."""
    context, found = multiprocessing.get_context("spawn"), list[float]()
    receiver, sender = context.Pipe(duplex=False)
    begun, ends = context.Event(), context.Event()
    process = context.Process(target=_write_on, args=(db.url, begun, ends, sender))
    process.start()
    begun.wait()
    try:
        yield found
    finally:
        ends.set()
        found += receiver.recv()
        process.join()


def _write_on(url: str, begun: Event, ends: Event, sender: connection.Connection[list[float], Any]) -> None:
    db, waits = Database(url), list[float]()
    while not ends.is_set():
        at = time.perf_counter()
        try:
            with db.write() as session:
                session.execute(text("UPDATE neighbourhood SET name = name"))
        except OperationalError:
            out.print("  [red]✗[/red] a write of the server's failed: the database is locked")
        waits.append(time.perf_counter() - at)
        begun.set()
        time.sleep(EVERY_S)
    sender.send(waits)
    db.close()


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
