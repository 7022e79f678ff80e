"""Roster, alarms and what is to be done, as staff see and change them in the browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from checkins import alarms, items
from checkins.people import set_state
from checkins.roster.loading import load
from checkins.roster.tables import RosterChange
from checkins.roster.values import Roster
from checkins.tables import Person, Role, State
from tests.e2e.office import NASTY, Office, open_office
from tests.unit.checkins.street import CHEN, LI, ZHOU, Street
from tests.unit.checkins.world import DAY

DAY5, DAY6 = DAY + timedelta(days=5), DAY + timedelta(days=6)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        yield office


@pytest.fixture
def street(office: Office) -> Street:
    return Street.of(office.world)


async def token(office: Office) -> str:
    found = re.search(r'name="token" value="([^"]+)"', (await office.client.get("/roster")).text)
    assert found
    return found.group(1)


def roster(office: Office) -> Roster:
    with office.world.db.read() as session:
        return load(session, office.world.place_id, office.world.clock.now())


def changes(office: Office) -> list[tuple[str, str]]:
    with office.world.db.read() as session:
        return [(row.what, row.who) for row in session.scalars(select(RosterChange).order_by(RosterChange.id))]


async def send(office: Office, what: str, **form: str) -> str:
    """The page that says what is wrong; "" when it was saved."""
    path = f"/roster/{office.world.place_id}/{what}"
    office.log_in(form.pop("by", "书记"))
    answer = await office.client.post(path, data={"token": await token(office), **form})
    assert answer.status_code in (303, 422)
    return answer.text if answer.status_code == 422 else ""


# ── the roster ────────────────────────────────────────────────────────────────────────────────────


async def test_the_page_says_who_is_on_duty_and_who_goes_to_whom(office: Office, street: Street) -> None:
    street.elder("王秀英")
    lonely = office.world.elder("赵阿英", consents={"calls": True, "buddy": True})
    page = (await office.client.get("/roster")).text
    assert "陈老师" in page[page.index("现在值班") : page.index("14 天内的空缺")]
    assert "3月2日 周一 <b>今天</b>" in page
    pairs = page[page.index('id="pairs"') :]
    assert pairs.index("赵阿英") < pairs.index("王秀英"), "who lacks somebody comes first"
    for word in ("李阿姨", "周阿姨", "王小妹"):
        assert word in pairs
    assert "赵阿婆没有老伙伴" in page
    found = (await office.client.get("/roster", params={"q": "秀英"})).text
    assert ("王秀英" in found, "赵阿英" in found.split('id="pairs"')[1]) == (True, False)
    assert lonely
    for unknown in ("99", "x", "-1"):
        assert (await office.client.get("/roster", params={"place": unknown})).status_code == 404


async def test_leave_is_entered_shows_its_gap_on_todays_page_and_is_taken_back(office: Office, street: Street) -> None:
    street.elder()
    assert "值班表有空缺" not in (await office.client.get("/")).text
    form = {"person": street.ids[CHEN], "begins": "2026-03-07T18:00", "ends": ""}
    assert await send(office, "leave", **form) == ""
    (leave,) = roster(office).leave[street.ids[CHEN]]
    assert (leave.begins, leave.ends) == (office.world.at("18:00", DAY5), office.world.at("00:00", DAY6))
    today = (await office.client.get("/")).text
    assert "周六18:00至周日00:00没有人值班" in today
    assert f'href="/roster?place={office.world.place_id}"' in today
    page = (await office.client.get("/roster")).text
    assert "3月7日 周六 18:00 到 3月8日 周日 00:00" in page
    assert '<span class="soft">18:00起</span> <b class="lack">⚠ 没有人</b>' in page
    number = re.search(r'undo-leave.*?name="id" value="(\d+)"', page, re.DOTALL)
    assert number
    assert await send(office, "undo-leave", id=number.group(1)) == ""
    assert roster(office).leave == {}
    assert "值班表有空缺" not in (await office.client.get("/")).text
    assert [change for change in changes(office) if "leave" in change[0]] == [
        ("leave", "书记"),
        ("leave_ended", "书记"),
    ]
    assert "没有这条请假了" in await send(office, "undo-leave", id=number.group(1))


async def test_somebody_stands_in_for_a_day(office: Office, street: Street) -> None:
    elder = street.elder("王秀英")
    span = {"begins": "2026-03-02T00:00", "ends": "2026-03-03T00:00"}
    assert await send(office, "override", person=street.ids[ZHOU], instead_of=street.ids[LI], **span) == ""
    assert await send(office, "override", person=street.ids[CHEN], elder=" 王秀英 ", **span) == ""
    first, second = roster(office).overrides
    assert (first.person_id, first.instead_of, first.elder_id) == (street.ids[ZHOU], street.ids[LI], None)
    assert (second.person_id, second.instead_of, second.elder_id) == (street.ids[CHEN], None, elder)
    page = (await office.client.get("/roster")).text
    assert "<b>周阿姨</b> 替 <b>李阿姨</b>" in page
    assert "只为 王秀英" in page
    number = re.search(r'undo-override.*?name="id" value="(\d+)"', page, re.DOTALL)
    assert number
    assert await send(office, "undo-override", id=number.group(1)) == ""
    assert len(roster(office).overrides) == 1


async def test_a_holiday_is_written_down_and_taken_back(office: Office, street: Street) -> None:
    assert await send(office, "day", day="2026-03-09", working="0") == ""
    page = (await office.client.get("/roster")).text
    assert "2026年3月9日 周一</td><td>休息" in page
    assert await send(office, "day", day="2026-03-09") == ""
    assert roster(office).calendar.days == {}
    assert street.ids


async def test_who_moved_is_taken_off_by_a_button(office: Office, street: Street) -> None:
    street.elder()
    with office.world.db.write() as session:
        set_state(session, street.ids[LI], State.MOVED, "书记", office.world.clock.now())
    page = (await office.client.get("/roster")).text
    assert "李阿姨已不在" in page
    assert f'value="{street.ids[LI]}"' in page[page.index('id="gaps"') :]
    assert await send(office, "take-off", person=street.ids[LI]) == ""
    assert "李阿姨已不在" not in (await office.client.get("/roster")).text
    assert changes(office)[-1] == ("taken_off", "书记")


@pytest.mark.parametrize(
    ("what", "form", "says"),
    [
        ("leave", {"person": ""}, "请选一个人"),
        ("leave", {"begins": "tomorrow"}, "请写全日期和时间"),
        ("leave", {"begins": "2026-03-07T18:00+02:00"}, "请写全日期和时间"),
        ("leave", {"begins": "9999-12-31T18:00"}, "请写全日期和时间"),
        ("leave", {"begins": "2026-03-08T18:00"}, "开始要早于结束"),
        ("leave", {"begins": "2026-01-01T00:00", "ends": "2026-01-02T00:00"}, "已经过去"),
        ("override", {}, "请写明替谁"),
        ("override", {"elder": "无名氏"}, "没有叫这个名字的老人"),
        ("day", {"day": "soon"}, "请写日期"),
        ("take-off", {"person": "nobody"}, "请选一个人"),
        ("undo-leave", {"id": "x"}, "没有这条请假了"),
    ],
)
async def test_what_makes_no_sense_is_said_in_chinese_and_nothing_is_saved(
    office: Office, street: Street, what: str, form: dict[str, str], says: str
) -> None:
    before = changes(office)
    good = {"person": street.ids[LI], "begins": "2026-03-07T18:00", "ends": "2026-03-08T18:00"}
    page = await send(office, what, **{**good, **form})
    assert says in page
    assert changes(office) == before
    if what == "leave" and not form.keys() & {"person", "begins"}:
        assert f'value="{good["begins"]}"' in page, "nothing typed is lost"


async def test_forms_from_elsewhere_and_unknown_ones_change_nothing(office: Office, street: Street) -> None:
    before, path = changes(office), f"/roster/{office.world.place_id}"
    good = {"person": street.ids[LI], "begins": "2026-03-07T18:00", "ends": ""}
    known = await token(office)
    for data, headers, status in (
        ({**good, "token": "wrong"}, {}, 403),
        (good, {}, 403),
        ({**good, "token": known}, {"origin": "http://evil.example"}, 403),
    ):
        answer = await office.client.post(f"{path}/leave", data=data, headers=headers)
        assert answer.status_code == status
    assert (await office.client.post(f"{path}/party", data={**good, "token": known})).status_code == 404
    assert (await office.client.post("/roster/99/leave", data={**good, "token": known})).status_code == 404
    files = await office.client.post(f"{path}/leave", files={"by": ("a.bin", b"\0")})
    assert files.status_code == 422
    assert changes(office) == before


async def test_nobody_else_gets_these_pages(office: Office) -> None:
    for path in ("/roster", "/items"):
        for headers in ({"host": "evil.example"}, {"host": "127.0.0.1", "via": "1.1 proxy"}):
            assert (await office.client.get(path, headers=headers)).status_code == 403
        assert "default-src 'none'" in (await office.client.get(path)).headers["content-security-policy"]


async def test_names_are_shown_as_text(office: Office, street: Street) -> None:
    office.world.elder(NASTY[:90], spoken_name=NASTY, consents={"buddy": True})
    street.add(NASTY, "+862155510099", Role.STAFF)
    await send(office, "leave", person=street.ids["+862155510099"], begins="2026-03-07T18:00", by=NASTY)
    for path in ("/roster", "/", "/items"):
        page = (await office.client.get(path)).text
        assert "<script>alert" not in page


# ── alarms and items ──────────────────────────────────────────────────────────────────────────────


async def test_an_alarm_stands_on_every_page_until_a_name_acknowledges_it(office: Office, street: Street) -> None:
    elder, now = street.elder(), office.world.clock.now()
    with office.world.db.write() as session:
        number = alarms.raise_alarm(session, "line_down", "电话打不出去", now).id
    await office.world.to("08:00")
    for path in ("/", "/items", "/roster", f"/case/{office.case(elder)}"):
        page = (await office.client.get(path)).text
        assert ("电话打不出去" in page, f'action="/alarms/{number}/acknowledge"' in page) == (True, True)
    known = await token(office)
    forged = await office.client.post(f"/alarms/{number}/acknowledge", data={"token": "x"})
    assert forged.status_code == 403
    data = {"by": "别人", "token": known, "back": "//evil.example/roster"}
    answer = await office.client.post(f"/alarms/{number}/acknowledge", data=data)
    assert (answer.status_code, answer.headers["location"].startswith("/")) == (303, True)
    assert "evil" not in answer.headers["location"]
    page = (await office.client.get("/")).text
    known = ("周老师 08:00 已知道" in page, "/acknowledge" in page)
    assert known == (True, False), "its cause is still there, and somebody knows"
    again = await office.client.post(f"/alarms/{number}/acknowledge", data=data)
    assert again.status_code == 404
    with office.world.db.write() as session:
        alarms.over(session, "line_down", office.world.clock.now())
    assert "电话打不出去" not in (await office.client.get("/")).text


async def test_what_is_to_be_done_is_listed_and_done_by_a_name(office: Office, street: Street) -> None:
    elder, now, place = street.elder("王秀英"), office.world.clock.now(), office.world.place_id
    buddy = street.ids[LI]
    with office.world.db.write() as session:
        items.open_item(session, items.ItemKind.NO_PIN, now, neighbourhood_id=place, person_id=buddy)
        worried = items.open_item(
            session,
            items.ItemKind.WORRIED,
            now,
            neighbourhood_id=place,
            person_id=elder,
            by_id=buddy,
            due_at=now + timedelta(hours=1),
            detail={"worry_text": f"不肯吃饭{NASTY}"},
        ).id
        items.open_item(session, "brand_new", now, neighbourhood_id=place)
    page = (await office.client.get("/items")).text
    assert page.index("老伙伴不放心") < page.index("还没有密码"), "what is due first comes first"
    for word in ("王秀英", "李阿姨", "不肯", "brand_new", "08:00", '<span class="chip person">3</span>'):
        assert word in page
    assert "<script>alert" not in page
    known = await token(office)
    data = {"by": "别人", "token": known}
    assert (await office.client.post(f"/items/{worried}/done", data=data)).headers["location"] == "/items"
    assert "老伙伴不放心" not in (await office.client.get("/items")).text
    for number in (str(worried), "x", "99"):
        assert (await office.client.post(f"/items/{number}/done", data=data)).status_code == 404
    with office.world.db.read() as session:
        assert session.get_one(items.Item, worried).done_by == "周老师"


# ── the ladder of a case ──────────────────────────────────────────────────────────────────────────


async def test_a_case_shows_who_was_rung_who_has_it_and_what_comes_next(office: Office, street: Street) -> None:
    elder = street.elder("王秀英", address="三号楼五零二室", key_holder="隔壁陈阿姨")
    await street.unreached(elder)
    (first,) = await street.tick()
    page = await ladder(office, elder)
    assert ("李阿姨" in page, "正在打给李阿姨，等回答" in page) == (True, True)
    await street.says(first, "declined")
    assert "打电话给周阿姨（老伙伴）" in await ladder(office, elder)
    (second,) = await street.tick()
    await street.says(second, "accepted")
    page = await ladder(office, elder)
    assert "李阿姨说去不了" in page
    assert "<b>周阿姨</b> 在处理，09:21 前要说看到了什么" in page
    assert "<b>09:16</b> <b>打电话问周阿姨看到了什么</b>" in page
    (asks,) = await street.tick(minutes=25)
    await street.says(asks, "fine_seen")
    page = await ladder(office, elder)
    assert "周阿姨见到老人，平安" in page
    assert "打给老人本人确认" in page
    whole = (await office.client.get(f"/case/{office.case(elder)}")).text
    assert "三号楼五零二室" in whole
    assert "周阿姨按键答应去" in whole
    with office.world.db.read() as session:
        assert session.get_one(Person, elder).name == "王秀英"


async def test_a_case_whom_nobody_can_be_rung_for_says_so(office: Office) -> None:
    elder = office.world.elder("王秀英", slot=480)
    await office.world.to("08:00")
    await office.world.ends(elder, "emergency")
    await office.world.cycle.tick()
    page = await ladder(office, elder)
    assert "没有人可打" in page
    assert "补值班表" in page


async def ladder(office: Office, elder: str) -> str:
    page = (await office.client.get(f"/case/{office.case(elder)}")).text
    return page[page.index('id="ladder"') : page.index("what happened")]
