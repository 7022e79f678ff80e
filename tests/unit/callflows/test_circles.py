"""Which flows can go round for ever, and which are held by `at_most`."""

from __future__ import annotations

import pytest

from callflows import loader
from callflows.loader import FlowError

HEAD = """\
flow: round
version: 1
languages: [zh]
start: a.say
acknowledge: 好。
moments: {emergency: z.say, machine: z.say, limit: z.say, emergency_limit: z.say, keys_only: z.say, next_person: z.say}
steps:
  z.say: {say: 再会, go: done}
"""


def refused(steps: str) -> str:
    with pytest.raises(FlowError) as error:
        loader.parse(HEAD + steps, "round.yaml")
    return str(error.value)


def test_two_statements_in_a_circle() -> None:
    message = refused("  a.say: {say: 一, go: b.say}\n  b.say: {say: 二, go: a.say}\n")
    assert 'can go round for ever: a.say → b.say → a.say; give one of them "at_most"' in message


def test_at_most_opens_the_circle() -> None:
    loader.parse(
        HEAD + "  a.say: {say: 一, go: b.say, at_most: 2, too_often: z.say}\n  b.say: {say: 二, go: a.say}\n", "x"
    )


def test_at_most_that_leads_back_into_the_circle_does_not_help() -> None:
    message = refused("  a.say: {say: 一, go: b.say, at_most: 2, too_often: b.say}\n  b.say: {say: 二, go: a.say}\n")
    assert "can go round for ever" in message


def test_passing_over_a_step_is_a_way_too() -> None:
    message = refused("  a.say: {say: 一, go: done, only_if: speech, else: b.say}\n  b.say: {say: 二, go: a.say}\n")
    assert "can go round for ever: a.say → b.say → a.say" in message
