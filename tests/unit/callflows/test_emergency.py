"""The emergency path: at any moment, before everything else, and nothing said on the line cancels it."""

from __future__ import annotations

import re

import pytest

from callflows import loader
from callflows.events import (
    Alarm,
    Dictate,
    DictationEnded,
    Distress,
    Heard,
    HungUp,
    Input,
    Key,
    Listen,
    Say,
    StopPlaying,
    TimeLimit,
)
from callflows.flow import Flow
from tests.unit.callflows.conversation import LI, WANG, Conversation, daily


def test_a_cry_for_help_raises_the_alarm_and_asks_on() -> None:
    call = Conversation().presses("1").cries("我摔倒了")
    stop, alarm, say, wait = call.outputs
    assert isinstance(stop, StopPlaying)
    assert alarm == Alarm("wang", "distress", "我摔倒了")
    assert isinstance(say, Say)
    assert say.name == "emergency.ask"
    assert isinstance(wait, Dictate)
    call.dictates("起不来", recording="rec-3")
    assert call.said == ["emergency.hold"]
    assert "120" in call.words
    finding = call.finding
    assert (finding.result, finding.evidence) == ("emergency", "speech")
    assert finding.detail["alarm"] == "distress"
    assert finding.detail["text"] == "我摔倒了"
    assert finding.detail["emergency_recording"] == "rec-3"


def test_two_zeros_within_three_seconds() -> None:
    call = Conversation().presses("0").presses("0", after_ms=3000)
    assert call.alarms == [Alarm("wang", "double_zero")]
    assert (call.finding.result, call.finding.evidence) == ("emergency", "key")


def test_two_zeros_further_apart_are_a_person_twice() -> None:
    call = Conversation().presses("0").presses("0", after_ms=3001)
    assert call.said == ["talk.bye"]
    assert call.alarms == []
    assert call.results == ["wants_person"]


def test_a_zero_before_the_dictation_and_one_in_it() -> None:
    call = Conversation().presses("1").presses("2").presses("0").presses("0", after_ms=1000)
    assert len(call.alarms) == 1
    assert call.results == ["emergency"]


def test_a_zero_then_another_key_then_a_zero_is_no_double_zero() -> None:
    call = Conversation().presses("1").presses("0").presses("4", after_ms=900).presses("0", after_ms=900)
    assert call.alarms == []


@pytest.mark.parametrize("taken_back", ["没事", "不要", "蛮好的"])
def test_a_no_never_cancels(taken_back: str) -> None:
    call = Conversation().cries("救命").dictates(taken_back)
    assert call.said == ["emergency.hold"]
    call.feed(Heard(taken_back, None, 0.9, "vosk"))
    assert not call.session.over
    for key in "21*9":
        call.presses(key)
        assert not call.session.over
    assert call.results == ["emergency"]


def test_it_is_one_emergency_however_often_she_cries() -> None:
    call = Conversation().cries("救命")
    assert call.cries("救命").outputs == ()  # the dictation goes on
    call.dictates("救命")
    call.cries("快来人")
    assert (call.alarms, call.said) == ([], [])


def test_distress_after_well_dominates() -> None:
    call = Conversation().presses("1").presses("1").presses("1").cries("胸口痛")
    assert call.results == ["emergency"]
    assert call.finding.detail["also"] == ["well"]


def test_distress_during_the_goodbye_opens_the_call_again() -> None:
    call = Conversation().presses("1").presses("1").presses("2")
    assert call.session.over
    call.cries("救命")
    assert len(call.alarms) == 1
    assert not call.session.over


def test_zeros_during_the_goodbye_count_too() -> None:
    call = Conversation().presses("1").presses("1").presses("2").presses("0")
    assert call.said == ["person.none"]
    assert not call.session.over
    assert len(call.presses("0", after_ms=800).alarms) == 1


def test_words_recognised_after_the_line_went_down_still_raise_the_alarm() -> None:
    call = Conversation().feed(HungUp()).cries("救命")
    assert call.outputs[0] == Alarm("wang", "distress", "救命")
    assert call.hung_up
    assert call.session.over
    assert call.results == ["emergency"]


def test_distress_before_the_first_word() -> None:
    call = Conversation(start=False).cries("救命")
    assert len(call.alarms) == 1
    assert call.said == ["emergency.ask"]


def test_an_utterance_that_means_distress_is_distress() -> None:
    call = Conversation().feed(Heard("救命啊", "distress", 0.5, "whisper", False, "救命啊"))
    assert call.alarms == [Alarm("wang", "distress", "救命啊")]


def test_the_dictation_that_was_broken_off_is_not_the_emergency_s() -> None:
    call = Conversation().presses("1").presses("2").feed(Distress("救命", "vosk", 0.8))
    call.feed(DictationEnded(4, 3, "头昏救命", 0.6, "vosk", "rec-1", "silence", "unwell"))
    assert call.outputs == ()
    call.feed(DictationEnded(4, 3, "在厨房", 0.6, "vosk", "rec-2", "silence", "emergency"))
    assert call.finding.detail["recording"] == "rec-1"
    assert call.finding.detail["emergency_recording"] == "rec-2"
    assert call.finding.detail["also"] == ["not_well"]


def test_without_consent_to_record_the_line_holds_and_does_not_record() -> None:
    call = Conversation(consent=False).presses("0").presses("0", after_ms=500)
    assert call.said == ["emergency.hold"]
    assert len(call.alarms) == 1


def test_the_line_holds_for_minutes_but_not_for_ever() -> None:
    call = Conversation().cries("救命").dictates("")
    turns = 0
    while not call.session.over:
        call.is_silent()
        turns += 1
        assert turns < 50
    assert turns * 20 > 300  # seconds
    assert call.said == ["emergency.bye"]


@pytest.mark.parametrize(
    "sign",
    [
        Key("5", 9000),
        Key("#", 9000),
        Key("*", 9000),
        Heard("", None, 0.0, "vosk"),
        Heard("嗯嗯", None, 0.3, "vosk"),
        Heard("再说一遍", "repeat", 0.9, "vosk", True, "再说一遍"),
        Distress("救命", "vosk", 0.9),
    ],
)
def test_pressing_keys_and_moaning_keep_the_line(sign: Input) -> None:
    call = Conversation().cries("救命").dictates("")
    for _ in range(100):
        call.feed(sign)
        assert isinstance(call.session.wait, Listen)


def test_a_sign_in_between_begins_the_silence_anew() -> None:
    call = Conversation().cries("救命").dictates("").is_silent(18).presses("5").is_silent(18)
    assert not call.session.over


def test_the_line_promises_nothing_that_nobody_does() -> None:
    steps = [step for step in daily().steps.values() if step.name.startswith("emergency.")]
    words = "".join(piece.text for step in steps for prompt in step.prompts for piece in prompt.texts["zh"])
    assert "叫人" not in words
    assert "打给您" not in words
    assert words.count("120") == len(steps)


def test_the_hard_limit_in_an_emergency_names_120() -> None:
    call = Conversation().cries("救命").feed(TimeLimit())
    assert call.said == ["emergency.bye"]
    assert "120" in call.words
    assert call.results == ["emergency"]


def test_the_emergency_is_of_the_one_who_was_being_asked() -> None:
    call = Conversation(WANG, LI).presses("1").presses("1").presses("2").presses("1").cries("救命")
    assert call.alarms == [Alarm("li", "distress", "救命")]
    assert call.results == ["well", "emergency"]


@pytest.mark.parametrize("name", loader.shipped_names())
def test_nobody_is_said_to_know_or_to_come_before_somebody_has_it(name: str) -> None:
    """The line rings people; it may be that nobody is on the roster, or that nobody has picked up yet."""
    said = "".join(loader.shipped(name).sentences("zh"))
    assert not re.search(r"已经(知道|告诉|通知)|马上(给您|会|就)|就来|会有人(打|到)", said)


def test_every_flow_speaks_of_an_emergency_in_the_same_words() -> None:
    flows = [loader.shipped(name) for name in loader.shipped_names()]
    held = {words(flow, "emergency.hold") for flow in flows if "emergency.hold" in flow.steps}
    assert held == {"正在找人来,您别急。要紧的话,请打120或110。"}
    asked = {words(flow, "emergency.ask") for flow in flows if "emergency.ask" in flow.steps}
    assert asked == {"别怕,正在找人来。要紧的话,请马上打120。您怎么了?请讲。"}
    left = {words(flow, "emergency.bye") for flow in flows if "emergency.bye" in flow.steps and flow.name != "alarm"}
    assert left == {"正在找人来。电话要挂断了。要紧的话,请打120或110。"}


def words(flow: Flow, step: str) -> str:
    return "".join(piece.text for piece in flow.steps[step].prompts[0].texts["zh"])
