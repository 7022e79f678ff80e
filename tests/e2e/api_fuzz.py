"""Schemathesis against the running API, by its own document: no 5xx, nothing undeclared. `python -m tests.e2e.api_fuzz`
goes on for as long as its options say (`make api-fuzz`)."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from checkins import items
from checkins.ports import CallOutcome
from checkins.tables import Person
from community import notices
from community import tickets_rows as tickets
from console.api.pace import Pace
from console.scopes import Scope
from serving import listen, serve
from tests.e2e.office import Office, open_office
from tests.fakes.tokens import token_of
from tests.unit.community.hall import Hall
from tests.unit.community.vote import Vote

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
    "unsupported_method",
)
Sample = dict[str, list[Any]]


async def lived_in(office: Office) -> Sample:
    """Something of each kind, so that acts find what they are about: values of the addresses' parameters."""
    world = office.world
    agreed = {"calls": True, "recording": True, "street": True}
    elder, other = world.elder("王秀英", consents=agreed, address="3号楼502室"), world.elder("李建国")
    staff = world.elder("陈老师", role="staff")
    await world.to("08:30")
    await office.not_well(elder)
    call, now = world.last_call(other), world.clock.now()
    await world.cycle.settle(CallOutcome(call.id, now, final=False, alarm="distress", alarm_person=other))
    hall = Hall(world)
    complaint = await hall.complains(elder)
    hall.hears(complaint)
    vote, now = Vote(hall), world.clock.now()
    with world.db.write() as session:
        items.ring_back(session, "call-9", session.get_one(Person, elder), now)
        ticket = tickets.new(session, "call-8", elder, now, "taxi").number
        until = world.at("18:00")
        notice = notices.publish(session, world.place_id, "明天停水", "陈老师", now, until=until).number
    return {
        "case_id": [office.case(elder), office.case(other)],
        "elder_id": [elder, other, staff],
        "item_id": [1, 2],
        "place": [world.place_id],
        "number": [complaint, ticket, notice, vote.number, 1],
    }


def with_samples(document: dict[str, Any], sample: Sample) -> dict[str, Any]:
    """The same document, whose addresses' parameters are mostly those that there are."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and (known := sample.get(parameter["name"])):
                    parameter["examples"] = {str(value): {"value": value} for value in known}
                    parameter["schema"] = {"anyOf": [{"enum": known}, {"enum": known}, parameter["schema"]]}
    return document


async def fuzz(folder: Path, options: Sequence[str]) -> tuple[int, str]:
    """The exit status of schemathesis, and what it said."""
    async with open_office(folder) as office:
        vars(office.deps.pace).update(vars(Pace(1e9, 1e9)))
        sample = await lived_in(office)
        token = token_of(office.world.db, office.world.clock.now(), Scope)
        document = (await office.client.get("/api/v1/openapi.json")).json()
        file = folder / "openapi.json"
        file.write_text(json.dumps(with_samples(document, sample)))
        with listen(0) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with serve(office.app, listener, 6):
                return await _run(file, url, token, options)


async def _run(file: Path, url: str, token: str, options: Sequence[str]) -> tuple[int, str]:
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run", str(file)]
    command += ["--url", url, "-H", f"Authorization: Bearer {token}", "--checks", ",".join(CHECKS)]
    command += ["--no-color", "--warnings", "off", "--generation-database", "none", *options]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=file.parent,
        env={**os.environ, "PYTHONWARNINGS": "ignore", "NO_PROXY": "127.0.0.1"},
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        status, said = asyncio.run(fuzz(Path(folder), sys.argv[1:]))
    print(said)
    return status


if __name__ == "__main__":
    sys.exit(main())
