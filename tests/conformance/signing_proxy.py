"""Lets a foreign Media Streams caller that signs nothing reach a server that wants signatures.

It takes a plain WebSocket, opens one to the server with X-Twilio-Signature over the server's public address, and
passes messages both ways unchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from ivr.virtual.signature import sign
from ivr.virtual.stream import open_socket


@asynccontextmanager
async def signing_proxy(url: str, token: str, *, listens_at: str = "") -> AsyncIterator[str]:
    """The address to call instead of `url` (the public one, which is signed); `listens_at` is where it really is."""

    async def handle(caller: ServerConnection) -> None:
        server = await open_socket(listens_at or url, sign(token, url))
        await asyncio.gather(_pass(caller, server), _pass(server, caller))

    async with serve(handle, "127.0.0.1", 0, compression=None) as proxy:
        port = next(iter(proxy.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


async def _pass(source: ServerConnection | ClientConnection, sink: ServerConnection | ClientConnection) -> None:
    try:
        async for message in source:
            await sink.send(message)
    except ConnectionClosed:
        pass
    finally:
        await sink.close()
