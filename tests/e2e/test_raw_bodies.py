"""What a page sends as it is: how much of it, with which token, and what a form may still not be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response

from console import access
from console.guard import PageError
from console.guarded import guarded
from console.raw_body import raw_body
from tests.e2e.office import HERE, Office, open_office

MOST = 100_000
PATH = "/table/{name}"


class Tables:
    """A browser, and an address to which a page of its sends tables."""

    def __init__(self, office: Office, client: httpx.AsyncClient) -> None:
        self.token, self._client = office.token, client

    async def send(self, body: str | bytes | AsyncIterator[bytes], **headers: str) -> httpx.Response:
        return await self._client.post("/table/a", content=body, headers=headers)


@pytest.fixture
async def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tables]:
    rows = {**access.ROUTES, f"POST {PATH}": access.Access(access.KEEP.roles, body=MOST)}
    monkeypatch.setattr(access, "ROUTES", rows)
    async with open_office(tmp_path) as office:
        router = APIRouter(route_class=guarded(shown, office.deps.door))

        @router.post(PATH)
        async def table(request: Request) -> Response:
            return Response(str(len(await raw_body(request))))

        app = FastAPI()
        app.include_router(router)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=HERE, cookies=office.client.cookies) as client:
            yield Tables(office, client)


def shown(error: PageError) -> Response:
    return Response(error.zh, error.status)


async def test_what_is_sent_raw_arrives_whole_up_to_its_length(tables: Tables) -> None:
    token = {"x-csrf-token": await tables.token()}
    assert (await tables.send(b"x" * MOST, **token)).text == str(MOST)
    assert (await tables.send(b"x" * (MOST + 1), **token)).status_code == 413


async def test_it_needs_a_length_that_is_true(tables: Tables) -> None:
    token = {"x-csrf-token": await tables.token()}

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * MOST

    assert (await tables.send(pieces(), **token)).status_code == 413
    both = await tables.send(pieces(), **token, **{"content-length": "3", "transfer-encoding": "chunked"})
    assert both.status_code == 413
    assert (await tables.send(pieces(), **token, **{"content-length": "3"})).status_code == 413


async def test_the_token_comes_in_a_header_alone(tables: Tables) -> None:
    token = await tables.token()
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await tables.send(f"token={token}", **form)).status_code == 403
    assert (await tables.send(f"token={token}", **form, **{"x-csrf-token": token})).status_code == 200
