"""The people of one invented neighbourhood, written into a register and a roster like anybody's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from checkins.roster.tables import RosterDuty, RosterFamily, RosterLeave, RosterPair, RosterSubstitute, RosterTurn
from checkins.schedule import at_minute
from checkins.tables import Mode, Neighbourhood, Person, Role, State
from simulation.chance import Chance
from simulation.rates import Rates

ZONE = "Asia/Shanghai"
STAFF = 4  # three take turns, week by week; one is the deputy
SUBSTITUTES = 4
LEAVE_DAYS = 7
STREET_NUMBER = "+862199999999"
_HANDOVER = 8 * 60 + 30


@dataclass(frozen=True)
class Size:
    """What a neighbourhood is to be made of. `days` from `begin` on are simulated."""

    elders: int
    begin: date
    days: int


def settle_in(session: Session, size: Size, rates: Rates, chance: Chance) -> Neighbourhood:
    """Writes a neighbourhood into an empty database; the same chance makes the same people. Ids are their names."""
    place = Neighbourhood(name="模拟街区", committee="模拟居委会", timezone=ZONE)
    session.add(place)
    session.flush()
    buddies = [f"buddy-{index}" for index in range(max(2, -(-size.elders // rates.elders_per_buddy)))]
    staff = [f"staff-{index}" for index in range(STAFF)]
    families = [index for index in range(size.elders) if chance.of("family?", index) < rates.family]
    people = [_elder(place.id, index, rates, chance) for index in range(size.elders)]
    people += [_helper(place.id, who, Role.BUDDY, 20_000_000 + at) for at, who in enumerate(buddies)]
    people += [_helper(place.id, who, Role.STAFF, 30_000_000 + at) for at, who in enumerate(staff)]
    people += [_helper(place.id, f"family-{index}", Role.FAMILY, 40_000_000 + index) for index in families]
    session.execute(insert(Person), people)
    _roster(session, place.id, size, buddies, staff, families)
    _leave(session, place.id, size, buddies, rates, chance)
    return place


def elder_name(index: int) -> str:
    return f"elder-{index}"


def _elder(place_id: int, index: int, rates: Rates, chance: Chance) -> dict[str, Any]:
    """Every so many share a telephone with the one before."""
    every = round(2 / rates.couples) if rates.couples else 0
    telephone = index - 1 if every and index % every == 1 else index
    human = chance.of("human", index) < rates.human
    refused = chance.of("refused", index) < rates.refused
    return {
        "id": elder_name(index),
        "neighbourhood_id": place_id,
        "role": Role.ELDER,
        "name": elder_name(index),
        "spoken_name": elder_name(index),
        "number": f"+8621{10_000_000 + telephone}",
        "mode": Mode.HUMAN if human else Mode.KEYS,
        "state": State.REFUSED if refused else State.ACTIVE,
        "consents": {"calls": True, "recording": True, "buddy": True, "family": True},
    }


def _helper(place_id: int, who: str, role: Role, number: int) -> dict[str, Any]:
    values = {"id": who, "name": who, "spoken_name": who, "number": f"+8621{number}"}
    return {**values, "neighbourhood_id": place_id, "role": role, "consents": {}}


def _roster(
    session: Session, place_id: int, size: Size, buddies: list[str], staff: list[str], families: list[int]
) -> None:
    pairs = [
        {"neighbourhood_id": place_id, "elder_id": elder_name(index), "buddy_id": buddies[index % len(buddies)]}
        for index in range(size.elders)
    ]
    session.execute(insert(RosterPair), [{**pair, "position": 0} for pair in pairs])
    substitutes = buddies[:: max(1, len(buddies) // SUBSTITUTES)][:SUBSTITUTES]
    session.add_all(
        RosterSubstitute(neighbourhood_id=place_id, person_id=who, position=at) for at, who in enumerate(substitutes)
    )
    session.add_all(
        RosterTurn(neighbourhood_id=place_id, person_id=who, position=at) for at, who in enumerate(staff[:-1])
    )
    anchor = size.begin - timedelta(days=size.begin.weekday())
    rotation = {"anchor": anchor.isoformat(), "weekday": 0, "minute": _HANDOVER, "days": 7, "until": None}
    street = {"street_name": "模拟街道", "street_number": STREET_NUMBER}
    session.add(RosterDuty(neighbourhood_id=place_id, rotation=rotation, deputy_id=staff[-1], **street))
    if families:
        session.execute(insert(RosterFamily), [_kin(place_id, index) for index in families])
    session.flush()


def _kin(place_id: int, index: int) -> dict[str, Any]:
    who = {"elder_id": elder_name(index), "person_id": f"family-{index}"}
    return {**who, "position": 0, "neighbourhood_id": place_id}


def _leave(session: Session, place_id: int, size: Size, buddies: list[str], rates: Rates, chance: Chance) -> None:
    """A week at a time, so that on any day the wanted share is on leave."""
    weeks = range(-1, -(-size.days // LEAVE_DAYS) + 1)
    gone = [(who, week) for who in buddies for week in weeks if chance.of("leave", who, week) < rates.on_leave]
    for who, week in gone:
        begins, ends = (_morning(size.begin + timedelta(days=LEAVE_DAYS * at)) for at in (week, week + 1))
        session.add(RosterLeave(neighbourhood_id=place_id, person_id=who, begins=begins, ends=ends))
    session.flush()


def _morning(day: date) -> datetime:
    return at_minute(ZONE, day, 0)
