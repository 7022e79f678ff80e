"""Prism (Stoplight) serves Twilio's OpenAPI document or stands between a client and a carrier, checking both."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("WENAN_SHARED", HERE.parents[2] / "shared"))
DOCUMENT = SHARED / "telephony" / "twilio-voice-openapi.json"
_PRISM = HERE / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
READY_S = 60


async def install() -> None:
    """`npm ci` once; skips where node, npm, the document or the registry is absent."""
    if not DOCUMENT.is_file():
        pytest.skip(f"Twilio's OpenAPI document is absent ({DOCUMENT.name}, see WENAN_SHARED)")
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are absent: Prism can't run")
    if _PRISM.is_file():
        return
    command = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional")
    quiet = asyncio.subprocess.DEVNULL
    npm = await asyncio.create_subprocess_exec(*command, cwd=HERE, stdout=quiet, stderr=quiet)
    if await npm.wait() != 0 or not _PRISM.is_file():
        pytest.skip("npm ci failed: Prism is not to be had here")


@asynccontextmanager
async def prism(mode: str, *more: str) -> AsyncIterator[str]:
    """`prism("mock")` or `prism("proxy", upstream)`: the base URL of a running Prism."""
    await install()
    port = _free_port()
    command = ("node", str(_PRISM), mode, "-p", str(port), str(DOCUMENT), *more)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, cwd=HERE, stdout=pipe, stderr=asyncio.subprocess.STDOUT, env={**os.environ, "NO_COLOR": "1"}
    )
    assert process.stdout is not None
    drain: asyncio.Task[bytes] | None = None
    try:
        async with asyncio.timeout(READY_S):
            async for line in process.stdout:
                if b"Prism is listening" in line:
                    break
            else:
                pytest.fail("Prism ended before it listened")
        drain = asyncio.create_task(process.stdout.read())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()
        if drain is not None:
            await drain


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
