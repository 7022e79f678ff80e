"""The morning sheet: whole, printable, private."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from checkins import sheet
from checkins.phones import national
from checkins.tables import Mode, Neighbourhood, Person, State
from tests.unit.checkins.street import LI, Street
from tests.unit.checkins.world import DAY, World


async def test_the_sheet_lists_everybody_due_by_slot(world: World, tmp_path: Path) -> None:
    world.elder("张桂兰", slot=9 * 60)
    world.elder("李建国", slot=8 * 60, mode=Mode.VISIT)
    world.elder("赵阿英", state=State.REFUSED)
    world.elder("钱已故", state=State.DIED)
    world.elder("孙出门", state=State.PAUSED, state_until=DAY)
    await world.cycle.plan()
    (path,) = await sheet.write_sheets(world.db, tmp_path / "sheets", world.clock.now())
    assert path == tmp_path / "sheets" / f"{DAY}-{world.place_id}.html"
    assert path.stat().st_mode & 0o777 == 0o600
    page = path.read_text("utf-8")
    assert page.index("09:00") < page.index("张桂兰") < page.index("李建国")  # whom a person visits: by 11:00
    assert "约定由人联系" in page
    assert "不要自动电话" in page
    assert "共 3 位老人" in page
    assert "已故" not in page
    assert "出门" not in page
    assert "曹杨居委会 · 2026年3月2日（周一）" in page


async def test_before_the_plan_the_sheet_is_whole_and_written_again_it_is_one_file(
    world: World, tmp_path: Path
) -> None:
    world.elder("<b>王</b>", slot=8 * 60 + 5)
    for _ in range(2):
        (path,) = await sheet.write_sheets(world.db, tmp_path, world.clock.now())
    assert [file.name for file in tmp_path.glob("*.html")] == [path.name]
    assert not list(tmp_path.glob(".sheet-*"))
    page = path.read_text("utf-8")
    assert "08:05" in page
    assert "&lt;b&gt;王" in page


async def test_later_in_the_day_it_says_what_is_known(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, "well")
    with world.db.read() as session:
        place = session.get_one(Neighbourhood, world.place_id)
        (line,) = sheet.lines(session, place, DAY)
        assert (line.time, line.note) == ("08:00", "已办结 身体好")
        assert sheet.lines(session, place, DAY + timedelta(days=1))[0].time == ""


async def test_a_full_disk_leaves_the_old_sheet_and_no_half_one(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = await sheet.write_sheets(world.db, tmp_path, world.clock.now())
    before = path.read_text("utf-8")
    world.elder()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sheet.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        await sheet.write_sheets(world.db, tmp_path, world.clock.now())
    assert path.read_text("utf-8") == before
    assert not list(tmp_path.glob(".sheet-*"))


async def test_who_rings_by_hand_reads_where_she_lives_and_who_may_go_and_look(world: World, tmp_path: Path) -> None:
    street = Street.of(world)
    street.elder("王秀英", address="三号楼五零二室", key_holder="隔壁陈阿姨")
    (path,) = await sheet.write_sheets(world.db, tmp_path, world.clock.now())
    page = path.read_text("utf-8")
    for word in ("三号楼五零二室", "隔壁陈阿姨"):
        assert f'<td class="note">{word}</td>' in page, "each thing in a column of its own"
    assert f'李阿姨 <span class="number">{national(LI)}</span>' in page
    assert "回到今天" not in page, "a file leads nowhere"


async def test_the_buddy_of_who_does_not_share_with_one_is_not_on_it(world: World, tmp_path: Path) -> None:
    street = Street.of(world)
    elder = street.elder("王秀英")
    with world.db.write() as session:
        session.get_one(Person, elder).consents = {"calls": True}
    (path,) = await sheet.write_sheets(world.db, tmp_path, world.clock.now())
    assert "李阿姨" not in path.read_text("utf-8")
