"""The browser phone's parts: who is invented, what a trial says, what is shown of a call."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from callflows.events import CallContext, Key, Person, Started
from callflows.loader import shipped, shipped_names
from callflows.session import Session
from checkins.results import RESULT_ZH
from console.call_log import Entry
from console.meaning_words import OUTCOME_ZH
from console.phone_choices import choices, page
from console.phone_people import is_invented
from console.phone_trials import TRIAL, Trial, Trials, sample_verdict, samples, verdicts
from console.phone_turns import ELDER, LINE, NOTE, Turn, news, said, turn_of
from ivr.ports import CallOrder, CallReport, Disposition, Told, Unserved
from ivr.records import Call, CallEvent
from tests.unit.checkins.world import World

NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "invented"),
    [
        ("+862110001001", True),
        ("+862100000001", True),
        ("+861010000000", True),
        ("+8657110001234", True),
        ("+862162345678", False),
        ("+8613812345678", False),
        ("+8615012345678", False),
        ("+864001234567", False),
        ("+8621100010010", False),
        ("+442110001001", False),
        ("", False),
    ],
)
def test_a_number_that_nobody_can_have_is_invented(number: str, invented: bool) -> None:
    assert is_invented(number) is invented


class Desk:
    """The care room's."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def rang_in(self, call_id: str, number: str, key: str | None = None) -> CallOrder | Unserved:
        self.heard.append(call_id)
        return Unserved.STRANGER

    async def whom(self, call_id: str, person_id: str, nth: int, known: str) -> CallOrder | None:
        self.heard.append(call_id)
        return None

    async def ask(self, call_id: str, query: str, person_id: str, value: str) -> Told:
        self.heard.append(call_id)
        return Told("first")

    async def call_reported(self, report: CallReport) -> None:
        self.heard.append(report.id)


def over(call_id: str) -> CallReport:
    return CallReport(call_id, NOW, final=True, disposition=Disposition.ANSWERED)


async def test_the_care_room_never_hears_of_a_trial() -> None:
    care = Desk()
    trials = Trials(care, shipped)
    out = trials.outgoing(Trial("dispatch", "王阿婆", "曹杨居委会"), trials.number(), "browser")
    number = trials.number()
    trials.expect(Trial("rings_in", "李阿公"), number)
    order = await trials.rang_in("in", number)
    assert isinstance(order, CallOrder)
    assert (order.id, order.callees[0].id, order.callees[0].spoken_name) == ("in", TRIAL, "李阿公")
    assert (out.trunk, out.variables["committee"], out.callees[0].variables["why"]) == (
        "browser",
        "曹杨居委会",
        "三次没接电话",
    )
    for call in (out.id, "in"):
        assert await trials.whom(call, TRIAL, 1, "") is None
        await trials.ask(call, "claim", TRIAL, "")
        await trials.heard_by(care).call_reported(over(call))
    assert care.heard == []
    for _ in (await trials.rang_in("real", "+862110001001"), await trials.ask("real", "claim", "e1", "")):
        pass
    await trials.whom("real", "e1", 1, "")
    await trials.heard_by(care).call_reported(over("real"))
    assert care.heard == ["real"] * 4


async def test_a_number_is_a_trial_s_for_one_call_and_then_the_care_room_s() -> None:
    care = Desk()
    trials = Trials(care, shipped)
    number = trials.number()
    trials.expect(Trial("rings_in"), number)
    first = await trials.rang_in("trial", number)
    assert isinstance(first, CallOrder)
    assert await trials.rang_in("trial", number) == first, "the same again"
    trials.expect(Trial("rings_in"), "+862100000009")
    trials.forget("+862100000009")
    assert await trials.rang_in("cry", number) is Unserved.STRANGER
    assert await trials.rang_in("other", "+862100000009") is Unserved.STRANGER
    assert care.heard == ["cry", "other"]


async def test_each_trial_handset_has_a_number_of_its_own_that_nobody_can_have() -> None:
    trials = Trials(Desk(), shipped)
    numbers = [trials.number() for _ in range(3)]
    assert len(set(numbers)) == 3
    assert all(map(is_invented, numbers))


@pytest.mark.parametrize("name", shipped_names())
def test_every_flow_can_be_tried(name: str) -> None:
    flow = shipped(name)
    assert not set(samples(flow, alone=True)) & set(samples(flow, alone=False))
    for query in {step.query.name for step in flow.steps.values() if step.query}:
        known = {word for words in verdicts(flow, query) for word in words}
        assert all(sample_verdict(flow, query, nth) in known for nth in range(8))


def test_what_the_program_answers_goes_from_the_first_word_to_the_last_and_the_steps_take_turns() -> None:
    reply = [sample_verdict(shipped("reply"), "reply.next", nth) for nth in range(20)]
    assert (reply[0], reply[-2:]) == ("reply", ["none", "none"])
    ballot = [sample_verdict(shipped("ballot"), "ballot.next", nth) for nth in range(4)]
    assert ballot[:2] == ["topic", "noted"]
    assert sample_verdict(shipped("ballot"), "who knows", 0) == ""


CHECKIN = shipped("daily_checkin")
VALUES = {"name": "王阿婆", "committee": "曹杨居委会"}


def turn(kind: str, **detail: Any) -> Turn | None:
    return turn_of(Entry(kind, NOW, 1000, detail), CHECKIN, VALUES)


def test_a_call_is_shown_in_the_words_of_its_prompts() -> None:
    greeting = "您好,这里是曹杨居委会的自动语音电话。请问您是王阿婆本人吗?是的,请按1;不是,请按2;打错了,请按3。"
    assert said(CHECKIN, "greet.ask", VALUES) == greeting
    assert said(CHECKIN, "none.of.these", VALUES) == "none.of.these"
    assert turn("prompt", name="greet.ask") == Turn(LINE, greeting)
    cut = turn("cleared", names=["greet.ask"])
    assert cut is not None
    assert (cut.who, cut.text) == (LINE, greeting)
    assert turn("key", digit="1", node="greet") == Turn(ELDER, "按键 1")
    assert turn("key", digit="", node="pin") == Turn(ELDER, "按键 （保密）")
    assert [turn(kind, name="pin", word="right") for kind in ("stream", "query", "verdict")] == [None] * 3
    assert turn("no_input", node="greet") == Turn(NOTE, "无应答")


def test_what_was_heard_is_shown_with_how_sure_the_ear_was() -> None:
    sure = {"text": "身体好", "meaning": "well", "engine": "vosk", "confidence": 0.93, "certain": True, "seconds": 1.2}
    assert turn("heard", **sure) == Turn(ELDER, "“身体好”", "听懂：好 · 有把握 · vosk 0.93 · 1.2 秒")
    unsure = {"text": "电视", "meaning": None, "counts": False}
    assert turn("heard", **unsure) == Turn(ELDER, "“电视”", "没听懂 · 不作回答")
    told = {"text": "头晕", "seconds": 6.2, "by": "key", "engine": "whisper", "confidence": 0.82}
    assert turn("dictation", **told) == Turn(ELDER, "“头晕”", "口述 · 6 秒，按键结束 · whisper 0.82")


def test_a_call_that_hears_nothing_but_keys_says_so_and_why() -> None:
    never, lost = turn("verbs", begun=True), turn("verbs", begun=False)
    assert never is not None
    assert lost is not None
    assert (never.text, never.keys_only) == ("只能按键：声音通道没有接通，说话听不到", True)
    assert (lost.text, lost.keys_only) == ("只能按键：声音通道断了，说话听不到", True)
    assert never.message()["keys_only"] is True


BUDDY_LOG = shipped("buddy_log")


def picking(elders: int, *keys: str) -> dict[str, Any]:
    """A buddy's call that offers so many elders, after these keys."""
    people = tuple(Person(f"e{at}", f"老人{at}", variables={"state": "还没联系的"}) for at in range(1, elders + 1))
    session = Session(BUDDY_LOG, CallContext(people, {"committee": "居委会"}))
    session.feed(Started())
    for at, key in enumerate(keys):
        session.feed(Key(key, 5000 * (at + 1)))
    return session.to_json()


def pressed(digit: str, node: str = "list") -> Entry:
    return Entry("key", NOW, 1000, {"digit": digit, "node": node})


def test_whom_the_line_offers_to_choose_from_is_shown_with_their_keys() -> None:
    said = choices(BUDDY_LOG, "list.ask", picking(2), [])
    assert said == "还没联系的老人1,请按1。还没联系的老人2,请按2。"
    first = choices(BUDDY_LOG, "list.ask", picking(5), [pressed("1", "greet")])
    assert first == "还没联系的老人1,请按1。还没联系的老人2,请按2。还没联系的老人3,请按3。其他老人,请按4。"
    turned = choices(BUDDY_LOG, "list.ask", picking(5, "4"), [pressed("4")])
    assert turned == "还没联系的老人4,请按1。还没联系的老人5,请按2。其他老人,请按4。"
    assert choices(BUDDY_LOG, "greet.ask", picking(5), []) == ""
    assert choices(BUDDY_LOG, "list.ask", None, []) == ""


def test_the_page_that_was_read_out_is_told_by_the_keys_before_it() -> None:
    step = BUDDY_LOG.steps["list.ask"]
    assert page(step, []) == 0
    assert page(step, [pressed("4"), pressed("4")]) == 2
    assert page(step, [pressed("4"), pressed("1"), pressed("4")]) == 1
    assert page(step, [pressed("4"), pressed("1", "kind")]) == 0


def test_what_a_call_came_to_has_a_word_in_chinese_in_every_flow() -> None:
    known = {*OUTCOME_ZH, *map(str, RESULT_ZH)}
    assert [word for name in shipped_names() for word in shipped(name).results if word not in known] == []


def test_a_call_s_turns_are_told_in_the_order_of_the_talk_with_the_choices(tmp_path: Path) -> None:
    """The log has a question that a key cut off after that key."""
    told = [("key", {"digit": "1", "node": "greet"}), ("cleared", {"names": ["greet.ask"]})]
    told += [("prompt", {"name": "list.ask"}), ("query", {"name": "pin"})]
    with World(f"sqlite:///{tmp_path}/w.db") as world:
        with world.db.write() as session:
            order, state = {"flow": "buddy_log", "callees": [], "variables": {}}, picking(2)
            session.add(Call(id="c", carrier_sid="CA1", number="", order=order, ordered_at=NOW, session=state))
            session.flush()
            for at, (kind, detail) in enumerate(told):
                session.add(CallEvent(call_id="c", at=NOW, kind=kind, at_ms=at, detail=detail))
                session.flush()
        with world.db.read() as session:
            found = news(session, "CA1", 0, shipped)
            assert news(session, "CA1", found.last, shipped).turns == ()
    assert [one.who for one in found.turns] == [LINE, ELDER, LINE]
    assert found.turns[2].text == "请选一位老人。还没联系的老人1,请按1。还没联系的老人2,请按2。"
