"""Policies in layers, a part at a time: only what differs is written down, and what is changed is known."""

from __future__ import annotations

from checkins import policy_drafts
from checkins.escalation.policy import Escalation
from checkins.policy import Policy
from checkins.policy_drafts import Written

USUAL = Policy(), Escalation()


def test_only_what_differs_is_written_and_the_rest_follows_the_layer_below() -> None:
    own = policy_drafts.with_part(Written(), "calls", {"ring_s": 60, "busy_after": 5}, USUAL)
    assert own == Written({"ring_s": 60})
    assert policy_drafts.hold(Written({"busy_after": 8}), own)[0] == Policy(ring_s=60, busy_after=8)


def test_what_is_set_back_to_the_usual_is_written_no_more() -> None:
    own = Written({}, {"unreached": {"finding_within": 20, "finding_call": 15}, "hours": {"quiet_from": 1200}})
    half = policy_drafts.with_part(own, "unreached", {"finding_within": 30}, USUAL)
    assert half.escalation == {"unreached": {"finding_call": 15}, "hours": {"quiet_from": 1200}}
    whole = policy_drafts.with_part(half, "unreached", {"finding_call": 25}, USUAL)
    assert whole.escalation == {"hours": {"quiet_from": 1200}}
    assert policy_drafts.without_part(whole, "hours") == Written()


def test_what_a_form_does_not_show_stays() -> None:
    own = Written({}, {"hours": {"office_from": 480}})
    assert policy_drafts.with_part(own, "hours", {"quiet_from": 1200}, USUAL).escalation == {
        "hours": {"office_from": 480, "quiet_from": 1200}
    }


def test_an_entry_that_belongs_elsewhere_now_is_left_out() -> None:
    own = Written({"finding_within": 10, "ring_s": 60})
    assert policy_drafts.with_part(own, "calls", {"busy_after": 8}, USUAL).policy == {"ring_s": 60, "busy_after": 8}


def test_changes_are_told_entry_by_entry() -> None:
    before = {"unreached": {"finding_within": 20, "loop": 1}, "soon": {"seen": True}}
    after = {"unreached": {"finding_within": 25, "loop": 1}, "hours": {"quiet_from": 1200}}
    assert policy_drafts.changed(before, after) == {
        "unreached.finding_within": [20, 25],
        "soon.seen": [True, None],
        "hours.quiet_from": [None, 1200],
    }
    assert policy_drafts.changed(None, {"ring_s": 60}) == {"ring_s": [None, 60]}
    assert policy_drafts.changed({"ring_s": 60}, None) == {"ring_s": [60, None]}
