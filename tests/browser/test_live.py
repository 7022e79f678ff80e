"""Pages that renew themselves, in a real browser: focus stays, nothing between page and stream is missed, an emergency
shows while a form is open, and a change is one fetch."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy.orm import Session

from checkins import searches
from checkins.case_rows import log_event
from checkins.results import Reason, Urgency
from checkins.todays_case import case_today
from tests.browser.town import Town
from tests.fakes.accounts import session_cookie


def _needs(town: Town, name: str, reason: Reason = Reason.NOT_WELL, urgency: Urgency = Urgency.SOON) -> int:
    elder, now = town.elder(name), town.house.clock.now()

    def write(session: Session) -> int:
        row = case_today(session, elder, now)
        searches.need(session, row, reason, urgency, now)
        log_event(session, row, str(reason), "line", now)
        return row.id

    return town.write(write)


def _emergency(town: Town, name: str) -> int:
    return _needs(town, name, Reason.EMERGENCY, Urgency.EMERGENCY)


def test_focus_stays_on_a_link_and_on_a_summary_when_another_case_comes(town: Town, page: Page) -> None:
    first = _needs(town, "王秀英")
    with page.expect_response(re.compile("/live")):
        page.goto("/")
    for target, name in ((f"#case-{first} a.name", "李建国"), (f"#case-{first} summary", "赵三")):
        page.locator(target).focus()
        page.locator(target).evaluate("element => { element.dataset.old = 'yes'; }")
        another = _needs(town, name)
        expect(page.locator(f"#case-{another}")).to_be_visible()
        expect(page.locator(target)).not_to_have_attribute("data-old", "yes")
        expect(page.locator(target)).to_be_focused()


def test_what_comes_between_a_page_and_its_stream_is_told_at_once(town: Town, page: Page) -> None:
    held: list[Route] = []
    page.route("**/static/console.js*", lambda route: held.append(route))
    page.goto("/", wait_until="commit")
    while not held:
        page.wait_for_timeout(50)
    case = _needs(town, "孙八")
    held[0].continue_()
    expect(page.locator(f"#case-{case}")).to_be_visible()


def test_an_emergency_shows_on_every_page_also_while_a_form_is_open(town: Town, page: Page) -> None:
    first = _needs(town, "钱七")
    with page.expect_response(re.compile("/live")):
        page.goto("/")
    page.locator(f"#case-{first} summary").click()
    _emergency(town, "周九")
    alert = page.get_by_role("alert").filter(has_text="紧急")
    expect(alert).to_contain_text("周九")
    expect(page).to_have_title(re.compile(r"^\(!1\) "))
    expect(page.locator(f"#case-{first} details")).to_have_attribute("open", "")
    with page.expect_response(re.compile("/live")):
        page.goto("/roster")
    expect(alert).to_contain_text("周九")
    _emergency(town, "吴十")
    expect(alert).to_contain_text("吴十")
    expect(page).to_have_title(re.compile(r"^\(!2\) "))


def test_a_change_is_one_fetch_of_the_page(town: Town, page: Page) -> None:
    with page.expect_response(re.compile("/live")):
        page.goto("/")
    page.wait_for_timeout(3000)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url) if request.resource_type == "fetch" else None)
    case = _emergency(town, "郑二")
    expect(page.locator(f"#case-{case}")).to_be_visible()
    expect(page.locator("#emergencies")).to_contain_text("郑二")
    assert fetched == [f"{town.url}/"]


def test_a_fetch_that_fails_is_tried_again_within_seconds(town: Town, browser: Browser) -> None:
    context = browser.new_context(base_url=town.url, locale="zh-CN")
    context.add_cookies([{"name": "wenan_session", "value": session_cookie(town.house.db), "url": town.url}])
    page = context.new_page()
    with page.expect_response(re.compile("/live")):
        page.goto("/roster")
    page.wait_for_timeout(2000)
    refused: list[str] = []

    def once(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.abort()

    page.route(re.compile("/shell"), once)
    _emergency(town, "冯四")
    expect(page.locator("#emergencies a", has_text="冯四")).to_be_visible(timeout=30_000)
    assert refused
    context.close()
