"""Every row of docs/product.md's table has one story, and docs/rows.md is made from them."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = """
## What must have a telephone form

| system | working by phone |
|---|---|
| 纸质告示, 打电话通知 | notice calls |
| 一键通 (taxi) | one key |

## Line rules
| no | row |
"""


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import rows

    module: ModuleType = rows
    return module


def test_every_row_has_its_story_and_the_page_is_fresh(tool: ModuleType) -> None:
    known, found = tool.rows(tool.PRODUCT.read_text("utf-8")), list(tool.stories(tool.STORIES))
    assert tool.problems(known, found) == []
    assert tool.PAGE.read_text("utf-8") == tool.page(known, found), "run: make rows"


def test_a_story_is_called_like_its_row(tool: ModuleType) -> None:
    known = tool.rows(TABLE)
    assert known == {"纸质告示, 打电话通知": "notice calls", "一键通": "one key"}
    assert tool.test_name("纸质告示, 打电话通知") == "test_纸质告示_打电话通知"


def test_what_is_wrong_is_told(tool: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "e2e"
    folder.mkdir(parents=True)
    (folder / "test_two.py").write_text(
        '@pytest.mark.row("一键通")\nasync def test_a_taxi() -> None: ...\n'
        '@pytest.mark.row("电报")\nasync def test_电报() -> None:\n    """A telegram."""\n'
    )
    known, found = tool.rows(TABLE), list(tool.stories(folder))
    assert tool.problems(known, found) == [
        "纸质告示, 打电话通知: no story",
        "电报: test_电报 is no row's",
        "一键通: test_a_taxi must be test_一键通",
        "一键通: test_a_taxi doesn't say what it shows",
    ]
    assert "| 一键通 | one key | [test_a_taxi](../tests/e2e/test_two.py) |  |\n" in tool.page(known, found)
