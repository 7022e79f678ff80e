"""A golden file per flow and case: the conversation as text. WENAN_UPDATE_GOLDEN=1 writes them anew: read the diff.

The session is re-read from JSON between any two turns.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from callflows import loader
from callflows.events import CallContext, Person
from callflows.session import Finding, Session
from callflows.text_runner import TextLine
from tests.golden import (
    ballot_cases,
    notice_cases,
    record_cases,
    register_cases,
    reply_cases,
    ticket_cases,
    trial_cases,
)

HERE = Path(__file__).parent
UPDATE = os.environ.get("WENAN_UPDATE_GOLDEN") == "1"
WANG, LI = Person("wang", "王阿婆"), Person("li", "李阿公", "wuu")
ZHAO = Person(
    "zhao", "赵阿婆", variables={"why": "说身体不舒服", "where": "三号楼五零二室", "key_holder": "隔壁陈阿姨"}
)
QIAN = Person(
    "qian",
    "钱阿婆",
    variables={"why": "家没人开门,有人已经去过", "key_holder": "隔壁陈阿姨", "notes": "耳朵不好,常去普陀区中心医院"},
)
CALLED = Person("zhou", "周阿婆", variables={"why": "说想找人", "phone": "1"})
HELPED = Person(
    "wu",
    "吴阿婆",
    variables={"why": "需要帮助,已经有人联系过", "there": "李阿姨", "there_number": "幺三八,零零零零,零零零零"},
)
SUN = Person("sun", "孙阿公", variables={"why": "在电话里呼救了", "urgent": "yes", "where": "八号楼一零一室"})
PAIRED = (
    *(
        Person(name, spoken, variables={"state": "还没联系的"})
        for name, spoken in [("wang", "王阿婆"), ("li", "李阿公")]
    ),
    *(
        Person(name, spoken, variables={"state": "联系过的"})
        for name, spoken in [("zhao", "赵阿婆"), ("sun", "孙阿公")]
    ),
    Person("qian", "钱阿婆"),
)


def _with(person: Person, **variables: str) -> Person:
    return replace(person, variables={**person.variables, **variables})


@dataclass(frozen=True)
class Case:
    """`typed` are lines as callflows.text_runner reads them."""

    typed: Sequence[str]
    people: tuple[Person, ...] = (WANG,)
    notice: str = ""
    consent: bool = True
    variables: Mapping[str, str] = field(default_factory=dict)


ON_DUTY = {"duty": "yes", "promise": "今天上午十一点前"}
DAILY_CHECKIN = {
    "well_by_keys": Case(["1", "1", "2"]),
    "well_by_voice": Case(["是我", "蛮好的", "没有"]),
    "well_in_shanghainese": Case(["是个", "呒没啥", "呒没"], people=(LI,)),
    "well_with_notice_and_message": Case(["1", "1", "1", "路灯坏脱了"], notice="明天上午九点到十一点停水。"),
    "well_with_a_notice_that_asks": Case(
        ["1", "1", "*", "1", "noted", "2"], people=(_with(WANG, notice="三号楼今天下午停水。", notice_asks="1"),)
    ),
    "well_and_the_notice_is_only_heard": Case(
        ["1", "1", "", "", "", "noted", "2"], people=(_with(WANG, notice="三号楼今天下午停水。", notice_asks="1"),)
    ),
    "well_but_uncertain": Case(["?是我", "1", "?蛮好的", "是的", "2"]),
    "one_syllable": Case(["1", "好", "1", "2"]),
    "never_certain": Case(["1", "?蛮好的", "?是的", "?是的", "?是的"]),
    "not_understood": Case(["…", "…", "…"]),
    "unwell_by_key": Case(["1", "2", "头昏,人没力气"]),
    "unwell_by_voice": Case(["是我", "?有点勿适意", "昨日夜里睏勿着"]),
    "unwell_says_nothing": Case(["1", "2", "", "", ""]),
    "unwell_at_the_end": Case(["1", "1", "腰痛", "老早就痛了"]),
    "wants_a_person": Case(["1", "3", ""]),
    "zero_is_a_person": Case(["0", "accepted"], variables=ON_DUTY),
    "zero_and_nobody_can": Case(["0", "nobody", "", "水管漏了"], variables=ON_DUTY),
    "zero_and_nobody_can_and_0_again": Case(["1", "0", "", "5", "0", ""], variables=ON_DUTY),
    "zero_and_hangs_up": Case(["1", "1", "0", "hangup"], variables=ON_DUTY),
    "zero_out_of_hours": Case(["0", "", "没啥事体"], variables={"promise": "明天上午九点前"}),
    "zero_without_consent": Case(["0", ""], consent=False, variables={"promise": "明天上午九点前"}),
    "zero_and_the_second_elder": Case(["1", "0", "accepted", "1", "1", "2"], people=(WANG, LI), variables=ON_DUTY),
    "zero_and_a_cry_while_waiting": Case(["0", "救命", "", "hangup"], variables=ON_DUTY),
    "zero_twice_while_waiting": Case(["00", "", "hangup"], variables=ON_DUTY),
    "asks_for_a_person": Case(["1", "找人", ""]),
    "repeats": Case(["*", "1", "再讲一遍", "等一歇", "喂", "1", "2"]),
    "silent": Case(["", "", "", ""]),
    "silent_then_a_key": Case(["", "", "", "5"]),
    "silent_then_a_sound": Case(["", "", "", "…"]),
    "silent_in_mid_call": Case(["1", "", "", "", ""]),
    "another_says_well": Case(["2", "1"]),
    "another_says_unwell": Case(["我是邻居", "不舒服"]),
    "another_fetches_her": Case(["2", "3", "喂", "1", "1", "2"]),
    "another_says_absent": Case(["我是她女儿", "出去了"]),
    "wrong_number": Case(["打错了"]),
    "refuses": Case(["1", "以后不要打了", "是的"]),
    "refuses_by_mistake": Case(["9", "2", "1", "1", "2"]),
    "refuses_and_hangs_up": Case(["9", "hangup"]),
    "emergency_words": Case(["1", "我摔倒了", "起不来", "", "hangup"]),
    "emergency_double_zero": Case(["00", "", "hangup"]),
    "emergency_in_a_dictation": Case(["1", "2", "头昏,救命", "在厨房", "1", "limit"]),
    "emergency_without_consent": Case(["00", "", "hangup"], consent=False),
    "machine": Case(["beep"], people=(WANG, LI)),
    "hangs_up_at_once": Case(["hangup"]),
    "speech_fails": Case(["1", "deaf", "蛮好的", "1", "2"]),
    "no_consent_unwell": Case(["1", "2"], consent=False),
    "no_consent_message": Case(["1", "1", "1"], consent=False),
    "no_consent_silent": Case(["", "", "", ""], consent=False),
    "two_elders": Case(["1", "1", "2", "1", "2", "脚痛"], people=(WANG, LI)),
    "second_elder_does_not_come": Case(["1", "1", "2", "", "", ""], people=(WANG, LI)),
    "limit": Case(["1", "limit"]),
}


HAND_OVER = {
    "accepts": Case(["1", "yours"]),
    "accepts_and_it_cannot_be_written": Case(["*", "1", ""]),
    "accepts_and_hangs_up": Case(["1", "hangup"]),
    "cannot_talk": Case(["2"]),
    "silence": Case(["", "", ""]),
    "other_keys": Case(["5", "#", "0", "9"]),
    "hangs_up": Case(["hangup"]),
    "machine": Case(["beep"]),
    "limit": Case(["limit"]),
    "twice_0": Case(["00"]),
    "hears_nothing_but_keys": Case(["deaf", "是的", "1", "yours"]),
}
BUDDY = {"responder": "李阿姨"}
DISPATCH = {
    "hears_who_says_that_help_is_needed": Case(["1", "1", "*", ""], people=(HELPED,)),
    "a_telephone_call_is_enough": Case(["1", "1"], people=(CALLED,)),
    "accepts": Case(["1", "1"]),
    "accepts_and_hears_where_and_who_has_the_key": Case(["1", "1", "*", "", "5"], people=(ZHAO,)),
    "accepts_and_hears_what_to_know_at_the_door": Case(["1", "1", "", "*", ""], people=(QIAN,)),
    "cannot_go": Case(["1", "2"]),
    "cannot_go_by_voice": Case(["1", "?我去不了", "去不了"]),
    "words_never_accept": Case(["1", "好的", "我去看看", "可以"]),
    "wrong_person": Case(["2"]),
    "wrong_number_by_voice": Case(["打错了"]),
    "a_stranger_says_yes": Case(["是的", "是我", "对的"]),
    "machine": Case(["beep"]),
    "machine_undetected": Case(["…", "…", "…"]),
    "silence": Case(["", "", ""]),
    "silence_after_the_name": Case(["1", "", "", ""]),
    "hangs_up_at_once": Case(["hangup"]),
    "hangs_up_before_the_answer": Case(["1", "hangup"]),
    "hangs_up_after_accepting": Case(["1", "1", "hangup"], people=(ZHAO,)),
    "hangs_up_in_the_middle": Case(["1", "1", "hangup"], people=(WANG, LI)),
    "two_elders_one_accepted": Case(["1", "1", "2"], people=(WANG, LI)),
    "two_elders_one_unanswered": Case(["1", "", "", "", "1"], people=(WANG, LI)),
    "emergency_accepted": Case(["1", "1", ""], people=(SUN,)),
    "emergency_and_a_missed_call": Case(["1", "2", "1"], people=(SUN, WANG)),
    "asks_back_fallen": Case(["1", "啊?摔倒了?", "1", ""], people=(SUN,)),
    "cries_for_help": Case(["1", "救命", "hangup"]),
    "another_was_first": Case(["1", "1", "taken"], variables={"shared": "yes"}),
    "is_first": Case(["1", "1", "first"], variables={"shared": "yes"}),
    "nobody_knows_who_was_first": Case(["1", "1", ""], variables={"shared": "yes"}),
    "hangs_up_before_it_is_known": Case(["1", "1", "hangup"], variables={"shared": "yes"}),
    "wants_a_person_and_accepts": Case(["1", "0", "1"]),
    "repeats": Case(["*", "1", "*", "再讲一遍", "1"]),
    "speech_fails": Case(["deaf", "1", "1"]),
    "limit": Case(["1", "limit"]),
}
FINDING = {
    "fine": Case(["1", "1"]),
    "needs_help": Case(["1", "2"]),
    "needs_help_by_voice": Case(["1", "要帮忙"]),
    "nobody_opens": Case(["1", "3"]),
    "nobody_opens_and_hears_who_has_the_key": Case(["1", "3", "", ""], people=(QIAN,)),
    "fine_and_hears_nothing_of_the_key": Case(["1", "1"], people=(QIAN,)),
    "nobody_opens_by_voice": Case(["1", "?没人开门", "没人开门"]),
    "words_are_never_fine": Case(["1", "人没事", "蛮好", "是的"]),
    "she_has_fallen": Case(["1", "她摔倒了", "", "hangup"]),
    "two_elders": Case(["1", "1", "3"], people=(WANG, LI)),
    "two_elders_one_unanswered": Case(["1", "1", "", "", ""], people=(WANG, LI)),
    "hangs_up_in_the_middle": Case(["1", "2", "hangup"], people=(WANG, LI)),
    "wrong_person": Case(["2"]),
    "machine": Case(["beep"]),
    "silence": Case(["", "", ""]),
    "without_consent": Case(["1", "要帮忙", "1"], consent=False),
    "fine_and_the_line_rings_her_later": Case(["1", "1"], people=(_with(WANG, confirm="1"),)),
    "heard_by_telephone": Case(["1", "1"], people=(CALLED,)),
    "seen_where_a_call_is_enough": Case(["1", "2"], people=(CALLED,)),
    "needs_help_by_telephone": Case(["1", "3"], people=(CALLED,)),
    "not_reached_by_telephone": Case(["1", "4"], people=(CALLED,)),
    "duty_says_needs_help": Case(["1", "2"], variables={"staff": "1"}),
    "duty_says_nobody_opens": Case(["1", "3", "", ""], people=(QIAN,), variables={"staff": "1"}),
    "rings_in": Case(["1", "7391#", "right", "3", "", ""], people=(QIAN,), variables={"pin": "1"}),
    "rings_in_about_two": Case(["1", "7391#", "right", "1", "1"], people=(WANG, CALLED), variables={"pin": "1"}),
    "rings_in_with_a_wrong_pin": Case(
        ["1", "1111#", "wrong", "1112#", "wrong", "1113#", "wrong", "0", "2"], (WANG, QIAN), variables={"pin": "1"}
    ),
    "rings_in_and_the_pin_is_locked": Case(["1", "1111#", "locked", "", "3"], (QIAN,), variables={"pin": "1"}),
    "rings_in_and_the_pin_cannot_be_checked": Case(["1", "1111#", "", "hangup"], variables={"pin": "1"}),
    "rings_in_without_a_pin": Case(["1", "1"], (_with(WANG, rung_back="1"),), variables={"unproven": "1"}),
    "rings_in_without_a_pin_and_is_not_rung_back": Case(["1", "1"], variables={"unproven": "1"}),
    "rings_in_without_a_pin_nobody_opens": Case(["1", "3"], variables={"unproven": "1"}),
    "rings_in_without_a_pin_about_two": Case(["1", "2", "3"], (WANG, CALLED), variables={"unproven": "1"}),
}
PIN = {"pin": "yes"}
BUDDY_LOG = {
    "visited_fine": Case(["1234#", "right", "1", "1", "1", "hangup"], people=PAIRED, variables=PIN),
    "phoned_worried": Case(["1", "2", "2", "咳了三天了", "", "", ""], people=(WANG, LI)),
    "could_not_reach": Case(["2", "3", "opened", "hangup"], people=(WANG, LI)),
    "could_not_reach_and_nobody_knows_yet": Case(["2", "3", "", "hangup"], people=(WANG, LI)),
    "without_a_pin": Case([], variables={**PIN, "no_pin": "yes"}),
    "the_only_elder": Case(["1", "1", "1"]),
    "all_five": Case(
        [
            *["1", "1", "1", "1"],
            *["4", "2", "1", "1"],
            *["2", "3", "opened", "1"],
            *["1", "1", "1", "1"],
            *["2", "1", "1"],
        ],
        PAIRED,
    ),
    "a_mistake": Case(["1", "1", "1", "2", "2", "2", "头昏", "2", "1", "1", "hangup"], people=(WANG, LI)),
    "turns_the_pages": Case(["4", "4", "3", "1", "1", "hangup"], people=PAIRED),
    "six_digits": Case(["110055", "right", "1", "1", "hangup"], variables=PIN),
    "pin_twice_wrong": Case(["1111#", "wrong", "2222#", "wrong", "3333#", "right", "hangup"], variables=PIN),
    "pin_wrong_three_times": Case(["1111#", "wrong", "2222#", "wrong", "3333#", "wrong"], variables=PIN),
    "pin_locked": Case(["1111#", "locked"], variables=PIN),
    "pin_too_short": Case(["11#", "22", "", "*", "3#"], variables=PIN),
    "pin_without_the_hash": Case(["1122", "", "right", "hangup"], variables=PIN),
    "pin_silence": Case(["", "", ""], variables=PIN),
    "pin_cannot_be_checked": Case(["1111#", ""], variables=PIN),
    "hangs_up_while_entering": Case(["11", "hangup"], variables=PIN),
    "hangs_up_before_the_condition": Case(["1", "hangup"]),
    "worry_without_consent": Case(["1", "2", "hangup"], consent=False),
    "wants_a_person": Case(["0", "1", "1", "1", "hangup"], people=(WANG, LI)),
    "silence": Case(["", "", ""], people=PAIRED),
}
TAKEN = {
    "told": Case(["1", ""]),
    "hears_it_again": Case(["1", "*", "5"]),
    "two_elders": Case(["1", "", ""], people=(WANG, LI)),
    "hangs_up_before_the_name": Case(["hangup"]),
    "hangs_up_after_the_first": Case(["1", "hangup"], people=(WANG, LI)),
    "a_stranger_says_yes": Case(["是的", "是我", "对的"]),
    "wrong_person": Case(["2"]),
    "machine": Case(["beep"]),
    "silence": Case(["", "", ""]),
    "wants_a_person": Case(["1", "0", ""]),
    "cries_for_help": Case(["1", "救命", "hangup"]),
}
SMOKE = {"cause": "您家的烟雾报警器响了。", "smoke": "1"}
ALARM = {
    "needs_help": Case(["1", "我头昏", "", "hangup"]),
    "needs_help_by_voice": Case(["?要帮忙", "起不来了", "hangup"]),
    "unwell": Case(["胸口痛", "透不过气", "hangup"]),
    "zero_is_help": Case(["0", "", "hangup"]),
    "says_she_is_fine": Case(["2"]),
    "says_it_was_a_mistake": Case(["按错了"]),
    "perhaps_fine": Case(["?我没事", "2"]),
    "smoke": Case(["2"], variables=SMOKE),
    "smoke_heard_again": Case(["*", "1", "hangup"], variables=SMOKE, consent=False),
    "cried_for_help_before": Case(["1", "", "hangup"], variables={"cause": "刚才您在电话里求救。"}),
    "cries_for_help": Case(["救命", "我摔倒了", "", "", ""]),
    "silent": Case(["", "", "", "", "", "", ""]),
    "silent_then_a_sound": Case(["", "", "", "…", "hangup"]),
    "not_understood": Case(["…", "…", "…", "", "", ""]),
    "without_consent": Case(["1", "", "hangup"], consent=False),
    "machine": Case(["beep"]),
    "hangs_up_at_once": Case(["hangup"]),
    "speech_fails": Case(["deaf", "要帮忙", "1", "hangup"]),
    "limit": Case(["1", "limit"]),
}
BROKEN = (
    Person("7", "陈老师", variables={"what": "电话线路断了,今天的电话打不出去。请打印名单,用别的电话联系老人"}),
    Person("9", "陈老师", variables={"what": "有老人可能被漏掉了。请打开首页,逐个打电话"}),
)
ON_CALL = {"responder": "陈老师"}
LINE_ALARM = {
    "acknowledged": Case(["1"], BROKEN[:1], variables=ON_CALL),
    "heard_again": Case(["*", "1"], BROKEN[:1], variables=ON_CALL),
    "two_alarms": Case(["1", "1"], BROKEN, variables=ON_CALL),
    "two_alarms_one_unanswered": Case(["1", "", "", ""], BROKEN, variables=ON_CALL),
    "words_never_acknowledge": Case(["好的", "知道了", "是的"], BROKEN[:1], variables=ON_CALL),
    "wrong_person": Case(["2"], BROKEN, variables=ON_CALL),
    "machine": Case(["beep"], BROKEN[:1], variables=ON_CALL),
    "silence": Case(["", "", ""], BROKEN[:1], variables=ON_CALL),
    "hangs_up_after_the_key": Case(["1", "hangup"], BROKEN, variables=ON_CALL),
}
AT_NIGHT = {"closed": "yes", "promise": "明天上午九点前"}
RINGS_IN = {
    "well_by_key": Case(["2", "1", "4"], variables=ON_DUTY),
    "well_by_voice": Case(["身体蛮好", "没有"]),
    "well_but_uncertain": Case(["?身体蛮好", "是的", "4"]),
    "one_syllable": Case(["2", "好", "1", "4"]),
    "not_well": Case(["2", "2", "头昏,人没力气"]),
    "not_well_at_night": Case(["2", "2", "头昏", ""], variables=AT_NIGHT),
    "not_well_said_at_once": Case(["头昏", "昨日夜里睏勿着"]),
    "nobody_had_reached_her": Case(["1", "4"], (_with(WANG, missed="1"),)),
    "away_for_three_days": Case(["2", "3", "3#", "noted until=三月四号", "1", "noted", "4"]),
    "away_too_long": Case(["要出门", "99", "too_long", "12", "noted until=三月十三号", "2", "5#", ""]),
    "away_and_it_cannot_be_written": Case(["2", "3", "3#", "noted until=三月四号", "1", ""]),
    "says_what_is_wrong": Case(
        ["1", "none", "路灯坏脱了", "1", "filed number=一零零七 heard_by=明天上午十一点前", "1", "noted", "4"]
    ),
    "says_it_again_and_adds": Case(
        [
            "反映事情",
            "none",
            "路灯",
            "2",
            "路灯坏了",
            "3",
            "三号楼门口",
            "1",
            "filed number=一零零七",
            "2",
            "noted",
            "4",
        ]
    ),
    "adds_to_what_is_open": Case(
        ["1", "open number=一零零三", "1", "noted", "还没修好", "1", "added number=一零零三", "4"]
    ),
    "says_it_and_sends_nothing": Case(["1", "none", "路灯坏了", "", "", ""]),
    "says_it_and_hangs_up": Case(["1", "none", "路灯坏了", "hangup"]),
    "says_it_and_it_cannot_be_filed": Case(["1", "none", "路灯坏了", "1", ""]),
    "says_nothing_after_all": Case(["1", "", "", "", ""]),
    "no_consent_to_record": Case(["1"], consent=False),
    "hears_a_reply_and_it_is_solved": Case(
        ["3", "answered number=一零零三 reply=路灯修好了。", "1", "noted", "none", "4"]
    ),
    "hears_a_reply_and_it_is_not_solved": Case(
        [
            "听答复",
            "answered number=一零零三 reply=路灯修好了。",
            "没解决",
            "noted",
            "门口那盏还不亮",
            "noted",
            "waiting number=一零零四 answer_by=后天下午五点前",
            "waiting number=一零零二",
            "none",
            "4",
        ]
    ),
    "hears_a_reply_and_the_line_drops_after_not_solved": Case(["3", "answered reply=修好了。", "2", "noted", "hangup"]),
    "not_solved_without_a_recording": Case(
        ["3", "answered reply=修好了。", "2", "noted", "1", "noted", "none", "4"], consent=False
    ),
    "says_that_it_is_solved": Case(["3", "answered reply_audio=reply7", "解决了", "是的", "noted", "none", "4"]),
    "hears_a_reply_that_cannot_be_played": Case(["3", "answered number=一零零三", "noted", "none", "4"]),
    "hears_a_reply_and_wants_to_talk": Case(["3", "answered reply=修好了。", "3", "noted", "none", "4"]),
    "no_replies": Case(["3", "none", "4"]),
    "replies_cannot_be_looked_up": Case(["3", ""]),
    "notice": Case(["4", "none", "4"], variables={"today": "明天上午九点到十一点停水。"}),
    "no_notice": Case(["听通知", "none", "hangup"]),
    **{name: Case(typed) for name, typed in notice_cases.RINGS_IN.items()},
    "wants_a_person": Case(["0", "accepted"], variables=ON_DUTY),
    "wants_a_person_at_night": Case(["0", "", "水管漏了", ""], variables=AT_NIGHT),
    "wants_a_person_and_0_twice_after_all": Case(["找人", "", "00", "hangup"], variables=AT_NIGHT),
    "two_behind_one_number": Case(["2", "2", "1", "4"], people=(WANG, LI)),
    "two_and_a_cry_before_anybody_is_chosen": Case(["救命", "", "hangup"], people=(WANG, LI)),
    "two_and_nobody_is_chosen": Case(["", "", ""], people=(WANG, LI)),
    "cries_for_help": Case(["我摔倒了", "起不来", "", "hangup"]),
    "zero_twice": Case(["00", "", "hangup"]),
    "silent": Case(["", "", "", ""]),
    "silent_then_a_key": Case(["", "", "", "5"]),
    "not_understood": Case(["…", "…", "…"]),
    "hangs_up_at_once": Case(["hangup"]),
    "refuses": Case(["9", "1"]),
    "limit": Case(["1", "none", "limit"]),
}
NOBODY = Person("", "")
STRANGER = {
    "says_who_and_what": Case(
        ["1", "张三,三号楼", "路灯坏了", "filed number=一零零八 heard_by=今天下午五点前"],
        (NOBODY,),
        variables={"known": "1"},
    ),
    "is_not_to_be_recorded": Case(["2"], (NOBODY,), variables={"known": "1"}),
    "is_not_to_be_recorded_and_withholds": Case(["不要", "55512345#"], (NOBODY,)),
    "withholds_and_gives_no_number": Case(["0", "", "", "", ""], (NOBODY,), variables=AT_NIGHT),
    "says_who_and_not_what": Case(["", "", "", "张三", "", ""], (NOBODY,)),
    "says_nothing": Case(["", "", "", "", "", "", ""], (NOBODY,)),
    "it_cannot_be_filed": Case(["1", "张三", "路灯坏了", "", ""], (NOBODY,), variables={"known": "1", **AT_NIGHT}),
    "cries_for_help": Case(["救命", "在三号楼", "", "hangup"], (NOBODY,)),
    "zero_twice": Case(["00", "", "hangup"], (NOBODY,)),
    "hangs_up_at_once": Case(["hangup"], (NOBODY,)),
}
RECORDS = {
    name: Case(typed, (Person("chen", "陈老师"),), consent=name != "no_consent_to_record")
    for name, typed in record_cases.TYPED.items()
}
BALLOTS = {name: Case(typed, (_with(WANG, **ballot_cases.OFFERED),)) for name, typed in ballot_cases.RINGS_IN.items()}
CASES = {
    "record_prompts": RECORDS,
    "reply": {name: Case(typed, **reply_cases.MORE.get(name, {})) for name, typed in reply_cases.TYPED.items()},
    "rings_in": {
        **RINGS_IN,
        **{name: Case(**case) for name, case in {**ticket_cases.RINGS_IN, **register_cases.RINGS_IN}.items()},
        **BALLOTS,
    },
    "notices": {name: Case(typed) for name, typed in notice_cases.NOTICES.items()},
    "ballot": {name: Case(typed) for name, typed in ballot_cases.BALLOT.items()},
    "booking": {name: Case(typed) for name, typed in ticket_cases.BOOKING.items()},
    "test_call": {name: Case(**case) for name, case in trial_cases.CALLS.items()},
    "stranger": {**STRANGER, **{name: Case(typed, (NOBODY,)) for name, typed in ballot_cases.STRANGER.items()}},
    "line_alarm": LINE_ALARM,
    "daily_checkin": DAILY_CHECKIN,
    "hand_over": HAND_OVER,
    "dispatch": DISPATCH,
    "finding": FINDING,
    "buddy_log": BUDDY_LOG,
    "taken": TAKEN,
    "alarm": ALARM,
}


@pytest.mark.parametrize(("flow", "name"), [(flow, name) for flow, cases in CASES.items() for name in cases])
def test_conversation(flow: str, name: str) -> None:
    compare(HERE / flow / f"{name}.txt", transcript(flow, CASES[flow][name]))


@pytest.mark.parametrize("flow", CASES)
def test_no_golden_file_without_a_case(flow: str) -> None:
    assert {path.stem for path in (HERE / flow).glob("*.txt")} == set(CASES[flow])


def test_every_shipped_flow_has_its_cases() -> None:
    assert set(CASES) == set(loader.shipped_names())


def transcript(flow_name: str, case: Case) -> str:
    flow = loader.shipped(flow_name)
    variables = {"committee": "桃源居委会", **BUDDY, **case.variables} | (
        {"notice": case.notice} if case.notice else {}
    )
    lines: list[str] = []
    line = TextLine(Session(flow, CallContext(case.people, variables, case.consent)), flow.distress, lines.append)
    line.start()
    for typed in case.typed:
        assert not line.session.over, f"the call was over before {typed!r}"
        line.session = Session.from_json(flow, json.loads(json.dumps(line.session.to_json())))
        lines.append(f"> {typed}".rstrip())
        line.type(typed)
    assert line.session.over, "the call goes on"
    return "\n".join([*lines, *map(finding_line, line.session.findings)]) + "\n"


def finding_line(finding: Finding) -> str:
    detail = json.dumps(dict(finding.detail), ensure_ascii=False, sort_keys=True)
    return f"= {finding.person}: {finding.result} ({finding.evidence}) {detail}"


def compare(file: Path, text: str) -> None:
    if UPDATE:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.exists(), f"{file.name} is missing: run with WENAN_UPDATE_GOLDEN=1 and read what it says"
    assert text == file.read_text(encoding="utf-8")
