"""Whatever the rooms that read spreadsheets say of a cell is said in Chinese, with what to do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.fault_words import column_zh, why_zh

ROOT = Path(__file__).parents[3]
_FILES = (
    "checkins/people_csv.py",
    "checkins/phones.py",
    "checkins/spreadsheet.py",
    "checkins/workbook.py",
    "checkins/roster/sheet.py",
    "community/register_people.py",
)
_SAYS = {"Fault", "_CellError", "ValueError", "NumberError", "TableError", "_RefusedError", "LookupError"}


def said() -> Iterator[str]:
    """What these files give to a fault, with something in each hole."""
    for file in _FILES:
        for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in _SAYS and node.args:
                text = _filled(node.args[-1])
                if text:
                    yield text


def _filled(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "12" for part in node.values)
    return ""


def test_every_fault_has_words_and_says_what_to_do() -> None:
    found = sorted(set(said()))
    assert len(found) > 35
    left = [text for text in found if text and not why_zh(text)[1]]
    assert left == []


@pytest.mark.parametrize(
    ("text", "zh"),
    [
        ("unknown heading '<b>'", "不认识表头“<b>”"),
        ("the heading phone (电话) is missing", "缺表头“电话”"),
        ("is buddy in the register; elder is needed here", "登记里的角色是老伙伴，这里不行"),
        ("王秀英 said so on 2026-03-02 (the row has no date)", "王秀英 2026-03-02 说的为准"),
        ("is merged with the cells down to row 9: each row needs its own", "和下面到第 9 行合并了"),
        ("something new", "something new"),
    ],
)
def test_words(text: str, zh: str) -> None:
    assert why_zh(text)[0] == zh


def test_columns_are_named_as_in_the_file() -> None:
    assert [column_zh(each) for each in ("phone", "until", "7", "")] == ["电话", "暂停到", "第 7 列", ""]
    assert [column_zh(each, "值班表") for each in ("person", "instead_of")] == ["谁", "替谁"]
