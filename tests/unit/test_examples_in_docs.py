"""What stands in the docs to be typed: it holds whatever the day, and one example can follow another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import server

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
AHEAD = re.compile(r'--(?:until|at|offer|before|from) "?\d{4}-\d\d-\d\d')


def typed(*arguments: str) -> str:
    result = CliRunner().invoke(server.app, list(arguments), env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


def table(page: str, number: int) -> str:
    """The page's table of that number, as a spreadsheet has it."""
    text = (ROOT / page).read_text("utf-8")
    fenced = re.findall(r"^ *```csv\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)[number]
    return "".join(f"{line.strip()}\n" for line in fenced.splitlines())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_names_a_day_that_will_be_over(page: Path) -> None:
    assert AHEAD.findall(page.read_text("utf-8")) == []


def test_the_first_elders_then_the_rosters_example_then_a_ballot(
    log_as_before: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tables = {"elders": ("README.md", 0), "people": ("docs/roster.md", 0), "roster": ("docs/roster.md", 1)}
    for name, (page, number) in {**tables, "owners": ("docs/ballots.md", 0)}.items():
        Path(f"{name}.csv").write_text(table(page, number), "utf-8")
    assert "2 added" in typed("people", "import", "elders.csv", "--committee", "曹杨居委会")
    assert "8 added, 0 known" in typed("people", "import", "people.csv", "--committee", "曹杨居委会")
    assert "9 lists changed" in typed("roster", "import", "roster.csv", "--by", "陈老师")
    asked = ["--topic", "换不换物业?", "--until", "2999-01-01", "--by", "陈老师"]
    assert "2 may choose" in typed("ballots", "new", "选物业", "--unit", "owner", "--roll", "owners.csv", *asked)
