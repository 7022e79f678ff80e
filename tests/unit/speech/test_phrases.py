"""From heard text to meaning: what counts, what must never count."""

from __future__ import annotations

import pytest

from speech.phrases import _SOUNDS_LIKE, _SOUNDS_LIKE_ALONE, Match, match, normalise, simplify

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


@pytest.mark.parametrize(
    "text",
    [
        *(
            "不,救命",
            "不救命",
            "不不不,救命",
            "别,救命啊",
            "没有,救命",
            "没救命",
            "没有,摔倒了",
            "没有啊摔倒了",
            "不是,摔倒了",
        ),
        *(
            "不摔倒了",
            "没没摔倒了",
            "没有没有摔倒了",
            "不是没摔倒了",
            "不,不,胸口痛",
            "没有。起不来了",
            "不,就命",
            "秀命,不要",
        ),
    ],
)
def test_what_may_be_no_denial_is_distress(text: str) -> None:
    assert meaning(text) == "distress"


@pytest.mark.parametrize("text", ["没有胸口痛", "我没有摔倒了", "没有没有,没胸口痛", "呒没摔倒了", "没 摔倒 了"])
def test_a_fall_or_pain_is_denied_by_no_right_before_it(text: str) -> None:
    assert meaning(text) != "distress"


def test_a_pause_in_the_middle_of_a_cry_is_no_matter() -> None:
    assert meaning("救,命") == "distress"
    assert meaning("我摔……倒了") == "distress"
    assert meaning("旧,命") == "distress"


def test_distress_denied_and_then_said_is_distress() -> None:
    assert meaning("没摔倒了,现在真的摔倒了") == "distress"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("秀命啊", "distress"),
        ("专人工", "talk"),
        ("满好", "well"),
        ("不受服", "unwell"),
        ("握水倒呢", "distress"),
        ("心不情", "repeat"),
    ],
)
def test_what_sounds_the_same_on_a_telephone(text: str, expected: str) -> None:
    assert meaning(text) == expected


@pytest.mark.parametrize("wrong", [*_SOUNDS_LIKE, *_SOUNDS_LIKE_ALONE])
def test_a_sound_alike_is_looked_up_in_what_was_normalised(wrong: str) -> None:
    assert normalise(wrong) == wrong


DOOR = {
    "yes": ["我是本人", "是的"],
    "no": ["不是", "我不是"],
    "someone_else": ["我是邻居", "我是她邻居", "我是她女儿"],
    "wrong_number": ["打错了", "打错电话了", "你打错了"],
    "distress": ["救命", "爬不起来"],
}


def at_the_door(text: str) -> tuple[str, bool] | None:
    found = match(text, DOOR)
    return (found.meaning, found.whole) if found else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("不是,我是她女儿。", "someone_else"),
        ("我不是,我是邻居", "someone_else"),
        ("不是,你打错了", "wrong_number"),
        ("不是不是,打错电话了", "wrong_number"),
        ("你大错了", "wrong_number"),
        ("太错了", "wrong_number"),
        ("打触了", "wrong_number"),
        ("我是北人", "yes"),
        ("我是本源", "yes"),
        ("我是林局", "someone_else"),
        ("我是她林俊", "someone_else"),
        ("我扒不起来", "distress"),
        ("秀民啊", "distress"),
    ],
)
def test_at_the_door(text: str, expected: str) -> None:
    found = at_the_door(text)
    assert found is not None
    assert found[0] == expected
    assert found[1] or expected == "distress"


@pytest.mark.parametrize("text", ["没打错", "不是打错", "我是林俊", "王秀民", "是的,我不是", "你这个人大错特错"])
def test_what_is_something_else_at_the_door(text: str) -> None:
    found = at_the_door(text)
    assert found is None or found[0] == "no"


def test_who_speaks_anew_after_a_no_is_not_denied() -> None:
    assert at_the_door("喂,不是的哟,我是邻居,她在睡觉") == ("someone_else", False)


@pytest.mark.parametrize("text", ["没什么好", "没什么好的", "没什么舒服的", "没啥精神好", "好是好", "好是好,好是好"])
def test_good_words_that_say_the_opposite(text: str) -> None:
    menu = {"well": ["好", "没什么", "没啥", "舒服的", "精神好", "蛮好"], "yes": ["是", "好的", "可以"]}
    assert match(text, menu) is None


def test_nothing_and_then_good_is_not_sure() -> None:
    menu = {"well": ["没什么", "蛮好的"]}
    assert match("没什么,蛮好的", menu) == Match("well", "没什么", whole=False)
    assert match("蛮好的,没什么", menu) == Match("well", "蛮好的", whole=True)


NOTHING = ("没什么", "没有什么", "没啥", "没有啥", "呒没啥", "呒啥")
MORNING = {
    "well": [
        *NOTHING,
        *(f"{nothing}{word}" for nothing in NOTHING for word in ("不舒服", "勿适意")),
        "没有不舒服",
        "好",
    ],
    "unwell": ["不舒服", "勿适意", "不好", "不大舒服", "头晕", "痛"],
}


@pytest.mark.parametrize("nothing", [*NOTHING, "没有", "呒没", "没"])
@pytest.mark.parametrize("pause", [",", "。", ", ", "啊,", "呀", "……", "，"])
@pytest.mark.parametrize("complaint", ["不舒服", "勿适意", "不大舒服", "不受服", "有点头晕"])
def test_nothing_and_then_a_complaint_is_a_complaint(nothing: str, pause: str, complaint: str) -> None:
    found = match(f"{nothing}{pause}{complaint}", MORNING)
    assert found is not None
    assert (found.meaning, found.whole) == ("unwell", False)


@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize("space", ["", " "])
@pytest.mark.parametrize("complaint", ["不舒服", "勿适意"])
def test_without_a_pause_in_writing_it_is_not_sure(nothing: str, space: str, complaint: str) -> None:
    found = match(f"{nothing}{space}{complaint}", MORNING)
    assert found is not None
    assert (found.meaning, found.whole) == ("well", False)
    also = match(f"好,{nothing}{space}{complaint}", MORNING)
    assert also is None or not also.whole


@pytest.mark.parametrize("text", ["没什么,不舒服", "没啥,勿适意", "没什么啊不舒服", "没有,不舒服"])
def test_nothing_and_then_a_not_is_no_good_news_where_no_complaint_is_asked_for(text: str) -> None:
    assert match(text, {"well": MORNING["well"], "yes": MORNING["well"]}) is None


def test_nothing_twice_is_still_nothing() -> None:
    assert match("没什么,没什么", MORNING) == Match("well", "没什么", whole=False)
    assert match("没有,没有不舒服", MORNING) is None
    assert match("没有不舒服", MORNING) == Match("well", "没有不舒服", whole=True)


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


def test_a_phrase_that_is_written_so_goes_before_one_that_only_loses_a_particle() -> None:
    menu = {"well": ("可以额",), "yes": ("可以呀", "可以")}
    assert match("可以", menu) == Match("yes", "可以", whole=True)
    assert match("可以额。", menu) == Match("yes", "可以", whole=True)
