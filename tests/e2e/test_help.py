"""Help in the console: the walk through the pages on the first day, and the printed guides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from checkins.enrolment import font
from console import help_routes
from console.roles import Role
from tests.e2e.office import Office, open_office
from tests.fakes import fonts


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        yield office


async def test_the_first_day_leads_from_page_to_page_and_can_be_left_anywhere(office: Office) -> None:
    assert "第一天 1/" not in (await office.client.get("/")).text
    answer = await office.send("/help/tour", step="1")
    assert answer.headers["location"] == "/"
    page = (await office.client.get("/")).text
    assert "最急的排最前" in page
    assert "回到这一站" in (await office.client.get("/find?q=王")).text
    answer = await office.send("/help/tour", step="2")
    assert answer.headers["location"] == "/flagged"
    assert "先听，再决定" in (await office.client.get("/flagged")).text
    assert (await office.send("/help/tour", step="end")).headers["location"] == "/help"
    assert "第一天 2/" not in (await office.client.get("/flagged")).text


async def test_one_who_walks_leads_no_colleague_along(office: Office) -> None:
    step = {"cookie": f"wenan_session={office.client.cookies['wenan_session']}; wenan_tour=1"}
    answers = await asyncio.gather(office.client.get("/", headers=step), office.client.get("/"))
    assert ["第一天 1/" in answer.text for answer in answers] == [True, False]


async def test_who_hears_nothing_is_led_past_what_is_heard(office: Office) -> None:
    office.log_in("赵审计", Role.AUDITOR)
    answer = await office.send("/help/tour", step="2")
    assert answer.headers["location"] != "/flagged"
    assert "/flagged" not in (await office.client.get("/help")).text


async def test_both_guides_are_printed_for_each_committee(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(help_routes.font, "load", partial(font.load, fonts.boxes(tmp_path)))
    for name in ("staff", "buddies"):
        answer = await office.client.get(f"/help/1/{name}.pdf")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        assert answer.content.startswith(b"%PDF-")
    for wrong in ("/help/99/staff.pdf", "/help/x/staff.pdf", "/help/1/other.pdf"):
        assert (await office.client.get(wrong)).status_code == 404, wrong


async def test_without_a_font_the_page_says_what_to_install(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(help_routes.font, "load", partial(font.load, known=()))
    answer = await office.client.get("/help/1/staff.pdf")
    assert (answer.status_code, "fonts-wqy-zenhei" in answer.text) == (503, True)
