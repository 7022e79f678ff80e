"""How the line stands, which neighbourhoods it serves, which devices it listens to."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import devices
from checkins.alarms import Alarm, open_alarms
from checkins.device_tables import Device
from checkins.tables import Neighbourhood
from console import view
from console.api.reads import Reads
from console.deps import Deps


class LineAlarm(BaseModel):
    kind: str
    text: str = Field(description="一句话，不含姓名和号码")
    raised_at: datetime
    acknowledged: bool


class Status(BaseModel):
    """`ok`: the clock is right and nothing fails that must not."""

    ok: bool
    clock_behind: bool
    line_down: bool
    late: int = Field(description="elders without a next action, as the auditor last found them")
    emergencies: int = Field(description="that nobody has yet")
    failing: list[str]
    alarms: list[LineAlarm]


class Place(BaseModel):
    id: int
    name: str
    committee: str
    timezone: str


class DeviceState(BaseModel):
    id: str
    kind: str
    elder: str = Field(description="whose, by id")
    testing_until: datetime | None
    last_alarm: datetime | None
    last_test: datetime | None


def add(router: APIRouter, deps: Deps) -> None:
    reads = Reads(deps)

    @router.get("/status", tags=["line"], summary="How the line stands")
    async def status() -> Status:
        return await reads.look(lambda session, now: _status(deps, session, now))

    @router.get("/neighbourhoods", tags=["line"], summary="Neighbourhoods")
    async def neighbourhoods() -> list[Place]:
        return await reads.look(lambda session, now: _places(session))

    @router.get("/devices", tags=["line"], summary="Alarm buttons and smoke detectors")
    async def all_devices() -> list[DeviceState]:
        return await reads.look(_devices)


def _status(deps: Deps, session: Session, now: datetime) -> Status:
    house, shell, failing = view.house(session, now), view.shell(session, now), list(deps.failing())
    return Status(
        ok=house.well and not failing,
        clock_behind=house.clock_behind,
        line_down=house.line_down,
        late=len(deps.late()),
        emergencies=len(shell.emergencies),
        failing=failing,
        alarms=[_alarm(each) for each in open_alarms(session)],
    )


def _alarm(alarm: Alarm) -> LineAlarm:
    known = alarm.acknowledged_at is not None
    return LineAlarm(kind=alarm.kind, text=alarm.text, raised_at=alarm.raised_at, acknowledged=known)


def _places(session: Session) -> list[Place]:
    found = session.scalars(select(Neighbourhood).order_by(Neighbourhood.id))
    return [Place(id=each.id, name=each.name, committee=each.committee, timezone=each.timezone) for each in found]


def _devices(session: Session, now: datetime) -> list[DeviceState]:
    whose = {id_: elder for id_, elder in session.execute(select(Device.id, Device.elder_id))}
    return [
        DeviceState(
            id=each.id,
            kind=each.kind,
            elder=whose[each.id],
            testing_until=each.until,
            last_alarm=each.last,
            last_test=each.last_test,
        )
        for each in devices.listed(session, now)
    ]
