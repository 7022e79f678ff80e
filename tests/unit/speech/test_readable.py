"""Dictations for people: punctuation from pauses, no stray blanks, every word kept."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.phrases import normalise, simplify
from speech.readable import readable
from speech.recogniser import Word

NEGATIONS = "不没勿别未无非莫呒"


def spoken(*words: tuple[str, float]) -> tuple[str, list[Word]]:
    """Words of 0.3 s, each with the pause after it; and the text that an engine makes of them."""
    at, told = 0.0, []
    for text, pause in words:
        told.append(Word(text, at, at + 0.3, 0.9))
        at += 0.3 + pause
    return "".join(text for text, _ in words), told


def test_pauses_become_punctuation() -> None:
    told = spoken(("楼上", 0.1), ("漏水", 0.6), ("漏了", 0.1), ("三天", 1.5), ("几时", 0.1), ("来修", 0.0))
    assert readable(*told) == "楼上漏水，漏了三天。几时来修？"


def test_the_limits_are_045_and_12_seconds() -> None:
    assert readable(*spoken(("漏水", 0.44), ("三天", 0.0))) == "漏水三天。"
    assert readable(*spoken(("漏水", 0.46), ("三天", 0.0))) == "漏水，三天。"
    assert readable(*spoken(("漏水", 1.19), ("三天", 0.0))) == "漏水，三天。"
    assert readable(*spoken(("漏水", 1.21), ("三天", 0.0))) == "漏水。三天。"


def test_a_number_said_slowly_is_not_torn() -> None:
    told = spoken(("电话", 0.1), ("一三八", 0.6), ("一二三四", 0.7), ("五六七八", 0.0))
    assert readable(*told) == "电话13812345678。"
    assert readable(*spoken(("一百", 0.5), ("二十", 0.1), ("块", 0.0))) == "120块。"
    assert readable(*spoken(("五", 0.5), ("六", 0.1), ("个", 0.0))) == "五，六个。"


def test_no_mark_comes_between_a_negation_and_what_it_denies() -> None:
    assert readable(*spoken(("我", 0.1), ("不", 0.8), ("要去", 0.0))) == "我不要去。"
    assert readable(*spoken(("身体", 0.1), ("勿", 2.0), ("好", 0.0))) == "身体勿好。"
    assert readable(*spoken(("没", 0.5), ("什么", 0.1), ("事", 0.0))) == "没什么事。"


@pytest.mark.parametrize("said", ["几时来修", "有没有人管", "侬来伐", "这个怎么办", "要多少钱", "啥人来"])
def test_questions_end_with_a_question_mark(said: str) -> None:
    assert readable(*spoken((said, 0.0))) == f"{said}？"


@pytest.mark.parametrize("said", ["谁都不来", "没什么", "不知道几时来", "啥也没有", "灯坏了"])
def test_statements_do_not(said: str) -> None:
    assert readable(*spoken((said, 0.0))) == f"{said}。"


def test_the_engines_own_punctuation_is_kept() -> None:
    text, words = spoken(("楼上漏水,", 2.0), ("三天了。", 0.0))
    assert readable(text, words) == "楼上漏水，三天了。"


def test_words_that_are_not_the_text_are_not_used() -> None:
    _, words = spoken(("漏水", 2.0), ("三天", 0.0))
    assert readable("楼上漏水", words) == "楼上漏水"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("樓 上 漏 水", "楼上漏水"),
        ("嗯 嗯嗯 那个那个那个 路灯坏了", "嗯那个路灯坏了"),
        ("啊啊啊", "啊啊啊"),
        ("不不不", "不不不"),
        ("对对对", "对对对"),
        ("漏水,,。三天?", "漏水。三天？"),
        (",你好...", "你好……"),
        ("3,000块,8:30来,3.5度", "3,000块，8:30来，3.5度"),
        ("坐 A 10 路", "坐A 10路"),
        ("call me back", "call me back"),
        ("", ""),
    ],
)
def test_tidied(written: str, shown: str) -> None:
    assert readable(written) == shown


CHARS = st.sampled_from(
    [*"楼上漏水三五十零百一二两点号嗯呃啊不没勿别未的了吗谁都个，。？,.?!: A3…那這樓", "那个", "这个", "  "]
)
TEXTS = st.lists(CHARS, max_size=14).map("".join)


@given(TEXTS | st.text(max_size=20))
def test_twice_is_once(text: str) -> None:
    once = readable(text)
    assert readable(once) == once


@given(
    st.lists(
        st.tuples(st.sampled_from(["不", "没有", "三", "十五", "号", "楼上", "谁", "嗯", "好"]), st.floats(0, 3)),
        max_size=8,
    )
)
def test_with_pauses_twice_is_once(said: Sequence[tuple[str, float]]) -> None:
    text, words = spoken(*said)
    once = readable(text, words)
    assert readable(once, words) == once


@given(TEXTS)
def test_no_negation_is_lost_or_invented(text: str) -> None:
    plain, shown = simplify(text), readable(text)
    assert [char for char in shown if char in NEGATIONS] == [char for char in plain if char in NEGATIONS]


@given(st.lists(st.sampled_from(["楼上", "不好", "漏水", "谁", "好"]), min_size=1, max_size=8), st.data())
def test_no_word_is_lost(words: list[str], data: st.DataObject) -> None:
    told = spoken(*((word, data.draw(st.floats(0, 2))) for word in words))
    assert normalise(readable(*told)) == normalise(told[0])
