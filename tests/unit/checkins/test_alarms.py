"""Alarms of the line: one while it is open, told until a name knows of it, on every way that works."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from callflows import loader
from checkins import alarms, devices, items
from checkins.alarm_bell import Bell
from checkins.alarm_calls import NEXT_AFTER, SECOND, SPOKEN, Caller
from checkins.alarm_rounds import AllClear, Quiet, Tell, Told, decide, rhythm
from checkins.alarm_signs import DISK_LOW, House, evening, note
from checkins.alarms import Alarm, Kind
from checkins.auditor import late
from checkins.devices import DeviceKind
from checkins.items import ItemKind
from checkins.ports import AlarmMessage, CallOutcome, CallRequest, Disposition, NotToldError, PersonOutcome, Placed
from checkins.results import Status
from checkins.roster import edits
from checkins.roster.values import Rotation
from checkins.schedule import local_date
from checkins.standard_webhooks import Stamp
from checkins.tables import CallIntent, Role
from tests.unit.checkins.world import ZONE, World

CHEN, GU, ZHOU = "+862155510003", "+862155510004", "+8613800000009"


class Killed(BaseException):
    """The process dies here."""


class Way:
    """A messenger that writes down what it was told; `broken`: so often it says no first."""

    def __init__(self, name: str = "mail", broken: int = 0) -> None:
        self.name, self.broken = name, broken
        self.told: list[AlarmMessage] = []

    async def tell(self, message: AlarmMessage) -> None:
        if self.broken:
            self.broken -= 1
            raise NotToldError("status 503")
        self.told.append(message)


def raised(world: World, kind: Kind = Kind.LINE_DOWN, text: str = "坏了。", subject: str = "") -> int:
    with world.db.write() as session:
        return alarms.raise_alarm(session, kind, text, world.clock.now(), subject).id


def acknowledged(world: World, alarm_id: int, by: str = "陈老师") -> bool:
    with world.db.write() as session:
        return alarms.acknowledge(session, alarm_id, by, world.clock.now())


def shown(world: World) -> list[Alarm]:
    with world.db.read() as session:
        return alarms.open_alarms(session)


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Alarms are errors in the log: here they are wanted."""
    yield
    caplog.clear()


# ── the row ───────────────────────────────────────────────────────────────────────────────────────


def test_an_alarm_is_one_while_it_holds_and_a_new_one_when_it_comes_back(world: World) -> None:
    first = raised(world)
    world.clock.advance(minutes=1)
    assert raised(world, text="还是坏的。") == first
    [alarm] = shown(world)
    assert (alarm.text, alarm.seen_at - alarm.raised_at) == ("还是坏的。", timedelta(minutes=1))
    with world.db.write() as session:
        alarms.over(session, Kind.LINE_DOWN, world.clock.now())
    assert [alarm.id for alarm in shown(world)] == [first], "nobody has heard of it yet"
    second = raised(world)
    assert second != first
    assert [alarm.id for alarm in shown(world)] == [second]
    assert acknowledged(world, second)
    with world.db.write() as session:
        alarms.over(session, Kind.LINE_DOWN, world.clock.now())
    assert shown(world) == [], "who knows of the second one knows of the first"


def test_only_a_name_acknowledges_and_only_once(world: World) -> None:
    alarm = raised(world)
    for nobody in ("", "  ", "line", "LINE", "长" * 101):
        with pytest.raises(ValueError, match="named person"):
            acknowledged(world, alarm, nobody)
    assert acknowledged(world, alarm, " 陈老师 ")
    assert not acknowledged(world, alarm, "顾老师")
    assert not acknowledged(world, 4711)
    [alarm_now] = shown(world)
    assert (alarm_now.acknowledged_by, alarm_now.over_at) == ("陈老师", None)


def test_what_nobody_can_watch_is_over_when_somebody_knows(world: World) -> None:
    assert acknowledged(world, raised(world, Kind.EMERGENCY_UNWRITTEN))
    assert shown(world) == []


def test_alarms_of_two_places_are_two(world: World) -> None:
    assert raised(world, Kind.LATE, subject="1") != raised(world, Kind.LATE, subject="2")
    assert len(shown(world)) == 2


# ── when it is told ───────────────────────────────────────────────────────────────────────────────

T = datetime(2026, 3, 2, 0, 20, tzinfo=UTC)


def test_every_ten_minutes_and_rung_every_thirty_until_a_name_knows() -> None:
    rounds, calls, next_at, count = [], [], T, 0
    for minute in range(61):
        now = T + timedelta(minutes=minute)
        match decide(Told(Kind.LINE_DOWN, next_at, count, False, False), now):
            case Tell(count, call, next_at):
                rounds.append(minute)
                calls += [minute] if call else []
    assert rounds == [0, 10, 20, 30, 40, 50, 60]
    assert calls == [0, 30, 60]
    assert decide(Told(Kind.LINE_DOWN, next_at, count, True, False), T + timedelta(hours=5)) == Quiet()
    assert decide(Told(Kind.LINE_DOWN, next_at, count, False, True), T + timedelta(hours=5)) == AllClear()


def test_a_notice_is_told_once_and_rings_nobody() -> None:
    assert decide(Told(Kind.ROSTER_GAP, T, 0, False, False), T) == Tell(1, False, None)
    assert decide(Told(Kind.ROSTER_GAP, None, 1, False, False), T) == Quiet()


@given(
    st.sampled_from(Kind),
    st.integers(-3000, 3000),
    st.integers(0, 50),
    st.booleans(),
    st.booleans(),
)
def test_an_open_alarm_never_sleeps_whatever_the_clock_does(
    kind: Kind, ahead: int, rounds: int, known: bool, over: bool
) -> None:
    """Told within its rhythm from now, or not to be told; also when the clock went back by days."""
    told = Told(kind, T + timedelta(minutes=ahead), rounds, known, over)
    if known or over:
        assert not isinstance(decide(told, T), Tell)
        return
    assert any(isinstance(decide(told, T + timedelta(minutes=minute)), Tell) for minute in range(61)), (
        "no round within the hour"
    )


# ── telling ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("quiet")
async def test_a_way_that_fails_is_tried_again_and_stops_no_other(world: World) -> None:
    mail, hook = Way("mail", broken=2), Way("webhook")
    bell = Bell(world.db, world.clock, [mail, hook])
    raised(world)
    for _ in range(3):
        await bell.look()
        world.clock.advance(seconds=61)
    assert [message.key for message in hook.told] == ["alarm-1-raised-1"]
    assert [message.key for message in mail.told] == ["alarm-1-raised-1"]
    assert mail.broken == 0


@pytest.mark.usefixtures("quiet")
async def test_what_a_way_could_not_say_for_hours_is_said_once_as_it_is_now(world: World) -> None:
    mail = Way(broken=10_000)
    bell = Bell(world.db, world.clock, [mail])
    raised(world)
    for _ in range(18):
        await bell.look()
        world.clock.advance(minutes=5)
    mail.broken = 0
    for _ in range(2):
        await bell.look()
        world.clock.advance(minutes=4)
    assert [message.round for message in mail.told] == [10]


@pytest.mark.usefixtures("quiet")
async def test_a_crash_between_writing_and_saying_says_it_again(world: World) -> None:
    class Dies(Way):
        async def tell(self, message: AlarmMessage) -> None:
            await super().tell(message)
            raise Killed

    raised(world)
    dying, heir = Dies(), Way()
    with pytest.raises(Killed):
        await Bell(world.db, world.clock, [dying]).look()
    world.clock.advance(seconds=61)
    await Bell(world.db, world.clock, [heir]).look()
    assert [message.key for message in heir.told] == [message.key for message in dying.told] == ["alarm-1-raised-1"]


@pytest.mark.usefixtures("quiet")
async def test_everybody_who_was_told_hears_that_it_is_over(world: World) -> None:
    mail = Way()
    bell = Bell(world.db, world.clock, [mail])
    raised(world)
    await bell.look()
    world.clock.advance(minutes=25)
    with world.db.write() as session:
        alarms.over(session, Kind.LINE_DOWN, world.clock.now())
    for _ in range(3):
        await bell.look()
        world.clock.advance(minutes=10)
    assert [message.what for message in mail.told] == ["raised", "over"]
    assert mail.told[1].over_at == mail.told[1].raised_at + timedelta(minutes=25)


@pytest.mark.usefixtures("quiet")
async def test_what_the_database_does_not_take_is_told_all_the_same_and_written_down_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = Way()
    bell, run = Bell(world.db, world.clock, [mail]), world.db.run

    async def away(_work: object) -> object:
        raise OSError("no disk")

    monkeypatch.setattr(world.db, "run", away)
    for _ in range(11):
        await bell.cry(Kind.DATABASE, "数据库用不了。")
        world.clock.advance(minutes=1)
    assert [message.round for message in mail.told] == [1, 2]
    with pytest.raises(OSError, match="no disk"):
        await bell.look()
    monkeypatch.setattr(world.db, "run", run)
    await bell.look()
    assert [(alarm.kind, alarm.rounds) for alarm in shown(world)] == [(Kind.DATABASE, 1)]


# ── ringing ───────────────────────────────────────────────────────────────────────────────────────


def staff(world: World) -> dict[str, str]:
    """陈老师 on duty, 顾老师 as deputy."""
    with world.db.write() as session:
        from checkins.people import add_person

        now = world.clock.now()
        ids = {
            number: add_person(session, world.place_id, name, name, number, role=Role.STAFF).id
            for number, name in ((CHEN, "陈老师"), (GU, "顾老师"))
        }
        rotation = Rotation((ids[CHEN],), anchor=local_date(ZONE, now))
        edits.set_rotation(session, world.place_id, rotation, "书记", now)
        edits.set_deputy(session, world.place_id, ids[GU], "书记", now)
    return ids


def ringer(world: World, second: bool = False) -> Bell:
    caller = Caller("bell", second, ("技术员小周", ZHOU))
    return Bell(world.db, world.clock, [], world.placer, caller)


def alarm_calls(world: World) -> list[CallRequest]:
    return [request for request in world.placer.requests if request.flow == "line_alarm"]


async def ends(world: World, request: CallRequest, result: str | Disposition, evidence: str = "key") -> None:
    end = {"disposition": result} if isinstance(result, Disposition) else {"disposition": Disposition.ANSWERED}
    people = (
        ()
        if isinstance(result, Disposition)
        else tuple(PersonOutcome(callee.id, result, evidence) for callee in request.callees)
    )
    outcome = CallOutcome(request.id, world.clock.now(), final=True, people=people, **end)
    await world.cycle.settle(outcome)


async def minutes(world: World, bell: Bell, count: int, step: int = 1) -> None:
    for _ in range(count // step):
        world.clock.advance(minutes=step)
        await bell.look()


@pytest.mark.usefixtures("quiet")
async def test_duty_then_deputy_then_who_looks_after_the_machine_then_nobody_until_the_next_round(world: World) -> None:
    staff(world)
    bell = ringer(world)
    raised(world)
    await bell.look()
    for number in (CHEN, GU, ZHOU):
        assert [request.number for request in alarm_calls(world)][-1] == number
        await ends(world, alarm_calls(world)[-1], Disposition.MACHINE)
        await minutes(world, bell, int(NEXT_AFTER.total_seconds() // 60))
    await minutes(world, bell, 14)
    assert len(alarm_calls(world)) == 3
    await minutes(world, bell, 2)
    assert [request.number for request in alarm_calls(world)] == [CHEN, GU, ZHOU, CHEN], "half an hour later"


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("result", "evidence", "known"),
    [
        ("acknowledged", "key", True),
        ("acknowledged", "speech", False),
        ("wrong_person", "key", False),
        ("not_reached", "none", False),
    ],
)
async def test_key_1_of_who_is_rung_acknowledges_and_nothing_else(
    world: World, result: str, evidence: str, known: bool
) -> None:
    staff(world)
    bell = ringer(world)
    alarm = raised(world)
    await bell.look()
    [call] = alarm_calls(world)
    assert [callee.id for callee in call.callees] == [str(alarm)]
    assert call.callees[0].variables["what"] == SPOKEN[Kind.LINE_DOWN]
    await ends(world, call, result, evidence)
    assert [alarm.acknowledged_by for alarm in shown(world)] == (["陈老师"] if known else [None])
    await minutes(world, bell, 40, step=8)
    assert (len(alarm_calls(world)) == 1) is known


@pytest.mark.usefixtures("quiet")
async def test_one_call_tells_all_that_waits(any_world: World) -> None:
    world = any_world
    staff(world)
    bell = ringer(world)
    raised(world), raised(world, Kind.WEBHOOKS_SILENT), raised(world, Kind.DISK), raised(world, Kind.LATE)
    await bell.look()
    [call] = alarm_calls(world)
    assert [callee.id for callee in call.callees] == ["1", "2"], "a full disk rings nobody, late elders not at once"
    await ends(world, call, "acknowledged")
    assert [alarm.acknowledged_by for alarm in shown(world)] == ["陈老师", "陈老师", None, None]


@pytest.mark.usefixtures("quiet")
async def test_a_line_error_is_tried_again_on_the_other_trunk(world: World) -> None:
    staff(world)
    bell = ringer(world, second=True)
    raised(world)
    await bell.look()
    for trunk in ("", SECOND, ""):
        call = alarm_calls(world)[-1]
        assert (call.number, call.trunk) == (CHEN, trunk)
        await ends(world, call, Disposition.LINE_ERROR)
        await minutes(world, bell, 2)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("answer", [Placed.UNKNOWN, Placed.REFUSED, OSError("no network")])
async def test_a_call_that_nobody_knows_of_is_made_again(world: World, answer: Placed | Exception) -> None:
    staff(world)
    bell = ringer(world, second=True)
    world.placer.answers[CHEN].append(answer)
    raised(world)
    await bell.look()
    await minutes(world, bell, 2)
    assert [(call.number, call.trunk) for call in alarm_calls(world)] == [(CHEN, ""), (CHEN, SECOND)]


@pytest.mark.usefixtures("quiet")
async def test_a_crash_before_the_dial_rings_the_next_one_when_the_carrier_knows_nothing(world: World) -> None:
    staff(world)
    raised(world)

    class Dies:
        async def place(self, request: CallRequest) -> Placed:
            raise Killed

        trace = world.placer.trace

    caller = Caller("bell", False, None)
    with pytest.raises(Killed):
        await Bell(world.db, world.clock, [], Dies(), caller).look()  # type: ignore[arg-type]
    world.clock.advance(seconds=61)
    await world.cycle.reconcile()  # the carrier was never asked
    await minutes(world, ringer(world), 2)
    assert [call.number for call in alarm_calls(world)] == [CHEN]


@pytest.mark.usefixtures("quiet")
async def test_whoever_talks_to_us_is_waited_for_and_the_next_one_is_rung(world: World) -> None:
    people = staff(world)
    with world.db.write() as session:
        busy = CallIntent(number=CHEN, purpose="duty", try_no=1, responder=people[CHEN], owner="cycle-1")
        busy.created_at = busy.check_at = world.clock.now()
        session.add(busy)
    bell = ringer(world)
    raised(world)
    await bell.look()
    assert [call.number for call in alarm_calls(world)] == [GU]


def test_the_flow_has_every_sentence_in_its_prompt_pack() -> None:
    usual = loader.shipped("line_alarm").variables["what"].usual
    assert set(usual) == set(SPOKEN.values())


# ── signs ─────────────────────────────────────────────────────────────────────────────────────────


def look(world: World, house: House | None = None) -> dict[str, str]:
    with world.db.write() as session:
        note(session, late(session, world.clock.now()), house or House(), world.clock.now())
        found = session.scalars(select(Alarm).where(Alarm.over_at.is_(None))).all()
        return {alarm.kind: alarm.text for alarm in found}


async def test_a_house_in_order_has_no_alarm(world: World) -> None:
    world.elder(slot=8 * 60)
    await world.to("07:30")
    assert look(world, House(free=DISK_LOW, silent_calls=0)) == {}


async def test_late_elders_are_counted_and_not_named(world: World) -> None:
    for name in ("王秀英", "李福根"):
        world.elder(name, slot=8 * 60)
    world.clock.advance_to(world.at("08:10"))  # no cycle runs
    found = look(world)
    assert list(found) == [Kind.LATE]
    assert "2位老人" in found[Kind.LATE]
    assert "王" not in found[Kind.LATE]
    await world.cycle.tick()
    assert look(world) == {}


async def test_nobody_to_ring_is_an_alarm_until_somebody_is_rung_or_has_it(any_world: World) -> None:
    world = any_world
    elder = world.elder(slot=8 * 60, mode="human")
    await world.to("08:00")
    assert world.row(elder).status is Status.NEEDS_PERSON
    await world.to("12:00")
    assert list(look(world)) == [Kind.NOBODY_TO_RING]
    staff(world)
    world.clock.advance(hours=1)
    await world.cycle.tick()
    assert Kind.NOBODY_TO_RING not in look(world)


async def test_a_clock_behind_the_newest_row_says_both_times(world: World) -> None:
    world.elder(slot=8 * 60)
    await world.to("08:00")
    world.clock._now = world.at("07:10")
    text = look(world)[Kind.CLOCK_BEHIND]
    assert "2026-03-02 07:10" in text
    assert "2026-03-02 08:00" in text
    assert "紧急求助" not in text


async def test_a_clock_behind_says_that_an_emergency_waits(world: World) -> None:
    elder = world.elder(slot=8 * 60)
    await world.to("08:00")
    world.clock._now = world.at("07:10")
    with world.db.write() as session:
        device = devices.add(session, elder, DeviceKind.ALARM_BUTTON, "书记", world.clock.now())
        stamp = Stamp("m1", world.clock.now())
        devices.receive(session, device.id, stamp, b'{"kind": "alarm_button"}', world.clock.now())
    assert "1起紧急求助" in look(world)[Kind.CLOCK_BEHIND]


def test_disk_and_webhooks_are_told_by_the_house(world: World) -> None:
    assert set(look(world, House(free=DISK_LOW - 1, silent_calls=3))) == {Kind.DISK, Kind.WEBHOOKS_SILENT}
    assert look(world) == {}


def test_the_evening_says_once_what_the_roster_lacks_and_names_nobody(world: World) -> None:
    world.elder("王秀英", consents={"calls": True, "buddy": True})
    for clock_time in ("17:59", "18:00", "18:15", "21:00"):
        world.clock.advance_to(world.at(clock_time))
        with world.db.write() as session:
            evening(session, world.clock.now())
        assert len(shown(world)) == (0 if clock_time == "17:59" else 1)
    [alarm] = shown(world)
    assert "没有人值班" in alarm.text
    assert "1位老人没有老伙伴" in alarm.text
    assert "王" not in alarm.text
    assert acknowledged(world, alarm.id)
    with world.db.write() as session:
        evening(session, world.clock.now())
    assert shown(world) == [], "once is enough for an evening"
    world.clock.advance(hours=24)
    with world.db.write() as session:
        evening(session, world.clock.now())
    assert [each.raised_at for each in shown(world)] == [world.clock.now()]


def asks(world: World, kind: ItemKind = ItemKind.RESPONDER_ASKS) -> int:
    with world.db.write() as session:
        item = items.open_item(
            session, kind, world.clock.now(), neighbourhood_id=world.place_id, due_at=world.clock.now()
        )
        session.flush()
        return item.id


async def test_what_nobody_sees_to_for_an_hour_at_work_is_told_until_it_is_done(any_world: World) -> None:
    world = any_world
    world.clock._now = world.at("11:00")
    item = asks(world)
    asks(world, ItemKind.CRIED)
    world.clock.advance(minutes=59)
    assert look(world) == {}
    world.clock.advance(minutes=1)
    assert "待办里有1件没有人办" in look(world)[Kind.ITEM_OVERDUE]
    assert "老伙伴想找居委，请回电" in look(world)[Kind.ITEM_OVERDUE]
    world.clock._now = world.at("22:00")
    assert Kind.ITEM_OVERDUE in look(world), "it holds until somebody has done it"
    with world.db.write() as session:
        items.done(session, item, "陈老师", world.clock.now())
    assert look(world) == {}


async def test_what_comes_in_the_evening_is_no_alarm_before_an_hour_of_the_next_day_at_work(world: World) -> None:
    world.clock._now = world.at("16:30")
    asks(world)
    asks(world, ItemKind.PIN_LOCKED)
    for clock, days, told in (("18:00", 0, 0), ("08:00", 1, 0), ("08:59", 1, 0), ("09:00", 1, 2)):
        world.clock._now = world.at(clock) + timedelta(days=days)
        with world.db.write() as session:
            note(session, [], House(), world.clock.now())
        assert len(shown(world)) == told, clock


def test_an_overdue_item_rings_duty_once_and_is_told_every_hour() -> None:
    rhythm_ = rhythm(Kind.ITEM_OVERDUE)
    assert [rhythm_.rings(round_) for round_ in (1, 2, 3, 4, 24)] == [True, False, False, False, False]
    assert rhythm_.every == timedelta(hours=1)
