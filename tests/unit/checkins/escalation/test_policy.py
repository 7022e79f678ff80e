"""Policies are data, and one that could forget somebody is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from checkins.escalation.policy import Escalation, Who
from checkins.results import Urgency

BUDDY_STEP = {"who": ["buddy"], "calls": 2, "every": 0}
DUTY_STEP = {"who": ["duty"], "rounds": 3, "latest": 60}


def test_the_default_survives_the_database() -> None:
    default = Escalation()
    assert Escalation.from_json(json.loads(json.dumps(default.to_json()))) == default
    assert Escalation.from_json({}) == default


def test_a_site_says_only_what_differs() -> None:
    own = Escalation.from_json({"unreached": {"finding_within": 20, "finding_call": 15}, "hours": {"quiet_from": 1200}})
    default = Escalation()
    assert own.unreached.finding_within == 20
    assert own.unreached.steps == default.unreached.steps
    assert own.unreached.loop == 1
    assert (own.hours.quiet_from, own.hours.quiet_until) == (1200, 480)
    assert own.emergency == default.emergency


def test_the_buddy_is_rung_for_smoke_and_alarm_button_not_for_a_cry_on_the_line() -> None:
    policy = Escalation()
    assert Who.BUDDY not in policy.plan(Urgency.EMERGENCY).roles
    assert Who.BUDDY in policy.plan(Urgency.EMERGENCY, device=True).roles
    assert policy.plan(Urgency.UNREACHED, device=True) == policy.unreached


@pytest.mark.parametrize("urgency", Urgency)
def test_every_urgency_has_a_plan_that_comes_back_to_duty(urgency: Urgency) -> None:
    plan = Escalation().plan(urgency)
    assert any(Who.DUTY in step.who for step in plan.steps[plan.loop :])


@pytest.mark.parametrize(
    ("policy", "complaint"),
    [
        ({"unreeched": {}}, r"unknown entry 'unreeched'"),
        ({"unreached": {"findings": 20}}, r"unknown entry 'unreached.findings'"),
        ({"unreached": 5}, r"unreached: Input should be an object"),
        ({"unreached": {"finding_within": "20"}}, r"unreached\.finding_within: Input should be a valid integer"),
        ({"unreached": {"finding_within": True}}, r"unreached\.finding_within: Input should be a valid integer"),
        ({"unreached": {"finding_within": 31}}, r"unreached\.finding_within: a finding is due within 30"),
        ({"emergency": {"finding_within": 60}}, r"emergency\.finding_within: a finding is due within 30"),
        ({"today": {"finding_within": 121}}, r"today: finding_within must be 1 to 120, not 121"),
        ({"unreached": {"finding_within": 10}}, r"unreached: finding_call must be 1 to 9, not 25"),
        ({"unreached": {"steps": []}}, r"unreached: steps must name at least one step"),
        ({"unreached": {"steps": [DUTY_STEP]}}, r"unreached: loop must be 0 to 0, not 1"),
        ({"unreached": {"steps": [{"who": ["dog"]}]}}, r"unreached\.steps\.0\.who\.0: Input should be 'buddy'"),
        ({"unreached": {"steps": [{"who": []}]}}, r"unreached\.steps\.0: who must name at least one role"),
        ({"unreached": {"steps": [{"who": ["duty", "duty"]}]}}, r"unreached\.steps\.0: who must name .* each once"),
        ({"unreached": {"steps": [{"who": ["duty"], "calls": 0}]}}, r"unreached\.steps\.0: calls must be 1 to 5"),
        ({"unreached": {"steps": [{"who": ["duty"], "spacing": 1}]}}, r"unreached\.steps\.0: spacing must be 2 to 10"),
        ({"unreached": {"steps": [{"who": ["duty"], "every": 121}]}}, r"unreached\.steps\.0: every must be 0 to 120"),
        ({"unreached": {"steps": [{"who": ["duty"], "rounds": 3, "every": 0}]}}, r"every must be at least 2"),
        ({"unreached": {"steps": [{"who": ["duty"], "latest": 61}]}}, r"latest must be 1 to 60, not 61"),
        ({"hours": {"quiet_from": 1261}}, r"hours: quiet hours must cover 21:00 to 08:00"),
        ({"hours": {"quiet_until": 479}}, r"hours: quiet hours must cover 21:00 to 08:00"),
        ({"hours": {"office_from": 1020}}, r"hours: office_from must lie before office_until"),
    ],
)
def test_what_is_wrong_is_named(policy: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^escalation: .*{complaint}"):
        Escalation.from_json(policy)


@pytest.mark.parametrize(
    ("policy", "complaint"),
    [
        # ends without a name: nobody who must take it is rung any more
        ({"unreached": {"steps": [BUDDY_STEP, {"who": ["street"]}], "loop": 0}}, "come back to duty"),
        ({"unreached": {"steps": [DUTY_STEP, {"who": ["street"]}], "loop": 1}}, "come back to duty"),
        ({"soon": {"steps": [BUDDY_STEP]}}, "soon: steps must come back to duty"),
        # sleeps
        ({"unreached": {"steps": [BUDDY_STEP, {"who": ["duty"]}], "loop": 1}}, "unreached.steps.1.latest: duty must"),
        ({"unreached": {"office": ["duty"]}}, "duty is rung at any hour"),
        ({"emergency": {"quiet": ["duty"]}}, "duty is rung at any hour"),
        ({"emergency": {"steps": [{"who": ["duty"], "every": 11}], "loop": 0}}, "emergency.steps.0.every: .*10 min"),
        # nobody has seen her
        ({"unreached": {"seen": False}}, "unreached.seen: somebody must have seen"),
        ({"device": {"seen": False}}, "device.seen: somebody must have seen"),
        ({"unreached": {"confirm_within": 0}}, "unreached.confirm_within: the line must ring"),
        # volunteers sleep
        ({"unreached": {"quiet": ["buddy"]}}, "unreached.quiet: buddy and family"),
        ({"soon": {"quiet": []}}, "soon.quiet: buddy and family"),
    ],
)
def test_a_policy_that_breaks_a_promise_is_refused(policy: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Escalation.from_json(policy)
