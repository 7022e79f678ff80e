"""A neighbourhood for measuring notices beside the morning round: real rows, the real cycle, planner and rounds, in
virtual time. The carrier is a double; what comes of each call hangs on the elder and the try alone, so that the same
morning with and without a notice can be laid side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from checkins.schedule import at_minute
from checkins.tables import Mode, Neighbourhood, NumberState, Person, Role, State
from community.notice_tables import Hearer, Notice
from simulation.chance import Chance
from storage.database import Base, Database

T = TypeVar("T")
ZONE, DAY = "Asia/Shanghai", date(2026, 3, 2)
BUILDINGS = 40


@dataclass(frozen=True)
class Town:
    """`lines` of which `reserved` stay free, `starts_per_s`: as in the settings. `old`: notices of last year, heard and
    forgotten, that lie in the same tables. `tick_s`: how often the cycle looks. `until`: the round's end (minutes)."""

    elders: int
    lines: int
    reserved: int = 2
    starts_per_s: float = 1.0
    tick_s: int = 1
    old: int = 0
    until: int = 10 * 60 + 30
    seed: str = "1"


@dataclass(frozen=True)
class Resident:
    """`barred`: no machine may ring them, as it was written into the register; read by nobody but the checks."""

    id: str
    number: str | None
    building: int
    language: str
    barred: bool


class Inline(Database):
    """Does its work where it is asked: one thread. Nobody pulls this machine's plug."""

    def __init__(self, url: str) -> None:
        super().__init__(url, workers=1)
        event.listen(self.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        Base.metadata.create_all(self.engine)

    async def run(self, work: Callable[[Session], T]) -> T:
        with self.write() as session:
            return work(session)

    async def view(self, look: Callable[[Session], T]) -> T:
        with self.read() as session:
            return look(session)


@dataclass
class Register:
    place_id: int
    residents: Mapping[str, Resident] = field(default_factory=dict)

    def living_in(self, building: int | None, language: str | None) -> list[Resident]:
        """Whom a notice for them is for."""
        fits = (
            each
            for each in self.residents.values()
            if building in (None, each.building) and language in (None, each.language)
        )
        return list(fits)


def move_in(db: Database, town: Town) -> Register:
    """Of a hundred elders some 5 refuse machine calls, 3 are away, 3 are visited, 4 have agreed to nothing, 3 have no
    good number, 2 have moved or died (of those no row says anything), 8 share a telephone, 10 chose their own time."""
    chance = Chance(town.seed)
    with db.write() as session:
        place = Neighbourhood(name="曹杨", committee="曹杨居委会", timezone=ZONE, plan_until=town.until)
        session.add(place)
        session.flush()
        people = [_person(chance, place.id, number) for number in range(town.elders)]
        session.execute(insert(Person), people)
        _old(session, place.id, town.old, [person["id"] for person in people])
        return Register(place.id, {each["id"]: _resident(each) for each in people if each["state"] not in _GONE})


_GONE = (State.MOVED, State.DIED)
_FATES: tuple[tuple[float, dict[str, Any]], ...] = (
    (0.05, {"state": State.REFUSED}),
    (0.03, {"state": State.PAUSED, "state_until": date(2026, 3, 20)}),
    (0.02, {"mode": Mode.HUMAN}),
    (0.01, {"mode": Mode.VISIT}),
    (0.04, {"consents": {}}),
    (0.01, {"number": None}),
    (0.01, {"number_state": NumberState.BAD}),
    (0.01, {"number_state": NumberState.SUSPECT}),
    (0.01, {"state": State.MOVED}),
    (0.01, {"state": State.DIED}),
)


def _person(chance: Chance, place_id: int, number: int) -> dict[str, Any]:
    shares = number % 2 == 1 and chance.of("shares", number // 2) < 0.08
    own = chance.of("slot", number) < 0.1
    person: dict[str, Any] = {
        "id": f"elder-{number:05}",
        "neighbourhood_id": place_id,
        "role": Role.ELDER,
        "name": f"王{number}",
        "spoken_name": "王阿婆",
        "number": f"+8621{60_000_000 + number - shares}",
        "number_state": NumberState.OK,
        "language": "wuu" if chance.of("language", number) < 0.3 else "zh",
        "mode": Mode.KEYS,
        "state": State.ACTIVE,
        "state_until": None,
        "consents": {"calls": True, "recording": chance.of("records", number) < 0.6},
        "slot": int(chance.between((8 * 60, 10 * 60 + 30), "when", number)) // 5 * 5 if own else None,
        "address": f"{number % BUILDINGS + 1}号楼{number // BUILDINGS % 30 + 101}室",
    }
    return person | next(_fate(chance.of("fate", number)), {})


def _fate(luck: float) -> Iterator[dict[str, Any]]:
    for share, fate in _FATES:
        if luck < share:
            yield fate
            return
        luck -= share


def _resident(person: Mapping[str, Any]) -> Resident:
    agreed = bool(person["consents"].get("calls")) and person["mode"] == Mode.KEYS
    good = person["number"] is not None and person["number_state"] == NumberState.OK
    rung = agreed and good and person["state"] == State.ACTIVE
    building = int(person["address"].partition("号")[0])
    return Resident(person["id"], person["number"], building, person["language"], not rung)


def _old(session: Session, place_id: int, count: int, people: list[str]) -> None:
    """Last year's notices, each with a row for everybody: half of them understood it, the others had a visitor."""
    last_year = at_minute(ZONE, date(2025, 6, 1), 600)
    for number in range(count):
        until = at_minute(ZONE, date(2025, 6, 8), 600)
        notice = Notice(neighbourhood_id=place_id, text=f"去年的第{number}个通知。", by="陈老师", at=last_year)
        notice.valid_from, notice.valid_until = last_year, until
        session.add(notice)
        session.flush()
        rows = [{"notice_id": notice.id, "person_id": id_, "understood_at": until, "by": "陈老师"} for id_ in people]
        session.execute(insert(Hearer), rows)
