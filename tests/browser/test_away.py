"""Pages behind another tab, in a real browser: an emergency reaches them, by one stream of all of them."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.test_live import _emergency
from tests.browser.town import Town
from tests.fakes.accounts import session_cookie

# Every page of this driver counts as looked at: which tab is in front is played. Notices are kept, not shown.
PLAYED = """
let away = false;
Object.defineProperty(document, "hidden", {get: () => away});
window.goes = (behind) => { away = behind; document.dispatchEvent(new Event("visibilitychange")); };
window.shown = [];
window.Notification = class {
    static permission = "default";
    static requestPermission() { Notification.permission = "granted"; return Promise.resolve("granted"); }
    constructor(title, more) { window.shown.push(title + " " + more.body); }
    close() {}
};
"""


def _page(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.add_init_script(PLAYED)
    with page.expect_response(re.compile("/live")):
        page.goto(address)
    return page


def test_an_emergency_reaches_pages_behind_another_tab_by_one_stream(town: Town, context: BrowserContext) -> None:
    first, second = _page(context, "/roster"), _page(context, "/items")
    first.click("#notices")
    expect(first.locator("#notices")).to_be_hidden()
    streams: list[str] = []
    with first.expect_response(re.compile("/live")):
        first.evaluate("goes(true)")
    second.on("request", lambda request: streams.append(request.url) if "/live" in request.url else None)
    second.evaluate("goes(true)")
    second.wait_for_timeout(1500)
    assert streams == [], "one stream is enough for all pages that nobody looks at"
    _emergency(town, "卫五")
    for page in (first, second):
        expect(page).to_have_title(re.compile(r"^\(!1\) "))
        expect(page.locator("#emergencies")).to_contain_text("卫五")
    assert first.evaluate("shown") == ["问安：紧急，还没有人接手 1 位老人在等。 1 waiting, nobody has it yet."]
    assert second.evaluate("shown") == [], "nobody has allowed it there"
    with second.expect_response(re.compile("/live")):
        second.evaluate("goes(false)")
    with second.expect_response(re.compile("/live")):  # who comes next keeps the stream when the one page is closed
        second.evaluate("goes(true)")
        first.close()
    _emergency(town, "蒋六")
    expect(second).to_have_title(re.compile(r"^\(!2\) "))


def test_a_page_behind_another_tab_says_in_its_title_that_nobody_is_logged_in(town: Town, browser: Browser) -> None:
    context = browser.new_context(base_url=town.url, locale="zh-CN")  # the browser complains of what is refused
    context.add_cookies([{"name": "wenan_session", "value": session_cookie(town.house.db), "url": town.url}])
    page = _page(context, "/roster")
    with page.expect_response(re.compile("/live")):
        page.evaluate("goes(true)")
    context.clear_cookies()
    with page.expect_response(re.compile("/shell")):
        _emergency(town, "沈七")
    expect(page).to_have_title(re.compile(r"^\(请登录\) "))
    context.close()
