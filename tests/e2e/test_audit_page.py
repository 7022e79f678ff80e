"""The log of acts, over HTTP: all logs in one, narrowed, page by page, and as a file that disarms formulas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from checkins import office_log, register_log
from checkins.case_rows import log_event
from checkins.office_log import OfficeEvent
from checkins.register_log import What
from checkins.tables import Checkin
from checkins.workbook import read as read_book
from console import audit_view, tokens
from console.audit_sources import SOURCES
from console.audit_view import LOOKED_AT, PAGE
from console.roles import Role
from console.scopes import Scope
from tests.e2e.office import NASTY, Office, open_office

BOSS = "钱主管"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        office.log_in(BOSS, Role.SUPERVISOR)
        yield office


async def busy(office: Office) -> str:
    """A morning in which several people do something about two elders; one of them."""
    world = office.world
    elder, other = world.elder("王秀英"), world.elder("李建国")
    await world.to("08:00")
    path = await office.not_well(elder)
    await world.ends(other, "silent", "none")
    office.log_in("李老师")
    await office.client.get(f"/recording/{office.case(elder)}/{path}")
    await office.send(f"/case/{office.case(other)}/take-over")
    await office.send(f"/elder/{elder}/entry", seen="0", name="王秀英", notes="耳朵背")
    office.log_in(BOSS, Role.SUPERVISOR)
    return elder


async def lines(office: Office, query: str = "") -> list[str]:
    page = (await office.client.get(f"/audit{query}")).text
    body = re.search(r"<tbody>(.*?)</tbody>", page, re.S)
    rows = re.findall(r"<tr>(.*?)</tr>", body.group(1) if body else "", re.S)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in rows]


def many(office: Office, count: int, by: str = "李老师") -> None:
    """As many lines of one moment and of others."""
    now = office.world.clock.now()
    with office.world.db.write() as session:
        for at in range(count):
            office_log.note(session, "exported", by, now + timedelta(seconds=at // 3), detail={"list": f"n{at}"})


async def queries(office: Office) -> int:
    asked: list[str] = []

    def listen(*given: Any) -> None:
        asked.append(given[2])

    event.listen(office.world.db.engine, "before_cursor_execute", listen)
    await office.client.get("/audit")
    event.remove(office.world.db.engine, "before_cursor_execute", listen)
    return len(asked)


async def test_all_logs_are_one_and_say_who_did_what_about_whom(office: Office) -> None:
    await busy(office)
    found = await lines(office)
    assert any("李老师 听录音 听了录音" in line and "王秀英" in line for line in found)
    assert any("李老师 个案 李老师接手" in line and "李建国" in line for line in found)
    assert any("账号" in line and "登录" in line for line in found)
    assert sum("听了录音" in line for line in found) == 1, "once, though two logs know of it"
    assert not any("头晕" in line for line in found), "nothing that was spoken"
    assert not any(" line " in line for line in found)


async def test_it_is_narrowed_by_who_kind_elder_day_and_words(office: Office) -> None:
    await busy(office)
    assert all("李老师" in line for line in await lines(office, "?who=李老师"))
    assert await lines(office, "?who=李老师")
    assert {line.split()[3] for line in await lines(office, "?kind=account")} == {"账号"}
    about = await lines(office, "?elder=王秀英")
    assert about
    assert all("王秀英" in line for line in about)
    today = office.world.clock.now().date()
    assert await lines(office, f"?since={today}&until={today}")
    assert await lines(office, f"?since={today + timedelta(days=1)}") == []
    assert await lines(office, f"?until={today - timedelta(days=1)}") == []
    assert [line.split()[2] for line in await lines(office, "?text=接手")] == ["李老师"]


@pytest.mark.parametrize(
    ("query", "said"),
    [("?elder=谁也不是", "没有叫这个名字"), ("?since=gestern", "日期请写成"), ("?until=1-1-1", "日期")],
)
async def test_what_can_be_nothing_is_said(office: Office, query: str, said: str) -> None:
    answer = await office.client.get(f"/audit{query}")
    assert (answer.status_code, said in answer.text) == (422, True)


async def test_page_by_page_nothing_is_shown_twice_or_left_out(office: Office) -> None:
    many(office, 2 * PAGE + 7)
    seen: list[str] = []
    address: str | None = "/audit?kind=office"
    while address:
        page = (await office.client.get(address)).text
        seen += re.findall(r"导出n(\d+)", page)
        office.world.clock.advance(minutes=5)
        many(office, 1)  # what comes meanwhile moves nothing
        older = re.search(r'href="(/audit\?[^"]*before[^"]*)"', page)
        address = older.group(1).replace("&amp;", "&") if older else None
    assert len(seen) == len(set(seen)) == 2 * PAGE + 7
    assert (await office.client.get("/audit?before=1.nonsense.2")).status_code == 200


async def test_words_are_looked_for_in_so_many_lines_and_then_one_goes_on(office: Office) -> None:
    many(office, LOOKED_AT + 20)
    with office.world.db.write() as session:
        early = office.world.clock.now() - timedelta(days=1)
        office_log.note(session, "imported", "陈老师", early, detail={"added": 7})
    page = (await office.client.get("/audit?kind=office&text=新增")).text
    assert f"看了 {LOOKED_AT} 条" in page
    older = re.search(r'href="(/audit\?[^"]*before[^"]*)"', page)
    assert older
    assert "新增 7 人" in (await office.client.get(older.group(1).replace("&amp;", "&"))).text


async def test_a_page_takes_a_few_queries_however_much_there_is(office: Office) -> None:
    await busy(office)
    few = await queries(office)
    many(office, 300)
    assert await queries(office) <= few < len(SOURCES) + 40


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_a_file_has_what_the_page_has_disarms_formulas_and_is_in_the_log(office: Office, kind: str) -> None:
    elder = await busy(office)
    with office.world.db.write() as session:
        case = session.scalars(select(Checkin).where(Checkin.elder_id == elder)).one()
        at = office.world.clock.now()
        log_event(session, case, "closed", "李老师", at, detail={"finding": "=HYPERLINK(1)"})
        register_log.note(session, elder, What.FIELDS, "＝1+1", at, detail={"fields": ["name"]})
    answer = await office.send("/audit/export", file=kind, elder="王秀英")
    assert answer.status_code == 200
    assert f'.{kind}"' in answer.headers["content-disposition"]
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+-@＝")]
        assert any("'＝1+1" in row for row in rows)
    else:
        rows = [list(row) for row in read_book(answer.content)[0].rows]
    assert rows[0][:3] == ["时间", "谁", "类别"]
    assert all("王秀英" in row[4] for row in rows[1:])
    assert len(rows) > 3
    with office.world.db.read() as session:
        noted = session.scalars(select(OfficeEvent)).one()
    assert (noted.what, noted.by, (noted.detail or {})["rows"]) == ("exported", BOSS, len(rows) - 1)
    assert "王秀英" not in str(noted.detail)
    assert any("导出日志" in line for line in await lines(office))


async def test_a_file_that_would_be_too_long_is_refused(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.audit_routes.MOST_ROWS", 10)
    many(office, 11)
    answer = await office.send("/audit/export", file="csv")
    assert (answer.status_code, "写窄一些" in answer.text) == (422, True)
    assert (await office.send("/audit/export", file="exe")).status_code == 404


async def test_the_auditor_reads_it_and_a_worker_does_not(office: Office) -> None:
    await busy(office)
    office.log_in("审计员", Role.AUDITOR)
    page = (await office.client.get("/audit")).text
    assert "听了录音" in page
    assert "头晕" not in page
    assert (await office.send("/audit/export", file="csv")).status_code == 200
    for role in (Role.WORKER, Role.DUTY):
        office.log_in("李老师", role)
        assert (await office.client.get("/audit")).status_code == 403


async def test_a_cry_that_was_found_later_is_not_quoted(office: Office) -> None:
    elder = await busy(office)
    with office.world.db.write() as session:
        case = session.scalars(select(Checkin).where(Checkin.elder_id == elder)).one()
        told = {"alarm": "second_pass", "alarm_text": "救命啊我摔了", "text": "救命啊"}
        log_event(session, case, "own:emergency", "王秀英", office.world.clock.now(), detail=told)
    assert "救命啊" not in (await office.client.get("/audit")).text


async def test_names_are_text(office: Office) -> None:
    many(office, 1, by=NASTY)
    page = (await office.client.get("/audit", params={"who": NASTY, "text": NASTY})).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_sources_have_a_name_each() -> None:
    assert len({source.name for source in SOURCES}) == len(SOURCES)
    assert {source.kind for source in SOURCES} == set(audit_view.KIND_ZH)


async def test_a_program_s_token_is_in_it_made_and_revoked_and_never_the_token_itself(office: Office) -> None:
    now = office.world.clock.now()
    with office.world.db.write() as session:
        number, secret = tokens.make(session, "街道系统", [Scope.CASES_READ], 30, BOSS, now)
    with office.world.db.write() as session:
        tokens.revoke(session, number, "李老师", now + timedelta(hours=1))
    said = " ".join(await lines(office, "?kind=account"))
    assert "给程序发密钥：街道系统" in said
    assert "收回程序的密钥：街道系统" in said
    assert "李老师" in said
    assert secret not in said
