"""What the answers to a flow's questions tell it becomes what the line says."""

from __future__ import annotations

from pathlib import Path

import pytest

from callflows import loader
from callflows.events import CallContext, DictationEnded, Person, Query, Say, Verdict
from callflows.session import Session
from callflows.text_runner import TextLine
from ivr.secrecy import is_secret
from tests.unit.callflows.conversation import LI, WANG, Conversation

FILE = Path(__file__).parents[2] / "fakes/flows/teller.yaml"
TELLER = loader.load(FILE)


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


def test_a_question_about_something_hands_over_what_was_told_of_it() -> None:
    line = Conversation(WANG, flow=loader.shipped("reply")).presses("1")
    told(line, "reply", number="一零零七", reply="修好了。").presses("1")
    asked = line.outputs[-1]
    assert isinstance(asked, Query)
    assert (asked.name, asked.value) == ("reply.solved", "一零零七")


# ── recordings ───────────────────────────────────────────────────────────────────────────────────


def played(line: Conversation) -> list[str]:
    return [part.recording for output in line.outputs if isinstance(output, Say) for part in output.parts]


def test_a_recording_is_played_in_its_place() -> None:
    line = told(call().presses("2"), "answered", number="一零零七", reply_audio="2026/11/29/r-1.ulaw")
    assert line.said == ["status.number", "status.play", "status.look"]
    assert [path for path in played(line) if path] == ["2026/11/29/r-1.ulaw"]
    parts = [part for output in line.outputs if isinstance(output, Say) for part in output.parts]
    assert [part.personal for part in parts if part.recording] == [True]


def test_what_was_dictated_is_read_back() -> None:
    line = call().presses("3").dictates("路灯坏了", recording="a.ulaw")
    assert line.said == ["complaint.back", "complaint.ask"]
    assert played(line)[:2] == ["", "a.ulaw"]
    line.presses("*")  # repeat
    assert "a.ulaw" in played(line)


def test_what_is_dictated_again_takes_its_place() -> None:
    line = call().presses("3").dictates("路灯坏了", recording="a.ulaw").presses("2")
    assert "a.ulaw" not in played(line.dictates("楼道灯坏了", recording="b.ulaw"))
    assert line.session.to_json()["state"]["told"] == {"complaint": {"by": "", "value": "b.ulaw"}}


def test_a_recording_that_is_not_here_is_not_read_back_and_neither_is_the_one_before() -> None:
    line = call().presses("3").dictates("路灯坏了", recording="a.ulaw").presses("2")
    line.feed(DictationEnded(6, 4, "", 0, "", "b.ulaw", "key", "complaint.record", playable=False))
    assert line.said == ["complaint.ask"]


def test_who_says_nothing_hears_nothing_back() -> None:
    line = call().presses("3")
    line.feed(DictationEnded(8, 0, "", 0, "", "a.ulaw", "key", "complaint.record"))
    assert line.said == ["bye.say"]
    assert line.session.to_json()["state"]["told"] == {}


def test_the_text_runner_shows_what_is_played_and_takes_values() -> None:
    shown: list[str] = []
    line = TextLine(Session(TELLER, CallContext((WANG,))), (), shown.append)
    line.start()
    for typed in ("3", "路灯坏了", "1"):
        line.type(typed)
    assert "complaint.back: 您刚才说的是:〔录音 dictation1〕" in shown
    line = TextLine(Session(TELLER, CallContext((WANG,))), (), shown.append)
    line.start()
    for typed in ("2", "answered number=一零零七 reply=修好了。"):
        line.type(typed)
    assert "status.number: 案号一零零七。" in shown


@pytest.mark.parametrize(
    ("declared", "fault"),
    [
        ("audio: true, default: 无", 'leave out "default"'),
        ("audio: true, usual: [无]", 'leave out "usual"'),
        ("audio: maybe", "audio must be true or false"),
    ],
)
def test_a_recording_can_not_be_rendered_ahead(declared: str, fault: str) -> None:
    text = FILE.read_text().replace("has dictated, audio: true", f"has dictated, {declared}")
    with pytest.raises(loader.FlowError, match=fault):
        loader.parse(text, "teller.yaml")


def test_a_recording_needs_a_guard() -> None:
    text = FILE.read_text().replace("    only_if: complaint\n    else: complaint.ask\n", "")
    with pytest.raises(loader.FlowError, match='which may be missing: add "only_if: complaint"'):
        loader.parse(text, "teller.yaml")


def test_what_was_dictated_goes_with_the_question_right_after_it() -> None:
    flow = loader.shipped("record_prompts")

    def asked(*, playable: bool) -> Query:
        line = Conversation(WANG, flow=flow)
        for keys, word in (("1357#", "right"), ("1", "noted"), ("237926", "found")):
            for key in keys:
                line.presses(key)
            line.feed(Verdict(word, {"sentence": "收到。"} if word == "found" else {}))
        line.feed(DictationEnded(2, 1, "", 0, "", "a.ulaw", "key", "record.take", playable=playable))
        return next(output for output in line.outputs if isinstance(output, Query))

    assert (asked(playable=True).value, asked(playable=False).value) == ("a.ulaw", "")
