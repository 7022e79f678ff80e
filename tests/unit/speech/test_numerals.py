"""Spoken numbers as digits: what a clerk would write, and what must stay as it was said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.numerals import GUARDS, NUMERALS, digits, is_one_number

WRITTEN = {
    "三月十五号": "3月15号",
    "十二月二十五号": "12月25号",
    "两百块": "200块",
    "一百零八块": "108块",
    "三万五千块": "35000块",
    "五百万": "500万",
    "一千零二": "1002",
    "五块钱": "5块钱",
    "一百二十号": "120号",
    "一四一四弄八号三零一室": "1414弄8号301室",
    "三号楼五零二室": "3号楼502室",
    "上三楼": "上3楼",
    "打一二零": "打120",
    "幺二零": "120",
    "电话一三八一二三四五六七八": "电话13812345678",
    "二零二六年": "2026年",
    "我八十五了": "我85了",
    "十五个人": "15个人",
    "二十多块": "20多块",
    "八点半": "8点半",
    "八点三十五分": "8点35分",
    "八点零五分": "8点05分",
    "八点十分": "8点10分",
    "下午两点": "下午2点",
    "十分钟": "10分钟",
    "三十七度五": "37度5",
    "三十八点二度": "38.2度",
    "血糖是八点五": "血糖是8.5",
    "零点五毫克": "0.5毫克",
    "百分之五十": "50%",
    "百分之三点五": "3.5%",
    "三万一起付": "3万一起付",
    "廿三号": "23号",
}
STAYS = (
    *(
        "一点点",
        "一点都不好",
        "今天一点都不舒服",
        "晚上一点都睡不着",
        "万一",
        "千万不要",
        "一起",
        "一块去",
        "一直",
        "十分痛",
    ),
    *(
        "三三两两",
        "七七八八",
        "不管三七二十一",
        "乱七八糟",
        "第一次",
        "第三个",
        "老三",
        "张三李四",
        "老百姓",
        "两个",
        "三天",
    ),
    *(
        "这两天",
        "二三十个",
        "七八百块",
        "一百二三十",
        "几十年",
        "上百个",
        "十几个",
        "数十个",
        "七八九个",
        "一二三",
        "二百五",
    ),
    *(
        "五十肩",
        "大年三十",
        "初三",
        "星期三",
        "礼拜二",
        "三分之一",
        "百分之二三十",
        "十三点",
        "侬十三点啊",
        "有两点",
        "三点意见",
    ),
    *("两室一厅", "五一", "三八妇女节", "一百个不情愿", "百货公司", "十字路口"),
)


@pytest.mark.parametrize(("said", "written"), WRITTEN.items())
def test_numbers_become_digits(said: str, written: str) -> None:
    assert digits(said) == written


@pytest.mark.parametrize("said", STAYS)
def test_what_is_no_number_stays(said: str) -> None:
    assert digits(said) == said
    assert digits(f"阿拉讲{said}呀") == f"阿拉讲{said}呀"


def test_digits_that_are_there_are_left_alone() -> None:
    assert digits("3月15号8点半,138") == "3月15号8点半,138"
    assert digits("3十") == "3十"


def test_a_number_said_with_a_pause_is_one() -> None:
    assert is_one_number("一百二十")
    assert is_one_number("一三八一二三四")
    assert not is_one_number("五六")
    assert not is_one_number("五六十八")


PIECES = st.sampled_from(
    [*NUMERALS, *"点半分度个号月块元楼室年第几多不没勿上下午钟起样百之%.0123", "百分之", "下午", "血糖", "分钟", "分之"]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_writing_digits_twice_is_writing_them_once(text: str) -> None:
    once = digits(text)
    assert digits(once) == once


@given(st.lists(PIECES, max_size=12).map("".join))
def test_nothing_but_numerals_changes(text: str) -> None:
    def others(of: str) -> str:
        return "".join(char for char in of if char not in NUMERALS and not char.isdigit() and char not in ".%点之分")

    assert others(digits(text)) == others(text)


@pytest.mark.parametrize("text", ["一万十", "两万十五块"])
def test_what_the_library_cannot_read_stays_as_it_is(text: str) -> None:
    assert digits(text) == text


def test_no_guard_stands_twice() -> None:
    assert len(set(GUARDS)) == len(GUARDS)
