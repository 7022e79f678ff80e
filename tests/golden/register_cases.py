"""Conversations about her own entry in the register: what is typed (callflows.text_runner), and what else differs."""

from __future__ import annotations

from typing import Any

NAME, HOME, KEY = (
    "fact field=name fact=您的姓名,登记的是王秀英。",
    "fact field=address fact=您的住址,登记的是三号楼502室。",
    "fact field=key_holder fact=没有登记谁有您家的钥匙。",
)
OTHER = "none field=other"
OPEN = ["7", "prove", "3502#", "open"]
RINGS_IN: dict[str, dict[str, Any]] = {
    "hears_her_entry_and_all_is_right": {
        "typed": [*OPEN, NAME, "1", HOME, "对的", KEY, "", "", "", OTHER, "2", "done", "4"]
    },
    "corrects_her_address": {
        "typed": [
            *OPEN,
            NAME,
            "1",
            HOME,
            "*",
            "2",
            "noted",
            "五号楼",
            "noted",
            "2",
            "五号楼三零一",
            "noted",
            "1",
            OTHER,
            "1",
            "noted",
            "我搬来三年了",
            "noted",
            "",
            "",
            "",
            "done",
            "4",
        ]
    },
    "corrects_her_entry_without_a_recording": {
        "typed": [*OPEN, HOME, "2", "noted", "noted", OTHER, "2", "done", "4"],
        "consent": False,
    },
    "corrects_her_entry_and_hangs_up": {"typed": [*OPEN, HOME, "2", "noted", "五号楼三零一", "hangup"]},
    "corrects_her_entry_and_nothing_can_be_written": {
        "typed": [*OPEN, HOME, "2", "", "五号楼三零一", "", "1", "", "4"]
    },
    "calls_it_wrong_and_says_nothing_and_nothing_can_be_written": {"typed": [*OPEN, HOME, "2", "", "", "", "", ""]},
    "keys_another_home_and_is_rung_back": {"typed": ["听登记", "prove", "350#", "wrong", "12#", "person", "4"]},
    "keys_no_home_and_is_rung_back": {"typed": ["7", "prove", "", "", "", "person", "4"]},
    "hears_nothing_of_an_entry_that_is_looked_into": {"typed": ["7", "person", "4"]},
}
