"""The simulator simulates the product: over the same days, with the same people, the cycle on SQLite and the desk in
memory place the same calls, to the same people about the same elders, at the same second."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from checkins.claims import Trunk
from checkins.schedule import at_minute
from simulation.chance import Chance
from simulation.desk import Desk
from simulation.life import Answer, Life, Span, Trouble
from simulation.line import Call
from simulation.people import ZONE, Size, settle_in
from simulation.rates import Rates
from simulation.town import AnyDesk, Town
from storage.database import Base, Database
from tests.unit.simulation.cycle_desk import CycleDesk

DAY = date(2026, 3, 6)  # a Friday: on the day after, the office is closed
START = at_minute(ZONE, DAY, 0)
# Everything that is rare elsewhere.
HARD = replace(
    Rates(), trouble=0.06, out=0.25, unheard=0.2, busy=0.1, corrected=0, not_well=0.05, wants_person=0.04, unclear=0.04,
    hung_up=0.03, machine=0.03, line_error=0.02, refuses=0.02, wrong_number=0.02, couples=0.3, human=0.05, refused=0.05,
    on_leave=0.2, ignoring=0.2, unknown=0.01,
)  # fmt: skip


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


def calls(desk: AnyDesk, plan: object, size: Size, seed: str, outages: tuple[Span, ...]) -> Log:
    chance, log = Chance(seed), Log()
    life = Life(HARD, chance, outages)
    town = Town(HARD, chance, life, desk, log)
    for number in range(size.days):
        midnight = START + timedelta(days=number)
        town.run(midnight)
        plan(midnight)  # type: ignore[operator]
        town.morning([f"elder-{index}" for index in range(size.elders)], midnight)
    town.run(START + timedelta(days=size.days))
    return log


@pytest.mark.parametrize(
    ("seed", "trunk", "outage"),
    [("a", Trunk(8, 1.0, 2), None), ("b", Trunk(2, 0.5, 1), None), ("c", Trunk(6, 2.0, 2), (9 * 60, 10 * 60))],
    ids=["lines enough", "too few lines", "an hour without the trunk"],
)
def test_the_same_calls_to_the_same_people_at_the_same_second(
    seed: str, trunk: Trunk, outage: tuple[int, int] | None, tmp_path: Path
) -> None:
    size, chance = Size(40, DAY, 1), Chance(seed)
    outages = ((at_minute(ZONE, DAY, outage[0]), at_minute(ZONE, DAY, outage[1])),) if outage else ()
    real, memory = Database(f"sqlite:///{tmp_path}/real.db"), Database("sqlite://")
    for db in (real, memory):
        Base.metadata.create_all(db.engine)
    with real.write() as session:
        settle_in(session, size, HARD, chance)
    with Session(memory.engine, expire_on_commit=False) as session:
        place = settle_in(session, size, HARD, chance)
        desk = Desk(session, place, trunk, START)
        simulated = calls(desk, desk.plan, size, seed, outages)
    cycle = CycleDesk(real, trunk, START)
    product = calls(cycle, cycle.plan, size, seed, outages)
    cycle.close()
    real.close()
    memory.close()
    assert simulated.calls == product.calls
    flows = {flow for _, flow, _, _ in product.calls}
    assert flows >= {"daily_checkin", "dispatch", "finding"}, "the day was too quiet to prove anything"
