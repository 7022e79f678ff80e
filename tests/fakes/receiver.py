"""Another program that takes messages: a real HTTP server on this machine, as rude as a test wants it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Receiver:
    """`answer`: what it writes after each request; b"" hangs, None goes away without a word. `endless`: and then on and
    on. `drops`: one byte of it every 50 ms."""

    url: str = ""
    answer: bytes | None = b"HTTP/1.1 204 No Content\r\n\r\n"
    endless: bool = False
    drops: bool = False
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    written: int = 0

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.taken]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._take(reader, writer)
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:] if line}
        headers["path"] = head[0].split(" ")[1]
        self.taken.append((headers, await reader.readexactly(int(headers.get("content-length", "0")))))
        await self._write(writer)
        if self.answer == b"":
            await reader.read()

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        step = 1 if self.drops else 65_536
        for at in range(0, len(self.answer or b""), step):
            writer.write((self.answer or b"")[at : at + step])
            await writer.drain()
            await asyncio.sleep(0.05 if self.drops else 0)
        while self.endless:
            writer.write(b"x" * 65_536)
            self.written += 65_536
            await writer.drain()


def status(line: str, *more: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {line}", *more, "", ""]).encode()


@asynccontextmanager
async def receiver(port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    made = Receiver()
    tasks: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(made.serve(reader, writer))
        tasks.add(task)

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=tls)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/wenan"
    try:
        yield made
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
