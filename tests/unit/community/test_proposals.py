"""提议: neighbours choose one of two to four proposals; who made one is named only when they agreed; and who may choose
for themselves and by a letter is led from one to the other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from checkins.items import ItemKind
from checkins.own_calls import RINGS_IN
from checkins.ports import Callee, CallRequest, Told
from checkins.tables import Mode, Neighbourhood, State
from community import ballot_proposals, ballot_rows, rows, staff
from community.ballot import Unit
from community.ballot_counter import BallotCounter
from community.ballot_proposals import Proposal
from community.ballot_tables import Ballot, BallotCall
from tests.unit.community.hall import CHEN, Hall
from tests.unit.community.vote import ROLL, Vote

BENCH, WATER = "楼下装一排长凳", "活动室添一台饮水机"


def proposed(hall: Hall, *texts: str, **more: Any) -> Ballot:
    found = [ballot_proposals.read(text) for text in texts]

    def work(session: Any, now: Any) -> Ballot:
        place, closes = session.get_one(Neighbourhood, hall.world.place_id), now + timedelta(days=5)
        return ballot_proposals.make(session, place, "重阳节", found, now, closes, CHEN, now, **more)

    return hall.act(work)


async def offered(hall: Hall, elder: str) -> dict[str, str]:
    """The variables with which she rings in."""
    request = CallRequest("call-0", "+862110000001", RINGS_IN, (Callee(elder, "王阿婆"),))
    counter = BallotCounter(hall.world.db, hall.world.clock)
    return dict((await counter.offered(request)).callees[0].variables)


def test_a_proposal_is_one_sentence_and_may_name_who_made_it() -> None:
    assert ballot_proposals.read(f"{BENCH}。") == Proposal(BENCH)
    assert ballot_proposals.read(f"{BENCH}|李福根") == Proposal(BENCH, "李福根")
    assert ballot_proposals.read(f" {BENCH} | 1007 | 李福根 ") == Proposal(BENCH, "李福根", 1007)
    assert ballot_proposals.read(f"{BENCH}|1007号") == Proposal(BENCH, "", 1007)
    found = [Proposal(BENCH, "李福根"), Proposal(WATER), Proposal("放一次老电影", "居委会")]
    said = "有三个提议,请选一个。第一个是李福根提的,第三个是居委会提的。"
    assert ballot_proposals.question(found) == said
    assert ballot_proposals.question(found[1:2] * 2) == "有两个提议,请选一个。"


@pytest.mark.parametrize(
    "text", ["", "。", "装长凳。再装一盏灯", "长" * 41, f"{BENCH}|李|王", f"{BENCH}|1|2", f"{BENCH}|{'李' * 21}"]
)
def test_what_can_not_be_read_out_is_no_proposal(text: str) -> None:
    with pytest.raises(ValueError, match="a proposal is"):
        ballot_proposals.read(text)


@pytest.mark.parametrize("texts", [[BENCH], [BENCH, BENCH], [BENCH, WATER, "一", "二", "三"]])
def test_one_chooses_among_two_to_four(hall: Hall, texts: list[str]) -> None:
    hall.world.elder()
    with pytest.raises(ValueError, match="2 to 4 proposals"):
        proposed(hall, *texts)


async def test_chosen_by_key_changed_and_told_to_who_chose_and_nobody_is_rung_about_it_before(hall: Hall) -> None:
    elder, other = hall.world.elder("王秀英"), hall.world.elder("李福根")
    assert await offered(hall, elder) == {}
    ballot = proposed(hall, BENCH, f"{WATER}|李福根")
    assert await offered(hall, elder) == {"ballot": "邻居有提议,要选,请按6。", "proposals": "1"}
    counter = BallotCounter(hall.world.db, hall.world.clock)
    assert await counter.ask("call-1", "ballot.proposals", elder) == Told("open", {"title": "重阳节"})
    told = await counter.ask("call-1", "ballot.next", elder)
    question, options = "有两个提议,请选一个。第二个是李福根提的。", f"{BENCH},请按1;{WATER},请按2。"
    assert told.values == {"place": "", "question": question, "options": options}
    for key, chosen in (("1", BENCH), ("2", WATER)):
        assert await counter.ask("call-1", "ballot.next", elder, key) == Told("noted", {"chosen": chosen})
    assert (await counter.ask("call-1", "ballot.next", elder)).word == "done"
    assert hall.look(lambda session: list(session.scalars(select(BallotCall)))) == []
    hall.later(days=5)
    vote = Vote(hall, number=ballot.number)
    await vote.over()
    assert vote.calls() == [("result", None)]
    assert (await counter.ask("call-2", "ballot.result", elder)).values["tally"] == f"{BENCH},零;{WATER},一。"
    assert (await counter.ask("call-3", "ballot.result", other)).word == "none", "who took part, and nobody else"


async def test_whom_no_machine_may_ring_chooses_on_paper_though_nobody_is_rung(hall: Hall) -> None:
    hall.world.elder("王秀英")
    deaf, refused = hall.world.elder("李福根", mode=Mode.VISIT), hall.world.elder("张伟民", state=State.REFUSED)
    vote = Vote(hall, number=proposed(hall, BENCH, WATER).number)
    assert (set(vote.to_see()), hall.todo()) == ({deaf, refused}, [ItemKind.BALLOT_ASK])
    for elder in (deaf, refused):
        assert vote.paper(elder, {1: 2}) is None
    assert (vote.to_see(), hall.todo()) == ([], [])


async def test_the_board_leads_to_proposals_only_and_key_6_to_all(hall: Hall) -> None:
    elder = hall.world.elder()
    vote = Vote(hall)
    assert (await vote.ask("ballot.proposals", elder)).word == "none"
    proposed(hall, BENCH, WATER)
    assert (await offered(hall, elder))["ballot"] == "现在有打钩,要选,请按6。"
    assert (await vote.ask("ballot.proposals", elder)).values == {"title": "重阳节"}
    assert (await vote.ask("ballot.next", elder)).values["options"].startswith(BENCH)
    await vote.ask("ballot.next", elder, "1")
    assert (await vote.ask("ballot.next", elder)).word == "done"
    assert (await vote.ask("ballot.begin", elder)).values == {"title": "电梯、重阳节"}
    assert (await vote.ask("ballot.next", elder)).values["question"] == "要不要装电梯?"


async def test_a_matter_of_the_hall_becomes_a_proposal_in_staff_s_words(hall: Hall) -> None:
    elder = hall.world.elder("王秀英", address="3号楼502室")
    number = await hall.complains(elder, text="我们三号楼下面没地方坐")
    with pytest.raises(ValueError, match="stands in no 议事厅"):
        proposed(hall, f"{BENCH}|{number}", WATER)
    await hall.ask("call-1", "complaint.public", elder)
    hall.hears(number)
    hall.act(staff.publish, number, "楼下没有地方坐。", CHEN)
    with pytest.raises(ValueError, match="the text says who it is"):
        proposed(hall, f"王秀英要长凳|{number}", WATER)
    with pytest.raises(ValueError, match="without who it was"):
        proposed(hall, f"{BENCH}|{number}号|王秀英", WATER)
    with pytest.raises(LookupError):
        proposed(hall, f"{BENCH}|1999", WATER)
    ballot = proposed(hall, f"{BENCH}|{number}", WATER)
    topic = hall.look(lambda session: ballot_rows.topics(session, ballot)[0])
    assert (topic.question, topic.options) == ("有两个提议,请选一个。", [BENCH, WATER]), "nobody is named"
    events = hall.look(lambda session: rows.events(session, rows.by_number(session, number)))
    assert (events[-1].what, events[-1].detail) == ("proposed", {"ballot": ballot.number})


# ── for themselves, and by a letter ───────────────────────────────────────────────────────────────


async def test_key_6_offers_one_s_own_and_then_the_owners_(hall: Hall, quick: None) -> None:
    elder = hall.world.elder()
    own, owners = Vote(hall), Vote(hall, Unit.OWNER, ROLL)
    number, pin = owners.letter()
    assert (await own.ask("ballot.begin", elder)).word == "open"
    for _ in range(2):
        assert await own.chooses(elder, "1") == "noted"
    assert [(await own.ask("ballot.next", elder)).word for _ in range(2)] == ["owners", "done"], "once"
    await own.ask("ballot.unit", elder, number)
    assert (await own.ask("ballot.pin", elder, pin)).word == "right"
    assert await own.chooses(elder, "2") == "noted"
    assert (own.counted(), owners.counted()) == ([1, 0, 0], [0, 1, 0])


async def test_who_leaves_her_own_for_later_is_asked_for_the_letter_next_and_then_for_her_own_again(
    hall: Hall, quick: None
) -> None:
    elder = hall.world.elder()
    own, owners = Vote(hall), Vote(hall, Unit.OWNER, ROLL)
    number, pin = owners.letter()
    assert (await own.ask("ballot.begin", elder)).word == "open"
    assert (await own.ask("ballot.next", elder)).word == "topic"
    words = [(await own.ask("ballot.begin", elder)).word for _ in range(5)]
    assert words == ["owners", "open", "owners", "open", "owners"], "without a letter, too"
    await own.ask("ballot.unit", elder, number)
    assert (await own.ask("ballot.pin", elder, "000000")).word == "wrong"
    assert (await own.ask("ballot.begin", elder)).word == "open"
    await own.ask("ballot.unit", elder, number)
    assert (await own.ask("ballot.pin", elder, pin)).word == "right"
    assert await own.chooses(elder, "3") == "noted", "what the letter opens comes first"
    assert (own.counted(), owners.counted()) == ([0, 0, 0], [0, 0, 1])


async def test_key_6_reads_all_that_is_open_after_the_board_read_proposals_only(hall: Hall, quick: None) -> None:
    elder = hall.world.elder()
    own = Vote(hall)
    proposed(hall, BENCH, WATER)
    number, pin = (owners := Vote(hall, Unit.OWNER, ROLL)).letter()
    assert (await own.ask("ballot.proposals", elder)).word == "open"
    assert await own.chooses(elder, "1") == "noted"
    assert (await own.ask("ballot.next", elder)).word == "done", "nothing else was asked for"
    assert (await own.ask("ballot.begin", elder)).word == "owners"
    await own.ask("ballot.unit", elder, number)
    assert (await own.ask("ballot.pin", elder, pin)).word == "right"
    for _ in range(2):
        assert await own.chooses(elder, "2") == "noted"
    assert (await own.ask("ballot.next", elder)).values["question"] == "要不要装电梯?"
    assert (owners.counted(), own.counted()) == ([0, 1, 0], [0, 0, 0])
    assert (await own.ask("ballot.begin", elder)).word == "open"


async def test_a_call_that_was_made_to_ask_asks_for_no_letter(hall: Hall) -> None:
    elder = hall.world.elder()
    own = Vote(hall)
    Vote(hall, Unit.OWNER, ROLL)
    with hall.world.db.write() as session:
        for row in session.scalars(select(BallotCall)):
            row.intent_id = "call-1"
    for _ in range(2):
        assert await own.chooses(elder, "1") == "noted"
    assert (await own.ask("ballot.next", elder)).word == "done"
