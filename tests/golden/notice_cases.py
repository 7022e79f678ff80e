"""Conversations about notices: what is typed (callflows.text_runner)."""

from __future__ import annotations

WATER = "notice notice=三号楼今天下午停水。"
DOCTOR = "notice notice=明天上午活动室量血压。 notice_audio=notice4001 board=1"
OPEN = "entry entry=活动室每天上午九点开门。 entry_number=4003"
DINNER = "entry entry=食堂十一点开饭。 entry_number=4002"
NURSE = "entry entry=护士星期三上门。 entry_audio=notice4004 entry_number=4004"
NOTICES: dict[str, list[str]] = {
    "understood": ["1", WATER, "*", "1", "noted", "none"],
    "heard_and_nothing_pressed": ["1", WATER, "", "", "", "noted"],
    "says_that_she_did_not_understand": ["1", WATER, "没听懂", "1", "noted", "none"],
    "says_that_she_knows_and_it_does_not_count": ["1", WATER, "知道了", "1", "noted", "none"],
    "asks_for_a_person": ["1", WATER, "2", ""],
    "another_is_there": ["2", "2"],
    "machine": ["beep"],
    "taken_back": ["1", "none"],
    "cries_for_help": ["1", WATER, "救命", "起不来", "", "hangup"],
}
RINGS_IN: dict[str, list[str]] = {
    "hears_notices": ["4", WATER, "*", "1", "noted", DOCTOR, "", "", "", "noted", "none", "4"],
    "says_that_she_knows_and_it_does_not_count": ["4", WATER, "知道了", "明白了", "懂了", "none", "4"],
    "hears_a_notice_that_cannot_be_played": ["4", "notice", "none", "4"],
    "understands_an_urgent_notice_and_is_asked_again": ["4", WATER, "1", "asked_again", "none", "4"],
    "notices_cannot_be_looked_up": ["4", "", "4"],
    "hears_the_board": [
        *["4", "none board=1", "1", OPEN, "*", "", DINNER, "1", "none"],
        *["2", NURSE, "", "none", "听街道消息", "none", "4", "4"],
    ],
}
