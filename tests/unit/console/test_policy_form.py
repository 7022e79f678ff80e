"""A policy's form: what is filled in comes back as it was, whatever the policy; steps move with all that is theirs."""

from __future__ import annotations

from typing import Any

import pytest

from checkins.escalation.policy import Escalation
from checkins.policy import Policy
from checkins.policy_drafts import CALLS, PARTS, entries_of
from console import policy_form
from tests.property.rehearsal_towns import made


@pytest.mark.parametrize("seed", range(30))
def test_what_is_filled_in_is_read_back(seed: int) -> None:
    town = made(seed)
    holds = Policy.from_json(town.policy), Escalation.from_json(town.escalation)
    for part in PARTS:
        entries = entries_of(holds, part)
        read = policy_form.read(part, policy_form.filled(part, entries))
        assert not read.wrong
        assert {name: _sorted(entry) for name, entry in read.entries.items()} == {
            name: _sorted(entries[name]) for name in read.entries
        }
        left = entries.keys() - read.entries.keys()
        assert left == ({"office_from", "office_until"} if part == "hours" else set())


def _sorted(entry: Any) -> Any:
    """Roles stand in the form's own order."""
    if isinstance(entry, list) and entry and isinstance(entry[0], dict):
        return [{name: _sorted(value) for name, value in step.items()} for step in entry]
    return sorted(entry) if isinstance(entry, list) else entry


@pytest.mark.parametrize(
    ("text", "read"),
    [("15、45", [15, 45]), (" 15, 45 ", [15, 45]), ("15 45", [15, 45]), ("", []), ("15；45", [15, 45])],
)
def test_delays_are_read_however_they_are_set_apart(text: str, read: list[int]) -> None:
    form = {**policy_form.filled(CALLS, Policy().to_json()), "try_after": text}
    assert policy_form.read(CALLS, form).entries["try_after"] == [0, *read]


@pytest.mark.parametrize("text", ["-1", "1.5", "１２", "十", "99999", "1e3"])
def test_what_is_no_whole_number_is_told_at_its_field(text: str) -> None:
    form = {**policy_form.filled(CALLS, Policy().to_json()), "ring_s": text}
    read = policy_form.read(CALLS, form)
    assert read.wrong.keys() == {"ring_s"}
    assert not read.entries


def test_no_act_makes_more_steps_than_a_form_holds_or_none() -> None:
    form: dict[str, str] = policy_form.filled("unreached", Escalation().to_json()["unreached"])
    for _ in range(9):
        form = policy_form.reshaped(form, "add")
    assert form["steps"] == str(policy_form.MOST_STEPS)
    assert len(form) < 90, "with what else a form sends, no more than a hundred fields"
    for _ in range(9):
        form = policy_form.reshaped(form, "remove-0")
    assert (form["steps"], form["loop"]) == ("1", "0")
    for strange in ("", "up-0", "down-0", "remove-9", "remove-x", "add-", "drop-1"):
        assert policy_form.reshaped({**form, "steps": "1"}, strange)["steps"] in ("1", "2")


def test_a_move_takes_along_everything_of_the_step_and_the_place_to_go_on() -> None:
    entries = Escalation().to_json()["unreached"]
    form = policy_form.filled("unreached", entries)
    moved = policy_form.read("unreached", policy_form.reshaped(form, "up-1")).entries
    assert moved["steps"] == [entries["steps"][1], entries["steps"][0], *entries["steps"][2:]]
    assert (entries["loop"], moved["loop"]) == (1, 0)
    assert policy_form.reshaped(policy_form.reshaped(form, "up-1"), "down-0") == form
