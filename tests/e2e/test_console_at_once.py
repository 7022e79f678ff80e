"""Many who look at pages at once: each is shown their own, and nothing that is made holds up the calls."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jinja2
import pytest

from console import today_view
from console.roles import Role
from tests.e2e.office import HERE, Office, open_office
from tests.fakes.accounts import session_cookie

PEOPLE = (("周老师", Role.WORKER), ("<b>李</b>", Role.WORKER), ("吴老师", Role.AUDITOR), ("孙老师", Role.DUTY))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        yield office


def _browser(office: Office, name: str, role: Role) -> httpx.AsyncClient:
    cookie = session_cookie(office.world.db, name, role, office.world.clock.now())
    transport = office.client._transport
    return httpx.AsyncClient(transport=transport, base_url=HERE, cookies={"wenan_session": cookie})


async def test_who_looks_at_today_at_once_is_shown_their_own_name_role_and_token(office: Office) -> None:
    elder = office.world.elder(slot=8 * 60)
    await office.world.to("08:00")
    await office.world.ends(elder, "silent", "none")
    browsers = [_browser(office, *who) for who in PEOPLE]
    pages = [answer.text for answer in await asyncio.gather(*(one.get("/") for one in browsers * 5))][:4]
    tokens = [set(re.findall(r'name="token" value="([^"]+)"', page)) for page in pages]
    assert [len(found) for found in tokens] == [1, 1, 1, 1]
    assert len(set.union(*tokens)) == 4
    for page, shown in zip(pages, ("周老师", "&lt;b&gt;李&lt;/b&gt;", "吴老师", "孙老师"), strict=True):
        assert [name for name in ("周老师", "&lt;b&gt;李&lt;/b&gt;", "吴老师", "孙老师") if name in page] == [shown]
    assert ["take-over" in page for page in pages] == [True, True, False, True]
    close = f"/case/{office.case(elder)}/take-over"
    for one, found, status in zip(browsers, tokens, (403, 303, 403, 403), strict=True):
        wrong = tokens[1] if one is not browsers[1] else found
        assert (await one.post(close, data={"token": next(iter(wrong))})).status_code == status
    for one in browsers:
        await one.aclose()


async def test_what_somebody_has_done_stands_on_the_page_that_they_come_back_to(office: Office) -> None:
    elder = office.world.elder(slot=8 * 60)
    await office.world.to("08:00")
    await office.world.ends(elder, "silent", "none")
    assert "周老师</b> 已接手" not in (await office.client.get("/")).text
    await office.send(f"/case/{office.case(elder)}/take-over")
    assert "周老师</b> 已接手" in (await office.client.get("/")).text


async def test_fifty_readers_cost_two_looks(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, today = [], today_view.today

    def counted(*given: Any, **more: Any) -> today_view.Today:
        looks.append(1)
        return today(*given, **more)

    monkeypatch.setattr(today_view, "today", counted)
    answers = await asyncio.gather(*(office.client.get("/") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(looks) <= 2


async def test_no_page_is_made_where_calls_are_answered(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    elder = office.world.elder(slot=8 * 60)
    await office.world.to("08:00")
    await office.not_well(elder)
    case, made, find = office.case(elder), [], jinja2.Environment.get_template

    def noted(self: jinja2.Environment, name: str, *more: Any) -> jinja2.Template:
        if self.loader and name != "sheet.html":
            made.append((name, threading.current_thread().name))
        return find(self, name, *more)

    monkeypatch.setattr(jinja2.Environment, "get_template", noted)
    addresses = [
        "/",
        "/roster",
        "/flagged",
        f"/flagged/{case}",
        f"/case/{case}",
        f"/elder/{elder}",
        "/items",
        "/find?q=王",
    ]
    for address in [*addresses, "/today/done", "/shell"]:
        assert (await office.client.get(address)).status_code == 200, address
    own = [(name, thread) for name, thread in made if name.endswith(".html") and not thread.startswith("pages")]
    assert own == []
    assert len(made) >= len(addresses)
