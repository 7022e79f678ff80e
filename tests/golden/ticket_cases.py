"""Conversations about what is asked for by key 5: what is typed (callflows.text_runner), and what else differs."""

from __future__ import annotations

from typing import Any

FILED = "filed number=五零零一 help_by=十分钟以内"
BOOKED = "booked number=五零零一 booking=明天上午九点,中心医院内科,带医保卡。"
MEETING = "told meeting=七 matter=您反映的事情,编号一零零七, meet_when=明天,三月三号星期二,下午两点 meet_place=居委会"
RINGS_IN: dict[str, dict[str, Any]] = {
    "asks_for_a_taxi": {"typed": ["5", "1", "noted", "明天八点去中心医院", "1", FILED, "4"]},
    "says_that_she_wants_a_taxi": {"typed": ["我要叫车", "叫车", "noted", "明天八点", "1", FILED, "4"]},
    "asks_for_a_repair_without_a_recording": {"typed": ["5", "3", "noted", FILED, "4"], "consent": False},
    "asks_for_a_doctor_s_hour_and_hangs_up": {"typed": ["5", "2", "noted", "hangup"]},
    "asks_for_advice_and_nothing_can_be_written_down": {"typed": ["5", "4", "", "医保卡丢了", "1", ""]},
    "hears_what_was_booked": {"typed": ["3", "ticket number=五零零二", BOOKED, "1", "noted", "none", "4"]},
    "hears_when_they_meet": {"typed": ["3", "meeting", MEETING, "1", "noted", "4"]},
    "wants_a_booking_changed": {"typed": ["3", BOOKED, "2", "noted", "none", "4"]},
}
BOOKING: dict[str, list[str]] = {
    "heard": ["1", BOOKED, "1", "noted", "none"],
    "heard_again": ["1", BOOKED, "*", "1", "noted", "none"],
    "change": ["1", BOOKED, "2", "noted", "none"],
    "talk": ["1", BOOKED, "3", "noted", "none"],
    "another_is_there": ["2", "2"],
    "machine": ["beep"],
    "says_nothing": ["1", BOOKED, "", "", ""],
    "says_that_she_did_not_hear_it": ["1", BOOKED, "没听清楚", "1", "noted", "none"],
    "taken_back": ["1", "none"],
    "what_cannot_be_played": ["1", "booked number=五零零一", "noted", "none"],
    "cries_for_help": ["1", BOOKED, "救命", "起不来", "", "hangup"],
}
