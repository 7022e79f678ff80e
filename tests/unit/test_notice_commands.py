"""`notices` from the command line: published, listed, printed, told at the door, taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from checkins.enrolment import font
from checkins.people import add_person
from checkins.tables import Neighbourhood
from cli import notice_commands as commands
from cli.running import said
from community import notice_sheets
from settings import Settings
from storage.database import Database
from storage.migrate import upgrade

CHEN = "陈老师"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two elders, one of whom the line may not ring."""
    url = f"sqlite:///{tmp_path}/wenan.db"
    upgrade(url)
    db = Database(url)
    with db.write() as session:
        place = Neighbourhood(name="曹杨", committee="曹杨居委会", timezone="Asia/Shanghai")
        session.add(place)
        session.flush()
        add_person(
            session, place.id, "王秀珍", "王阿婆", "021-10001234", consents={"calls": True}, address="3号楼101室"
        )
        add_person(session, place.id, "李福根", "李阿公", "021-10005678", address="三号楼二零一室")
    db.close()
    return Settings(database_url=url, data_dir=tmp_path)


async def test_from_the_words_to_the_door(settings: Settings, tmp_path: Path) -> None:
    out = Console(record=True, width=200)

    async def act(work: object) -> tuple[int, str]:
        return await said(work, out), out.export_text()  # type: ignore[arg-type]

    until = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%d 12:00")

    async def publish(topic: str = "notice", text: str = "今天下午停水。", *, urgent: bool = True) -> tuple[int, str]:
        return await act(commands.publish(settings, text, "", until, ["3号楼"], "", topic, urgent, None, "", CHEN, out))

    assert (await publish("gossip"))[0] == 2
    assert (await publish(text="…"))[0] == 2
    status, told = await act(
        commands.publish(settings, "停水。", "", until, ["5号楼"], "", "notice", True, None, "", CHEN, out)
    )
    assert (status, "its buildings: 3号楼" in told) == (2, True)
    work = "for 2 elders: 1 hear it in their daily call, 1 need the door"
    assert await publish(urgent=False) == (0, f"4001: published; {work}\n")
    work = f"it is now urgent (by {CHEN}), until {until}; for 2 elders: 1 can be rung, 1 need the door"
    assert await publish() == (0, f"4001: was published before; {work}\n")
    status, told = await act(commands.show_all(settings, out, everything=False))
    assert status == 3, told
    assert "今天下午停水" in told
    assert until in told
    assert f"urgent (by {CHEN})" in told
    assert (await publish("hours", "活动室九点开门。", urgent=False))[1] == "4002: published\n"
    assert (await act(commands.withdraw(settings, 4002, CHEN, out)))[0] == 0
    try:
        font.load()
    except font.FontError:
        pytest.skip("no Chinese font on this machine")
    for paper in (commands.sheet, commands.poster):
        to = tmp_path / f"{paper.__name__}.pdf"
        assert (await act(paper(settings, 4001, to, None, out)))[0] == 0
        assert to.read_bytes().startswith(b"%PDF")
    assert (await act(commands.told(settings, 4001, "李福根", CHEN, out)))[0] == 0
    assert (await act(commands.show_all(settings, out, everything=False)))[0] == 0
    assert (await act(commands.withdraw(settings, 4001, CHEN, out)))[0] == 0
    assert (await act(commands.show_all(settings, out, everything=False)))[1] == "no notices\n"


@pytest.mark.parametrize(
    ("hour", "printed"),
    [
        (0, "2026年11月30日上午8点"),
        (4, "2026年11月30日下午12点"),
        (8, "2026年11月30日下午4点"),
        (15, "2026年11月30日下午11点"),
    ],
)
def test_until_when_is_printed_as_people_read_it(hour: int, printed: str) -> None:
    moment = datetime(2026, 11, 30, hour, 0, tzinfo=UTC)
    assert notice_sheets.printed(moment, "Asia/Shanghai") == printed
    assert notice_sheets.printed(moment + timedelta(minutes=5), "Asia/Shanghai") == f"{printed}5分"
