"""Several replicas on one PostgreSQL: three real processes, one trunk that counts the calls that are on it at once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import update

from checkins import alarms
from checkins.alarm_bell import Bell
from checkins.alarm_calls import SECOND, Caller
from checkins.alarms import Kind
from checkins.claims import Trunk, claim
from checkins.handing_over import Switchboard
from checkins.pace import count_alone
from checkins.ports import AlarmMessage
from checkins.results import Status
from checkins.roster import edits
from checkins.roster.values import Rotation
from checkins.tables import Checkin
from tests.fakes import postgres
from tests.unit.checkins.street import CHEN, Street
from tests.unit.checkins.world import World

REPLICAS, ELDERS, ROUTINE = ("one", "two", "three"), 90, 4
WITHIN_S = 60.0


@dataclass
class FakeTrunk:
    """Calls last for some hundredths of a second; the news of each goes to whichever replica asks first but, as long as
    others live, never to the one that placed it."""

    until: int
    placed: list[dict[str, Any]] = field(default_factory=list)
    up: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)  # by id: until when
    most: int = 0
    told: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def order(self, call: dict[str, Any]) -> None:
        with self._lock:
            self.placed.append(call)
            self.up[call["id"]] = (time.monotonic() + 0.02 + 0.01 * (len(self.placed) % 5), call)
            self.most = max(self.most, len(self.up))

    def news(self, by: str) -> dict[str, Any]:
        with self._lock:
            ended = [call for until, call in self.up.values() if until <= time.monotonic() and call["by"] != by]
            for call in ended:
                del self.up[call["id"]]
            self.told += len(ended)
            return {"ended": ended, "over": self.told >= self.until}


@contextmanager
def served(trunk: FakeTrunk) -> Iterator[int]:
    """Its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            trunk.order(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer({})

        def do_GET(self) -> None:
            self._answer(trunk.news(parse_qs(urlsplit(self.path).query)["by"][0]))

        def _answer(self, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def shared(postgres_server: str, postgres_tables: str) -> Iterator[World]:
    with postgres.database(postgres_server, postgres_tables) as url, World(url) as world:
        yield world


async def test_three_processes_never_place_one_call_more_than_the_trunk_has(shared: World) -> None:
    world = shared
    elders = [world.elder(number=f"+86211000{nth:04d}") for nth in range(ELDERS)]
    await world.cycle.plan()
    world.clock.advance_to(world.at("10:30"))
    with world.db.write() as session:
        session.execute(update(Checkin).values(due_at=world.clock.now()))
    trunk = FakeTrunk(until=ELDERS)
    with served(trunk) as port:
        words = [world.url, str(port)]
        epoch = str(world.clock.now().timestamp())
        command = [sys.executable, "-m", "tests.fakes.replica"]
        running = [
            subprocess.Popen([*command, *words, name, epoch], stderr=subprocess.PIPE, text=True) for name in REPLICAS
        ]
        try:
            ends = [process.communicate(timeout=WITHIN_S)[1] for process in running]
        finally:
            for process in running:
                process.kill()
    assert [process.returncode for process in running] == [0, 0, 0], ends
    assert trunk.most == ROUTINE, "every line was used, and never one more"
    assert sorted(elder for call in trunk.placed for elder in call["elders"]) == sorted(elders), "each was rung once"
    assert {call["by"] for call in trunk.placed} == set(REPLICAS)
    assert {world.row(elder).status for elder in elders} == {Status.CLOSED}


async def test_a_hand_over_waits_for_another_replica_that_takes_the_last_line(shared: World) -> None:
    street = Street.of(shared)
    elder, other = street.elder(slot=540), street.elder("张秀英", slot=541, spoken_name="张阿婆")
    await shared.to("09:00")
    call = shared.last_call(elder)
    shared.clock.advance(minutes=1)
    board = Switchboard(shared.db, shared.clock, lines=2, owner="two")
    with shared.db.write() as session:
        taken = claim(session, shared.clock.now(), "one", Trunk(2, 100.0))
        asking = asyncio.create_task(board.whom(call.id, elder, 1))
        await asyncio.wait([asking], timeout=0.3)
        assert not asking.done()
    assert [callee.id for request in taken.requests for callee in request.callees] == [other]
    assert await asking is None


def on_duty(world: World) -> None:
    street = Street.of(world)
    with world.db.write() as session:
        rotation = Rotation((street.ids[CHEN],), anchor=world.clock.now().date())
        edits.set_rotation(session, world.place_id, rotation, "书记", world.clock.now())
        alarms.raise_alarm(session, Kind.TEST, "演练。", world.clock.now())


class Mail:
    def __init__(self) -> None:
        self.name = "mail"
        self.told: list[AlarmMessage] = []

    async def tell(self, message: AlarmMessage) -> None:
        self.told.append(message)


async def test_an_alarm_is_told_once_whoever_looks_at_the_same_moment(
    shared: World, caplog: pytest.LogCaptureFixture
) -> None:
    on_duty(shared)
    mail = Mail()
    bells = [Bell(shared.db, shared.clock, [mail], shared.placer, Caller(name, lines=6)) for name in REPLICAS]
    with shared.db.write() as session:
        count_alone(session)
        looking = asyncio.gather(*(bell.look() for bell in bells))
        await asyncio.wait([looking], timeout=0.3)
        assert not mail.told
    await looking
    assert len(mail.told) == 1
    assert [request.number for request in shared.placer.requests] == [CHEN]
    caplog.clear()


@pytest.mark.parametrize("second", [False, True])
async def test_an_alarm_takes_no_line_that_the_trunk_has_not(
    any_world: World, caplog: pytest.LogCaptureFixture, second: bool
) -> None:
    world = any_world
    on_duty(world)
    for _ in range(4):
        world.elder(slot=480)
    assert (await world.to("08:00")).placed == 4
    bell = Bell(world.db, world.clock, [], world.placer, Caller("bell", second, lines=4))
    await bell.look()
    rung = [request.trunk for request in world.placer.requests if request.flow == "line_alarm"]
    assert rung == ([SECOND] if second else [])
    await world.ends(world.placer.requests[0].callees[0].id, "well")
    world.clock.advance_to(world.clock.now() + timedelta(seconds=1))
    await bell.look()
    assert sum(request.flow == "line_alarm" for request in world.placer.requests) == 1
    caplog.clear()
