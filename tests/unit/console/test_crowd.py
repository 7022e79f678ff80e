"""One page for all who ask at once: how often it is made, for whom, and that nobody is shown what was there before."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from console.accounts_sessions import Visitor
from console.crowd import KEPT, Crowd, Nobody
from console.roles import Role

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class Kitchen:
    """Makes pages that say when they were begun; each takes until `go` is set."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.moment = 0
        self.go = asyncio.Event()

    async def make(self) -> str:
        self.begun.append(self.moment)
        await self.go.wait()
        return f"as of {self.begun[-1]}"


async def test_fifty_at_once_are_one_page_and_who_comes_later_is_shown_a_later_one() -> None:
    crowd, kitchen = Crowd(), Kitchen()
    first = asyncio.create_task(crowd.one("/", kitchen.make))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert kitchen.begun == [0]
    kitchen.moment = 1
    later = [asyncio.create_task(crowd.one("/", kitchen.make)) for _ in range(50)]
    await asyncio.sleep(0)
    kitchen.moment = 2
    kitchen.go.set()
    assert await first == "as of 0"
    assert set(await asyncio.gather(*later)) == {"as of 2"}
    assert kitchen.begun == [0, 2]


async def test_one_who_leaves_takes_nobody_s_page_along_and_a_failure_is_told_to_all() -> None:
    crowd, kitchen = Crowd(), Kitchen()
    leaves, stays = (asyncio.create_task(crowd.one("/", kitchen.make)) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    kitchen.go.set()
    assert await stays == "as of 0"

    async def fails() -> str:
        raise LookupError

    told = await asyncio.gather(*(crowd.one("/", fails) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in told] == [LookupError] * 3
    assert await crowd.one("/", kitchen.make) == "as of 0"


@pytest.mark.parametrize(
    ("key", "end", "after", "kept"),
    [
        ("/", "a", timedelta(0), True),
        ("/", "a", KEPT - timedelta(milliseconds=1), True),
        ("/", "a", KEPT, False),
        ("/", "a", timedelta(seconds=-1), False),
        ("/", "b", timedelta(0), False),
        ("/?all=1", "a", timedelta(0), False),
    ],
)
def test_a_page_stands_for_two_seconds_while_nothing_is_written(
    key: str, end: str, after: timedelta, kept: bool
) -> None:
    crowd = Crowd()
    assert crowd.as_kept("/", "a", NOW, lambda: "first") == "first"
    assert crowd.as_kept(key, end, NOW + after, lambda: "second") == ("first" if kept else "second")


def test_whoever_asked_is_put_in_and_their_name_is_escaped() -> None:
    nobody = Nobody()
    mark = nobody.of(Role.DUTY, NOW)
    page = f"<b>{mark.name}</b> <input value='{mark.form}'>"
    who = Visitor(7, "li", "<李>", Role.DUTY, must_change=False, cookie="c" * 43, seen_at=NOW)
    assert nobody.replaced(page, who) == f"<b>&lt;李&gt;</b> <input value='{who.form}'>"
    assert mark.form != Nobody().of(Role.DUTY, NOW).form
