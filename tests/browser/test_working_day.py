"""A whole working day of one worker, in one browser: what each step leaves on the line is looked at, and every page on
the way keeps nobody out."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import cases
from checkins.people import add_person
from checkins.results import Status
from checkins.roster.tables import RosterLeave, RosterPair
from checkins.tables import Neighbourhood, Role
from community import ballot_making
from community.ballot import Unit
from community.ballot_tables import BallotEvent
from community.notice_tables import Notice
from console.sentences import number_of
from speech.g711 import ulaw_decode
from tests.browser.test_board import ANSWER, _answer, _complaint
from tests.browser.test_pages import _flag, _sound, _typed
from tests.browser.town import ZONE, Town
from tests.fakes.accounts import WORKER

TEXT = "今天身体好吗?身体好,请按1;不舒服,请按2;想找人说话,请按3。"
WATER = "明天下午一点到四点停水。"


def test_from_the_first_flag_to_the_sheets(town: Town, page: Page) -> None:
    wang, li = town.elder("王秀英", address="3号楼502室"), town.elder("李建国", address="3号楼101室")
    flagged, unreached = _flag(town, wang), _flag(town, li)
    town.elder("赵阿英", address="3号楼301室", consents={"calls": False})
    _pair(town, li)
    ballot = _ballot(town)

    _hears_the_flag(town, page, flagged)
    _takes_over_and_closes(town, page, unreached)
    _answers_a_complaint(town, page, wang)
    _enters_a_paper(town, page, ballot)
    _puts_the_buddy_on_leave(town, page)
    _records_a_prompt(town, page)
    _prints(town, page)


def _hears_the_flag(town: Town, page: Page, case: int) -> None:
    page.goto("/")
    page.get_by_role("link", name="待听").first.click()
    page.get_by_role("link", name="王秀英").click()
    page.locator("body").press("Space")
    page.wait_for_function("document.getElementById('audio').currentTime > 0")
    expect(page.locator("#who")).to_contain_text("听过")
    page.locator("body").press("2")  # somebody sees to her
    page.keyboard.type("回电话，下午去看")
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile(f"/flagged/{case}$"))  # on to the next
    heard = [event.what for event in town.look(lambda session: cases.events(session, case))]
    assert "listened" in heard


def _takes_over_and_closes(town: Town, page: Page, case: int) -> None:
    page.goto("/")
    _sound(page, "day-today")
    page.locator(f"#case-{case}").get_by_role("button", name="接手").click()
    expect(page.locator("#taken")).to_contain_text(WORKER)
    page.goto(f"/case/{case}")
    page.locator("[name=finding]").first.fill("上门看过，在家，头不晕了")
    page.locator("button[formaction$='/close']").click()
    expect(page.locator("main")).to_contain_text("办结")
    row = town.look(lambda session: cases.one(session, case))
    assert row is not None
    assert (row.status, row.closed_by, row.finding) == (Status.CLOSED, WORKER, "上门看过，在家，头不晕了")


def _answers_a_complaint(town: Town, page: Page, elder: str) -> None:
    number = _complaint(town, elder)
    page.goto("/board")
    page.locator(f"#complaint-{number} a").click()
    page.fill("#reply-text", ANSWER)
    page.click("[data-preview]")
    expect(page.locator("[data-said] [role=status]")).to_contain_text("老人会听到这样")
    page.click("#do-reply button:not([type=button])")
    expect(page.locator("main")).to_contain_text("线路会打电话告诉答复")
    assert _answer(town, number).text == ANSWER


def _enters_a_paper(town: Town, page: Page, ballot: int) -> None:
    page.goto("/ballots")
    _sound(page, "ballots")
    page.locator(f"a[href='/ballots/{ballot}']").first.click()
    _sound(page, "ballot")
    page.get_by_role("link", name="登记纸面").click()
    page.locator("#whose").fill("王秀英")
    page.keyboard.press("Enter")
    expect(page.locator("#paper-head")).to_contain_text("王秀英")
    _sound(page, "papers")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="下一张")).to_be_visible()
    entered = select(BallotEvent.what).where(BallotEvent.who == WORKER, BallotEvent.slot_id.is_not(None))
    assert len(town.look(lambda session: list(session.scalars(entered)))) == 1


def _puts_the_buddy_on_leave(town: Town, page: Page) -> None:
    page.goto("/roster")
    form = page.locator("form[action$='/leave']")
    form.locator("select").select_option(label="李梅（老伙伴）")
    today = town.house.clock.now().astimezone(ZoneInfo(ZONE)).replace(hour=0, minute=0)
    form.locator("[name=begins]").fill(_typed(today))
    form.locator("[name=ends]").fill(_typed(today + timedelta(days=3)))
    form.get_by_role("button").click()
    expect(page.locator("table.calendar")).to_contain_text("请假")
    assert len(town.look(lambda session: list(session.scalars(select(RosterLeave))))) == 1


def _records_a_prompt(town: Town, page: Page) -> None:
    before = town.do(town.house.prompts.get(TEXT))
    page.goto(f"/prompts/{number_of(TEXT)}?language=zh")
    _sound(page, "prompt")
    page.locator("[data-record]").click()
    page.wait_for_timeout(4500)  # the microphone's voice takes so long
    page.locator("[data-record]").click()
    expect(page.locator("[data-recorder] [data-part=status]")).to_contain_text("录好了")
    page.get_by_role("button", name="检查录音").click()
    expect(page.locator("ul.checks")).to_contain_text("有人说话")
    _sound(page, "prompt-checked")
    sure = page.locator("[name=sure]")
    if sure.count():  # another sentence than the one on the page: its length needn't fit
        sure.check()
    page.get_by_role("button", name="发布").click()
    expect(page.locator("main")).to_contain_text("发布")
    after = town.do(town.house.prompts.get(TEXT))
    assert after != before, "the line speaks with the worker's voice from the next call on"
    assert max(ulaw_decode(after)) > 0


def _prints(town: Town, page: Page) -> None:
    page.goto("/notices/new")
    page.locator("#text").fill(WATER)
    page.locator("[name=topic][value=notice]").check()
    ends = town.house.clock.now().astimezone(ZoneInfo(ZONE)) + timedelta(days=1)
    page.locator("[name=until]").fill(_typed(ends))
    page.get_by_role("button", name="先看会传到谁").click()
    expect(page.locator(".preview").first).to_contain_text("赵阿英")
    _sound(page, "notice-preview")
    page.get_by_role("button", name="发布").first.click()
    page.wait_for_url("**/notices/*")
    _sound(page, "notice")
    (notice,) = town.look(lambda session: list(session.scalars(select(Notice))))
    assert (notice.text, notice.by) == (WATER, WORKER)
    for paper in ("doors.pdf", "poster.pdf"):
        answer = page.request.get(f"{town.url}/notices/{notice.number}/{paper}")
        assert (answer.status, answer.body()[:5]) == (200, b"%PDF-")
    page.goto("/sheet")
    expect(page.locator("body")).to_contain_text("王秀英")


def _pair(town: Town, elder: str) -> None:
    def write(session: Session) -> None:
        buddy = add_person(session, town.place_id, "李梅", "李阿姨", "+862110009001", role=Role.BUDDY)
        session.add(RosterPair(neighbourhood_id=town.place_id, elder_id=elder, buddy_id=buddy.id, position=0))

    town.write(write)


def _ballot(town: Town) -> int:
    now: datetime = town.house.clock.now()

    def write(session: Session) -> int:
        place = session.get_one(Neighbourhood, town.place_id)
        made = ballot_making.make(
            session, place, "电梯", ["要不要装电梯?|要|不要"], Unit.PERSON, now, now + timedelta(days=3), WORKER, now
        )
        return made.number

    return town.write(write)
