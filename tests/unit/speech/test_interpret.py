"""When an utterance may count as certain, for every engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from speech.interpret import BARS, interpret
from speech.recogniser import Hypothesis, Request

MENU = {"well": ["好", "蛮好的", "身体很好"], "unwell": ["不好", "头晕"], "yes": ["是", "是的"], "distress": ["救命"]}
ANSWER = Request("answer", MENU)
VOSK = Hypothesis("蛮好的", "vosk", 0.95, meaning="well", phrase="蛮好的", agreed=True)
WHISPER = Hypothesis("蛮好的", "whisper", 0.9, meaning="well", phrase="蛮好的", margin=3.0, agreed=True)
SCORER = Hypothesis("mán hǎo de", "phrase-scorer", 0.97, meaning="well", phrase="蛮好的", margin=-0.3)


@pytest.mark.parametrize("heard", [VOSK, WHISPER, SCORER], ids=lambda heard: heard.engine)
def test_a_clear_answer_is_certain(heard: Hypothesis) -> None:
    told = interpret(heard, ANSWER)
    assert (told.meaning, told.certain, told.reason) == ("well", True, "")


@pytest.mark.parametrize("heard", [VOSK, WHISPER], ids=lambda heard: heard.engine)
def test_without_an_agreeing_free_decoding_nothing_is_certain(heard: Hypothesis) -> None:
    for agreed in (False, None):
        told = interpret(replace(heard, agreed=agreed), ANSWER)
        assert (told.meaning, told.certain) == ("well", False)


@pytest.mark.parametrize("heard", [VOSK, WHISPER], ids=lambda heard: heard.engine)
def test_below_the_bar_is_not_certain(heard: Hypothesis) -> None:
    bar = BARS[heard.engine].confidence
    assert bar is not None
    assert not interpret(replace(heard, confidence=bar - 0.01), ANSWER).certain
    assert interpret(replace(heard, confidence=bar), ANSWER).certain


@pytest.mark.parametrize("heard", [WHISPER, SCORER], ids=lambda heard: heard.engine)
def test_too_small_a_margin_is_not_certain(heard: Hypothesis) -> None:
    bar = BARS[heard.engine].margin
    assert bar is not None
    assert not interpret(replace(heard, margin=bar - 0.1), ANSWER).certain
    assert not interpret(replace(heard, margin=None), ANSWER).certain


def test_an_engine_that_nobody_measured_makes_nothing_certain() -> None:
    told = interpret(replace(VOSK, engine="new", confidence=1.0, margin=9.0), ANSWER)
    assert (told.meaning, told.certain) == ("well", False)


def test_one_syllable_asks_for_a_confirmation() -> None:
    told = interpret(replace(WHISPER, text="好。", phrase="好"), ANSWER)
    assert (told.meaning, told.certain, told.reason) == ("well", False, "one syllable")


def test_menu_and_free_decoding_that_differ_are_not_certain() -> None:
    told = interpret(replace(VOSK, text="不好", meaning="well"), ANSWER)
    assert told.meaning == "unwell"
    assert not told.certain


def test_well_is_never_taken_from_a_part_of_what_was_said() -> None:
    told = interpret(replace(WHISPER, text="蛮好的就是有点头晕", meaning=None, agreed=False), ANSWER)
    assert told.meaning == "unwell"
    assert not told.certain


def test_shanghainese_is_not_certain_by_a_mandarin_engine() -> None:
    assert not interpret(VOSK, replace(ANSWER, language="wuu")).certain
    assert interpret(SCORER, replace(ANSWER, language="wuu")).certain


def test_no_match_and_nothing_heard_are_different() -> None:
    assert interpret(Hypothesis("今天天气不错", "whisper", 0.9), ANSWER).reason == "no-match"
    silent = interpret(Hypothesis("", "whisper", 0.0), ANSWER)
    assert (silent.meaning, silent.text, silent.reason) == (None, "", "nothing heard")


def test_distress_is_found_inside() -> None:
    assert interpret(Hypothesis("哎呀救命啊我在这里", "vosk", 0.4), ANSWER).meaning == "distress"


def told_by(
    engine: str, margin: float | None, meaning: str, text: str = "你大错了", agreed: bool | None = None
) -> str | None:
    heard = Hypothesis(text, engine, 0.9, meaning=meaning, phrase="不好", margin=margin, agreed=agreed)
    told = interpret(heard, ANSWER)
    assert not told.certain
    return told.meaning


def test_a_cry_for_help_may_be_less_sure_but_not_a_guess() -> None:
    assert told_by("whisper", -1.1, "distress") == "distress"
    assert told_by("whisper", -2.5, "distress") is None


@pytest.mark.parametrize("meaning", ["well", "unwell", "yes"])
def test_the_engine_s_own_choice_against_its_free_text_needs_the_margin(meaning: str) -> None:
    assert told_by("whisper", -0.1, meaning) is None
    assert told_by("whisper", None, meaning) is None
    assert told_by("whisper", 0.2, meaning) == meaning


def test_a_grammar_s_own_choice_against_the_free_text_is_nothing() -> None:
    assert told_by("vosk", None, "unwell", agreed=False) is None
    assert told_by("vosk", None, "distress", agreed=False) is None


def test_distress_counts_when_the_free_decoding_agrees() -> None:
    assert told_by("vosk", None, "distress", agreed=True) == "distress"


def test_what_the_text_says_needs_no_margin_to_lean_to_a_human() -> None:
    assert told_by("whisper", -2.0, "unwell", text="有点头晕") == "unwell"


def test_the_phrase_scorers_confidence_decides() -> None:
    """Its text is only how it sounded; it has compared the phrase with everything else already."""
    unsure = interpret(replace(SCORER, confidence=0.8), ANSWER)
    assert (unsure.meaning, unsure.certain, unsure.reason) == ("well", False, "confidence below the bar")
    unknown = interpret(replace(SCORER, confidence=0.4), ANSWER)
    assert (unknown.meaning, unknown.certain, unknown.reason) == (None, False, "no-match")
    short = interpret(replace(SCORER, phrase="好"), ANSWER)
    assert (short.meaning, short.certain, short.reason) == ("well", False, "one syllable")


def test_a_call_for_help_counts_when_the_spotter_found_it() -> None:
    cry = replace(SCORER, meaning="distress", phrase="救我", confidence=0.65)
    assert interpret(cry, ANSWER).meaning is None
    assert interpret(replace(cry, agreed=True), ANSWER).meaning == "distress"
    assert interpret(replace(cry, confidence=0.96), ANSWER).meaning == "distress"


def test_a_call_for_help_that_sounds_like_an_answer_must_be_nearly_sure() -> None:
    cry = replace(SCORER, meaning="distress", phrase="失火", confidence=0.87)
    assert interpret(cry, ANSWER).meaning == "distress"
    assert interpret(replace(cry, alike=True), ANSWER).meaning is None  # 是我
    assert interpret(replace(cry, alike=True, confidence=0.96), ANSWER).meaning == "distress"
