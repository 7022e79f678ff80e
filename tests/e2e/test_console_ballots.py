"""打钩 in the browser: looked at before it is made, papers entered, what is refused says why, counted anew; and no page
tells who chose what."""

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
from checkins.people import set_state
from checkins.tables import Neighbourhood, State
from community import ballot_rows
from community.ballot import Channel, Unit
from community.ballot_rounds import BallotRounds
from community.ballot_tables import Ballot, BallotChoice, BallotEvent, BallotProxy, BallotSlot, BallotTopic
from console import ballot_form
from console.roles import Role
from tests.e2e.office import NASTY, Office, open_office
from tests.fakes.accounts import WORKER
from tests.unit.community.hall import Hall
from tests.unit.community.vote import Vote

ROLL = "室号,业主,电话\n1号101室,张大同、李梅,021-10009999\n1号102室,赵一平,\n"
CLOSES = "2026-03-05T20:00"
LIFT = {"question-1": "要不要装电梯？", "options-1": "要、不要、都可以"}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        yield office


@pytest.fixture
def people(office: Office) -> dict[str, str]:
    """A couple in one home, and a neighbour whom no machine may ring."""
    elder = office.world.elder
    return {
        "王秀英": elder("王秀英", address="3号楼502室"),
        "王建国": elder("王建国", address="3号楼502室"),
        "赵阿英": elder("赵阿英", address="3号楼101室", consents={}),
    }


def typed(**more: str) -> dict[str, str]:
    return {"title": "电梯", "unit": "person", "rings": "1", "closes": CLOSES, **LIFT, **more}


async def look(office: Office, **form: str) -> httpx.Response:
    return await office.send("/ballots/new", step="preview", **typed(**form))


async def make(office: Office, **form: str) -> httpx.Response:
    """Looked at, then made."""
    seen = await look(office, **form)
    assert seen.status_code == 200, seen.text
    return await office.send("/ballots/new", step="make", print=hidden(seen.text, "print"), **typed(**form))


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found.group(1)


def rows(office: Office, table: type[Any]) -> list[Any]:
    with office.world.db.read() as session:
        return list(session.scalars(select(table).order_by(table.id)))


async def paper(office: Office, asked: str, number: int = 7001, **form: str) -> httpx.Response:
    """Found by name or unit, and entered."""
    page = (await office.client.get(f"/ballots/{number}/papers", params={"q": asked})).text
    kept = {name: hidden(page, name) for name in ("slot", "who", "seen")}
    return await office.send(f"/ballots/{number}/papers", **{**kept, **form})


async def over(office: Office) -> None:
    office.world.clock.advance_to(office.world.clock.now() + timedelta(days=4))
    await BallotRounds(office.world.db, office.world.clock).look()


# ── making one ────────────────────────────────────────────────────────────────────────────────────


async def test_a_ballot_is_looked_at_before_it_is_made(office: Office, people: dict[str, str]) -> None:
    page = (await look(office, unit="household", **{"question-2": "自行车棚要不要搬？"})).text
    assert "<b>2</b> 户可以选" in page
    assert (
        page.index("要不要装电梯？")
        < page.index("<li>都可以</li>")
        < page.index("自行车棚")
        < page.index("<li>反对</li>")
    )
    assert "不具法律效力" in page
    assert rows(office, Ballot) == []
    for form in (typed(), typed(print="x"), typed(print=hidden(page, "print"))):
        answer = await office.send("/ballots/new", step="make", **form)
        assert (answer.status_code, "还没有建：请先看一遍" in answer.text) == (422, True)
    assert rows(office, Ballot) == []
    answer = await make(office, unit="household")
    assert answer.headers["location"] == "/ballots/7001"
    (ballot,) = rows(office, Ballot)
    assert (ballot.title, ballot.unit, ballot.made_by) == ("电梯", Unit.HOUSEHOLD, WORKER)
    assert rows(office, BallotTopic)[0].options == ["要", "不要", "都可以"]
    again = await office.send("/ballots/new", step="make", **typed(unit="household", print="x"))
    assert again.status_code == 422
    seen = await look(office, unit="household")
    assert "同名的打钩" in seen.text
    twice = typed(unit="household", print=await _print(office, unit="household"))
    assert "同名的打钩7001还开着" in (await office.send("/ballots/new", step="make", **twice)).text
    assert len(rows(office, Ballot)) == 1
    assert people


async def _print(office: Office, **form: str) -> str:
    """As a page would have it that was opened before the other one was made."""
    with office.world.db.read() as session:
        known = {"place": "", **typed(**form)}
        return ballot_form.form(session, known, office.world.clock.now(), preview=True).print


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"title": " "}, "名称要写1到60个字"),
        ({"title": "长" * 61}, "名称要写1到60个字"),
        ({"question-1": "", "options-1": ""}, "要有1到20个题目"),
        ({"question-1": ""}, "一个题目要有问题"),
        ({"options-1": "要"}, "2到4个不同的选项"),
        ({"options-1": "要、要"}, "2到4个不同的选项"),
        ({"options-1": "一|二|三|四|五"}, "2到4个不同的选项"),
        ({"options-1": f"要、{'长' * 31}"}, "一个选项1到30个字"),
        ({"question-1": "问" * 301}, "最多说300个字"),
        ({"unit": "dog"}, "请选谁来选"),
        ({"unit": ""}, "请选谁来选"),
        ({"closes": ""}, "请写清到哪天几点截止"),
        ({"closes": "9999-12-31T23:59"}, "请写清到哪天几点截止"),
        ({"closes": "2026-03-01T10:00"}, "截止要晚于开始"),
        ({"opens": "soon"}, "请写清从哪天几点开始"),
        ({"opens": "2026-04-01T10:00"}, "截止要晚于开始"),
        ({"unit": "owner"}, "按业主的打钩要有业主名册"),
        ({"unit": "owner", "roll": "a,b\n1,2"}, "第一行要写：室号,业主,电话"),
        ({"unit": "owner", "roll": ROLL + "一号101室,钱\n,李\n"}, "第4行的一号101室重复了；第5行要有室号和业主"),
        ({"kind": "proposals", "sentence-1": "装长凳"}, "要有2到4个不同的提议"),
        ({"kind": "proposals", "sentence-1": "装。凳", "sentence-2": "饮水机"}, "一个提议写一句话"),
        ({"kind": "proposals", "sentence-1": "装凳", "case-1": "x", "sentence-2": "水"}, "诉求写编号"),
        ({"kind": "proposals", "sentence-1": "装凳", "case-1": "9", "sentence-2": "水"}, "没有9号诉求"),
    ],
)
@pytest.mark.parametrize("step", ["preview", "make"])
async def test_what_makes_no_sense_is_said_in_chinese_and_nothing_is_made(
    office: Office, people: dict[str, str], step: str, form: dict[str, str], says: str
) -> None:
    answer = await office.send("/ballots/new", step=step, print="x", **typed(**form))
    assert (answer.status_code, says in answer.text) == (422, True), answer.text
    assert rows(office, Ballot) == []
    assert people


async def test_homes_that_may_be_one_are_said_before_and_after(office: Office, people: dict[str, str]) -> None:
    office.world.elder("孙小妹", address="曹杨路100弄3号楼502室")
    page = (await look(office, unit="household")).text
    assert "可能是同一户" in page
    assert "曹杨路100弄3号楼502室" in page[page.index("可能是同一户") :]
    await make(office, unit="household")
    assert "可能是同一户" in (await office.client.get("/ballots/7001")).text
    assert people


async def test_proposals_are_made_and_ring_nobody(office: Office, people: dict[str, str]) -> None:
    page = (await office.client.get("/ballots/new?kind=proposals")).text
    assert 'name="rings" value="1" checked' not in page
    form = {
        "kind": "proposals",
        "rings": "",
        "sentence-1": "楼下装一排长凳",
        "proposer-1": "李福根",
        "sentence-2": "添饮水机",
    }
    seen = (await look(office, **form)).text
    assert "有两个提议,请选一个。第一个是李福根提的。" in seen
    assert "不打电话" in seen
    await make(office, **form)
    page = (await office.client.get("/ballots/7001")).text
    assert ("提议" in page, "赵阿英" in page[page.index("要上门") :]) == (True, True)
    assert people


# ── papers ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_paper_is_found_entered_and_the_next_one_asked_for(office: Office, people: dict[str, str]) -> None:
    await make(office)
    page = (await office.client.get("/ballots/7001/papers", params={"q": "秀英"})).text
    assert '<h2 id="paper-head">王秀英</h2>' in page
    answer = await paper(office, "王秀英", **{"topic-1": "2"})
    assert answer.status_code == 303
    page = (await office.client.get(answer.headers["location"])).text
    assert "<b>✓ 算</b>：王秀英" in page
    assert 'id="whose" maxlength="50" value="" autofocus' in page
    events = [(event.what, event.detail["channel"], event.who) for event in rows(office, BallotEvent)[1:]]
    assert events == [("chose", Channel.PAPER, WORKER)]
    several = (await office.client.get("/ballots/7001/papers", params={"q": "3号楼502室"})).text
    assert several.index("是哪一位") < several.index("王建国") < several.index("王秀英")
    assert "paper-head" not in several
    assert people


async def test_a_refused_second_paper_says_why_and_is_logged(office: Office, people: dict[str, str]) -> None:
    await make(office, unit="household")
    assert (await paper(office, "王秀英", **{"topic-1": "1"})).status_code == 303
    page = (await office.client.get("/ballots/7001/papers", params={"q": "王建国"})).text
    assert "这一处已经选过：王秀英，纸上。再来的不算：这一户已经有别人选过" in page
    answer = await paper(office, "王建国", **{"topic-1": "3"})
    assert answer.status_code == 422
    assert "<b>✗ 没有算</b>（王建国（王建国、王秀英））：这一户已经有别人选过" in answer.text
    assert 'value="3" checked' in answer.text, "what was typed is kept, for whoever has asked them"
    assert "autofocus" in answer.text.split('<h2 id="paper-head"')[0], "and the next paper can be typed at once"
    assert [event.detail for event in rows(office, BallotEvent)][-1]["reason"] == "other_person"
    page = (await office.client.get("/ballots/7001")).text
    assert "✗ 没有算</b>：这一户已经有别人选过" in page
    changed = await paper(office, "王建国", change="1", **{"topic-1": "3"})
    assert changed.status_code == 303
    await over(office)
    assert rows(office, Ballot)[0].result == {"1": [0, 0, 1]}
    assert people


async def test_who_chose_by_telephone_and_who_has_died_is_refused_on_paper(
    office: Office, people: dict[str, str]
) -> None:
    await make(office)
    vote = Vote(Hall(office.world), number=7001)
    await vote.chooses(people["王秀英"], "1")
    answer = await paper(office, "王秀英", **{"topic-1": "2"})
    assert (answer.status_code, "已经用别的方式选过" in answer.text) == (422, True)
    with office.world.db.write() as session:
        set_state(session, people["王建国"], State.DIED, WORKER, office.world.clock.now())
    page = (await office.client.get("/ballots/7001/papers", params={"q": "王建国"})).text
    assert "已经去世或搬走：不算" in page
    assert 'name="change"' not in page
    gone = await paper(office, "王建国", **{"topic-1": "2"})
    assert (gone.status_code, "已经去世或搬走" in gone.text) == (422, True)
    nobody = await office.client.get("/ballots/7001/papers", params={"q": NASTY})
    assert ("名册上没有「" in nobody.text, "<script>alert" in nobody.text) == (True, False)
    off = await office.send("/ballots/7001/papers", step="not-on-roll")
    assert (off.status_code, "不在名册上" in off.text) == (422, True)
    assert vote.refused() == ["other_channel", "gone", "not_on_roll"]


async def test_a_stale_page_replaces_nothing(office: Office, people: dict[str, str]) -> None:
    await make(office)
    page = (await office.client.get("/ballots/7001/papers", params={"q": "王秀英"})).text
    kept = {name: hidden(page, name) for name in ("slot", "who", "seen")}
    assert (await office.send("/ballots/7001/papers", **kept, **{"topic-1": "1"})).status_code == 303
    stale = await office.send("/ballots/7001/papers", **kept, **{"topic-1": "2"})
    assert (stale.status_code, "刚才有人替这一处选过，请看过再存" in stale.text) == (422, True)
    seen = hidden(stale.text, "seen")
    anew = await office.send("/ballots/7001/papers", **{**kept, "seen": seen}, **{"topic-1": "2"})
    assert anew.status_code == 303, "the same person's second paper takes the place of the first"
    await over(office)
    assert rows(office, Ballot)[0].result == {"1": [0, 1, 0]}
    assert people


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({}, "请至少选一项"),
        ({"topic-1": "9"}, "没有这一项"),
        ({"topic-1": "x"}, "没有这一项"),
        ({"topic-1": "9" * 40}, "没有这一项"),
        ({"topic-1": "1", "slot": "99"}, "名册上没有这一处"),
        ({"topic-1": "1", "slot": "x"}, "名册上没有这一处"),
        ({"topic-1": "1", "slot": "9" * 18}, "名册上没有这一处"),
        ({"topic-1": "1", "who": "nobody"}, "名册上没有这一处"),
        ({"topic-7": "1"}, "请至少选一项"),
    ],
)
async def test_a_wrong_paper_changes_nothing(
    office: Office, people: dict[str, str], form: dict[str, str], says: str
) -> None:
    await make(office)
    answer = await paper(office, "王秀英", **form)
    assert (answer.status_code, says in answer.text) == (422, True), answer.text
    assert rows(office, BallotChoice) == []
    assert people


async def test_before_and_after_its_time_nothing_can_be_entered(office: Office, people: dict[str, str]) -> None:
    await make(office, opens="2026-03-03T08:00")
    page = (await office.client.get("/ballots/7001/papers", params={"q": "王秀英"})).text
    assert "还没有开始：3月3日 周二 08:00 起才能登记" in page
    assert ("data-paper" in page, 'name="q"' in page) == (False, False)
    slot = str(rows(office, BallotSlot)[0].id)
    form = {"slot": slot, "who": rows(office, BallotSlot)[0].code, "seen": "0", "topic-1": "1"}
    early = await office.send("/ballots/7001/papers", **form)
    assert (early.status_code, "还没有开始" in early.text) == (422, True)
    office.world.clock.advance_to(office.world.clock.now() + timedelta(days=4))
    page = (await office.client.get("/ballots/7001")).text
    assert "时间已到，正在点票" in page
    assert ("/withdraw" in page, "sheet.pdf" in page, "/papers" in page) == (False, False, False)
    late = await office.send("/ballots/7001/papers", **form)
    assert (late.status_code, "已经结束" in late.text) == (422, True)
    assert "正在点票，不能撤回" in (await office.send("/ballots/7001/withdraw")).text
    await over(office)
    assert "已经截止，不能再登记" in (await office.client.get("/ballots/7001/papers")).text
    assert "这次打钩已经结束" in (await office.send("/ballots/7001/withdraw")).text
    assert rows(office, BallotChoice) == []
    assert people


# ── owners ────────────────────────────────────────────────────────────────────────────────────────


async def test_owners_papers_proxies_and_who_is_told(office: Office, people: dict[str, str]) -> None:
    await make(office, unit="owner", roll=ROLL)
    page = (await office.client.get("/ballots/7001/papers", params={"q": "一号101"})).text
    assert "<option>张大同</option><option>李梅</option>" in page
    assert (await paper(office, "一号101", signer="张大同", **{"topic-1": "1"})).status_code == 303
    second = await paper(office, "1号101室", signer="李梅", **{"topic-1": "2"})
    assert (second.status_code, "这一户已经有别人选过" in second.text) == (422, True)
    tenant = await paper(office, "1号102室", signer="房客", **{"topic-1": "2"})
    assert (tenant.status_code, "不是业主,也没有书面委托" in tenant.text) == (422, True)
    for form, says in (
        ({"unit": "9号", "name": "孙小妹", "document": "柜三"}, "业主名册上没有9号"),
        ({"unit": "1号102室", "name": " ", "document": "柜三"}, "请写受委托人的姓名"),
        ({"unit": "1号102室", "name": "孙小妹", "document": " "}, "委托要有书面的"),
    ):
        wrong = await office.send("/ballots/7001/proxy", **form)
        assert (wrong.status_code, says in wrong.text) == (422, True), wrong.text
        assert 'value="孙小妹"' in wrong.text or form["name"] == " ", "nothing typed is lost"
    assert rows(office, BallotProxy) == []
    good = {"unit": "1号102室", "name": "孙小妹", "document": f"柜三{NASTY}"}
    assert (await office.send("/ballots/7001/proxy", **good)).status_code == 303
    assert (await paper(office, "1号102室", signer="孙小妹", **{"topic-1": "2"})).status_code == 303
    page = (await office.client.get("/ballots/7001")).text
    assert ("柜三" in page, "<script>alert" in page) == (True, False)
    await over(office)
    page = (await office.client.get("/ballots/7001")).text
    assert "021-10009999" in page[page.index("请告诉结果") :]
    slots = {slot.label: slot.id for slot in rows(office, BallotSlot)}
    first = slots["1号101室 张大同、李梅"]
    for form in ({}, {"told-99": "1"}, {f"told-{first}": "1", "told-99": "1"}, {"told-x": "1"}):
        assert "请勾选告诉了哪几户" in (await office.send("/ballots/7001/told", **form)).text
    assert (await office.send("/ballots/7001/told", **{f"told-{first}": "1"})).status_code == 303
    page = (await office.client.get("/ballots/7001")).text
    assert ("021-10009999" in page, "赵一平" in page[page.index("请告诉结果") :]) == (False, True)
    assert people


async def test_letters_are_made_once_and_a_lost_batch_anew(office: Office, people: dict[str, str]) -> None:
    try:
        font.load()
    except font.FontError:
        pytest.skip("no Chinese font on this machine")
    await make(office, unit="owner", roll=ROLL)
    assert "<b>2</b> 户还没有信" in (await office.client.get("/ballots/7001")).text
    made = await office.send("/ballots/7001/letters", line="021-55500000")
    assert made.content.startswith(b"%PDF")
    assert made.headers["content-disposition"] == 'attachment; filename="ballot-7001-letters.pdf"'
    assert made.headers["cache-control"] == "no-store"
    pins = [slot.pin for slot in rows(office, BallotSlot)]
    assert all(pins)
    assert [event.what for event in rows(office, BallotEvent)][1:] == [ballot_rows.LETTER_MADE] * 2
    again = await office.send("/ballots/7001/letters", line="021-55500000")
    assert (again.status_code, "每一户都有信了" in again.text) == (422, True)
    batch = hidden((await office.client.get("/ballots/7001")).text, "batch")
    office.world.clock.advance_to(office.world.clock.now() + timedelta(minutes=1))
    one = await office.send("/ballots/7001/letters", line="1", unit="一号102")
    assert one.content.startswith(b"%PDF")
    anew = [slot.pin for slot in rows(office, BallotSlot)]
    assert (anew[0] == pins[0], anew[1] == pins[1]) == (True, False)
    assert (await office.send("/ballots/7001/letters", line="1", batch=batch)).content.startswith(b"%PDF")
    third = [slot.pin for slot in rows(office, BallotSlot)]
    assert (third[0] == anew[0], third[1] == anew[1]) == (False, True), "who has a newer letter keeps it"
    for form in ({"batch": batch}, {"batch": "x"}, {"batch": "9" * 30}, {"unit": "9号"}):
        answer = await office.send("/ballots/7001/letters", line="1", **form)
        assert (answer.status_code, "没有做信" in answer.text) == (422, True), form
    assert [slot.pin for slot in rows(office, BallotSlot)] == third
    sheet = await office.client.get("/ballots/7001/sheet.pdf")
    assert sheet.content.startswith(b"%PDF")
    await over(office)
    assert "已经结束，信没有用了" in (await office.send("/ballots/7001/letters", line="1", unit="1号102室")).text
    assert people


# ── the result, and what nobody sees ──────────────────────────────────────────────────────────────


async def test_the_result_is_counted_anew_and_says_when_it_does_not_agree(
    office: Office, people: dict[str, str]
) -> None:
    await make(office)
    for name in people:
        await paper(office, name, **{"topic-1": "1"})
    assert "从记录重新数过" not in (await office.client.get("/ballots/7001")).text
    await over(office)
    page = (await office.client.get("/ballots/7001")).text
    assert "✓ 从记录重新数过，一样" in page
    assert "记录里 3 票，名册上 3 处选了" in page
    assert '<td>要</td><td class="number">3</td><td class="number">3</td>' in page
    assert "从结果就看得出谁选了什么" in page
    with office.world.db.write() as session:
        session.add(BallotChoice(id="x", ballot_id=1, voter="nobody", topic=1, nth=1, option=2))
    page = (await office.client.get("/ballots/7001")).text
    assert "从记录重新数，和公布的不一样" in page
    assert '<td>不要</td><td class="number">0</td><td class="number">1</td>' in page


async def test_no_page_tells_who_chose_what(office: Office, people: dict[str, str]) -> None:
    """The same ballot held twice, with two choices exchanged: every page is the same, sign by sign."""
    pages: list[list[str]] = []
    for number, choices in ((7001, ("1", "2", "1")), (7002, ("2", "1", "1"))):
        await make(office, title=f"第{number}次")
        for name, choice in zip(people, choices, strict=True):
            assert (await paper(office, name, number, **{"topic-1": choice})).status_code == 303
        pages.append([await _plain(office, number, path) for path in _PAGES])
    office.world.clock.advance_to(office.world.clock.now() + timedelta(days=4))
    await BallotRounds(office.world.db, office.world.clock).look()
    for number, kept in ((7001, pages[0]), (7002, pages[1])):
        kept += [await _plain(office, number, path) for path in _PAGES]
    assert pages[0] == pages[1]


_PAGES = ("", "/papers", "/papers?q=王秀英", "/papers?q=赵阿英", "/papers?q=3号楼")


async def _plain(office: Office, number: int, path: str) -> str:
    """Without what differs between any two ballots: numbers of rows, tokens, the clock."""
    page = (await office.client.get(f"/ballots/{number}{path}")).text
    main = page[page.index('id="main"') : page.index("</main>")]
    return re.sub(r'7001|7002|name="(slot|seen|token)" value="[^"]*"|slot=\d+|data-from="[^"]*"', "", main)


async def test_strangers_and_auditors_change_nothing(office: Office, people: dict[str, str]) -> None:
    await make(office)
    slot = rows(office, BallotSlot)[0]
    form = {"slot": str(slot.id), "who": slot.code, "seen": "0", "topic-1": "1"}
    assert (await office.send("/ballots/7001/papers", token="wrong", **form)).status_code == 403
    evil = await office.send("/ballots/7001/papers", {"origin": "http://evil.example"}, **form)
    assert evil.status_code == 403
    for role in (Role.AUDITOR, Role.DUTY):
        office.log_in("别人", role)
        for path in ("papers", "letters", "proxy", "withdraw", "told"):
            assert (await office.send(f"/ballots/7001/{path}", **form)).status_code == 403
        page = (await office.client.get("/ballots/7001")).text
        assert ("/papers" in page, "/withdraw" in page) == (False, False)
        assert (await office.client.get("/ballots/7001/papers")).status_code == 403
    office.log_in()
    assert (await office.send("/ballots/7001/party")).status_code == 404
    for unknown in ("9", "x", "-1", "9" * 30):
        for path in ("", "/papers", "/sheet.pdf"):
            assert (await office.client.get(f"/ballots/{unknown}{path}")).status_code == 404
        assert (await office.send(f"/ballots/{unknown}/withdraw")).status_code == 404
        assert (await office.send(f"/ballots/{unknown}/papers")).status_code == 404
    assert rows(office, BallotChoice) == []
    assert (await office.send("/ballots/7001/withdraw")).status_code == 303
    page = (await office.client.get("/ballots/7001")).text
    assert "撤回了：没有结果" in page
    assert "已经由周老师撤回" in (await office.send("/ballots/7001/withdraw")).text
    assert people


async def test_each_committee_has_its_own(office: Office, people: dict[str, str]) -> None:
    with office.world.db.write() as session:
        session.add(Neighbourhood(name="槐荫里", committee="槐荫里居委会", timezone="Asia/Shanghai"))
    answer = await look(office, place="2")
    assert (answer.status_code, "登记里没有这个居委的老人" in answer.text) == (422, True)
    await make(office, place="1")
    page = (await office.client.get("/ballots")).text
    assert ("曹杨 ·" in page, "进行中" in page) == (True, True)
    for unknown in ("99", "x"):
        assert (await look(office, place=unknown)).status_code == 404
    assert people
