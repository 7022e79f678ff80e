"""Somebody else at the telephone, nobody at all, a machine, or two elders behind one number."""

from __future__ import annotations

import pytest

from callflows.events import Heard, HungUp, Listen, MachineBeeped, NoInput, SpeechFailed, Started, TimeLimit
from tests.unit.callflows.conversation import LI, WANG, Conversation


def test_the_daughter_says_that_she_is_well() -> None:
    call = Conversation().presses("2")
    assert call.said == ["other.ask"]
    assert call.results == ["absent"]
    call.presses("1")
    assert call.said == ["other.bye", "bye.say"]
    assert (call.finding.result, call.finding.evidence) == ("other_says_well", "key")


def test_the_neighbour_says_that_she_is_not_well() -> None:
    call = Conversation().speaks("我是邻居").mumbles("头晕")
    assert call.said == ["other.worry", "bye.say"]
    assert call.results == ["other_says_unwell"]


def test_an_uncertain_word_of_another_is_no_good_news() -> None:
    call = Conversation().presses("2").mumbles("蛮好的").mumbles("蛮好的").mumbles("蛮好的")
    assert call.said == ["other.none", "bye.say"]
    assert call.results == ["absent"]


def test_she_is_called_to_the_telephone_and_answers_for_herself() -> None:
    call = Conversation().presses("2").presses("3")
    assert call.said == ["other.fetch"]
    assert isinstance(call.session.wait, Listen)
    assert call.session.wait.timeout_s >= 20
    call.speaks("喂")
    assert call.said == ["greet.ask"]
    call.presses("1")
    assert call.results == ["present_unconfirmed"]
    assert call.presses("1").results == ["well"]


def test_she_does_not_come_to_the_telephone() -> None:
    call = Conversation().presses("2").presses("3").is_silent(3)
    assert call.said == ["other.none", "bye.say"]
    assert call.results == ["absent"]


def test_fetching_goes_round_twice_and_no_further() -> None:
    call = Conversation()
    for _ in range(2):
        call.presses("2").presses("3")
        assert call.said == ["other.fetch"]
        call.presses("1")
        assert call.said == ["greet.ask"]
    call.presses("2").presses("3")
    assert call.said == ["other.none", "bye.say"]


def test_a_wrong_number_hears_nothing_more() -> None:
    call = Conversation(WANG, LI).speaks("打错了")
    assert call.said == ["wrong.bye"]
    assert call.hung_up
    assert call.results == ["wrong_number", "wrong_number"]
    assert "李阿公" not in call.words


def test_an_uncertain_wrong_number_is_asked_again() -> None:
    assert Conversation().mumbles("打错了").said == ["greet.again"]


def test_silence_leads_to_any_key_and_any_sign_is_only_presence() -> None:
    call = Conversation().is_silent(3)
    assert call.said == ["silence.ask"]
    assert call.results == ["hung_up"]
    call.speaks("蛮好的")
    assert call.said == ["silence.present", "bye.say"]
    assert (call.finding.result, call.finding.evidence) == ("present_unconfirmed", "speech")


def test_any_key_is_presence_too() -> None:
    for key in "123456789*#":
        call = Conversation().is_silent(3).presses(key)
        if key != "9":
            assert call.said == ["silence.present", "bye.say"]
        assert (call.finding.result, call.finding.evidence)[0] in ("present_unconfirmed", "wants_person")


def test_silence_to_the_end() -> None:
    call = Conversation().is_silent(4)
    assert call.said == ["silence.bye", "bye.say"]
    assert (call.finding.result, call.finding.evidence) == ("silent", "none")


def test_noise_is_no_sign_of_life() -> None:
    call = Conversation()
    for _ in range(3):
        call.feed(Heard("", None, 0.0, "vosk"))
    assert call.said == ["silence.ask"]
    call.feed(Heard("", None, 0.0, "vosk"))
    assert call.results == ["silent"]


def test_who_falls_silent_in_mid_call_is_present_but_unconfirmed() -> None:
    call = Conversation().presses("1").is_silent(4)
    assert call.said == ["silence.bye", "bye.say"]
    assert call.results == ["present_unconfirmed"]


def test_silence_when_speech_has_failed_asks_for_a_key_only() -> None:
    call = Conversation(start=False).feed(SpeechFailed("no weights")).feed(Started()).is_silent(3)
    assert call.said == ["silence.keys"]
    assert "应一声" not in call.words


def test_hanging_up_before_any_sign() -> None:
    call = Conversation().feed(HungUp())
    assert call.outputs == ()
    assert call.session.over
    assert (call.finding.result, call.finding.evidence, call.finding.detail) == ("hung_up", "none", {})


def test_hanging_up_after_the_name_is_presence() -> None:
    assert Conversation().presses("1").feed(HungUp()).results == ["present_unconfirmed"]


def test_a_clear_answer_still_counts_when_it_is_recognised_after_the_hang_up() -> None:
    call = Conversation().presses("1").feed(HungUp())
    call.feed(Heard("蛮好的", "well", 0.9, "whisper", True, "蛮好的"))
    assert call.outputs == ()
    assert call.results == ["well"]
    unsure = Conversation().presses("1").feed(HungUp())
    unsure.feed(Heard("蛮好的", "well", 0.9, "whisper", False, "蛮好的"))
    assert unsure.results == ["present_unconfirmed"]


def test_a_machine_gets_a_message_without_a_name() -> None:
    call = Conversation(WANG, LI).feed(Heard("我现在不在家", None, 0.5, "vosk")).feed(MachineBeeped())
    assert call.said == ["machine.message"]
    assert call.hung_up
    assert "阿婆" not in call.words
    assert "阿公" not in call.words
    assert call.results == ["machine", "machine"]


def test_the_hint_of_a_machine_never_ends_a_call_that_got_an_answer() -> None:
    assert Conversation().presses("1").feed(MachineBeeped()).outputs == ()
    assert Conversation().speaks("是我").feed(MachineBeeped()).outputs == ()


@pytest.mark.parametrize(("unsure", "result"), [("头晕", "not_well"), ("找人", "wants_person")])
def test_nor_one_with_an_unsure_sign_that_is_worth_more(unsure: str, result: str) -> None:
    call = Conversation().mumbles(unsure) if unsure == "头晕" else Conversation().is_silent(3).feed(talk())
    assert call.results == [result]
    assert call.feed(MachineBeeped()).outputs == ()
    assert call.results == [result]


def test_nor_one_with_a_refusal_that_waits_for_its_confirmation() -> None:
    call = Conversation(WANG, LI).feed(Heard("不要打了", "refuse", 0.4, "whisper", False, "不要打了"))
    assert call.said == ["refuse.confirm"]
    assert call.feed(MachineBeeped()).outputs == ()
    assert call.results == ["wants_person", "hung_up"]


def talk() -> Heard:
    return Heard("找人", "talk", 0.4, "whisper", False, "找人")


def test_a_machine_that_says_that_she_is_out_is_a_machine() -> None:
    call = Conversation().feed(Heard("她不在家", "someone_else", 0.4, "whisper", False, "她不在家"))
    assert call.results == ["absent"]
    assert call.feed(MachineBeeped()).results == ["machine"]


def test_the_second_elder_hears_who_is_calling() -> None:
    call = Conversation(WANG, LI).presses("1").presses("1").presses("2").presses("1")
    assert call.said == ["next.hello", "health.ask"]
    assert "桃源居委会的自动语音电话" in call.words
    assert call.presses("*").said == ["next.hello", "health.ask"]


def test_two_elders_answer_one_after_the_other_each_for_themselves() -> None:
    call = Conversation(WANG, LI).presses("1").presses("1").presses("2")
    assert call.said == ["next.person"]  # no goodbye in between
    assert "李阿公" in call.words
    assert call.results == ["well", "hung_up"]
    call.presses("1").presses("2").dictates("脚痛")
    assert call.said == ["unwell.bye", "bye.say"]
    assert call.results == ["well", "not_well"]
    assert call.session.findings[0].detail["node"] == "health"
    assert "recording" not in call.session.findings[0].detail


def test_the_second_elder_does_not_come() -> None:
    call = Conversation(WANG, LI).presses("1").presses("3").is_silent()
    assert call.said == ["next.person"]
    call.is_silent(3)
    assert call.results == ["wants_person", "absent"]


def test_the_second_elder_s_own_refusal_leaves_the_first_alone() -> None:
    call = Conversation(WANG, LI).presses("1").presses("1").presses("2").presses("9").presses("1")
    assert call.results == ["well", "refused"]


def test_the_hard_limit_says_goodbye() -> None:
    call = Conversation().presses("1").feed(TimeLimit())
    assert call.said == ["limit.bye"]
    assert call.cut
    assert call.hung_up
    assert call.results == ["present_unconfirmed"]


def test_a_stream_that_comes_anew_asks_again() -> None:
    call = Conversation().presses("1").feed(NoInput()).feed(Started())
    assert call.said == ["health.again"]
    assert call.presses("1").results == ["well"]
