"""What the street office gets to read: whose a complaint is only where they have agreed."""

from __future__ import annotations

from typing import Any

from community import staff
from community.level_above import NOT_SHARED, for_street
from tests.unit.community.hall import CHEN, LEAK, Hall


def rows_of(hall: Hall) -> list[tuple[Any, ...]]:
    with hall.world.db.read() as session:
        return for_street(session)


async def test_name_and_place_go_to_the_street_only_with_consent(hall: Hall) -> None:
    both = {"calls": True, "recording": True}
    shares = hall.world.elder("王秀英", consents={**both, "street": True})
    without = hall.world.elder("李桂芳", consents=both)
    numbers = [
        await hall.complains(one, call) for one, call in ((shares, "a"), (without, "b"), ("", "c"), (shares, "d"))
    ]
    for number in numbers[:3]:
        hall.act(staff.sort, number, category="漏水", place="5号301室", by=CHEN)
        hall.act(staff.level_above, number, CHEN)
    assert [row[:4] for row in rows_of(hall)] == [
        (numbers[0], "漏水", "王秀英", "5号301室"),
        (numbers[1], "漏水", NOT_SHARED, NOT_SHARED),
        (numbers[2], "漏水", NOT_SHARED, NOT_SHARED),
    ]
    assert LEAK not in str(rows_of(hall)), "what was spoken"
