"""Who would use the API without a right to: what a token that was revoked gets, what stands in the logs."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from console import tokens
from console.api import gate
from serving import listen, serve
from tests.e2e.office import Office, open_office
from tests.e2e.test_api import API, Program, told
from tests.fakes.tokens import PROGRAM


async def test_a_revoked_token_is_not_even_told_what_it_was_answered(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        office.client.cookies.clear()
        world, program = office.world, Program(office)
        body = {"neighbourhood": world.place_id, "text": "明天停水", "until": "2026-03-05T00:00:00+08:00"}
        assert (await program.post("/notices", "k-1", **body)).status_code == 200
        other = told(await program.post("/notices/1/withdraw", "k-1"), 422)
        assert "幂等键" in other["detail_zh"]
        with world.db.write() as session:
            tokens.revoke(session, tokens.by_name(session, PROGRAM).id, "主任", world.clock.now())
        told(await program.post("/notices", "k-1", **body), 401)


async def test_no_token_stands_in_the_logs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_office(tmp_path) as office:
        office.client.cookies.clear()
        program = Program(office)
        wrong = Program(office, name="另一个")
        wrong.token = "wenan_" + "x" * 43
        for one in (program, wrong):
            await one.get("/cases")
            await one.get("/cases", params={"access_token": "y"})
            await one.post("/items/1/done", "k-1")
            await one.ask("POST", "/items/1/done", content=b"\xff{", headers={"Content-Type": "application/json"})
        said = caplog.text + "".join(str(record.args) for record in caplog.records)
    assert program.token not in said
    assert wrong.token not in said


async def test_whoever_has_no_token_is_answered_before_a_body_comes(tmp_path: Path) -> None:
    """Who sends drop by drop holds nothing but a socket."""
    async with open_office(tmp_path) as office:
        assert (await _begun(office, "")).startswith(b"HTTP/1.1 401")


async def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BODY_S", 0.2)
    async with open_office(tmp_path) as office:
        token = Program(office).token
        assert (await _begun(office, f"Authorization: Bearer {token}\r\n")).startswith(b"HTTP/1.1 408")


async def _begun(office: Office, header: str) -> bytes:
    """The answer's first line to one byte of 60,000."""
    with listen(0) as listener:
        port = listener.getsockname()[1]
        async with serve(office.app, listener, 6), asyncio.timeout(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = f"POST {API}/items/1/done HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 60000\r\n"
            writer.write(f"{head}{header}Content-Type: application/json\r\n\r\n{{".encode())
            status = await reader.readline()
            writer.close()
    return status
