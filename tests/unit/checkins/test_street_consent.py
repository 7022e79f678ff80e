"""What the street office hears of an elder by telephone, with and without their consent."""

from __future__ import annotations

import pytest

from checkins.ports import Disposition
from checkins.results import Result
from checkins.roster import edits
from tests.unit.checkins.street import SHARES, Street
from tests.unit.checkins.world import World

OFFICE = "+862162345678"
HOME = {"address": "三号楼五零二室", "key_holder": "隔壁陈阿姨", "notes": "耳朵不好"}


@pytest.mark.parametrize("agreed", [True, False])
async def test_in_an_emergency_it_hears_where_and_of_health_only_with_consent(world: World, agreed: bool) -> None:
    street = Street.of(world)
    with world.db.write() as session:
        edits.set_street(session, world.place_id, "曹杨新村街道", OFFICE, "书记", world.clock.now())
    elder = street.elder(consents={**SHARES, "street": agreed}, **HOME)
    await world.to("08:00")
    await world.ends(elder, Result.EMERGENCY)
    for _ in range(15):
        rung = await street.tick(minutes=1)
        office = [call for call in rung if call.number == OFFICE]
        if office:
            break
        for call in rung:
            await street.says(call, Disposition.NO_ANSWER, after=0)
    known = office[0].callees[0].variables
    assert (known["where"], known["key_holder"]) == (HOME["address"], HOME["key_holder"])
    assert known.get("notes") == (HOME["notes"] if agreed else None)
