"""The reply call's conversations: what is typed (callflows.text_runner), and what else differs from a usual call."""

from __future__ import annotations

from typing import Any

FIRST = "reply number=一零零七 reply=楼道的灯今天修好了。"
SECOND = "reply number=一零一二 reply=垃圾桶下个星期换新的。"
_MEETING = "meeting=七 matter=您反映的事情,编号一零零七, meet_place=居委会"
_TIMES = "meet_times=明天,三月三号星期二,下午两点,请按1;后天,三月四号星期三,上午十点,请按2;"
WHEN = "meet_when=后天,三月四号星期三,上午十点"
CHOOSE, AGREE = f"choose {_MEETING} {_TIMES}", f"agree {_MEETING} {WHEN}"
MEET_TOLD, AFTER = f"told {_MEETING} {WHEN}", f"after {_MEETING} {WHEN}"
ON_DUTY = {"variables": {"duty": "yes", "promise": "今天上午十一点前"}}
TYPED: dict[str, list[str]] = {
    "solved": ["1", FIRST, "1", "noted", "none"],
    "not_solved": ["1", FIRST, "2", "noted", "晚上还是不亮", "noted", "none"],
    "not_solved_and_nothing_more": ["1", FIRST, "2", "noted", "", "", "", "none"],
    "not_solved_and_the_line_drops": ["1", FIRST, "2", "noted", "hangup"],
    "not_solved_and_what_is_wrong_is_written_down_later": ["1", FIRST, "2", "noted", "晚上还是不亮", "", "none"],
    "not_solved_without_a_recording": ["1", FIRST, "2", "noted", "1", "noted", "none"],
    "not_solved_without_a_recording_or_a_call": ["1", FIRST, "2", "noted", "2", "none"],
    "wants_to_talk_about_it": ["1", FIRST, "3", "noted", "none"],
    "two_answers": ["1", FIRST, "1", "noted", SECOND, "2", "noted", "还是没有换", "noted", "none"],
    "hears_it_again": ["1", FIRST, "*", "再讲一遍", "1", "noted", "none"],
    "solved_by_voice": ["是我", FIRST, "修好了", "是的", "noted", "none"],
    "not_solved_by_voice": ["是个", FIRST, "还没修好", "noted", "晚上还是不亮", "noted", "none"],
    "not_solved_heard_uncertainly": ["1", FIRST, "?没修好", "没有解决", "noted", "晚上还是不亮", "noted", "none"],
    "solved_is_never_uncertain": ["1", FIRST, "?修好了", "?是的", "?是的", "?是的"],
    "not_understood": ["1", FIRST, "…", "…", "…"],
    "says_nothing": ["1", FIRST, "", "", ""],
    "hangs_up_after_the_answer": ["1", FIRST, "hangup"],
    "hangs_up_before_the_answer": ["1", "hangup"],
    "hangs_up_at_once": ["hangup"],
    "it_cannot_be_written_down": ["1", FIRST, "1", ""],
    "nothing_to_tell_any_more": ["1", "none"],
    "nobody_knows_the_answer": ["1", ""],
    "an_answer_that_cannot_be_played": ["1", "reply number=一零零七", "noted", "none"],
    "an_answer_that_cannot_be_played_and_nobody_knows_of": ["1", "reply number=一零零七", ""],
    "wants_a_person_in_the_evening": ["找人", ""],
    "unwell_in_the_evening": ["我不舒服"],
    "the_answer_was_spoken": ["1", "reply number=一零零七 reply_audio=replies/7.wav", "*", "1", "noted", "none"],
    "another_fetches_them": ["2", "1", "喂", "1", FIRST, "1", "noted", "none"],
    "another_and_they_are_out": ["我是邻居", "2"],
    "wrong_number": ["3"],
    "machine": ["beep"],
    "silence": ["", "", ""],
    "zero_is_a_person": ["1", FIRST, "0", "accepted"],
    "zero_and_nobody_can": ["1", FIRST, "0", "nobody", ""],
    "zero_out_of_hours": ["0", ""],
    "refuses": ["1", FIRST, "9", "1"],
    "refuses_by_mistake": ["9", "2", "1", FIRST, "1", "noted", "none"],
    "unwell": ["我不舒服"],
    "cries_for_help": ["1", FIRST, "救命", "起不来", "", "hangup"],
    "zero_twice": ["00", "", "hangup"],
    "speech_fails": ["1", FIRST, "deaf", "1", "noted", "none"],
    "limit": ["1", FIRST, "limit"],
    "chooses_when_to_meet": [
        "1",
        FIRST,
        "1",
        "noted",
        "meeting",
        CHOOSE,
        "3",
        "again",
        CHOOSE,
        "2",
        f"fixed {WHEN}",
        "none",
    ],
    "none_of_the_times_to_meet": ["1", "meeting", CHOOSE, "0", ""],
    "agrees_to_a_time_to_meet": ["1", "meeting", AGREE, "1", f"fixed {WHEN}", "none"],
    "the_time_to_meet_does_not_suit": ["1", "meeting", AGREE, "2", "noted", "none"],
    "is_reminded_and_cannot_come": ["1", "meeting", MEET_TOLD, "*", "2", "noted"],
    "says_what_came_of_the_meeting": ["1", "meeting", AFTER, "1", "noted", "none"],
}
MORE: dict[str, dict[str, Any]] = {
    "zero_is_a_person": ON_DUTY,
    "zero_and_nobody_can": ON_DUTY,
    "zero_out_of_hours": {"variables": {"promise": "明天上午九点前"}},
    "zero_twice": {"consent": False},
    "wants_a_person_in_the_evening": {"variables": {"promise": "明天上午九点前"}},
    "unwell_in_the_evening": {"variables": {"promise": "明天上午九点前"}},
    "not_solved_without_a_recording": {"consent": False},
    "not_solved_without_a_recording_or_a_call": {"consent": False},
}
