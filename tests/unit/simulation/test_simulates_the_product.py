"""The simulator simulates the product: over the same days, with the same people, the cycle on SQLite and the desk in
memory place the same calls, to the same people about the same elders, at the same second."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from checkins.claims import Trunk
from checkins.schedule import at_minute
from checkins.tables import Neighbourhood, Person, Role
from simulation.chance import Chance
from simulation.desk import Desk
from simulation.life import Answer, Life, Span, Trouble
from simulation.line import Call
from simulation.people import ZONE, Size, settle_in
from simulation.rates import Rates
from simulation.town import Town
from storage.database import Base, Database
from tests.unit.simulation.cycle_desk import CycleDesk

DAY = date(2026, 3, 6)  # a Friday: on the day after, the office is closed
START = at_minute(ZONE, DAY, 0)
# Everything that is rare elsewhere.
HARD = replace(
    Rates(), trouble=0.1, out=0.25, unheard=0.2, busy=0.1, corrected=0, not_well=0.05, wants_person=0.04, unclear=0.04,
    hung_up=0.03, machine=0.03, line_error=0.03, refuses=0.02, wrong_number=0.02, couples=0.3, human=0.05, refused=0.05,
    on_leave=0.2, ignoring=0.2, unknown=0.01,
)  # fmt: skip
MIXED = replace(HARD, trouble=0.04, out=0.08, unheard=0.08, busy=0.04, corrected=0.5, not_well=0.02, line_error=0.01)


@dataclass(frozen=True)
class Day:
    """A day to be lived through twice, until the hour `until`."""

    seed: str
    elders: int
    rates: Rates
    trunk: Trunk
    until: int
    outage: tuple[int, int] | None = None  # minutes
    slot: int | None = None  # of everybody: then the calls wait for lines

    @property
    def outages(self) -> tuple[Span, ...]:
        return ((at_minute(ZONE, DAY, self.outage[0]), at_minute(ZONE, DAY, self.outage[1])),) if self.outage else ()


DAYS = {
    "forty elders": Day("a", 40, MIXED, Trunk(8, 1.0, 2), 24),
    "too few lines": Day("b", 10, HARD, Trunk(2, 0.5, 1), 10, slot=8 * 60),
    "the trunk dead for a while": Day("c", 10, HARD, Trunk(4, 2.0, 2), 9, (8 * 60, 8 * 60 + 5), slot=8 * 60),
}


class Log:
    """Every call, as it can be compared."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str, tuple[str, ...]]] = []

    def call(self, call: Call, _answer: Answer) -> None:
        self.calls.append((f"{call.at:%d %H:%M:%S}", call.flow, call.number, call.elders))

    def accepted(self, *_args: object) -> None: ...

    def worked(self, *_args: object) -> None: ...

    def fell(self, _trouble: Trouble) -> None: ...

    def helped(self, _trouble: Trouble, _now: object) -> None: ...


def calls(desk: Desk | CycleDesk, day: Day) -> list[tuple[str, str, str, tuple[str, ...]]]:
    chance, log = Chance(day.seed), Log()
    life = Life(day.rates, chance, day.outages)
    town = Town(day.rates, chance, life, desk, log)
    desk.plan(START)
    town.morning([f"elder-{index}" for index in range(day.elders)], START)
    town.run(START + timedelta(hours=day.until))
    return log.calls


def settle(session: Session, day: Day) -> Neighbourhood:
    place = settle_in(session, Size(day.elders, DAY, 1), day.rates, Chance(day.seed))
    session.execute(update(Person).where(Person.role == Role.ELDER).values(slot=day.slot))
    return place


def of_the_product(day: Day, folder: Path) -> list[tuple[str, str, str, tuple[str, ...]]]:
    db = Database(f"sqlite:///{folder}/real.db")
    Base.metadata.create_all(db.engine)
    with db.write() as session:
        settle(session, day)
    cycle = CycleDesk(db, day.trunk, START)
    try:
        return calls(cycle, day)
    finally:
        cycle.close()
        db.close()


def simulated(day: Day) -> list[tuple[str, str, str, tuple[str, ...]]]:
    db = Database("sqlite://")
    Base.metadata.create_all(db.engine)
    with Session(db.engine, expire_on_commit=False) as session:
        place = settle(session, day)
        found = calls(Desk(session, place, day.trunk, START), day)
    db.close()
    return found


@pytest.mark.parametrize("day", DAYS.values(), ids=DAYS)
def test_the_same_calls_to_the_same_people_at_the_same_second(day: Day, tmp_path: Path) -> None:
    product = of_the_product(day, tmp_path)
    assert simulated(day) == product
    flows = {flow for _, flow, _, _ in product}
    assert flows >= {"daily_checkin", "dispatch", "finding"}, "the day was too quiet to prove anything"
