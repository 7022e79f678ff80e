"""A whole line with register, roster and cycle as its own process: `python -m bench.alarmed CARRIER_URL`.

Writes one JSON line when it is ready. For every line of standard input it adds an elder with a daughter, has the elder
called at once, and writes who was called and who is to be rung for them; what follows, the line does by itself.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.line import ACCOUNT_SID, COMMITTEE, TOKEN, engines
from checkins.people import add_person
from checkins.people_csv import CONSENTS
from checkins.roster import edits
from checkins.roster.values import Rotation
from checkins.schedule import local_date
from checkins.tables import Checkin, Neighbourhood, Role
from house import House, open_house
from ivr.twilio.config import TwilioConfig
from settings import Settings
from speech.ears import Ears

ELDERS, STAFF, DAUGHTERS = "+8621555{:05}", "+862155610001", "+8621557{:05}"


async def main(carrier: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            database_url=f"sqlite:///{folder}/bench.db",
            data_dir=Path(folder),
            port=0,
            lines=200,
            calls_per_second=20,
        )

        def config(base_url: str) -> TwilioConfig:
            return TwilioConfig(ACCOUNT_SID, (TOKEN,), "+862155500000", base_url, carrier)

        ears = Ears(engines("phrase-scorer"), workers=1)
        async with open_house(settings, config=config, ears=ears) as house:
            await serve(house)


async def serve(house: House) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(house.run(stop))
    place = await house.db.run(_place)
    print(json.dumps({"base_url": house.base_url, "calls": []}), flush=True)
    number = 0
    while await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        number += 1
        elder = await _call(house, place, number)
        print(json.dumps({"elder": elder, "people": [STAFF, DAUGHTERS.format(number)]}), flush=True)
    stop.set()
    await running


async def _call(house: House, place: int, number: int) -> str:
    elder = await house.db.run(lambda session: _elder(session, place, number))
    await house.cycle.plan_one(elder)
    case = await house.db.view(
        lambda session: session.scalars(select(Checkin.id).where(Checkin.elder_id == elder)).one()
    )
    await house.cycle.call_now(case)
    return ELDERS.format(number)


def _place(session: Session) -> int:
    """Where it is noon, or nearly: nobody is called at night."""
    now = datetime.now(UTC)
    ahead = (12 - now.hour + 12) % 24 - 12
    zone = f"Etc/GMT{-ahead:+d}"  # POSIX: the sign says how far to the west
    place = Neighbourhood(name="槐荫里", committee=COMMITTEE, timezone=zone)
    session.add(place)
    session.flush()
    duty = add_person(session, place.id, "陈老师", "陈老师", STAFF, role=Role.STAFF).id
    edits.set_rotation(session, place.id, Rotation((duty,), anchor=local_date(zone, now)), "bench", now)
    return place.id


def _elder(session: Session, place: int, number: int) -> str:
    now, consents = datetime.now(UTC), dict.fromkeys(CONSENTS, True)
    elder = add_person(
        session, place, f"王{number}", "王阿婆", ELDERS.format(number), consents=consents, slot=18 * 60
    ).id
    name = f"王小妹{number}"
    daughter = add_person(session, place, name, "王小妹", DAUGHTERS.format(number), role=Role.FAMILY).id
    edits.set_family(session, elder, [daughter], "bench", now)
    return elder


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1]))
