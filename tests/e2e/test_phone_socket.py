"""The browser phone's socket as a browser uses it, and as nobody may."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import func, select
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from checkins.tables import CallIntent
from console import accounts, door
from console.access import access
from console.accounts_tables import Account
from console.door import MOST_SOCKETS
from console.phone_desk import MOST_OF_ONE
from console.phone_socket import MOST_BYTES
from console.phone_trials import Trial
from console.roles import Role
from house import House, open_house
from ivr.records import Call
from serving import MAX_MESSAGE_BYTES
from settings import Settings
from speech.ears import Ears
from tests.e2e.line import Story, _place, story
from tests.fakes.accounts import WORKER, session_cookie
from tests.fakes.carrier import FakeCarrier
from tests.fakes.clock import WarpClock

REAL, INVENTED = "+862162345678", "+862110001234"
RATE = 16_000


class Browser:
    """What the page does, without the page."""

    def __init__(self, house: House, name: str = WORKER, role: Role | None = Role.WORKER) -> None:
        self.url = house.base_url
        cookie = session_cookie(house.db, name, role) if role else ""
        self._cookie = {"Cookie": f"wenan_session={cookie}"}
        self.audio = b""

    async def page(self) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url, headers=self._cookie, trust_env=False) as http:
            return await http.get("/phone")

    async def ask(self, **form: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url, headers=self._cookie, trust_env=False) as http:
            found = re.search(r'name="token" value="([^"]+)"', (await http.get("/phone")).text)
            assert found
            return await http.post("/phone/calls", data={"token": found.group(1), **form})

    async def ticket(self, **form: str) -> str:
        answer = await self.ask(**form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["ticket"])

    def open(self, origin: str | None = None) -> connect:
        address, own = self.url.replace("http", "ws") + "/phone/line", Origin(origin or self.url)
        return connect(address, origin=own, additional_headers=self._cookie, proxy=None)

    @asynccontextmanager
    async def socket(self, ticket: object, origin: str | None = None) -> AsyncIterator[ClientConnection]:
        async with self.open(origin) as socket:
            await (socket.send(ticket) if isinstance(ticket, bytes) else say(socket, ticket=ticket, rate=RATE))
            yield socket

    async def until(self, socket: ClientConnection, **wanted: Any) -> dict[str, Any]:
        """The first message that holds this; audio that comes before is kept."""
        while True:
            raw = await socket.recv()
            if isinstance(raw, bytes):
                self.audio += raw
                continue
            message: dict[str, Any] = orjson.loads(raw)
            if all(message.get(key) == value for key, value in wanted.items()):
                return message


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(orjson.dumps(message).decode())


@pytest.fixture
async def place(carrier: FakeCarrier, tmp_path: Path) -> AsyncIterator[Story]:
    """A real carrier, and browser phones beside it."""
    async with story(carrier, tmp_path, browser_phone=True) as opened:
        yield opened


async def intents(place: Story) -> int:
    return await place.house.db.view(lambda session: session.scalar(select(func.count()).select_from(CallIntent))) or 0


async def test_beside_a_real_carrier_every_call_is_a_trial_and_nobody_is_rung(place: Story) -> None:
    elder, browser = await place.elder(number=REAL), Browser(place.house)
    async with browser.socket(await browser.ticket(kind="trial", who=elder, flow="test_call")) as socket:
        await browser.until(socket, type="state", state="trial")
        await browser.until(socket, state="ringing")
        await say(socket, type="pick_up")
        await browser.until(socket, state="answered")
        await socket.send(bytes(2 * RATE // 50))
        await say(socket, type="key", key="1")
        await browser.until(socket, type="turn", text="按键 1")
        await say(socket, type="hang_up")
        over = await browser.until(socket, type="over")
    assert (over["trial"], over["case"]) == (True, None)
    assert await intents(place) == 0
    assert (await browser.ask(kind="today", who=elder)).status_code == 422


async def test_who_rings_in_with_a_number_that_could_be_real_changes_nothing(place: Story) -> None:
    elder, browser = await place.elder(number=REAL), Browser(place.house)
    async with browser.socket(await browser.ticket(kind="in", who=elder)) as socket:
        await browser.until(socket, state="answered")
        await say(socket, type="key", key="2")
        await browser.until(socket, type="turn", text="按键 2")
    number = await place.house.db.view(lambda session: session.scalars(select(Call.number)).one())
    assert number != REAL
    assert await intents(place) == 0
    assert place.house.phone is not None
    place.house.phone.trials.expect(Trial("rings_in"), number)
    await place.carrier.rings_in(number, f"{place.house.base_url}/twilio/voice").hears("hello.say")
    assert await intents(place) == 1, "what a real carrier brings is never a trial"


async def test_a_number_of_the_register_is_no_trial_s(place: Story) -> None:
    await place.elder(number="+862100000001")
    browser = Browser(place.house)
    async with browser.socket(await browser.ticket(kind="in")) as socket:
        await browser.until(socket, state="answered")
        assert place.house.phone is not None
        assert list(place.house.phone.exchange.plugged) == ["+862100000002"]


async def test_an_invented_elder_rings_in_and_is_heard(
    tmp_path: Path, warp_clock: WarpClock, errors_logged: list[str]
) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/wenan.db", data_dir=tmp_path, port=0)
    async with open_house(settings, clock=warp_clock, ears=Ears([]), lockstep=True) as house:
        place = Story(house, None, await house.db.run(_place))  # type: ignore[arg-type]
        elder, browser = await place.elder(number=INVENTED), Browser(house)
        async with browser.socket(await browser.ticket(kind="in", who=elder)) as socket:
            await browser.until(socket, type="state", state="real")
            await browser.until(socket, state="answered")
            await say(socket, type="key", key="2")
            await browser.until(socket, type="turn", text="按键 2")
            await say(socket, type="hang_up")
            over = await browser.until(socket, type="over")
        assert over["case"]
        assert await intents(place) == 1
        assert any(browser.audio), "the line's voice was not heard"


async def test_a_socket_from_elsewhere_is_refused(place: Story) -> None:
    browser = Browser(place.house)
    for origin in ("http://evil.example", "http://127.0.0.1:1"):
        with pytest.raises(InvalidStatus):
            async with browser.socket(await browser.ticket(kind="in"), origin):
                pass


async def test_a_socket_of_nobody_who_is_logged_in_is_refused(place: Story) -> None:
    ticket = await Browser(place.house).ticket(kind="in")
    with pytest.raises(InvalidStatus):
        async with Browser(place.house, role=None).socket(ticket):
            pass


async def test_a_ticket_is_good_once(place: Story) -> None:
    browser = Browser(place.house)
    ticket = await browser.ticket(kind="in")
    async with browser.socket(ticket) as socket:
        await browser.until(socket, state="answered")
        for other in (ticket, "none", None, 7, "\0", b"\xff"):
            async with browser.socket(other) as refused:
                with pytest.raises(ConnectionClosed):
                    await refused.recv()


async def plugged(place: Story, many: int) -> None:
    """So many telephones, soon."""
    assert place.house.phone is not None
    async with asyncio.timeout(20):
        while len(place.house.phone.exchange.plugged) != many:
            await asyncio.sleep(0.01)


ODD = (
    "",
    "[]",
    "[" * 10_000,
    '{"type":"dance"}',
    '{"type":["key"]}',
    '{"type":"key","key":"A"}',
    '{"type":"key","key":"\\ud800"}',
    '{"type":"key","key":"\\u0000"}',
    '{"type":"key","key":' + "9" * 5000 + "}",
    b"odd",
    bytes(2 * MOST_BYTES),
    bytes(MAX_MESSAGE_BYTES + 1),
)


async def test_what_no_page_of_ours_sends_ends_the_telephone(place: Story) -> None:
    browser = Browser(place.house)
    for message in ODD:
        async with browser.socket(await browser.ticket(kind="in")) as socket:
            await browser.until(socket, state="answered")
            await socket.send(message)
            with pytest.raises(ConnectionClosed):
                await browser.until(socket, type="never")
    await plugged(place, 0)


@pytest.mark.parametrize("flood", [b"", bytes(MOST_BYTES), '{"type":"pick_up"}'])
async def test_who_floods_the_line_is_off_it(place: Story, flood: bytes | str) -> None:
    browser = Browser(place.house)
    async with browser.socket(await browser.ticket(kind="in")) as socket:
        await browser.until(socket, state="answered")
        with pytest.raises(ConnectionClosed):
            await flooded(browser, socket, flood)


async def flooded(browser: Browser, socket: ClientConnection, message: bytes | str) -> None:
    for _ in range(5000):
        await socket.send(message)
    await browser.until(socket, type="never")


async def test_as_much_as_a_net_held_up_is_no_flood(place: Story) -> None:
    browser = Browser(place.house)
    async with browser.socket(await browser.ticket(kind="in")) as socket:
        await browser.until(socket, state="answered")
        for _ in range(500):
            await socket.send(bytes(2 * RATE // 50))
        await say(socket, type="key", key="2")
        await browser.until(socket, type="turn", text="按键 2")


@pytest.mark.parametrize("role", [None, *Role])
async def test_the_line_is_for_the_roles_of_the_table(place: Story, role: Role | None) -> None:
    ticket, browser = await Browser(place.house).ticket(kind="in"), Browser(place.house, role=role)
    if role in access("WS", "/phone/line").roles:
        async with browser.socket(ticket) as socket:
            await browser.until(socket, state="answered")
    else:
        with pytest.raises(InvalidStatus):
            async with browser.socket(ticket):
                pass


async def test_a_ticket_is_good_for_the_account_that_asked(place: Story) -> None:
    ticket = await Browser(place.house).ticket(kind="in")
    async with Browser(place.house, "李老师").socket(ticket) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_one_account_leaves_telephones_and_sockets_to_others(place: Story) -> None:
    browser, other = Browser(place.house), Browser(place.house, "李老师")
    for _ in range(MOST_OF_ONE):
        await browser.ticket(kind="in")
    refused = await browser.ask(kind="in")
    assert (refused.status_code, "这个账号" in refused.json()["zh"]) == (429, True)
    async with AsyncExitStack() as silent:
        for _ in range(MOST_SOCKETS):
            await silent.enter_async_context(browser.open())
        with pytest.raises(InvalidStatus):
            async with browser.open():
                pass
        async with other.socket(await other.ticket(kind="in")) as socket:
            await other.until(socket, state="answered")


def change(house: House, what: str) -> None:
    now = datetime.now(UTC)
    with house.db.write() as session:
        account = session.scalars(select(Account).where(Account.name == WORKER)).one()
        match what:
            case "lock":
                accounts.lock(session, account.login, "站长", now)
            case "reset":
                accounts.reset(session, account.login, "other", "站长", now)
            case _:
                accounts.set_role(session, account.login, Role.AUDITOR, "站长", now)


@pytest.mark.parametrize("what", ["lock", "reset", "role"])
async def test_whoever_is_put_out_is_off_the_line_within_seconds(
    place: Story, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(door, "LOOK_S", 0.05)
    browser, colleague = Browser(place.house), Browser(place.house, "李老师")
    async with (
        browser.socket(await browser.ticket(kind="in")) as socket,
        colleague.socket(await colleague.ticket(kind="in")) as stays,
    ):
        await browser.until(socket, state="answered")
        await colleague.until(stays, state="answered")
        change(place.house, what)
        with pytest.raises(ConnectionClosed):
            await browser.until(socket, type="never")
        await say(stays, type="key", key="2")
        await colleague.until(stays, type="turn", text="按键 2")
        await plugged(place, 1)


NOT_TO_BE_HAD = (
    ({"kind": "dance"}, 422),
    ({"kind": "in", "who": "nobody"}, 404),
    ({"kind": "trial", "flow": "../secrets"}, 422),
)


async def test_what_cannot_be_had_is_said(place: Story) -> None:
    for form, status in NOT_TO_BE_HAD:
        answer = await Browser(place.house).ask(**form)
        assert (answer.status_code, bool(answer.json()["zh"])) == (status, True)
    assert (await Browser(place.house).ask(kind="in", token="forged")).status_code == 403


async def test_without_the_setting_there_is_none_beside_a_real_carrier(carrier: FakeCarrier, tmp_path: Path) -> None:
    async with story(carrier, tmp_path) as place:
        assert (await Browser(place.house).page()).status_code == 404
