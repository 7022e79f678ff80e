"""纸质告示, 打电话通知, by keys and in virtual time: an urgent notice for one building is rung out in the hours of
calls and after the daily call; who understood it is left alone, who refused machines is never rung and stands on the
door sheet; the day after, the daily call says what is not urgent."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from checkins.enrolment import font
from checkins.items import ItemKind
from checkins.people import set_state
from checkins.tables import Neighbourhood, State
from community import ballot_proposals, notice_papers, notice_sheets, notices
from community.ballot_rounds import BallotRounds
from community.notice_rounds import NoticeRounds
from community.notice_tables import FIRST_NOTICE, Hearer, Topic
from tests.e2e.line import ELDER, Story, story
from tests.e2e.test_complaint_story import open_items, presses, rings_in
from tests.e2e.test_reply_call import well
from tests.fakes.carrier import FakeCarrier

PROPOSALS = "有两个提议,请选一个。第二个是李福根提的。"
WATER, HALL = "三号楼今天下午停水。", "明天上午活动室量血压。"
SERVICE, NEWS = "修伞磨刀星期三在小区门口。", "香花桥路今天起修路。"


async def publish(line: Story, text: str, **more: Any) -> None:
    now = line.house.clock.now()
    more = {"until": now + timedelta(days=6), **more}
    await line.house.db.run(lambda session: notices.publish(session, line.place_id, text, "陈老师", now, **more).id)


async def propose(line: Story, *texts: str) -> None:
    now = line.house.clock.now()
    found = [ballot_proposals.read(text) for text in texts]

    def work(session: Any) -> None:
        place, closes = session.get_one(Neighbourhood, line.place_id), now + timedelta(hours=4)
        ballot_proposals.make(session, place, "公共地方", found, now, closes, "陈老师", now)

    await line.house.db.run(work)


async def door(line: Story) -> list[str]:
    now = line.house.clock.now()

    def work(session: Any) -> list[str]:
        found = notices.to_visit(session, notices.by_number(session, FIRST_NOTICE), now)
        return [person.name for _, person in found]

    return await line.house.db.view(work)


async def pages(line: Story) -> tuple[int, int]:
    """How many the poster has, and the door sheet."""
    now = line.house.clock.now()

    def work(session: Any) -> tuple[notice_papers.Facts, list[notice_papers.Door]]:
        notice = notices.by_number(session, FIRST_NOTICE)
        doors = [notice_sheets.door_of(*found) for found in notices.to_visit(session, notice, now)]
        return notice_sheets.facts_of(session, notice), doors

    facts, doors = await line.house.db.view(work)
    font.load()
    poster, sheet = notice_papers.poster(facts), notice_papers.door_sheet(facts, doors)
    return poster.count(b"/Type /Page\n"), sheet.count(b"/Type /Page\n")


@pytest.mark.row("纸质告示, 打电话通知")
async def test_纸质告示_打电话通知(carrier: FakeCarrier, tmp_path: Path) -> None:
    """An urgent notice for one building is rung out after the daily call; an elder hears it once she has said who she
    is, once more when she asks, and presses that she has understood. Her neighbour, whom no machine rings, stands on
    the door sheet; a poster is printed. What is not urgent goes along with the next day's call."""
    async with story(carrier, tmp_path) as line:
        elder = await line.elder(address="三号楼五零二室")
        refused = await line.elder("李福根", "+862155500002", address="3号楼101室")
        await line.elder("张伟民", "+862155500003", address="8号楼101室", consents={})  # of another building
        now = line.house.clock.now()
        await line.house.db.run(lambda session: set_state(session, refused, State.REFUSED, "陈老师", now))
        await well(line, elder)
        await publish(line, WATER, urgent=True, buildings=["3号楼"])
        call = line.carrier.expect_call(ELDER)
        await line.later(minutes=75)
        await call.hears("greet.ask")
        told = await line.house.prompts.get(WATER)
        assert call.heard.count(told) == 0
        assert told not in call.heard, "told before she said who she is"
        call.presses("1")
        await call.hears("notice.ask", within_s=120)
        assert call.heard.count(told) == 1
        call.presses("*")
        await call.hears("notice.ask", within_s=120)
        assert call.heard.count(told) == 2, "once more"
        call.presses("1")
        await call.hears("bye.say")
        await call.ended()
        await line.row(elder)
        await NoticeRounds(line.house.db, line.house.clock).look()
        assert await open_items(line) == [ItemKind.NOTICE_DOOR]
        assert await door(line) == ["李福根"], "her neighbour, whom no machine rings"
        assert await pages(line) == (1, 1), "a poster of one page, a door sheet of one"
        await line.later(hours=5)  # a call that nobody expects would fail

        await publish(line, HALL)
        call = line.carrier.expect_call(ELDER)
        await line.house.cycle.plan()
        await line.later(hours=18)
        for prompt, key in (("greet.ask", "1"), ("health.ask", "1"), ("notice.ask", "1"), ("message.ask", "2")):
            await call.hears(prompt, within_s=120)
            call.presses(key)
        await call.ended()
        assert await line.house.prompts.get(HALL) in call.heard
        await line.row(elder)


@pytest.mark.row("黄金城道")
async def test_黄金城道(carrier: FakeCarrier, tmp_path: Path) -> None:
    """Who rings in hears the notice first, then opening hours, services and street news, the newest first, and chooses
    one of the neighbours' proposals by key; she is rung with what came of it."""
    async with story(carrier, tmp_path) as line:
        elder = await line.elder(slot=10 * 60)
        await well(line, elder)
        await publish(line, HALL)
        for text in ("活动室每天上午九点开门。", "食堂十一点开饭。"):
            await publish(line, text, topic=Topic.HOURS)
        await publish(line, SERVICE, topic=Topic.SERVICES)
        await publish(line, NEWS, topic=Topic.NEWS)
        await propose(line, "楼下装一排长凳", "活动室添一台饮水机|李福根")
        call = await rings_in(line)
        await presses(call, ("menu.ask", "4"), ("notice.sure", "1"), ("board.ask", "1"))
        for _ in range(2):
            await presses(call, ("hours.text", "1"))
        await presses(call, ("board.ask", "2"), ("services.text", "1"), ("board.ask", "3"), ("street.text", "1"))
        await presses(call, ("board.ask", "4"), ("choose.ask", "2"))
        await call.hears("done.ask", within_s=120)
        call.hangs_up()
        await call.ended()
        await line.row(elder)
        hours = ("食堂十一点开饭。", "活动室每天上午九点开门。")
        texts = (HALL, *hours, SERVICE, NEWS, PROPOSALS, "活动室添一台饮水机")
        places = [call.heard.find(await line.house.prompts.get(text)) for text in texts]
        assert -1 not in places
        assert places == sorted(places), "the newest first"
        row = await line.house.db.view(lambda session: session.scalars(select(Hearer)).one())
        assert (row.person_id, row.by, row.due_at) == (elder, "王秀英", None)
        assert row.understood_at is not None

        line.carrier.clock.advance(hours=4)
        await BallotRounds(line.house.db, line.house.clock).look()
        call = line.carrier.expect_call(ELDER)
        await line.tick()
        await presses(call, ("greet.ask", "1"), ("result.ask", "1"))
        await call.hears("result.over", within_s=60)
        await call.ended()
        await line.row(elder)
        assert await line.house.prompts.get("楼下装一排长凳,零;活动室添一台饮水机,一。") in call.heard
