"""What the answers to a flow's questions tell it becomes what the line says."""

from __future__ import annotations

from pathlib import Path

from callflows import loader
from callflows.events import Person, Query, Say, Verdict
from ivr.secrecy import is_secret
from tests.unit.callflows.conversation import LI, WANG, Conversation

TELLER = loader.load(Path(__file__).parents[2] / "fakes/flows/teller.yaml")


def call(*people: Person) -> Conversation:
    return Conversation(*people, flow=TELLER)


def told(line: Conversation, word: str, **values: str) -> Conversation:
    line.feed(Verdict(word, values))
    return line


def test_what_an_answer_tells_is_said_from_then_on() -> None:
    line = told(call().presses("1").presses("3").presses("#"), "noted", until="十二月三号", weather="晴")
    assert line.words.startswith("好的,到十二月三号。")
    said = line.session.to_json()["state"]["told"]
    assert said == {"until": {"by": "away", "value": "十二月三号"}}  # what the flow doesn't know is kept nowhere


def test_what_was_told_is_personal() -> None:
    line = told(call().presses("1").presses("3").presses("#"), "noted", until="十二月三号")
    parts = [part for output in line.outputs if isinstance(output, Say) for part in output.parts]
    assert {part.text: part.personal for part in parts}["十二月三号"]
    assert "十二月" not in repr(Verdict("noted", {"until": "十二月三号"}))


def test_without_the_value_the_step_does_not_apply() -> None:
    assert told(call().presses("1").presses("3").presses("#"), "noted").said == ["bye.say"]


def test_a_new_answer_takes_the_place_of_all_that_the_last_one_told() -> None:
    line = told(call().presses("2"), "answered", number="一零零七", reply="修好了。")
    assert line.words == "案号一零零七。答复:修好了。请稍等。"
    assert told(line, "answered", number="一零零五").words == "案号一零零五。请稍等。"
    assert told(line, "answered").words == "案号零。请稍等。"


def test_another_question_s_answer_takes_nothing_away() -> None:
    line = told(call().presses("1").presses("3").presses("#"), "noted", until="三号")
    told(told(line.presses("2"), "answered", number="一零零七"), "none")
    assert line.session.to_json()["state"]["told"] == {"until": {"by": "away", "value": "三号"}}


def test_a_person_s_own_values_are_not_told_of_another() -> None:
    line = told(call(WANG, LI).presses("2"), "answered", number="一零零七", reply="修好了。")
    state = line.session.to_json()["state"]
    assert sorted(state["told"]) == ["0.number", "0.reply"]


def test_digits_that_are_no_secret_go_into_the_question_and_into_the_record() -> None:
    line = call().presses("1").presses("1").presses("4")
    asked = next(output for output in line.outputs if isinstance(output, Query))
    assert (asked.name, asked.value, asked.secret) == ("away", "14", False)
    assert not is_secret(asked)
    assert line.finding.detail["days"] == "14"
