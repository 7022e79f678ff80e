"""docs/api.md: its first call is typed as it stands there; what it names is there."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest

from checkins.results import Status
from console.api.pace import A_SECOND, BURST
from console.scopes import Scope
from console.tokens import DAYS, MAX_DAYS
from serving import listen, serve
from tests.e2e.office import open_office
from tests.fakes.tokens import PROGRAM, token_of

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
TOOLS = ("sh", "curl")
needs_tools = pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"not all of {TOOLS} here")


def test_scopes_and_bounds_are_those_of_the_code() -> None:
    assert set(re.findall(r"[a-z]+:(?:read|act|listen)\b", PAGE)) <= set(Scope)
    assert f"{BURST:.0f} requests at once, then {A_SECOND:.0f} a second" in PAGE
    assert f"({DAYS}; at most {MAX_DAYS})" in PAGE


@needs_tools
async def test_the_first_call_lists_a_case_and_takes_it_over(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        world = office.world
        elder = world.elder("王秀英", consents={"calls": True, "recording": True, "street": True})
        await world.to("08:30")
        await office.not_well(elder)
        token = token_of(world.db, world.clock.now(), (Scope.CASES_READ, Scope.CASES_ACT))
        with listen(0) as listener:
            port = listener.getsockname()[1]
            async with serve(office.app, listener, 6):
                said = await _typed(_script(f"http://127.0.0.1:{port}", office.case(elder)), token)
        row = world.row(elder)
    assert '"reason":"not_well"' in said
    assert (row.status, row.owner) == (Status.NEEDS_PERSON, f"李主任（{PROGRAM}）")


def _script(here: str, case: int) -> str:
    (script,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    script, there = re.subn(r"https://console\.example\.org", here, script)
    script, mine = re.subn(r"cases/12/", f"cases/{case}/", script)
    assert (there, mine) == (1, 1)
    return re.sub(r"^read -rs TOKEN.*$", "", script, flags=re.MULTILINE)


async def _typed(script: str, token: str) -> str:
    surroundings = {**os.environ, "TOKEN": token, "NO_PROXY": "127.0.0.1"}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("sh", "-ec", script, stdout=pipe, env=surroundings)
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()
