"""From heard text to meaning: what counts, what must never count."""

from __future__ import annotations

import pytest

from speech.phrases import Match, match, normalise, simplify

MENU = {
    "well": ["好", "蛮好", "蛮好的", "身体很好", "没事", "没什么不舒服", "还可以"],
    "unwell": ["不好", "不舒服", "头晕", "没睡好"],
    "yes": ["是", "是的", "对"],
    "no": ["不是", "不要", "没有"],
    "talk": ["找人", "转人工", "找居委会"],
    "repeat": ["再说一遍", "听不清"],
    "refuse": ["以后不要打了", "别打了"],
    "distress": ["救命", "摔倒了", "起不来了", "胸口痛"],
}


def meaning(text: str) -> str | None:
    found = match(text, MENU)
    return found.meaning if found else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("好", "well"),
        ("好的,蛮好的,谢谢侬", None),  # "好的" is no phrase of this menu
        ("蛮好的,谢谢侬。", "well"),
        ("身體很好!", "well"),
        ("嗯,还可以啊", "well"),
        ("没什么不舒服", "well"),
        ("是的,蛮好的", "well"),
        ("不好", "unwell"),
        ("今天有点头晕", "unwell"),
        ("對", "yes"),
        ("我要找居委会的人", "talk"),
        ("你再说一遍好吗", "repeat"),
        ("以后不要打了", "refuse"),
        ("今天天气不错", None),
        ("", None),
        ("。。。", None),
    ],
)
def test_what_is_meant(text: str, expected: str | None) -> None:
    assert meaning(text) == expected


@pytest.mark.parametrize(
    "text", ["好是好,就是腿没劲", "不蛮好", "好什么好", "身体很好吗", "还可以不可以", "谁说我身体很好了", "不好不好"]
)
def test_well_needs_the_whole_utterance(text: str) -> None:
    assert meaning(text) != "well"


def test_two_meanings_are_none() -> None:
    assert meaning("是不是") != "yes"
    assert meaning("好不好") is None or meaning("好不好") == "unwell"


@pytest.mark.parametrize("text", ["没摔倒", "没有摔倒了", "不头晕", "没有什么不舒服", "没啥不舒服", "没有哪里不舒服"])
def test_what_is_denied_is_not_meant(text: str) -> None:
    assert meaning(text) not in ("distress", "unwell")


@pytest.mark.parametrize(
    "text",
    ["救命", "救命啊快来人", "哎哟我摔倒了", "我刚才摔倒了起不来了", "好好好救命", "身体很好救命", "胸口痛得厉害"],
)
def test_distress_is_found_anywhere(text: str) -> None:
    assert meaning(text) == "distress"


def test_distress_denied_and_then_said_is_distress() -> None:
    assert meaning("没摔倒了,现在真的摔倒了") == "distress"


@pytest.mark.parametrize(
    ("text", "expected"), [("秀命啊", "distress"), ("专人工", "talk"), ("满好", "well"), ("不受服", "unwell")]
)
def test_what_sounds_the_same_on_a_telephone(text: str, expected: str) -> None:
    assert meaning(text) == expected


def test_what_is_heard_rightly_wins_over_what_it_sounds_like() -> None:
    assert match("救命", MENU) == Match("distress", "救命", whole=True)
    assert match("救命,快来", MENU) == Match("distress", "救命", whole=False)


def test_the_longest_phrase_is_told() -> None:
    assert match("蛮好的", MENU) == Match("well", "蛮好的", whole=True)


def test_normalising() -> None:
    assert normalise("身體，很好 啊！") == "身体很好"
    assert simplify("頭暈１２") == "头晕12"


def test_matching_a_menu_of_nothing() -> None:
    assert match("好", {}) is None
    assert match("好", {"well": []}) is None
