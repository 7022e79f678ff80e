"""`register corrections`, `hear`, `confirm`, `refuse`: what staff do with what an elder said is wrong in her entry."""

from __future__ import annotations

import asyncio
import wave
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from checkins import items
from checkins.items import ItemKind
from checkins.people import add_person
from checkins.tables import Neighbourhood, Person
from cli import people_commands, register_commands
from cli.running import said
from community import register_entry
from ivr.recordings import Recordings
from settings import Settings
from storage.database import Database
from storage.migrate import upgrade

BY = "陈老师"


class Office:
    def __init__(self, folder: Path) -> None:
        self.settings = Settings(database_url=f"sqlite:///{folder}/wenan.db", data_dir=folder)
        self.out = Console(record=True, width=200)
        upgrade(self.settings.database_url)
        self.db = Database(self.settings.database_url)
        with self.db.write() as session:
            place = Neighbourhood(name="曹杨", committee="曹杨居委会", timezone="Asia/Shanghai")
            session.add(place)
            session.flush()
            self.wang = add_person(session, place.id, "王秀珍", "王阿婆", "021-10001234", address="3号楼502室").id
            self.li = add_person(session, place.id, "李福根", "李阿公", "021-10005678", address="5号楼301室").id

    async def says(self, work: object) -> tuple[int, str]:
        status = await said(work, self.out)  # type: ignore[arg-type]
        return status, self.out.export_text()

    def open(self) -> list[tuple[str, str | None, str | None]]:
        with self.db.read() as session:
            return [(item.kind, item.person_id, item.by_id) for item in items.open_items(session)]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


async def test_what_she_said_is_listed_heard_and_written_in(office: Office, tmp_path: Path) -> None:
    now, recordings = datetime.now(UTC), Recordings(tmp_path / "recordings")
    kept = await recordings.add("call-1", "dictation1", now, b"\xff" * 4000)
    await recordings.close()
    with office.db.write() as session:
        for each, about in (({"recording": kept.path, "text": "五号楼"}, "address"), ({}, "phone")):
            register_entry.say_wrong(session, office.wang, about, "call-1", now, **each)
    status, told = await office.says(register_commands.show_corrections(office.settings, "", office.out))
    assert status == 0
    assert "1: 王秀珍: 住址：五号楼 (`register hear 1`)" in told
    assert "2: 王秀珍: 电话 (not recorded, ring 021 1000 1234)" in told
    folder = tmp_path / "copies"
    await asyncio.to_thread(folder.mkdir)
    _, told = await office.says(register_commands.hear(office.settings, 1, BY, folder, office.out))
    assert str(tmp_path / "recordings" / kept.path) in told
    with wave.open(str(next(folder.glob("1-*-address.wav")))) as audio:
        assert (audio.getframerate(), audio.getnframes()) == (8000, 4000)
    assert "ring them back" in (await office.says(register_commands.hear(office.settings, 2, BY, None, office.out)))[1]
    work = register_commands.confirm(office.settings, 1, "address", "5号楼301室", BY, office.out)
    assert (await office.says(work))[0] == 0
    assert (await office.says(register_commands.refuse(office.settings, 2, BY, "打过去是她接的", office.out)))[0] == 0
    with office.db.read() as session:
        assert session.get_one(Person, office.wang).address == "5号楼301室"
    assert office.open() == [(ItemKind.TENANT, office.li, office.wang)], "somebody else lives there by the register"
    change = people_commands.Change(address="五号楼三零一室")
    await office.says(people_commands.set_person(office.settings, office.li, BY, change, office.out))
    assert office.open()[1:] == [(ItemKind.TENANT, office.wang, office.li)], "typed by staff, too"
