"""The register from a spreadsheet, over HTTP: judged row by row by a process of its own, then written, exactly that."""

from __future__ import annotations

import asyncio
import io
import os
import re
import time
import zipfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from checkins import people, workbook
from checkins.office_log import OfficeEvent
from checkins.people_csv import HEADINGS
from checkins.roster.tables import RosterPair
from checkins.tables import Person
from console import accounts, import_desk
from console.accounts_tables import Account
from console.roles import Role
from house import SystemClock
from tests.e2e.office import NASTY, Office, open_office

HEAD = ["姓名", "称呼", "电话", "角色", "同意", "地址"]
WANG = ["王秀英", "王阿婆", "62345678", "老人", "拨打 老伙伴", "3号楼502室"]
LI = ["李梅", "李阿姨", "13800000001", "老伙伴", "", ""]
ROSTER = [["类别", "老人", "谁"], ["结对", "王秀英", "李梅"]]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        yield office


def book(*rows: Sequence[str], roster: Sequence[Sequence[str]] | None = None) -> bytes:
    return workbook.write({"人员": [HEAD, *rows]} | ({"值班表": roster} if roster else {}))


async def send(office: Office, raw: bytes, **typed: str) -> httpx.Response:
    fields = {"place": str(office.world.place_id), "what": "people", "name": "名单.xlsx", "source": "社区云", **typed}
    headers = {"X-CSRF-Token": await office.token(), "Content-Type": "application/octet-stream"}
    return await office.client.post("/import", params=fields, content=raw, headers=headers)


async def judged(office: Office, raw: bytes, **typed: str) -> str:
    """The page's address, when it has come to something."""
    answer = await send(office, raw, **typed)
    assert answer.status_code == 202, answer.text
    address = str(answer.json()["go"])
    await over(office, address)
    return address


async def over(office: Office, address: str) -> str:
    for _ in range(600):
        page = (await office.client.get(address)).text
        if "data-working" not in page:
            return page
        await asyncio.sleep(0.1)
    raise AssertionError("not over within a minute")


async def do(office: Office, address: str, what: str = "do", **form: str) -> httpx.Response:
    page = (await office.client.get(address)).text
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in ("hash", "mark")}
    sent = {name: each.group(1) if each else "" for name, each in found.items()}
    return await office.send(f"{address}/{what}", **(sent | form))


def known(office: Office) -> list[str]:
    with office.world.db.read() as session:
        return list(session.scalars(select(Person.name).order_by(Person.name)))


async def test_a_wrong_sheet_is_told_row_by_row_and_changes_nothing(office: Office) -> None:
    raw = book(["王秀英", "", "12", "老人", "拨打", ""], ["赵阿英", "赵阿婆", "62345679", "国王", "", ""], LI, LI)
    page = (await office.client.get(await judged(office, raw))).text
    for said in (
        "有 4 个问题",
        "是空的",
        "请填上",
        "位数不够",
        "只能写",
        "和第 4 行是同一个人",
        "称呼",
        "电话",
        "角色",
    ):
        assert said in page
    assert "写入登记" not in page
    assert known(office) == []


async def test_a_right_one_is_shown_then_written_with_its_roster_and_logged(office: Office) -> None:
    address = await judged(office, book(WANG, LI, roster=ROSTER))
    page = (await office.client.get(address)).text
    assert "新增 2 人" in page
    assert "值班表改 1 张单子" in page
    assert known(office) == []
    assert (await do(office, address)).status_code == 303
    assert "已写入" in await over(office, address)
    assert known(office) == ["李梅", "王秀英"]
    with office.world.db.read() as session:
        assert session.scalar(select(func.count()).select_from(RosterPair)) == 1
        noted = session.scalars(select(OfficeEvent)).one()
    assert (noted.what, noted.by, noted.detail) == ("imported", "周老师", {"added": 2, "changed": 0, "lists": 1})
    assert (await do(office, address)).status_code == 422, "once"
    assert "没有变化 2" in (await office.client.get(await judged(office, book(WANG, LI)))).text


async def test_what_differs_is_changed_only_when_that_is_asked_for(office: Office) -> None:
    address = await judged(office, book(WANG))
    await do(office, address)
    await over(office, address)
    other = book([*WANG[:5], "3号楼602室"])
    address = await judged(office, other)
    page = (await office.client.get(address)).text
    assert "和登记不一样，不改 1" in page
    assert "写入登记" not in page
    await do(office, address, "with")
    page = await over(office, address)
    assert "3号楼502室" in page
    assert "3号楼602室" in page
    await do(office, address)
    await over(office, address)
    with office.world.db.read() as session:
        assert session.scalars(select(Person.address)).one() == "3号楼602室"


async def test_a_register_that_was_changed_meanwhile_gives_a_new_look_and_nothing_is_written(office: Office) -> None:
    address = await judged(office, book(WANG))
    with office.world.db.write() as session:
        people.add_person(session, office.world.place_id, "王秀英", "王阿婆", "62345678")
    await do(office, address)
    page = await over(office, address)
    assert "登记被改过" in page
    assert known(office) == ["王秀英"]
    await do(office, address)
    assert "已写入" in await over(office, address)
    assert known(office) == ["王秀英"]


async def test_only_what_was_looked_at_is_written(office: Office) -> None:
    address = await judged(office, book(WANG))
    for wrong in ({"hash": "0" * 64}, {"mark": ""}, {"hash": "", "mark": ""}):
        answer = await do(office, address, **wrong)
        assert (answer.status_code, "不是最后一次的结果" in answer.text) == (422, True)
    assert known(office) == []


async def test_a_roster_alone_comes_in_as_csv(office: Office) -> None:
    address = await judged(office, book(WANG, LI))
    await do(office, address)
    await over(office, address)
    wrong = "类别,老人,谁\r\n结对,王秀英,张三\r\n".encode("gbk")
    page = (await office.client.get(await judged(office, wrong, what="roster", name="结对.csv"))).text
    assert "登记里没有这个人" in page
    right = "类别,老人,谁\r\n结对,王秀英,李梅\r\n".encode("gbk")
    address = await judged(office, right, what="roster", name="结对.csv")
    await do(office, address)
    assert "值班表改了 1 张单子" in await over(office, address)


# ── attacks ───────────────────────────────────────────────────────────────────────────────────────


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 310_000_000)
    return out.getvalue()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "不是表格文件"),
        (b"PK\x03\x04 nothing", "文件坏了"),
        (b"\xd0\xcf\x11\xe0 old", "是老格式 .xls"),
        ("姓名,身高\r\n王,1\r\n".encode(), "不认识表头“身高”"),
        (b"%PDF-1.7 \xff\xfe\xfd", "文字编码看不懂"),
    ],
)
async def test_what_is_no_register_is_said_in_words(office: Office, raw: bytes, said: str) -> None:
    assert said in (await office.client.get(await judged(office, raw))).text


async def test_a_bomb_is_not_unpacked(office: Office) -> None:
    raw = bomb()
    assert len(raw) < 1_000_000
    assert "解开后超过 300 MB" in (await office.client.get(await judged(office, raw))).text


async def test_what_is_too_long_empty_or_without_its_token_is_refused(office: Office) -> None:
    assert (await send(office, b"x" * 20_000_001)).status_code == 413
    assert (await send(office, b"")).status_code in (411, 413, 422)
    assert (await send(office, b"x", place="99")).json()["wrong"].startswith("请选居委")
    assert (await send(office, b"x", on="2999-01-01")).json()["wrong"].startswith("日期还没有到")
    answer = await office.client.post("/import", content=b"x", headers={"X-CSRF-Token": "wrong"})
    assert answer.status_code == 403


async def test_script_and_formulas_in_names_are_text(office: Office) -> None:
    page = (await office.client.get(await judged(office, book([NASTY, NASTY, "1", "", "", "=1+1"]), name=NASTY))).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


async def test_a_file_is_its_senders_alone(office: Office) -> None:
    address = await judged(office, book(WANG))
    office.log_in("别人")
    assert (await office.client.get(address)).status_code == 404
    assert (await office.send(f"{address}/do")).status_code == 404
    office.log_in("值班员", Role.DUTY)
    assert (await office.client.get("/import")).status_code == 403
    office.log_in()
    await do(office, address, "drop")
    assert (await office.client.get(address)).status_code == 404


async def test_two_at_once_come_one_after_the_other_and_the_second_sees_the_first(office: Office) -> None:
    first = str((await send(office, book(WANG))).json()["go"])
    office.log_in("陈老师")
    second = await judged(office, book(WANG, LI))
    office.log_in()
    await over(office, first)
    await do(office, first)
    await over(office, first)
    office.log_in("陈老师")
    await do(office, second)
    page = await over(office, second)
    assert "登记被改过" in page
    assert known(office) == ["王秀英"]
    await do(office, second)
    await over(office, second)
    assert known(office) == ["李梅", "王秀英"]


async def test_who_was_locked_while_it_waited_writes_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    address = await judged(office, book(WANG))
    begin = import_desk.ImportDesk.begin

    def locked_first(desk: import_desk.ImportDesk, job: import_desk.Job, still_may: import_desk.StillMay) -> None:
        with office.world.db.write() as session:
            account = session.scalars(select(Account).where(Account.name == "周老师")).one()
            accounts.lock(session, account.login, "主管", office.world.clock.now())
        begin(desk, job, still_may)

    monkeypatch.setattr(import_desk.ImportDesk, "begin", locked_first)
    assert (await do(office, address)).status_code == 303
    await asyncio.sleep(0.5)
    assert known(office) == []


async def test_the_loop_and_the_database_are_free_while_many_rows_are_judged(office: Office) -> None:
    """4,000 rows: the whole 50,000 are measured by `python -m bench register`."""
    rows = [[f"李{number}", "李阿婆", f"021{20_000_000 + number}", "老人", "拨打", ""] for number in range(4_000)]
    address = str((await send(office, book(*rows))).json()["go"])
    worst, seen = 0.0, set()
    for _ in range(600):
        begun = time.perf_counter()
        await asyncio.sleep(0.01)
        worst = max(worst, time.perf_counter() - begun)
        page = (await office.client.get(address)).text
        seen |= set(re.findall(r'chip live">([^<]+)<', page))
        if "data-working" not in page:
            break
        with office.world.db.write() as session:
            session.execute(select(Person.id).limit(1))
    assert "新增 4000 人" in page
    assert {"正在读文件", "正在一行一行看", "正在和登记比"} & seen
    assert worst < 1.0
    shown = re.findall(r'<td class="number">(\d+)</td>', page)
    more = re.search(r'href="([^"]+begin=\d+)"', page)
    assert more
    page = (await office.client.get(more.group(1).replace("&amp;", "&"))).text
    assert int(re.findall(r'<td class="number">(\d+)</td>', page)[0]) == int(shown[-1]) + 1


# ── out ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("which", ["register-xlsx", "register-csv", "street-xlsx", "month-xlsx"])
async def test_lists_go_out_as_files_and_are_logged(office: Office, which: str) -> None:
    address = await judged(office, book([*WANG[:5], "=3号楼502室"], LI))
    await do(office, address)
    await over(office, address)
    form = {"which": which, "place": str(office.world.place_id), "month": "2026-03"}
    answer = await office.send("/exports", **form)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    if which == "register-xlsx":
        sheet = workbook.read(answer.content)[0]
        assert list(sheet.rows[0]) == [names[1] for names in HEADINGS.values()]
        assert "没有变化 2" in (await office.client.get(await judged(office, answer.content))).text
    if which == "register-csv":
        assert "'=3号楼502室" in answer.content.decode("utf-8-sig")
    with office.world.db.read() as session:
        noted = [each.detail or {} for each in session.scalars(select(OfficeEvent).order_by(OfficeEvent.id))]
    assert noted[-1]["list"] == which.split("-")[0]


@pytest.mark.parametrize(
    ("form", "status"),
    [({"which": "all"}, 404), ({"place": "77"}, 404), ({"which": "month-xlsx", "month": "März"}, 422)],
)
async def test_what_is_no_list_is_said(office: Office, form: dict[str, str], status: int) -> None:
    typed = {"which": "street-xlsx", "place": str(office.world.place_id), **form}
    assert (await office.send("/exports", **typed)).status_code == status


async def test_what_a_killed_process_left_is_gone_when_the_next_one_begins(tmp_path: Path) -> None:
    left, fresh = tmp_path / "import-old", tmp_path / "import-new"
    for each in (left, fresh):
        each.mkdir()
        (each / "file").write_bytes(b"names")
    long_ago = time.time() - 3600
    os.utime(left, (long_ago, long_ago))
    import_desk.ImportDesk("sqlite://", SystemClock(), tmp_path)
    assert (left.exists(), fresh.exists()) == (False, True), "the fresh one may be a living replica's"
