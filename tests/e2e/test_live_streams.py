"""However many streams of pages are opened, webhooks and pages find their place beside them."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import httpx

from console.live_routes import MOST_OF_ONE, MOST_STREAMS, Places
from console.roles import Role
from house import open_house
from settings import Settings
from speech.ears import Ears
from tests.fakes.accounts import session_cookie

ASKED = 40


async def test_one_account_has_a_few_streams_and_those_it_closes_are_free_again(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/wenan.db", data_dir=tmp_path, port=0)
    async with open_house(settings, ears=Ears([])) as house, httpx.AsyncClient(base_url=house.base_url) as client:
        for _ in range(2):
            assert await opened(client, session_cookie(house.db, "审计甲", Role.AUDITOR)) == {
                200: MOST_OF_ONE,
                429: ASKED - MOST_OF_ONE,
            }
        assert (await client.post("/twilio/voice")).status_code == 403


async def opened(client: httpx.AsyncClient, cookie: str) -> Counter[int]:
    codes: list[int] = []
    over = asyncio.Event()

    async def one() -> None:
        async with client.stream("GET", "/live", cookies={"wenan_session": cookie}, timeout=60) as stream:
            codes.append(stream.status_code)
            await over.wait()

    streams = [asyncio.ensure_future(one()) for _ in range(ASKED)]
    async with asyncio.timeout(60):
        while len(codes) < ASKED:
            await asyncio.sleep(0.01)
        over.set()
        await asyncio.gather(*streams)
        await asyncio.sleep(0.5)
    return Counter(codes)


def test_all_accounts_together_leave_half_of_the_house_to_webhooks_and_media() -> None:
    places = Places(most=3, most_of_one=2)
    with places.taken(1), places.taken(2):
        assert places.free(1)
        assert places.free(3)
        with places.taken(3):
            assert not places.free(4)
        assert places.free(4)
    assert MOST_STREAMS <= 500 / 2
