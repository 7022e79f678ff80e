"""The house's door: webhooks, media and console on 127.0.0.1, and what is refused there."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI

from settings import SettingsError

MAX_MESSAGE_BYTES = 64 * 1024  # of a WebSocket


@contextmanager
def listen(port: int) -> Iterator[socket.socket]:
    """0: any free one. SettingsError for a port that can't be had."""
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise SettingsError(
            f"port {port} can't be had ({error.strerror}): another program has it. Choose another port: WENAN_PORT"
        ) from None
    with listener:
        yield listener


class _Server(uvicorn.Server):
    """Signals are the command line's business."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve(app: FastAPI, listener: socket.socket, lines: int) -> AsyncIterator[None]:
    """While the context is open, once the first request would be answered."""
    config = uvicorn.Config(
        app,
        log_config=None,
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=max(500, 4 * lines + 200),  # a call has a stream and a few requests; others get 503
        timeout_graceful_shutdown=3,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        if serving.done():
            serving.result()
        await asyncio.sleep(0.005)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def settle() -> None:
    """What is there once the line is up stays: looking through all of it for garbage, again and again, would stop every
    call for a fifth of a second."""
    gc.collect()
    gc.freeze()
