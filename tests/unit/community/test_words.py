"""Categories and places by words, and the table that people edit."""

from __future__ import annotations

from pathlib import Path

import pytest

from community import words


@pytest.mark.parametrize(
    ("text", "category", "place"),
    [
        ("我们1234弄5号301室楼上漏水，物业也不来修", "漏水", "1234弄5号301室楼上"),
        ("三号楼二楼的灯坏了，墨墨黑", "路灯", "三号楼二楼"),
        ("楼下天天搓麻将，吵煞了", "噪音", "楼下"),
        ("电梯坏了三天", "电梯", ""),
        ("想请人帮我挂号", "看病", ""),
        ("我想问问", "其他", ""),
        ("", "其他", ""),
    ],
)
def test_the_most_and_the_longest_count(text: str, category: str, place: str) -> None:
    assert (words.category(text), words.place(text)) == (category, place)


def test_both_languages_are_there_and_every_category_has_words() -> None:
    table = words.FILE.read_text("utf-8")
    assert "\twuu\t" in table
    for name in ("漏水", "电梯", "噪音", "垃圾", "停车", "邻里", "物业", "路灯", "看病"):
        assert name in words.CATEGORIES
    assert words.CATEGORIES[-1] == words.OTHER


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("category\tzh\t漏水", "four fields"),
        ("thing\tzh\t漏水\t漏水", 'unknown kind "thing"'),
        ("category\tde\t漏水\t漏水", 'unknown language "de"'),
        ("category\tzh\tleak\t漏水", "is no word"),
        ("place\tzh\t#\t", "is no word"),
        ("category\tzh\t漏水\t", "must say which category"),
        ("place\tzh\t楼道\t漏水", "must not"),
        ("place\tzh\t弄堂\t", "stands there twice"),
    ],
)
def test_a_slip_in_the_table_is_named_with_its_line(tmp_path: Path, line: str, why: str) -> None:
    file = tmp_path / "words.tsv"
    file.write_text(f"{words.HEADER}\nplace\tzh\t弄堂\t\n{line}\n", "utf-8")
    with pytest.raises(words.WordsError, match=f"words.tsv:3: .*{why}"):
        words.entries(file)


def test_a_table_without_its_heading_is_none(tmp_path: Path) -> None:
    (tmp_path / "words.tsv").write_text("place\tzh\t弄堂\t\n", "utf-8")
    with pytest.raises(words.WordsError, match="first line"):
        words.entries(tmp_path / "words.tsv")
