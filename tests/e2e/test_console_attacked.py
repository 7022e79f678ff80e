"""What whoever means harm sends to the console: broken addresses in headers, forms that never end, sounds that lie."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from checkins import alarms
from console import door
from console.roles import Role
from tests.e2e.office import Office, open_office

BROKEN = ("http://[", "//[", "http://[::1", "http://a\u2100b")  # what no library takes apart


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        office.log_in(role=Role.SUPERVISOR)
        yield office


@pytest.mark.parametrize("broken", BROKEN)
async def test_an_address_that_is_none_is_refused_wherever_it_stands(office: Office, broken: str) -> None:
    header = broken.encode("utf-8")
    foreign = await office.client.post(
        "/items/1/done", headers={"origin": header, "x-csrf-token": await office.token()}
    )
    assert (foreign.status_code, "不是从本页发出" in foreign.text) == (403, True)
    with office.world.db.write() as session:
        alarms.raise_alarm(session, "line_down", "电话打不出去", office.world.clock.now())
    known = await office.send("/alarms/1/acknowledge", back=broken)
    assert (known.status_code, known.headers["location"]) == (303, "/")
    office.client.cookies.clear()
    sent = await office.client.get("/", headers={"hx-request": "true", "hx-current-url": header})
    assert sent.headers["hx-redirect"] == "/login?back=/"
    assert (await office.client.post("/login", headers={"origin": header})).status_code == 403


async def test_a_form_that_comes_too_slowly_or_breaks_off_is_let_go(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "FORM_S", 0.05)
    headers = {"content-type": "application/x-www-form-urlencoded", "content-length": "1000"}

    async def drips() -> AsyncIterator[bytes]:
        yield b"login=li"
        await asyncio.Event().wait()

    for path in ("/login", "/items/1/done"):
        answer = await asyncio.wait_for(office.client.post(path, content=drips(), headers=headers), 5)
        assert (answer.status_code, "太慢或中断" in answer.text) == (408, True), path


async def test_a_sound_whose_header_lies_is_no_recording(office: Office) -> None:
    raw = io.BytesIO()
    with wave.open(raw, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes(b"\x01\x02" * 8000)
    headers = {"content-type": "audio/wav", "x-csrf-token": await office.token()}
    for at, lie in (
        (4, b"\x24\0\0\0"),
        (4, b"\0\0\0\0"),
        (16, b"\x3d\x1f\0\0"),
        (16, b"\xff\xff\xff\xff"),
        (40, b"\xff" * 4),
    ):
        lying = raw.getvalue()[:at] + lie + raw.getvalue()[at + len(lie) :]
        answer = await office.client.post("/sounds", content=lying, headers=headers)
        assert (answer.status_code, answer.json()["id"]) == (422, ""), (at, lie)
