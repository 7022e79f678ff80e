"""Marks for staff: what is found, what is left alone, and a data file that is checked like a person's work."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lexicon
from callflows.loader import shipped
from speech.marks import HEADER, MarksError, entries, marks
from speech.readable import readable


def found(text: str) -> list[tuple[str, str]]:
    return [(mark.kind, mark.word) for mark in marks(text)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("楼上漏水，漏到3号楼502室", [("place", "楼上"), ("category", "漏水"), ("place", "3号楼"), ("place", "502室")]),
        ("弄堂口个路灯勿亮，墨黑", [("place", "弄堂口"), ("category", "路灯"), ("category", "墨黑")]),
        ("我在卫生间摔倒了，爬不起来", [("place", "卫生间"), ("distress", "摔倒了"), ("distress", "爬不起来")]),
        ("掼跤了，胸口痛", [("distress", "掼跤了"), ("distress", "胸口痛")]),
        ("没摔倒", [("distress", "摔倒")]),
        ("煤气漏了", [("distress", "煤气漏了")]),
        ("煤气表坏了", [("category", "煤气表")]),
        ("起不，来了", [("distress", "起不，来了")]),
        ("隔壁天天搓麻将，吵得来", [("place", "隔壁"), ("category", "搓麻将"), ("category", "吵")]),
        ("今天天气蛮好", []),
        ("", []),
    ],
)
def test_what_is_marked(text: str, shown: list[tuple[str, str]]) -> None:
    assert found(text) == shown


def test_numbers_count_as_said_and_as_digits() -> None:
    assert found("三号楼") == [("place", "三号楼")]
    assert found("3号楼") == [("place", "3号楼")]
    assert found(readable("一四一四弄八号三零一室")) == [("place", "1414弄8号301室")]
    assert found("万一楼") == [("place", "一楼")], "万 is no part of a floor"


def test_every_call_for_help_of_the_flow_is_marked() -> None:
    cries = shipped("daily_checkin").distress
    assert len(cries) > 50
    assert [phrase for phrase in cries if found(phrase) != [("distress", phrase)]] == []


def test_the_file_adds_to_the_lexicon_and_repeats_nothing_of_it() -> None:
    known = set(lexicon.load().phrases("distress"))
    assert [entry.word for entry in entries() if entry.kind == "distress" and entry.word in known] == []


def test_both_languages_have_words_of_every_kind() -> None:
    have = {(entry.kind, entry.language) for entry in entries()}
    assert have == {(kind, language) for kind in ("distress", "place", "category") for language in ("zh", "wuu")}


@given(st.lists(st.sampled_from([entry.word for entry in entries()] + [*"一3没不了，。好"]), max_size=8).map("".join))
def test_marks_are_in_order_inside_and_apart(text: str) -> None:
    at = 0
    for mark in marks(text):
        assert at <= mark.start < mark.end <= len(text)
        assert text[mark.start : mark.end] == mark.word
        at = mark.end


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("place\tzh", "three fields"),
        ("plac\tzh\t楼上", 'unknown kind "plac"'),
        ("place\ten\t楼上", 'unknown language "en"'),
        ("place\tzh\t#", "is no word"),
        ("place\tzh\t楼 上", "is no word"),
        ("place\tzh\t", "is no word"),
        ("place\tzh\t楼", "too short"),
        ("distress\twuu\t电梯", "stands in line 2 already"),
    ],
)
def test_a_slip_in_the_file_is_named_with_its_line(tmp_path: Path, line: str, why: str) -> None:
    file = tmp_path / "marks.tsv"
    file.write_text(f"{HEADER}\nplace\tzh\t电梯\n{line}\n", "utf-8")
    with pytest.raises(MarksError, match=rf"marks\.tsv:3: .*{why}"):
        entries(file)


def test_a_file_without_its_header_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "marks.tsv"
    file.write_text("place\tzh\t电梯\n", "utf-8")
    with pytest.raises(MarksError, match=r"marks\.tsv:1: the first line"):
        entries(file)
