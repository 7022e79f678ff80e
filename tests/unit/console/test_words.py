"""The words of a call's log are staff's: nothing that only engineers read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from callflows.loader import shipped, shipped_names
from checkins.results import LINE, Result
from console import words
from console.call_log import Entry

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ROOM = Path(__file__).parents[3] / "ivr"


def kinds() -> Iterator[str]:
    """What the telephone room writes into a call's log, as far as it is written down."""
    for path in sorted(ROOM.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name in ("note", "LogEntry") and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def entry(kind: str, **detail: Any) -> Entry:
    return Entry(kind, NOW, 0, detail)


def test_each_line_of_a_call_s_log_has_a_chinese_name_or_is_not_shown() -> None:
    found = set(kinds())
    assert len(found) > 12
    shown = [kind for kind in found if words.is_shown(entry(kind))]
    assert [kind for kind in shown if re.search("[a-z]", words.entry_zh(entry(kind))[0])] == []
    assert not words.is_shown(entry("query", name="pin"))
    assert not words.is_shown(entry("verdict", name="pin", word="right"))


@pytest.mark.parametrize("what", ["stream", "document", "recognition", "transcription", "call", "what comes some day"])
def test_a_fault_is_said_without_an_engineer_s_word(what: str) -> None:
    kind, text = words.entry_zh(entry("error", what=what, why="took too long"))
    assert kind == "故障"
    assert text
    assert not re.search("[a-z]", text)


@pytest.mark.parametrize("name", shipped_names())
def test_what_is_understood_has_a_word_in_every_flow(name: str) -> None:
    flow = shipped(name)
    offered = [choice.meaning for step in flow.steps.values() for choice in flow.offered(step)]
    unknown = [one for one in {*offered, *(choice.meaning for choice in flow.goodbye)} if words.meaning(one) == one]
    assert unknown == []


@pytest.mark.parametrize(
    ("by", "result", "said"),
    [
        ("陈老师", Result.WELL, "陈老师"),
        (LINE, Result.WELL, "老人自己的回答"),
        (LINE, Result.REFUSED, "电话里的回答"),
    ],
)
def test_who_closed_a_case_is_said_as_staff_would(by: str, result: Result, said: str) -> None:
    assert words.closer_zh(SimpleNamespace(closed_by=by, result=result)) == said
