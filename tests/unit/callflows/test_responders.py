"""The responder's calls: who may be asked what, how long it takes, and what is said when there is danger."""

from __future__ import annotations

import re

import pytest

from callflows import loader
from callflows.checks import MAX_CHOICES
from callflows.events import Digits, Listen, Person, Query, Say, Started, Verdict
from tests.unit.callflows.conversation import LI, WANG, Conversation
from tests.unit.callflows.test_sentences import ANSWER_S, CHARACTERS_PER_S, HAN, suggestions

RESPONDER_FLOWS = ("dispatch", "finding", "buddy_log")
URGENT = Person("sun", "孙阿公", variables={"urgent": "yes", "why": "在电话里呼救了"})


def dispatch(*people: Person, **variables: str) -> Conversation:
    return Conversation(*people, flow=loader.shipped("dispatch"), variables=variables)


@pytest.mark.parametrize("name", RESPONDER_FLOWS)
def test_every_first_sentence_names_committee_and_automatic_call(name: str) -> None:
    first = Conversation(flow=loader.shipped(name)).words
    assert first.split("。")[0].endswith("这里是桃源居委会的自动语音电话")


@pytest.mark.parametrize("name", RESPONDER_FLOWS)
def test_sentences_are_short_and_choices_few(name: str) -> None:
    flow = loader.shipped(name)
    for sentence in flow.sentences("zh"):
        for clause in re.split(r"[。?;:!,]", sentence):
            assert len(HAN.findall(clause)) <= 16, clause
    for step in flow.steps.values():
        assert sum(choice.key is not None for choice in step.choices) <= MAX_CHOICES


@pytest.mark.parametrize("name", RESPONDER_FLOWS)
def test_nothing_asks_for_money_or_papers(name: str) -> None:
    text = "".join(loader.shipped(name).sentences("zh"))
    assert not re.search(r"身份证|钱|银行|验证码|转账|卡号", text)


@pytest.mark.parametrize("name", RESPONDER_FLOWS)
def test_what_a_prompt_suggests_is_behind_that_key(name: str) -> None:
    """The same words never stand before two keys of a step."""
    keys: dict[tuple[str, str], str] = {}
    for step, prompt, words, key in suggestions(loader.shipped(name)):
        assert len(words) >= 2, (prompt, words)
        assert keys.setdefault((step, words), key) == key, prompt


def test_the_reason_is_each_elder_s_own_and_has_a_default() -> None:
    call = dispatch(WANG, Person("li", "李阿公", variables={"why": "说身体不舒服"}))
    assert "王阿婆三次没接电话,您能去看看吗" in call.presses("1").words
    assert "李阿公说身体不舒服,您能去看看吗" in call.presses("1").words


def test_a_variable_of_the_call_holds_for_all_who_have_none_of_their_own() -> None:
    people = (WANG, Person("li", "李阿公", variables={"why": "家里报警了"}))
    call = dispatch(*people, why="说想找人")
    assert "王阿婆说想找人" in call.presses("1").words
    assert "李阿公家里报警了" in call.presses("1").words


def test_in_an_emergency_120_is_named_before_and_after_accepting() -> None:
    call = dispatch(URGENT).presses("1")
    assert "请先打120或110,这个电话不能代替" in call.words
    assert "先打120或110" in call.presses("1").words


def test_who_accepts_hears_for_whom() -> None:
    """Key 1 may have cut the question short."""
    assert "谢谢您去看王阿婆" in dispatch().presses("1").presses("1").words


def test_a_key_held_too_long_accepts_nobody() -> None:
    call = dispatch().presses("1").presses("1", after_ms=700)
    assert call.finding.result == "no_reply"


def test_an_accepted_case_stays_accepted_when_the_next_one_is_declined() -> None:
    call = dispatch(WANG, LI).presses("1").presses("1").presses("2")
    assert call.results == ["accepted", "declined"]


def test_what_is_said_of_a_person_is_personal() -> None:
    person = Person("zhao", "赵阿婆", variables={"why": "说身体不舒服", "where": "三号楼", "key_holder": "陈阿姨"})
    call = dispatch(person)
    personal = set()
    for key in "11":
        call.presses(key)
        says = [output for output in call.outputs if isinstance(output, Say)]
        personal |= {part.text for say in says for part in say.parts if part.personal}
    assert personal == {"赵阿婆", "说身体不舒服", "三号楼"}


# ── the buddy's log ──────────────────────────────────────────────────────────────────────────────


def log(*people: Person, pin: bool = True) -> Conversation:
    return Conversation(*people, flow=loader.shipped("buddy_log"), variables={"pin": "yes"} if pin else {})


def enter(call: Conversation, digits: str, *, every_ms: int = 300) -> str:
    """Presses the digits; the value that the line asks about, or ""."""
    for digit in digits:
        call.presses(digit, after_ms=every_ms)
    queries = [output for output in call.outputs if isinstance(output, Query)]
    return queries[0].value if queries else ""


def test_a_contact_is_logged_in_under_a_minute() -> None:
    people = tuple(Person(f"e{at}", name) for at, name in enumerate(["王阿婆", "李阿公", "赵阿婆", "孙阿公", "钱阿婆"]))
    call = log(*people)
    spoken, pressed = call.words, 5
    enter(call, "1234#")
    spoken += call.words
    for event in (Verdict("right"), *"111"):
        call = call.feed(event) if isinstance(event, Verdict) else call.presses(event)
        spoken, pressed = spoken + call.words, pressed + 1
    assert call.finding.result == "visited_fine"
    seconds = len(HAN.findall(spoken)) / CHARACTERS_PER_S + pressed * ANSWER_S
    assert seconds < 60


def test_a_pin_may_have_a_digit_twice_and_two_zeros() -> None:
    call = log()
    assert enter(call, "110055") == "110055"
    assert call.finding.result != "emergency"


def test_two_reports_of_one_press_are_one_digit() -> None:
    call = log()
    for digit in "1234":
        call.presses(digit, after_ms=400).presses(digit, after_ms=20)
    assert enter(call, "#") == "1234"


def test_a_zero_right_after_the_pin_is_no_second_zero() -> None:
    call = log()
    enter(call, "123400")
    call.feed(Verdict("right")).presses("0", after_ms=500)
    assert call.finding.result == "wants_person"


def test_the_pin_is_kept_nowhere() -> None:
    call = log()
    for digit in "7391":
        call.presses(digit, after_ms=400)
        assert all(digit not in str(dict(finding.detail)) for finding in call.session.findings)
    assert enter(call, "#") == "7391"
    assert "7391" not in str(call.session.to_json())
    assert "7391" not in repr(call.outputs)


def test_the_wait_for_a_pin_says_that_its_keys_are_secret() -> None:
    wait = log().session.wait
    assert isinstance(wait, Listen)
    assert wait.digits == Digits(4, 6, secret=True)
    assert not wait.speech


def test_a_pin_that_is_interrupted_is_asked_for_anew() -> None:
    call = log()
    enter(call, "73")
    call.feed(Started())
    assert call.said == ["pin.ask"]
    assert enter(call, "9146#") == "9146"


def test_a_question_to_the_house_that_is_lost_lets_nobody_in() -> None:
    call = log()
    enter(call, "7391#")
    assert call.session.asking
    assert call.feed(Started()).said == ["sorry.bye"]


def test_an_unknown_verdict_lets_nobody_in() -> None:
    call = log()
    enter(call, "7391#")
    assert call.feed(Verdict("perhaps")).said == ["sorry.bye"]


def test_a_verdict_that_nobody_waits_for_changes_nothing() -> None:
    call = log()
    assert call.session.feed(Verdict("right")) == ()


def test_two_zeros_while_the_house_is_asked_are_an_emergency() -> None:
    call = log()
    enter(call, "7391#")
    call.presses("0").presses("0", after_ms=500)
    assert [alarm.reason for alarm in call.alarms] == ["double_zero"]
    assert call.session.feed(Verdict("right")) == ()


def test_before_the_right_pin_no_name_is_said() -> None:
    call = log(WANG, LI)
    said = call.words
    enter(call, "1111#")
    said += call.words + call.feed(Verdict("wrong")).words
    assert "阿婆" not in said
    assert "阿公" not in said


def test_what_was_taken_back_stays_on_record() -> None:
    call = log(pin=False).presses("1").presses("2").dictates("头昏").presses("2")
    assert call.finding.result == "not_logged"
    assert call.finding.detail["taken_back"] == ["visited_worried"]
    assert call.finding.detail["worry_text"] == "头昏"
    assert call.presses("1").presses("1").finding.result == "visited_fine"


def test_a_fall_that_is_told_in_a_log_is_no_alarm_and_a_cry_for_help_is() -> None:
    flow = loader.shipped("buddy_log")
    assert "摔倒了" not in flow.distress
    assert {"救命", "快来人"} <= set(flow.distress)
    assert "摔倒了" in loader.shipped("finding").distress


def test_a_cry_before_anybody_is_chosen_is_no_elder_s() -> None:
    at_the_pin = log(WANG, LI).cries("救命")
    at_the_list = log(WANG, LI, pin=False).cries("救命")
    after_one = (
        log(WANG, LI, Person("zhao", "赵阿婆"), pin=False)
        .presses("2")
        .presses("1")
        .presses("1")
        .presses("1")
        .cries("救命")
    )
    for call in (at_the_pin, at_the_list, after_one):
        assert [alarm.person for alarm in call.alarms] == [""]
        assert "emergency" not in call.results
        assert "请打120或110" in call.words
    about_her = log(WANG, LI, pin=False).presses("2").cries("救命")
    assert [alarm.person for alarm in about_her.alarms] == ["li"]
    assert about_her.results == ["not_logged", "emergency"]


def test_with_four_elders_all_are_offered_at_once_and_with_five_the_last_key_leads_on() -> None:
    people = tuple(Person(f"e{at}", name) for at, name in enumerate(["王阿婆", "李阿公", "赵阿婆", "孙阿公", "钱阿婆"]))
    for many, offered in ((4, ["e0", "e1", "e2", "e3"]), (5, ["e0", "e1", "e2", "more"])):
        wait = log(*people[:many], pin=False).session.wait
        assert isinstance(wait, Listen)
        assert [answer.meaning for answer in wait.answers if answer.key and answer.key in "1234"] == offered
