"""The carrier's end of one Media Streams connection."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from .line import Heard, Line
from .stream_messages import Clear, Mark, Media, StreamError, StreamMessages

HANDSHAKE_S = 5.0
ANSWER_S = 60.0  # lockstep: longest wait for the frame that answers ours (recognition may run meanwhile)


class HandshakeError(Exception):
    """The application refused or did not answer the WebSocket handshake (Twilio error 31920)."""


async def open_socket(url: str, signature: str) -> ClientConnection:
    """The connection to the application's media address; HandshakeError otherwise."""
    header = {"X-Twilio-Signature": signature}
    try:
        return await connect(
            url,
            additional_headers=header,
            user_agent_header="Twilio.TmeWs/1.0",
            compression=None,
            open_timeout=HANDSHAKE_S,
            close_timeout=2,
            max_size=2**20,
            max_queue=None,
            proxy=None,
        )
    except (OSError, InvalidHandshake, InvalidMessage, TimeoutError) as error:
        raise HandshakeError(str(error)) from error


class StreamSession:
    """Joins a line to an open socket until one side ends it.

    Wall pace: the application's messages are taken as they come. Lockstep: after each frame of ours the application's
    frame for that tick is awaited, so neither side runs ahead and no time passes while the application thinks.
    """

    def __init__(
        self, socket: ClientConnection, line: Line, messages: StreamMessages, *, answer_s: float = ANSWER_S
    ) -> None:
        self._socket = socket
        self._line = line
        self._messages = messages
        self._answer_s = answer_s
        self._to_send: list[str] = []
        self._violation: StreamError | None = None

    async def run(self) -> bool:
        """True when the application closed the stream (the call goes on), False when the callee is gone.

        StreamError when the application broke the protocol; the socket is closed in every case.
        """
        reader: asyncio.Task[None] | None = None
        try:
            await self._socket.send(self._messages.connected())
            await self._socket.send(self._messages.start())
            if not self._line.pace.lockstep:
                reader = asyncio.create_task(self._read())
            self._line.pace.begin()
            return await self._pass_frames()
        except ConnectionClosed:
            if self._violation is not None:
                raise self._violation from None
            return True
        finally:
            if reader is not None:
                reader.cancel()
                with suppress(asyncio.CancelledError):
                    await reader
            await self._socket.close()

    async def _pass_frames(self) -> bool:
        while True:
            heard = await self._line.step()
            if heard.hung_up:
                await self._socket.send(self._messages.stop())
                return False
            await self._report(heard)
            if self._line.pace.lockstep:
                await self._answer()

    async def _report(self, heard: Heard) -> None:
        pending, self._to_send = self._to_send, []
        for text in pending:
            await self._socket.send(text)
        for mark in heard.marks:
            await self._socket.send(self._messages.mark(mark))
        for key in heard.keys:
            await self._socket.send(self._messages.dtmf(key))
        await self._socket.send(self._messages.media(heard.audio))

    async def _answer(self) -> None:
        try:
            async with asyncio.timeout(self._answer_s):
                while not self._take(await self._socket.recv()):
                    pass
        except TimeoutError:
            raise StreamError(f"no frame within {self._answer_s:g} s of ours") from None

    async def _read(self) -> None:
        try:
            async for raw in self._socket:
                self._take(raw)
        except ConnectionClosed:
            return
        except StreamError as violation:
            self._violation = violation
            await self._socket.close(1003)

    def _take(self, raw: str | bytes) -> bool:
        """Handles one message; whether it was audio."""
        message = self._messages.read(raw)
        if isinstance(message, Media):
            self._line.playout.push(message.audio)
        elif isinstance(message, Mark):
            self._line.playout.mark(message.name)
        elif isinstance(message, Clear):
            # Sequence numbers are given when sent, so only the names wait here.
            self._to_send += [self._messages.mark(name) for name in self._line.clear()]
        return isinstance(message, Media)
