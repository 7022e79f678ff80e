"""What no page of ours sends, to every page and form: refused in words, whoever sends it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from fastapi.routing import APIRoute

from console import access, elder_routes, elder_view, roster_routes
from console.door import MAX_FIELDS, MAX_FORM
from console.roles import Role
from tests.e2e.office import Office, open_office

URLENCODED = {"content-type": "application/x-www-form-urlencoded"}
NUL, SURROGATE = "王\0老师".encode(), rb"\ud800"
ODD: Mapping[str, bytes] = {
    "nothing": b"",
    "NUL": NUL,
    "broken UTF-8": b"\xff\xfe\xe7\x8e",
    "half a pair": b"\xed\xa0\x80",
    "a huge number": b"9" * 5000,
    "beyond 64 bits": b"9223372036854775808",
    "below nothing": b"-1",
    "figures of another script": "٣".encode(),
    "long": b"x" * 9000,
    "turned round": "\u202e王".encode(),
    "the first day": b"0001-01-01T00:00",
    "the last day": b"9999-12-31T23:59",
    "no day": b"2026-02-30",
    "no number": b"nan",
}
ODD_PATHS = ("0", "-1", "9223372036854775808", "9" * 5000, "x", "%00", "%ff", "%ED%A0%80", "1%2F..%2F2", "%D9%A3")
ODD_CHARSETS = ("unicode_escape", "undefined", "idna", "hex", "utf-16", "none", "utf-8%00")
NO_ROUTE = '{"detail":"Not Found"}'
LIKELY = {"state": "paused", "until": "2027-01-01", "meant": "1", "begins": "2026-03-05T08:00", "working": "1"}
FIELDS = (*LIKELY, "ends", "person", "instead_of", "elder", "day", "id", "said_by", "how", "on", "found")


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        office.log_in(role=Role.SUPERVISOR)
        yield office


def addresses(office: Office, method: str) -> list[APIRoute]:
    found = [route for route in office.pages if isinstance(route, APIRoute) and method in route.methods]
    assert len(found) > 8
    return [route for route in found if route.path not in ("/logout", "/live")]


def filled(path: str, what: str = "1") -> str:
    return re.sub(r"\{[^}]+\}", what, path)


async def forms(office: Office) -> list[tuple[str, list[str]]]:
    """Addresses where a form is taken, with its fields."""
    elder = office.world.elder()
    await office.world.to("08:00")
    await office.world.ends(elder, "silent", "none")
    found = [
        (filled(route.path), [one.alias for one in route.dependant.body_params])
        for route in addresses(office, "POST")
        if "{what}" not in route.path
        and not route.path.startswith("/api/")
        and not access.access("POST", route.path).body
    ]
    found += [(f"/elder/{elder}/{what}", [*elder_view.FIELDS, *FIELDS]) for what in elder_routes._CHANGES]
    return found + [(f"/roster/1/{what}", list(FIELDS)) for what in roster_routes._CHANGES]


async def refuses(office: Office, method: str, path: str, body: bytes | str, headers: Mapping[str, str]) -> int:
    """In words, and never by a fault of ours."""
    answer = await office.client.request(method, path, content=body, headers=dict(headers))
    assert answer.status_code < 500, (method, path, answer.status_code)
    in_words = re.search("[一-龥]", answer.text) or answer.text == NO_ROUTE
    assert answer.status_code < 400 or in_words, (method, path, answer.text)
    return answer.status_code


@pytest.mark.parametrize("odd", ODD)
async def test_every_field_of_every_form_bears_what_nobody_types(office: Office, odd: str) -> None:
    sent = await forms(office)
    token, value = await office.token(), quote_from_bytes(ODD[odd])
    for path, names in sent:
        for field in names:
            fields = {**LIKELY, "token": token, field: value} if field != "token" else {"token": value}
            body = "&".join(f"{key}={text}" for key, text in fields.items())
            status = await refuses(office, "POST", path, body, URLENCODED)
            assert odd != "NUL" or status in (403, 422), (path, field)


@pytest.mark.parametrize("charset", ODD_CHARSETS)
async def test_no_charset_makes_text_that_is_none(office: Office, charset: str) -> None:
    token = await office.token()
    headers = {"content-type": f"multipart/form-data; boundary=b; charset={charset}", "x-csrf-token": token}
    for path, names in [*await forms(office), ("/login", ["login"])]:
        parts = [f'--b\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n'.encode() for name in names]
        body = b"".join(part + SURROGATE + b"\r\n" for part in parts) + b"--b--\r\n"
        await refuses(office, "POST", path, body, headers)


async def test_a_form_that_is_none_is_refused(office: Office) -> None:
    token = await office.token()
    tokens = f"token={token}"
    multipart = {"content-type": "multipart/form-data; boundary=b"}
    file = b'--b\r\ncontent-disposition: form-data; name="back"; filename="x"\r\n\r\nx\r\n--b--\r\n'
    for path, _ in [*await forms(office), ("/login", [])]:
        for body, headers, status in (
            (tokens + "&x=" + "y" * MAX_FORM, URLENCODED, 413),
            (tokens, {**URLENCODED, "content-length": "9" * 5000}, 413),
            (tokens + "&x=1" * MAX_FIELDS, URLENCODED, 422),
            (file, multipart, 422),
            (b"\xff" * 100, multipart, 422),
            (b"{", {"content-type": "application/json"}, 403),
        ):
            assert await refuses(office, "POST", path, body, headers) == status, (path, headers)
        await refuses(office, "POST", path, "token=x&" + tokens + "&back=/&back=//evil.example", URLENCODED)


async def test_every_address_bears_what_no_link_has(office: Office) -> None:
    csrf = {"x-csrf-token": await office.token()}
    for method in ("GET", "POST"):
        for route in addresses(office, method):
            for what in ODD_PATHS if "{" in route.path else ():
                await refuses(office, method, filled(route.path, what), b"", csrf)
    for route in addresses(office, "GET"):
        for name in [one.alias for one in route.dependant.query_params]:
            for value in ODD.values():
                await refuses(office, "GET", f"{filled(route.path)}?{name}={quote_from_bytes(value)}", b"", {})
    for page in ("00001" + "9" * 30, "00001" + "9" * 5000, "0", "10000"):
        assert await refuses(office, "GET", f"/today/running?page={page}", b"", {}) == 404
