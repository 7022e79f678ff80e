"""What happens is told to other programs, however they behave, and nobody waits for them."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from checkins import cases, items, outgoing_staff, standard_webhooks
from checkins.items import ItemKind
from checkins.outgoing_queue import LEASE, TRIED_FOR, Order, claim
from checkins.outgoing_tables import Endpoint, OutgoingMessage
from checkins.results import LINE, Status, Urgency
from checkins.tables import Checkin, Neighbourhood
from messages.outgoing import OutgoingRounds
from messages.reach import Own
from tests.fakes.receiver import Receiver, receiver, status
from tests.unit.checkins.world import DAY, ZONE, Crash, World


def rounds(world: World, own: Own | None = None, timeout_s: float = 10) -> OutgoingRounds:
    """As after a restart: it knows nothing but the database."""
    return OutgoingRounds(world.db, world.clock, own or Own(), timeout_s)


async def look(world: World, own: Own | None = None, timeout_s: float = 10) -> None:
    made = rounds(world, own, timeout_s)
    await made.look()
    await made.settled()


async def arrives(there: Receiver, count: int = 1) -> None:
    async with asyncio.timeout(20):
        while len(there.taken) < count:
            await asyncio.sleep(0.01)


def wanted(world: World, url: str, *events: str, place: int | None = None) -> tuple[int, str]:
    with world.db.write() as session:
        row, secret = outgoing_staff.add(session, url, events or ("case.*",), "陈老师", world.clock.now(), place)
        return row.id, secret


def happens(world: World, urgency: Urgency = Urgency.TODAY) -> int:
    """Somebody is needed for an elder's case; its number."""
    row = opened(world, world.elder(), urgency)
    with world.db.write() as session:
        session.add(row)
        session.flush()
        return row.id


def opened(world: World, elder: str, urgency: Urgency = Urgency.TODAY) -> Checkin:
    row = Checkin(elder_id=elder, neighbourhood_id=world.place_id, date=DAY, slot=world.clock.now())
    row.planned_at, row.status, row.urgency = world.clock.now(), Status.NEEDS_PERSON, urgency
    return row


def messages(world: World) -> list[OutgoingMessage]:
    with world.db.read() as session:
        return list(session.scalars(select(OutgoingMessage).order_by(OutgoingMessage.id)))


def kinds(world: World) -> list[str]:
    return [row.kind for row in messages(world)]


def endpoint(world: World) -> Endpoint:
    with world.db.read() as session:
        return session.scalars(select(Endpoint)).one()


async def test_it_is_told_once_signed_and_names_nobody(any_world: World) -> None:
    world = any_world
    async with receiver() as there:
        _, secret = wanted(world, there.url)
        case = happens(world)
        await look(world)
        await look(world)
    ((headers, body),) = there.taken
    stamp = standard_webhooks.verify(secret, headers, body, world.clock.now())
    assert stamp.message_id == messages(world)[0].message_id
    told = json.loads(body)
    assert told == {
        "type": "case.opened",
        "timestamp": told["timestamp"],
        "data": {"case": case, "neighbourhood": world.place_id},
    }
    assert messages(world)[0].sent_at == world.clock.now()


async def test_a_case_and_an_emergency_from_their_beginning_to_their_end(any_world: World) -> None:
    world = any_world
    wanted(world, "https://street.example/hook", "case.*", "emergency.*")
    case = happens(world, Urgency.EMERGENCY)
    with world.db.write() as session:
        cases.take_over(session, case, "陈老师", world.clock.now())
    with world.db.write() as session:
        cases.close_case(session, case, "陈老师", "她很好", world.clock.now())
    assert kinds(world) == [
        "case.opened",
        "emergency.raised",
        "case.accepted",
        "emergency.accepted",
        "case.closed",
        "emergency.closed",
    ]


async def test_the_cycle_tells_of_whom_nobody_reached(world: World) -> None:
    wanted(world, "https://street.example/hook")
    world.elder(consents={"calls": False})
    await world.to("09:00")
    assert kinds(world) == ["case.opened"]


async def test_only_who_wants_it_and_only_of_their_committee(world: World) -> None:
    wanted(world, "https://a.example/", "complaint.*", "emergency.raised")
    with world.db.write() as session:
        other = Neighbourhood(name="别处", committee="别处居委会", timezone=ZONE)
        session.add(other)
        session.flush()
        place = other.id
    wanted(world, "https://b.example/", "case.*", place=place)
    happens(world)
    assert messages(world) == []


async def test_what_is_rolled_back_is_not_told_and_what_stands_is(world: World) -> None:
    """A row of the same transaction: there are both or neither."""
    wanted(world, "https://a.example/")
    elder = world.elder()

    def dies() -> None:
        with world.db.write() as session:
            session.add(opened(world, elder))
            session.flush()
            assert session.scalars(select(OutgoingMessage)).one()
            raise Crash

    with pytest.raises(Crash):
        dies()
    assert messages(world) == []


async def test_after_a_crash_between_writing_and_sending_it_is_sent(world: World) -> None:
    async with receiver() as there:
        wanted(world, there.url)
        happens(world)  # and the process dies here; the next one knows the database only
        await look(world)
    assert len(there.taken) == 1


async def test_after_a_crash_in_sending_it_is_sent_again_under_the_same_id(any_world: World) -> None:
    world = any_world
    async with receiver() as there:
        wanted(world, there.url)
        happens(world)
        there.answer = b""
        dying = rounds(world, timeout_s=60)
        await dying.look()
        await arrives(there)
        for task in dying._busy.values():
            task.cancel()
        there.answer = status("204 No Content")
        await look(world)
        assert len(there.taken) == 1, "leased"
        world.clock.advance(LEASE.total_seconds())
        await look(world)
    assert there.ids == [there.ids[0]] * 2
    assert there.taken[0][1] == there.taken[1][1]


async def test_who_is_down_is_tried_at_growing_waits_for_a_day_then_staff_have_an_item(world: World) -> None:
    async with receiver() as there:
        port = int(there.url.split(":")[2].split("/")[0])
    which, _ = wanted(world, there.url)
    happens(world)
    tried, began = [], world.clock.now()
    while endpoint(world).paused_at is None:
        before = messages(world)[0].tries
        await look(world)
        if messages(world)[0].tries > before:
            tried.append(world.clock.now() - began)
        world.clock.advance(max(60.0, (messages(world)[0].next_at - world.clock.now()).total_seconds()))
        assert world.clock.now() - began < 2 * TRIED_FOR
    waits = [later - sooner for sooner, later in pairwise(tried)]
    assert waits[:-1] == sorted(waits[:-1])
    assert tried[-1] == TRIED_FOR
    assert (endpoint(world).paused_by, endpoint(world).failing) == (LINE, "ConnectError")
    with world.db.read() as session:
        (item,) = items.open_items(session, world.place_id)
    assert (item.kind, item.detail) == (ItemKind.WEBHOOK_PAUSED, {"text": "127.0.0.1"})
    happens(world)
    async with receiver(port) as there:
        await look(world)
        assert there.taken == [], "paused"
        with world.db.write() as session:
            outgoing_staff.resume(session, which, "陈老师", world.clock.now())
        await look(world)
        assert len(there.taken) == 2, "what happened meanwhile, too"
    with world.db.read() as session:
        assert items.open_items(session, world.place_id) == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (status("500 Oh"), "status 500"),
        (status("302 Found", "Location: http://127.0.0.1:1/"), "status 302"),
        (status("307 Elsewhere", "Location: /other"), "status 307"),
        (b"", "no answer within 2 s"),
        (None, "RemoteProtocolError"),
        (b"nonsense\r\n\r\n", "RemoteProtocolError"),
    ],
)
async def test_what_is_no_receipt(world: World, answer: bytes | None, why: str) -> None:
    async with receiver() as there:
        there.answer = answer
        wanted(world, there.url)
        happens(world)
        await look(world, timeout_s=2 if answer == b"" else 10)
    assert [headers["path"] for headers, _ in there.taken] == ["/wenan"]
    assert messages(world)[0].sent_at is None
    assert endpoint(world).failing == why


async def test_who_is_killed_in_the_middle_and_comes_back_is_told(world: World) -> None:
    async with receiver() as there:
        there.answer = b""
        wanted(world, there.url)
        happens(world)
        made = rounds(world, timeout_s=20)
        await made.look()
        await arrives(there)
    await made.settled()  # its connection broke
    first = there.ids
    world.clock.advance(10)
    async with receiver(int(there.url.split(":")[2].split("/")[0])) as there:
        await look(world)
    assert there.ids == first


async def test_an_answer_in_drops_or_without_end_costs_nothing(world: World) -> None:
    async with receiver() as slow, receiver() as huge:
        slow.answer, slow.drops = status("200 OK", "X-Long: " + "x" * 1000), True
        huge.answer, huge.endless = status("200 OK", "Content-Length: 99999999999"), True
        wanted(world, slow.url)
        wanted(world, huge.url)
        happens(world)
        began = time.monotonic()
        await look(world, timeout_s=2)
        assert time.monotonic() - began < 10
    assert [row.sent_at is not None for row in messages(world)] == [False, True]
    assert huge.written < 50_000_000


async def test_headers_without_end_are_cut_off(world: World) -> None:
    async with receiver() as there:
        there.answer, there.endless = b"HTTP/1.1 200 OK\r\nX: ", True
        wanted(world, there.url)
        happens(world)
        await look(world)
    assert endpoint(world).failing == "RemoteProtocolError"


async def test_one_that_hangs_keeps_no_other_waiting(world: World) -> None:
    async with receiver() as hanging, receiver() as quick:
        hanging.answer = b""
        wanted(world, hanging.url)
        wanted(world, quick.url)
        happens(world)
        happens(world)
        made = rounds(world, timeout_s=20)
        await made.look()
        await arrives(quick, 2)
        assert len(hanging.taken) == 1, "one after the other"
        for task in made._busy.values():
            task.cancel()
        await asyncio.gather(*made._busy.values(), return_exceptions=True)


async def test_who_wants_nothing_more_is_paused_at_once(world: World) -> None:
    async with receiver() as there:
        there.answer = status("410 Gone")
        wanted(world, there.url)
        happens(world)
        await look(world)
    assert endpoint(world).paused_by == LINE


async def test_a_try_and_a_removed_one(world: World) -> None:
    async with receiver() as there:
        which, _ = wanted(world, there.url)
        with world.db.write() as session:
            outgoing_staff.test(session, which, "陈老师", world.clock.now())
        await look(world)
        happens(world)
        with world.db.write() as session:
            outgoing_staff.remove(session, which, "陈老师", world.clock.now())
        happens(world)
        await look(world)
    ((_, body),) = there.taken
    assert json.loads(body)["type"] == "webhook.test"
    assert len(messages(world)) == 2


async def test_what_is_a_week_old_is_deleted(world: World) -> None:
    wanted(world, "https://a.example/")
    happens(world)
    with world.db.write() as session:
        claim(session, world.clock.now())
    world.clock.advance(timedelta(days=8).total_seconds())
    with world.db.write() as session:
        session.get_one(Endpoint, 1).paused_at = world.clock.now()
    await look(world)
    assert messages(world) == []


async def test_neither_address_nor_secret_stand_in_logs(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async with receiver() as there:
        there.answer = status("500 Oh")
        _, secret = wanted(world, there.url)
        happens(world)
        await look(world)
    ours = "".join(record.getMessage() for record in caplog.records if record.name == "messages.outgoing")
    assert "did not take a message: status 500" in ours
    assert secret not in caplog.text
    assert "wenan" not in repr(Order(1, 1, there.url, secret, "msg_1", b""))
