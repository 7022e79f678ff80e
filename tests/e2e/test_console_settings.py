"""Settings in the browser: what a committee may set, what the machine has, and who sees which."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from checkins.roster.loading import calendar_of
from checkins.roster.tables import CalendarDay, RosterChange
from checkins.tables import Neighbourhood
from console import settings_view
from console.roles import Role
from console.setting_words import ZH
from settings import PREFIX, Settings
from settings_shown import shown
from tests.e2e.office import Office, open_office

HOURS, LINES = "/settings/hours", "/settings/lines"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        yield office


def stamps(page: str) -> list[str]:
    return re.findall(r'name="stamp" value="([^"]*)"', page)


def noted(office: Office) -> list[tuple[str, str]]:
    with office.world.db.read() as session:
        return [(row.what, row.who) for row in session.scalars(select(RosterChange).order_by(RosterChange.id))]


async def test_the_index_offers_what_there_is_and_who_looks_may_open(office: Office) -> None:
    page = (await office.client.get("/settings")).text
    for address in ("/policies", HOURS, LINES, "/roster"):
        assert f'<a href="{address}">' in page
    assert '<th scope="row"><a href="/accounts">' not in page, "a worker keeps no accounts"
    office.log_in("主管", Role.SUPERVISOR)
    assert '<th scope="row"><a href="/accounts">' in (await office.client.get("/settings")).text
    assert 'href="/settings" aria-current="page"' in page


async def test_working_hours_are_changed_and_an_old_page_is_refused(office: Office) -> None:
    page = (await office.client.get(HOURS)).text
    assert 'value="08:30"' in page
    form = {"place": str(office.world.place_id), "stamp": stamps(page)[0], "from-0": "08:00", "until-0": "11:30"}
    noon = {**form, "from-1": "13:00", "until-1": "17:00"}
    assert (await office.send(HOURS, by="书记", **noon)).status_code == 303
    with office.world.db.read() as session:
        assert calendar_of(session, office.world.place_id).hours == ((480, 690), (780, 1020))
    assert noted(office) == [("working_hours", "书记")]
    late = await office.send(HOURS, by="陈老师", **form)
    assert late.status_code == 422
    assert "这一页是旧的" in late.text
    assert 'name="until-0" value="11:30"' in late.text
    assert len(noted(office)) == 1


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"from-0": "08:30"}, "时间要写全"),
        ({"from-0": "17:00", "until-0": "08:00"}, "一段比一段晚"),
        ({"from-0": "08:00", "until-0": "12:00", "from-1": "11:00", "until-1": "13:00"}, "不能重叠"),
        ({}, "请写上班时间"),
    ],
)
async def test_hours_that_are_none_are_refused(office: Office, typed: dict[str, str], says: str) -> None:
    stamp = stamps((await office.client.get(HOURS)).text)[0]
    answer = await office.send(HOURS, place=str(office.world.place_id), stamp=stamp, **typed)
    assert answer.status_code == 422
    assert says in answer.text
    assert noted(office) == []


async def test_a_years_notice_is_written_down(office: Office) -> None:
    page = (await office.client.get(HOURS)).text
    assert "2027 年 <span" in page
    assert "放假通知还没有" in page
    form = {"stamp": stamps(page)[-1], "from-0": "2027-10-01", "until-0": "2027-10-07", "kind-0": "放假"}
    form |= {"from-1": "2027-10-09", "kind-1": "上班"}
    assert (await office.send("/settings/holidays", **form)).status_code == 303
    with office.world.db.read() as session:
        days = {row.day: row.working for row in session.scalars(select(CalendarDay))}
    assert days == {date(2027, 10, 9): True} | {date(2027, 10, day): False for day in range(1, 8)}
    page = (await office.client.get(HOURS)).text
    assert "放假通知还没有" not in page
    assert "10月9日 周六</td><td>上班" in page
    assert (await office.send("/settings/holidays", **form)).status_code == 422, "the page is old"
    wrong = {"stamp": stamps(page)[-1], "from-0": "2027-05-01", "kind-0": "上班"}
    answer = await office.send("/settings/holidays", **wrong)
    assert "第 1 行：法定假日不会上班" in answer.text
    assert 'name="from-0" aria-label="第 1 行 从 from" value="2027-05-01"' in answer.text
    assert "请至少写一行" in (await office.send("/settings/holidays", stamp=wrong["stamp"])).text
    for far in ("9999-12-31", "0001-01-01"):
        answer = await office.send("/settings/holidays", **{**wrong, "from-0": far, "kind-0": "放假"})
        assert (answer.status_code, "第 1 行：“从”要写日期" in answer.text) == (422, True), far


async def test_lines_say_how_many_and_how_it_is_now(office: Office) -> None:
    page = (await office.client.get(LINES)).text
    assert "现在 0 条在用，8 条空着" in page
    assert "平常打出去最多同时 6 条" in page
    place = str(office.world.place_id)
    assert (await office.send(LINES, place=place, was="", lines="3")).status_code == 303
    with office.world.db.read() as session:
        assert session.get_one(Neighbourhood, office.world.place_id).lines == 3
    assert "这一页是旧的" in (await office.send(LINES, place=place, was="", lines="4")).text
    for lines in ("0", "many", "9999"):
        assert "请写 1 到 2000" in (await office.send(LINES, place=place, was="3", lines=lines)).text
    assert (await office.send(LINES, place=place, was="3", lines="")).status_code == 303
    assert [what for what, _ in noted(office)] == ["lines", "lines"]


def test_every_setting_has_its_words_and_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENAN_PORT", "8001")
    secrets = {
        name: SecretStr(f"whsec_{'s3cret' * 6}") for name, field in Settings.model_fields.items() if _is_secret(field)
    }
    settings = Settings(database_url="postgresql+psycopg://wenan:s3cret@db/wenan", lines=9, **secrets)  # type: ignore[arg-type]
    found = {one.name.removeprefix(PREFIX): one for one in shown(settings)}
    assert found.keys() == ZH.keys()
    assert len(secrets) >= 6
    assert "s3cret" not in str([one.value for one in found.values()])
    assert [found[name].source for name in ("PORT", "LINES", "MEDIA")] == ["environment", "file", "default"]
    assert (found["ALARM_SMTP_PASSWORD"].value, shown(Settings())[0].value) == ("•••", "sqlite:///data/wenan.db")


def _is_secret(field: object) -> bool:
    return getattr(field, "annotation", None) is SecretStr


async def test_settings_of_the_machine_stand_there_to_read(office: Office) -> None:
    office.deps = replace(office.deps, setup=shown(Settings(lines=9)))
    with office.world.db.read() as session:
        page = settings_view.lines(session, office.world.clock.now(), office.deps.trunk, office.deps.setup)
    assert [(one.zh, one.value, one.source) for one in page.main if one.name == "WENAN_LINES"] == [
        ("一共几条线", "9", "file")
    ]
    assert len(page.main) + len(page.rest) == len(ZH)


async def test_who_may_only_read_sets_nothing(office: Office) -> None:
    page = (await office.client.get(HOURS)).text
    office.log_in("审计员", Role.AUDITOR)
    token = await office.token()
    for path in (HOURS, "/settings/holidays", LINES):
        data = {"token": token, "place": str(office.world.place_id), "stamp": stamps(page)[0], "from-0": "09:00"}
        assert (await office.client.post(path, data=data)).status_code == 403
    for path in (HOURS, LINES):
        assert "保存" not in (await office.client.get(path)).text
    assert noted(office) == []
