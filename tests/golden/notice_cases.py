"""Conversations about notices: what is typed (callflows.text_runner)."""

from __future__ import annotations

WATER = "notice notice=三号楼今天下午停水。"
NOTICES: dict[str, list[str]] = {
    "understood": ["1", WATER, "*", "1", "noted", "none"],
    "heard_and_nothing_pressed": ["1", WATER, "", "", "", "noted"],
    "says_that_she_did_not_understand": ["1", WATER, "没听懂", "1", "noted", "none"],
    "asks_for_a_person": ["1", WATER, "2", ""],
    "another_is_there": ["2", "2"],
    "machine": ["beep"],
    "taken_back": ["1", "none"],
    "cries_for_help": ["1", WATER, "救命", "起不来", "", "hangup"],
}
