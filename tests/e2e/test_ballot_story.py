"""打钩 and 业委会投票, with audio and in virtual time: elders are rung and choose by key, ring in and change it, one is
on paper; it closes, and who took part hears the result. An owner chooses by number and PIN of the letter, whatever
telephone they ring from."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from checkins.tables import Neighbourhood
from community import ballot_staff
from community.ballot import Channel, Refusal, Unit
from community.ballot_rounds import BallotRounds
from community.ballot_tables import Ballot, BallotEvent
from ivr.records import Call
from tests.e2e.line import ELDER, Story, story
from tests.e2e.test_complaint_story import presses, rings_in
from tests.e2e.test_reply_call import well
from tests.fakes.carrier import FakeCarrier

LIFT, BIKES = "要不要装电梯?|要|不要|都可以", "自行车棚要不要搬到门口?"
ROLL = "室号,业主\n1号101室,张大同\n"


async def made(line: Story, unit: Unit = Unit.PERSON, roll: str = "") -> None:
    now = line.house.clock.now()

    def work(session: Any) -> None:
        place, closes = session.get_one(Neighbourhood, line.place_id), now + timedelta(hours=8)
        ballot_staff.make(session, place, "电梯", [LIFT, BIKES], unit, now, closes, "陈老师", now, roll=roll)

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


async def test_neighbours_choose_by_telephone_and_hear_the_result(carrier: FakeCarrier, tmp_path: Path) -> None:
    async with story(carrier, tmp_path) as line:
        elder = await line.elder()
        other = await line.elder("李福珍", "+862155500002", consents={})
        await well(line, elder)
        line.carrier.clock.advance(minutes=60)
        await made(line)
        call = line.carrier.expect_call(ELDER)
        await line.tick()
        await presses(call, ("greet.ask", "1"), ("choose.ask", "2"))
        await call.hears("choose.say", within_s=60)
        await presses(call, ("choose.ask", "1"))
        await call.hears("done.ask", within_s=60)
        call.hangs_up()
        await call.ended()
        await line.row(elder)
        assert await line.house.prompts.get("不要") in call.heard, "what she chose is read back"
        call = await rings_in(line)
        await presses(call, ("menu.ask", "6"), ("choose.ask", "3"))
        await call.hears("choose.say", within_s=60)
        call.hangs_up()
        await call.ended()
        await line.row(elder)
        assert {"ballot.offer", "before.say"} <= set(call.seen("prompt"))
        assert await paper(line, "李福珍", {1: 1, 2: 1}) is None
        assert await paper(line, "王秀英", {1: 1}) is Refusal.OTHER_CHANNEL

        keys = [detail["digit"] for _, detail in await line.log("key")]
        assert keys == ["1", "", "", "6", ""], "no log has what was chosen"
        kept = await line.house.db.view(lambda session: session.scalars(select(Call).order_by(Call.ordered_at)).all())
        assert "不要" not in str(kept[0].session), "what was read back is forgotten with the next topic"

        ballot = await closes(line)
        assert ballot.result == {"1": [1, 0, 1], "2": [2, 0]}
        call = line.carrier.expect_call(ELDER)
        await line.tick()
        await presses(call, ("greet.ask", "1"), ("result.ask", "1"), ("result.ask", "1"))
        await call.hears("result.over", within_s=60)
        await call.ended()
        await line.row(elder)
        assert await line.house.prompts.get("要,一;不要,零;都可以,一。") in call.heard
        await line.later(hours=1)  # nobody is rung again: a call that nobody expects would fail
        by_hand = await line.house.db.view(lambda session: ballot_staff.to_visit(session, session.merge(ballot)))
        assert [person.id for person in by_hand] == [other], "told in person"


async def test_an_owner_chooses_by_the_letter(carrier: FakeCarrier, tmp_path: Path) -> None:
    """The number that rings is a tenant's: it opens nothing."""
    async with story(carrier, tmp_path) as line:
        tenant = await line.elder()
        await well(line, tenant)
        line.carrier.clock.advance(minutes=60)
        await made(line, Unit.OWNER, ROLL)
        now = line.house.clock.now()
        letters = await line.house.db.view(lambda session: ballot_staff.letters(session, 7001))
        await line.house.db.run(lambda session: ballot_staff.post(session, 7001, letters, "陈老师", now))
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
        query = select(BallotEvent.detail).where(BallotEvent.what == "refused").order_by(BallotEvent.id)
        refused = [each["reason"] for each in await line.house.db.view(lambda session: list(session.scalars(query)))]
        assert refused == ["pin_wrong", "other_channel", "no_proxy"]
        said = str(await line.log())
        assert not {pin, number} & set(said.split("'"))
        assert (await closes(line)).result == {"1": [1, 0, 0], "2": [0, 0]}
