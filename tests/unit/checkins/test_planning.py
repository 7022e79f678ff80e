"""Who is called when; nobody is forgotten. On SQLite and PostgreSQL."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from checkins import planning
from checkins.policy import Policy
from checkins.results import Reason, Status
from checkins.tables import Checkin, Mode, Neighbourhood, NumberState, Person, Role, State
from tests.unit.checkins.world import DAY, World


def plan(world: World, lines: int = 4) -> planning.PlanReport:
    with world.db.write() as session:
        place = session.get_one(Neighbourhood, world.place_id)
        return planning.plan_day(session, place, DAY, world.clock.now(), lines)


def test_slots_are_waves_of_calls_over_the_window(any_world: World) -> None:
    for _ in range(24):
        any_world.elder()
    report = plan(any_world, lines=4)
    assert (report.added, report.calls, report.people, report.warning) == (24, 24, 0, None)
    slots = sorted(row.slot for row in any_world.checkins())
    assert slots[0] == any_world.at("08:00")
    assert slots[-1] == any_world.at("08:00") + timedelta(minutes=125)
    assert [slots.count(slot) for slot in sorted(set(slots))] == [4] * 6


def test_planning_again_changes_nothing_and_newcomers_count_today(any_world: World) -> None:
    any_world.elder()
    assert plan(any_world).added == 1
    assert plan(any_world).added == 0
    any_world.clock.advance_to(any_world.at("09:10"))
    late = any_world.elder()
    assert plan(any_world).added == 1
    assert any_world.row(late).slot == any_world.at("09:10")


def test_own_slots_are_kept_and_those_that_passed_come_now(any_world: World) -> None:
    early, late = any_world.elder(slot=8 * 60 + 20), any_world.elder(slot=14 * 60)
    any_world.clock.advance_to(any_world.at("09:00"))
    plan(any_world)
    assert any_world.row(early).slot == any_world.at("09:00")
    assert any_world.row(late).slot == any_world.at("14:00")


def test_two_behind_one_number_share_a_slot(any_world: World) -> None:
    number = "+862110000050"
    couple = [any_world.elder(number=number), any_world.elder(number=number, slot=9 * 60)]
    others = [any_world.elder() for _ in range(6)]
    assert plan(any_world, lines=2).calls == 7
    assert {any_world.row(elder).slot for elder in couple} == {any_world.at("09:00")}
    assert {any_world.row(elder).slot for elder in others} == {
        any_world.at("08:00"),
        any_world.at("08:50"),
        any_world.at("09:40"),
    }


HUMAN = {
    Reason.REFUSED: {"state": State.REFUSED},
    Reason.PAUSE_ENDED: {"state": State.PAUSED, "state_until": DAY - timedelta(days=1)},
    Reason.HUMAN_CONTACT: {"mode": Mode.VISIT},
    Reason.NO_CONSENT: {"consents": {"recording": True}},
    Reason.WRONG_NUMBER: {"number_state": NumberState.SUSPECT},
    Reason.BAD_NUMBER: {"number": None},
}


@pytest.mark.parametrize("reason", HUMAN)
def test_whom_the_machine_must_not_call_gets_a_person(any_world: World, reason: Reason) -> None:
    elder = any_world.elder(**HUMAN[reason])
    report = plan(any_world)
    assert (report.added, report.people, report.calls) == (1, 1, 0)
    row = any_world.row(elder)
    assert (row.status, row.reason) == (Status.NEEDS_PERSON, reason)
    assert row.due_at == any_world.at("11:00")


@pytest.mark.parametrize(
    "more",
    [
        {"state": State.DIED},
        {"state": State.MOVED},
        {"state": State.PAUSED, "state_until": DAY},
        {"role": Role.BUDDY},
        {"role": Role.STAFF},
    ],
)
def test_who_is_not_due(any_world: World, more: dict[str, object]) -> None:
    any_world.elder(**more)
    assert plan(any_world).added == 0


def test_without_consent_to_calls_a_person_comes(any_world: World) -> None:
    silent, unsure = any_world.elder(consents={}), any_world.elder(consents={"calls": False, "recording": True})
    plan(any_world)
    assert {any_world.row(elder).reason for elder in (silent, unsure)} == {Reason.NO_CONSENT}


def test_policies_are_frozen_into_the_case(any_world: World) -> None:
    plain, special = any_world.elder(), any_world.elder(policy={"ring_s": 60})
    with any_world.db.write() as session:
        session.get_one(Neighbourhood, any_world.place_id).policy = {"busy_after": 7}
    plan(any_world)
    with any_world.db.write() as session:
        session.get_one(Neighbourhood, any_world.place_id).policy = {"busy_after": 9}
    policies = {row.elder_id: Policy.from_json(row.policy) for row in any_world.checkins()}
    assert policies == {plain: Policy(busy_after=7), special: Policy(busy_after=7, ring_s=60)}


def test_too_few_lines_are_said_the_evening_before_and_when_planning(any_world: World) -> None:
    for _ in range(120):
        any_world.elder()
    with any_world.db.read() as session:
        place = session.get_one(Neighbourhood, any_world.place_id)
        assert planning.tomorrow_warning(session, place, DAY, lines=2) is None
        warning = planning.tomorrow_warning(session, place, DAY, lines=1)
    assert warning == "120 calls need 2 lines in this window; 1 carry about 100: the rest will be late"
    assert plan(any_world, lines=1).warning == warning


def test_a_plan_made_after_the_window_spreads_the_calls(any_world: World) -> None:
    for _ in range(40):
        any_world.elder()
    any_world.clock.advance_to(any_world.at("15:00"))
    assert plan(any_world, lines=4).warning is None
    slots = sorted({row.slot for row in any_world.checkins()})
    assert (slots[0], slots[-1]) == (any_world.at("15:00"), any_world.at("15:13") + timedelta(seconds=30))


def test_a_city_quarter_of_4000_elders_is_planned_in_under_a_second(any_world: World) -> None:
    with any_world.db.write() as session:
        session.add_all(
            Person(
                neighbourhood_id=any_world.place_id,
                name="老人",
                spoken_name="王阿婆",
                number=f"+8621{10_000_000 + i}",
                consents={"calls": True},
            )
            for i in range(4000)
        )
    begun = time.perf_counter()
    report = plan(any_world, lines=60)
    taken = time.perf_counter() - begun
    assert report.added == 4000
    assert taken < 15, f"{taken:.2f} s"  # 0.4 s on a quiet machine; a join that grows squarely takes minutes
    with any_world.db.read() as session:
        last = session.scalar(select(func.max(Checkin.slot)))
    assert last is not None
    assert last < any_world.at("10:30")
