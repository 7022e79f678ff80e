"""打钩 and 业委会投票, with audio and in virtual time: elders are rung and choose by key, ring in and change it, one is
on paper; it closes, and who took part hears the result. An owner chooses by number and PIN of the letter, whatever
telephone they ring from; for another unit somebody has a written proxy."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from checkins.tables import Neighbourhood
from community import ballot_letters, ballot_making, ballot_staff
from community.ballot import Channel, Refusal, Unit
from community.ballot_rounds import BallotRounds
from community.ballot_tables import Ballot, BallotEvent
from ivr.records import Call
from storage.database import Base
from tests.e2e.line import ELDER, Story, story
from tests.e2e.test_complaint_story import presses, rings_in
from tests.e2e.test_reply_call import well
from tests.fakes.call import FakeCall
from tests.fakes.carrier import FakeCarrier

LIFT, BIKES = "要不要装电梯?|装电梯|不装电梯", "自行车棚要不要搬到门口?"
TOPICS = [LIFT, BIKES, "垃圾房要不要搬?", "要不要换门禁?", "楼道要不要刷白?"]
ROLL = "室号,业主\n1号101室,张大同\n1号102室,赵一平\n"


async def made(line: Story, topics: list[str], unit: Unit = Unit.PERSON, roll: str = "") -> None:
    now = line.house.clock.now()

    def work(session: Any) -> None:
        place, closes = session.get_one(Neighbourhood, line.place_id), now + timedelta(hours=8)
        ballot_making.make(session, place, "公约", topics, unit, now, closes, "陈老师", now, roll=roll)

    await line.house.db.run(work)


async def closes(line: Story) -> Ballot:
    line.carrier.clock.advance(hours=8)
    await BallotRounds(line.house.db, line.house.clock).look()
    return await line.house.db.view(lambda session: session.scalars(select(Ballot)).one())


async def paper(line: Story, whose: str, options: dict[int, int], who: str = "") -> Refusal | None:
    now = line.house.clock.now()

    def work(session: Any) -> Refusal | None:
        return ballot_staff.enter(session, 7001, whose, options, Channel.PAPER, "陈老师", now, who=who)

    return await line.house.db.run(work)


async def chooses(call: FakeCall, *keys: str) -> None:
    """One topic after the other, each read back."""
    for key in keys:
        await presses(call, ("choose.ask", key))
        await call.hears("choose.say", within_s=60)


async def says_nothing_of(line: Story, *words: str) -> None:
    """No row of any table, but for what was asked, has any of these."""

    def work(session: Any) -> list[str]:
        tables = [each for each in Base.metadata.sorted_tables if each.name != "ballot_topic"]
        found = [(each.name, str(tuple(row))) for each in tables for row in session.execute(select(each))]
        assert len({name for name, _ in found}) > 8, "there is something to look at"
        return [f"{name}: {row}" for name, row in found if any(word in row for word in words)]

    assert await line.house.db.view(work) == []


@pytest.mark.row("社区通 议事厅, 打钩模式")
async def test_社区通_议事厅_打钩模式(carrier: FakeCarrier, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Five topics, at most four at a time; two keys each, read back; changed by ringing in; once for each resident over
    telephone and paper; the result is read to who took part, and told in person to whom no machine rings."""
    async with story(carrier, tmp_path) as line:
        elder = await line.elder()
        other = await line.elder("李福珍", "+862155500002", consents={})
        await well(line, elder)
        line.carrier.clock.advance(minutes=60)
        await made(line, TOPICS)
        call = line.carrier.expect_call(ELDER)
        await line.tick()
        await presses(call, ("greet.ask", "1"))
        await chooses(call, "1", "1", "2", "2")
        await presses(call, ("group.ask", "1"))
        await chooses(call, "1")
        await call.hears("done.ask", within_s=60)
        call.hangs_up()
        await call.ended()
        await line.row(elder)
        assert await line.house.prompts.get("装电梯") in call.heard, "what she chose is read back"
        call = await rings_in(line)
        await presses(call, ("menu.ask", "6"))
        await chooses(call, "2")
        await call.hears("choose.ask", within_s=60)  # of the next topic
        call.hangs_up()
        await call.ended()
        await line.row(elder)
        assert {"ballot.offer", "before.say"} <= set(call.seen("prompt"))
        assert await paper(line, "李福珍", {1: 1, 2: 1, 3: 1, 4: 1, 5: 1}) is None
        assert await paper(line, "王秀英", {1: 1}) is Refusal.OTHER_CHANNEL

        sessions = select(Call.session).where(Call.session.is_not(None))
        keys = [detail["digit"] for _, detail in await line.log("key")]
        assert keys == ["1", *[""] * 4, "1", "", "6", ""], "no log has what was chosen"
        await says_nothing_of(line, "装电梯")
        told = await line.house.db.view(lambda session: [row["state"]["told"] for row in session.scalars(sessions)])
        assert not [key for each in told for key in each if key.endswith((".before", ".chosen"))]
        assert "电梯" not in caplog.text

        ballot = await closes(line)
        assert ballot.result == {"1": [1, 1], "2": [2, 0], "3": [1, 1], "4": [1, 1], "5": [2, 0]}
        call = line.carrier.expect_call(ELDER)
        await line.tick()
        await presses(call, ("greet.ask", "1"), *[("result.ask", "1")] * 5)
        await call.hears("result.over", within_s=60)
        await call.ended()
        await line.row(elder)
        assert await line.house.prompts.get("装电梯,一;不装电梯,一。") in call.heard
        await line.later(hours=1)  # nobody is rung again: a call that nobody expects would fail
        by_hand = await line.house.db.view(lambda session: ballot_staff.to_visit(session, session.merge(ballot)))
        assert [person.id for person in by_hand] == [other], "told in person"


@pytest.mark.row("业委会投票")
async def test_业委会投票(carrier: FakeCarrier, tmp_path: Path) -> None:
    """A tenant's telephone opens nothing, number and PIN of the letter do; a second choice for the unit is refused and
    logged, whoever brings it; for another unit somebody has a written proxy; not binding."""
    async with story(carrier, tmp_path) as line:
        tenant = await line.elder()
        await well(line, tenant)
        line.carrier.clock.advance(minutes=60)
        await made(line, [LIFT, BIKES], Unit.OWNER, ROLL)
        now = line.house.clock.now()
        letters = await line.house.db.view(lambda session: ballot_letters.letters(session, 7001, now))
        await line.house.db.run(lambda session: ballot_letters.post(session, 7001, letters, "陈老师", now))
        number, pin = str(letters[0].number), letters[0].pin

        call = await rings_in(line)
        await presses(call, ("menu.ask", "6"), ("owner.ask", number), ("owner.pin", "135792"))
        await call.hears("owner.wrong", within_s=60)
        await presses(call, ("owner.ask", number), ("owner.pin", pin), ("choose.ask", "1"))
        await call.hears("choose.say", within_s=60)
        call.hangs_up()
        await call.ended()
        await line.row(tenant)
        assert await paper(line, "1号101室", {1: 2}, "张大同") is Refusal.OTHER_CHANNEL
        assert await paper(line, "1号101室", {1: 2}, "王秀英") is Refusal.NO_PROXY
        assert await paper(line, "1号102室", {1: 2}, "王秀英") is Refusal.NO_PROXY
        await line.house.db.run(
            lambda session: ballot_staff.proxy(session, 7001, "1号102室", "王秀英", "柜三,委托书十二", "陈老师", now)
        )
        assert await paper(line, "1号102室", {1: 2, 2: 1}, "王秀英") is None
        query = select(BallotEvent.detail).where(BallotEvent.what == "refused").order_by(BallotEvent.id)
        refused = [each["reason"] for each in await line.house.db.view(lambda session: list(session.scalars(query)))]
        assert refused == ["pin_wrong", "other_channel", "no_proxy", "no_proxy"]
        said = str(await line.log())
        assert not {pin, number} & set(said.split("'"))
        assert "owner.intro" in call.seen("prompt"), "which says that it is not binding"
        assert (await closes(line)).result == {"1": [1, 1], "2": [1, 0]}
