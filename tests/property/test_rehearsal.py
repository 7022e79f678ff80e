"""What the ladder's preview says is what the simulator then does, and the product itself: for generated policies and
rosters, every call at the same second, to the same person, for the same purpose.

The preview is the pure `checkins.rehearsal`. The simulator's desk plans by the planner on a database and moves rows,
errands and lines with code of its own. `WENAN_REHEARSALS=1000` (make preview) lives through all of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from checkins.claims import Trunk
from checkins.escalation.policy import Escalation
from checkins.planning import planned_for
from checkins.policy import Policy
from checkins.rehearsal.lone_case import rehearse
from checkins.rehearsal.values import Given, Kind, Moment
from checkins.roster import loading
from checkins.schedule import day_of
from checkins.tables import Neighbourhood, NumberState, Person
from simulation.desk import Desk
from simulation.people import ZONE
from storage.database import Base, Database
from tests.property.rehearsal_towns import ELDER, Made, Told, lived, made, settle
from tests.unit.simulation.cycle_desk import CycleDesk

MANY = int(os.environ.get("WENAN_REHEARSALS", "150"))
AT_ONCE = 25
REAL = max(4, MANY // 40)
HOURS = timedelta(hours=18)
MOST = 60


@pytest.fixture(scope="module")
def db() -> Iterator[Database]:
    db = Database("sqlite://")
    Base.metadata.create_all(db.engine)
    yield db
    db.close()


def foreseen(session: Session, place: Neighbourhood, town: Made) -> tuple[Moment, ...]:
    """The preview, from the database before anything was planned."""
    policy, trunk = Policy.from_json(place.policy), town.trunk
    planned = planned_for(session, place, town.day, ELDER, trunk.lines, policy)
    assert planned is not None
    elder = session.get_one(Person, ELDER)
    given = Given(
        elder_id=ELDER,
        number=elder.number if elder.number_state == NumberState.OK else None,
        at=planned.at,
        reason=planned.reason,
        day=day_of(ZONE, town.day, policy),
        policy=policy,
        escalation=Escalation.from_json(place.escalation or {}),
        roster=loading.load(session, place.id, town.begin),
        trunk=Trunk(trunk.lines, trunk.starts_per_s, trunk.reserved),
        happens=town.happens,
        answers=town.answers,
    )
    return rehearse(given, town.begin + HOURS, MOST)


def told(moments: tuple[Moment, ...]) -> list[Told]:
    return [
        (
            f"{one.at:%m-%d %H:%M:%S}",
            one.who.id if one.who else ELDER,
            str(one.role if one.kind is Kind.RING else one.kind),
        )
        for one in moments
        if one.is_call
    ]


def both(db: Database, town: Made) -> tuple[list[Told], list[Told]]:
    with Session(db.engine, expire_on_commit=False) as session:
        place = settle(session, town)
        said = foreseen(session, place, town)
        desk = Desk(session, place, town.trunk, town.begin)
        desk.plan(town.begin)
        does = lived(town, desk, town.begin + HOURS)
        session.rollback()
    return told(said), does


@pytest.mark.parametrize("first", range(0, MANY, AT_ONCE))
def test_what_the_preview_says_is_what_the_simulator_does(db: Database, first: int) -> None:
    kinds: Counter[str] = Counter()
    for seed in range(first, min(MANY, first + AT_ONCE)):
        town = made(seed)
        said, does = both(db, town)
        assert said[:MOST] == does[:MOST], town
        kinds.update(kind for _, _, kind in said)
    assert kinds.keys() >= {"try", "buddy", "duty", "deputy", "family", "street"}, "too quiet to prove anything"


@pytest.mark.parametrize("seed", range(1, REAL + 1))
def test_and_what_the_product_does(seed: int, tmp_path: Path) -> None:
    town = made(seed)
    db = Database(f"sqlite:///{tmp_path}/real.db")
    Base.metadata.create_all(db.engine)
    with db.write() as session:
        place = settle(session, town)
        said = told(foreseen(session, place, town))
    desk = CycleDesk(db, town.trunk, town.begin)
    try:
        desk.plan(town.begin)
        assert lived(town, desk, town.begin + timedelta(hours=13))[:MOST] == _before(said, town)
    finally:
        desk.close()
        db.close()


def _before(said: list[Told], town: Made) -> list[Told]:
    end = f"{town.begin + timedelta(hours=13):%m-%d %H:%M:%S}"
    return [one for one in said if one[0] < end][:MOST]
