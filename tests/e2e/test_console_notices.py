"""公告 in the browser: looked at before it is published, told at the door, printed, taken back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from checkins.enrolment import font
from checkins.tables import Neighbourhood, Person
from community import notices, staff
from community.notice_tables import Hearer, Notice, NoticeEvent
from community.tables import Complaint, Wish
from console.roles import Role
from console.wav import wav
from demo import clips
from tests.e2e.office import NASTY, Office, open_office
from tests.fakes.accounts import WORKER
from tests.unit.community.hall import Hall

WATER = "明天下午一点到四点停水。"
UNTIL = "2026-03-03T17:00"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        yield office


@pytest.fixture
def people(office: Office) -> dict[str, str]:
    """Three in building 3, one of whom no machine may ring; one in building 13."""
    elder = office.world.elder
    return {
        "王秀英": elder("王秀英", address="3号楼502室"),
        "李建国": elder("李建国", address="三号楼二零一室", language="wuu"),
        "赵阿英": elder("赵阿英", address="3号楼101室", consents={}),
        "孙小妹": elder("孙小妹", address="13号楼101室"),
    }


def typed(**more: str) -> dict[str, str]:
    return {"text": WATER, "topic": "notice", "urgent": "", "until": UNTIL, **more}


async def look(office: Office, **form: str) -> httpx.Response:
    return await office.send("/notices/new", step="preview", **typed(**form))


async def publish(office: Office, **form: str) -> httpx.Response:
    """Looked at, then published."""
    seen = await look(office, **form)
    assert seen.status_code == 200, seen.text
    return await office.send("/notices/new", step="publish", print=printed(seen.text), **typed(**form))


def printed(page: str) -> str:
    found = re.search(r'name="print" value="([0-9a-f]+)"', page)
    assert found
    return found.group(1)


def rows(office: Office, table: type[Any]) -> list[Any]:
    with office.world.db.read() as session:
        return list(session.scalars(select(table).order_by(table.id)))


async def test_whom_it_reaches_is_seen_before_it_is_published(office: Office, people: dict[str, str]) -> None:
    page = (await look(office, **{"building-3": "1"})).text
    assert "<b>3号楼</b>，<b>3</b> 位老人" in page
    assert "<b>2</b> 位在每天的问候电话里听到" in page
    assert "<b>1</b> 位不能打电话，要有人上门" in page
    assert "3号楼101室 <b>赵阿英</b>" in page
    assert "孙小妹" not in page, "building 13 is not building 3"
    assert WATER in page
    assert rows(office, Notice) == [], "nothing is written by looking"
    page = (await look(office, urgent="1", language="wuu", since="2026-03-02T12:00")).text
    assert "<b>全部 讲上海话的</b>，<b>1</b> 位老人" in page
    assert "<b>1</b> 位会专门接到电话" in page
    assert "3月2日 周一 12:00 到 3月3日 周二 17:00" in page
    assert people


async def test_only_what_was_looked_at_is_published(office: Office, people: dict[str, str]) -> None:
    seen = printed((await look(office)).text)
    for form in (typed(), typed(print="x"), typed(print=seen, urgent="1"), typed(print=seen, until="2026-03-05T17:00")):
        answer = await office.send("/notices/new", step="publish", **form)
        assert (answer.status_code, "还没有发布：请先看会传到谁" in answer.text) == (422, True)
        assert WATER in answer.text, "nothing typed is lost"
    assert rows(office, Notice) == []
    answer = await office.send("/notices/new", step="publish", print=seen, **typed())
    assert (answer.status_code, answer.headers["location"]) == (303, "/notices/4001")
    (notice,) = rows(office, Notice)
    assert (notice.text, notice.by, notice.urgent) == (WATER, WORKER, False)
    assert len(rows(office, Hearer)) == len(people)
    again = await office.send("/notices/new", step="publish", print=seen, **typed())
    assert again.status_code == 422, "sent twice, it is not published twice"
    assert "一样的公告已经有了" in again.text
    assert len(rows(office, Notice)) == 1


async def test_published_again_as_urgent_is_said_before(office: Office, people: dict[str, str]) -> None:
    await publish(office)
    page = (await look(office, urgent="1", until="2026-03-04T17:00")).text
    assert "有效期改为到 3月4日 周三 17:00，并改为紧急，没听懂的人会接到电话" in page
    office.log_in("张老师")
    answer = await publish(office, urgent="1", until="2026-03-04T17:00")
    assert answer.headers["location"] == "/notices/4001"
    page = (await office.client.get("/notices/4001")).text
    assert ("紧急" in page, "张老师" in page, "又发布了一次" in page) == (True, True, True)
    assert people


async def test_the_list_has_first_what_needs_somebody_at_the_door(office: Office, people: dict[str, str]) -> None:
    await publish(office, text="先结束的。", until="2026-03-02T20:00", **{"building-13": "1"})
    await publish(office)
    await publish(office, text="下周开会。", since="2026-03-09T08:00", until="2026-03-09T20:00")
    await publish(office, text="活动室九点开门。", topic="hours")
    page = (await office.client.get("/notices")).text
    assert page.index("4002") < page.index("4001"), "a door comes first, though it ends later"
    assert "⚠ 1 位要上门告诉" in page
    assert page.index("先结束的") < page.index("还没开始") < page.index("下周开会") < page.index("来电可以查问的")
    assert page.index("来电可以查问的") < page.index("活动室九点开门")
    await office.send("/notices/4001/withdraw")
    assert "先结束的" not in (await office.client.get("/notices")).text
    past = (await office.client.get("/notices?all=1")).text
    assert past.index("过去的") < past.index("先结束的")
    assert people


async def test_those_who_were_told_at_the_door_are_ticked_and_the_rest_stays(
    office: Office, people: dict[str, str]
) -> None:
    await publish(office)
    page = (await office.client.get("/notices/4001")).text
    assert page.index("赵阿英") < page.index("孙小妹"), "where somebody must go comes first"
    assert "没有同意" in page or "要上门" in page
    found = (await office.client.get("/notices/4001", params={"q": "13号楼"})).text
    assert ("孙小妹" in found, "赵阿英" in found) == (True, False)
    ticked = {f"told-{people[name]}": "1" for name in ("赵阿英", "王秀英")}
    assert (await office.send("/notices/4001/told", **ticked)).status_code == 303
    page = (await office.client.get("/notices/4001")).text
    table = page[page.index("还没说听懂的人") : page.index("做过什么")]
    assert ("赵阿英" in table, "王秀英" in table, "李建国" in table) == (False, False, True)
    assert f"告诉了：赵阿英</td><td>{WORKER}" in page
    told = {row.person_id: row.by for row in rows(office, Hearer) if row.understood_at}
    assert told == {people["赵阿英"]: WORKER, people["王秀英"]: WORKER}
    office.log_in("张老师")
    await office.send("/notices/4001/told", **ticked)
    assert {row.by for row in rows(office, Hearer) if row.understood_at} == {WORKER}, "the first word counts"


async def test_a_stale_page_withdraws_nothing_that_was_published_again(office: Office, people: dict[str, str]) -> None:
    await publish(office)
    seen = hidden((await office.client.get("/notices/4001")).text, "seen")
    office.log_in("张老师")
    await publish(office, until="2026-03-05T17:00")
    answer = await office.send("/notices/4001/withdraw", seen=seen)
    assert (answer.status_code, "张老师刚才又发布了一次" in answer.text) == (422, True)
    assert rows(office, Notice)[0].withdrawn_at is None
    seen = hidden((await office.client.get("/notices/4001")).text, "seen")
    assert (await office.send("/notices/4001/withdraw", seen=seen)).status_code == 303
    page = (await office.client.get("/notices/4001")).text
    assert "张老师 在 3月2日 周一 07:00 撤回了" in page
    assert 'action="/notices/4001/told"' not in page
    answer = await office.send("/notices/4001/told", **{f"told-{people['赵阿英']}": "1"})
    assert (answer.status_code, "已经由张老师撤回" in answer.text) == (422, True)
    assert "已经由张老师撤回" in (await office.send("/notices/4001/withdraw", seen="999")).text


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found.group(1)


async def test_what_is_over_says_so_and_offers_nothing(office: Office, people: dict[str, str]) -> None:
    await publish(office)
    office.world.clock.advance_to(office.world.clock.now() + timedelta(days=3))
    page = (await office.client.get("/notices/4001")).text
    assert "已经过了有效期" in page
    assert "/doors.pdf" not in page
    assert '<form method="post" action="/notices' not in page
    for what in ("withdraw", "told"):
        answer = await office.send(f"/notices/4001/{what}", **{f"told-{people['赵阿英']}": "1"})
        assert (answer.status_code, "已经过了有效期" in answer.text) == (422, True)
    assert (await office.client.get("/notices/4001/doors.pdf")).status_code == 404


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"text": " "}, "请写公告的内容"),
        ({"text": "停" * 301}, "最多说300个字，这里有301个"),
        ({"until": ""}, "请写清到哪天几点有效"),
        ({"until": "9999-12-31T23:59"}, "请写清到哪天几点有效"),
        ({"until": "2026-03-01T17:00"}, "截止要晚于开始"),
        ({"since": "2026-03-09T17:00"}, "截止要晚于开始"),
        ({"since": "soon"}, "请写清从哪天几点开始"),
        ({"topic": "party"}, "请选是公告"),
        ({"topic": "hours", "urgent": "1"}, "只有公告可以紧急"),
        ({"language": "fr"}, "请选语言"),
        ({"building-99": "1"}, "登记里没有人住99号楼"),
        ({"building-x": "1"}, "楼请写成"),
        ({"complaint": "9"}, "没有9号诉求"),
        ({"complaint": "x"}, "没有这个诉求编号"),
    ],
)
@pytest.mark.parametrize("step", ["preview", "publish"])
async def test_what_makes_no_sense_is_said_in_chinese_and_nothing_is_saved(
    office: Office, people: dict[str, str], step: str, form: dict[str, str], says: str
) -> None:
    answer = await office.send("/notices/new", step=step, print="x", **typed(**form))
    assert (answer.status_code, says in answer.text) == (422, True), answer.text
    assert rows(office, Notice) == []
    assert people


async def test_the_papers_open_and_who_printed_names_is_written_down(office: Office, people: dict[str, str]) -> None:
    try:
        font.load()
    except font.FontError:
        pytest.skip("no Chinese font on this machine")
    await publish(office)
    poster = await office.client.get("/notices/4001/poster.pdf")
    sheet = await office.client.get("/notices/4001/doors.pdf")
    for answer, name in ((poster, "notice-4001-poster.pdf"), (sheet, "notice-4001-doors.pdf")):
        assert answer.content.startswith(b"%PDF")
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert answer.headers["cache-control"] == "no-store"
    assert [(event.what, event.who) for event in rows(office, NoticeEvent)] == [
        (notices.MADE, WORKER),
        (notices.PRINTED, WORKER),
    ]
    office.log_in("审计", Role.AUDITOR)
    assert (await office.client.get("/notices/4001/doors.pdf")).status_code == 403
    assert (await office.client.get("/notices/4001/poster.pdf")).status_code == 200
    page = (await office.client.get("/notices/4001")).text
    assert ("doors.pdf" in page, "told-" in page, "/withdraw" in page) == (False, False, False)
    assert people


async def test_what_staff_have_recorded_goes_with_it(office: Office, people: dict[str, str]) -> None:
    headers = {"content-type": "audio/wav", "x-csrf-token": await office.token()}
    voice = wav(clips.load()("zm_yunxi/tell_dizzy"))
    sound = (await office.client.post("/sounds", content=voice, headers=headers)).json()["id"]
    page = await look(office, sound=sound)
    assert f'src="/sounds/{sound}"' in page.text
    stale = await office.send("/notices/new", step="publish", print="x", **typed(sound=sound))
    assert (stale.status_code, list(office.folder.glob("recordings/**/*.ulaw"))) == (422, [])
    await publish(office, sound=sound)
    (notice,) = rows(office, Notice)
    played = await office.client.get("/notices/4001/recording")
    assert (played.status_code, played.headers["content-type"]) == (200, "audio/wav")
    assert len(played.content) > 8000
    assert office.recordings.read(notice.recording)
    await publish(office, text="没有录音的。")
    assert (await office.client.get("/notices/4002/recording")).status_code == 404
    for gone in (sound, "../x", "0" * 32):
        form = typed(text="再来一条。", sound=gone)
        seen = await office.send("/notices/new", step="preview", **form)
        answer = await office.send("/notices/new", step="publish", print=printed(seen.text), **form)
        assert (answer.status_code, "这段录音已经不在了" in answer.text) == (422, True)
    assert len(rows(office, Notice)) == 2
    assert people


async def test_an_answer_of_the_hall_becomes_a_notice_in_other_words(office: Office, people: dict[str, str]) -> None:
    hall = Hall(office.world)
    number = await hall.complains(people["王秀英"], text="楼道的灯坏了。")
    hall.act(staff.hear, number, WORKER)
    with office.world.db.write() as session:
        session.scalars(select(Complaint)).one().wish = Wish.PUBLIC
        staff.publish(session, number, "楼道的灯坏了。", WORKER, office.world.clock.now())
    assert "还没有告诉大家" not in (await office.client.get("/notices/new")).text
    hall.act(staff.reply, number, WORKER, text="灯修好了，谢谢王秀英。")
    page = (await office.client.get("/notices/new")).text
    assert f"answer={number}" in page
    page = (await office.client.get(f"/notices/new?answer={number}")).text
    assert "灯修好了，谢谢王秀英。" in page
    form = {"complaint": str(number), "text": "王秀英说的灯修好了。"}
    assert "这段话看得出是谁（王秀英）" in (await look(office, **form)).text
    answer = await publish(office, complaint=str(number), text="楼道的灯修好了。")
    assert answer.headers["location"] == "/notices/4001"
    assert f"议事厅 {number} 号的答复" in (await office.client.get("/notices/4001")).text
    assert f"answer={number}" not in (await office.client.get("/notices/new")).text
    (notice,) = rows(office, Notice)
    assert notice.complaint_id == rows(office, Complaint)[0].id
    refused = await look(office, complaint=str(number), text="灯修好了。", **{"building-3": "1"})
    assert "给所有人的公告" in refused.text


async def test_each_committee_has_its_own_and_others_are_asked_for_by_number(
    office: Office, people: dict[str, str]
) -> None:
    with office.world.db.write() as session:
        other = Neighbourhood(name="槐荫里", committee="槐荫里居委会", timezone="Asia/Shanghai")
        session.add(other)
        session.flush()
        place = other.id
        for person in session.scalars(select(Person).where(Person.id == people["孙小妹"])):
            person.neighbourhood_id = place
    page = (await look(office, place=str(place))).text
    assert "<b>1</b> 位老人" in page
    for unknown in ("99", "x", "-1", "9" * 30):
        assert (await office.client.get("/notices/new", params={"place": unknown})).status_code == 404
        assert (await look(office, place=unknown)).status_code == 404
        assert (await office.client.get(f"/notices/{unknown}")).status_code == 404


async def test_strangers_change_nothing_and_names_are_shown_as_text(office: Office, people: dict[str, str]) -> None:
    seen = printed((await look(office)).text)
    for form, headers in (
        ({"token": "wrong"}, {}),
        ({}, {"origin": "http://evil.example"}),
    ):
        answer = await office.send("/notices/new", headers, step="publish", print=seen, **typed(**form))
        assert answer.status_code == 403
    office.log_in("审计", Role.AUDITOR)
    for path in ("/notices/new", "/notices/4001/told", "/notices/4001/withdraw"):
        assert (await office.send(path, step="publish", print=seen, **typed())).status_code == 403
    assert rows(office, Notice) == []
    office.log_in()
    assert (await office.send("/notices/4001/party")).status_code == 404
    office.world.elder(NASTY[:90], spoken_name="x", address=NASTY, consents={})
    text = f"停水{NASTY}"
    await publish(office, text=text)
    for path in ("/notices", "/notices/4001"):
        assert "<script>alert" not in (await office.client.get(path)).text
    assert "<script>alert" not in (await look(office, text=text)).text
    assert "还没说听懂的人" in (await office.client.get("/notices/4001")).text
    wrong = await office.send("/notices/4001/told", **{"told-nobody": "1"})
    assert (wrong.status_code, "不是给这位的" in wrong.text) == (422, True)
    nobody = await office.send("/notices/4001/told")
    assert "请勾选告诉了谁" in nobody.text
    assert people
