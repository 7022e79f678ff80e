"""What a browser gets where something broke."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse

from console import error_pages
from console.guard import PageError

BROWSER = {"accept": "text/html,application/xhtml+xml"}


def _page(error: PageError) -> HTMLResponse:
    return HTMLResponse(f"{error.zh} {error}", error.status)


@pytest.fixture
def web() -> FastAPI:
    web = FastAPI()
    error_pages.add(web, _page)

    @web.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError

    @web.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418)

    return web


async def ask(web: FastAPI, path: str, headers: dict[str, str]) -> httpx.Response:
    transport = httpx.ASGITransport(app=web, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.get(path, headers=headers)


async def test_what_broke_is_said_on_a_page(web: FastAPI) -> None:
    answer = await ask(web, "/broken", BROWSER)
    assert (answer.status_code, "出错了" in answer.text) == (500, True)
    assert answer.headers["cache-control"] == "no-store"
    assert (await ask(web, "/broken", {})).text == "Internal Server Error"


async def test_an_error_that_nobody_gave_words_has_a_page_all_the_same(web: FastAPI) -> None:
    answer = await ask(web, "/teapot", BROWSER)
    assert (answer.status_code, "打不开" in answer.text) == (418, True)
