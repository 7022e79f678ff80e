"""`prompts` from the command line: which sentences there are, who recorded which, taking one back."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.sentences import number_of
from server import app
from speech.human import HumanRecordings
from speech.published import Published

TEXT = "收到。"
NUMBER = str(number_of(TEXT))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WENAN_HUMAN_PROMPTS", str(tmp_path))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["prompts", *arguments], env={"COLUMNS": "200"})


def line(result: Result) -> str:
    return next(one for one in result.output.splitlines() if NUMBER in one)


def test_from_the_list_to_taking_it_back(folder: Path) -> None:
    listed = run("list", "--flow", "reply")
    assert (listed.exit_code, line(listed).split()) == (0, [NUMBER, "rendered", TEXT])
    Published(folder).publish("zh", TEXT, b"\x10" * 800, "one", "chen", "2026-03-02T09:00:00+00:00")
    assert line(run("list")).split() == [NUMBER, "recorded", TEXT]
    assert NUMBER not in run("list", "--missing").output
    assert NUMBER in run("list", "--missing", "--language", "wuu").output
    assert {"publish", "chen", TEXT} <= {*line(run("published")).split()}
    taken = run("withdraw", NUMBER, "--by", "陈老师")
    assert (taken.exit_code, HumanRecordings(folder).get(TEXT, "zh")) == (0, None)
    again = run("withdraw", NUMBER, "--by", "陈老师")
    assert (again.exit_code, "nothing is published" in again.output) == (2, True)
