"""The daily check-in as the elder herself answers it."""

from __future__ import annotations

import pytest

from callflows.events import Dictate, DictationEnded, HandOver, Heard, HungUp, Listen, SpeechFailed
from tests.unit.callflows.conversation import Conversation


def at_health(**context: bool | str) -> Conversation:
    call = Conversation(**context).presses("1")  # type: ignore[arg-type]
    assert call.said == ["health.ask"]
    return call


def test_who_is_rung_for_her_hears_what_she_has_said_of_herself() -> None:
    call = Conversation(variables={"duty": "1"}).presses("1").presses("2").presses("0")
    assert call.session.handing == HandOver("wang", 1, "not_well")
    assert call.outputs[-1] == call.session.handing
    asked = Conversation(variables={"duty": "1"}).presses("0").session.handing
    assert asked == HandOver("wang", 1, "wants_person")


def test_the_line_names_itself_before_anything_else() -> None:
    call = Conversation()
    assert call.said == ["greet.ask"]
    assert call.words.startswith("您好,这里是桃源居委会的自动语音电话。")
    assert "王阿婆" in call.words


def test_well_by_keys_alone() -> None:
    call = at_health()
    assert call.words.startswith("收到。")
    call.presses("1")
    assert call.said == ["message.ask"]
    call.presses("2")
    assert call.said == ["bye.say"]
    assert call.hung_up
    assert call.session.over
    assert (call.finding.result, call.finding.evidence) == ("well", "key")
    assert call.finding.detail["node"] == "health"


@pytest.mark.parametrize("answer", ["蛮好的", "身体很好", "还可以", "呒没啥", "老样子", "没什么不舒服"])
def test_well_by_voice_keeps_what_was_heard(answer: str) -> None:
    call = Conversation().speaks("是我").speaks(answer)
    assert call.said == ["message.ask"]
    assert not call.words.startswith("收到")
    assert (call.finding.result, call.finding.evidence) == ("well", "speech")
    assert call.finding.detail["phrase"] == answer
    assert call.finding.detail["certain"] is True


def test_an_uncertain_well_is_asked_again_and_a_key_settles_it() -> None:
    call = at_health().mumbles("蛮好的")
    assert call.said == ["health.confirm"]
    assert call.finding.result == "present_unconfirmed"
    call.presses("1")
    assert (call.finding.result, call.finding.evidence) == ("well", "key")


def test_an_ear_that_is_never_sure_ends_with_a_person() -> None:
    call = at_health().mumbles("蛮好的").mumbles("是的").mumbles("蛮好的")
    assert call.said == ["health.confirm.again2"]
    call.mumbles("是的")
    assert call.said == ["unclear.bye", "bye.say"]
    assert call.results == ["present_unconfirmed"]


def test_one_syllable_is_confirmed_even_when_the_engine_is_sure() -> None:
    call = at_health().speaks("好")
    assert call.said == ["health.confirm"]
    assert call.results == ["present_unconfirmed"]


def test_yes_to_how_are_you_is_not_well_yet() -> None:
    call = at_health().speaks("好的")
    assert call.said == ["health.confirm"]
    call.speaks("是的")
    assert call.results == ["well"]


def test_no_to_the_confirmation_leans_to_the_human_side() -> None:
    call = at_health().speaks("好").mumbles("不是")
    assert call.said == ["unwell.ask"]
    assert call.results == ["not_well"]


@pytest.mark.parametrize("sure", [True, False])
def test_not_well_is_recorded_and_flagged(sure: bool) -> None:
    call = at_health().speaks("头晕", certain=sure)
    assert call.said == ["unwell.ask"]
    assert isinstance(call.session.wait, Dictate)
    call.dictates("今朝头昏得来", recording="calls/7/dictation1")
    assert call.said == ["unwell.bye", "bye.say"]
    assert "120" in call.words
    finding = call.finding
    assert (finding.result, finding.evidence) == ("not_well", "speech")
    assert finding.detail["text"] == "头晕"
    assert finding.detail["recording"] == "calls/7/dictation1"
    assert finding.detail["recording_text"] == "今朝头昏得来"


def test_not_well_by_key_shows_the_dictated_words_as_text() -> None:
    detail = at_health().presses("2").dictates("腰痛").finding.detail
    assert (detail["text"], detail["engine"], detail["key"]) == ("腰痛", "vosk", "2")


def test_hanging_up_in_the_dictation_loses_neither_result_nor_recording() -> None:
    call = at_health().presses("2").dictates("头昏", by="hangup").feed(HungUp())
    assert call.results == ["not_well"]
    assert call.finding.detail["recording"] == "rec-1"


def test_the_recording_may_come_after_the_hang_up() -> None:
    call = at_health().presses("2").feed(HungUp())
    call.feed(DictationEnded(3, 2, "头昏", 0.5, "vosk", "rec-9", "hangup"))
    assert call.outputs == ()
    assert call.finding.detail["recording"] == "rec-9"


def test_who_says_nothing_into_the_dictation_is_asked_twice_more() -> None:
    call = at_health().presses("2")
    nothing = DictationEnded(8, 0, "", 0, "vosk", "", "silence")
    assert call.feed(nothing).said == ["unwell.again"]
    assert call.feed(nothing).said == ["unwell.again2"]
    call.feed(nothing)
    assert call.said == ["unwell.bye", "bye.say"]
    assert call.results == ["not_well"]


def test_wants_a_person() -> None:
    call = at_health().presses("3")
    assert call.said == ["talk.bye"]
    assert isinstance(call.session.wait, Listen)
    assert call.session.wait.timeout_s >= 3
    call.is_silent()
    assert call.said == ["bye.say"]
    assert call.results == ["wants_person"]


def test_zero_is_a_person_at_any_moment_also_after_well() -> None:
    call = at_health().presses("1").presses("0")
    assert call.said == ["person.none"]
    assert call.results == ["wants_person"]
    assert call.finding.detail["also"] == ["well"]


def test_zero_in_a_dictation_leaves_it_and_keeps_its_recording() -> None:
    call = at_health().presses("2").presses("0")
    assert call.said == ["person.none"]
    assert call.cut
    call.feed(DictationEnded(3, 2, "头昏", 0.5, "vosk", "rec-9", "key", "unwell"))
    assert call.outputs == ()
    assert call.results == ["not_well"]
    assert call.finding.detail["recording"] == "rec-9"
    assert call.finding.detail["also"] == ["wants_person"]


def test_star_repeats_the_question_and_a_waiting_line_stays() -> None:
    call = at_health().presses("*")
    assert call.said == ["health.ask"]
    call.speaks("再讲一遍")
    assert call.said == ["health.ask"]
    call.speaks("等一歇")
    assert call.said == []
    assert not call.cut
    assert isinstance(call.outputs[-1], Listen)


def test_repeating_for_ever_is_not_possible() -> None:
    call = at_health()
    for _ in range(20):
        call.presses("*")
        if call.session.over:
            break
    assert call.said == ["unclear.bye", "bye.say"]
    assert call.results == ["present_unconfirmed"]


def test_hello_into_the_greeting_does_not_cut_it() -> None:
    call = Conversation().speaks("喂")
    assert (call.said, call.cut) == ([], False)


def test_two_reprompts_each_simpler_than_the_last() -> None:
    call = Conversation().presses("1")
    lengths = [len(call.words.removeprefix("收到。"))]
    for _ in range(2):
        call.is_silent()
        assert not call.cut  # nothing was playing any more
        lengths.append(len(call.words))
    assert lengths == sorted(lengths, reverse=True)
    assert len(set(lengths)) == 3


def test_a_wrong_key_is_not_understood() -> None:
    call = at_health().presses("7")
    assert call.said == ["health.again"]
    assert not call.words.startswith("收到")


def test_a_hash_after_the_answer_changes_nothing() -> None:
    call = at_health().presses("#")
    assert (call.said, call.cut) == ([], False)
    assert call.presses("1").results == ["well"]


def test_one_long_press_does_not_answer_the_next_question() -> None:
    call = Conversation().presses("1").presses("1", after_ms=300)
    assert (call.said, call.cut) == ([], False)
    assert call.results == ["present_unconfirmed"]
    assert call.presses("1").results == ["well"]


def test_today_s_notice_is_read_to_who_is_well() -> None:
    call = at_health(notice="明天上午停水。").presses("1")
    assert call.said == ["well.notice", "message.ask"]
    assert "明天上午停水。" in call.words


def test_star_after_the_notice_repeats_the_notice_too() -> None:
    call = at_health(notice="明天上午停水。").presses("1").presses("*")
    assert call.said == ["well.notice", "message.ask"]
    call.is_silent()
    assert call.presses("*").said == ["message.again"]


def test_without_a_notice_only_the_question_is_repeated() -> None:
    call = at_health(notice="明天上午停水。").speaks("好").presses("*")
    assert call.said == ["health.confirm"]


@pytest.mark.parametrize("syllable", ["是", "嗯", "对"])
def test_one_syllable_is_enough_to_say_who_she_is(syllable: str) -> None:
    call = Conversation().speaks(syllable)
    assert call.said == ["health.ask"]
    assert call.results == ["present_unconfirmed"]
    assert Conversation().mumbles(syllable).said == ["greet.again"]


def test_one_syllable_is_not_enough_to_confirm_that_she_is_well() -> None:
    call = at_health().speaks("好").speaks("是")
    assert call.said == ["health.confirm.again"]
    assert call.results == ["present_unconfirmed"]


# ── into the goodbye ─────────────────────────────────────────────────────────────────────────────


def into_the_goodbye(text: str, meaning: str) -> Conversation:
    call = at_health().presses("1").presses("2")
    assert call.said == ["bye.say"]
    assert text in next(answer.phrases for answer in call.session.last_words if answer.meaning == meaning)
    return call.feed(Heard(text, meaning, 0.4, "whisper", False, text))


@pytest.mark.parametrize(
    ("text", "meaning", "result"),
    [("头晕", "unwell", "not_well"), ("找人", "talk", "wants_person"), ("以后不要打了", "refuse", "wants_person")],
)
def test_what_is_said_into_the_goodbye_counts(text: str, meaning: str, result: str) -> None:
    call = into_the_goodbye(text, meaning)
    assert call.cut
    assert call.said == ["late.bye"]
    assert call.hung_up
    assert (call.finding.result, call.finding.evidence) == (result, "speech")
    assert (call.finding.detail["text"], call.finding.detail["also"]) == (text, ["well"])


def test_said_again_it_changes_nothing() -> None:
    call = into_the_goodbye("头晕", "unwell")
    assert call.feed(Heard("头晕", "unwell", 0.4, "whisper", False, "头晕")).outputs == ()
    assert call.feed(Heard("找人", "talk", 0.4, "whisper", False, "找人")).outputs == ()
    assert call.results == ["not_well"]


def test_a_nicety_into_the_goodbye_leaves_it_alone() -> None:
    call = at_health().presses("1").presses("2").feed(Heard("谢谢侬", None, 0.9, "whisper"))
    assert call.outputs == ()
    assert call.results == ["well"]


def test_recognised_after_the_line_went_down_it_counts_too() -> None:
    call = at_health().presses("1").presses("2").feed(HungUp())
    assert call.feed(Heard("头晕", "unwell", 0.4, "whisper", False, "头晕")).outputs == ()
    assert call.results == ["not_well"]


def test_the_daughter_s_second_thought_is_still_hers() -> None:
    call = Conversation().presses("2").presses("1").feed(Heard("头晕", "unwell", 0.4, "whisper", False, "头晕"))
    assert call.results == ["other_says_unwell"]


def test_outside_the_goodbye_there_are_no_last_words() -> None:
    assert at_health().session.last_words == ()
    assert at_health(consent=False).presses("1").presses("2").session.last_words == ()


def test_a_message_for_the_committee() -> None:
    call = at_health().presses("1").speaks("有话")
    assert call.said == ["message.record"]
    call.dictates("路灯坏脱了", recording="rec-2")
    assert call.said == ["message.bye", "bye.say"]
    assert call.results == ["well"]
    assert call.finding.detail["message_recording"] == "rec-2"
    assert call.finding.detail["message_text"] == "路灯坏脱了"


def test_who_mentions_pain_at_the_end_is_asked_after_it() -> None:
    call = at_health().presses("1").mumbles("腰痛")
    assert call.said == ["unwell.ask"]
    assert call.results == ["not_well"]
    assert call.finding.detail["also"] == ["well"]


def test_without_consent_to_record_it_works_by_keys_and_a_person() -> None:
    call = at_health(consent=False)
    assert isinstance(call.session.wait, Listen)
    assert not call.session.wait.speech
    call.presses("2")
    assert call.said == ["unwell.bye", "bye.say"]
    assert call.results == ["not_well"]


def test_without_consent_a_message_brings_a_person() -> None:
    call = at_health(consent=False).presses("1").presses("1")
    assert call.said == ["message.person", "bye.say"]
    assert call.results == ["wants_person"]


def test_when_speech_fails_keys_go_on() -> None:
    call = at_health().feed(SpeechFailed("no weights"))
    assert call.said == ["keys.only", "health.again"]
    assert not call.cut
    assert isinstance(call.session.wait, Listen)
    assert not call.session.wait.speech
    assert call.feed(SpeechFailed("again")).outputs == ()
    assert call.presses("1").results == ["well"]


def test_refusing_is_confirmed() -> None:
    call = at_health().speaks("以后不要打了")
    assert call.said == ["refuse.confirm"]
    call.presses("1")
    assert call.said == ["refuse.bye", "bye.say"]
    assert (call.finding.result, call.finding.evidence) == ("refused", "key")


def test_refusing_by_mistake_leads_back() -> None:
    call = at_health().presses("9").presses("2")
    assert call.said == ["health.again"]
    assert call.presses("1").results == ["well"]


def test_who_refuses_and_hangs_up_is_asked_by_a_person() -> None:
    call = at_health().speaks("以后不要打了").feed(HungUp())
    assert call.results == ["wants_person"]
    assert call.finding.detail["phrase"] == "以后不要打了"


def test_a_refusal_nobody_confirms_is_asked_by_a_person() -> None:
    call = at_health().presses("9").is_silent(3)
    assert call.said == ["refuse.unsure", "bye.say"]
    assert call.results == ["wants_person"]
