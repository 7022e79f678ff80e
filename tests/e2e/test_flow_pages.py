"""The drawings of flows, over HTTP."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from callflows.loader import shipped_names
from console import flow_layout
from console.roles import Role
from tests.e2e.office import open_office


async def test_each_flow_has_a_page_with_all_its_steps(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        office.log_in("审计", Role.AUDITOR)
        listed = (await office.client.get("/flows")).text
        for name in shipped_names():
            assert f'href="/flows/{name}"' in listed
        page = (await office.client.get("/flows/daily_checkin")).text
        assert 'id="step-greet.ask"' in page
        assert 'href="/prompts/' in page
        assert "style=" not in page
        assert ("<svg" in page) == bool(shutil.which("dot"))
        assert (await office.client.get("/flows/nothing")).status_code == 404
        assert (await office.client.get("/flows/..%2f..%2fetc")).status_code == 404


async def test_without_graphviz_the_list_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_layout, "PROGRAM", "no-such-program")
    async with open_office(tmp_path) as office:
        answer = await office.client.get("/flows/daily_checkin")
        assert answer.status_code == 200
        assert "apt-get install graphviz" in answer.text
        assert "<svg" not in answer.text
        assert 'id="step-health.ask"' in answer.text
        assert "按 1 好" in answer.text
