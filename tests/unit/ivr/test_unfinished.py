"""A dictation that broke off with our process: who was dictating, and where it is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callflows.events import CallContext, Key, Person, Started
from callflows.loader import shipped
from callflows.session import Session
from ivr.records import Call, CarrierRecording
from ivr.unfinished import Unfinished, unfinished
from storage.database import Base, Database

NOW = datetime(2026, 3, 2, 15, 59, tzinfo=UTC)
FLOW = shipped("daily_checkin")


@pytest.fixture
def db(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/calls.db")
    Base.metadata.create_all(database.engine)
    return database


def conversation(*events: object) -> Session:
    session = Session(FLOW, CallContext((Person("wang", "王阿婆"),)))
    for event in (Started(), *events):
        session.feed(event)  # type: ignore[arg-type]
    return session


def written(db: Database, session: Session | None) -> None:
    data = session.to_json() if session else None
    with db.write() as writing:
        writing.add(Call(id="call-1", number="+8621", order={"flow": FLOW.name}, ordered_at=NOW, session=data))


def look(db: Database, folder: Path) -> Unfinished | None:
    with db.read() as session:
        return unfinished(session, "call-1", lambda _name: FLOW, folder)


def test_it_is_in_the_recording_of_the_whole_call(db: Database, tmp_path: Path) -> None:
    session = conversation(Key("1"), Key("2"))
    assert session.dictating == ("wang", "unwell")
    written(db, session)
    assert look(db, tmp_path) == Unfinished("wang", "unwell", "")
    day = tmp_path / "2026/03/02"
    day.mkdir(parents=True)
    for name in ("call-1-call.ulaw", "call-1-dictation1.ulaw", "call-2-call.ulaw"):
        (day / name).write_bytes(b"")
    assert look(db, tmp_path) == Unfinished("wang", "unwell", "2026/03/02/call-1-call.ulaw")
    with db.write() as writing:
        writing.add(CarrierRecording(sid="RE1", call_id="call-1", label="verbs-3", seen_at=NOW, path="verbs-3.ulaw"))
    assert look(db, tmp_path) == Unfinished("wang", "unwell", "verbs-3.ulaw")


def test_without_an_open_dictation_there_is_none(db: Database, tmp_path: Path) -> None:
    assert look(db, tmp_path) is None
    written(db, conversation(Key("1")))
    assert look(db, tmp_path) is None


def test_a_call_without_a_conversation_has_none(db: Database, tmp_path: Path) -> None:
    written(db, None)
    assert look(db, tmp_path) is None
