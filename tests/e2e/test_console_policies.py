"""The ladder as staff edit and preview it in the browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select

from checkins import policies
from checkins.roster.tables import RosterChange
from checkins.tables import Neighbourhood, Person
from console.roles import Role
from tests.e2e.office import NASTY, Office, open_office
from tests.unit.checkins.street import Street


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        yield office


@pytest.fixture
def street(office: Office) -> Street:
    return Street.of(office.world)


def here(office: Office) -> str:
    return f"/policies/{office.world.place_id}"


def typed(page: str) -> dict[str, str]:
    """What a browser would send of the form of the ladder."""
    form = page[page.index('<form id="ladder"') :]
    form = form[: form.index("</form>")]
    found = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, value = (re.search(rf' {each}="([^"]*)"', tag) for each in ("name", "value"))
        if name and value and ("checkbox" not in tag or " checked" in tag):
            found[name[1]] = unescape(value[1])
    for name_, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name_] = chosen[1] if chosen else "0"
    del found["token"]  # whoever sends it has one of their own
    return found


async def opened(office: Office, path: str, **query: str) -> dict[str, str]:
    return typed((await office.client.get(path, params=query)).text)


def kept(office: Office) -> list[tuple[str, str, object]]:
    with office.world.db.read() as session:
        query = select(RosterChange).where(RosterChange.what.in_(("policy", "escalation", "window")))
        return [(row.what, row.who, row.detail["changed"]) for row in session.scalars(query.order_by(RosterChange.id))]


def place_of(office: Office) -> Neighbourhood:
    with office.world.db.read() as session:
        return session.get_one(Neighbourhood, office.world.place_id)


def said(page: str) -> str:
    """The preview as text."""
    part = page[page.index('class="foreseen"') :]
    part = part[: part.index("</ol>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", unescape(part)))


async def test_the_preview_says_who_is_rung_when(office: Office, street: Street) -> None:
    street.elder("王秀英")
    page = (await office.client.get(here(office))).text
    text = said(page)
    for word in (
        "08:00 第 1 次打给王阿婆",
        "08:15 第 2 次",
        "08:45 第 3 次",
        "1 级 打给老伙伴李阿姨",
        "打给值班陈老师",
    ):
        assert word in text, text
    assert text.index("李阿姨") < text.index("周阿姨") < text.index("陈老师")
    assert "这时没有副班" in text
    assert '<li class="lack"><b class="time">' in page
    assert "从下一个个案起算" in page


async def test_unsaved_values_show_in_the_preview_alone(office: Office, street: Street) -> None:
    street.elder("王秀英")
    form = {**await opened(office, here(office), part="calls"), "part": "calls", "try_after": "20、50"}
    answer = await office.send(f"{here(office)}/preview", **form)
    assert answer.status_code == 200
    assert "08:20 第 2 次" in said(answer.text)
    assert "08:15 第 2 次" in said((await office.client.get(here(office))).text)
    wrong = await office.send(f"{here(office)}/preview", **{**form, "try_after": "soon"})
    assert "有写错的地方" in wrong.text
    assert kept(office) == []


async def test_what_if_a_buddy_goes_and_says_nothing_or_all_cant(office: Office, street: Street) -> None:
    street.elder("王秀英")
    goes = said((await office.client.get(here(office), params={"if-answers": "buddy_goes"})).text)
    assert "李阿姨按键：我去" in goes
    assert goes.index("问看到了什么") < goes.index("没有回音，不再等") < goes.index("陈老师")
    cant = said((await office.client.get(here(office), params={"if-answers": "buddies_cant"})).text)
    assert "打给老伙伴李阿姨：去不了" in cant
    assert cant.count("打给老伙伴李阿姨") == 1
    button = said((await office.client.get(here(office), params={"if-happens": "button", "if-at": "22:30"})).text)
    assert button.startswith('class="foreseen"> 22:30 要找人：按了报警按钮')
    assert "打给王阿婆本人" in button


async def test_a_gap_stands_in_the_preview_in_words(office: Office) -> None:
    office.world.elder("赵阿英", spoken_name="赵阿婆", consents={"calls": True}, slot=480)
    page = (await office.client.get(here(office))).text
    for words in ("⚠ 这时没有人值班", "⚠ 这时没有老伙伴可打", "⚠ 没有人可打"):
        assert words in page
    assert "有空缺，见红字" in page


async def test_a_step_is_edited_saved_and_logged(office: Office, street: Street) -> None:
    street.elder("王秀英")
    form = {**await opened(office, here(office)), "calls-0": "3", "finding_within": "20", "finding_call": "15"}
    answer = await office.send(here(office), by="书记", do="save", **form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{here(office)}?part=unreached")
    place = place_of(office)
    assert place.escalation is not None
    assert set(place.escalation["unreached"]) == {"steps", "finding_within", "finding_call"}, "only what differs"
    assert policies.escalation_in(place).unreached.steps[0].calls == 3
    ((what, who, changed),) = kept(office)
    assert (what, who) == ("escalation", "书记")
    assert isinstance(changed, dict)
    assert changed["unreached.finding_within"] == [None, 20]
    page = (await office.client.get(here(office))).text
    assert "没联系上 · 答应以后，几分钟内要有结果：— → 20" in page
    assert page.count("自己定的") == 1
    form = await opened(office, here(office))
    assert "没有改动" in (await office.send(here(office), do="save", **form)).text
    back = await office.send(here(office), do="back", part="unreached", stamp=form["stamp"])
    assert back.status_code == 303
    assert not place_of(office).escalation


async def test_calls_and_the_window_of_slots_are_edited(office: Office, street: Street) -> None:
    elder = street.elder("王秀英", slot=None)
    form = {**await opened(office, here(office), part="calls"), "try_after": "10, 30", "plan_from": "09:00"}
    assert (await office.send(here(office), do="save", **form)).status_code == 303
    place = place_of(office)
    assert (place.policy, place.plan_from, place.plan_until) == ({"try_after": [0, 10, 30]}, 540, 630)
    assert [what for what, *_ in kept(office)] == ["policy", "window"]
    assert "09:00 第 1 次" in said((await office.client.get(f"/policies/elder/{elder}")).text)
    bad = {**await opened(office, here(office), part="calls"), "plan_until": "08:30"}
    answer = await office.send(here(office), do="save", **bad)
    assert answer.status_code == 422
    assert 'id="fault-plan_from"' in answer.text


@pytest.mark.parametrize(
    ("part", "field", "value", "at", "says"),
    [
        ("unreached", "calls-0", "9", "calls-0", "要在 1 到 5 之间"),
        ("unreached", "calls-0", "two", "calls-0", "请写整数"),
        ("unreached", "every-1", "11", "every-1", "最多 10 分钟"),
        ("unreached", "latest-1", "", "latest-1", "最晚几分钟后开始"),
        ("unreached", "finding_within", "31", "finding_within", "最多 30 分钟"),
        ("unreached", "finding_call", "30", "finding_call", "要在 1 到 29 之间"),
        ("unreached", "confirm_within", "0", "confirm_within", "不能是 0"),
        ("unreached", "loop", "3", "loop", "必须有值班"),
        ("unreached", "office-duty", "1", "office", "随时打值班"),
        ("unreached", "seen", "", "seen", "必须见到本人"),
        ("unreached", "quiet-buddy", "", "quiet", "晚上只在紧急时打"),
        ("unreached", "who-0-buddy", "", "who-0", "至少一种人"),
        ("hours", "quiet_from", "22:00", "quiet_from", "至少 21:00 到 08:00"),
        ("hours", "quiet_from", "evening", "quiet_from", "请写时间"),
        ("calls", "ring_s", "5", "ring_s", "要在 10 到 60 之间"),
        ("calls", "try_after", "30、10", "try_after", "一个比一个晚"),
        ("calls", "calls_from", "07:00", "calls_from", "08:00 到 21:00"),
        ("calls", "longest_delay", "500", "longest_delay", "要在 1 到 120 之间"),
        ("calls", "unserved_at", "21:30", "unserved_at", "打电话的时间之内"),
        ("calls", "remind_every", "0", "remind_every", "1 到 60"),
        ("calls", "unreached_every", "11", "unreached_every", "1 到 10"),
    ],
)
async def test_a_wrong_value_is_told_at_its_field_and_nothing_is_saved(
    office: Office, street: Street, part: str, field: str, value: str, at: str, says: str
) -> None:
    form = {**await opened(office, here(office), part=part), field: value}
    answer = await office.send(here(office), do="save", **form)
    assert answer.status_code == 422
    found = re.search(rf'id="fault-{at}">([^<]*)<', answer.text)
    assert found, re.findall(r'class="(?:error|fault)"[^>]*>([^<]*)', answer.text)
    assert says in found[1]
    assert typed(answer.text).get(field, "") == value, "what was typed is kept"
    assert kept(office) == []
    assert street.ids


async def test_a_stale_form_is_refused_with_the_name_of_who_was_faster(office: Office, street: Street) -> None:
    form = await opened(office, here(office))
    assert (await office.send(here(office), by="书记", do="save", **{**form, "calls-0": "3"})).status_code == 303
    late = await office.send(here(office), by="陈老师", do="save", **{**form, "calls-0": "1"})
    assert late.status_code == 422
    assert "书记在" in late.text
    assert "这一页是旧的" in late.text
    assert "打开最新的" in late.text
    again = await office.send(here(office), by="陈老师", do="save", **typed(late.text))
    assert again.status_code == 422, "it stays refused until the page is opened anew"
    assert policies.escalation_in(place_of(office)).unreached.steps[0].calls == 3
    assert street.ids


async def test_steps_are_added_moved_and_removed_without_saving(office: Office, street: Street) -> None:
    form = await opened(office, here(office))
    added = typed((await office.send(here(office), do="add", **form)).text)
    assert (added["steps"], added["calls-4"], added["loop"]) == ("5", "1", "1")
    moved = typed((await office.send(here(office), do="down-0", **added)).text)
    assert ("who-1-buddy" in moved, "who-0-duty" in moved, moved["loop"]) == (True, True, "0"), "the loop follows"
    less = typed((await office.send(here(office), do="remove-1", **moved)).text)
    assert less["steps"] == "4"
    assert "who-0-buddy" not in less
    assert kept(office) == []
    assert street.ids


async def test_an_elder_differs_shows_it_and_goes_back(office: Office, street: Street) -> None:
    elder = street.elder("王秀英")
    path = f"/policies/elder/{elder}"
    assert f'href="{path}"' in (await office.client.get(f"/elder/{elder}")).text
    form = {**await opened(office, path, part="calls"), "ring_s": "60"}
    assert (await office.send(path, do="save", **form)).status_code == 303
    with office.world.db.read() as session:
        assert session.get_one(Person, elder).policy == {"ring_s": 60}
    page = (await office.client.get(path, params={"part": "calls"})).text
    assert re.search(r'name="ring_s" value="60".*?<span class="differs">居委 <small lang="en">usual</small>：45', page)
    assert "响 60 秒" in page
    assert "王秀英" in (await office.client.get("/policies")).text
    committee = {**await opened(office, here(office), part="calls"), "busy_after": "8"}
    assert (await office.send(here(office), do="save", **committee)).status_code == 303
    assert (await opened(office, path, part="calls"))["busy_after"] == "8", "the rest follows the committee"
    late = await office.send(path, do="back", **form)
    assert late.status_code == 422
    fresh = await opened(office, path, part="calls")
    assert (await office.send(path, do="back", part="calls", stamp=fresh["stamp"])).status_code == 303
    with office.world.db.read() as session:
        assert session.get_one(Person, elder).policy is None
    assert "王秀英" not in (await office.client.get("/policies")).text


async def test_a_committees_change_that_breaks_an_elders_own_names_her(office: Office, street: Street) -> None:
    elder = street.elder("王秀英")
    path = f"/policies/elder/{elder}"
    form = {**await opened(office, path), "finding_call": "28"}
    assert (await office.send(path, do="save", **form)).status_code == 303
    form = {**await opened(office, here(office)), "finding_within": "20", "finding_call": "10"}
    answer = await office.send(here(office), do="save", **form)
    assert answer.status_code == 422
    assert "王秀英自己的规则就不行了" in answer.text
    assert place_of(office).escalation is None


async def test_who_may_only_read_changes_nothing_and_strangers_get_nothing(office: Office, street: Street) -> None:
    street.elder(NASTY[:90], spoken_name=NASTY)
    form = await opened(office, here(office))
    office.log_in("审计员", Role.AUDITOR)
    page = (await office.client.get(here(office))).text
    assert 'value="save"' not in page
    assert " disabled" in page
    assert NASTY not in page
    data = {**form, "token": await office.token(), "do": "save", "calls-0": "3"}
    assert (await office.client.post(here(office), data=data)).status_code == 403
    for path in ("/policies/99", "/policies/x", "/policies/elder/nobody"):
        assert (await office.client.get(path)).status_code == 404
    assert kept(office) == []
