"""Complaints in a real browser: answered by a text that is heard first, and by a recording of the microphone."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from community import complaints, rows, staff
from community.tables import Reply
from demo import clips
from tests.browser.conftest import VOICE
from tests.browser.test_pages import _sound
from tests.browser.test_phone import likeness, samples
from tests.browser.town import Town
from tests.fakes.accounts import WORKER

ANSWER = "明天上午物业来修。"
ALIKE = 0.6  # levelled, resampled in the browser; another voice is far below


def _complaint(town: Town, elder: str) -> int:
    """Filed and heard; its number."""
    now = town.house.clock.now()

    def write(session: Session) -> int:
        number = complaints.file(session, f"call-{elder}"[:36], elder, now).number
        staff.hear(session, number, WORKER, now, "楼道的灯坏了")
        return number

    return town.write(write)


def _answer(town: Town, number: int) -> Reply:
    def last(session: Session) -> Reply:
        found = rows.last_reply(session, rows.known(session, number))
        assert found is not None
        return found

    return town.look(last)


def test_an_answer_is_heard_before_it_is_sent(town: Town, page: Page) -> None:
    number = _complaint(town, town.elder("王秀英"))
    page.goto("/board")
    _sound(page, "board")
    page.locator(f"#complaint-{number} a").click()
    page.fill("#reply-text", ANSWER)
    page.click("[data-preview]")
    heard = page.locator("[data-said] audio")
    expect(heard).to_be_visible()
    expect(page.locator("[data-said] [role=status]")).to_contain_text("老人会听到这样")
    page.locator("[data-said] audio").evaluate("audio => audio.play()")  # it is audio
    _sound(page, "complaint")
    page.click("#do-reply button:not([type=button])")
    expect(page.locator("main")).to_contain_text("线路会打电话告诉答复")
    assert _answer(town, number).text == ANSWER


def test_an_answer_is_spoken_into_the_microphone(town: Town, page: Page) -> None:
    number = _complaint(town, town.elder("李福根"))
    page.goto(f"/complaints/{number}")
    page.click("[data-record]")
    expect(page.locator("[data-part=time]")).to_have_text(re.compile(r"0:(0[6-9]|[1-5]\d)|[1-9]:"))
    page.click("[data-record]")
    expect(page.locator("[data-recorder] audio")).to_be_visible()
    page.click("#do-reply button:not([type=button])")
    expect(page.locator("main")).to_contain_text("线路会打电话告诉答复")
    kept = _answer(town, number).recording
    assert kept
    spoken = samples(town.house.recordings.read(kept))
    assert np.abs(spoken).max() > 1000, "silence"
    assert likeness(spoken, samples(clips.load()(VOICE))) > ALIKE


@pytest.mark.parametrize("path", ["/hall", "/board?kind=ticket&owner=nobody"])
def test_the_hall_and_a_sifted_list_keep_nobody_out(town: Town, page: Page, path: str) -> None:
    page.goto(path)
    _sound(page, path.strip("/").partition("?")[0] + ("-sifted" if "?" in path else ""))
