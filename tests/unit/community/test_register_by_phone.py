"""Elders hear and correct their own entry by telephone: what the line answers, what is kept, what nobody learns."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkins import fast_clock, items, register_log
from checkins.items import Item
from checkins.ports import CallOutcome, Disposition, PersonOutcome, Told
from checkins.register_log import PersonEvent, What
from checkins.tables import Person
from community import register_entry
from community.intake import Spoken
from community.register_counter import RegisterCounter
from community.register_home import MOST_WRONG, WITHIN, keys, may_try
from community.register_intake import RegisterIntake
from tests.unit.checkins.world import World
from tests.unit.community.hall import details

HOME, KEYED = "三号楼502室", "3502"
IN = "call-1"


class Office:
    """One elder's telephone, and who listens afterwards."""

    def __init__(self, world: World, **values: Any) -> None:
        self.world = world
        self.counter, self.intake = RegisterCounter(world.db, world.clock), RegisterIntake(world.db, world.clock)
        self.elder = world.elder("王秀英", **{"address": HOME, "key_holder": "隔壁陈阿姨", **values})

    async def ask(self, query: str, value: str = "", call: str = IN, elder: str | None = None) -> Told:
        return await self.counter.ask(call, f"register.{query}", self.elder if elder is None else elder, value)

    async def word(self, query: str, value: str = "", call: str = IN) -> str:
        return (await self.ask(query, value, call)).word

    async def opens(self, call: str = IN) -> None:
        assert await self.word("begin", call=call) == "prove"
        assert await self.word("home", KEYED, call) == "open"

    async def ends(self, *said: str, call: str = IN, cut: str = "", final: bool = True) -> None:
        """`said`: texts that were dictated; `cut`: the recording of who was cut off."""
        told = details(
            {"correction": (said[0], *said[1:])} if len(said) > 1 else {"correction": said[0]} if said else {}
        )
        person = PersonOutcome(self.elder, "rang_in", "key", told)
        now = self.world.clock.now()
        outcome = CallOutcome(call, now, final=final, disposition=Disposition.ANSWERED, people=(person,))
        await self.intake.settle(outcome, (self.elder, Spoken("correction", cut)) if cut else None)

    def waiting(self) -> list[tuple[str, list[str]]]:
        """Of each correction that waits: what about, and the recordings."""
        with self.world.db.read() as session:
            return [
                ((item.detail or {})["field"], [each.recording for each in register_entry.recordings(session, item)])
                for item in register_entry.waiting(session)
            ]

    def items(self) -> list[Item]:
        with self.world.db.read() as session:
            return items.open_items(session)

    def events(self, *what: What) -> list[PersonEvent]:
        with self.world.db.read() as session:
            return register_log.events(session, self.elder, *what)

    def staff(self, work: Any, *args: Any) -> None:
        with self.world.db.write() as session:
            work(session, *args, now=self.world.clock.now())


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


# ── who may hear it ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("address", "keyed"),
    [
        ("三号楼502室", {"3502"}),
        ("3 号楼 五〇二室", {"3502"}),
        ("1234弄5号301室", {"5301", "1234301", "12345301"}),
        ("十二号楼一零一", {"12101"}),
        ("12-301", {"12301"}),
        ("03号楼502室", {"3502", "03502"}),
        ("3号楼0502室", {"3502", "30502"}),
        ("3号楼502室(钥匙在楼下1室)", {"3502"}),
        ("3号楼502室（原5号楼", {"3502"}),
        ("3号楼502室 电话62540000", {"3502"}),
        ("3号楼502 电话62540000", {"3502"}),
        ("3号502室2人", {"3502"}),
        ("活动室旁3号楼502室", {"3502"}),
        ("5号12室", set()),  # too few figures
        ("2301室", set()),  # a flat alone
        ("老房子", set()),
        (None, set()),
    ],
)
def test_what_is_keyed_for_an_address(address: str | None, keyed: set[str]) -> None:
    assert keys(address) == keyed


@given(st.text())
def test_no_address_stops_a_call(address: str) -> None:
    assert all(key.isdecimal() and len(key) >= 4 for key in keys(address))


async def test_nothing_is_read_before_the_home_is_keyed_in_this_very_call(office: Office) -> None:
    await office.opens("earlier")
    for query, value in (("next", ""), ("next", "address"), ("wrong", "address"), ("said", "a.ulaw")):
        assert await office.ask(query, value) == Told(""), query
    assert await office.ask("home", "3501") == Told("wrong")
    assert await office.ask("next") == Told("")
    assert (await office.ask("begin", elder=""), office.items()) == (Told(""), []), "a stranger has no entry"


async def test_another_elder_behind_the_number_is_asked_for_her_own_home(office: Office) -> None:
    other = office.world.elder("赵秀英", address="八号楼101室")
    await office.opens()
    assert (await office.ask("begin", elder=other)).word == "prove"
    assert await office.ask("next", elder=other) == Told("")
    assert (await office.ask("home", KEYED, elder=other)).word == "wrong"


async def test_who_guesses_is_not_told_and_staff_hear_of_it(office: Office) -> None:
    words = [await office.word("home", f"350{n}", f"call-{n}") for n in (3, 4, 5)]
    assert words == ["wrong"] * (MOST_WRONG - 1) + ["person"]
    assert await office.word("home", KEYED, "call-6") == "person", "not even the right one, from now on"
    assert await office.word("begin", call="call-7") == "person"
    assert office.waiting() == [("entry", [])], "one item, however often"
    assert all(not event.detail for event in office.events(What.HOME_NOT_KEYED)), "figures are kept nowhere"
    (item,) = office.items()
    office.world.clock.advance_to(office.world.clock.now() + timedelta(minutes=5))
    office.staff(items.done, item.id, "陈老师")
    assert await office.word("begin", call="call-8") == "prove", "staff have looked into it"


async def test_wrong_ones_are_forgotten_with_time_and_by_a_right_one(office: Office) -> None:
    for call in ("call-1", "call-2"):
        await office.word("home", "1", call)
    assert await office.word("home", KEYED, "call-3") == "open"
    for call in ("call-4", "call-5", "call-6"):
        await office.word("home", "1", call)
    assert await office.word("begin", call="call-7") == "person"
    office.world.clock.advance_to(office.world.clock.now() + WITHIN)
    assert await office.word("begin", call="call-8") == "prove"


async def test_wrong_ones_under_a_clock_that_was_fast_do_not_last_longer(office: Office) -> None:
    right = office.world.clock.now()
    office.world.clock.advance_to(right + timedelta(days=300))
    for call in ("call-1", "call-2", "call-3"):
        await office.word("home", "1", call)
    with office.world.db.write() as session:
        fast_clock.accept(session, "陈老师", right)
        elder = session.get_one(Person, office.elder)
        assert not may_try(session, elder, right)
        assert may_try(session, elder, right + WITHIN)


async def test_who_cannot_prove_it_is_rung_back(world: World) -> None:
    office = Office(world, address="老房子")
    assert await office.word("begin") == "person"
    assert await office.word("person") == "person"
    assert office.waiting() == [("entry", [])]


async def test_who_has_the_key_is_never_named(office: Office) -> None:
    await office.opens()
    told = " ".join(register_entry.told(office.world.person(office.elder)).values())
    assert "有人保管您家的钥匙" in told
    assert "陈阿姨" not in told


# ── what is wrong in it ───────────────────────────────────────────────────────────────────────────


async def test_she_hears_field_after_field_and_the_same_question_has_the_same_answer(office: Office) -> None:
    await office.opens()
    assert await office.word("begin") == "open", "not asked twice in a call"
    heard, field = [], ""
    while (told := await office.ask("next", field)).word == "fact":
        assert await office.ask("next", field) == told
        field = told.values["field"]
        heard.append(field)
    assert heard == ["name", "address", "phone", "key_holder", "consents"]
    assert told == Told("none", {"field": "other"})
    assert await office.word("next", "other") == "done"


async def test_a_correction_is_written_down_before_she_says_it_and_once(office: Office) -> None:
    await office.opens()
    before = office.world.person(office.elder)
    for _ in range(2):  # asked again after a crash between the row and the answer
        assert await office.word("wrong", "address") == "noted"
    assert office.waiting() == [("address", [])]
    for _ in range(2):
        assert await office.word("said", "a.ulaw") == "noted"
    assert office.waiting() == [("address", ["a.ulaw"])]
    assert len(office.events(What.SAID_WRONG)) == 2
    assert await office.word("wrong", "lottery") == ""
    after = office.world.person(office.elder)
    assert (after.address, after.name, after.number) == (before.address, before.name, before.number)


async def test_the_call_s_end_adds_what_the_ear_made_of_it_and_nothing_twice(office: Office) -> None:
    await office.opens()
    await office.word("wrong", "address")
    recording = details({"correction": "五号楼"})["correction_recording"]
    await office.word("said", recording)
    await office.ends("五号楼", final=False)
    for _ in range(2):
        await office.ends("五号楼")
    (item,) = office.items()
    assert (item.detail or {})["text"] == "住址：五号楼"
    assert office.waiting() == [("address", [recording])]
    office.staff(register_entry.confirm, item.id, "address", "五号楼301室", "陈老师")
    await office.ends("五号楼")
    assert office.items() == [], "the same news again, when staff have done it"


async def test_recordings_that_come_when_the_call_is_over_go_where_they_belong(office: Office) -> None:
    await office.opens()
    for field in ("name", "address"):
        await office.word("wrong", field)
        assert await office.word("said", "") == "noted", "by plain verbs: the carrier has it still"
    await office.ends("王秀瑛", "五号楼")
    found = dict(office.waiting())
    assert {field: len(recordings) for field, recordings in found.items()} == {"name": 1, "address": 1}
    assert found["name"] != found["address"]


@pytest.mark.parametrize("noted", [True, False])
async def test_who_is_cut_off_is_heard_all_the_same(office: Office, noted: bool) -> None:
    await office.opens()
    if noted:  # else nothing could be written in mid-call
        await office.word("wrong", "phone")
    for _ in range(2):
        await office.ends(cut="2026/03/02/cut.ulaw")
    assert office.waiting() == [("phone" if noted else "other", ["2026/03/02/cut.ulaw"])]


async def test_the_same_correction_in_two_calls_is_one_item_with_both_recordings(office: Office) -> None:
    for call, recording in (("call-1", "a.ulaw"), ("call-2", "b.ulaw")):
        await office.opens(call)
        await office.word("wrong", "address", call)
        await office.word("said", recording, call)
    assert office.waiting() == [("address", ["a.ulaw", "b.ulaw"])]
    assert len(office.items()) == 1


async def test_called_wrong_again_it_waits_again_when_staff_have_done_it_in_mid_call(office: Office) -> None:
    await office.opens()
    assert await office.word("wrong", "phone") == "noted"
    (item,) = office.items()
    office.staff(register_entry.refuse, item.id, "陈老师", "登记的是对的")
    assert await office.word("wrong", "phone") == "noted"
    (again,) = office.items()
    assert (again.id != item.id, (again.detail or {})["field"]) == (True, "phone")
    assert await office.word("wrong", "phone") == "noted"
    assert len(office.events(What.SAID_WRONG)) == 2, "said twice, though asked three times"


async def test_news_of_nobody_changes_nothing(office: Office) -> None:
    told = details({"correction": "五号楼"})
    for person in (PersonOutcome("", "rang_in", "key", told), PersonOutcome("gone", "rang_in", "key", told)):
        outcome = CallOutcome(
            IN, office.world.clock.now(), final=True, disposition=Disposition.ANSWERED, people=(person,)
        )
        await office.intake.settle(outcome)
    assert office.items() == []
    with office.world.db.read() as session:
        assert session.query(Person).count() == 1
