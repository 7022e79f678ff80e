"""What the API answers is what its document says, whatever is asked (longer: make api-fuzz)."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.api_fuzz import fuzz


async def test_whatever_is_asked_nothing_breaks_and_nothing_undeclared_is_answered(tmp_path: Path) -> None:
    """As many requests on every machine, and the same: a failure repeats. Each bound of each field: make api-fuzz."""
    status, said = await fuzz(tmp_path, ["--phases", "fuzzing", "--max-examples", "3", "--seed", "1"])
    assert status == 0, said
