"""Two buddies with one telephone: whose PIN it is says who it is."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from checkins import contacts, pins, ringing_in
from checkins.items import ItemKind, open_items
from checkins.pins import Pin
from checkins.ports import CallRequest
from checkins.reception import Reception
from checkins.roster import edits
from checkins.tables import CallIntent, Person
from tests.unit.checkins.street import LI, ZHOU, Street
from tests.unit.checkins.world import World

PINS = {LI: "480317", ZHOU: "915264"}


class Couple:
    """李阿姨 and 周阿姨 live together; each looks after one elder."""

    def __init__(self, street: Street) -> None:
        self.street, self.world = street, street.world
        self.elders = {
            LI: self.world.elder("赵秀英", consents=_AGREED),
            ZHOU: self.world.elder("孙秀英", consents=_AGREED),
        }
        now = self.world.clock.now()
        with self.world.db.write() as session:
            for number, elder in self.elders.items():
                edits.pair(session, elder, street.ids[number], "书记", now)
                pins.set_pin(session, street.ids[number], PINS[number], "书记", now)
            session.get_one(Person, street.ids[ZHOU]).number = LI
        self.desk = Reception(self.world.db, self.world.clock)

    def rings(self, call: str = "in-1") -> CallRequest:
        with self.world.db.write() as session:
            request = ringing_in.rang_in(session, call, LI, self.world.clock.now())
        assert isinstance(request, CallRequest)
        return request

    async def says(self, pin: str, call: str = "in-1") -> str:
        return (await self.desk.ask(call, "pin", "", pin)).word

    def wrong(self) -> list[int]:
        with self.world.db.read() as session:
            return sorted(session.scalars(select(Pin.wrong)))


_AGREED = {"calls": True, "buddy": True}


@pytest.fixture
def couple(world: World, monkeypatch: pytest.MonkeyPatch) -> Couple:
    monkeypatch.setattr(pins, "_COST", (16, 8, 1))
    return Couple(Street.of(world))


@pytest.mark.parametrize("whose", [LI, ZHOU])
async def test_each_of_them_can_log(couple: Couple, whose: str) -> None:
    request = couple.rings()
    assert {callee.id for callee in request.callees} == set(couple.elders.values())
    assert await couple.says(PINS[whose]) == "right"
    await couple.street.says(request, "visited_fine", only=couple.elders[whose])
    with couple.world.db.read() as session:
        intent = session.get_one(CallIntent, "in-1")
        (contact,) = session.scalars(select(contacts.Contact))
    assert intent.responder == contact.buddy_id == couple.street.ids[whose]
    assert couple.wrong() == [0, 0]


async def test_the_same_call_asked_for_again_has_the_same_list(couple: Couple) -> None:
    first = couple.rings()
    await couple.says(PINS[ZHOU])
    assert couple.rings().callees == first.callees


async def test_a_wrong_one_counts_against_both_and_five_lock_both(couple: Couple) -> None:
    couple.rings()
    assert [await couple.says("135791") for _ in range(4)] == ["wrong"] * 4
    assert couple.wrong() == [4, 4]
    assert await couple.says(PINS[LI]) == "right"
    assert couple.wrong() == [0, 4]
    assert await couple.says("135791") == "wrong", "the other one may still try"
    assert await couple.says(PINS[ZHOU]) == "locked"
    assert couple.wrong() == [1, 5], "a lock isn't the other's fault"
    assert [await couple.says("135791") for _ in range(4)][-1] == "locked"
    with couple.world.db.read() as session:
        kinds = [(item.kind, item.person_id) for item in open_items(session)]
    assert sorted(kinds) == sorted((ItemKind.PIN_LOCKED, couple.street.ids[number]) for number in (LI, ZHOU))


async def test_who_has_no_pin_yet_does_not_keep_the_other_out(couple: Couple) -> None:
    with couple.world.db.write() as session:
        session.delete(session.get_one(Pin, couple.street.ids[LI]))
    assert "no_pin" not in couple.rings().variables
    assert await couple.says(PINS[ZHOU]) == "right"
    with couple.world.db.read() as session:
        assert [(item.kind, item.person_id) for item in open_items(session)] == [
            (ItemKind.NO_PIN, couple.street.ids[LI])
        ]
