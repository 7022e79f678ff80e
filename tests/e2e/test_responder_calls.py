"""A call to a responder over a real carrier's protocol, with the audio that is heard: nobody's name before key 1."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

from callflows.events import Key, Started
from callflows.loader import shipped
from callflows.session import Session
from ivr.ports import Callee, CallOrder, CallReport, Disposition, Placing, Told
from ivr.records import CallEvent
from ivr.reports import context_of
from ivr.virtual.acoustics import tone
from tests.e2e.control import Control, control
from tests.e2e.line import COMMITTEE, Story, story
from tests.fakes.call import FakeCall
from tests.fakes.carrier import FakeCarrier

BUDDY = "+862155510001"
WANG = Callee("e1", "王阿婆", records=False, variables={"why": "三次没接电话"})
ZHANG = Callee("e2", "张阿公", records=False, variables={"why": "说身体不舒服", "urgent": "1"})
PIN = "864297"


class Listener:
    def __init__(self) -> None:
        self.finals: list[CallReport] = []

    async def call_reported(self, report: CallReport) -> None:
        if report.final:
            self.finals.append(report)


class Desk:
    """Whoever knows the PIN."""

    def __init__(self, *words: str | Told) -> None:
        self.words = [Told(word) if isinstance(word, str) else word for word in words]
        self.asked: list[tuple[str, str, str]] = []

    async def ask(self, call_id: str, query: str, person_id: str, value: str) -> Told:
        self.asked.append((query, person_id, value))
        return self.words.pop(0)


@pytest_asyncio.fixture
async def line(carrier: FakeCarrier, tmp_path: Path) -> AsyncIterator[Story]:
    async with story(carrier, tmp_path) as line:
        yield line


@pytest_asyncio.fixture
async def room(carrier: FakeCarrier, tmp_path: Path) -> AsyncIterator[Control]:
    async with control(carrier, tmp_path, media="verbs") as room:
        yield room


async def rung(line: Story, callees: Sequence[Callee], amd: str = "") -> tuple[FakeCall, Listener]:
    """A dispatch call, ordered at the telephone itself; its news comes to us."""
    listener = Listener()
    line.house.calls.outbox.listener = listener
    call = line.carrier.expect_call(BUDDY, amd=amd)
    variables = {"committee": COMMITTEE, "responder": "李阿姨"}
    placed = await line.house.telephone.place(CallOrder("r1", BUDDY, "dispatch", tuple(callees), variables))
    assert placed is Placing.PLACED
    return call, listener


async def over(line: Story, call: FakeCall, listener: Listener) -> CallReport:
    await call.ended()
    await line.carrier.idle()
    await line.house.media.close()
    await line.house.telephone.sweep()
    (report,) = listener.finals
    return report


async def hears(line: Story, call: FakeCall, text: str) -> bool:
    """Whether this text's audio has come to the other end, whole."""
    spoken = await line.house.prompts.get(text)
    return spoken in call.heard


async def test_a_buddy_accepts_and_hears_the_name_only_after_the_first_key(line: Story) -> None:
    call, listener = await rung(line, [WANG])
    await call.hears("greet.ask")
    assert await hears(line, call, COMMITTEE)
    await call.hears("greet.again")
    assert not await hears(line, call, "王阿婆")
    call.presses("1")
    await call.hears("visit.ask")
    assert await hears(line, call, "王阿婆")
    assert await hears(line, call, "三次没接电话")
    call.presses("1")
    await call.hears("accept.visit")
    report = await over(line, call, listener)
    assert report.disposition is Disposition.ANSWERED
    assert [(each.id, each.result, each.evidence) for each in report.people] == [("e1", "accepted", "key")]


async def test_each_elder_is_told_of_in_words_of_their_own(line: Story) -> None:
    call, listener = await rung(line, [WANG, ZHANG])
    await call.hears("greet.ask")
    call.presses("1")
    await call.hears("visit.ask")
    assert not await hears(line, call, "张阿公")
    call.presses("2")
    await call.hears("urgent.ask")
    assert await hears(line, call, "说身体不舒服")
    call.presses("1")
    await call.hears("accept.urgent")
    report = await over(line, call, listener)
    assert [(each.id, each.result) for each in report.people] == [("e1", "declined"), ("e2", "accepted")]


@pytest.mark.parametrize("amd", ["machine_end_beep", "human"])
async def test_an_answering_machine_hears_no_name_and_never_accepts(line: Story, amd: str) -> None:
    """Detected or not. It keeps what it hears."""
    call, listener = await rung(line, [WANG, ZHANG], amd=amd)
    call.says(tone(300, 3.0), "greeting")
    call.says(tone(1000, 0.6), "beep")
    report = await over(line, call, listener)
    assert await hears(line, call, "再会。")
    for name in ("王阿婆", "张阿公", "三次没接电话"):
        assert not await hears(line, call, name)
    assert {each.result for each in report.people} <= {"not_reached"}
    assert report.disposition is (Disposition.ANSWERED if amd == "human" else Disposition.MACHINE)


# ── by plain verbs ────────────────────────────────────────────────────────────────────────────────


async def logs_a_visit(carrier: FakeCarrier, room: Control, desk: Desk | None) -> FakeCall:
    """A buddy with a PIN, rung up here; how they ring in is told in test_ringing_in.py."""
    room.verbs._answers = desk
    call = carrier.expect_call(BUDDY)
    people = (Callee("e1", "王阿婆", records=False), Callee("e2", "张阿公", records=False))
    await room.telephone.place(CallOrder("b1", BUDDY, "buddy_log", people, {"pin": "1"}))
    await call.hears("pin.ask")
    return call


async def written(room: Control) -> list[tuple[str, dict[str, object]]]:
    query = select(CallEvent.kind, CallEvent.detail).order_by(CallEvent.id)
    found = await room.db.view(lambda session: session.execute(query).all())
    return [(kind, detail) for kind, detail in found]


@pytest.mark.parametrize("keys", [PIN, PIN[:4] + "#", "1*" + PIN[:4]])
async def test_a_pin_is_gathered_at_once_and_stands_in_no_log(
    carrier: FakeCarrier, room: Control, keys: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    desk = Desk("right")
    call = await logs_a_visit(carrier, room, desk)
    call.presses(keys)
    await call.hears("list.ask")
    pin = keys.rpartition("*")[2].rstrip("#")
    assert desk.asked == [("pin", "e1", pin)]
    log = await written(room)
    assert [detail["digit"] for kind, detail in log if kind == "key"] == [""]
    assert pin not in str(log) + str((await room.row("b1")).session) + caplog.text
    call.presses("1")
    await call.hears("kind.ask")
    call.presses("1")
    await call.hears("visited.ask")
    call.presses("1")
    await call.hears("visited.fine")
    call.hangs_up()
    await call.ended()
    (report,) = room.listener.finals
    assert [each.result for each in report.people] == ["visited_fine", "not_logged"]


async def test_a_pin_with_the_same_digit_twice(carrier: FakeCarrier, room: Control) -> None:
    desk = Desk("right")
    call = await logs_a_visit(carrier, room, desk)
    call.presses("1100#")
    await call.hears("list.ask")
    assert desk.asked == [("pin", "e1", "1100")]
    call.hangs_up()
    await call.ended()


async def test_a_wrong_pin_is_asked_for_again(carrier: FakeCarrier, room: Control) -> None:
    desk = Desk("wrong", "right")
    call = await logs_a_visit(carrier, room, desk)
    call.presses("1111#")
    await call.hears("pin.wrong")
    await call.hears("pin.ask")
    call.presses(PIN)
    await call.hears("list.ask")
    call.hangs_up()
    await call.ended()


async def test_nobody_can_check_the_pin(carrier: FakeCarrier, room: Control) -> None:
    call = await logs_a_visit(carrier, room, None)
    call.presses(PIN)
    await call.hears("sorry.bye")
    assert await call.ended() == "completed"
    assert "王阿婆" not in room.prompts.asked


@pytest.mark.parametrize(("pressed", "goes_on"), [("86", "pin.ask"), (PIN, "sorry.bye")])
async def test_verbs_take_over_from_a_stream_that_broke_in_the_middle_of_a_pin(
    carrier: FakeCarrier, room: Control, pressed: str, goes_on: str
) -> None:
    """Half a PIN is asked for again; a whole one that nobody has checked counts for nothing."""
    order = CallOrder("b1", BUDDY, "buddy_log", (Callee("e1", "王阿婆"),), {"pin": "1"})
    session = Session(shipped("buddy_log"), context_of(order))
    session.feed(Started())
    for number, digit in enumerate(pressed):
        session.feed(Key(digit, 500 * number))
    await room.calls.order(order)
    await room.calls.placed("b1", "CA1")
    await room.calls.save_session("b1", session.to_json())
    await room.post("verbs?call=b1", {"CallSid": "CA1", "CallStatus": "in-progress"})
    verbs = (await room.row("b1")).verbs
    assert verbs is not None
    assert [each["name"] for each in verbs["says"]] == ["line.sorry", goes_on]
    assert verbs["wait"]["kind"] == ("listen" if goes_on == "pin.ask" else "hangup")
