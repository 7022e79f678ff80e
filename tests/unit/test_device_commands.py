"""`devices` from the command line: address and secret once, everything by a name."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import select

from checkins import devices
from checkins.device_tables import Device
from checkins.people import add_person
from checkins.standard_webhooks import signed
from checkins.tables import Neighbourhood
from cli import device_commands
from settings import Settings
from storage.database import Database
from storage.migrate import upgrade


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    url = f"sqlite:///{tmp_path}/wenan.db"
    upgrade(url)
    db = Database(url)
    with db.write() as session:
        place = Neighbourhood(name="曹杨", committee="曹杨居委会", timezone="Asia/Shanghai")
        session.add(place)
        session.flush()
        add_person(session, place.id, "王秀珍", "王阿婆", "021-10001234")
    db.close()
    return Settings(database_url=url, data_dir=tmp_path, public_url="https://line.example.org")


async def test_a_device_is_added_tested_made_live_and_removed(settings: Settings) -> None:
    out = Console(record=True, width=200)
    assert await device_commands.add(settings, "王秀珍", "smoke", "陈老师", out, testing=True) == 0
    said = out.export_text()
    found = re.search(r"https://line\.example\.org/devices/(dev-[0-9a-f]{16})\nsecret: +(whsec_\S+)", said)
    assert found, said
    device, secret = found.groups()
    db, now = Database(settings.database_url), datetime.now(UTC)
    with db.read() as session:
        assert session.scalar(select(Device.testing)) is True
        assert devices.check(session, device, signed(secret, "msg_1", now, b"{}"), b"{}", now)
    db.close()
    assert await device_commands.show(settings, out) == 0
    listed = out.export_text()
    assert device in listed
    assert secret not in listed
    assert await device_commands.set_testing(settings, device, "陈老师", out, testing=False) == 0
    assert await device_commands.remove(settings, device, "陈老师", out) == 0
    assert await device_commands.show(settings, out) == 0
    assert device not in out.export_text().split("removed")[1]


@pytest.mark.parametrize(
    ("elder", "kind", "by", "sentence"),
    [
        ("李四", "smoke", "陈老师", "no elder with this id or name"),
        ("王秀珍", "toaster", "陈老师", "--kind must be one of alarm_button, smoke"),
        ("王秀珍", "smoke", " ", "say who"),
    ],
)
async def test_what_is_wrong_is_said_in_one_sentence(
    settings: Settings, elder: str, kind: str, by: str, sentence: str
) -> None:
    out = Console(record=True, width=200)
    assert await device_commands.add(settings, elder, kind, by, out, testing=False) == 2
    assert sentence in out.export_text()
    assert await device_commands.remove(settings, "dev-0", "陈老师", out) == 2
