"""A call that goes on after a restart is taken up by its flow's version (docs/flows.md): where steps move, the version
must move with them. WENAN_UPDATE_GOLDEN=1 writes down new versions, and refuses steps that moved alone."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from callflows import loader

FILE = Path(__file__).with_name("versions.json")
APART = ("place", "phrases", "texts")  # where it stands, how it is heard, and its words: a call finds its way without
KNOWN: dict[str, list[Any]] = json.loads(FILE.read_text("utf-8"))


def digest(name: str) -> str:
    steps = _bare([asdict(step) for step in loader.shipped(name).steps.values()])
    return hashlib.sha256(json.dumps(steps, sort_keys=True).encode()).hexdigest()[:16]


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _bare(each) for key, each in value.items() if key not in APART}
    return [_bare(each) for each in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("name", loader.shipped_names())
def test_a_flow_whose_steps_changed_has_a_new_version(name: str) -> None:
    now = [loader.shipped(name).version, digest(name)]
    before = KNOWN.get(name, now)
    assert now == before or now[0] > before[0], f"{name}.yaml: its steps changed, add one to its version"
    if os.environ.get("WENAN_UPDATE_GOLDEN") == "1":
        KNOWN[name] = now
        FILE.write_text(json.dumps(KNOWN, indent=0, sort_keys=True) + "\n", "utf-8")
    assert KNOWN.get(name) == now, "write it down: WENAN_UPDATE_GOLDEN=1"
