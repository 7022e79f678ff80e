"""Addresses of other programs on the page of tokens."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import select

from checkins.outgoing_tables import Endpoint, OutgoingMessage
from console.roles import Role
from tests.e2e.office import open_office

WHERE = "https://street.example/wenan?x=<b>"


async def test_a_supervisor_sets_an_address_whose_secret_is_shown_once(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        office.log_in("主任", Role.SUPERVISOR)
        wrong = await office.send("/tokens/hooks", url="http://street.example/", **{"hook-case.*": "1"})
        assert wrong.status_code == 422
        assert "没有保存" in wrong.text
        assert 'value="http://street.example/"' in wrong.text
        assert (await office.send("/tokens/hooks", url=WHERE)).status_code == 422
        assert (await office.send("/tokens/hooks", url=WHERE, place="99", **{"hook-case.*": "1"})).status_code == 422
        sent = await office.send("/tokens/hooks", url=WHERE, place=str(office.world.place_id), **{"hook-case.*": "1"})
        assert (sent.status_code, sent.headers["location"]) == (303, "/tokens")
        page = (await office.client.get("/tokens")).text
        (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]{44}", page.replace("&#43;", "+").replace("&#x3D;", "="))
        assert "x=&lt;b&gt;" in page
        assert "曹杨居委会" in page
        assert secret not in (await office.client.get("/tokens")).text
        await office.send("/tokens/hooks/1/test")
        await office.send("/tokens/hooks/1/pause")
        assert "已暂停" in (await office.client.get("/tokens")).text
        await office.send("/tokens/hooks/1/resume")
        assert "已暂停" not in (await office.client.get("/tokens")).text
        for unknown in ("99/pause", "x/pause", "1/add"):
            assert (await office.send(f"/tokens/hooks/{unknown}")).status_code == 404
        await office.send("/tokens/hooks/1/remove")
        assert "street.example" not in (await office.client.get("/tokens")).text
        with office.world.db.read() as session:
            row = session.scalars(select(Endpoint)).one()
            assert (row.made_by, row.removed_by) == ("主任", "主任")
            assert session.scalars(select(OutgoingMessage.kind)).all() == ["webhook.test"]
