"""Logging in, and what nobody gets without: the walk over all routes, forged and fixed sessions, waits, ranges."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from sqlalchemy import select
from starlette.routing import BaseRoute

from console import access, accounts
from console.access import READ, ROUTES, SIGNED, THIS_MACHINE, TOKEN, UnlistedRouteError
from console.accounts_tables import Account, AccountEvent
from console.guarded import guarded
from console.knocks import FREE
from console.passwords import one_time
from console.ranges import UnsatisfiableError, span
from console.roles import Role
from console.routes import routes
from house import open_house
from settings import Settings
from tests.e2e.office import HERE, NASTY, Office, open_office
from tests.fakes.accounts import cheap_door

PAGE = {"accept": "text/html"}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        yield office


# ── every route, every role ───────────────────────────────────────────────────────────────────────


def walked(office: Office) -> list[tuple[str, str, access.Access]]:
    """Method, an address, and who may: of all routes that the console has."""
    found = [
        (method, route.path, access.access(method, route.path))  # type: ignore[attr-defined]
        for route in office.pages
        for method in access.methods(route)
    ]
    assert len(found) > 15
    return [(method, re.sub(r"\{[^}]+\}", "1", path), listed) for method, path, listed in found if method != "WS"]


async def ask(office: Office, method: str, path: str, **more: object) -> httpx.Response:
    if path == "/live":  # never ends by itself
        office.live.close()
    return await office.client.request(method, path, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", [None, *Role])
async def test_no_route_answers_whoever_lacks_its_role(office: Office, role: Role | None) -> None:
    office.client.cookies.clear()
    if role:
        office.log_in("张三", role)
    token = await office.token() if role else "x"
    for method, path, listed in walked(office):
        if path == "/logout":
            continue  # its own test
        data = {"token": token} if method == "POST" else None
        answer = await ask(office, method, path, data=data, headers={**PAGE, "X-CSRF-Token": token})
        let_in = answer.status_code != 403 and not answer.headers.get("location", "").startswith("/login")
        let_in = let_in and answer.status_code != 401
        if listed.scope:  # no account opens what a program's token opens
            assert answer.status_code == 401, (method, path)
        elif listed.roles:
            assert let_in is (role in listed.roles), (method, path, answer.status_code)
        elif path != "/login":
            assert let_in, (method, path)


async def test_the_auditor_reads_and_neither_hears_nor_changes_anything() -> None:
    may = {route for route, listed in ROUTES.items() if Role.AUDITOR in listed.roles}
    assert {"GET /", "GET /case/{case_id}", "GET /roster"} <= may
    assert {route for route in may if not route.startswith("GET")} == {
        "POST /logout",
        "POST /password",
        "POST /help/tour",
        "POST /audit/export",  # writes only who took it
        "POST /policies/{place}/preview",  # writes nothing: what is typed is shown
        "POST /policies/elder/{person_id}/preview",
    }
    assert not [route for route in may if "recording" in route or "phone" in route]


async def test_a_route_that_nobody_listed_does_not_start(office: Office) -> None:
    door = office.deps.door
    router = APIRouter(route_class=guarded(lambda error: httpx.Response(500), door))  # type: ignore[arg-type,return-value]
    with pytest.raises(UnlistedRouteError, match="GET /new"):
        router.get("/new")(lambda: None)
    bare = APIRouter()
    bare.get("/items")(lambda: None)
    with pytest.raises(UnlistedRouteError, match="no guard"):
        access.check(bare.routes)
    bare = APIRouter()
    bare.websocket("/anything")(lambda: None)
    with pytest.raises(UnlistedRouteError, match="WS /anything"):
        access.check(bare.routes)


async def test_every_line_of_the_table_is_a_route_of_the_whole_house_and_the_first_account_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[BaseRoute] = []
    check = access.check
    monkeypatch.setattr(access, "check", lambda found: (seen.extend(found), check(seen))[1])
    trunk = {
        "alarm_twilio_account_sid": "AC" + "1" * 32,
        "alarm_twilio_auth_token": "t",
        "alarm_twilio_from": "+862110000001",
    }
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/w.db", data_dir=tmp_path, models=tmp_path, port=0, public_url=HERE, **trunk
    )
    async with open_house(settings) as house:
        made = {f"{method} {route.path}" for route in seen for method in access.methods(route)}  # type: ignore[attr-defined]
        beside_a_real_carrier = {route for route in ROUTES if "/twilio/browser/" in route}
        assert made == set(ROUTES) - beside_a_real_carrier
        assert {route.partition(" ")[2].split("/")[1] for route, lock in ROUTES.items() if lock in (SIGNED, TOKEN)} == {
            "asterisk",
            "devices",
            "twilio",
        }
        assert [route for route, lock in ROUTES.items() if lock is THIS_MACHINE] == ["GET /healthz"]
        house.door.hasher = cheap_door(house.db, house.clock).hasher
        first = await house.door.first_password()
        assert re.fullmatch(r"[a-z2-9-]{19}", first)
        assert await house.door.first_password() == ""


# ── getting in ────────────────────────────────────────────────────────────────────────────────────


async def account(
    office: Office, login: str = "li", password: str = "correct horse", *, one_time: bool = False
) -> None:
    hashed, now = await office.deps.door.hasher.hash(password), office.world.clock.now()
    with office.world.db.write() as session:
        made = accounts.add(session, login, "李老师", Role.WORKER, hashed, "站长", now)
        made.one_time_until = now + timedelta(days=7) if one_time else None


async def log_in(office: Office, login: str = "li", password: str = "correct horse", back: str = "/") -> httpx.Response:
    page = (await office.client.get("/login")).text
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token
    data = {"login": login, "password": password, "token": token.group(1), "back": back}
    return await office.client.post("/login", data=data)


async def test_who_is_sent_to_the_login_comes_back_to_the_page_they_wanted(office: Office) -> None:
    await account(office)
    office.client.cookies.clear()
    sent = await office.client.get("/roster?place=1&q=a", headers=PAGE)
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?back=/roster%3Fplace%3D1%26q%3Da")
    page = await office.client.get(sent.headers["location"])
    assert 'name="back" value="/roster?place=1&amp;q=a"' in page.text
    entered = await log_in(office, back="/roster?place=1")
    assert (entered.status_code, entered.headers["location"]) == (303, "/roster?place=1")
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "李老师" in (await office.client.get("/")).text
    for evil in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert (await log_in(office, back=evil)).headers["location"] == "/"


async def test_a_planted_session_is_nobody_s_and_each_login_has_a_new_one(office: Office) -> None:
    await account(office)
    office.client.cookies.clear()
    office.client.cookies.set("wenan_session", "planted", domain="127.0.0.1")
    assert (await office.client.get("/", headers=PAGE)).status_code == 303
    await log_in(office)
    first = office.client.cookies["wenan_session"]
    assert first != "planted"
    await log_in(office)
    second = office.client.cookies["wenan_session"]
    assert second != first
    office.client.cookies.set("wenan_session", first, domain="127.0.0.1")
    assert (await office.client.get("/", headers=PAGE)).status_code == 303, "the one before ended with the new login"


async def test_logging_out_ends_the_session_for_good(office: Office) -> None:
    await account(office)
    await log_in(office)
    cookie = office.client.cookies["wenan_session"]
    assert (await office.client.post("/logout")).status_code == 403, "not without the form's token"
    assert (await office.send("/logout")).headers["location"] == "/login"
    office.client.cookies.set("wenan_session", cookie, domain="127.0.0.1")
    assert (await office.client.get("/", headers=PAGE)).status_code == 303


async def test_a_one_time_password_opens_nothing_but_the_choice_of_ones_own(office: Office) -> None:
    first = one_time()
    await account(office, password=first, one_time=True)
    office.client.cookies.clear()
    assert (await log_in(office, password=first)).status_code == 303
    for path in ("/", "/roster", "/live", "/sheet"):
        assert (await office.client.get(path, headers=PAGE)).headers["location"] == "/password"
    page = (await office.client.get("/password")).text
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token
    good = {"token": token.group(1), "now": first, "new": "七月的雨落在老屋瓦上", "again": "七月的雨落在老屋瓦上"}
    for wrong, says in (
        ({"now": "nonsense here"}, "现在的密码不对"),
        ({"again": "七月的雨落在老屋瓦下"}, "不一样"),
        ({"new": "1234567890", "again": "1234567890"}, "太好猜"),
        ({"new": first, "again": first}, "要和现在的不一样"),
    ):
        refused = await office.client.post("/password", data=good | wrong)
        assert (refused.status_code, says in refused.text) == (422, True), says
    before = office.client.cookies["wenan_session"]
    assert (await office.client.post("/password", data=good)).headers["location"] == "/"
    assert office.client.cookies["wenan_session"] != before
    assert (await office.client.get("/")).status_code == 200
    assert (await log_in(office, password=first)).status_code == 422
    assert (await log_in(office, password="七月的雨落在老屋瓦上")).status_code == 303


async def test_the_owner_of_the_first_account_says_who_they_are(office: Office) -> None:
    door = office.deps.door
    with office.world.db.write() as session:
        for one in session.scalars(select(Account)):
            accounts.end_all(session, one)
            session.query(AccountEvent).filter_by(account_id=one.id).delete()
            session.delete(one)
    first = await door.first_password()
    await log_in(office, "admin", first)
    page = (await office.client.get("/password")).text
    assert 'name="name"' in page
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token
    new = {"token": token.group(1), "now": first, "new": "seven old houses", "again": "seven old houses"}
    assert (await office.client.post("/password", data=new | {"name": "line"})).status_code == 422
    assert (await office.client.post("/password", data=new | {"name": "陈站长"})).status_code == 303
    assert "陈站长" in (await office.client.get("/")).text


async def test_a_void_one_time_password_says_so_only_to_who_has_it(office: Office) -> None:
    first = one_time()
    await account(office, password=first, one_time=True)
    office.world.clock.advance(minutes=7 * 24 * 60)
    assert "已过期" in (await log_in(office, password=first)).text
    assert "账号或密码不对" in (await log_in(office, password="another one")).text


async def test_wrong_ones_wait_and_say_nothing_of_which_accounts_there_are(office: Office) -> None:
    await account(office)
    office.client.cookies.clear()
    said = [(await log_in(office, who, "wrong password")).text for who in ("li", "nobody")]
    strip = re.compile(r'value="[^"]*"')
    assert strip.sub("", said[0]) == strip.sub("", said[1])
    for _ in range(FREE - 1):
        await log_in(office, "LI ", "wrong password")
    waiting = await log_in(office)
    assert (waiting.status_code, "1 分钟后再试" in waiting.text) == (429, True), "the right one, too"
    office.world.clock.advance(minutes=1)
    assert (await log_in(office)).status_code == 303
    with office.world.db.read() as session:
        events = [one.what for one in session.scalars(select(AccountEvent).order_by(AccountEvent.id))]
    assert events.count("refused") == FREE
    with office.world.db.write() as session:
        accounts.lock(session, "li", "站长", office.world.clock.now())
    assert (await office.client.get("/", headers=PAGE)).status_code == 303, "out at the next step"
    assert "账号或密码不对" in (await log_in(office)).text


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}])
async def test_a_login_from_elsewhere_or_without_its_page_is_refused(office: Office, headers: dict[str, str]) -> None:
    await account(office)
    office.client.cookies.clear()
    data = {"login": "li", "password": "correct horse", "token": "x"}
    assert (await office.client.post("/login", data=data)).status_code == 403
    await office.client.get("/login")
    assert (await office.client.post("/login", data=data)).status_code == 403
    token = re.search(r'name="token" value="([^"]+)"', (await office.client.get("/login")).text)
    assert token
    foreign = await office.client.post("/login", data=data | {"token": token.group(1)}, headers=headers)
    assert foreign.status_code == 403
    long = await office.client.post("/login", data=data | {"password": "x" * 70_000})
    assert long.status_code == 413
    assert (await office.client.get("/", headers=PAGE)).status_code == 303


# ── while logged in ───────────────────────────────────────────────────────────────────────────────


async def test_a_form_needs_the_token_of_the_very_session_that_sends_it(office: Office) -> None:
    elder = office.world.elder()
    await office.world.to("08:00")
    await office.world.ends(elder, "silent", "none")
    path, others = f"/case/{office.case(elder)}/take-over", await office.token()
    office.log_in("李老师")
    for token in ("", "x", others):
        assert (await office.client.post(path, data={"token": token})).status_code == 403
        assert (await office.client.post(path, headers={"X-CSRF-Token": token or "x"})).status_code == 403
    assert office.world.row(elder).owner is None
    by_htmx = await office.client.post(path, headers={"X-CSRF-Token": await office.token()})
    assert (by_htmx.status_code, office.world.row(elder).owner) == (303, "李老师")


async def test_who_acts_is_the_account_whatever_a_form_says(office: Office) -> None:
    elder = office.world.elder()
    await office.world.to("08:00")
    await office.world.ends(elder, "silent", "none")
    shown = await office.shown(f"/case/{office.case(elder)}")
    data = {"token": await office.token(), "by": "别人", "finding": "都好", **shown}
    await office.client.post(f"/case/{office.case(elder)}/close", data=data)
    assert office.world.row(elder).closed_by == "周老师"


async def test_a_page_that_only_renews_itself_does_not_keep_anybody_logged_in(office: Office) -> None:
    office.log_in(lasts=timedelta())
    background = {"X-Background": "1", "HX-Request": "true"}
    for _ in range(4):
        office.world.clock.advance(minutes=31)
        answer = await office.client.get("/shell", headers=background)
    assert answer.status_code == 401
    assert "hx-redirect" not in answer.headers, "what somebody is typing stays"
    gone = await office.client.get("/", headers={"HX-Request": "true", "HX-Current-URL": f"{HERE}/case/7?x=1"})
    assert (gone.status_code, gone.headers["hx-redirect"]) == (401, "/login?back=/case/7")
    office.log_in(lasts=timedelta())
    for _ in range(8):
        office.world.clock.advance(minutes=85)
        assert (await office.client.get("/")).status_code == 200
    office.world.clock.advance(minutes=85)
    assert (await office.client.get("/", headers=PAGE)).status_code == 303, "a working day is over"


async def test_a_stream_ends_when_its_account_is_locked(office: Office) -> None:
    who = office.deps.door
    visitor = await who._find(office.client.cookies["wenan_session"])
    assert visitor is not None
    assert await who.still(visitor, READ)
    with office.world.db.write() as session:
        accounts.lock(session, visitor.login, "站长", office.world.clock.now())
    assert not await who.still(visitor, READ)


async def test_without_a_database_nobody_is_let_in_and_the_page_says_why(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(_look: object) -> None:
        raise OSError("no database")

    for way in ("view", "browse"):
        monkeypatch.setattr(office.world.db, way, gone)
    answer = await office.client.get("/", headers=PAGE)
    assert (answer.status_code, "数据库" in answer.text) == (503, True)


async def test_a_name_that_is_a_script_is_shown_as_text(office: Office) -> None:
    office.log_in(NASTY)
    page = (await office.client.get("/")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    wrong = await log_in(office, login=NASTY)
    assert "<script>alert" not in wrong.text


# ── through a proxy ───────────────────────────────────────────────────────────────────────────────


async def test_behind_tls_cookies_are_secure_and_each_address_waits_for_itself(office: Office) -> None:
    door = cheap_door(office.world.db, office.world.clock, "https://console.example.org")
    app = FastAPI(redirect_slashes=False)
    app.include_router(routes(replace(office.deps, door=door)))
    await account(office)
    headers = {"x-forwarded-for": "6.6.6.6, 10.0.0.9", "x-forwarded-proto": "https"}
    transport, base = httpx.ASGITransport(app), "https://console.example.org"
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as client:
        outside = replace_client(office, client)
        for _ in range(FREE):
            await log_in(outside, password="wrong password")
        assert (await log_in(outside)).status_code == 429
        client.headers["x-forwarded-for"] = "10.0.0.9, 10.0.0.8"
        wrong = [("x-forwarded-for", "6.6.6.7"), ("x-forwarded-for", "10.0.0.9")]
        asked = client.build_request("GET", "/login", headers=wrong)
        assert door.address(Request(scope_of(asked))) == "10.0.0.9", "a proxy may add a line of its own"
        entered = await log_in(outside)
        assert entered.status_code == 303, "a colleague's address is another one, whatever was written before it"
        cookie = next(one for one in entered.headers.get_list("set-cookie") if "session" in one)
        for word in ("__Host-wenan_session=", "Secure", "HttpOnly", "Path=/"):
            assert word in cookie
        page = await client.get("/")
        assert (page.status_code, "max-age" in page.headers["strict-transport-security"]) == (200, True)
        assert (await client.get("/healthz")).status_code == 403, "on this machine only"
        assert (await client.get("/", headers={"host": "evil.example"})).status_code == 403
    assert (await office.client.get("/", headers={"x-forwarded-for": "1.2.3.4"})).status_code == 403


def scope_of(request: httpx.Request) -> dict[str, object]:
    return {"type": "http", "headers": [(name.lower(), value) for name, value in request.headers.raw]}


def replace_client(office: Office, client: httpx.AsyncClient) -> Office:
    return Office(office.world, office.folder, client, office.recordings, office.deps, office.pages)


# ── pieces of recordings ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", None),
        ("bytes=0-9", (0, 10)),
        ("bytes=90-", (90, 100)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=9-3", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-9", None),
        ("bytes=٣-٤", None),
    ],
)
def test_what_a_player_asks_for(header: str, wanted: tuple[int, int] | None) -> None:
    assert span(header, 100) == wanted


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=999-1000", "bytes=-0"])
def test_what_lies_behind_the_end(header: str) -> None:
    with pytest.raises(UnsatisfiableError):
        span(header, 100)


async def test_a_recording_comes_in_pieces_and_is_one_listening(office: Office) -> None:
    elder = office.world.elder()
    await office.world.to("08:00")
    address = f"/recording/{office.case(elder)}/{await office.not_well(elder)}"
    whole = await office.client.get(address)
    piece = await office.client.get(address, headers={"range": "bytes=44-143"})
    assert (piece.status_code, piece.content) == (206, whole.content[44:144])
    assert piece.headers["content-range"] == f"bytes 44-143/{len(whole.content)}"
    beyond = await office.client.get(address, headers={"range": f"bytes={len(whole.content)}-"})
    assert (beyond.status_code, beyond.content) == (416, b"")
    page = (await office.client.get(f"/case/{office.case(elder)}")).text
    assert page.count("听了录音") == 1
    office.client.cookies.clear()
    assert (await office.client.get(address)).status_code == 401
