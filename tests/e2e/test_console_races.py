"""Two at once at the same account: a password is spent once, and nobody who was put out stays in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from console import accounts
from console.passwords import Hasher, one_time
from tests.e2e.office import Office, open_office
from tests.e2e.test_console_accounts import PAGE, account, log_in

MINE, HERS = "seven old houses", "eight new houses"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        office.client.cookies.clear()
        yield office


async def entered(office: Office) -> str:
    """With a one-time password, which is given."""
    first = one_time()
    await account(office, password=first, one_time=True)
    assert (await log_in(office, password=first)).status_code == 303
    return first


async def form(office: Office, now: str, new: str) -> dict[str, str]:
    token = re.search(r'name="token" value="([^"]+)"', (await office.client.get("/password")).text)
    assert token
    return {"token": token.group(1), "now": now, "new": new, "again": new}


async def test_of_two_who_spend_a_one_time_password_at_once_one_does(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await entered(office)
    both, hash_ = asyncio.Barrier(2), Hasher.hash

    async def together(self: Hasher, password: str) -> str:
        await both.wait()
        return await hash_(self, password)

    sent = [await form(office, first, new) for new in (MINE, HERS)]
    monkeypatch.setattr(Hasher, "hash", together)
    answers = await asyncio.gather(*(office.client.post("/password", data=one) for one in sent))
    monkeypatch.undo()
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert "密码刚刚改过" in refused.text
    lets_in = [(await log_in(office, password=one)).status_code for one in (first, MINE, HERS)]
    assert lets_in == [422, *(answer.status_code if answer.status_code == 303 else 422 for answer in answers)]


@pytest.mark.parametrize("act", ["reset", "lock"])
async def test_who_is_put_out_while_they_choose_a_password_has_not_chosen_any(
    office: Office, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    first = await entered(office)
    sent, now, hash_ = await form(office, first, MINE), office.world.clock.now(), Hasher.hash
    anew = await office.deps.door.hasher.hash(HERS)

    async def put_out(self: Hasher, password: str) -> str:
        with office.world.db.write() as session:
            if act == "reset":
                accounts.reset(session, "li", anew, "站长", now)
            else:
                accounts.lock(session, "li", "站长", now)
        return await hash_(self, password)

    monkeypatch.setattr(Hasher, "hash", put_out)
    answer = await office.client.post("/password", data=sent)
    monkeypatch.undo()
    assert (answer.status_code, "set-cookie" in answer.headers) == (409, False)
    assert (await office.client.get("/", headers=PAGE)).headers["location"].startswith("/login")
    with office.world.db.write() as session:
        accounts.unlock(session, "li", "站长", now)
    assert (await log_in(office, password=MINE)).status_code == 422
    assert (await log_in(office, password=HERS if act == "reset" else first)).status_code == 303


async def test_a_one_time_password_that_has_become_void_since_the_login_chooses_none(office: Office) -> None:
    first = await entered(office)
    sent = await form(office, first, MINE)
    with office.world.db.write() as session:
        accounts.known(session, "li").one_time_until = office.world.clock.now() + timedelta(minutes=30)
    office.world.clock.advance(minutes=31)
    answer: httpx.Response = await office.client.post("/password", data=sent)
    assert (answer.status_code, "已过期" in answer.text) == (422, True)
