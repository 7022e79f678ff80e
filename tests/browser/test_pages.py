"""The pages of staff in a real browser: a flagged call is heard and decided, leave moves a dispatch to the substitute,
and nothing on any page keeps anybody out (axe-core, WCAG 2.2 AA)."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy.orm import Session

from checkins import cases, items, searches
from checkins.people import add_person
from checkins.results import Reason, Status, Urgency
from checkins.roster.tables import RosterPair, RosterSubstitute
from checkins.tables import CallIntent, IntentCheckin, Person
from checkins.tables import Role as Part
from checkins.todays_case import case_today
from console.roles import Role
from ivr.records import Call, CallEvent
from tests.browser.conftest import keep
from tests.browser.town import ZONE, Town
from tests.fakes.accounts import WORKER as NAME
from tests.fakes.accounts import session_cookie

AXE = Path(__file__).with_name("axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NARROW: ViewportSize = {"width": 320, "height": 800}  # WCAG 1.4.10


def _flag(town: Town, elder: str) -> int:
    """Her call of today, in which she dictated that she is dizzy; the case's number."""
    now = town.house.clock.now()
    call_id = f"call-{elder}"[:36]
    kept = town.do(town.house.recordings.add(call_id, "unwell", now, bytes([0xFF, 0x80]) * 16_000))

    def write(session: Session) -> int:
        row = case_today(session, elder, now)
        session.add(
            CallIntent(
                id=call_id, number=f"+8621{row.id:08d}", purpose="checkin", try_no=1, created_at=now, state="settled",
                check_at=now, owner="test",
            )
        )  # fmt: skip
        session.add(Call(id=call_id, number="", order={}, ordered_at=now, answered_at=now, disposition="answered"))
        session.flush()
        session.add(IntentCheckin(intent_id=call_id, checkin_id=row.id))
        said = {"text": "昨天开始头晕", "engine": "whisper", "confidence": 0.8, "recording": kept.path, "seconds": 4.0}
        for at_ms, kind, detail in ((400, "prompt", {"name": "unwell.ask"}), (6000, "dictation", said)):
            session.add(CallEvent(call_id=call_id, at=now, kind=kind, at_ms=at_ms, detail=detail))
        row.answer = {"recording": kept.path, "recording_text": "昨天开始头晕"}
        searches.need(session, row, Reason.NOT_WELL, Urgency.SOON, now)
        return row.id

    return town.write(write)


def _sound(page: Page, name: str) -> None:
    """No violation that axe-core knows, light and dark; nothing to scroll sideways for on a narrow screen."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(AXE)
        found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
        assert not found, [(name, scheme, one["id"], one["nodes"][0]["html"]) for one in found]
    page.emulate_media(color_scheme="light")
    size = page.viewport_size
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{name} is wider than 320 px"
    assert size
    page.set_viewport_size(size)
    keep(page, name)


def test_a_flagged_call_is_heard_by_keys_decided_and_closed(town: Town, page: Page) -> None:
    case = _flag(town, town.elder("王秀英"))
    page.goto("/flagged")
    _sound(page, "queue")
    page.get_by_role("link", name="王秀英").click()
    expect(page.locator("#wave canvas").first).to_be_visible()  # the waveform is drawn before anything is fetched
    _sound(page, "flagged")
    page.locator("body").press("Space")
    page.wait_for_function("document.getElementById('audio').currentTime > 0")
    expect(page.locator("#who")).to_contain_text("听过")  # told by the stream: somebody listened
    page.locator("body").press("1")
    expect(page.locator("#note")).to_be_focused()
    page.keyboard.type("回了电话，本人说好多了")
    page.keyboard.press("Enter")
    expect(page.get_by_text("没有要听的电话")).to_be_visible()
    row = town.look(lambda session: cases.one(session, case))
    assert row is not None
    assert (row.status, row.closed_by, row.finding) == (Status.CLOSED, NAME, "回了电话，本人说好多了")
    events = [event.what for event in town.look(lambda session: cases.events(session, case))]
    assert [what for what in events if what in ("listened", "decided:fine", "closed")] == [
        "listened",
        "decided:fine",
        "closed",
    ]
    page.goto(f"/case/{case}")
    _sound(page, "case")


def test_leave_moves_a_dispatch_to_the_substitute(town: Town, page: Page) -> None:
    elder = town.elder("李建国", address="三号楼502室")

    def pair(session: Session) -> None:
        buddy, other = (
            add_person(session, town.place_id, name, name, number, role=Part.BUDDY)
            for name, number in (("李梅", "+862110009001"), ("周建平", "+862110009002"))
        )
        row = RosterPair(neighbourhood_id=town.place_id, elder_id=elder, buddy_id=buddy.id, position=0)
        session.add(row)
        session.flush()
        session.add(RosterSubstitute(neighbourhood_id=town.place_id, pair_id=row.id, person_id=other.id, position=0))

    town.write(pair)
    case = _flag(town, elder)
    page.goto(f"/elder/{elder}")
    expect(page.get_by_text("李梅").first).to_be_visible()
    page.get_by_text("登记内容").click()
    _sound(page, "elder")
    page.goto("/roster")
    form = page.locator("form[action$='/leave']")
    form.locator("select").select_option(label="李梅（老伙伴）")
    today = town.house.clock.now().astimezone(ZoneInfo(ZONE)).replace(hour=0, minute=0)
    form.locator("[name=begins]").fill(_typed(today))
    form.locator("[name=ends]").fill(_typed(today + timedelta(days=3)))
    form.get_by_role("button").click()
    expect(page.locator("table.calendar")).to_contain_text("请假")
    _sound(page, "roster")
    page.goto(f"/flagged/{case}")
    page.locator("body").press("3")
    page.keyboard.press("Enter")
    page.wait_for_url("**/flagged")
    page.goto("/")
    need = page.locator(f"#case-{case}")
    expect(need).to_contain_text("未联系上")
    expect(need).to_contain_text("周建平")
    expect(need).not_to_contain_text("李梅")
    _sound(page, "today")
    need.get_by_role("button", name="接手").click()
    expect(page.locator("#taken")).to_contain_text(NAME)


@pytest.mark.parametrize("path", ["/items", "/find?q=王", "/today/done", "/today/running", "/sheet", "/phone"])
def test_other_pages_keep_nobody_out(town: Town, page: Page, path: str) -> None:
    page.goto(path)
    _sound(page, path.strip("/").partition("?")[0].replace("/", "-"))


def test_what_is_to_do_can_be_done_on_a_telephone(town: Town, page: Page) -> None:
    elder, now = town.elder("孙小妹"), town.house.clock.now()
    town.write(lambda session: items.ring_back(session, "call-1", session.get_one(Person, elder), now))
    page.set_viewport_size(NARROW)
    page.goto("/items")
    page.locator("tr", has_text="孙小妹").get_by_role("button", name="办好了").click()
    expect(page.get_by_text("孙小妹")).to_have_count(0)


RARER = ("accounts", "audit", "import", "tokens", "api", "settings", "prompts", "flows", "notices/new", "ballots/new")


@pytest.mark.parametrize("path", RARER)
def test_pages_behind_more_keep_nobody_out(town: Town, browser: Browser, path: str) -> None:
    opened = browser.new_context(base_url=town.url)
    cookie = session_cookie(town.house.db, "陈站长", Role.SUPERVISOR)
    opened.add_cookies([{"name": "wenan_session", "value": cookie, "url": town.url}])
    try:
        page = opened.new_page()
        page.goto(f"/{path}")
        page.get_by_text("更多").first.click()
        expect(page.get_by_role("link", name="日志")).to_be_visible()
        _sound(page, path.replace("/", "-"))
    finally:
        opened.close()


def test_where_nothing_is_stands_the_way_back(town: Town, browser: Browser) -> None:
    opened = browser.new_context(base_url=town.url)  # a browser itself complains of a 404 in its console
    try:
        page = opened.new_page()
        answer = page.goto("/rooster")
        assert answer is not None
        assert answer.status == 404
        expect(page.get_by_role("link", name="回到今天")).to_be_visible()
        _sound(page, "not-found")
    finally:
        opened.close()


def _typed(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M")


def test_the_first_day_is_a_walk_through_the_pages(page: Page) -> None:
    page.goto("/help")
    _sound(page, "help")
    page.get_by_role("button", name="开始").click()
    page.wait_for_url("**/")
    walk = page.get_by_role("complementary", name="第一天")
    walk.get_by_role("link", name="已有人接手的").click()
    _sound(page, "first-day")
    walk.get_by_role("button", name="下一站").click()
    page.wait_for_url("**/flagged")
    walk.get_by_role("button", name="不走了").click()
    page.wait_for_url("**/help")
    expect(walk).to_have_count(0)
