"""An elder rings in herself: what she says of how she is, for her case of today, on both databases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from checkins import alarms, items, own_calls, ringing_in
from checkins.items import ItemKind
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome, Told
from checkins.reception import Reception
from checkins.results import LINE, Reason, Result, Status, Urgency
from checkins.ringing_in import Heard
from checkins.tables import CallIntent, Checkin, IntentState, Person, State
from checkins.tables import Neighbourhood as Place
from tests.unit.checkins.street import CHEN, DAUGHTER, LI, Street, numbers
from tests.unit.checkins.world import DAY, World

TOMORROW = DAY + timedelta(days=1)


@pytest.fixture
def street(world: World) -> Street:
    return Street.of(world)


@pytest.fixture
def both(any_world: World) -> Street:
    """On SQLite and on PostgreSQL."""
    return Street.of(any_world)


def rings_in(street: Street, *elders: str, call_id: str = "in-1", number: str = "") -> CallRequest:
    with street.world.db.write() as session:
        number = number or session.get_one(Person, elders[0]).number or ""
        answer = ringing_in.rang_in(session, call_id, number, street.world.clock.now())
    assert isinstance(answer, CallRequest)
    return answer


async def says(
    street: Street,
    elder: str,
    word: str,
    evidence: str = "key",
    disposition: Disposition = Disposition.ANSWERED,
    call_id: str = "in-1",
    **detail: Any,
) -> None:
    """She rings in, says that, and the call is over. The news comes twice."""
    rings_in(street, elder, call_id=call_id)
    await ends(street, {elder: word}, evidence, disposition, call_id, **detail)


async def ends(
    street: Street,
    words: Mapping[str, str],
    evidence: str = "key",
    disposition: Disposition = Disposition.ANSWERED,
    call_id: str = "in-1",
    **detail: Any,
) -> None:
    street.world.clock.advance(40)
    people = tuple(PersonOutcome(elder, word, evidence, detail) for elder, word in words.items())
    news = CallOutcome(call_id, street.world.clock.now(), True, disposition, people)
    assert await street.world.cycle.settle(news)
    assert not await street.world.cycle.settle(news)
    street.awake()


def stands(row: Checkin) -> tuple[str, str | None, str | None]:
    return row.status, row.reason, row.urgency


def opened(street: Street) -> list[tuple[str, str | None]]:
    with street.world.db.read() as session:
        return [(item.kind, item.person_id) for item in items.open_items(session)]


async def ask(street: Street, query: str, elder: str, value: str = "") -> Told:
    return await Reception(street.world.db, street.world.clock).ask("in-1", query, elder, value)


# ── the call ──────────────────────────────────────────────────────────────────────────────────────


async def test_she_is_known_by_her_number_and_nobody_rings_there_while_she_talks(both: Street) -> None:
    elder = both.elder()
    both.world.clock.advance_to(both.world.at("07:59"))
    request = rings_in(both, elder)
    assert (request.flow, [each.id for each in request.callees]) == ("rings_in", [elder])
    assert request.callees[0].records
    told = request.variables
    assert (told["committee"], told["closed"], told["promise"]) == ("曹杨居委会", "1", "今天上午九点前")
    assert rings_in(both, elder) == request, "the same call again"
    with both.world.db.read() as session:
        intent = session.get_one(CallIntent, "in-1")
        assert (intent.state, intent.dialled, intent.responder) == (IntentState.PLACED, False, None)
    assert await both.tick(minutes=2) == [], "her own call is due, and she is on the line"
    await ends(both, {elder: "rang_in"})
    assert [call.callees[0].id for call in await both.tick(minutes=2)] == [elder]


async def test_in_working_hours_somebody_may_be_rung_out_of_her_call(street: Street) -> None:
    elder = street.elder()
    street.world.clock.advance_to(street.world.at("09:30"))
    with street.world.db.write() as session:
        session.get_one(Place, street.world.place_id).notice = "明天停水。"
    variables = rings_in(street, elder).variables
    assert variables["duty"] == "1"
    assert variables["today"] == "明天停水。"
    assert "closed" not in variables


async def test_two_behind_one_number_are_both_asked_for_and_each_speaks_for_herself(both: Street) -> None:
    wang, zhao = (both.elder(name, number="+862155509999") for name in ("王秀英", "赵秀英"))
    both.world.clock.advance_to(both.world.at("07:30"))
    assert [each.id for each in rings_in(both, wang).callees] == [wang, zhao]
    await ends(both, {wang: "hung_up", zhao: "well"})
    assert both.checkin(zhao).status == Status.CLOSED
    assert both.checkin(wang).status == Status.PLANNED
    assert [[each.id for each in call.callees] for call in await both.tick(minutes=31)] == [[wang]]


def test_who_cannot_be_listened_to_is_rung_back(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of hers that can't be read: she hears so, and nothing of the call is left half written."""
    elder = street.elder()

    def broken(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(own_calls, "_request", broken)
    with street.world.db.write() as session:
        number = session.get_one(Person, elder).number or ""
        assert ringing_in.rang_in(session, "in-1", number, street.world.clock.now()) is Heard.NOTED
    assert opened(street) == [(ItemKind.RANG_IN, elder)]
    assert street.world.intents() == []


# ── well ──────────────────────────────────────────────────────────────────────────────────────────


async def test_well_before_her_call_is_today_s_check_in(street: Street) -> None:
    elder = street.elder()
    street.world.clock.advance_to(street.world.at("07:30"))
    await says(street, elder, "well")
    row = street.checkin(elder)
    assert (row.status, row.result, row.evidence, row.closed_by) == (Status.CLOSED, Result.WELL, "key", LINE)
    assert street.whats(elder) == ["rang_in", "own:well"]
    for minutes in (31, 60, 600):
        assert await street.tick(minutes=minutes) == []
    assert [call.callees[0].id for call in await later(street, "08:00")] == [elder], "tomorrow as ever"


async def later(street: Street, at: str, day: date = TOMORROW) -> list[CallRequest]:
    street.world.clock.advance_to(street.world.at(at, day))
    return await street.tick(seconds=1)


@pytest.mark.parametrize(("evidence", "certain"), [("speech", False), ("none", True)])
async def test_no_well_from_an_uncertain_ear(street: Street, evidence: str, certain: bool) -> None:
    elder = street.elder()
    await says(street, elder, "well", evidence, certain=certain)
    assert stands(street.checkin(elder)) == (Status.NEEDS_PERSON, Reason.PRESENT_UNCONFIRMED, Urgency.TODAY)


async def test_well_by_voice_counts_when_the_ear_is_sure(street: Street) -> None:
    elder = street.elder()
    await says(street, elder, "well", "speech", certain=True, text="身体蛮好")
    assert street.checkin(elder).status == Status.CLOSED


async def test_well_stops_the_search_and_who_is_on_the_way_is_told(both: Street) -> None:
    elder = both.elder()
    await both.unreached(elder)
    (out,) = await both.tick(seconds=1)
    await both.says(out, "accepted")
    both.world.clock.advance(minutes=5)
    assert rings_in(both, elder).callees[0].variables == {"missed": "1"}
    await ends(both, {elder: "well"})
    row = both.checkin(elder)
    assert (row.status, row.closed_by, (row.search or {})["ended_by"]) == (Status.CLOSED, LINE, elder)
    assert ("own:well", "王秀英") in [(event.what, event.who) for event in both.events(elder)]
    (taken,) = await both.tick(minutes=1)
    assert (taken.flow, taken.number) == ("taken", LI)
    await both.says(taken, "told")
    assert await both.tick(minutes=40) == []


async def test_well_ends_the_search_of_a_night_that_began_yesterday(both: Street) -> None:
    elder = both.elder()
    await both.unreached(elder)
    both.world.clock.advance_to(both.world.at("07:00", TOMORROW))
    await says(both, elder, "well")
    assert [row.status for row in both.world.checkins()] == [Status.CLOSED, Status.CLOSED]


@pytest.mark.parametrize("finding", ["needs_help", "nobody_opens"])
async def test_after_bad_news_from_the_door_well_is_noted_and_the_search_goes_on(street: Street, finding: str) -> None:
    elder = street.elder()
    await street.unreached(elder)
    (out,) = await street.tick(seconds=1)
    await street.says(out, "accepted")
    (asked,) = await street.tick(minutes=25)
    await street.says(asked, finding)
    before = stands(street.checkin(elder))
    await says(street, elder, "well")
    assert stands(street.checkin(elder)) == before
    assert street.whats(elder)[-1] == "own:well"
    assert numbers(await street.tick(seconds=1)) == [CHEN]


async def test_in_an_open_emergency_well_calls_nobody_off(street: Street) -> None:
    elder = street.elder()
    await street.world.to("08:00")
    await street.world.ends(elder, "emergency")
    await says(street, elder, "well")
    assert stands(street.checkin(elder)) == (Status.NEEDS_PERSON, Reason.EMERGENCY, Urgency.EMERGENCY)
    assert {CHEN, DAUGHTER} <= set(numbers(await street.tick(seconds=1)))


async def test_who_said_that_she_is_not_well_is_looked_after_whatever_she_says_then(street: Street) -> None:
    elder = street.elder()
    await street.world.to("08:00")
    await street.world.ends(elder, "not_well")
    await says(street, elder, "well")
    assert stands(street.checkin(elder)) == (Status.NEEDS_PERSON, Reason.NOT_WELL, Urgency.SOON)


async def test_seen_and_fine_her_own_call_is_the_one_that_makes_sure(street: Street) -> None:
    elder = street.elder()
    await street.unreached(elder)
    (out,) = await street.tick(seconds=1)
    await street.says(out, "accepted")
    (asked,) = await street.tick(minutes=25)
    await street.says(asked, "fine_seen")
    await says(street, elder, "well")
    row = street.checkin(elder)
    assert (row.status, row.closed_by) == (Status.CLOSED, "李阿姨")
    assert await street.tick(minutes=130) == []


# ── not well, a person, nothing clear ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("word", "reason"), [("not_well", Reason.NOT_WELL), ("wants_person", Reason.WANTS_PERSON)])
@pytest.mark.parametrize("day", ["before her call", "well already", "after a missed try"])
async def test_bad_news_opens_today_s_case_and_rings_duty(street: Street, word: str, reason: Reason, day: str) -> None:
    elder = street.elder()
    await street.world.to("09:00")
    if day != "before her call":
        await street.world.ends(elder, "well" if day == "well already" else Disposition.NO_ANSWER)
    await says(street, elder, word, unwell_text="头昏")
    assert stands(street.checkin(elder)) == (Status.NEEDS_PERSON, reason, Urgency.SOON)
    assert (street.checkin(elder).answer or {})["unwell_text"] == "头昏"
    assert numbers(await street.tick(seconds=1)) == [CHEN]


async def test_bad_news_makes_nothing_less_urgent_and_says_why_somebody_must_go(street: Street) -> None:
    elder = street.elder()
    await street.unreached(elder)
    await says(street, elder, "not_well")
    assert stands(street.checkin(elder)) == (Status.NEEDS_PERSON, Reason.NOT_WELL, Urgency.UNREACHED)
    (out,) = await street.tick(seconds=1)
    assert out.callees[0].variables["why"] == "说身体不舒服"


async def test_bad_news_makes_sooner_what_could_wait(both: Street) -> None:
    elder = both.elder()
    await both.world.to("08:00")
    await both.world.ends(elder, "absent")
    await says(both, elder, "wants_person")
    assert stands(both.checkin(elder)) == (Status.NEEDS_PERSON, Reason.WANTS_PERSON, Urgency.SOON)
    await says(both, elder, "not_well", call_id="in-2")
    assert stands(both.checkin(elder)) == (Status.NEEDS_PERSON, Reason.NOT_WELL, Urgency.SOON)
    await says(both, elder, "wants_person", call_id="in-3")
    assert stands(both.checkin(elder)) == (Status.NEEDS_PERSON, Reason.NOT_WELL, Urgency.SOON)


@pytest.mark.parametrize("word", ["rang_in", "hung_up", "present_unconfirmed"])
async def test_silence_and_other_matters_lower_nothing(street: Street, word: str) -> None:
    elder = street.elder()
    await street.unreached(elder)
    before = stands(street.checkin(elder))
    await says(street, elder, word, "none")
    assert stands(street.checkin(elder)) == before
    assert numbers(await street.tick(seconds=1)) == [LI]


async def test_what_she_has_to_say_changes_nothing_of_her_day(street: Street) -> None:
    elder = street.elder()
    more = [{"complaint_text": "路灯"}, {"message_text": "请回电"}]
    await says(street, elder, "rang_in", complaint_recording="x.wav", node="menu", days="3", more=more)
    row = street.checkin(elder)
    assert (row.status, row.answer) == (Status.PLANNED, {"node": "menu", "more": [{"message_text": "请回电"}]})
    assert opened(street) == []


async def test_silence_before_her_call_is_a_person_today_and_after_it_an_item(street: Street) -> None:
    elder, other = street.elder(), street.elder("赵秀英")
    await street.world.to("08:00")
    await street.world.ends(other, "well")
    await says(street, other, "present_unconfirmed", "none", call_id="in-2")
    assert street.checkin(other).status == Status.CLOSED
    assert opened(street) == [(ItemKind.RANG_IN, other)]
    await street.world.ends(elder, Disposition.NO_ANSWER)
    await says(street, elder, "present_unconfirmed", "none")
    assert stands(street.checkin(elder)) == (Status.NEEDS_PERSON, Reason.PRESENT_UNCONFIRMED, Urgency.TODAY)


async def test_who_hangs_up_without_a_word_gets_her_call_or_is_rung_back(street: Street) -> None:
    """She wanted something, and a machine answered."""
    wang, zhao = (street.elder(name, number="+862155509999") for name in ("王秀英", "赵秀英"))
    rings_in(street, wang)
    await ends(street, {wang: "hung_up", zhao: "hung_up"}, "none")
    assert opened(street) == []
    await street.world.to("08:00")
    await street.world.ends(wang, "well")
    await street.world.ends(zhao, "well")
    rings_in(street, wang, call_id="in-2")
    await ends(street, {wang: "hung_up", zhao: "hung_up"}, "none", call_id="in-2")
    assert opened(street) == [(ItemKind.RANG_IN, wang)]


@pytest.mark.parametrize("disposition", [Disposition.INTERRUPTED, Disposition.UNKNOWN, Disposition.LINE_ERROR])
async def test_a_line_that_breaks_before_she_has_said_a_thing_is_a_person_soon(
    street: Street, disposition: Disposition
) -> None:
    elder = street.elder()
    await says(
        street, elder, "interrupted" if disposition is Disposition.INTERRUPTED else "hung_up", "none", disposition
    )
    assert stands(street.checkin(elder)) == (Status.NEEDS_PERSON, Reason.WANTS_PERSON, Urgency.SOON)


async def test_a_call_of_hers_that_nobody_knows_the_end_of_is_a_person_soon(street: Street) -> None:
    elder = street.elder()
    rings_in(street, elder)
    await street.tick(minutes=2)
    assert await street.world.cycle.reconcile() == 1
    assert stands(street.checkin(elder)) == (Status.NEEDS_PERSON, Reason.WANTS_PERSON, Urgency.SOON)


async def test_a_cry_in_her_call_is_an_emergency_at_once(both: Street) -> None:
    wang, zhao = (both.elder(name, number="+862155509999") for name in ("王秀英", "赵秀英"))
    rings_in(both, wang)
    cry = CallOutcome("in-1", both.world.clock.now(), final=False, alarm="distress")
    assert await both.world.cycle.settle(cry)
    assert not await both.world.cycle.settle(cry)
    assert {row.urgency for row in both.world.checkins()} == {Urgency.EMERGENCY}, "nobody knows yet which of them"
    assert {CHEN, DAUGHTER} <= set(numbers(await both.tick(seconds=1)))
    await ends(both, {wang: "hung_up", zhao: "hung_up"})
    assert {row.urgency for row in both.world.checkins()} == {Urgency.EMERGENCY}


async def test_refusing_holds_from_now_on_and_a_person_asks(street: Street) -> None:
    elder = street.elder()
    await says(street, elder, "refused")
    assert street.world.person(elder).state == State.REFUSED
    assert street.checkin(elder).reason == Reason.REFUSED
    await street.world.to("08:30")
    assert street.world.person(elder).number not in numbers(street.world.placer.requests)


# ── whom the line doesn't ring ────────────────────────────────────────────────────────────────────


def gone(street: Street, **state: Any) -> str:
    elder = street.elder()
    with street.world.db.write() as session:
        person = session.get_one(Person, elder)
        for name, value in state.items():
            setattr(person, name, value)
    return elder


PAUSED = {"state": State.PAUSED, "state_until": TOMORROW, "state_source": "女儿"}


@pytest.mark.parametrize("state", [PAUSED, {"state": State.MOVED}])
async def test_who_is_not_called_is_listened_to_and_needs_nobody_by_that(street: Street, state: dict[str, Any]) -> None:
    elder = gone(street, **state)
    await says(street, elder, "rang_in")
    assert street.checkin(elder).status == Status.CLOSED
    assert await street.tick(minutes=60) == []
    assert opened(street) == []
    assert street.world.person(elder).state == state["state"]


async def test_who_is_paused_and_not_well_is_looked_after(both: Street) -> None:
    elder = both.elder(**PAUSED)
    both.world.clock.advance_to(both.world.at("09:00"))
    await says(both, elder, "not_well")
    assert stands(both.checkin(elder)) == (Status.NEEDS_PERSON, Reason.NOT_WELL, Urgency.SOON)
    assert numbers(await both.tick(seconds=1)) == [CHEN]


async def test_who_moved_is_rung_back_by_a_person_and_a_cry_rings_people(street: Street) -> None:
    elder = gone(street, state=State.MOVED)
    await says(street, elder, "not_well")
    assert opened(street) == [(ItemKind.RANG_IN, elder)]
    assert street.checkin(elder).status == Status.CLOSED
    await says(street, elder, "emergency", call_id="in-2")
    assert stands(street.checkin(elder)) == (Status.NEEDS_PERSON, Reason.EMERGENCY, Urgency.EMERGENCY)


def test_the_number_of_somebody_who_died_is_a_stranger_s(street: Street) -> None:
    elder = gone(street, state=State.DIED)
    request = rings_in(street, elder)
    assert (request.flow, request.callees[0].spoken_name) == ("stranger", "")


# ── away for some days ────────────────────────────────────────────────────────────────────────────


async def test_away_holds_after_her_key_and_a_person_hears_of_it(both: Street) -> None:
    elder = both.elder()
    rings_in(both, elder)
    assert await ask(both, "away", elder, "3") == Told("noted", {"until": "三月四号"})
    assert both.world.person(elder).state == State.ACTIVE, "nothing holds before she has said yes"
    for _ in range(2):
        assert await ask(both, "away.confirmed", elder) == Told("noted")
    await ends(both, {elder: "away"})
    person = both.world.person(elder)
    assert (person.state, person.state_until, person.state_source) == (State.PAUSED, date(2026, 3, 4), "by phone")
    assert both.checkin(elder).status == Status.CLOSED
    assert opened(both) == [(ItemKind.AWAY, elder)]
    assert await later(both, "08:30", DAY) == await later(both, "08:30") == []
    back = date(2026, 3, 5)
    await both.world.to("09:00", back)
    assert both.world.row(elder, back).reason == Reason.PAUSE_ENDED, "a human asks first"


@pytest.mark.parametrize(
    ("days", "answer"),
    [("1", "三月二号"), ("60", "四月三十号"), ("20", "三月二十一号"), ("61", None), ("99", None), ("0", ""), ("x", "")],
)
async def test_so_many_days(street: Street, days: str, answer: str | None) -> None:
    elder = street.elder()
    rings_in(street, elder)
    wanted = Told("too_long") if answer is None else Told("noted", {"until": answer}) if answer else Told("")
    assert await ask(street, "away", elder, days) == wanted


async def test_away_closes_no_search(street: Street) -> None:
    elder = street.elder()
    await street.unreached(elder)
    rings_in(street, elder)
    await ask(street, "away", elder, "3")
    await ask(street, "away.confirmed", elder)
    await ends(street, {elder: "away"})
    assert street.checkin(elder).status == Status.NEEDS_PERSON
    assert numbers(await street.tick(seconds=1)) == [LI]


async def test_nobody_goes_away_without_having_been_asked_or_in_another_s_call(street: Street) -> None:
    elder, other = street.elder(), street.elder("赵秀英")
    rings_in(street, elder)
    assert await ask(street, "away.confirmed", elder) == Told("")
    assert await ask(street, "away", other, "3") == Told("")
    with street.world.db.write() as session:
        session.get_one(Person, elder).state = State.REFUSED
    assert await ask(street, "away", elder, "3") == Told(""), "a person asks who refused machine calls"


# ── strangers ─────────────────────────────────────────────────────────────────────────────────────


async def stranger_says(street: Street, number: str, word: str, call_id: str = "in-1", **detail: Any) -> None:
    street.elder()
    rings_in(street, number=number, call_id=call_id)
    await ends(street, {"": word}, call_id=call_id, **detail)


def notes(street: Street) -> list[tuple[str, str | None, str]]:
    with street.world.db.read() as session:
        found = items.open_items(session)
        return [(item.kind, item.by_id, str((item.detail or {}).get("number", ""))) for item in found]


@pytest.mark.parametrize(("number", "known"), [("021-55512345", "+862155512345"), ("anonymous", "")])
@pytest.mark.parametrize("word", ["wants_person", "not_recorded"])
async def test_a_stranger_who_wants_a_person_is_rung_back(street: Street, number: str, known: str, word: str) -> None:
    street.elder()
    request = rings_in(street, number=number)
    assert (request.flow, request.number, request.variables.get("known")) == ("stranger", known, "1" if known else None)
    assert rings_in(street, number=number) == request
    await ends(street, {"": word})
    assert notes(street) == [(ItemKind.STRANGER_RANG, None, known)]


async def test_what_a_stranger_dictates_is_for_others_to_hear_and_silence_is_nothing(street: Street) -> None:
    await stranger_says(street, "anonymous", "rang_in", complaint_recording="x.wav", caller_text="张三")
    await stranger_says(street, "021-55512345", "no_word", call_id="in-2")
    assert notes(street) == []
    await stranger_says(street, "021-55512345", "rang_in", call_id="in-3", caller_text="张三")
    assert notes(street) == [(ItemKind.STRANGER_RANG, None, "+862155512345")]


async def test_two_strangers_are_two_items_and_a_daughter_is_known(both: Street) -> None:
    for at, number in enumerate(["021-55512345", "021-55512346", DAUGHTER]):
        await stranger_says(both, number, "wants_person", call_id=f"in-{at}")
    assert [(by, number) for _, by, number in notes(both)] == [
        (None, "+862155512345"),
        (None, "+862155512346"),
        (both.ids[DAUGHTER], DAUGHTER),
    ]


async def test_a_stranger_s_cry_rings_duty_and_says_by_which_number(both: Street) -> None:
    both.elder()
    rings_in(both, number="021-55512345")
    cry = CallOutcome("in-1", both.world.clock.now(), final=False, alarm="distress")
    assert await both.world.cycle.settle(cry)
    assert not await both.world.cycle.settle(cry)
    await ends(both, {"": "emergency"})
    assert notes(both) == [(ItemKind.CRIED, None, "+862155512345")]
    with both.world.db.read() as session:
        (alarm,) = alarms.open_alarms(session)
    assert (alarm.kind, "不认识的号码" in alarm.text, "555" in alarm.text) == ("cried", True, False)


async def test_a_stranger_s_call_that_is_lost_is_rung_back_if_there_is_a_number(street: Street) -> None:
    street.elder()
    rings_in(street, number="021-55512345")
    await street.tick(minutes=2)
    await street.world.cycle.reconcile()
    assert notes(street) == [(ItemKind.STRANGER_RANG, None, "+862155512345")]
