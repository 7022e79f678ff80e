"""一键通: chosen, sent, taken, booked, read back; and what follows when nobody does anything."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from checkins import alarms, items
from checkins.alarm_rounds import rhythm
from checkins.alarm_signs import House, note
from checkins.alarms import Kind
from checkins.items import ItemKind
from checkins.line_rules import Purpose
from checkins.other_calls import Ended, Later
from checkins.people import set_state
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome, Told
from checkins.roster.holidays import Calendar
from checkins.tables import State
from community import tickets_rows as rows
from community import tickets_staff as staff
from community import tickets_waiting as waiting
from community.intake import Spoken
from community.tickets_calls import BookingCalls
from community.tickets_counter import TicketCounter
from community.tickets_intake import TicketIntake
from community.tickets_policy import FOLLOWS, ReplyClock, last_moment, minutes
from community.tickets_rounds import TicketRounds
from community.tickets_tables import Booking, Ticket, TicketStatus
from tests.unit.community.hall import CHEN, Hall

ZONE = "Asia/Shanghai"
WORK = Calendar(ZONE, ((8 * 60 + 30, 11 * 60 + 30), (13 * 60, 17 * 60)), {})
TEXT = "明天上午九点,中心医院内科,带医保卡。"


# ── the clock ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "due", "said"),
    [
        ("2026-03-02 09:00", "2026-03-02 09:10", "十分钟以内"),
        ("2026-03-02 11:20", "2026-03-02 11:30", "十分钟以内"),
        ("2026-03-02 11:25", "2026-03-02 13:05", "今天下午两点前"),
        ("2026-03-02 12:00", "2026-03-02 13:10", "今天下午两点前"),
        ("2026-03-02 16:55", "2026-03-03 08:35", "明天上午九点前"),
        ("2026-03-06 20:00", "2026-03-09 08:40", "星期一上午九点前"),
        ("2026-04-03 16:59", "2026-04-07 08:39", "星期二上午九点前"),  # Qingming until Monday
    ],
)
def test_the_clock_counts_minutes_of_work(asked: str, due: str, said: str) -> None:
    clock = ReplyClock()
    assert clock.due(WORK, _at(asked)) == _at(due)
    assert clock.spoken(WORK, _at(asked)) == said


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))


def test_minutes_are_said() -> None:
    assert [minutes(n) for n in (1, 2, 10, 12, 20, 45, 99)] == ["一", "两", "十", "十二", "二十", "四十五", "九十九"]


def test_nothing_follows_on_what_is_closed_and_all_may_be_closed() -> None:
    assert set(FOLLOWS) == set(TicketStatus)
    assert FOLLOWS[TicketStatus.CLOSED] == frozenset()
    assert all("closed" in after for status, after in FOLLOWS.items() if status != TicketStatus.CLOSED)


def test_a_person_rings_before_they_must_know() -> None:
    due = _at("2026-03-02 09:00")
    assert last_moment(None, due) == due + timedelta(hours=1)
    assert last_moment(due + timedelta(minutes=30), due) == due + timedelta(minutes=20)


# ── by telephone ──────────────────────────────────────────────────────────────────────────────────


class Help:
    """The hall with its tickets."""

    def __init__(self, hall: Hall) -> None:
        self.hall, self.elder = hall, hall.world.elder()
        self.counter = TicketCounter(hall.world.db, hall.world.clock)
        self.intake = TicketIntake(hall.world.db, hall.world.clock)
        self.rounds = TicketRounds(hall.world.db, hall.world.clock)

    async def ask(self, query: str, call: str = "call-1", value: str = "") -> Told:
        return await self.counter.ask(call, query, self.elder, value)

    async def ends(self, call: str = "call-1", **detail: Any) -> None:
        person = PersonOutcome(self.elder, "rang_in", "key", detail)
        now = self.hall.world.clock.now()
        await self.intake.settle(CallOutcome(call, now, final=True, disposition=Disposition.ANSWERED, people=(person,)))

    async def asked(self, kind: str = "hospital", call: str = "call-1") -> int:
        await self.ask(f"ticket.{kind}", call)
        assert (await self.ask("ticket.send", call)).word == "filed"
        await self.ends(call, request_recording="2026/03/02/1.ulaw", request_text="明天看内科", request_seconds=3.0)
        return self.ticket().number

    async def booked(self, **more: Any) -> int:
        number = await self.asked()
        self.hall.act(staff.book, number, CHEN, text=TEXT, **more)
        return number

    def ticket(self) -> Ticket:
        return self.hall.look(lambda session: session.scalars(select(Ticket).order_by(Ticket.id.desc())).first())  # type: ignore[return-value]

    def booking(self) -> Booking:
        return self.hall.look(lambda session: session.scalars(select(Booking).order_by(Booking.id.desc())).first())  # type: ignore[return-value]

    def events(self) -> list[str]:
        return self.hall.look(lambda session: [each.what for each in rows.events(session, self.ticket())])


@pytest.fixture
def help_(hall: Hall) -> Help:
    return Help(hall)


async def test_chosen_sent_and_attached_once(help_: Help) -> None:
    for _ in range(2):
        assert await help_.ask("ticket.taxi") == Told("noted")
    assert help_.hall.todo() == []  # the call goes on
    for _ in range(2):
        assert await help_.ask("ticket.send") == Told("filed", {"number": "五零零一", "help_by": "十分钟以内"})
    assert help_.hall.todo() == [ItemKind.TICKET_NEW]
    said = {"request_recording": "a.ulaw", "request_text": "叫车", "more": [{"request_recording": "b.ulaw"}]}
    for _ in range(2):
        await help_.ends(**said)
    found = help_.hall.look(lambda session: rows.dictations(session, help_.ticket()))
    assert [(each.name, each.recording) for each in found] == [("request", "a.ulaw"), ("request-2", "b.ulaw")]
    assert help_.events() == ["chosen", "sent"]
    assert help_.ticket().due_at == help_.hall.world.at("09:10")


async def test_dropped_in_mid_call_it_is_a_ticket_all_the_same(help_: Help) -> None:
    await help_.ask("ticket.repair")
    await help_.ends(request_recording="a.ulaw")
    assert (help_.ticket().status, help_.hall.todo()) == ("interrupted", [ItemKind.TICKET_RING_BACK])


async def test_when_nobody_tells_how_the_call_ended_it_is_there_when_it_is_due(help_: Help) -> None:
    await help_.ask("ticket.repair")
    help_.hall.at("09:09")
    await help_.rounds.look()
    assert help_.hall.todo() == []
    help_.hall.at("09:10")
    for _ in range(2):
        await help_.rounds.look()
    assert help_.hall.todo() == [ItemKind.TICKET_RING_BACK]


async def test_what_could_not_be_written_down_in_the_call_is_a_ticket_after_it(help_: Help) -> None:
    await help_.ends(request_recording="a.ulaw")
    assert (help_.ticket().kind, help_.ticket().status, help_.hall.todo()) == (
        "other",
        "interrupted",
        [ItemKind.TICKET_RING_BACK],
    )


async def test_a_better_text_made_later_takes_the_place(help_: Help) -> None:
    await help_.asked()
    found = {path: Spoken("", path, "明天看眼科", "whisper", 0.9) for path in ("2026/03/02/1.ulaw", "another.ulaw")}
    asked: list[Any] = []

    def texts(_session: object, calls: Any) -> dict[str, Spoken]:
        asked.append(calls)
        return found

    world = help_.hall.world
    for _ in range(2):
        await TicketRounds(world.db, world.clock, texts=texts).look()
    said = help_.hall.look(lambda session: rows.dictations(session, help_.ticket()))
    assert [(each.transcript, each.engine, each.confidence) for each in said] == [("明天看眼科", "whisper", 0.9)]
    assert asked[0] == ["call-1"]


async def test_without_a_recording_somebody_rings_back(help_: Help) -> None:
    await help_.ask("ticket.taxi")
    assert (await help_.ask("ticket.ring_back")).word == "filed"
    await help_.ends()
    assert help_.hall.todo() == [ItemKind.TICKET_RING_BACK]


async def test_two_in_one_call_are_two(help_: Help) -> None:
    for kind in ("taxi", "advice"):
        await help_.ask(f"ticket.{kind}")
        await help_.ask("ticket.send")
    found = help_.hall.look(lambda session: rows.of_call(session, "call-1"))
    assert [(each.number, each.nth, each.kind) for each in found] == [(5001, 1, "taxi"), (5002, 2, "advice")]


async def test_what_nobody_takes_is_an_alarm_at_once_and_at_work_only(help_: Help) -> None:
    number = await help_.asked()
    help_.hall.at("09:09")
    assert alarm(help_) == []
    help_.hall.at("09:10")
    (told,) = alarm(help_)
    assert "请接手" in told
    help_.hall.at("19:00")
    assert alarm(help_) == []
    help_.hall.at("09:00", help_.hall.world.clock.now().date() + timedelta(days=1))
    assert len(alarm(help_)) == 1
    help_.hall.act(staff.take, number, CHEN)
    assert alarm(help_) == []
    assert help_.hall.todo() == [ItemKind.TICKET_BOOK]


def test_duty_is_rung_once_ten_minutes_after_the_alarm() -> None:
    own = rhythm(Kind.TICKET_OVERDUE)
    assert [own.rings(round_) for round_ in (1, 2, 3, 50)] == [False, True, False, False]
    assert own.every == timedelta(minutes=10)


def alarm(help_: Help) -> list[str]:
    with help_.hall.world.db.write() as session:
        note(session, (), House(), help_.hall.world.clock.now())
        found = [each for each in alarms.open_alarms(session) if each.over_at is None]
        return [each.text for each in found if each.kind == Kind.TICKET_OVERDUE]


async def test_who_ticks_it_off_without_doing_it_has_it_back(help_: Help) -> None:
    await help_.asked()
    with help_.hall.world.db.write() as session:
        (item,) = items.open_items(session)
        assert items.done(session, item.id, CHEN, help_.hall.world.clock.now())
    help_.hall.at("09:10")
    await help_.rounds.look()
    assert help_.hall.todo() == [ItemKind.TICKET_NEW]


# ── the committee ─────────────────────────────────────────────────────────────────────────────────


async def test_taken_and_booked_needs_a_name_and_says_what(help_: Help) -> None:
    number = await help_.asked()
    with pytest.raises(ValueError, match="say who"):
        help_.hall.act(staff.take, number, " ")
    with pytest.raises(ValueError, match="what was booked"):
        help_.hall.act(staff.book, number, CHEN, text=" ")
    with pytest.raises(ValueError, match="is over"):
        help_.hall.act(staff.book, number, CHEN, text=TEXT, known_by=help_.hall.world.at("08:00"))
    with pytest.raises(LookupError):
        help_.hall.act(staff.take, 9999, CHEN)
    help_.hall.act(staff.hear, number, CHEN)
    for _ in range(2):
        help_.hall.act(staff.take, number, CHEN)
        help_.hall.act(staff.take, number, CHEN)
    for _ in range(2):
        help_.hall.act(staff.book, number, CHEN, text=TEXT)
    assert (help_.ticket().status, help_.ticket().owner, help_.hall.todo()) == ("booked", CHEN, [])
    assert help_.events() == ["chosen", "sent", "listened", "taken", "booked"]


async def test_a_no_is_said_by_a_person(help_: Help) -> None:
    number = await help_.asked()
    with pytest.raises(ValueError, match="ring them"):
        help_.hall.act(staff.cannot, number, "", CHEN)
    with pytest.raises(ValueError, match="know yet"):
        help_.hall.act(staff.close, number, CHEN)
    help_.hall.act(staff.cannot, number, "今天没有号了,明天再挂", CHEN)
    assert (help_.ticket().close_reason, help_.hall.todo()) == ("cannot", [])
    with pytest.raises(ValueError, match="closed"):
        help_.hall.act(staff.book, number, CHEN, text=TEXT)


async def test_whom_the_line_cannot_ring_a_person_tells(help_: Help) -> None:
    number = await help_.asked()
    with help_.hall.world.db.write() as session:
        set_state(session, help_.elder, State.REFUSED, CHEN, help_.hall.world.clock.now())
    help_.hall.act(staff.book, number, CHEN, text=TEXT)
    assert help_.hall.todo() == [ItemKind.TICKET_TELL]
    help_.hall.act(staff.told, number, "明天九点内科", CHEN)
    assert (help_.ticket().status, help_.hall.todo()) == ("read_back", [])


# ── read back ─────────────────────────────────────────────────────────────────────────────────────


class Ring(NamedTuple):
    """Stands for the cycle's lines: what it says to each wish for a call."""

    says: Any
    free: int = 4

    def ring(self, elder: Any, purpose: Any, flow: str, ring_s: int = 45, try_no: int = 1) -> Any:
        assert (purpose, flow) == (Purpose.BOOKING, "booking")
        return self.says


def claims(help_: Help, says: Any) -> int:
    with help_.hall.world.db.write() as session:
        return len(BookingCalls().claim(session, help_.hall.world.clock.now(), Ring(says)))  # type: ignore[arg-type]


def rung(help_: Help, call: str) -> int:
    return claims(help_, CallRequest(call, "+862155510001", "booking", (), {}, 45))


def ended(help_: Help, call: str, disposition: Disposition, *people: PersonOutcome) -> None:
    with help_.hall.world.db.write() as session:
        BookingCalls().ended(session, Ended(call, disposition, people), help_.hall.world.clock.now())


async def test_heard_it_closes_when_its_time_is_over(help_: Help) -> None:
    await help_.booked(known_by=help_.hall.world.at("11:00"))
    assert rung(help_, "call-2") == 1
    assert rung(help_, "call-3") == 0, "one call is out"
    for _ in range(2):
        told = await help_.ask("booking.next", "call-2")
        assert told == Told("booked", {"number": "五零零一", "booking": TEXT})
    for _ in range(2):
        assert (await help_.ask("booking.heard", "call-2")).word == "noted"
    assert (await help_.ask("booking.next", "call-2")).word == "none"
    for _ in range(2):
        ended(help_, "call-2", Disposition.ANSWERED, PersonOutcome(help_.elder, "heard", "key", {}))
    assert (help_.ticket().status, help_.booking().calls) == ("read_back", 0)
    help_.hall.at("11:00")
    await help_.rounds.look()
    assert (help_.ticket().status, help_.ticket().closed_by) == ("closed", "line")


@pytest.mark.parametrize(("said", "item"), [("change", ItemKind.TICKET_CHANGE), ("talk", ItemKind.TICKET_TALK)])
async def test_change_and_talk_are_staffs_again_with_a_new_clock(help_: Help, said: str, item: ItemKind) -> None:
    number = await help_.booked()
    help_.hall.at("10:00")
    rung(help_, "call-2")
    await help_.ask("booking.next", "call-2")
    assert (await help_.ask(f"booking.{said}", "call-2")).word == "noted"
    assert help_.hall.todo() == [item]
    assert help_.ticket().due_at == help_.hall.world.at("10:10")
    help_.hall.act(staff.book, number, CHEN, text="改到十点。")
    assert (help_.booking().round, help_.hall.todo()) == (2, [])


async def test_what_was_said_counts_at_the_end_where_it_could_not_be_written_down(help_: Help) -> None:
    await help_.booked()
    rung(help_, "call-2")
    await help_.ask("booking.next", "call-2")
    ended(help_, "call-2", Disposition.ANSWERED, PersonOutcome(help_.elder, "heard", "key", {}))
    assert help_.ticket().status == "read_back"


async def test_after_three_calls_in_vain_a_person_rings(help_: Help) -> None:
    await help_.booked()
    for nth, wait in enumerate((15, 45, 0), 1):
        assert rung(help_, f"try-{nth}") == 1
        for _ in range(2):
            ended(help_, f"try-{nth}", Disposition.NO_ANSWER)
        assert help_.booking().calls == nth
        help_.hall.later(minutes=wait)
    assert help_.hall.todo() == [ItemKind.TICKET_TELL]
    assert rung(help_, "try-4") == 0


async def test_a_line_that_failed_says_nothing_about_them(help_: Help) -> None:
    await help_.booked()
    rung(help_, "call-2")
    ended(help_, "call-2", Disposition.LINE_ERROR)
    assert (help_.booking().calls, help_.hall.todo()) == (0, [])
    help_.hall.later(minutes=15)
    assert rung(help_, "call-3") == 1


async def test_before_the_booked_hour_a_person_rings_when_the_line_cannot(help_: Help) -> None:
    await help_.booked(known_by=help_.hall.world.at("10:00"))
    assert claims(help_, Later(help_.hall.world.at("09:55"))) == 0
    assert help_.hall.todo() == [ItemKind.TICKET_TELL]


async def test_and_when_the_line_does_not_run(help_: Help) -> None:
    await help_.booked(known_by=help_.hall.world.at("10:00"))
    help_.hall.at("09:49")
    await help_.rounds.look()
    assert help_.hall.todo() == []
    help_.hall.at("09:50")
    await help_.rounds.look()
    assert help_.hall.todo() == [ItemKind.TICKET_TELL]


async def test_they_hear_of_it_when_they_ring_in(help_: Help) -> None:
    await help_.booked()
    await help_.asked("taxi", "call-2")
    words = [(await help_.ask("status.next", "call-3")).word for _ in range(3)]
    assert words == ["ticket", "booked", "none"]
    assert (await help_.ask("booking.heard", "call-3")).word == "noted"
    assert [(await help_.ask("status.next", "call-3")).word for _ in range(3)] == ["ticket", "booked", "none"]
    assert await help_.counter.ask("call-4", "status.next", "") == Told("none")


async def test_a_booking_that_cannot_be_played_is_told_by_a_person(help_: Help) -> None:
    await help_.booked()
    rung(help_, "call-2")
    told = await help_.ask("booking.next", "call-2")
    for _ in range(2):
        assert (await help_.ask("booking.unspoken", "call-2", told.values["number"])).word == "noted"
    assert (await help_.ask("booking.next", "call-2")).word == "none"
    ended(help_, "call-2", Disposition.ANSWERED, PersonOutcome(help_.elder, "no_reply", "key", {}))
    assert (help_.hall.todo(), help_.booking().due_at) == ([ItemKind.TICKET_TELL], None)


async def test_a_key_that_comes_twice_is_about_the_booking_that_was_spoken(help_: Help) -> None:
    await help_.booked()
    number = await help_.asked("taxi", "call-2")
    help_.hall.act(staff.book, number, CHEN, text=TEXT)
    told = await help_.ask("status.next", "call-3")
    await help_.ask("booking.heard", "call-3", told.values["number"])
    await help_.ask("status.next", "call-3")
    assert (await help_.ask("booking.heard", "call-3", told.values["number"])).word == "noted"
    found = help_.hall.look(lambda session: session.scalars(select(Ticket.status).order_by(Ticket.id)).all())
    assert found == ["booked", "read_back"]


async def test_what_was_told_before_it_was_replaced_is_not_what_they_know(help_: Help) -> None:
    number = await help_.booked()
    rung(help_, "call-2")
    await help_.ask("booking.next", "call-2")
    help_.hall.act(staff.book, number, CHEN, text="改到十点。")
    assert (await help_.ask("booking.heard", "call-2")).word == ""
    ended(help_, "call-2", Disposition.ANSWERED, PersonOutcome(help_.elder, "heard", "key", {}))
    assert help_.ticket().status == "booked"


async def test_nothing_open_waits_for_nobody(help_: Help) -> None:
    await help_.booked()
    assert not help_.hall.look(lambda session: waiting.anything(session, help_.hall.world.clock.now()))


async def test_a_row_that_cannot_be_read_is_an_item_and_the_others_are_seen_to(
    help_: Help, caplog: pytest.LogCaptureFixture
) -> None:
    other = Help(help_.hall)
    first, second = await help_.booked(), await other.asked("taxi", "call-2")
    other.hall.act(staff.book, second, CHEN, text=TEXT)
    with help_.hall.world.db.write() as session:
        session.execute(text("UPDATE ticket SET opened_at = 'soon' WHERE number = :number"), {"number": first})
    assert claims(help_, CallRequest("call-3", "+862155510001", "booking", (), {}, 45)) == 1, "the other one's"
    help_.hall.later(hours=2)
    for _ in range(2):
        await help_.rounds.look()
    found = [(item.kind, item.key.rpartition(" ")[2]) for item in help_.hall.items()]
    assert (ItemKind.UNREADABLE, str(first)) in found
    assert [kind for kind, _ in found if kind == ItemKind.TICKET_TELL] == [ItemKind.TICKET_TELL]
    assert "can't be rung out" in caplog.text
    caplog.clear()
