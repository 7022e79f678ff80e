"""公告 by the passing of time, and for many: who is not forgotten, what a look costs, what a forged number can't do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from checkins import inbound, items
from checkins.intents import intend
from checkins.items import ItemKind
from checkins.line_rules import Purpose
from checkins.people import set_state
from checkins.ports import Disposition
from checkins.tables import State
from community import notice_calls, notice_offers, notices
from community.notice_rounds import READ_THROUGH
from community.notice_tables import Hearer, Notice
from tests.unit.community.hall import CHEN
from tests.unit.community.test_notices import Board, board, claim, ends

__all__ = ["board"]


def tick_off(board: Board) -> None:
    (item,) = [each for each in board.hall.items() if each.kind == ItemKind.NOTICE_DOOR]
    board.hall.act(items.done, item.id, CHEN)


async def test_whom_a_busy_line_never_came_to_is_gone_to_after_half_the_time(board: Board) -> None:
    wang = board.world.elder()
    number = board.publish(urgent=True, until=board.world.clock.now() + timedelta(hours=6))
    board.hall.later(hours=2)
    await board.rounds.look()
    assert (board.door(number), board.doors()) == ([], 0)
    board.hall.later(hours=1)
    await board.rounds.look()
    assert (board.door(number), board.doors()) == ([wang], 1)
    assert len(claim(board)) == 1, "and the line goes on trying"


async def test_ticked_off_doors_come_back_once_at_half_time(board: Board) -> None:
    wang, li = board.world.elder("王秀英"), board.world.elder("李福根", number="+862155500032")
    board.hall.act(set_state, li, State.REFUSED, CHEN)
    number = board.publish()
    await board.rounds.look()
    assert (board.door(number), board.doors()) == ([li], 1), "her only way is paper: from the beginning"
    tick_off(board)
    for _ in range(3):
        board.hall.later(hours=6)
        await board.rounds.look()
        assert board.doors() == 0
    board.hall.later(days=2)
    await board.rounds.look()
    assert (sorted(board.door(number)), board.doors()) == (sorted([wang, li]), 1)
    tick_off(board)
    board.hall.later(hours=6)
    await board.rounds.look()
    assert board.doors() == 0


async def test_the_register_is_read_through_now_and_then(board: Board) -> None:
    wang = board.world.elder("王秀英")
    number = board.publish(urgent=True)
    await board.rounds.look()
    li = board.world.elder("李福根", number="+862155500032")
    board.hall.act(set_state, wang, State.REFUSED, CHEN)
    board.hall.later(seconds=30)
    await board.rounds.look()
    assert board.hall.look(lambda session: [row.person_id for row in session.scalars(select(Hearer))]) == [wang]
    board.hall.later(seconds=READ_THROUGH.total_seconds())
    await board.rounds.look()
    assert board.door(number) == [wang]
    assert board.row(wang).given_up_at == board.world.clock.now()
    assert board.row(li).due_at == board.world.clock.now()


@pytest.mark.parametrize("withdrawn", [True, False])
async def test_what_holds_no_more_is_not_looked_at_when_calls_are_due(board: Board, withdrawn: bool) -> None:
    wang = board.world.elder()
    number = board.publish(urgent=True)
    if withdrawn:
        board.hall.act(notices.withdraw, number, CHEN)
    else:
        board.hall.later(days=5)
        await board.rounds.look()
    assert board.row(wang).due_at is None


async def test_a_look_at_many_reads_by_indexes(board: Board) -> None:
    board.world.elder()
    board.publish(urgent=True)
    board.publish("明天量血压。")
    await board.rounds.look()
    asked: list[tuple[str, Any]] = []
    event.listen(board.world.db.engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    board.hall.later(seconds=30)
    await board.rounds.look()
    now = board.world.clock.now()
    assert board.hall.look(lambda session: notice_calls._waiting(session, now))
    statements = [(what, values) for what, values in asked if what.startswith("SELECT")]
    assert len(statements) > 5
    with board.world.db.engine.connect() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {what}", values).all() for what, values in statements]
    steps = [step[3] for plan in plans for step in plan]
    assert any("ix_notice_hearer_open" in step for step in steps)
    assert [step for step in steps if step.startswith("SCAN")] == []


async def test_a_check_in_that_is_due_while_a_call_lasts_keeps_its_line(board: Board) -> None:
    board.world.elder("王秀英", slot=11 * 60)
    board.world.elder("李福根", number="+862155500032", slot=9 * 60 + 4)
    await board.world.cycle.plan()
    board.publish(urgent=True)
    assert claim(board, free=1) == []
    assert len(claim(board, free=2)) == 1


async def test_a_forged_number_can_not_keep_an_urgent_notice_from_her(board: Board) -> None:
    wang = board.world.elder()
    number = board.publish(urgent=True)
    with board.world.db.write() as session:
        inbound.take(session, "in", "+862155500031", "rings_in", board.world.clock.now(), [])
    assert (await board.counter.ask("in", "notice.ask", wang)).word == "notice"
    assert (await board.counter.ask("in", "notice.understood", wang)).word == "asked_again"
    assert (await board.counter.ask("in", "notice.heard", wang)).word == "noted"
    assert (board.row(wang).understood_at, board.row(wang).heard_at) == (None, None)
    (call,) = claim(board)
    with board.world.db.write() as session:
        intend(session, "+862155500099", Purpose.NOTICE, board.world.clock.now(), "cycle", intent_id=call)
    assert (await board.counter.ask(call, "notice.next", wang)).word == "notice"
    assert (await board.counter.ask(call, "notice.understood", wang)).word == "noted"
    assert board.row(wang).understood_at is not None
    ends(board, call, wang, Disposition.ANSWERED, "understood")
    assert board.door(number) == []


@pytest.mark.parametrize("word", ["understood", "heard"])
async def test_what_was_said_from_a_forged_number_before_it_was_urgent_counts_no_more(board: Board, word: str) -> None:
    wang, li = board.world.elder("王秀英"), board.world.elder("李福根")
    refused = board.world.elder("张伟民", consents={})
    number = board.publish()
    with board.world.db.write() as session:
        inbound.take(session, "in", "+862155500031", "rings_in", board.world.clock.now(), [])
        intend(session, "+862155500099", Purpose.CHECKIN, board.world.clock.now(), "cycle", intent_id="daily")
    board.hall.act(notice_offers.offer, "daily", [li])
    assert (await board.counter.ask("daily", f"notice.{word}", li)).word == "noted"
    for elder in (wang, refused):
        await board.counter.ask("in", "notice.ask", elder)
        assert (await board.counter.ask("in", f"notice.{word}", elder)).word == "noted"
    assert board.publish(urgent=True) == number
    rows = {row.person_id: row for row in board.hall.look(lambda session: list(session.scalars(select(Hearer))))}
    assert (rows[wang].understood_at, rows[wang].heard_at, rows[wang].by) == (None, None, None)
    assert rows[wang].due_at == board.world.clock.now()
    assert board.door(number) == [refused], "whom no machine may ring, somebody goes to"
    assert rows[li].understood_at or rows[li].heard_at, "a call of ours proves it"
    assert (rows[li].due_at is None) == (word == "understood")


def test_who_publishes_learns_for_whom_it_is_and_who_made_it_urgent_is_kept(board: Board) -> None:
    board.world.elder("王秀英", address="三号楼五零二室")
    board.world.elder("李福根", address="3号楼101室", consents={})
    board.world.elder("张伟民", address="12号楼101室")
    with pytest.raises(LookupError, match=r"nobody lives in 30号楼; its buildings: 3号楼、12号楼"):
        board.publish(buildings=["30号楼"])
    board.publish(buildings=["30号楼"], anyway=True)
    number = board.publish(buildings=["3号楼"])
    notice = board.hall.look(lambda session: notices.by_number(session, number))
    reach = board.hall.look(lambda session: notices.reach(session, notice))
    assert (reach.elders, reach.by_telephone, reach.doors) == (2, 1, 1)
    assert notice.urgent_by is None
    until = board.world.clock.now() + timedelta(days=4)
    board.hall.act(
        notices.publish, board.world.place_id, notice.text, "张老师", buildings=["3号楼"], until=until, urgent=True
    )
    again = board.hall.look(lambda session: session.get_one(Notice, notice.id))
    assert (again.by, again.urgent_by) == (CHEN, "张老师")
