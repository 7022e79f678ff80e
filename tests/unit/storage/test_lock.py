"""One server on one data folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from storage.lock import FolderTakenError, held

HOLDER = """
import pathlib, sys
from storage.lock import held
with held(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    input()
"""


def test_a_folder_has_one_holder_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "wenan"
    with held(folder), pytest.raises(FolderTakenError, match="running on this data folder already"), held(folder):
        pass
    with held(folder), held(tmp_path / "other"):
        pass


def test_a_process_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(FolderTakenError), held(tmp_path):
            pass
        other.kill()
        other.wait()
        with held(tmp_path):
            assert (tmp_path / "lock").exists()


def test_a_folder_that_can_not_be_had_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    with (
        pytest.raises(FolderTakenError, match=r"WENAN_DATA_DIR \(.*data\) can't be used: File exists"),
        held(tmp_path / "data"),
    ):
        pass
