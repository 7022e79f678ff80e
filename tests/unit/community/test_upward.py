"""What a committee hands upward: lists of what is written down already, of who agreed to it, and no counts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import python_calamine
import typer.main
from rich.console import Console

import server
from checkins.contacts import Contact
from checkins.tables import Checkin, Neighbourhood, Person, Role
from cli import export_commands
from community import level_above, register_export, upward, upward_names
from community.ballot_tables import Ballot, BallotTopic
from community.tables import Meeting
from settings import Settings
from tests.unit.checkins.world import DAY, ZONE
from tests.unit.community.hall import CHEN, Hall

ROOT = Path(__file__).resolve().parents[3]
SHARES = {"calls": True, "recording": True, "street": True, "buddy": True}
HEADINGS = (
    *(upward.CONTACTS, upward.SEARCHED, upward.COMPLAINTS, upward.MEETINGS, upward.RESULTS),
    *(level_above.HEADINGS, register_export.UPWARD),
)
# What a committee is counted by elsewhere. How often an answer did not solve something is no such count.
ACTIVITY = re.compile(
    "通话次数|拨打次数|联系次数|上门次数|走访次数|探访次数|点赞|阅读量|打卡|积分|排名|排行|完成率|达标|覆盖率|任务数|"
    "指标|考核|目标数|KPI|leaderboard|league|ranking|calls made",
    re.IGNORECASE,
)


def sheets(hall: Hall, month: str = "2026-03") -> dict[str, register_export.Rows]:
    def work(session: object) -> dict[str, register_export.Rows]:
        place = session.get_one(Neighbourhood, hall.world.place_id)  # type: ignore[attr-defined]
        return upward.sheets(session, place, upward.month(month, ZONE), hall.world.clock.now())  # type: ignore[arg-type]

    return hall.look(work)


async def test_each_list_of_the_month_of_who_agreed(hall: Hall) -> None:
    agreed = hall.world.elder("王秀英", address="3号楼101室", consents=SHARES)
    other = hall.world.elder("赵秀英", consents={"calls": True})
    buddy = hall.world.elder("李阿姨", role=Role.BUDDY)
    hall.world.elder(CHEN, role=Role.STAFF)
    now = hall.world.clock.now()
    for who in (agreed, other):
        number = await hall.complains(who, f"call-{who}")
        hall.hears(number)
        hall.answers(number)
        hall.act(_happened, who, buddy, number)
    hall.act(_ballot, hall.world.place_id)
    found = {name: rows[1:] for name, rows in sheets(hall).items()}
    assert [row[2] for row in found["结对名册"]] == ["王秀英"]
    assert found["老伙伴联系"] == [["2026-03-02", "王秀英", "3号楼101室", "李阿姨", "上门见到"]]
    assert [row[:3] + row[4:7] for row in found["没有联系上"]] == [
        ["2026-03-02", "王秀英", "3号楼101室", "多次无人接听", "已办结", CHEN]
    ]
    (mine, hers) = found["诉求与答复"]
    assert (mine[3], mine[6]) == ("王秀英", "明天来修。")
    assert {hers[3], hers[4], hers[6]} == {level_above.NOT_SHARED}
    assert [row[2:5] for row in found["见面协商"]] == [["居委会", "楼上", "谈好了"], [level_above.NOT_SHARED] * 3]
    assert [row[5:] for row in found["打钩结果"]] == [["赞成", "7"], ["反对", "2"]]
    assert "腿断了" not in str(found), "nothing says how somebody is"
    later = {name: rows[1:] for name, rows in sheets(hall, "2026-05").items()}
    assert [name for name, rows in later.items() if rows] == ["结对名册", "诉求与答复"], "what is open goes on"
    assert now


def _happened(session: object, who: str, buddy: str, number: int, now: datetime) -> None:
    from community import rows

    contact = Contact(intent_id=f"log-{who}", elder_id=who, buddy_id=buddy, kind="visited", condition="worried", at=now)
    values = {"elder_id": who, "date": DAY, "slot": now, "planned_at": now, "status": "closed", "finding": "腿断了"}
    case = Checkin(**values, reason="unreached", urgency="unreached", closed_by=CHEN, closed_at=now, policy={})
    row = rows.by_number(session, number)  # type: ignore[arg-type]
    case.neighbourhood_id = row.neighbourhood_id
    meeting = Meeting(complaint_id=row.id, at=now, place="居委会", with_whom="楼上", booked_by=CHEN, booked_at=now)
    meeting.outcome = "谈好了"
    session.add_all([contact, case, meeting])  # type: ignore[attr-defined]


def _ballot(session: object, place_id: int, now: datetime) -> None:
    values = {"number": 1, "title": "电梯", "unit": "person", "made_by": CHEN, "key": "k"}
    row = Ballot(neighbourhood_id=place_id, opens_at=now - timedelta(days=2), closes_at=now, **values)
    row.result = {"1": [7, 2]}
    session.add(row)  # type: ignore[attr-defined]
    session.flush()  # type: ignore[attr-defined]
    topic = BallotTopic(ballot_id=row.id, position=1, question="要不要装电梯?", options=["赞成", "反对"])
    session.add(topic)  # type: ignore[attr-defined]


def test_who_saw_to_her_is_named_only_where_she_lets_them_be_named() -> None:
    known = {CHEN: {Role.STAFF}, "张小红": {Role.FAMILY}, "李阿姨": {Role.BUDDY}, "张老师": {Role.STAFF, Role.FAMILY}}
    elder = Person(name="王秀英", consents=SHARES)

    def said(*names: str) -> list[str]:
        return [upward_names.seen_to_by(elder, name, known) for name in names]

    assert said(CHEN, "李阿姨", "王秀英", "", "line") == [CHEN, "李阿姨", "王秀英", "", upward_names.LINE_ZH]
    assert set(said("张小红", "张老师", "女儿说的")) == {level_above.NOT_SHARED}, "no consent for family; nobody knows"
    elder.consents = {"street": True, "family": True}
    assert said("张小红", "李阿姨") == ["张小红", level_above.NOT_SHARED]


@pytest.mark.parametrize("text", ["2026", "2026-13", "March", ""])
def test_a_month_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="--month: write 2026-03"):
        upward.month(text, ZONE)


def test_a_month_begins_and_ends_at_midnight_there() -> None:
    span = upward.month("2026-12", ZONE)
    assert (span.begins, span.ends) == (datetime(2026, 11, 30, 16, tzinfo=UTC), datetime(2026, 12, 31, 16, tzinfo=UTC))
    assert (span.first.day, span.last.day) == (1, 31)


def test_no_command_page_or_export_counts_what_somebody_did() -> None:
    assert not [heading for headings in HEADINGS for heading in headings if ACTIVITY.search(heading)]
    pages = sorted((ROOT / "console" / "templates").glob("*.html"))
    assert pages
    assert [page.name for page in pages if ACTIVITY.search(page.read_text("utf-8"))] == []
    assert [name for name, help_ in _commands(typer.main.get_command(server.app)) if ACTIVITY.search(help_)] == []
    assert ACTIVITY.search("走访次数 12")


def _commands(command: object, name: str = "wenan") -> list[tuple[str, str]]:
    """All commands with their help and that of their options."""
    said = " ".join([getattr(command, "help", "") or "", *(getattr(p, "help", "") or "" for p in command.params)])  # type: ignore[attr-defined]
    below = getattr(command, "commands", {})
    return [(name, said), *(each for word, sub in below.items() for each in _commands(sub, f"{name} {word}"))]


async def test_the_workbook_is_written(hall: Hall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_commands, "read", lambda _settings, work: hall.world.db.view(work))
    settings, file = Settings(database_url=hall.world.url, data_dir=tmp_path), tmp_path / "上报.xlsx"
    hall.world.elder("王秀英", consents=SHARES)
    assert await export_commands.export(settings, file, "", "2026-03", Console(quiet=True)) == 0
    book = python_calamine.CalamineWorkbook.from_path(str(file))
    assert book.sheet_names == ["结对名册", "老伙伴联系", "没有联系上", "诉求与答复", "见面协商", "打钩结果"]
    assert book.get_sheet_by_name("结对名册").to_python()[1][:3] == ["1", "曹杨居委会", "王秀英"]
    with pytest.raises(ValueError, match="xlsx"):
        await export_commands.export(settings, file.with_suffix(".csv"), "", "", Console(quiet=True))
