"""What no page of ours sends to the forms of a complaint and of a ticket: refused in words, and nothing is closed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest

from community.tables import Status
from console import complaint_acts, ticket_acts
from tests.e2e.matters import asks_for_a_taxi, complains
from tests.e2e.office import Office, open_office
from tests.e2e.test_board import do, listen
from tests.e2e.test_console_garbage import NUL, ODD, ODD_PATHS, URLENCODED, refuses
from tests.unit.community.hall import CHEN, Hall

FIELDS: Mapping[str, tuple[str, ...]] = {
    "take": ("had",),
    "assign": ("to",),
    "heard": ("words",),
    "sort": ("category", "where"),
    "reply": ("text", "sound"),
    "said": ("outcome", "how", "words"),
    "discuss": ("who", "text"),
    "offer": (*complaint_acts.TIMES, "where", "with_whom", "other"),
    "fix": ("at", "where", "with_whom"),
    "met": ("meeting", "outcome"),
    "call-off": ("meeting", "why"),
    "level-above": (),
    "publish": ("text",),
    "visit": ("found",),
    "close": ("found",),
    "book": ("text", "sound", "before"),
    "told": ("words",),
    "cannot": ("words",),
}
CLOSES = ("cannot", "told", "close")  # a ticket: last, or the others meet a closed one


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        office.log_in(CHEN)
        yield office


@pytest.fixture
def hall(office: Office) -> Hall:
    return Hall(office.world)


async def matters(office: Office, hall: Hall) -> list[str]:
    """Addresses of every act, of a complaint that was answered and of a ticket."""
    number = await complains(office, hall, office.world.elder(), wish="public")
    await listen(office, number)
    assert (await do(office, f"/complaints/{number}", "reply", text="明天上午物业来修。"))[0] == 303
    ticket = await asks_for_a_taxi(office, office.world.elder("李建国"))
    ticket_order = sorted(ticket_acts.ACTS, key=lambda what: what in CLOSES)
    return [
        *(f"/complaints/{number}/{what}" for what in complaint_acts.ACTS),
        *(f"/tickets/{ticket}/{what}" for what in ticket_order),
    ]


@pytest.mark.parametrize("odd", ODD)
async def test_every_act_bears_what_nobody_types(office: Office, hall: Hall, odd: str) -> None:
    acts, token, value = await matters(office, hall), await office.token(), quote_from_bytes(ODD[odd])
    for path in acts:
        names = FIELDS[path.rpartition("/")[2]]
        body = "&".join([f"token={token}", "seen=9999999", *(f"{name}={value}" for name in names)])
        await refuses(office, "POST", path, body, URLENCODED)
        await refuses(office, "POST", path, f"token={token}&seen={value}", URLENCODED)
    complaint = hall.complaints()[0]
    assert complaint.status == Status.ANSWERED, "only what they say closes it"
    for page in ("/board", "/hall", *(f"/{kind}/{acts[at].split('/')[2]}" for kind, at in PAGES)):
        assert (await office.client.get(page)).status_code == 200, page


PAGES = (("complaints", 0), ("tickets", -1))


async def test_no_act_is_done_without_the_page_s_token(office: Office, hall: Hall) -> None:
    acts = await matters(office, hall)
    before = hall.events(hall.complaints()[0].number)
    for path in acts:
        for token in ("", "x" * 43):
            answer = await office.client.post(path, data={"token": token, "seen": "9999999", "text": "好"})
            assert answer.status_code == 403, path
    assert hall.events(hall.complaints()[0].number) == before


async def test_odd_addresses_are_nobody_s(office: Office, hall: Hall) -> None:
    await matters(office, hall)
    for odd in ODD_PATHS:
        for path in (
            f"/complaints/{odd}",
            f"/tickets/{odd}",
            f"/complaints/1001/said/{odd}",
            f"/complaints/1001/reply/{odd}",
        ):
            assert await refuses(office, "GET", path, "", {}) in (400, 404), path
    for query in ("kind", "owner", "place"):
        for odd in ODD.values():
            assert await refuses(office, "GET", f"/board?{query}={quote_from_bytes(odd)}", "", {}) < 500
    assert await refuses(office, "GET", f"/hall?place={quote_from_bytes(NUL)}", "", {}) in (400, 404)
