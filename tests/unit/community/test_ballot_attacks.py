"""打钩: what is tried against it. Each is refused and logged, or changes what they chose and counts once; nothing says
who chose what. Against the real rows, by the acts that telephone and paper do."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import select

from checkins.items import ItemKind
from community import ballot_acts, ballot_rounds, ballot_staff
from community import ballot_rows as rows
from community.ballot import Act, Channel, Refusal, Unit
from community.ballot_tables import BallotChoice, BallotEvent
from storage.database import Base, Database
from tests.unit.checkins.world import World
from tests.unit.community.hall import CHEN, Hall
from tests.unit.community.vote import ROLL, Vote


async def test_same_number_twice(hall: Hall) -> None:
    """It changes the choice, and counts once."""
    elder = hall.world.elder()
    vote = Vote(hall)
    assert await vote.chooses(elder, "1") == "noted"
    told = await vote.ask("ballot.next", elder, call="call-2")
    assert told.values["before"] == "要"
    assert (await vote.ask("ballot.next", elder, "3", "call-2")).word == "noted"
    assert (await vote.ask("ballot.next", elder, "3", "call-2")).word == "noted", "the same news again"
    assert vote.counted() == [0, 0, 1]
    events = [each.what for each in hall.look(lambda session: list(session.scalars(select(BallotEvent))))]
    assert events.count("chose") == 1
    assert events.count("changed") == 1


async def test_two_numbers_of_one_household(hall: Hall) -> None:
    wife, man = hall.world.elder("王秀英", address="3号楼502室"), hall.world.elder("王建国", address="3 号楼 502室")
    vote = Vote(hall, Unit.HOUSEHOLD)
    assert await vote.chooses(wife, "1") == "noted"
    assert await vote.chooses(man, "2", "call-2") == "closed"
    assert vote.paper(man, {1: 2}) is Refusal.OTHER_PERSON
    assert (vote.counted(), vote.refused()) == ([1, 0, 0], ["other_person", "other_person"])


async def test_phone_and_paper(hall: Hall) -> None:
    one, other = hall.world.elder("王秀英"), hall.world.elder("李福根")
    vote = Vote(hall)
    assert await vote.chooses(one, "1") == "noted"
    assert vote.paper(one, {1: 2, 2: 2}) is Refusal.OTHER_CHANNEL
    assert vote.paper(other, {1: 2}, channel=Channel.VISIT) is None
    told = await vote.ask("ballot.next", other, call="call-2")
    assert (await vote.ask("ballot.next", other, "1", "call-2")).values["why"].startswith("您已经在纸上选过了")
    assert told.word == "topic"
    assert vote.counted() == [1, 1, 0]
    assert vote.refused() == ["other_channel", "other_channel"]
    assert vote.paper(one, {1: 3}, change=True) is None, "staff have asked her in person"
    assert vote.counted() == [0, 1, 1]


async def test_pin_guessing(hall: Hall, quick: None) -> None:
    """Five in a row, over all calls, lock the letter."""
    vote = Vote(hall, Unit.OWNER, ROLL)
    number, pin = vote.letter()
    words = []
    for nth in range(5):
        await vote.ask("ballot.unit", "", number, f"call-{nth}")
        words.append((await vote.ask("ballot.pin", "", "000000", f"call-{nth}")).word)
    assert words == [*["wrong"] * 4, "locked"]
    await vote.ask("ballot.unit", "", number, "call-9")
    assert (await vote.ask("ballot.pin", "", pin, "call-9")).word == "locked", "the right one, too"
    assert await vote.chooses("", "1", "call-9") == "closed"
    assert vote.refused() == [*["pin_wrong"] * 5, "pin_locked"]
    assert hall.todo() == [ItemKind.BALLOT_PIN]
    await vote.ask("ballot.unit", "", "9999", "call-10")
    assert (await vote.ask("ballot.pin", "", pin, "call-10")).word == "wrong", "no such letter"
    assert vote.refused()[-1] == "not_on_roll"


async def test_after_closing(hall: Hall) -> None:
    """It closes by the clock, sealed or not, also for who was asked before and answers now."""
    elder = hall.world.elder()
    vote = Vote(hall)
    assert await vote.chooses(elder, "1") == "noted"
    await vote.ask("ballot.next", elder)
    hall.later(days=3)
    told = await vote.ask("ballot.next", elder, "2")
    assert (told.word, told.values["why"]) == ("closed", "这次打钩已经结束了,不能再选。")
    assert vote.paper(elder, {1: 2}, channel=Channel.VISIT, change=True) is Refusal.CLOSED
    assert (await vote.ask("ballot.begin", elder, call="call-2")).word == "none"
    assert (vote.counted(), vote.refused()) == ([1, 0, 0], ["closed", "closed"])


async def test_changing_after_the_result(hall: Hall) -> None:
    elder = hall.world.elder()
    vote = Vote(hall)
    assert await vote.chooses(elder, "1") == "noted"
    await vote.ask("ballot.next", elder)
    await vote.over()
    assert (await vote.ask("ballot.next", elder, "2")).word == "closed"
    assert vote.paper(elder, {1: 2}, change=True) is Refusal.CLOSED
    hall.world.clock._now = hall.world.at("10:00")  # not even by a clock that goes back
    assert vote.paper(elder, {1: 2}, change=True) is Refusal.CLOSED
    assert (await vote.ask("ballot.next", elder, "2")).word == "closed"
    assert (vote.counted(), vote.refused()) == ([1, 0, 0], ["closed"] * 4)
    assert (vote.row().result, vote.row().key) == ({"1": [1, 0, 0], "2": [0, 0]}, None)


async def test_a_tenant_for_an_owner(hall: Hall, quick: None) -> None:
    """An owner is who has the letter, whoever calls."""
    tenant = hall.world.elder("陈租客", address="1号101室")
    vote = Vote(hall, Unit.OWNER, ROLL)
    number, pin = vote.letter()
    assert (await vote.ask("ballot.begin", tenant)).word == "owners"
    assert (await vote.ask("ballot.next", tenant)).word == "closed"
    assert vote.paper("1号101室", {1: 1}, who="陈租客") is Refusal.NO_PROXY
    assert (await vote.ask("ballot.unit", "", number, "call-2")).word == "known"
    assert (await vote.ask("ballot.pin", "", pin, "call-2")).word == "right"
    assert await vote.chooses("", "1", "call-2") == "noted"
    assert vote.paper("1号101室", {1: 2}, who="李梅") is Refusal.OTHER_CHANNEL, "one for each unit"
    assert vote.paper("9号909室", {1: 2}, who="李梅") is Refusal.NOT_ON_ROLL
    assert vote.counted() == [1, 0, 0]
    assert vote.refused() == ["no_proxy", "other_channel", "not_on_roll"]


@pytest.mark.parametrize("other", ["李梅", "孙小妹"])
async def test_a_second_paper_for_a_unit_by_another_one(hall: Hall, quick: None, other: str) -> None:
    """A co-owner, or who has a proxy: refused, unless staff have asked; the signer may change their own."""
    vote = Vote(hall, Unit.OWNER, ROLL)
    hall.act(ballot_staff.proxy, vote.number, "1号101室", "孙小妹", "柜三", CHEN)
    assert vote.paper("1号101室", {1: 1}, who="张大同") is None
    assert vote.paper("1号101室", {1: 2}, who="张大同") is None
    assert vote.paper("1号101室", {1: 1}, who=other) is Refusal.OTHER_PERSON
    assert vote.paper("1号101室", {1: 1}, who=other, channel=Channel.VISIT) is Refusal.OTHER_PERSON
    assert (vote.counted(), vote.refused()) == ([0, 1, 0], ["other_person"] * 2)
    assert vote.paper("1号101室", {1: 3}, who=other, change=True) is None
    assert vote.paper("1号101室", {1: 1}, who="张大同") is Refusal.OTHER_PERSON
    assert vote.counted() == [0, 0, 1]


async def test_a_letter_after_a_paper_and_a_paper_after_a_letter(hall: Hall, quick: None) -> None:
    """Whoever signed, and whoever has the letter: it was chosen on the other way."""
    vote = Vote(hall, Unit.OWNER, ROLL)
    number, pin = vote.letter()
    assert vote.paper("1号101室", {1: 1}, who="张大同") is None
    await vote.ask("ballot.unit", "", number)
    assert (await vote.ask("ballot.pin", "", pin)).word == "right"
    told = await vote.ask("ballot.next")
    assert (told.word, "before" in told.values) == ("topic", False), "who has the letter has not signed"
    assert (await vote.ask("ballot.next", "", "2")).values["why"].startswith("您已经在纸上选过了")
    assert (vote.counted(), vote.refused()) == ([1, 0, 0], ["other_channel"])


async def test_who_signed_a_paper_of_a_running_ballot_of_old_is_not_known(hall: Hall, quick: None) -> None:
    """Its place had the unit as who speaks for it: another paper needs `--change`, and nothing is lost."""
    vote = Vote(hall, Unit.OWNER, ROLL)
    assert vote.paper("1号101室", {1: 1}, who="张大同") is None
    with hall.world.db.write() as session:
        slot = rows.slots(session, vote.row())[0]
        slot.holder = slot.code
    assert vote.paper("1号101室", {1: 2}, who="张大同") is Refusal.OTHER_PERSON
    assert vote.paper("1号101室", {1: 2}, who="张大同", change=True) is None
    assert vote.counted() == [0, 1, 0]


async def test_two_choices_at_once_for_one_place(any_world: World) -> None:
    """Of two who live together and choose in the same moment one speaks for it, and the other one is refused."""
    hall = Hall(any_world)
    wife, man = (hall.world.elder(name, address="3号楼502室") for name in ("王秀英", "王建国"))
    vote = Vote(hall, Unit.HOUSEHOLD)
    now, together, said = hall.world.clock.now(), threading.Barrier(2, timeout=20), dict[str, Refusal | None]()
    slot_id = hall.look(lambda session: rows.slots(session, vote.row())[0].id)

    def chooses(whom: str, option: int) -> None:
        def work(session: Any) -> None:
            slot = session.get_one(ballot_acts.BallotSlot, slot_id)
            act = Act(slot.id, whom, Channel.PHONE, 1, option)
            said[whom] = ballot_acts.choose(session, session.merge(vote.row()), slot, act, whom, now)

        db = Database(hall.world.url)
        try:
            together.wait()
            with db.write() as session:
                work(session)
        finally:
            db.close()

    threads = [threading.Thread(target=chooses, args=each) for each in ((wife, 1), (man, 2))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(str, said.values())) == ["None", "other_person"]
    speaks = next(whom for whom, why in said.items() if why is None)
    assert hall.look(lambda session: rows.slots(session, vote.row())[0].holder) == speaks
    assert (vote.counted(), vote.refused()) == ([1, 0, 0] if speaks == wife else [0, 1, 0], ["other_person"])


# ── who chose what ────────────────────────────────────────────────────────────────────────────────


FIRST, SECOND = [{1: 1, 2: 1}, {1: 3, 2: 2}], [{1: 2, 2: 2}, {1: 1, 2: 1}]  # what two choose, and what then instead


def known(hall: Hall, names: dict[str, str]) -> dict[str, list[str]]:
    """Every row of every table, but for the log of choices, as whoever reads the database sees it."""
    with hall.world.db.read() as session:
        found = {}
        for table in Base.metadata.sorted_tables:
            lines = [str(tuple(row)) for row in session.execute(select(table))]
            for id_, name in names.items():
                lines = [line.replace(id_, name) for line in lines]
            found[table.name] = sorted(lines)
    del found[BallotChoice.__tablename__]
    return found


async def all_of_it(folder: Any, one: list[dict[int, int]], other: list[dict[int, int]]) -> tuple[Any, list[Any], str]:
    """A whole ballot: chosen by telephone, changed, chosen on paper and anew, refused, closed, sealed, told."""
    with World(f"sqlite:///{folder}/wenan.db") as world:
        hall = Hall(world)
        names = {world.elder(name): name for name in ("王秀英", "李福根", "赵一", "钱二")}
        vote = Vote(hall)
        spoken = dict(zip(names, (one, other, one, other), strict=True))
        for nth in range(2):
            for whom in list(names)[:2]:
                for topic in (1, 2):
                    assert (await vote.ask("ballot.next", whom, call=f"{names[whom]}-{nth}")).word == "topic"
                    key = str(spoken[whom][nth][topic])
                    assert (await vote.ask("ballot.next", whom, key, f"{names[whom]}-{nth}")).word == "noted"
            for whom in list(names)[2:]:
                assert vote.paper(whom, spoken[whom][nth], change=nth > 0) is None
        assert vote.paper(next(iter(names)), {1: 1}) is Refusal.OTHER_CHANNEL
        await vote.over()
        assert vote.counted() == [2, 0, 2]
        query = select(BallotChoice.topic, BallotChoice.nth, BallotChoice.option, BallotChoice.voter)
        log = hall.look(lambda session: [tuple(row) for row in session.execute(query)])
        seen = known(hall, names)
        assert not [voter for *_, voter in log if voter in str(seen) or voter in names]
        return seen, sorted(each[:3] for each in log), str(vote.row().key)


async def test_nobody_sees_who_chose_what(tmp_path: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The same ballot twice, each time with the choices of two exchanged: no table and no log tells one from the
    other; and of what does, the key is destroyed."""
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    here, log, key = await all_of_it(tmp_path / "1", FIRST, SECOND)
    said = caplog.text
    caplog.clear()
    there, log_there, _ = await all_of_it(tmp_path / "2", SECOND, FIRST)
    assert here == there
    assert (log, key) == (log_there, "None")
    assert caplog.text == said
    assert "电梯" in str(here["ballot"]), "it does look"
    columns = {column.name for column in BallotChoice.__table__.columns}
    assert columns == {"id", "ballot_id", "voter", "topic", "nth", "option"}, "no time, no person, no call"


async def test_the_log_comes_to_the_same_count_in_whatever_order_it_is_read(hall: Hall) -> None:
    """Also from a copy, with the key gone, and twice: `ballots count` needs the log of choices and nothing else."""
    elders = [hall.world.elder(name) for name in ("王秀英", "李福根", "赵一")]
    vote = Vote(hall)
    for nth, whom in enumerate(elders):
        assert await vote.chooses(whom, str(nth + 1), f"call-{nth}") == "noted"
    await vote.ask("ballot.next", elders[0], call="call-9")
    assert (await vote.ask("ballot.next", elders[0], "3", "call-9")).word == "noted"
    await vote.over()
    result = vote.row().result
    assert result == {"1": [0, 1, 2], "2": [0, 0]}
    with hall.world.db.write() as session:
        log = list(session.scalars(select(BallotChoice)))
        copies = [{c.name: getattr(each, c.name) for c in BallotChoice.__table__.columns} for each in reversed(log)]
        for each in log:
            session.delete(each)
        session.flush()
        session.add_all(BallotChoice(**{**copy, "id": f"copy-{nth}"}) for nth, copy in enumerate(copies))
    for _ in range(2):
        assert hall.look(lambda session: ballot_rounds.counted(session, vote.row())) == result


@pytest.mark.parametrize("end", ["over", "withdrawn"])
async def test_nothing_but_the_choice_is_left_of_it_in_the_box(hall: Hall, end: str) -> None:
    """How often she changed hers, and that she left one topic out, stands in the log with her name: no row says so."""
    often, both = hall.world.elder("王秀英"), hall.world.elder("李福根")
    vote = Vote(hall)
    for nth, key in enumerate("123"):
        assert await vote.ask("ballot.next", often, call=f"call-{nth}")
        assert (await vote.ask("ballot.next", often, key, f"call-{nth}")).word == "noted"
    assert vote.paper(both, {1: 1, 2: 2}) is None
    query = select(BallotChoice.voter, BallotChoice.topic, BallotChoice.nth, BallotChoice.option)
    before = hall.look(lambda session: [tuple(row) for row in session.execute(query)])
    assert sorted((nth, option) for _, topic, nth, option in before if topic == 1) == [(1, 1), (1, 1), (2, 2), (3, 3)]
    if end == "over":
        await vote.over()
        assert vote.row().result == {"1": [1, 0, 1], "2": [0, 1]}
    else:
        hall.act(ballot_staff.withdraw, vote.number, CHEN)
    after = hall.look(lambda session: [tuple(row) for row in session.execute(query)])
    assert sorted(row[1:] for row in after) == [(1, 1, 1), (1, 1, 3), (2, 1, 2)]
    assert len({row[0] for row in after} - {row[0] for row in before}) == 3, "nobody is the same on two topics"
    if end == "over":
        counted = hall.look(lambda session: ballot_rounds.recount(session, vote.row()))
        assert (counted.agrees, counted.voters, counted.took) == (True, 2, 2)
