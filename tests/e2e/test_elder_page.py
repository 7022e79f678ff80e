"""One elder's page as a browser asks for it: what it shows, and what its forms write, on whose word."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from checkins import cases, people, register_log
from checkins.register_log import SELF, How, What
from checkins.roster.tables import RosterPair
from checkins.tables import Mode, NumberState, Role, State
from tests.e2e.office import NASTY, Office, open_office
from tests.unit.checkins.world import DAY


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        yield office


async def _page(office: Office, elder: str) -> str:
    answer = await office.client.get(f"/elder/{elder}")
    assert answer.status_code == 200
    return answer.text


def _last(office: Office, elder: str, *what: What) -> register_log.PersonEvent:
    with office.world.db.read() as session:
        found = register_log.last(session, elder, *what)
    assert found is not None
    return found


async def test_the_page_shows_the_months_who_to_call_and_the_recordings(office: Office) -> None:
    world = office.world
    buddy = world.elder("李梅", role=Role.BUDDY)
    elder = world.elder("王秀英", slot=480, address="三号楼502室", consents={"calls": True, "buddy": True})
    with world.db.write() as session:
        session.add(RosterPair(neighbourhood_id=world.place_id, elder_id=elder, buddy_id=buddy, position=0))
    await world.to("08:00")
    await world.ends(elder, "well", "key")
    await world.to("08:00", DAY + timedelta(days=1))
    await office.not_well(elder)
    page = await _page(office, elder)
    for word in (
        "李梅",
        "老伙伴",
        "三号楼502室",
        "本人说好",
        "还没办完",
        "没有写明是谁说的",
        "再过 15、45 分钟",
        "留言",
    ):
        assert word in page
    assert f"<title>{DAY} 本人说好，身体好</title>" in page.replace("&#39;", "'")
    assert 'class="k-well"' in page
    assert 'class="k-open"' in page
    assert " style=" not in page
    assert page.count("<summary>") >= 4
    with world.db.write() as session:
        people.set_number(session, buddy, "021-2000 3000")
    assert "tel:+862120003000" in await _page(office, elder), "at once, not after a minute"


async def test_what_is_typed_is_written_with_whose_word_it_is(office: Office) -> None:
    elder = office.world.elder("王秀英", number_state=NumberState.SUSPECT)
    form = {
        "phone": "021-5555 6666",
        "mode": "human",
        "language": "wuu",
        "slot": "09:15",
        "address": "三号楼502室",
        "key_holder": "",
        "notes": "",
        "name": "王秀英",
        "spoken_name": "王阿婆",
    }
    answer = await office.send(f"/elder/{elder}/entry", by="李老师", said_by="女儿王芳", how="in_person", **form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/elder/{elder}")
    person = office.world.person(elder)
    assert (person.number, person.number_state, person.mode) == ("+862155556666", NumberState.OK, Mode.HUMAN)
    assert (person.language, person.slot, person.address) == ("wuu", 9 * 60 + 15, "三号楼502室")
    event = _last(office, elder, What.NUMBER)
    assert (event.by, event.said_by, event.how) == ("李老师", "女儿王芳", How.IN_PERSON)
    page = await _page(office, elder)
    for word in ("更改电话", "更改地址", "更改语言", "更改时间", "应答方式改为由人打电话", "女儿王芳，当面"):
        assert word in page
    assert "更改姓名" not in page
    answer = await office.send(f"/elder/{elder}/entry", by="李老师", **form)
    assert (answer.status_code, "没有改动" in answer.text) == (422, True)


def _form(page: str) -> dict[str, str]:
    """The form of the entry, as a browser has it."""
    form = page.partition('/entry"')[2].partition("</form>")[0]
    held = {
        name: unescape(value)
        for name, value in re.findall(r'<input (?:type="hidden" )?name="([^"]+)" value="([^"]*)"', form)
    }
    for name, body in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', body)
        held[name] = chosen.group(1) if chosen else ""
    return {name: value for name, value in held.items() if name != "token"}


async def test_a_form_opened_before_a_colleagues_change_takes_nothing_back(office: Office) -> None:
    elder = office.world.elder("王秀英", address="三号楼502室", key_holder="张阿姨")
    path, stale = f"/elder/{elder}/entry", _form(await _page(office, elder))
    assert (
        await office.send(path, by="李老师", **stale | {"key_holder": "王阿姨", "mode": "human"})
    ).status_code == 303
    assert (await office.send(path, by="陈老师", **stale | {"notes": "耳背"})).status_code == 303
    person = office.world.person(elder)
    assert (person.key_holder, person.mode, person.notes) == ("王阿姨", Mode.HUMAN, "耳背")


async def test_a_form_of_consents_opened_before_takes_no_consent_back(office: Office) -> None:
    elder = office.world.elder("王秀英", consents={"calls": True, "buddy": True})
    path, page = f"/elder/{elder}/consents", await _page(office, elder)
    given = dict(re.findall(r'name="(was-agrees-[^"]+)" value="([01])"', page))
    assert given["was-agrees-buddy"] == "1"
    ticked = {"agrees-calls": "1", "agrees-buddy": "1"}
    first = {"agrees-calls": "1", "agrees-recording": "1"}  # withdraws one, gives another
    assert (await office.send(path, by="李老师", **given, **first)).status_code == 303
    stale = given | ticked | {"agrees-street": "1"}
    answer = await office.send(path, by="陈老师", **stale, on="2030-01-01")
    shown = re.findall(r'name="agrees-([^"]+)" value="1" checked', answer.text)
    assert (answer.status_code, set(shown)) == (422, {"calls", "recording", "street"})
    assert (await office.send(path, by="陈老师", **stale)).status_code == 303
    agreed = {purpose for purpose, value in office.world.person(elder).consents.items() if value}
    assert agreed == {"calls", "recording", "street"}


async def test_what_a_colleague_changed_meanwhile_is_shown_beside_what_was_typed(office: Office) -> None:
    elder = office.world.elder("王秀英", address="三号楼502室", key_holder="张阿姨")
    path, stale = f"/elder/{elder}/entry", _form(await _page(office, elder))
    await office.send(path, by="李老师", **stale | {"key_holder": "王阿姨", "address": "五号楼101室"})
    answer = await office.send(path, by="陈老师", **stale | {"key_holder": "赵阿姨", "notes": "耳背"})
    assert answer.status_code == 422
    assert "钥匙刚才被改成「王阿姨」，您写的是「赵阿姨」" in unescape(answer.text)
    person = office.world.person(elder)
    assert (person.key_holder, person.notes or "") == ("王阿姨", ""), "all of it, or nothing"
    again = _form(answer.text)
    assert (again["key_holder"], again["notes"], again["address"]) == ("赵阿姨", "耳背", "五号楼101室")
    assert (await office.send(path, by="陈老师", **again)).status_code == 303
    person = office.world.person(elder)
    assert (person.key_holder, person.notes, person.address) == ("赵阿姨", "耳背", "五号楼101室")


@pytest.mark.parametrize(
    ("what", "form", "says"),
    [
        ("entry", {"phone": "12"}, "电话写得不对"),
        ("entry", {"address": "三号楼", "slot": "23:00"}, "08:00 到 21:00"),
        ("entry", {"name": " "}, "姓名写得不对"),
        ("state", {"state": "paused", "until": ""}, "最后一天"),
        ("state", {"state": "paused", "until": "2026-03-01"}, "最后一天"),
        ("state", {"state": "gone"}, "请选状态"),
        ("consents", {"agrees-calls": "1", "agrees-recording": "1"}, "没有改动"),
        ("consents", {"on": "2027-01-01"}, "日期不对"),
        ("refusal", {"meant": "1"}, "没有说过不要自动电话"),
        ("refusal", {}, "请选"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_written(
    office: Office, what: str, form: dict[str, str], says: str
) -> None:
    elder = office.world.elder("王秀英")
    answer = await office.send(f"/elder/{elder}/{what}", **{"by": "李老师", **form})
    assert (answer.status_code, says in answer.text) == (422, True)
    person = office.world.person(elder)
    assert (person.address, person.slot, person.name, person.state) == (None, None, "王秀英", State.ACTIVE)
    with office.world.db.read() as session:
        assert register_log.events(session, elder) == []


async def test_consents_states_and_refusals_go_their_ways(office: Office) -> None:
    world = office.world
    elder = world.elder("王秀英", slot=480)
    await world.to("08:00")
    await world.ends(elder, "silent", "none")
    await office.send(f"/elder/{elder}/consents", by="李老师", how="paper", on="2026-03-01", **{"agrees-calls": "1"})
    assert world.person(elder).consents == {"calls": True}
    event = _last(office, elder, What.CONSENT)
    assert (event.said_by, event.how) == (SELF, How.PAPER)
    assert event.detail == {"purpose": "recording", "given": False, "on": "2026-03-01"}
    await office.send(f"/elder/{elder}/state", by="李老师", state="refused")
    assert "当面问过" in await _page(office, elder)
    await office.send(f"/elder/{elder}/refusal", by="李老师", meant="0", found="")
    assert world.person(elder).state == State.ACTIVE
    await office.send(f"/elder/{elder}/state", by="李老师", state="died", said_by="儿子")
    assert (world.person(elder).state, world.row(elder).closed_by) == (State.DIED, "李老师")
    with world.db.read() as session:
        log = [event.what for event in cases.events(session, world.row(elder).checkin_id)]
    assert "closed:died" in log


async def test_strangers_and_scripts_do_nothing(office: Office) -> None:
    elder = office.world.elder(NASTY, spoken_name=NASTY, address="<i>三号楼", notes='"><b>')
    await office.send(f"/elder/{elder}/consents", by=NASTY, said_by=NASTY, **{"agrees-calls": "1"})
    page = await _page(office, elder)
    assert "&lt;script&gt;" in page
    assert not any(raw in page for raw in ("<script>alert", "<i>三号楼", '"><b>'))
    buddy = office.world.elder("李梅", role=Role.BUDDY)
    for address in ("/elder/none", f"/elder/{buddy}", f"/elder/{elder}/entry"):
        assert (await office.client.get(address)).status_code in (404, 405)
    answer = await office.send(f"/elder/{elder}/delete", by="李老师")
    assert answer.status_code == 404
    answer = await office.client.post(f"/elder/{elder}/state", data={"by": "李", "state": "died", "token": "x"})
    assert answer.status_code == 403
    assert office.world.person(elder).state == State.ACTIVE
