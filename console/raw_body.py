"""Reads what a page sends as it is (a sound, a table), within the bytes that the table of accounts allows its route."""

from __future__ import annotations

import asyncio

from fastapi import Request
from starlette.requests import ClientDisconnect

from console.access import access
from console.door import TOO_LONG, TOO_SLOW

WITHIN_S = 120.0  # 32 MB at 2 Mbit/s


async def raw_body(request: Request) -> bytes:
    """PageError when it is too long, or takes too long."""
    most = access(request.method, request.scope["route"].path).body
    try:
        return await asyncio.wait_for(_read(request, most), WITHIN_S)
    except (TimeoutError, ClientDisconnect):
        raise TOO_SLOW from None


async def _read(request: Request, most: int) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise TOO_LONG
    return bytes(body)
