"""A small town whose line runs in a thread of its own, for tests that look at it through a browser."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from checkins.people import add_person
from checkins.people_csv import CONSENTS
from checkins.schedule import at_minute, local_date
from checkins.tables import Neighbourhood
from demo.clock import JumpClock
from house import House, open_house
from settings import Settings
from speech.ears import Ears
from tests.fakes.ears import ScriptedRecogniser

ZONE = "Asia/Shanghai"
COMMITTEE = "槐荫里居委会"  # in the prompt pack
PATIENCE_S = 60.0  # nothing here takes so long

T = TypeVar("T")


class Town:
    """`url`: of the console; `ear`: what is understood of what is said (recognisers take their time on a busy machine,
    and hear recorded voices in tests of their own). Everything else is done in the line's own thread."""

    def __init__(self, house: House, loop: asyncio.AbstractEventLoop, place_id: int, ear: ScriptedRecogniser) -> None:
        self.house, self.place_id, self.url, self.ear = house, place_id, house.base_url, ear
        self._loop = loop
        self._people = 0
        self.over = asyncio.Event()

    async def close(self) -> None:
        self.over.set()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def look(self, what: Callable[[Session], T]) -> T:
        return self.do(self.house.db.view(what))

    def write(self, what: Callable[[Session], T]) -> T:
        return self.do(self.house.db.run(what))

    def elder(self, name: str, number: str = "", **more: Any) -> str:
        """An invented one, due at 08:00."""
        self._people += 1
        number = number or f"+86211000{self._people:04d}"
        values: dict[str, Any] = {"consents": dict.fromkeys(CONSENTS, True), "slot": 8 * 60, **more}
        return self.write(
            lambda session: add_person(session, self.place_id, name, f"{name[0]}阿婆", number, **values).id
        )


@contextmanager
def open_town(folder: Path) -> Iterator[Town]:
    """The line, at 09:00 of today, in a thread; when the context ends all of it is over."""
    opened: Future[Town] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_line(folder, opened)), name="town")
    thread.start()
    try:
        town = opened.result(PATIENCE_S)
        yield town
        town.do(town.close())
    finally:
        thread.join(PATIENCE_S)


async def _line(folder: Path, opened: Future[Town]) -> None:
    clock = JumpClock(at_minute(ZONE, local_date(ZONE, datetime.now(UTC)), 9 * 60))
    settings = Settings(database_url=f"sqlite:///{folder}/wenan.db", data_dir=folder, port=0, calls_per_second=100)
    ear = ScriptedRecogniser()
    try:
        async with open_house(settings, clock=clock, ears=Ears([ear])) as house:
            town = Town(house, asyncio.get_running_loop(), await house.db.run(_place), ear)
            running = asyncio.create_task(house.run(town.over, rounds=False))
            opened.set_result(town)
            await running
    except BaseException as error:
        if not opened.done():
            opened.set_exception(error)
        raise


def _place(session: Session) -> int:
    place = Neighbourhood(name="槐荫里", committee=COMMITTEE, timezone=ZONE)
    session.add(place)
    session.flush()
    return place.id
