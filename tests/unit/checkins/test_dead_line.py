"""The line dies in the middle of the round: the round stops, duty hears of it by every way until a name knows, nobody
is sent out, nobody's try is used up; and it goes on by itself. In virtual time, with real mail and web servers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from checkins import auditor
from checkins.alarm_bell import Bell
from checkins.alarm_calls import FLOW, SECOND, Caller
from checkins.alarms import Alarm, open_alarms
from checkins.mornings import Mornings
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome, Placed
from checkins.results import Reason, Status, Urgency
from checkins.watch import Watch
from messages.mail import Mail, MailServer
from messages.webhook import Webhook
from tests.fakes.post import Mailbox, Site, mail_server, web_site
from tests.unit.checkins.street import CHEN, DAUGHTER, LI, ZHOU, Street
from tests.unit.checkins.world import FakePlacer, World

SECRET = "whsec_" + "QUJD" * 10


class MortalLine(FakePlacer):
    """Refuses every call while it is dead, but for those of the second trunk."""

    dead = False

    async def place(self, request: CallRequest) -> Placed:
        answer = await super().place(request)
        return Placed.REFUSED if self.dead and request.trunk != SECOND else answer


class Morning:
    """Everything that goes on by itself, minute by minute. Elders who are reached are well, by key."""

    def __init__(self, street: Street, box: Mailbox, site: Site, folder: Path) -> None:
        self.world, self.street, self.site, self.box, self.folder = street.world, street, site, box, folder
        self.line = MortalLine()
        self.world.placer = self.line
        self.world.cycle = self.world.another_cycle("cycle-1")
        self.said: set[str] = set()
        self.duty_answers = False
        self.restart()

    def restart(self) -> None:
        """A new process: it knows nothing but the database."""
        world = self.world
        mail = Mail(MailServer("127.0.0.1", self.box.port, "none"), "line@example.org", ("duty@example.org",))
        ways = [mail, Webhook(self.site.url, SECRET)]
        self.bell = Bell(world.db, world.clock, ways, self.line, Caller("bell", second=True))
        self.watch = Watch(world.db, world.clock, self.folder / "heartbeat", cry=self.bell.cry)
        self.mornings = Mornings(world.db, world.clock, self.folder / "sheets", 4, lambda note: None)

    async def until(self, clock_time: str, step: int = 5) -> None:
        moment = self.world.at(clock_time)
        while self.world.clock.now() < moment:
            self.world.clock.advance_to(min(moment, self.world.clock.now() + timedelta(minutes=step)))
            await self.minute()
        await self.mornings.look()

    async def minute(self) -> None:
        for _ in range(1 if self.line.dead else 2):  # four lines, each free again at once
            await self.world.cycle.tick()
            await self._calls_end()
        await self.watch.look()
        await self.bell.look()

    async def _calls_end(self) -> None:
        """Elders answer, well; duty does when the time has come; nobody else does."""
        words = {"daily_checkin": "well"} | ({FLOW: "acknowledged"} if self.duty_answers else {})
        for request in [one for one in self.line.requests if one.id not in self.said]:
            self.said.add(request.id)
            if word := words.get(request.flow):
                people = tuple(PersonOutcome(callee.id, word, "key") for callee in request.callees)
                await self.ends(request, Disposition.ANSWERED, people)
            else:
                await self.ends(request, Disposition.NO_ANSWER)

    async def ends(
        self, request: CallRequest, disposition: Disposition, people: tuple[PersonOutcome, ...] = ()
    ) -> None:
        now = self.world.clock.now()
        await self.world.cycle.settle(CallOutcome(request.id, now, final=True, disposition=disposition, people=people))

    def rung(self, since: datetime, until: datetime) -> Counter[str]:
        return Counter(one.number for one in self.world.intents() if since <= one.created_at < until)

    def alarm_calls(self) -> list[CallRequest]:
        return [request for request in self.line.requests if request.flow == FLOW]

    def told(self) -> list[str]:
        """The types of the webhooks."""
        return [json.loads(body)["type"] for _, _, _, body in self.site.requests]


@pytest.fixture
def _errors_are_wanted(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    caplog.clear()


@pytest.mark.usefixtures("_errors_are_wanted")
async def test_the_line_dies_at_0820_with_forty_elders_due(world: World, tmp_path: Path) -> None:
    street = Street.of(world)
    missed = street.elder("许阿大", slot=494)
    elders = [street.elder(f"王{number}", slot=500) for number in range(3)]
    elders += [world.elder(f"李{number}", slot=500) for number in range(37)]
    async with mail_server() as box:
        with web_site() as site:
            morning = Morning(street, box, site, tmp_path)
            line = morning.line
            await world.to("08:14")
            await world.ends(missed, "emergency", after=timedelta())
            await morning.until("08:19")
            line.dead = True
            await morning.until("08:50")
            world_now = [world.row(elder) for elder in elders]
            assert {row.status for row in world_now} <= {Status.PLANNED, Status.WAITING}
            assert [row.try_no for row in world_now] == [0] * 40, "the line failed, not the elders"
            rung = morning.rung(world.at("08:22"), world.at("08:50"))
            assert not rung.keys() & {LI, ZHOU}, "no buddy is sent out"
            assert sum(count for number, count in rung.items() if number not in (CHEN, DAUGHTER)) <= 15, "one probe"
            assert {CHEN, DAUGHTER} <= rung.keys(), "an emergency is tried all the same"
            [alarm] = _alarms(world)
            assert (alarm.kind, alarm.acknowledged_at) == ("line_down", None)
            assert "1起紧急求助" in alarm.text

            ringing = morning.alarm_calls()
            assert {one.trunk for one in ringing} == {SECOND}
            assert [one.number for one in ringing] == [CHEN], "duty, once; there is no deputy"
            morning.restart()
            morning.duty_answers = True
            await morning.until("08:57")
            assert [one.number for one in morning.alarm_calls()] == [CHEN, CHEN], "half an hour later"
            assert [one.acknowledged_by for one in _alarms(world)] == ["陈老师"]
            mails = len(box.mails)
            assert mails == morning.told().count("alarm.raised") == 4
            await morning.until("09:01")
            assert len(box.mails) == mails, "who knows is not told again"
            assert "王0" in (tmp_path / "sheets" / f"2026-03-02-{world.place_id}.html").read_text("utf-8")

            line.dead = False
            await morning.until("09:25", step=2)
            assert {world.row(elder).status for elder in elders} == {Status.CLOSED}
            assert not any(elder.number in (LI, ZHOU) for elder in line.requests)
            assert [one.kind for one in _alarms(world)] == []
            assert morning.told()[-1] == "alarm.over"
            assert box.mails[-1]["Subject"] == "[问安] 已恢复：电话线路中断"


@pytest.mark.usefixtures("_errors_are_wanted")
async def test_a_search_waits_for_the_line_and_goes_on_where_it_was(world: World, tmp_path: Path) -> None:
    """An unreached elder's buddies are rung when the line is back, from the first one on; meanwhile the case never
    sleeps, and a dead line tries nobody else's patience."""
    street = Street.of(world)
    missed = street.elder("许阿大", slot=480)
    elders = [street.elder(f"王{number}", slot=530 + number) for number in range(6)]
    async with mail_server() as box:
        with web_site() as site:
            morning = Morning(street, box, site, tmp_path)
            for moment in ("08:00", "08:16", "08:49"):
                await world.to(moment)
                call = world.last_call(missed)
                morning.said.add(call.id)
                await morning.ends(call, Disposition.NO_ANSWER)
            morning.line.dead = True
            await morning.until("09:20")
            row = world.row(missed)
            assert (row.status, row.owner) == (Status.NEEDS_PERSON, None)
            rung = morning.rung(world.at("09:00"), world.at("09:20"))
            assert not rung.keys() & {LI, ZHOU}
            morning.line.dead = False
            before = len(morning.line.requests)
            await morning.until("09:30", step=2)
            buddies = [one.number for one in morning.line.requests[before:] if one.number in (LI, ZHOU)]
            assert buddies[0] == LI, "the first buddy, as if nothing had been"
            assert all(world.row(elder).status is Status.CLOSED for elder in elders)


@pytest.mark.usefixtures("_errors_are_wanted")
async def test_a_machine_that_was_off_until_half_past_eleven_leaves_those_due_to_people(
    world: World, tmp_path: Path
) -> None:
    street = Street.of(world)
    elders = [street.elder(f"王{number}", slot=480 + 5 * number) for number in range(20)]
    await world.to("05:00")  # planned in the night, then no power
    async with mail_server() as box:
        with web_site() as site:
            world.clock.advance_to(world.at("11:30"))
            morning = Morning(street, box, site, tmp_path)
            await morning.minute()
            rows = [world.row(elder) for elder in elders]
            assert {(row.reason, row.urgency) for row in rows} == {(Reason.UNSERVED, Urgency.TODAY)}
            assert not [one for one in morning.line.requests if one.flow == "daily_checkin"]
            await morning.until("11:32", step=1)
            [dispatch] = [one for one in morning.line.requests if one.flow == "dispatch"]
            assert (dispatch.number, len(dispatch.callees)) == (CHEN, 20), "duty hears of all of them in one call"
            sheet = (tmp_path / "sheets" / f"2026-03-02-{world.place_id}.html").read_text("utf-8")
            assert all(f"王{number}" in sheet for number in range(20)), "the sheet is there to be printed"
            with world.db.read() as session:
                assert auditor.late(session, world.clock.now()) == []
            assert _alarms(world) == []


def _alarms(world: World) -> list[Alarm]:
    with world.db.read() as session:
        return open_alarms(session)
