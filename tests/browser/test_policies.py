"""The ladder in a real browser: the preview follows what is typed, and an old page of somebody else's saves nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from checkins import policies
from checkins.people import add_person
from checkins.roster.tables import RosterPair
from checkins.tables import Neighbourhood, Role
from tests.browser.test_pages import _sound
from tests.browser.town import Town
from tests.fakes.accounts import session_cookie


def _pair(town: Town, elder: str) -> None:
    def write(session: Session) -> None:
        buddy = add_person(session, town.place_id, "李梅", "李阿姨", "+862110009101", role=Role.BUDDY)
        session.add(RosterPair(neighbourhood_id=town.place_id, elder_id=elder, buddy_id=buddy.id, position=0))

    town.write(write)


def test_the_preview_follows_what_is_typed_and_an_old_page_saves_nothing(
    town: Town, page: Page, browser: Browser
) -> None:
    _pair(town, town.elder("王秀英", address="三号楼502室"))
    page.goto(f"/policies/{town.place_id}?part=calls")
    other = browser.new_context(base_url=town.url)  # a browser itself complains of a 422 in its console
    other.add_cookies([{"name": "wenan_session", "value": session_cookie(town.house.db), "url": town.url}])
    old = other.new_page()
    old.goto(f"/policies/{town.place_id}?part=calls")
    preview = page.locator("#preview")
    expect(preview).to_contain_text("08:15 第 2 次")
    page.locator("[name=try_after]").fill("25、45")
    expect(preview).to_contain_text("08:25 第 2 次")  # typed, not saved
    page.locator("[name=try_after]").fill("soon")
    expect(preview).to_contain_text("有写错的地方")
    page.locator("[name=try_after]").fill("20、45")
    expect(preview).to_contain_text("08:20 第 2 次")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#log-head + table")).to_contain_text("— → 20、45")
    old.locator("[name=try_after]").fill("30、60")
    old.get_by_role("button", name="保存").click()
    expect(old.locator("p.error")).to_contain_text("这一页是旧的")
    assert old.locator("[name=try_after]").input_value() == "30、60"
    other.close()
    place = town.look(lambda session: session.get_one(Neighbourhood, town.place_id))
    assert policies.call_policy(place).try_after == (0, 20, 45)


def test_a_step_is_added_and_stands_in_the_preview_with_its_gap(town: Town, page: Page) -> None:
    page.goto(f"/policies/{town.place_id}?part=unreached")
    _sound(page, "policy")
    page.get_by_role("button", name="加一级").click()
    step = page.locator("fieldset.step").nth(4)
    expect(step.get_by_text("第 5 级")).to_be_visible()
    step.get_by_label("家属").check()
    page.get_by_role("button", name="第 5 级上移 up").click()
    expect(page.locator("fieldset.step").nth(3).get_by_label("家属")).to_be_checked()
    expect(page.locator("#preview li.lack").first).to_contain_text("没有人")
    page.get_by_role("button", name="去掉").last.click()
    expect(page.locator("fieldset.step")).to_have_count(4)


@pytest.mark.parametrize("path", ["/policies", "/settings", "/settings/hours", "/settings/lines"])
def test_settings_keep_nobody_out(town: Town, page: Page, path: str) -> None:
    page.goto(path)
    _sound(page, path.strip("/").replace("/", "-"))
