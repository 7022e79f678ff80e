"""打钩: chosen by telephone and on paper, letters, whom the line rings, who is told the result. What is refused:
test_ballot_attacks.py."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import people
from checkins.items import ItemKind
from checkins.other_calls import Ended, Lines
from checkins.ports import CallRequest, Disposition, PersonOutcome, Told
from checkins.tables import CallIntent, Checkin, Neighbourhood, State
from community import ballot as core
from community import ballot_calls as calls
from community import ballot_doubts, ballot_letters, ballot_making, ballot_staff
from community import ballot_rows as rows
from community.ballot import Refusal, Unit
from community.ballot_calls import BallotCalls
from community.ballot_counter import BallotCounter
from community.ballot_tables import Ballot, BallotCall, BallotSlot, Errand
from community.wrong import Wrong
from tests.unit.community.hall import CHEN, Hall
from tests.unit.community.vote import ROLL, Vote

# ── by telephone ──────────────────────────────────────────────────────────────────────────────────


async def test_topics_come_one_after_the_other_and_what_was_chosen_is_read_back(hall: Hall) -> None:
    elder = hall.world.elder()
    vote = Vote(hall)
    assert (await vote.ask("ballot.begin", elder)) == Told("open", {"title": "电梯"})
    told = await vote.ask("ballot.next", elder)
    said = {"place": "一共两件,第一件。", "question": "要不要装电梯?", "options": "要,请按1;不要,请按2;都可以,请按3。"}
    assert told == Told("topic", said)
    assert (await vote.ask("ballot.next", elder, "4")).word == "again", "there is no fourth"
    assert await vote.ask("ballot.next", elder, "2") == Told("noted", {"chosen": "不要"})
    told = await vote.ask("ballot.next", elder)
    assert told.values["options"] == "赞成,请按1;反对,请按2。"
    assert (await vote.ask("ballot.next", elder, "1")).word == "noted"
    assert (await vote.ask("ballot.next", elder)).word == "done"
    assert vote.counted() == [0, 1, 0]


async def test_no_more_than_four_topics_at_a_time(hall: Hall) -> None:
    elder, now = hall.world.elder(), hall.world.clock.now()
    with hall.world.db.write() as session:
        place = session.get_one(Neighbourhood, hall.world.place_id)
        closes = now + timedelta(days=1)
        topics = [f"第{nth}条?" for nth in range(6)]
        ballot_making.make(session, place, "公约", topics, Unit.PERSON, now, closes, CHEN, now)
    counter = BallotCounter(hall.world.db, hall.world.clock)
    words = []
    for _ in range(8):
        told = await counter.ask("call-1", "ballot.next", elder, "")
        words.append(told.word)
        if told.word == "topic":
            await counter.ask("call-1", "ballot.next", elder, "1")
    assert words == [*["topic"] * 4, "more", "topic", "topic", "done"]


# ── letters, the register ─────────────────────────────────────────────────────────────────────────


async def test_a_proxy_counts_only_when_staff_have_it_in_writing(hall: Hall, quick: None) -> None:
    vote = Vote(hall, Unit.OWNER, ROLL)
    assert vote.paper("1号102室", {1: 1}, who="孙小妹") is Refusal.NO_PROXY
    with pytest.raises(ValueError, match="in writing"):
        hall.act(ballot_staff.proxy, vote.number, "1号102室", "孙小妹", " ", CHEN)
    hall.act(ballot_staff.proxy, vote.number, "1号102室", "孙小妹", "柜三,委托书十二", CHEN)
    assert vote.paper("1号102室", {1: 1}, who="孙小妹") is None
    assert vote.counted() == [1, 0, 0]


async def test_letters_of_two_ballots_have_numbers_of_their_own(hall: Hall, quick: None) -> None:
    one, other = Vote(hall, Unit.OWNER, ROLL), Vote(hall, Unit.OWNER, "室号,业主\n9号901室,钱多多\n")
    letters = [one.letter(), other.letter()]
    assert [number for number, _ in letters] == ["10001", "10003"]
    for number, pin in letters:
        await one.ask("ballot.unit", "", number, f"call-{number}")
        assert (await one.ask("ballot.pin", "", pin, f"call-{number}")).word == "right"
    await one.ask("ballot.unit", "", "99999999999999999999", "call-9")
    assert (await one.ask("ballot.pin", "", letters[0][1], "call-9")).word == "wrong"
    assert hall.look(lambda session: [slot.wrong for slot in session.scalars(select(BallotSlot))]) == [0, 0, 0]


async def test_of_two_who_make_letters_at_once_one_has_made_them(hall: Hall, quick: None) -> None:
    """The first on paper: the other one's PINs would shut out whoever has the first's letter."""
    vote = Vote(hall, Unit.OWNER, ROLL)
    one, other = (hall.look(lambda session: _letters(session, vote, hall)) for _ in range(2))
    hall.act(ballot_letters.post, vote.number, one, CHEN)
    with pytest.raises(Wrong, match="these open nothing"):
        hall.act(ballot_letters.post, vote.number, other, CHEN)
    for letter, word in ((other[0], "wrong"), (one[0], "right")):
        await vote.ask("ballot.unit", "", str(letter.number), letter.pin)
        assert (await vote.ask("ballot.pin", "", letter.pin, letter.pin)).word == word


def _letters(session: Session, vote: Vote, hall: Hall) -> list[ballot_letters.Letter]:
    found = ballot_letters.addressees(session, vote.number, hall.world.clock.now())
    made = list(ballot_letters.letters_for(found))
    assert [(each.slot_id, each.number) for each in made] == [(each.slot_id, each.number) for each in found]
    return made


@pytest.mark.parametrize("end", ["new letter", "withdrawn", "closed"])
async def test_nobody_must_see_to_a_locked_letter_that_was_made_anew_or_is_over(
    hall: Hall, quick: None, end: str
) -> None:
    vote = Vote(hall, Unit.OWNER, ROLL)
    number, _ = vote.letter()
    await vote.ask("ballot.unit", "", number)
    for _ in range(5):
        await vote.ask("ballot.pin", "", "000000")
    assert hall.todo() == [ItemKind.BALLOT_PIN]
    other = hall.look(lambda session: ballot_letters.letters(session, vote.number, hall.world.clock.now(), "1号102室"))
    hall.act(ballot_letters.post, vote.number, other, CHEN)
    assert hall.todo() == [ItemKind.BALLOT_PIN], "another one's letter"
    if end == "new letter":
        new = hall.look(
            lambda session: ballot_letters.letters(session, vote.number, hall.world.clock.now(), "1号101室")
        )
        hall.act(ballot_letters.post, vote.number, new, CHEN)
    elif end == "withdrawn":
        hall.act(ballot_staff.withdraw, vote.number, CHEN)
    else:
        await vote.over()
    assert hall.todo() == []


async def test_no_letter_is_made_for_what_is_over(hall: Hall) -> None:
    vote = Vote(hall, Unit.OWNER, ROLL)
    hall.later(days=3)
    with pytest.raises(ValueError, match="7001 is over"):
        hall.act(ballot_letters.letters, vote.number)
    with pytest.raises(ValueError, match="7001 is over"):
        hall.act(ballot_letters.post, vote.number, [], CHEN)


async def test_a_printed_letter_of_four_digits_goes_on(hall: Hall, quick: None) -> None:
    vote = Vote(hall, Unit.OWNER, ROLL)
    _, pin = vote.letter()
    with hall.world.db.write() as session:
        rows.slots(session, vote.row())[0].letter = 1001
    for typed, word in (("01001", "wrong"), ("10012", "wrong"), ("1001", "right")):
        await vote.ask("ballot.unit", "", typed)
        assert (await vote.ask("ballot.pin", "", pin)).word == word
    assert await vote.chooses("", "1") == "noted"


async def test_a_ballot_of_12000_units_beside_another_has_letters_enough(hall: Hall) -> None:
    roll = "室号,业主,电话\n" + "".join(f"{house}号{flat}室,张,\n" for house in range(120) for flat in range(100))
    numbers = hall.look(lambda session: rows.free_letters(session, 7 * len(ballot_making.read_roll(roll))))
    assert len({len(str(each)) for each in numbers}) == 1
    Vote(hall, Unit.OWNER, roll)
    assert hall.look(lambda session: rows.free_letters(session, 12_000))[0] == 22_001


async def test_numbers_of_letters_that_are_over_are_given_out_last(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LAST_LETTER", 10_004)
    vote = Vote(hall, Unit.OWNER, ROLL)
    hall.look(lambda session: rows.free_letters(session, 2))
    with pytest.raises(ValueError, match="3 letters are needed, and 2 numbers are free"):
        hall.look(lambda session: rows.free_letters(session, 3))
    hall.act(ballot_staff.withdraw, vote.number, CHEN)
    assert hall.look(lambda session: rows.free_letters(session, 4)) == [10_003, 10_004, 10_001, 10_002]


async def test_a_new_letter_ends_calls_that_were_proven_by_the_old_one(hall: Hall, quick: None) -> None:
    vote = Vote(hall, Unit.OWNER, ROLL)
    number, pin = vote.letter()
    await vote.ask("ballot.unit", "", number)
    assert (await vote.ask("ballot.pin", "", pin)).word == "right"
    assert (await vote.ask("ballot.next")).word == "topic"
    new = hall.look(lambda session: ballot_letters.letters(session, vote.number, hall.world.clock.now(), "1号101室"))
    hall.act(ballot_letters.post, vote.number, new, CHEN)
    told = await vote.ask("ballot.next", "", "1")
    assert (told.word, told.values["why"]) == ("closed", "您的信已经换了新的,请用新信上的密码。")
    assert (await vote.ask("ballot.next")).word == "closed"
    assert (vote.counted(), vote.refused()) == ([0, 0, 0], ["not_proven"])
    await vote.ask("ballot.unit", "", number)
    assert (await vote.ask("ballot.pin", "", new[0].pin)).word == "right"
    assert await vote.chooses("", "1") == "noted"


@pytest.mark.parametrize("state", [State.DIED, State.MOVED])
async def test_who_has_died_or_moved_chooses_no_more_and_nobody_goes_there(hall: Hall, state: State) -> None:
    elder = hall.world.elder("王秀英")
    vote = Vote(hall)
    hall.act(lambda session, now: people.set_state(session, elder, state, CHEN, now, said_by="家人"))
    assert vote.to_see() == []
    assert vote.paper("王秀英", {1: 1}) is Refusal.GONE
    assert await vote.chooses(elder, "1") == "closed"
    assert (vote.counted(), vote.refused()) == ([0, 0, 0], ["gone", "gone"])
    await _is_claimed(hall)
    assert hall.todo() == []


async def test_owners_outside_the_register_hear_the_result_from_staff(hall: Hall, quick: None) -> None:
    """The line knows nobody of them; their number of the roll is kept for that, and no longer."""
    elder = hall.world.elder("王秀英", number="+862162345678")
    units = ("1号101室,王秀英,62345678", "1号102室,赵一平,62345679", "1号103室,李福根,62345670", "1号104室,张,1")
    roll = "\n".join(("室号,业主,电话", *units))
    vote = Vote(hall, Unit.OWNER, roll)
    for unit, who in (("1号101室", "王秀英"), ("1号102室", "赵一平"), ("1号103室", "李福根")):
        assert vote.paper(unit, {1: 1}, who=who) is None
    await vote.over()
    assert vote.calls() == [("result", None)], "who is in the register"
    assert hall.todo() == [ItemKind.BALLOT_TELL]
    phones = hall.look(lambda session: [slot.phone for slot in rows.slots(session, vote.row())])
    assert phones == [None, "62345679", "62345670", None]
    assert hall.act(ballot_staff.told, vote.number, ["一号102"], CHEN) == 1
    assert hall.act(ballot_staff.told, vote.number, ["一号102"], CHEN) == 0
    hall.act(lambda session, now: calls.over(session, vote.row(), elder, Errand.RESULT, now))
    assert hall.todo() == [ItemKind.BALLOT_TELL], "somebody waits yet"
    with pytest.raises(LookupError):
        hall.act(ballot_staff.told, vote.number, ["9号"], CHEN)
    assert hall.act(ballot_staff.told, vote.number, [], CHEN) == 1
    assert hall.todo() == []


async def test_a_roll_s_numbers_are_forgotten_with_a_ballot_that_is_withdrawn(hall: Hall) -> None:
    vote = Vote(hall, Unit.OWNER, "室号,业主,电话\n1号101室,张大同,62345678\n")
    hall.act(ballot_staff.withdraw, vote.number, CHEN)
    assert hall.look(lambda session: [slot.phone for slot in rows.slots(session, vote.row())]) == [None]
    await vote.over()
    assert hall.todo() == []


async def test_who_has_died_is_told_no_result(hall: Hall) -> None:
    elder = hall.world.elder("王秀英")
    vote = Vote(hall)
    assert await vote.chooses(elder, "1") == "noted"
    hall.act(lambda session, now: people.set_state(session, elder, State.DIED, CHEN, now, said_by="家人"))
    await vote.over()
    assert (vote.counted(), vote.calls()) == ([1, 0, 0], [("ask", "done")])


async def test_two_on_one_telephone_each_choose_for_themselves(hall: Hall) -> None:
    one, other = hall.world.elder("王秀英"), hall.world.elder("李福根")
    vote = Vote(hall)
    assert (await vote.ask("ballot.next", one)).word == "topic"
    assert (await vote.ask("ballot.next", other, "2")).word == "", "another one was asked"
    assert await vote.chooses(one, "1") == "noted"
    assert await vote.chooses(other, "2") == "noted"
    assert vote.counted() == [1, 1, 0]


def test_a_unit_is_another_one_when_its_numbers_are() -> None:
    homes = core.households([core.Neighbour("a", "12-301", ""), core.Neighbour("b", "1-2301", "")])
    assert homes == [["a"], ["b"]]


@pytest.mark.parametrize("written", ["3号楼502", "三号楼502室", "3幢502室", "3号楼五〇二室"])
async def test_a_household_has_one_choice_however_its_address_is_written(hall: Hall, written: str) -> None:
    wife, man = hall.world.elder("王秀英", address="3号楼502室"), hall.world.elder("王建国", address=written)
    vote = Vote(hall, Unit.HOUSEHOLD)
    assert await vote.chooses(wife, "1") == "noted"
    assert await vote.chooses(man, "2", "call-2") == "closed"
    assert (vote.counted(), vote.refused()) == ([1, 0, 0], ["other_person"])


@pytest.mark.parametrize("written", ["1号101", "一号101室", "1幢101室", "1号楼101室"])
def test_a_unit_stands_once_on_the_roll_however_it_is_written(written: str) -> None:
    roll = f"室号,业主,电话\n1号101室,张大同,\n{written},张大同,\n"
    with pytest.raises(ValueError, match=rf"line 3: {written} stands there twice \(line 2: 1号101室\)"):
        ballot_making.read_roll(roll)


async def test_a_roll_of_old_that_has_a_unit_twice_goes_on(hall: Hall, quick: None) -> None:
    """Its keys were the words as they were written: each place is found, and keeps what was cast."""
    vote = Vote(hall, Unit.OWNER, ROLL)
    with hall.world.db.write() as session:
        one, other = rows.slots(session, vote.row())
        one.code, other.code, other.label = "1号101室", "1号楼101室", "1号楼101室 赵一平"
    assert vote.paper("1号101室", {1: 1}, who="张大同") is None
    assert vote.paper("1号楼101室", {1: 2}, who="赵一平") is None
    with pytest.raises(ValueError, match="2 places"):
        vote.paper("1幢101", {1: 2}, who="赵一平")
    assert vote.counted() == [1, 1, 0]
    twice = hall.look(lambda session: ballot_doubts.doubtful(session, vote.row()))
    assert twice == [("1号101室", "1号楼101室")]


async def test_a_key_of_old_is_found_by_another_spelling(hall: Hall, quick: None) -> None:
    vote = Vote(hall, Unit.OWNER, ROLL)
    with hall.world.db.write() as session:
        rows.slots(session, vote.row())[0].code = "1号楼101室"
    assert vote.paper("一幢101", {1: 1}, who="张大同") is None
    assert vote.paper("1号楼101室", {1: 3}, who="张大同") is None
    assert vote.counted() == [0, 0, 1]


async def test_homes_that_may_be_one_are_doubtful(hall: Hall) -> None:
    alike = ("3号楼502室", "曹杨路100弄3号502室", "老房子", "老房子", "5号202室")
    for nth, address in enumerate(alike):
        hall.world.elder(f"王{nth}", address=address)
    vote = Vote(hall, Unit.HOUSEHOLD)
    found = hall.look(lambda session: ballot_doubts.doubtful(session, vote.row()))
    assert found == [("老房子", "老房子"), alike[:2]]
    owners = Vote(hall, Unit.OWNER, "室号,业主,电话\n1号101室,张大同,\n1号2单元101室,赵一平,\n")
    found = hall.look(lambda session: ballot_doubts.doubtful(session, owners.row()))
    assert found == [("1号101室", "1号2单元101室")]
    assert hall.look(lambda session: ballot_doubts.doubtful(session, Vote(hall).row())) == []


async def test_who_lives_with_a_voter_does_not_hear_what_was_chosen_and_is_asked_no_more(hall: Hall) -> None:
    wife, man = hall.world.elder("王秀英", address="3号楼502室"), hall.world.elder("王建国", address="3号楼502室")
    vote = Vote(hall, Unit.HOUSEHOLD)
    assert await vote.chooses(wife, "2") == "noted"
    assert "before" not in (await vote.ask("ballot.next", man, call="call-2")).values
    assert (await vote.ask("ballot.next", wife, call="call-3")).values["before"] == "不要"
    assert vote.calls() == [("ask", "done"), ("ask", "done")]


# ── the calls and the result ──────────────────────────────────────────────────────────────────────


async def test_elders_are_rung_once_it_is_open_and_told_the_result_when_they_took_part(hall: Hall) -> None:
    took, silent = hall.world.elder("王秀英"), hall.world.elder("李福根")
    refuses = hall.world.elder("赵一", consents={})
    await hall.world.cycle.plan()
    _well(hall)
    vote = Vote(hall)
    cycle = hall.world.another_cycle("cycle-2")
    cycle._errands = (BallotCalls(),)
    hall.later(minutes=5)
    assert {request.flow for request in await _rings(hall, cycle)} == {"ballot"}
    with hall.world.db.read() as session:
        ballot = session.scalars(select(Ballot)).one()
        by_hand = [person.id for person in ballot_staff.to_visit(session, ballot)]
    assert by_hand == [refuses]
    assert hall.todo() == [ItemKind.BALLOT_ASK]
    await vote.chooses(took, "1")
    _ends(hall, took, "heard")
    for _ in range(3):
        _ends(hall, silent, None)
        hall.later(hours=2)
        await _rings(hall, cycle)
    await vote.over()
    waiting = hall.look(
        lambda session: [row.person_id for row in session.scalars(select(BallotCall)) if row.errand == "result"]
    )
    assert waiting == [took], "who took part, and nobody else"
    told = await vote.ask("ballot.result", took, call="call-5")
    assert told.values["tally"] == "要,一;不要,零;都可以,零。"
    assert (await vote.ask("ballot.result", took, call="call-5")).word == "result", "the other topic"
    assert (await vote.ask("ballot.begin", took, call="call-6")).word == "result", "not heard to the end"
    assert (await vote.ask("ballot.result", took, call="call-5")).word == "none"
    assert (await vote.ask("ballot.begin", took, call="call-7")).word == "none"


@pytest.mark.parametrize(
    ("result", "outcome"), [("heard", None), ("no_reply", None), ("not_well", "by_hand"), ("refused", "by_hand")]
)
async def test_only_a_question_that_was_read_is_heard(hall: Hall, result: str, outcome: str | None) -> None:
    """One call carries the result of a ballot and the question of another one."""
    elder = hall.world.elder()
    vote = Vote(hall)
    assert await vote.chooses(elder, "1") == "noted"
    await vote.over()
    other = Vote(hall)
    _carries(hall, "call-9")
    for word in ("result", "result", "none"):
        assert (await vote.ask("ballot.result", elder, call="call-9")).word == word
    _is_over(hall, "call-9", elder, result)
    assert other.calls() == [("ask", outcome)]
    with hall.world.db.write() as session:
        for row in session.scalars(select(BallotCall)):
            row.outcome = None if row.ballot_id == 2 else row.outcome
    _carries(hall, "call-10")
    assert (await other.ask("ballot.next", elder, call="call-10")).word == "topic"
    _is_over(hall, "call-10", elder, "heard")
    assert other.calls() == [("ask", "heard")]


@pytest.mark.parametrize("end", ["paper", "withdrawn", "closed"])
async def test_nobody_is_to_be_seen_any_more_when_all_have_chosen_or_it_is_over(hall: Hall, end: str) -> None:
    one, other = hall.world.elder("王秀英", consents={}), hall.world.elder("李福根", consents={})
    vote = Vote(hall)
    await _is_claimed(hall)
    assert hall.todo() == [ItemKind.BALLOT_ASK]
    assert vote.paper(one, {1: 1}) is None
    assert (hall.todo(), vote.to_see()) == ([ItemKind.BALLOT_ASK], [other]), "one is left"
    if end == "paper":
        assert vote.paper(other, {1: 1}) is None
    elif end == "withdrawn":
        hall.act(ballot_staff.withdraw, vote.number, CHEN)
    else:
        await vote.over()
    assert hall.todo() == []


async def _is_claimed(hall: Hall) -> None:
    """What the line does for who can't be rung."""
    now = hall.world.clock.now() + timedelta(hours=2)
    with hall.world.db.write() as session:
        assert BallotCalls().claim(session, now, Lines(session, now, "cycle-1", 5)) == []


def _carries(hall: Hall, call: str) -> None:
    with hall.world.db.write() as session:
        for row in session.scalars(select(BallotCall).where(BallotCall.outcome.is_(None))):
            row.intent_id = call


def _is_over(hall: Hall, call: str, elder: str, result: str) -> None:
    end = Ended(call, Disposition.ANSWERED, (PersonOutcome(elder, result, "key"),))
    hall.act(lambda session, now: BallotCalls().ended(session, end, now))


async def _rings(hall: Hall, cycle: Any) -> list[CallRequest]:
    before = len(hall.world.placer.requests)
    await cycle.tick()
    return hall.world.placer.requests[before:]


def _well(hall: Hall) -> None:
    """Everybody's own call is over."""
    with hall.world.db.write() as session:
        for row in session.scalars(select(Checkin)):
            row.status, row.due_at = "closed", None


def _ends(hall: Hall, elder: str, result: str | None) -> None:
    """The call that is out to them, if any, comes to this."""
    now = hall.world.clock.now()
    with hall.world.db.write() as session:
        row = session.scalars(select(BallotCall).where(BallotCall.person_id == elder)).first()
        if row is None or row.intent_id is None:
            return
        intent = session.get_one(CallIntent, row.intent_id)
        intent.state, intent.disposition = "settled", "answered" if result else "no_answer"
        people = (PersonOutcome(elder, result, "key"),) if result else ()
        disposition = Disposition.ANSWERED if result else Disposition.NO_ANSWER
        BallotCalls().ended(session, Ended(intent.id, disposition, people), now)


def test_figures_are_said() -> None:
    said = {0: "零", 2: "二", 10: "十", 12: "十二", 20: "二十", 102: "一百零二", 110: "一百一十", 1001: "一千零一"}
    said |= {3020: "三千零二十", 10_002: "一万零二", 23_000: "二万三千"}
    assert {number: core.figure(number) for number in said} == said


@pytest.mark.parametrize("topic", ["", "|赞成|反对", "装吗?|好", "装吗?|好|好", "装吗?|1|2|3|4|5"])
def test_a_topic_that_can_not_be_read_out_is_refused(topic: str) -> None:
    with pytest.raises(ValueError, match=r"topic|option"):
        ballot_making.read_topic(topic)


def test_all_that_is_wrong_with_an_owners_roll_is_said_at_once() -> None:
    with pytest.raises(
        ValueError, match=r"line 3: 1号 101室 stands there twice \(line 2: 1号101室\); line 4: a unit and its owner"
    ):
        ballot_making.read_roll("室号,业主\n1号101室,张\n1号 101室,李\n,王\n")
