"""Policies in layers, and one that came in past the register's check: it stops nobody's calls."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, joinedload

from checkins import alarm_signs, planning, policies
from checkins.alarm_signs import House
from checkins.alarms import Kind
from checkins.escalation.policy import Who
from checkins.planning import PlanReport
from checkins.policy import Policy
from checkins.results import Status
from checkins.tables import Neighbourhood, Person
from tests.unit.checkins.world import World

BROKEN = '{"try_afters": [0, 10, 40]}'


def another_place(world: World) -> int:
    with world.db.write() as session:
        place = Neighbourhood(name="槐荫里", committee="槐荫里居委会", timezone="Asia/Shanghai")
        session.add(place)
        session.flush()
        return place.id


def by_hand(world: World, statement: str, **values: Any) -> None:
    with world.db.write() as session:
        session.execute(text(statement), values)


def set_place(world: World, **values: Any) -> None:
    with world.db.write() as session:
        for name, value in values.items():
            setattr(session.get_one(Neighbourhood, world.place_id), name, value)


async def test_what_differs_for_an_elder_goes_over_what_differs_for_the_neighbourhood(any_world: World) -> None:
    set_place(any_world, policy={"try_after": [0, 10, 40], "busy_after": 3})
    usual = any_world.elder()
    deaf = any_world.elder("李福根", policy={"ring_s": 60, "busy_after": 8})
    await any_world.to("07:30")
    first, second = (next(case for case in any_world.checkins() if case.elder_id == elder) for elder in (usual, deaf))
    assert Policy.from_json(first.policy) == Policy(try_after=(0, 10, 40), busy_after=3)
    assert Policy.from_json(second.policy) == Policy(try_after=(0, 10, 40), busy_after=8, ring_s=60)


def test_an_elders_own_escalation_keeps_the_rungs_of_the_neighbourhood(world: World) -> None:
    rungs = [{"who": ["duty"], "every": 10}]
    set_place(world, escalation={"unreached": {"steps": rungs, "loop": 0}, "hours": {"quiet_from": 20 * 60}})
    elder = world.elder(escalation={"unreached": {"finding_within": 20, "finding_call": 15}})
    with world.db.read() as session:
        found = policies.escalation(session.get_one(Person, elder, options=[joinedload(Person.neighbourhood)]))
    assert (found.unreached.finding_within, found.unreached.roles) == (20, (Who.DUTY,))
    assert found.hours.quiet_from == 20 * 60


@pytest.mark.parametrize("document", [BROKEN, "[1]", '{"try_after": [5]}', "{not json"])
async def test_a_broken_policy_of_one_place_stops_nobodys_calls(world: World, document: str) -> None:
    here, there = world.elder(), world.elder("李福根", neighbourhood_id=another_place(world))
    by_hand(world, "update neighbourhood set policy = :document where id = :id", document=document, id=world.place_id)
    await world.to("07:30")
    assert {case.elder_id for case in world.checkins()} == {here, there}
    assert {case.status for case in world.checkins()} == {Status.PLANNED}
    assert all(Policy.from_json(case.policy) == Policy() for case in world.checkins())
    with world.db.read() as session:
        found = [sign for sign in alarm_signs.signs(session, [], House(), world.clock.now())]
    assert [(sign.kind, sign.subject) for sign in found] == [(Kind.POLICY, str(world.place_id))]


async def test_a_broken_policy_of_one_elder_leaves_the_neighbourhoods(world: World) -> None:
    set_place(world, policy={"busy_after": 3})
    elder = world.elder()
    by_hand(world, "update person set policy = :document where id = :id", document=BROKEN, id=elder)
    await world.to("07:30")
    (case,) = world.checkins()
    assert Policy.from_json(case.policy).busy_after == 3
    with world.db.read() as session:
        (place, person, why) = next(policies.broken(session))
        assert (place.id, person and person.id) == (world.place_id, elder)
        assert "try_afters" in why


async def test_a_place_that_can_not_be_planned_leaves_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.elder()
    there = world.elder("李福根", neighbourhood_id=another_place(world))
    plan_day = planning.plan_day

    def fails_for_one(session: Session, place: Neighbourhood, *rest: Any) -> PlanReport:
        if place.id == world.place_id:
            raise KeyError("anything at all")
        return plan_day(session, place, *rest)

    monkeypatch.setattr(planning, "plan_day", fails_for_one)
    await world.to("07:30")
    assert [case.elder_id for case in world.checkins()] == [there]


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ({"calls_from": 300}, "08:00"),
        ({"calls_until": 1430}, "21:00"),
        ({"longest_delay": 100_000}, "longest_delay"),
        ({"today_within": 100_000}, "today_within"),
        ({"soon_within": 0}, "soon_within"),
        ({"unserved_at": 1300}, "unserved_at"),
    ],
)
def test_no_policy_calls_at_night_or_puts_off_for_ever(entries: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Policy.from_json(entries)


def test_what_a_case_of_before_holds_of_another_policy_is_read_over() -> None:
    frozen = {**Policy().to_json(), "busy_after": 3, "finding_within": 10}
    assert Policy.from_json(frozen) == Policy(busy_after=3)
