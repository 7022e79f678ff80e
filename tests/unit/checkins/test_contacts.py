"""What a buddy logs, and what follows: for the case of today, for staff, and when a week has passed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from checkins import alarms, buddy_logs, cases, consents, contacts, items, people, ringing_in
from checkins.alarm_rounds import rhythm
from checkins.alarms import Kind
from checkins.consents import Word
from checkins.contact_rounds import ContactRounds
from checkins.contacts import Contact, Pairing
from checkins.intents import intend
from checkins.items import Item, ItemKind
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome
from checkins.reception import Reception
from checkins.results import Reason, Result, Status, Urgency
from checkins.schedule import local_date
from checkins.tables import CallIntent, State
from tests.unit.checkins.street import CHEN, LI, ZHOU, Street, numbers
from tests.unit.checkins.world import ZONE, World


@pytest.fixture
def street(world: World) -> Street:
    return Street.of(world)


def rings(street: Street, number: str = LI, pin: bool = True, key: str | None = None) -> CallRequest:
    """A buddy rings in; their PIN was right. `key`: the answer to who it is, where elders have this telephone, too."""
    call_id = f"in-{len(list(street.intents()))}"
    with street.world.db.write() as session:
        request = ringing_in.rang_in(session, call_id, number, street.world.clock.now(), key)
        assert isinstance(request, CallRequest)
        assert request.flow == "buddy_log"
        if pin:
            session.get_one(CallIntent, call_id).applied = {"pin": True}
    return request


async def logs(street: Street, elder: str, result: str, number: str = LI, **more: Any) -> CallRequest:
    request = rings(street, number, more.pop("pin", True))
    await ends(street, request, elder, result, **more)
    return request


async def ends(street: Street, request: CallRequest, elder: str, result: str, **more: Any) -> None:
    person = PersonOutcome(elder, result, more.pop("evidence", "key"), more.pop("detail", {}))
    disposition = more.pop("disposition", Disposition.ANSWERED)
    now = street.world.clock.now()
    await street.world.cycle.settle(
        CallOutcome(request.id, now, final=True, disposition=disposition, people=(person,), **more)
    )
    street.awake()


def rows(street: Street) -> list[Contact]:
    with street.world.db.read() as session:
        return list(session.scalars(select(Contact).order_by(Contact.id)))


def opened(street: Street) -> list[Item]:
    """But for the PINs that nobody here has."""
    with street.world.db.read() as session:
        return [item for item in items.open_items(session) if item.kind != ItemKind.NO_PIN]


# ── what is logged ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("result", "kind", "condition"),
    [
        ("visited_fine", "visited", "fine"),
        ("phoned_fine", "phoned", "fine"),
        ("visited_worried", "visited", "worried"),
        ("phoned_worried", "phoned", "worried"),
        ("could_not_reach", "could_not_reach", "unknown"),
    ],
)
async def test_each_contact_is_a_row_with_the_recording(street: Street, result: str, kind: str, condition: str) -> None:
    elder = street.elder()
    await logs(street, elder, result, detail={"worry_recording": "a/b.wav"})
    (row,) = rows(street)
    assert (row.elder_id, row.buddy_id, row.recording) == (elder, street.ids[LI], "a/b.wav")
    assert (row.kind, row.condition) == (kind, condition)


@pytest.mark.parametrize("result", ["not_logged", "pin_failed", "well", "fine_seen", "accepted"])
async def test_nothing_else_is_a_contact(street: Street, result: str) -> None:
    await logs(street, street.elder(), result)
    assert rows(street) == []


async def test_without_a_right_pin_nothing_counts_whatever_the_call_reports(street: Street) -> None:
    elder = street.elder()
    request = await logs(street, elder, "could_not_reach", pin=False)
    desk = Reception(street.world.db, street.world.clock)
    assert (await desk.ask(request.id, "could_not_reach", elder, "")).word == ""
    assert (rows(street), street.world.checkins()) == ([], [])


async def test_good_news_by_voice_is_no_good_news(street: Street) -> None:
    await logs(street, street.elder(), "visited_fine", evidence="speech")
    assert [row.condition for row in rows(street)] == ["unknown"]


async def test_the_same_news_twice_changes_nothing(street: Street) -> None:
    elder = street.elder()
    request = rings(street)
    for _ in range(2):
        await ends(street, request, elder, "visited_worried")
    assert len(rows(street)) == len(opened(street)) == 1


async def test_of_two_logs_in_one_call_the_last_counts(street: Street) -> None:
    """She could not be reached, said in mid-call; then: a mistake, I have seen her. Somebody looks all the same."""
    elder = street.elder()
    request = rings(street)
    desk = Reception(street.world.db, street.world.clock)
    assert (await desk.ask(request.id, "could_not_reach", elder, "")).word == "opened"
    await ends(street, request, elder, "visited_fine", detail={"taken_back": ["could_not_reach"]})
    assert [row.kind for row in rows(street)] == ["visited"]
    case = street.checkin(elder)
    assert (case.status, case.owner) == (Status.NEEDS_PERSON, "李阿姨")
    assert "found:fine_seen" in street.whats(elder)


# ── the elder's own call ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("result", ["visited_fine", "phoned_fine", "visited_worried", "phoned_worried"])
async def test_a_log_never_cancels_the_elder_s_own_call(street: Street, result: str) -> None:
    elder = street.elder()
    await street.tick()
    await logs(street, elder, result)
    assert street.checkin(elder).status == Status.PLANNED
    await street.world.to("08:00")
    assert street.world.calls(elder) == 1


async def test_a_worry_waits_for_the_call_and_then_sends_a_person_even_after_a_well(street: Street) -> None:
    elder = street.elder()
    await street.tick()
    await logs(street, elder, "visited_worried")
    rounds = ContactRounds(street.world.db, street.world.clock)
    await rounds.look()
    await street.world.to("08:00")
    await street.world.ends(elder, "well")
    assert street.checkin(elder).status == Status.CLOSED
    for _ in range(2):
        await rounds.look()
        case = street.checkin(elder)
        assert (case.status, case.reason, case.urgency) == (
            Status.NEEDS_PERSON,
            Reason.BUDDY_WORRIED,
            Urgency.SOON,
        )
    street.awake()


async def test_a_worry_that_staff_saw_to_before_the_call_ended_opens_nothing(street: Street) -> None:
    elder = street.elder()
    await street.tick()
    await logs(street, elder, "visited_worried")
    (item,) = opened(street)
    with street.world.db.write() as session:
        items.done(session, item.id, "陈老师", street.world.clock.now())
    await street.world.to("08:00")
    await street.world.ends(elder, "well")
    await ContactRounds(street.world.db, street.world.clock).look()
    assert street.checkin(elder).status == Status.CLOSED


# ── could not reach ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", [State.ACTIVE, State.PAUSED, State.REFUSED])
async def test_could_not_reach_opens_a_case_at_once_and_rings_somebody_else(street: Street, state: State) -> None:
    elder = street.elder()
    world = street.world
    if state is not State.ACTIVE:
        until = date(2026, 3, 9) if state is State.PAUSED else None
        with world.db.write() as session:
            people.set_state(session, elder, state, "女儿", world.clock.now(), until=until)
    world.clock.advance_to(world.at("09:30"))
    await logs(street, elder, "could_not_reach")
    case = street.checkin(elder)
    assert (case.status, case.urgency, case.reason) == (
        Status.NEEDS_PERSON,
        Urgency.UNREACHED,
        Reason.BUDDY_MISSED,
    )
    assert numbers(await street.tick(seconds=1)) == [ZHOU], "not who has just tried"


async def test_could_not_reach_reopens_what_she_had_answered_this_morning(street: Street) -> None:
    elder = street.elder()
    await street.world.to("08:00")
    await street.world.ends(elder, "well")
    await logs(street, elder, "could_not_reach")
    assert (street.checkin(elder).status, street.checkin(elder).owner) == (Status.NEEDS_PERSON, None)


async def test_her_own_answer_to_the_call_that_is_under_way_lifts_it(street: Street) -> None:
    elder = street.elder()
    await street.world.to("08:00")
    await logs(street, elder, "could_not_reach")
    assert street.checkin(elder).status == Status.NEEDS_PERSON
    await street.world.ends(elder, "well")
    assert street.checkin(elder).status == Status.CLOSED


async def test_an_emergency_stays_one(street: Street) -> None:
    elder = street.elder()
    await street.world.to("08:00")
    await street.world.ends(elder, "emergency")
    for result in ("could_not_reach", "visited_fine", "phoned_fine", "phoned_worried"):
        await logs(street, elder, result)
        case = street.checkin(elder)
        assert (case.status, case.urgency, case.reason) == (
            Status.NEEDS_PERSON,
            Urgency.EMERGENCY,
            Reason.EMERGENCY,
        )
    assert "contact:visited_fine" in street.whats(elder)


async def test_who_had_accepted_and_reaches_nobody_sends_duty_at_once(street: Street) -> None:
    elder = street.elder()
    await street.unreached(elder)
    (request,) = await street.tick(seconds=1)
    await street.says(request, "accepted")
    intent = _log_call(street)
    await ends(street, intent, elder, "could_not_reach")
    assert numbers(await street.tick(seconds=1)) == [CHEN]


def _log_call(street: Street) -> CallRequest:
    """李阿姨 has a case, so she would be asked for the finding; a log that began before it became hers."""
    now = street.world.clock.now()
    with street.world.db.write() as session:
        intent = intend(session, LI, "inbound", now, "t", flow="buddy_log", responder=street.ids[LI], intent_id="log")
        intent.applied = {"pin": True}
        return CallRequest("log", intent.number, "buddy_log", ())


# ── after three missed tries ──────────────────────────────────────────────────────────────────────


async def test_phoned_and_fine_is_not_enough_after_three_missed_tries(street: Street) -> None:
    elder = street.elder()
    await street.unreached(elder)
    await logs(street, elder, "phoned_fine", number=ZHOU)
    assert numbers(await street.tick(seconds=1)) == [LI], "the search goes on"
    assert "contact:phoned_fine" in street.whats(elder)


async def test_seen_and_fine_is_and_the_line_rings_her_within_two_hours(street: Street) -> None:
    elder = street.elder()
    await street.unreached(elder)
    await logs(street, elder, "visited_fine", number=ZHOU)
    case = street.checkin(elder)
    assert (case.status, case.owner) == (Status.NEEDS_PERSON, "周阿姨")
    rung: list[str] = []
    while not rung:
        rung = numbers(await street.tick(minutes=10))
    assert rung == [street.world.person(elder).number]
    await street.world.ends(elder, "well")
    case = street.checkin(elder)
    assert (case.status, case.closed_by) == (Status.CLOSED, "周阿姨")


@pytest.mark.parametrize("result", ["visited_fine", "phoned_fine"])
async def test_a_log_of_yesterday_s_visit_does_not_close_what_she_said_today(street: Street, result: str) -> None:
    elder = street.elder()
    await street.world.to("08:00")
    await street.world.ends(elder, "not_well")
    await logs(street, elder, result)
    case = street.checkin(elder)
    assert (case.status, case.owner) == (Status.NEEDS_PERSON, None)


# ── worries ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_worry_is_an_item_and_a_person_soon(street: Street) -> None:
    elder = street.elder()
    await street.world.to("08:00")
    await street.world.ends(elder, "well")
    detail = {"worry_recording": "a.wav", "worry_text": "脸色不好"}
    request = await logs(street, elder, "visited_worried", detail=detail)
    (item,) = opened(street)
    assert (item.kind, item.person_id, item.by_id) == (ItemKind.WORRIED, elder, street.ids[LI])
    assert item.detail is not None
    assert item.detail["worry_text"] == "脸色不好"
    assert item.detail["call"] == request.id
    case = street.checkin(elder)
    assert (case.urgency, case.reason) == (Urgency.SOON, Reason.BUDDY_WORRIED)
    with street.world.db.write() as session:
        cases.close_case(session, case.id, "陈老师", "已上门", street.world.clock.now())


async def test_a_cry_for_help_in_a_log_sends_duty_to_the_elder_it_was_about(street: Street) -> None:
    elder = street.elder()
    await street.tick()
    request = rings(street)
    now = street.world.clock.now()
    alarm = CallOutcome(request.id, now, final=False, alarm="distress", alarm_person=elder)
    assert await street.world.cycle.settle(alarm)
    assert not await street.world.cycle.settle(alarm)
    assert numbers(await street.tick(seconds=1)) == [CHEN]
    await ends(street, request, elder, Result.EMERGENCY)
    assert street.whats(elder).count("found:needs_help") == 1


async def test_a_cry_for_help_before_an_elder_is_chosen_is_the_buddy_s_own(street: Street) -> None:
    """No elder's case is opened; who is on duty is rung until a name has it, and sees whom to ring back."""
    elder = street.elder()
    await street.tick()
    request = rings(street)
    cry = CallOutcome(request.id, street.world.clock.now(), final=False, alarm="distress")
    assert await street.world.cycle.settle(cry)
    assert not await street.world.cycle.settle(cry)
    assert "found:needs_help" not in street.whats(elder)
    assert [(item.kind, item.by_id, item.person_id) for item in opened(street)] == [
        (ItemKind.CRIED, street.ids[LI], None)
    ]
    with street.world.db.read() as session:
        (alarm,) = alarms.open_alarms(session)
    assert (alarm.kind, alarm.subject) == (Kind.CRIED, str(street.world.place_id))
    assert rhythm(alarm.kind).rings(1)


async def test_a_cry_before_an_elder_is_chosen_from_an_elder_s_own_telephone_is_hers(street: Street) -> None:
    elder = street.elder(number=LI)
    await street.world.to("08:00")
    await street.world.ends(elder, "well")
    request = rings(street, key="1")
    cry = CallOutcome(request.id, street.world.clock.now(), final=False, alarm="double_zero")
    assert await street.world.cycle.settle(cry)
    case = street.checkin(elder)
    assert (case.urgency, case.reason, case.status) == (Urgency.EMERGENCY, Reason.EMERGENCY, Status.NEEDS_PERSON)
    assert opened(street) == []


async def test_who_pressed_zero_is_rung_back(street: Street) -> None:
    elder = street.elder()
    await logs(street, elder, "visited_fine", detail={"also": ["wants_person"]})
    (item,) = opened(street)
    assert (item.kind, item.by_id, item.person_id) == (ItemKind.RESPONDER_ASKS, street.ids[LI], None)


async def test_a_finding_is_a_contact_too(street: Street) -> None:
    elder = street.elder()
    await street.unreached(elder)
    (request,) = await street.tick(seconds=1)
    await street.says(request, "accepted")
    (asked,) = await street.tick(minutes=25)
    await street.says(asked, "fine_seen")
    assert [(row.kind, row.condition, row.elder_id) for row in rows(street)] == [("visited", "fine", elder)]


async def test_where_a_telephone_call_is_enough_nobody_is_said_to_have_been_seen(street: Street) -> None:
    """She wanted to talk to somebody, and duty rang her."""
    world, elder = street.world, street.elder()
    await world.to("09:00")
    await world.ends(elder, "wants_person")
    (request,) = await street.tick(seconds=1)
    assert (request.number, request.callees[0].variables["phone"]) == (CHEN, "1")
    await street.says(request, "accepted")
    (asked,) = await street.tick(minutes=50)
    assert dict(asked.callees[0].variables) == {"why": "说想找人", "phone": "1"}, "no call to her is planned"
    assert asked.variables["staff"] == "1"
    await street.says(asked, "fine_heard")
    assert [(row.kind, row.condition) for row in rows(street)] == [("phoned", "fine")]
    assert (world.row(elder).status, world.row(elder).finding) == (Status.CLOSED, "已听到本人，平安")


# ── a week ────────────────────────────────────────────────────────────────────────────────────────

NOON = datetime(2026, 3, 16, 4, tzinfo=UTC)  # 12:00 in Shanghai, a Monday
moments = st.integers(0, 40 * 24 * 60).map(lambda minutes: NOON - timedelta(minutes=minutes))


@given(last=st.none() | moments, since=st.none() | moments)
def test_a_contact_is_missed_when_the_day_on_which_it_was_due_is_over(
    last: datetime | None, since: datetime | None
) -> None:
    pair = Pairing("e", "b", since)
    late = contacts.missing({} if last is None else {"e": last}, [pair], NOON, ZONE)
    begun = max((moment for moment in (last, since) if moment), default=None)
    days = None if begun is None else (local_date(ZONE, NOON) - local_date(ZONE, begun)).days
    assert late == ([pair] if days is None or days > 7 else [])
    assert contacts.due(last, NOON, ZONE) == (
        last is None or (local_date(ZONE, NOON) - local_date(ZONE, last)).days >= 7
    )


def raised(street: Street, days: float) -> list[tuple[str, str | None, str | None]]:
    street.world.clock.advance(days=days)
    with street.world.db.write() as session:
        contacts.raise_missed(session, street.world.clock.now())
    return [(item.kind, item.person_id, item.by_id) for item in opened(street)]


async def test_a_missed_contact_is_one_item_until_it_is_made_up_for(street: Street) -> None:
    elder = street.elder()
    missed = (ItemKind.CONTACT_MISSED, elder, street.ids[LI])
    assert raised(street, 7) == []
    assert raised(street, 1) == raised(street, 1) == [missed]
    await logs(street, elder, "could_not_reach")
    assert missed in [(item.kind, item.person_id, item.by_id) for item in opened(street)]
    await logs(street, elder, "phoned_fine", number=ZHOU)
    assert missed not in raised(street, 0)
    with street.world.db.read() as session:
        assert session.scalars(select(Item.done_by).where(Item.kind == ItemKind.CONTACT_MISSED)).all() == ["周阿姨"]


def test_what_staff_saw_to_is_not_raised_again_the_next_minute(street: Street) -> None:
    street.elder()
    raised(street, 8)
    with street.world.db.write() as session:
        (item,) = items.open_items(session)
        items.done(session, item.id, "陈老师", street.world.clock.now())
    assert raised(street, 0.01) == raised(street, 6) == []
    assert len(raised(street, 3)) == 1


def test_who_does_not_share_with_buddies_or_is_away_misses_nothing(street: Street) -> None:
    quiet, away = street.elder("王秀英"), street.elder("张秀英")
    now = street.world.clock.now()
    with street.world.db.write() as session:
        consents.change(session, quiet, {"buddy": False}, Word("陈老师"), now)
        people.set_state(session, away, State.PAUSED, "女儿", now, until=date(2026, 4, 1))
    assert raised(street, 9) == []


def test_the_number_of_worries_that_wait_is_told(street: Street) -> None:
    with street.world.db.write() as session:
        assert buddy_logs.flag_after_calls(session, street.world.clock.now()) == 0
