"""公告: whom a notice is for, who has heard it, who is rung, and to whom somebody must go."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select

from checkins import items
from checkins.items import ItemKind
from checkins.line_rules import Purpose
from checkins.other_calls import Ended, Later
from checkins.people import set_state
from checkins.ports import CallRequest, Disposition, PersonOutcome, Told
from checkins.tables import State
from community import notice_offers, notices, staff
from community.notice_calls import NoticeCalls
from community.notice_counter import NoticeCounter
from community.notice_rounds import NoticeRounds
from community.notice_tables import Hearer, Notice
from community.notice_targets import building, lives_in, on_the_way
from community.tables import Complaint, Wish
from tests.unit.community.hall import CHEN, Hall

WATER = "今天下午停水。"


@pytest.mark.parametrize(
    ("address", "figure"),
    [
        ("三号楼五零二室", "3"),
        ("3号楼502室", "3"),
        ("十三幢二零一室", "13"),
        ("二十号楼", "20"),
        ("1234弄5号301室", "5"),
        ("长寿路123号3号楼12楼", "3"),
        ("一百零五号", "105"),
        ("３号楼502", "3"),
        ("二百十号", "210"),
        ("第十百货商店楼上3号", "3"),
        ("八十百货楼上", ""),
        ("百百号", ""),
        ("十一十号", ""),
        ("一百二号", ""),
        ("隔壁", ""),
        ("", ""),
    ],
)
def test_a_building_is_read_however_it_is_written(address: str, figure: str) -> None:
    assert building(address) == figure


def test_no_numeral_whatever_stops_anybody() -> None:
    assert building("9" * 5000 + "号") == "9" * 5000
    for length in range(1, 6):
        for signs in product("零一二〇两十百", repeat=length):
            figure = building("".join(signs) + "号楼")
            assert figure == "" or figure.isdecimal()


async def test_an_address_that_is_no_number_stops_no_notice(board: Board) -> None:
    wang = board.world.elder("王秀英", address="第十百货商店楼上3号502室")
    board.publish(urgent=True, buildings=["3号楼"])
    board.world.elder("李福根", address="百百号")
    await board.rounds.look()
    assert board.row(wang).due_at is not None


def test_whose_building_is_unknown_is_not_left_out() -> None:
    assert lives_in("13号楼502室", [])
    assert lives_in("三号楼五零二室", ["3号楼"])
    assert not lives_in("13号楼502室", ["3号楼"])
    assert lives_in(None, ["3号楼"])
    assert lives_in("老房子", ["3号楼"])


def test_the_door_sheet_goes_from_building_to_building() -> None:
    walk = ["二号楼101室", "1234弄3号502室", "10号楼9室", "10号楼101室", "10号楼1201室", "隔壁", None]
    assert sorted(reversed(walk), key=on_the_way)[:5] == walk[:5]
    assert on_the_way("9" * 50 + "号楼" + "9" * 50 + "室")


class Board:
    """The hall with its notices."""

    def __init__(self, hall: Hall) -> None:
        self.hall, self.world = hall, hall.world
        self.counter = NoticeCounter(hall.world.db, hall.world.clock)
        self.rounds = NoticeRounds(hall.world.db, hall.world.clock)

    def publish(self, text: str = WATER, **more: Any) -> int:
        until = self.world.clock.now() + timedelta(days=4)
        notice = self.hall.act(notices.publish, self.world.place_id, text, CHEN, **{"until": until, **more})
        return self.hall.look(lambda session: session.get_one(Notice, notice.id).number)

    def row(self, elder: str) -> Hearer:
        return self.hall.look(lambda session: session.scalars(select(Hearer).where(Hearer.person_id == elder)).one())

    def door(self, number: int) -> list[str]:
        now = self.world.clock.now()
        return self.hall.look(
            lambda session: [
                person.id for _, person in notices.to_visit(session, notices.by_number(session, number), now)
            ]
        )

    def doors(self) -> int:
        return self.hall.todo().count(ItemKind.NOTICE_DOOR)


class FreeLines:
    """As checkins.other_calls.Lines; never Barred: the rounds have seen to that."""

    def __init__(self, free: int = 9) -> None:
        self.free, self.rung = free, list[str]()

    def ring(self, elder: Any, purpose: Purpose, flow: str, ring_s: int = 45, try_no: int = 1) -> CallRequest | Later:
        assert (purpose, flow) == (Purpose.NOTICE, "notices")
        self.rung.append(elder.id)
        self.free -= 1
        return CallRequest(f"call-{elder.id[:8]}-{try_no}", elder.number, flow, ())


@pytest.fixture
def board(hall: Hall) -> Board:
    return Board(hall)


def claim(board: Board, free: int = 9) -> list[str]:
    lines, now = FreeLines(free), board.world.clock.now()
    with board.world.db.write() as session:
        calls = NoticeCalls().claim(session, now, lines)  # type: ignore[arg-type]
    return [call.id for call in calls]


def _claims_and_dies(board: Board) -> None:
    with board.world.db.write() as session:
        NoticeCalls().claim(session, board.world.clock.now(), FreeLines())  # type: ignore[arg-type]
        raise SystemExit


def ends(board: Board, call: str, elder: str, how: Disposition, result: str = "not_reached") -> None:
    person = PersonOutcome(elder, result, "key")
    with board.world.db.write() as session:
        NoticeCalls().ended(session, Ended(call, how, (person,)), board.world.clock.now())


async def test_heard_is_not_understood_and_the_daily_call_says_it_once(board: Board) -> None:
    wang = board.world.elder("王秀英", address="三号楼五零二室")
    other = board.world.elder("李福根", address="8号楼101室")
    number = board.publish(buildings=["3号楼"])

    def offer() -> dict[str, dict[str, str]]:
        return board.hall.act(notice_offers.offer, "today", [wang, other])

    assert offer() == {wang: {"notice": WATER, "notice_asks": "1"}}
    assert (await board.counter.ask("today", "notice.heard", wang)).word == "noted"
    assert (board.row(wang).heard_at, board.row(wang).understood_at) == (board.world.clock.now(), None)
    assert offer() == {}
    assert board.door(number) == [], "not yet: they may still ring in"
    board.hall.later(days=2)
    assert board.door(number) == [wang]
    assert (await board.counter.ask("rings in", "notice.ask", wang)).values == {"notice": WATER}
    assert (await board.counter.ask("rings in", "notice.ask", wang)).word == "none"
    assert (await board.counter.ask("rings in", "notice.understood", wang)).word == "noted"
    assert (board.door(number), board.row(wang).by) == ([], "王秀英")


async def test_published_again_as_urgent_it_rings_whoever_has_not_understood_it(board: Board) -> None:
    wang, li = board.world.elder("王秀英"), board.world.elder("李福根", number="+862155500032")
    number = board.publish(until=board.world.clock.now() + timedelta(days=2))
    board.hall.act(notices.told, number, li, CHEN)
    assert claim(board) == []
    until = board.world.clock.now() + timedelta(days=5)
    assert board.publish(urgent=True, until=until) == number
    assert claim(board) == [f"call-{wang[:8]}-1"]
    assert board.publish(until=until) == number
    again = board.hall.look(lambda session: notices.by_number(session, number))
    assert (again.urgent, again.valid_until) == (True, until), "never less urgent"
    assert claim(board) == [], "not rung anew"
    tomorrow = board.world.clock.now() + timedelta(days=1)
    assert board.publish(since=tomorrow, until=until) == number, "it holds tomorrow, too"
    assert board.publish(since=until, until=until + timedelta(days=1)) == number + 1, (
        "for another day it is another one"
    )


def test_published_twice_it_is_one_notice_however_it_is_written_and_whenever_it_begins(board: Board) -> None:
    wang = board.world.elder("王秀英", address="3号楼502室")
    later = board.world.clock.now() + timedelta(hours=3)
    number = board.publish(buildings=["3号楼"], since=later, urgent=True)
    assert board.row(wang).due_at == later
    assert board.publish(buildings=["三号楼"], since=later, recording="a.ulaw") == number
    assert claim(board) == []
    assert board.publish(f" {WATER}", buildings=["3幢", "03号楼"]) == number
    known = board.hall.look(lambda session: notices.by_number(session, number))
    assert (known.valid_from, known.recording, known.urgent) == (board.world.clock.now(), "a.ulaw", True)
    assert claim(board) == [f"call-{wang[:8]}-1"], "at once, since it says so now"
    assert board.publish() == number + 1, "for all is not for one building"
    assert board.publish(buildings=["3号楼"], language="wuu") == number + 2


async def test_an_urgent_one_rings_three_times_then_somebody_goes(board: Board) -> None:
    wang = board.world.elder()
    number = board.publish(urgent=True)
    for wait, left in ((15, 0), (45, 0), (0, 1)):
        (call,) = claim(board)
        assert claim(board) == [], "one call at a time"
        ends(board, call, wang, Disposition.NO_ANSWER)
        ends(board, call, wang, Disposition.NO_ANSWER)  # told twice, it counts once
        board.hall.later(minutes=wait)
        await board.rounds.look()
        assert board.doors() == left
    assert claim(board) == []
    assert board.door(number) == [wang]
    board.hall.act(notices.told, number, wang, CHEN)
    await board.rounds.look()
    assert (board.doors(), board.door(number)) == (0, [])


async def test_news_of_the_call_that_is_lost_rings_again(board: Board) -> None:
    board.world.elder()
    board.publish(urgent=True)
    (first,) = claim(board)
    board.hall.later(minutes=46)
    assert len(claim(board)) == 1
    assert board.doors() == 0, first


async def test_what_was_pressed_counts_even_when_it_could_not_be_written_down(board: Board) -> None:
    wang = board.world.elder()
    board.publish(urgent=True)
    (call,) = claim(board)
    assert (await board.counter.ask(call, "notice.next", wang)).word == "notice"
    assert (await board.counter.ask(call, "notice.next", wang)).word == "none"
    ends(board, call, wang, Disposition.ANSWERED, "understood")
    assert board.row(wang).understood_at is not None
    assert claim(board) == []


async def test_who_refused_is_never_rung_and_stands_on_the_door_sheet(board: Board) -> None:
    wang, li = board.world.elder("王秀英"), board.world.elder("李福根", consents={})
    board.hall.act(set_state, wang, State.REFUSED, CHEN)
    number = board.publish(urgent=True)
    await board.rounds.look()
    assert claim(board) == []
    assert sorted(board.door(number)) == sorted([wang, li])
    assert board.doors() == 1
    (item,) = [each for each in board.hall.items() if each.kind == ItemKind.NOTICE_DOOR]
    board.hall.act(items.done, item.id, CHEN)
    await board.rounds.look()
    assert board.doors() == 0, "done once for those whom nobody rings"


async def test_a_death_between_any_two_steps_loses_nobody(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies while the rows are written, and before the call is dialled."""
    wang = board.world.elder()
    whole = notices.spread
    monkeypatch.setattr(notices, "spread", lambda *_: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        board.publish(urgent=True)
    monkeypatch.setattr(notices, "spread", whole)
    assert board.hall.look(lambda session: session.scalars(select(Notice)).all()) == []
    number = board.publish(urgent=True)
    assert board.publish(urgent=True) == number, "the same again is the same notice"
    with pytest.raises(SystemExit):
        _claims_and_dies(board)
    assert board.row(wang).intent_id is None
    assert len(claim(board)) == 1


async def test_who_comes_into_the_register_later_hears_it_too(board: Board) -> None:
    board.publish(urgent=True)
    wang = board.world.elder()
    await board.rounds.look()
    assert len(claim(board)) == 1
    board.hall.act(notices.withdraw, 4001, CHEN)
    assert board.hall.look(lambda s: notices.of_person(s, wang, board.world.clock.now())) == []


def test_a_notice_without_words_time_or_a_building_that_can_be_read_is_refused(board: Board) -> None:
    now = board.world.clock.now()
    for wrong in ({"text": "…"}, {"until": now}, {"buildings": ["河边"]}):
        with pytest.raises(ValueError):  # noqa: PT011
            board.publish(**wrong)


async def test_社区通_回应模式_the_answer_becomes_a_notice(board: Board) -> None:
    hall, wang = board.hall, board.world.elder()
    number = await hall.complains(wang, text="楼道的灯坏了")
    hall.hears(number)
    hall.answers(number)
    until = board.world.clock.now() + timedelta(days=7)
    with pytest.raises(ValueError, match="议事厅"):
        hall.act(notices.answer, number, "三号楼的灯修好了。", CHEN, until=until)
    with board.world.db.write() as session:
        complaint = session.get_one(Complaint, hall.complaint(number).id)
        complaint.wish = Wish.PUBLIC
    hall.act(staff.publish, number, "楼道的灯坏了,晚上看不见。", CHEN)
    with pytest.raises(ValueError, match="who it is"):
        hall.act(notices.answer, number, "王秀英说的灯修好了。", CHEN, until=until)
    hall.act(notices.answer, number, "楼道的灯修好了。", CHEN, until=until)
    assert hall.events(number)[-1] == ("noticed", CHEN)
    assert (await board.counter.ask("in", "notice.ask", wang)).values == {"notice": "楼道的灯修好了。"}


async def test_黄金城道_the_board_is_read_to_who_asks(board: Board) -> None:
    wang = board.world.elder()
    assert (await board.counter.ask("in", "board.hours", wang)).word == "none"
    assert (await board.counter.ask("in", "notice.ask", wang)) == Told("none")
    board.publish("活动室每天上午九点开门。", topic="hours")
    board.publish("菜场这个星期装修。", topic="news")
    assert (await board.counter.ask("in", "notice.ask", wang)) == Told("none", {"board": "1"})
    assert (await board.counter.ask("in", "board.hours", wang)).values["entry"] == "活动室每天上午九点开门。"
    assert (await board.counter.ask("in", "board.news", wang)).values["entry"] == "菜场这个星期装修。"
    assert board.hall.look(lambda session: session.scalars(select(Hearer)).all()) == [], "nobody is rung with it"


async def entries(board: Board, elder: str) -> list[str]:
    """As a flow asks: from the newest on, each time about the one that it was told last."""
    told, found = await board.counter.ask("in", "board.hours", elder), list[str]()
    while told.word == "entry":
        found.append(told.values["entry"])
        told = await board.counter.ask("in", "board.hours", elder, told.values["entry_number"])
    return found


async def test_the_board_s_four_newest_entries_one_after_the_other(board: Board) -> None:
    wang = board.world.elder("王秀英", address="三号楼五零二室")
    for hour in "八九十":
        board.publish(f"食堂{hour}点开门。", topic="hours")
    board.publish("八号楼的门六点开。", topic="hours", buildings=["8号楼"], anyway=True)
    last = board.publish("活动室每天开门。", topic="hours")
    board.publish("菜场装修。", topic="news")
    board.publish("图书室关门。", topic="hours", recording="notice/1.wav")
    assert await entries(board, wang) == ["图书室关门。", "活动室每天开门。", "食堂十点开门。", "食堂九点开门。"]
    board.hall.act(notices.withdraw, last, CHEN)
    assert await entries(board, wang) == ["图书室关门。", "食堂十点开门。", "食堂九点开门。", "食堂八点开门。"]
    newest = (await board.counter.ask("in", "board.hours", wang)).values
    assert newest["entry_audio"] == "notice/1.wav"


async def test_a_recording_goes_with_its_words_where_the_flow_has_use_for_them(board: Board) -> None:
    wang = board.world.elder()
    board.publish(recording="notice/1.wav")
    both = {"notice": WATER, "notice_audio": "notice/1.wav"}
    assert (await board.counter.ask("in", "notice.ask", wang)).values == both
    assert board.hall.act(notice_offers.offer, "today", [wang]) == {wang: {**both, "notice_asks": "1"}}
    assert board.hall.look(lambda session: notices.texts(session, board.world.clock.now())) == [WATER]
