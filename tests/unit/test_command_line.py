"""The command line: complete help, and one clear sentence for every mistake."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import server
from storage.lock import held


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WENAN_MODELS", str(tmp_path / "none"))
    monkeypatch.setenv("WENAN_PORT", "0")


def run(*arguments: str, text: str = "") -> Result:
    return CliRunner().invoke(server.app, list(arguments), input=text, env={"COLUMNS": "200"})


@pytest.mark.parametrize(
    "command",
    ["serve", "demo", "round", "call", "flow", "models list", "models pull", "models verify", "people import"],
)
def test_every_command_has_help(command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert len(re.sub(r"\W+", " ", result.output).split()) > 12, "too short to be help"


def test_a_broken_setting_ends_with_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENAN_PORT", "many")
    result = run("serve")
    assert result.exit_code == 2
    assert result.stderr.startswith("wenan: WENAN_PORT: ")
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_port_that_is_taken_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("WENAN_PORT", str(taken.getsockname()[1]))
        result = run("round")
    assert result.exit_code == 2
    assert "another program has it. Choose another port: WENAN_PORT" in result.stderr


def test_a_second_server_on_a_data_folder_is_said_so_and_the_register_can_still_be_read(tmp_path: Path) -> None:
    with held(tmp_path / "data"):  # a running server does so before anything else
        refused = [run(*command.split()) for command in ("serve", "round", "call nobody")]
        beside = [run(*command.split()) for command in ("people list", "models list", "flow daily_checkin --check")]
    for result in refused:
        assert result.exit_code == 2
        assert result.stderr.startswith("wenan: a server is running on this data folder already (data); stop it")
        assert "WENAN_DATA_DIR" in result.stderr
    assert [result.exit_code for result in beside] == [0, 0, 0]


def test_a_data_folder_that_can_not_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    result = run("round")
    assert (result.exit_code, result.stderr.strip()) == (2, "wenan: WENAN_DATA_DIR (data) can't be used: File exists")


def test_a_broken_flow_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text("flow: odd\nversion: 1\nstps: {}\n")
    result = run("flow", "odd.yaml")
    assert result.exit_code == 2
    assert re.match(r"wenan: odd\.yaml:\d+: ", result.stderr)


def test_the_shipped_flow_is_sound_and_plays_as_text() -> None:
    assert run("flow", "daily_checkin", "--check").exit_code == 0
    result = run("flow", "daily_checkin", text="1\n1\n2\n")
    assert result.exit_code == 0
    assert "王阿婆" in result.output
    assert "→ well (key)" in result.output


def test_people_come_in_by_csv_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "elders.csv").write_text("姓名,称呼,电话\n王秀英,王阿婆,12\n", "utf-8")
    result = run("people", "import", "elders.csv", "--committee", "曹杨居委会")
    assert result.exit_code == 2
    assert "row 2, column phone: has too few digits" in result.output
    (tmp_path / "elders.csv").write_text("姓名,称呼,电话\n王秀英,王阿婆,62345678\n", "utf-8")
    assert run("people", "import", "elders.csv", "--committee", "曹杨居委会").exit_code == 0
    assert "王秀英" in run("people", "list").output


def test_an_unknown_elder_can_not_be_called() -> None:
    result = run("call", "nobody")
    assert result.exit_code == 1
    assert "no elder with this id or name" in result.output
