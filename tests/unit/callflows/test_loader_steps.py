"""Own results, digits, choosing persons, questions to the house: what the check refuses, with file and line."""

from __future__ import annotations

import pytest

from callflows import loader
from callflows.flow import Exit
from callflows.loader import FlowError

SOUND = """\
flow: small
version: 1
languages: [zh]
start: code.ask
results: [nothing, failed, visited_fine]
variables:
  why: {about: the reason, default: 有事, usual: [有事, 急事], per_person: true}
acknowledge: 收到。
moments: {emergency: e.bye, machine: e.bye, limit: e.bye, emergency_limit: e.bye, keys_only: e.bye, next_person: e.bye}
anytime:
  - {key: "*", meaning: repeat, go: repeat}
  - {key: "0", meaning: talk, go: e.bye}
steps:
  code.ask:
    say: 请按号码。
    again: 请按号码。
    again2: 请按键。
    at_most: 3
    too_often: {go: e.bye, result: failed, everyone: true}
    digits: {keep_as: code, least: 4, most: 6, secret: true}
    go: code.check
    no_input: e.bye
    no_match: e.bye
    hang_up: known
  code.check:
    say: 请稍等。
    query: code
    verdicts: {right: list.ask, wrong: code.ask}
    no_verdict: e.bye
    hang_up: known
  list.ask:
    say: 哪一位?
    again: 哪一位?
    again2: 请按键。
    pick: {each: "{why}的{name},请按{key}。", more: "其他,请按4。", go: seen.ask, none: e.bye}
    no_input: e.bye
    no_match: e.bye
    hang_up: known
  seen.ask:
    say: "{name}没事,请按1;记错了,请按2。"
    again: 没事,请按1。
    again2: 请按1。
    at_most: 5
    too_often: e.bye
    answers:
      - {key: "1", meaning: fine, go: list.ask, result: visited_fine}
      - {key: "2", meaning: mistake, go: list.ask, forget: true}
    no_input: e.bye
    no_match: e.bye
    hang_up: known
  e.bye:
    say: 再会。
    go: end_call
"""


def test_a_sound_flow_is_read() -> None:
    flow = loader.parse(SOUND, "small.yaml")
    assert flow.results == ("nothing", "failed", "visited_fine", "emergency")
    assert {"的", ",请按1。", ",请按4。", "其他,请按4。", "有事", "急事"} <= set(flow.sentences("zh"))
    assert flow.variables["why"].personal
    assert flow.steps["code.ask"].too_often == Exit("e.bye", "failed", everyone=True)
    assert [choice.forget for choice in flow.steps["seen.ask"].choices] == [False, True]
    assert flow.steps["code.ask"].anytime == ("repeat",), "0 is a digit there"


# what is changed in the sound flow, into what, the line of the error, a piece of its sentence
MISTAKES = [
    ("results: [nothing,", "results: [Nothing,", 5, '"Nothing" can\'t be a result'),
    ("results: [nothing,", "results: [emergency,", 5, '"emergency" can\'t be a result'),
    ("results: [nothing,", "results: [nothing, nothing,", 5, '"nothing" stands twice in results'),
    ("result: failed", "result: well", 19, 'result "well" is none of'),
    ("  why: {", "  key: {", 7, '"key" can\'t be a variable'),
    ("per_person: true", "per_person: maybe", 7, "per_person must be true or false"),
    ("least: 4, most: 6", "least: 4, most: 3", 20, "most must be a number from 4 to 20"),
    ("least: 4, ", "", 20, 'digits lacks "least"'),
    ("    go: code.check\n", "", 14, 'waits, so it must say what follows on "go"'),
    ("go: code.check", "go: e.bye", 14, "secret digits are kept nowhere, so they must lead to a query"),
    ("    again2: 请按键。\n    at_most: 3", "    at_most: 3", 14, "needs two reprompts"),
    ("    no_verdict: e.bye\n", "", 25, 'what follows on "no_verdict"'),
    ("    verdicts: {right: list.ask, wrong: code.ask}\n", "", 25, 'what follows on "verdicts"'),
    ("wrong: code.ask}", "wrong: nowhere.ask}", 28, 'the verdict "wrong" leads to "nowhere.ask"'),
    ("wrong: code.ask}", "wrong: {go: code.ask, result: visited_fine}}", 28, 'only a key may mean "visited_fine"'),
    ("    say: 哪一位?", "    say: 哪一位?{name}?", 32, "says {name} before anybody is chosen"),
    ("    say: 哪一位?", "    say: 哪一位{why}?", 32, "says {why} before anybody is chosen"),
    (",请按{key}。", ",请按1。", 31, '"each" must say 请按{key}'),
    ("其他,请按4", "其他,请按5", 31, '"more" must say 请按4'),
    ("go: seen.ask, none", "go: end_call, none", 35, 'go of pick leads to "end_call"'),
    (", none: e.bye}", "}", 35, 'list.ask: pick lacks "none"'),
    ("go: list.ask, result", "go: done, result", 46, 'leads to "done", but persons are chosen: use "end_call"'),
    ("meaning: fine, go", "meaning: fine, hear: [well], go", 46, 'only a key may mean "visited_fine"'),
    ("true}\n    no_input: e.bye", "true}\n    no_input: {go: e.bye, result: visited_fine}", 48, "only a key may mean"),
    ("hang_up: known\n  e.bye", "hang_up: {result: visited_fine}\n  e.bye", 50, "only a key may mean"),
    ("    query: code", "    query: code\n    any_key: e.bye", 25, "several things at once (query and answers)"),
    ("    digits: {", "    dictate: {keep_as: x}\n    digits: {", 14, "several things at once (dictate and digits)"),
    ("    at_most: 3\n    too_often: {go: e.bye, result: failed, everyone: true}\n", "", 14, "can go round for ever"),
]  # fmt: skip


@pytest.mark.parametrize(("was", "becomes", "line", "sentence"), MISTAKES, ids=[m[3][:40] for m in MISTAKES])
def test_every_mistake_is_named_with_its_line(was: str, becomes: str, line: int, sentence: str) -> None:
    assert was in SOUND
    with pytest.raises(FlowError) as error:
        loader.parse(SOUND.replace(was, becomes, 1), "small.yaml")
    message = str(error.value)
    assert sentence in message
    assert message.startswith(f"small.yaml:{line}: "), message
