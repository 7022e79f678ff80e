"""`ballots` from the command line: made, entered, refused, printed, counted; never who chose what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from sqlalchemy import select

from checkins.enrolment import font
from checkins.people import add_person
from checkins.tables import Neighbourhood
from cli import ballot_commands as commands
from community.ballot_rounds import seal
from community.ballot_tables import Ballot, BallotChoice, BallotSlot
from settings import Settings
from storage.database import Database
from storage.migrate import upgrade


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    url = f"sqlite:///{tmp_path}/wenan.db"
    upgrade(url)
    db = Database(url)
    with db.write() as session:
        place = Neighbourhood(name="曹杨", committee="曹杨居委会", timezone="Asia/Shanghai")
        session.add(place)
        session.flush()
        for nth, name in enumerate(("王秀珍", "李福根")):
            add_person(session, place.id, name, name[0] + "阿婆", f"021-1000123{nth}")
    db.close()
    return Settings(database_url=url, data_dir=tmp_path)


def text(out: Console) -> str:
    return out.export_text(clear=True).replace("\n", " ")


async def make(settings: Settings, out: Console, unit: str = "person", roll: Path | None = None) -> None:
    until = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    topics = ["要不要装电梯?|要|不要"]
    assert await commands.new(settings, "电梯", topics, "", unit, roll, "", until, True, "陈老师", out) == 0


async def test_made_entered_refused_sealed_and_counted_anew(settings: Settings) -> None:
    out = Console(record=True, width=200)
    await make(settings, out)
    assert await commands.enter(settings, 7001, "王秀珍", ["1=2"], "", False, False, "陈老师", out) == 0
    assert await commands.enter(settings, 7001, "钱某", ["1=2"], "", True, False, "陈老师", out) == 1
    with pytest.raises(ValueError, match="when it is over"):
        await commands.count(settings, 7001, out)
    assert await commands.show(settings, 7001, out) == 0
    shown = text(out)
    assert "不在名册上" in shown
    assert "to be seen in person: 李福根" in shown, "without consent the line rings nobody"
    assert "不要,一" not in shown, "no counts before the closing"

    db = Database(settings.database_url)
    with db.write() as session:
        ballot = session.scalars(select(Ballot)).one()
        ballot.closes_at = datetime.now(UTC) - timedelta(minutes=1)
        seal(session, ballot.id, datetime.now(UTC))
    assert await commands.count(settings, 7001, out) == 0
    assert await commands.show(settings, 7001, out) == 0
    assert "要,零;不要,一。" in text(out)
    with db.write() as session:
        session.add(BallotChoice(id="x", ballot_id=ballot.id, voter="nobody", topic=1, nth=1, option=1))
    assert await commands.count(settings, 7001, out) == 3, "somebody has added a choice"
    listed = Console(record=True, width=80)
    assert await commands.show_all(settings, listed, everything=True) == 0
    assert f"{ballot.closes_at.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m-%d %H:%M}" in text(listed)
    db.close()


async def test_proposals_are_a_ballot_of_persons_that_rings_nobody_before_its_result(settings: Settings) -> None:
    out, texts = Console(record=True, width=200), ["楼下装一排长凳。", "活动室添一台饮水机|李福根"]
    until = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    assert await commands.proposals(settings, "重阳节", texts, "曹杨居委会", "", until, False, "陈老师", out) == 0
    assert "7001: 有两个提议,请选一个。第二个是李福根提的。" in text(out)
    assert await commands.enter(settings, 7001, "王秀珍", ["1=2"], "", False, False, "陈老师", out) == 0
    assert await commands.show(settings, 7001, out) == 0
    shown = text(out)
    assert "(楼下装一排长凳 / 活动室添一台饮水机)" in shown
    assert "to be seen in person: 李福根" in shown, "whom no machine may ring"
    with pytest.raises(ValueError, match="2 to 4"):
        await commands.proposals(settings, "重阳节", texts[:1], "", "", until, False, "陈老师", out)


async def test_what_may_be_one_home_is_said_before_anything_is_made(settings: Settings, tmp_path: Path) -> None:
    out, roll = Console(record=True, width=200), tmp_path / "owners.csv"
    roll.write_text("室号,业主\n1号101室,张大同\n1号2单元101室,赵一平\n", "utf-8")
    until = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    told = ("选物业", ["换不换物业?"], "", "owner", roll, "", until, True, "陈老师", out)
    assert await commands.new(settings, *told, dry_run=True) == 0
    said = text(out)
    assert "doubtful, maybe one home): 1号101室 / 1号2单元101室" in said
    assert "2 would have one choice each; nothing was made" in said
    assert await commands.show_all(settings, out, everything=True) == 0
    assert "no ballots" in text(out)
    assert await commands.new(settings, *told) == 0
    assert "7001: 2 may choose" in text(out)


async def test_who_signed_a_paper_and_by_which_proxy_stands_in_show(settings: Settings, tmp_path: Path) -> None:
    out, roll = Console(record=True, width=200), tmp_path / "owners.csv"
    roll.write_text("室号,业主\n1号101室,张大同\n1号102室,赵一平\n", "utf-8")
    await make(settings, out, "owner", roll)
    assert await commands.proxy(settings, 7001, "1号101室", "孙小妹", "柜三,委托书十二", "陈老师", out) == 0
    assert await commands.enter(settings, 7001, "1号101", ["1=2"], "孙小妹", False, False, "陈老师", out) == 0
    assert await commands.enter(settings, 7001, "1号101", ["1=1"], "张大同", False, False, "王老师", out) == 1
    assert "--change" in text(out)
    assert await commands.enter(settings, 7001, "1号102", ["1=1"], "钱某", False, False, "陈老师", out) == 1
    assert await commands.show(settings, 7001, out) == 0
    shown = text(out)
    assert "登记了 (entered)  1号101室 张大同  签名:孙小妹,委托书:柜三,委托书十二  (陈老师)" in shown
    assert "refused: 这一户已经有别人选过  1号101室 张大同  签名:张大同  (王老师)" in shown
    assert "refused: 不是业主,也没有书面委托  1号102室 赵一平  签名:钱某  (陈老师)" in shown


async def test_owners_outside_the_register_are_told_by_staff(settings: Settings, tmp_path: Path) -> None:
    out, roll = Console(record=True, width=200), tmp_path / "owners.csv"
    roll.write_text("室号,业主,电话\n1号101室,张大同,62345678\n1号102室,赵一平,\n", "utf-8")
    await make(settings, out, "owner", roll)
    assert await commands.enter(settings, 7001, "1号101", ["1=2"], "张大同", False, False, "陈老师", out) == 0
    with pytest.raises(ValueError, match="no owners' ballot with a result"):
        await commands.told(settings, 7001, [], "陈老师", out)
    db = Database(settings.database_url)
    with db.write() as session:
        ballot = session.scalars(select(Ballot)).one()
        ballot.closes_at = datetime.now(UTC) - timedelta(minutes=1)
        seal(session, ballot.id, datetime.now(UTC))
    db.close()
    assert await commands.show(settings, 7001, out) == 0
    assert "`ballots told`): 1号101室 张大同 62345678" in text(out)
    assert await commands.told(settings, 7001, ["一号101"], "陈老师", out) == 0
    assert await commands.show(settings, 7001, out) == 0
    assert "62345678" not in text(out)


async def test_letters_count_once_they_are_on_paper(settings: Settings, tmp_path: Path) -> None:
    try:
        font.load()
    except font.FontError:
        pytest.skip("no Chinese font here")
    out, roll = Console(record=True, width=200), tmp_path / "owners.csv"
    roll.write_text("室号,业主\n1号101室,张大同\n1号102室,赵一平\n", "utf-8")
    await make(settings, out, "owner", roll)
    pdf = tmp_path / "letters.pdf"
    assert await commands.letters(settings, 7001, pdf, "", "021-55500000", None, "陈老师", out) == 0
    assert pdf.read_bytes().startswith(b"%PDF")
    assert pdf.stat().st_mode & 0o077 == 0
    db = Database(settings.database_url)
    with db.read() as session:
        pins = [slot.pin for slot in session.scalars(select(BallotSlot))]
    db.close()
    assert all(pin and pin.startswith("scrypt:") for pin in pins)
    with pytest.raises(LookupError):  # never over another file
        await commands.letters(settings, 7001, pdf, "1号101室", "021-55500000", None, "陈老师", out)
    assert await commands.paper(settings, 7001, tmp_path / "paper.pdf", "021-55500000", None, out) == 0


@pytest.mark.parametrize("typed", [["1"], ["1=x"], ["1=1", "1=2"], ["=2"]])
def test_a_choice_is_topic_and_option(typed: list[str]) -> None:
    with pytest.raises(ValueError, match="--choose"):
        commands.read_choices(typed)
