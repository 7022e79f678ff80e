"""A very small application on the other side of a carrier: fixed TwiML and a media server that answers keys.

It exists to test the carriers themselves, apart from the product.
"""

from __future__ import annotations

import base64
import socket
from asyncio import Task, create_task, sleep
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ivr.virtual.acoustics import frames, tone

SILENCE = b"\xff" * 160
PROMPTS = {"greet.ask": frames(tone(440, 0.5)), "health.ask": frames(tone(550, 1.0)), "bye.say": frames(tone(660, 0.2))}
AFTER = {"greet.ask": "health.ask", "health.ask": "bye.say"}  # any key leads on


class TinyApp:
    """`documents`: path → TwiML ("{base}" and "{ws}" are filled in). Every request is kept in `requests`."""

    def __init__(self, documents: dict[str, str], *, files: dict[str, bytes] | None = None) -> None:
        self.documents = documents
        self.files = files or {}
        self.status: dict[str, deque[int]] = {}  # path → status codes of the next answers
        self.requests: list[tuple[str, dict[str, str], str]] = []  # path, form, signature
        self.messages: list[dict[str, Any]] = []  # what came over the WebSocket
        self.signature = ""
        self.speaks: Callable[[Any], list[dict[str, Any]]] | None = None  # replaces the media server's answers
        self.base = ""

    def forms(self, path: str) -> list[dict[str, str]]:
        return [form for where, form, _ in self.requests if where == path]

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[TinyApp]:
        routes = [
            WebSocketRoute("/media", self._media),
            Route("/{path:path}", self._page, methods=["GET", "POST"]),
        ]
        listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off", ws="websockets-sansio")
        server = uvicorn.Server(config)
        serving: Task[None] = create_task(server._serve([listener]))
        while not server.started:
            await sleep(0.005)
        yield self
        server.should_exit = True
        await serving

    async def _page(self, request: Request) -> Response:
        form = {key: str(value) for key, value in (await request.form()).items()}
        path = request.url.path
        self.requests.append((path, form, request.headers.get("x-twilio-signature", "")))
        codes = self.status.get(path)
        if codes:
            code = codes.popleft()
            if code != 200:
                return Response("no", code)
        if path in self.files:
            return Response(self.files[path], media_type="audio/wav")
        body = self.documents.get(path, "<Response/>").replace("{base}", self.base)
        return Response(body.replace("{ws}", "ws" + self.base[4:]), media_type="text/xml")

    async def _media(self, socket: WebSocket) -> None:
        self.signature = socket.headers.get("x-twilio-signature", "")
        await socket.accept()
        server = _MediaServer()
        try:
            while not server.done:
                message = orjson.loads(await socket.receive_text())
                self.messages.append(message)
                for answer in (self.speaks or server.answer)(message):
                    await socket.send_text(answer if isinstance(answer, str) else orjson.dumps(answer).decode())
            await socket.close()
        except WebSocketDisconnect:
            return


class _MediaServer:
    """Lockstep: one frame out per frame in; a prompt ends with its mark; a key clears and leads to the next one."""

    def __init__(self) -> None:
        self.done = False
        self._sid = ""
        self._prompt = ""
        self._queue: deque[dict[str, Any]] = deque()

    def answer(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        match message["event"]:
            case "start":
                self._sid = message["streamSid"]
                self._play("greet.ask")
            case "media":
                return self._tick()
            case "dtmf":
                marks = [message for message in self._queue if message["event"] == "mark"]
                self._queue.clear()
                self._play(AFTER[self._prompt])
                return [*marks, {"event": "clear", "streamSid": self._sid}]
            case "mark":
                self.done = message["mark"]["name"] == "bye.say"
            case "stop":
                self.done = True
        return []

    def _play(self, name: str) -> None:
        self._prompt = name
        self._queue.extend(self._frame(frame) for frame in PROMPTS[name])
        self._queue.append({"event": "mark", "streamSid": self._sid, "mark": {"name": name}})

    def _tick(self) -> list[dict[str, Any]]:
        if not self._queue:
            return [self._frame(SILENCE)]
        out = [self._queue.popleft()]
        if self._queue and self._queue[0]["event"] == "mark":
            out.append(self._queue.popleft())
        return out if out[0]["event"] == "media" else [*out, self._frame(SILENCE)]

    def _frame(self, frame: bytes) -> dict[str, Any]:
        payload = base64.b64encode(frame).decode()
        return {"event": "media", "streamSid": self._sid, "media": {"payload": payload}}
