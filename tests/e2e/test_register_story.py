"""社区云, with audio and in virtual time: from a spreadsheet into the register, by telephone to its elder and back, and
out again as a spreadsheet."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from checkins import items, register_log, workbook
from checkins.items import Item, ItemKind
from checkins.register_log import SELF, How
from checkins.tables import Neighbourhood, Person
from community import register_entry, register_export
from community.register_book import BookReport, entries_of, open_book, take
from community.register_people import Told
from tests.e2e.line import ELDER, Story, story
from tests.e2e.test_complaint_story import presses, rings_in, spoken, whole
from tests.fakes.call import FakeCall
from tests.fakes.carrier import FakeCarrier
from tests.fakes.ears import ScriptedRecogniser

HEAD = ["姓名", "称呼", "电话", "地址", "钥匙", "同意"]
ROW = ["王秀英", "王阿婆", ELDER, "三号楼502室", "隔壁陈阿姨", "拨打 录音 转写"]
NEW = ["李建国", "李阿公", "+862155500003", "五号楼301室", "", "拨打"]
WAS, IS = "您的住址,登记的是三号楼502室。", "您的住址,登记的是五号楼301室。"


async def read_in(line: Story, folder: Path, *more: list[str]) -> BookReport:
    path, now = folder / "people.xlsx", line.house.clock.now()
    path.write_bytes(workbook.write({"人员": [HEAD, ROW, *more]}))

    def work() -> BookReport:
        with line.house.db.read() as session:
            book, place = open_book(path), session.get_one(Neighbourhood, line.place_id)
        return take(line.house.db, place, book, entries_of(book, place, now), Told("陈老师", "社区云"), now)

    return await asyncio.to_thread(work)


async def written_out(line: Story) -> dict[str, register_export.Rows]:
    def work(session: Any) -> dict[str, register_export.Rows]:
        place = session.get_one(Neighbourhood, line.place_id)
        return register_export.register_book(session, place, line.house.clock.now())

    return await line.house.db.view(work)


async def opens(line: Story, keyed: str) -> FakeCall:
    """Rings in, asks for her entry by key and keys where she lives, without hearing them out."""
    call = await rings_in(line)
    call.presses("7")
    await call.hears("register.begin")
    call.presses(f"{keyed}#")
    return call


async def fields(call: FakeCall, *keys: str) -> None:
    await presses(call, *(("register.ask", key) for key in keys))


async def open_items(line: Story) -> list[Item]:
    return await line.house.db.view(items.open_items)


@pytest.mark.row("社区云")
async def test_社区云(carrier: FakeCarrier, tmp_path: Path) -> None:
    """A list of the committee becomes the register. An elder hears her entry by telephone, once she has keyed where she
    lives, and says that her address is wrong; staff hear her and confirm it, and each field shows whose word it is and
    of which day. She hears the new one, and it goes out again as a spreadsheet. When a later list has somebody
    else at her address, staff look into it."""
    ear = ScriptedRecogniser()
    async with story(carrier, tmp_path, [ear]) as line:
        assert (await read_in(line, tmp_path)).added == 1
        elder = (await line.house.db.view(lambda session: session.scalars(select(Person)).one())).id
        before = await line.house.prompts.get(WAS)

        ear.will_hear("我搬到五号楼三零一了")
        call = await opens(line, "3502")
        await fields(call, "1", "2")
        await call.hears("register.record")
        call.says(spoken(line))
        call.presses("#")
        await presses(call, ("register.sure", "1"))
        await call.hears("register.noted")
        call.hangs_up()
        await call.ended()
        await line.row(elder)
        assert before in call.heard
        log = str(await line.log())
        assert "3502" not in log, "what was keyed"
        assert "三号楼" not in log, "what was read"

        (item,) = await open_items(line)
        assert (item.kind, (item.detail or {})["text"]) == (ItemKind.ENTRY_WRONG, "住址：我搬到5号楼301了")
        (said,) = await line.house.db.view(lambda session: register_entry.recordings(session, item))
        assert whole(spoken(line)) in line.house.recordings.read(said.recording), "the recording is the record"
        now = line.house.clock.now()
        confirm = (item.id, "address", "五号楼301室", "陈老师", now)
        await line.house.db.run(lambda session: register_entry.confirm(session, *confirm))
        found = await line.house.db.view(lambda session: register_log.sources(session, [elder])[elder])
        assert [(found[each].said_by, found[each].how) for each in ("name", "address")] == [
            ("社区云", How.FILE),
            (SELF, How.PHONE),
        ]

        call = await opens(line, "5301")
        await fields(call, "1")
        await call.hears("register.ask", within_s=120)
        call.hangs_up()
        await call.ended()
        await line.row(elder)
        assert await line.house.prompts.get(IS) in call.heard
        assert await open_items(line) == []
        sheets = await written_out(line)
        assert "五号楼301室" in sheets["人员"][1]
        assert ["王秀英", "地址", "本人", "电话里"] in [row[1:5] for row in sheets["来源"]]
        again = await read_in(line, tmp_path, NEW)
        assert len(again.kept) == 1, "an older list doesn't beat what she said"
        waits = [(item.kind, item.person_id) for item in await open_items(line)]
        assert waits == [(ItemKind.TENANT, elder)], "somebody else at her address: does she live there?"
