"""Who rings in, and what the call is about; and the questions that its flow asks of us."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from checkins import contacts, items, pins, ringing_in
from checkins.contacts import Condition, ContactKind
from checkins.intents import intend
from checkins.items import ItemKind
from checkins.pace import is_line_down
from checkins.ports import CallRequest, Disposition
from checkins.reception import Reception
from checkins.ringing_in import Heard
from checkins.roster import edits
from checkins.tables import CallIntent, IntentState, NumberState, Person, Role, State
from tests.unit.checkins.street import CHEN, DAUGHTER, LI, ZHOU, Street, numbers
from tests.unit.checkins.world import World

PIN = "864297"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "_COST", (16, 8, 1))


@pytest.fixture
def street(world: World) -> Street:
    return Street.of(world)


def rings(street: Street, number: str, call_id: str = "in-1", key: str | None = None) -> CallRequest | Heard:
    with street.world.db.write() as session:
        return ringing_in.rang_in(session, call_id, number, street.world.clock.now(), key)


def change(street: Street, person_id: str, **values: Any) -> None:
    with street.world.db.write() as session:
        person = session.get_one(Person, person_id)
        for name, value in values.items():
            setattr(person, name, value)


def opened(street: Street) -> list[tuple[str, str | None, str | None]]:
    with street.world.db.read() as session:
        return [(item.kind, item.person_id, item.by_id) for item in items.open_items(session)]


async def accepted(street: Street, elder: str) -> None:
    """李阿姨 goes."""
    await street.unreached(elder)
    (request,) = await street.tick(seconds=1)
    await street.says(request, "accepted")


def proven(street: Street, request: CallRequest) -> None:
    """The PIN was right."""
    with street.world.db.write() as session:
        session.get_one(CallIntent, request.id).applied = {"pin": True}


@pytest.mark.parametrize("number", ["", "anonymous", "Restricted", "+266696687", "110", "+8621", "x" * 900, LI + "9"])
def test_withheld_malformed_and_unknown_numbers_are_strangers(street: Street, number: str) -> None:
    street.elder()
    assert flow(rings(street, number)) == "stranger"
    assert list(street.intents()) == []


def flow(answer: CallRequest | Heard) -> str:
    assert isinstance(answer, CallRequest)
    return answer.flow


@pytest.mark.parametrize("number", [LI, "02155510001", "55510001", "0086 21 5551 0001", "+86 (21) 5551-0001"])
def test_a_buddy_is_known_however_the_carrier_writes_the_number(street: Street, number: str) -> None:
    elder = street.elder()
    request = rings(street, number)
    assert isinstance(request, CallRequest)
    assert (request.flow, [callee.id for callee in request.callees]) == ("buddy_log", [elder])
    assert request.variables == {"pin": "1", "no_pin": "1", "committee": "曹杨居委会", "responder": "李阿姨"}


def test_the_intent_is_written_first_and_counts_against_no_limit(street: Street) -> None:
    street.elder()
    request = rings(street, LI)
    (intent,) = street.intents()
    assert isinstance(request, CallRequest)
    assert (intent.id, intent.purpose, intent.dialled) == (request.id, "inbound", False)
    assert (intent.state, intent.responder) == (IntentState.PLACED, street.ids[LI])


def test_the_same_call_asked_twice_is_one_call(street: Street) -> None:
    street.elder()
    assert rings(street, LI) == rings(street, LI)
    assert len(list(street.intents())) == 1


async def test_who_has_accepted_is_asked_what_they_found_before_anything_else(street: Street) -> None:
    elder = street.elder()
    await accepted(street, elder)
    request = rings(street, LI)
    assert isinstance(request, CallRequest)
    assert (request.flow, [callee.id for callee in request.callees]) == ("finding", [elder])
    assert request == rings(street, LI)
    assert street.whats(elder).count("rang_in") == 1


async def test_what_they_found_ends_the_case_or_sends_duty(street: Street) -> None:
    elder = street.elder()
    await accepted(street, elder)
    request = rings(street, LI)
    assert isinstance(request, CallRequest)
    await street.says(request, "nobody_opens")
    assert numbers(await street.tick(seconds=1)) == [CHEN]
    assert ("found:nobody_opens", "李阿姨") in [(event.what, event.who) for event in street.events(elder)]
    again = rings(street, LI, "in-2")
    assert isinstance(again, CallRequest)
    assert again.flow == "buddy_log", "they have said what they found"


async def test_who_lost_the_case_after_half_an_hour_is_still_asked(street: Street) -> None:
    elder = street.elder()
    await accepted(street, elder)
    for minutes in (25, 6):
        for call in await street.tick(minutes=minutes):
            await street.says(call, Disposition.NO_ANSWER, after=20)
    assert street.checkin(elder).owner is None
    request = rings(street, LI)
    assert isinstance(request, CallRequest)
    assert request.flow == "finding"
    proven(street, request)
    await street.says(request, "fine_seen")
    assert street.checkin(elder).owner == "李阿姨"


async def test_a_number_alone_learns_nothing_of_keys_and_says_that_nobody_is_fine(street: Street) -> None:
    """Numbers can be forged. A call of our own asks whoever really has it."""
    elder = street.elder(key_holder="隔壁陈阿姨", notes="心脏不好", address="三号楼五零二室")
    await accepted(street, elder)
    request = rings(street, LI)
    assert isinstance(request, CallRequest)
    assert request.variables["unproven"] == "1"
    assert "pin" not in request.variables
    assert dict(request.callees[0].variables) == {"why": "三次没接电话", "confirm": "1", "rung_back": "1"}
    await street.says(request, "says_fine")
    for word in ("fine_seen", "fine_heard"):
        asked = rings(street, LI, f"in-{word}")
        assert isinstance(asked, CallRequest)
        await street.says(asked, word)
    assert not any(what.startswith("found:") for what in street.whats(elder))
    assert street.whats(elder).count("says_fine") == 3
    (asks,) = await street.tick(minutes=25)
    assert (asks.number, asks.flow) == (LI, "finding")
    assert asks.callees[0].variables["key_holder"] == "隔壁陈阿姨"


async def test_who_has_a_pin_is_asked_for_it_and_counts_after_it(street: Street) -> None:
    elder = street.elder(key_holder="隔壁陈阿姨")
    with street.world.db.write() as session:
        pins.set_pin(session, street.ids[LI], PIN, "陈老师", street.world.clock.now())
    await accepted(street, elder)
    request = rings(street, LI)
    assert isinstance(request, CallRequest)
    assert (request.variables["pin"], "unproven" in request.variables) == ("1", False)
    assert request.callees[0].variables["key_holder"] == "隔壁陈阿姨"
    reception = Reception(street.world.db, street.world.clock)
    assert (await reception.ask(request.id, "pin", elder, "135790")).word == "wrong"
    assert (await reception.ask(request.id, "pin", elder, PIN)).word == "right"
    await street.says(request, "fine_seen")
    assert "found:fine_seen" in street.whats(elder)


async def test_bad_news_from_duty_s_number_rings_duty_while_nobody_has_shown_who_it_is(street: Street) -> None:
    """Else a forged call would keep the case quiet for half an hour."""
    elder = street.elder()
    await street.unreached(elder)
    for number in (LI, ZHOU, CHEN):
        (call,) = await street.tick(seconds=1)
        await street.says(call, "accepted" if number == CHEN else "declined")
    request = rings(street, CHEN)
    assert isinstance(request, CallRequest)
    await street.says(request, "needs_help")
    assert street.checkin(elder).owner is None
    assert numbers(await street.tick(minutes=2)) == [CHEN]


async def test_duty_who_rings_in_keeps_the_case_with_bad_news(street: Street) -> None:
    """In the capacity of who they are: "inbound" is none."""
    elder = street.elder()
    await street.unreached(elder)
    for number in (LI, ZHOU, CHEN):
        (call,) = await street.tick(seconds=1)
        assert call.number == number
        await street.says(call, "accepted" if number == CHEN else "declined")
    request = rings(street, CHEN)
    assert isinstance(request, CallRequest)
    proven(street, request)
    await street.says(request, "needs_help")
    assert street.checkin(elder).owner == "陈老师"
    family = rings(street, DAUGHTER, "in-2")
    assert flow(family) == "stranger", "she has no case"


async def test_nobody_is_rung_who_is_on_a_call_with_us(street: Street) -> None:
    """The number is taken while the call lasts, by the same index as for calls out."""
    elder = street.elder()
    await street.unreached(elder)
    request = rings(street, LI)
    assert isinstance(request, CallRequest)
    assert LI not in numbers(await street.tick(seconds=1))
    await street.says(request, "not_logged")
    assert LI in numbers(await street.tick(minutes=5))


async def test_a_call_that_is_ringing_them_at_this_moment_keeps_nobody_out(street: Street) -> None:
    """They dial while we ring them: both calls are in the book, and theirs is served."""
    elder = street.elder()
    await street.unreached(elder)
    (out,) = await street.tick(seconds=1)
    assert out.number == LI
    request = rings(street, LI)
    assert isinstance(request, CallRequest)
    assert request.flow == "buddy_log"
    await street.says(out, Disposition.BUSY)
    await street.says(request, "not_logged")
    assert {intent.state for intent in street.intents()} == {IntentState.SETTLED}


def test_a_number_where_somebody_said_wrong_number_hears_no_name(street: Street) -> None:
    street.elder()
    change(street, street.ids[LI], number_state=NumberState.SUSPECT)
    assert flow(rings(street, LI)) == "stranger"
    change(street, street.ids[LI], number_state=NumberState.OK, state=State.MOVED)
    assert flow(rings(street, LI, "in-2")) == "stranger"


def test_the_list_has_who_still_needs_a_contact_first_and_nobody_who_does_not_share(street: Street) -> None:
    zhao, wang = street.elder("赵秀英"), street.elder("王秀英")
    private = street.elder("孙秀英")
    change(street, private, consents={"calls": True})
    now = street.world.clock.now()
    with street.world.db.write() as session:
        li, elder = session.get_one(Person, street.ids[LI]), session.get_one(Person, wang)
        contacts.note(session, "c1", elder, li, ContactKind.PHONED, Condition.FINE, now)
    request = rings(street, LI)
    assert isinstance(request, CallRequest)
    listed = [(callee.id, callee.variables["state"]) for callee in request.callees]
    assert listed == [(zhao, "还没联系的"), (wang, "联系过的")]


def test_who_stands_in_for_a_buddy_on_leave_logs_for_them(street: Street) -> None:
    world = street.world
    elder = world.elder("王秀英", consents={"calls": True, "buddy": True})
    world.clock.advance_to(world.at("09:00"))
    now = world.clock.now()
    with world.db.write() as session:
        edits.pair(session, elder, street.ids[LI], "书记", now)
        edits.set_substitutes(session, world.place_id, [street.ids[ZHOU]], "书记", now)
    assert flow(rings(street, ZHOU)) == "stranger"
    with world.db.write() as session:
        edits.put_on_leave(session, street.ids[LI], now, now + timedelta(days=2), "书记", now)
    request = rings(street, ZHOU, "in-2")
    assert isinstance(request, CallRequest)
    assert [callee.id for callee in request.callees] == [elder]


def test_a_buddy_without_a_pin_is_an_item_for_staff(street: Street) -> None:
    street.elder()
    rings(street, LI)
    assert opened(street) == [(ItemKind.NO_PIN, street.ids[LI], None)]
    with street.world.db.write() as session:
        pins.set_pin(session, street.ids[LI], PIN, "陈老师", street.world.clock.now())
    assert opened(street) == []
    request = rings(street, LI, "in-2")
    assert isinstance(request, CallRequest)
    assert "no_pin" not in request.variables


def test_calls_in_say_nothing_about_the_line_out(street: Street) -> None:
    """Three line errors out: that somebody can ring in doesn't make the line good."""
    world = street.world
    street.elder()
    with world.db.write() as session:
        for at in range(3):
            intent = intend(session, f"+86211234000{at}", "checkin", world.clock.now(), "t")
            intent.state, intent.disposition = IntentState.SETTLED, Disposition.LINE_ERROR
            intent.settled_at = world.clock.now()
    world.clock.advance(seconds=5)
    request = rings(street, LI)
    assert isinstance(request, CallRequest)
    asyncio.run(street.says(request, "not_logged"))
    with world.db.read() as session:
        assert is_line_down(session, world.clock.now())


# ── questions in mid-call ─────────────────────────────────────────────────────────────────────────


async def test_the_pin_of_who_rang_in_is_judged_and_five_wrong_ones_lock_it(street: Street) -> None:
    elder = street.elder()
    with street.world.db.write() as session:
        pins.set_pin(session, street.ids[LI], PIN, "陈老师", street.world.clock.now())
    desk = Reception(street.world.db, street.world.clock)
    rings(street, LI)
    said = [(await desk.ask("in-1", "pin", elder, pressed)).word for pressed in ["1111", PIN, *["1357"] * 5, PIN]]
    assert said == ["wrong", "right", *["wrong"] * 4, "locked", "locked"]
    assert opened(street) == [(ItemKind.PIN_LOCKED, street.ids[LI], None)]
    assert (await desk.ask("unknown", "pin", elder, PIN)).word == ""


async def test_who_claims_first_has_it_and_may_be_asked_twice(street: Street) -> None:
    """Duty and daughter are rung at once; a claim counts from the key on, not from the end of the call."""
    elder = street.elder()
    await street.world.to("08:00")
    await street.world.ends(elder, "emergency")
    calls = {call.number: call for call in await street.tick(seconds=1)}
    assert [calls[number].callees[0].variables["shared"] for number in (CHEN, DAUGHTER)] == ["1", "1"]
    desk = Reception(street.world.db, street.world.clock)
    assert (await desk.ask(calls[DAUGHTER].id, "claim", elder, "")).word == "first"
    assert street.checkin(elder).owner == "王小妹"
    assert (await desk.ask(calls[CHEN].id, "claim", elder, "")).word == "taken"
    assert (await desk.ask(calls[DAUGHTER].id, "claim", elder, "")).word == "first"
    await street.says(calls[CHEN], "taken")
    await street.says(calls[DAUGHTER], "accepted")
    assert street.checkin(elder).owner == "王小妹"
    assert street.whats(elder).count("reply:accepted") == 2
    assert (await desk.ask(calls[CHEN].id, "claim", "nobody", "")).word == ""
    assert (await desk.ask(calls[CHEN].id, "weather", elder, "")).word == ""


async def test_one_who_is_rung_alone_is_not_asked_to_wait(street: Street) -> None:
    elder = street.elder()
    await street.unreached(elder)
    (request,) = await street.tick(seconds=1)
    assert "shared" not in request.callees[0].variables


async def test_a_question_that_nobody_waits_for_any_more_is_written_all_the_same(street: Street) -> None:
    elder = street.elder()
    await street.unreached(elder)
    (request,) = await street.tick(seconds=1)
    desk = Reception(street.world.db, street.world.clock)
    task = asyncio.create_task(desk.ask(request.id, "claim", elder, ""))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await desk.ask(request.id, "claim", elder, "")).word == "first"
    assert street.whats(elder).count("reply:accepted") == 1


def test_staff_may_be_a_pair_s_visitor_and_log(street: Street) -> None:
    elder = street.elder()
    with street.world.db.write() as session:
        assert session.get_one(Person, street.ids[CHEN]).role == Role.STAFF
        edits.pair(session, elder, street.ids[CHEN], "书记", street.world.clock.now())
    request = rings(street, CHEN)
    assert isinstance(request, CallRequest)
    assert request.flow == "buddy_log"


# ── helpers and elders with one telephone ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("key", "flow_of_it"), [("1", "buddy_log"), ("2", "rings_in"), ("", "rings_in"), ("0", "rings_in")]
)
def test_who_shares_a_telephone_with_a_buddy_is_asked_who_it_is_and_is_heard(
    street: Street, key: str, flow_of_it: str
) -> None:
    street.elder()
    mother = street.elder("赵秀英", number=LI)
    assert rings(street, LI) is Heard.WHO
    assert rings(street, LI) is Heard.WHO  # nothing is begun before they have said so
    request = rings(street, LI, key=key)
    assert flow(request) == flow_of_it
    if flow_of_it == "rings_in":
        assert [callee.id for callee in request.callees] == [mother]  # type: ignore[union-attr]
    assert rings(street, LI) == request  # the same call, asked once more


async def test_who_owes_a_finding_and_shares_the_telephone_is_asked_who_it_is(street: Street) -> None:
    elder = street.elder()
    await accepted(street, elder)
    street.elder("赵秀英", number=LI)
    assert rings(street, LI) is Heard.WHO
    assert flow(rings(street, LI, key="1")) == "finding"
    assert flow(rings(street, LI, "in-2", key="2")) == "rings_in"
