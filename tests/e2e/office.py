"""A console over a small neighbourhood, and the browser on the same machine."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from fastapi import FastAPI
from starlette.routing import BaseRoute

from checkins import auditor
from console import error_pages
from console.deps import Deps
from console.import_desk import ImportDesk
from console.live import Live
from console.pages import Pages
from console.prompt_shelf import Shelf
from console.roles import Role
from console.routes import routes
from console.sounds import Sounds
from ivr.recordings import BYTES_PER_S, Recordings
from ivr.records import Call, CallEvent, Transcript
from speech.prompts import TONE, Prompts
from tests.fakes.accounts import WORKER, cheap_door, log_in
from tests.unit.checkins.world import World

HERE = "http://127.0.0.1:8000"
NASTY = "<script>alert('王')</script>"


@dataclass(frozen=True)
class Ear:
    name: str
    ready: bool
    why: str = ""
    installed: bool = True


class Office:
    """A console over a small neighbourhood, and the browser on the same machine."""

    app: FastAPI

    def __init__(
        self,
        world: World,
        folder: Path,
        client: httpx.AsyncClient,
        recordings: Recordings,
        deps: Deps,
        pages: Sequence[BaseRoute],
    ) -> None:
        self.world, self.folder, self.client, self.recordings = world, folder, client, recordings
        self.deps, self.pages, self.live = deps, pages, deps.live

    async def token(self) -> str:
        found = re.search(r'"X-CSRF-Token": "([^"]+)"', (await self.client.get("/")).text)
        assert found
        return found.group(1)

    async def send(
        self, path: str, headers: dict[str, str] | None = None, /, by: str = "", **form: str
    ) -> httpx.Response:
        """A form, sent by who is logged in, or by a person whose name is given: they are logged in from then on."""
        if by:
            self.log_in(by)
        if "token" not in form:
            form["token"] = await self.token()
        return await self.client.post(path, data=form, headers=headers or {})

    async def shown(self, path: str) -> dict[str, str]:
        """What the forms of a case's page bring back of what stood on it."""
        page = (await self.client.get(path)).text
        return {name: _hidden(page, name) for name in ("seen", "heard")}

    def log_in(self, name: str = WORKER, role: Role = Role.WORKER, lasts: timedelta = timedelta(days=365)) -> None:
        """The browser is this person's from now on, and stays so for stories of many days."""
        log_in(self.world.db, self.client, name, role, self.world.clock.now(), lasts)

    def case(self, elder: str) -> int:
        return self.world.row(elder).checkin_id

    async def not_well(self, elder: str) -> str:
        """The elder's call, with a dictation: its recording's path."""
        call = self.world.last_call(elder)
        now = self.world.clock.now()
        kept = await self.recordings.add(call.id, "unwell", now, b"\xff" * 8000)
        heard = {"text": "头晕", "engine": "whisper", "confidence": 0.82, "certain": True, "recording": kept.path}
        with self.world.db.write() as session:
            session.add(Call(id=call.id, number=call.number, order={}, ordered_at=now, disposition="answered"))
            session.flush()
            for at_ms, kind, detail in (
                (0, "stream", {}),
                (3000, "prompt", {"name": "greet.ask"}),
                (5000, "key", {"node": "greet.ask", "digit": "1"}),
                (9000, "heard", {"text": "不大好", "meaning": "unwell", "engine": "vosk", "confidence": 0.5}),
                (20000, "dictation", {"seconds": 1.0, "by": "silence", **heard}),
            ):
                session.add(CallEvent(call_id=call.id, at=now, kind=kind, at_ms=at_ms, detail=detail))
        await self.world.ends(elder, "not_well", "speech", heard)
        return kept.path

    async def second_pass(self, elder: str, path: str, text: str) -> None:
        call, now = self.world.last_call(elder), self.world.clock.now()
        first = {"live_text": "头晕", "live_engine": "whisper", "live_confidence": 0.82}
        second = {"text": text, "engine": "sherpa", "confidence": 0.91, "finished_at": now}
        with self.world.db.write() as session:
            session.add(Transcript(call_id=call.id, recording=path, language="zh", created_at=now, **first, **second))


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found.group(1)


@asynccontextmanager
async def open_office(folder: Path) -> AsyncIterator[Office]:
    with World(f"sqlite:///{folder}/wenan.db") as world:
        recordings = Recordings(folder / "recordings")
        app = FastAPI(redirect_slashes=False)
        failing: list[str] = []
        prompts = Prompts(cache=folder / "prompts", human=folder / "recorded-prompts")
        deps = Deps(
            db=world.db,
            clock=world.clock,
            ears_status=lambda: [Ear("whisper", True), Ear("vosk", False, "run: models pull vosk", installed=False)],
            recordings_read=recordings.read,
            late=lambda: late(world),
            live=Live(world.db),
            door=cheap_door(world.db, world.clock),
            notes=lambda: ["磁盘快满了"],
            sounds=Sounds(folder / "sounds", recordings.folder, spoken),
            imports=ImportDesk(f"sqlite:///{folder}/wenan.db", world.clock, folder / "imports"),
            shelf=Shelf(folder / "recorded-prompts", prompts),
            failing=lambda: failing,
            line="021 5550 0000",
        )
        router = routes(deps)
        app.include_router(router)
        error_pages.add(app, Pages(deps).error)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            office = Office(world, folder, client, recordings, deps, router.routes)
            office.app = app
            office.log_in()
            yield office
        await deps.imports.close()
        await recordings.close()


async def spoken(text: str) -> bytes:
    """A second for each character, so that a test can tell what was said."""
    return TONE if "念不出" in text else b"\x00" * (len(text) * BYTES_PER_S)


def late(world: World) -> list[auditor.Late]:
    with world.db.read() as session:
        return auditor.late(session, world.clock.now())
