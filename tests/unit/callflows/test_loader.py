"""A broken flow gives one clear error that names file and line. Every mistake is made in a small sound flow."""

from __future__ import annotations

from pathlib import Path

import pytest

from callflows import loader
from callflows.loader import FlowError

SOUND = """\
flow: small
version: 3
languages: [zh]
start: greet.ask
variables:
  committee: {about: the committee, default: 居委会}
  notice: {about: news of today}
acknowledge: 收到。
moments:
  emergency: help.bye
  machine: end.bye
  limit: end.bye
  emergency_limit: help.bye
  keys_only: end.bye
  next_person: greet.ask
anytime:
  - {key: "*", meaning: repeat, go: repeat}
  - {key: "0", meaning: talk, go: help.bye, result: wants_person}
steps:
  greet.ask:
    say: 这里是{committee}。{name}身体好,请按1;不好,请按2。
    again: 好,请按1;不好,请按2。
    again2: 好,请按1。
    answers:
      - {key: "1", meaning: well, go: news.say, result: well, unsure: again}
      - {key: "2", meaning: unwell, go: tell.ask, result: not_well}
    no_input: {go: end.bye, result: silent}
    no_match: end.bye
    hang_up: known
  news.say:
    only_if: notice
    else: end.bye
    say: 通知:{notice}
    go: end.bye
  tell.ask:
    say: 请讲。
    dictate: {keep_as: unwell}
    go: end.bye
    no_input: end.bye
    hang_up: {result: not_well}
  end.bye:
    say: 再会。
    go: done
  help.bye:
    say: 来人了。
    go: end_call
phrases:
  well: [蛮好, 很好]
  unwell: [不好, 头晕]
  talk: [找人]
  repeat: [再说一遍]
distress: [救命]
"""


def test_a_sound_flow_is_read() -> None:
    flow = loader.parse(SOUND, "small.yaml")
    assert (flow.name, flow.version, flow.distress) == ("small", 3, ("救命",))
    assert flow.steps["greet.ask"].place == ("small.yaml", 20)
    assert flow.sentences("zh")[:3] == ("收到。", "这里是", "。")
    assert "居委会" in flow.sentences("zh")
    assert flow.sentences("wuu") == ("居委会",)


# what is changed in the sound flow, into what, the line of the error, a piece of its sentence
MISTAKES = [
    ("version: 3", "version: soon", 2, "version must be a number"),
    ("version: 3", "version: 1.5", 2, "version must be a whole number"),
    ("version: 3", "colour: red", 2, 'unknown "colour" in the flow'),
    ("languages: [zh]", "languages: zh", 3, "languages must be a list"),
    ("languages: [zh]", "languages: []", 3, "languages is empty"),
    ("languages: [zh]", "languages: [zh, wuu]", 8, "the prompt acknowledge needs a text for each of zh, wuu"),
    ("start: greet.ask", "start: hello.ask", 4, 'start leads to "hello.ask", but there is no such step'),
    ("  notice: {about: news of today}", "  name: {about: x}", 7, '"name" can\'t be a variable'),
    ("  notice: {about: news of today}", "  notice: {}", 7, 'variable notice lacks "about"'),
    ("  limit: end.bye\n", "", 9, 'moments lacks "limit"'),
    ("  machine: end.bye", "  machine: robot.say", 11, 'moments: machine leads to "robot.say"'),
    ('{key: "*", meaning', '{key: "**", meaning', 17, 'key "**" is none of'),
    ("  end.bye:\n    say", "  end:\n    say", 41, '"end" can\'t be a step'),
    ("    say: 再会。", "    sai: 再会。", 42, 'unknown "sai" in step end.bye'),
    ("    say: 再会。\n", "    say: 再会。\n    say: 再见。\n", 43, '"say" stands twice in step end.bye'),
    ("    say: 再会。\n    go: done", "    say: 再会。", 41, 'step end.bye must say what follows: "go"'),
    ("    say: 再会。", '    say: ""', 42, "the prompt end.bye must be a text"),
    ("    hang_up: known\n", "", 20, 'step greet.ask waits, so it must say what follows on "hang_up"'),
    ("    no_match: end.bye\n", "", 20, 'what follows on "no_match"'),
    ("    no_input: {go: end.bye, result: silent}\n", "", 20, 'what follows on "no_input"'),
    ("    hang_up: known", "    hang_up: end.bye", 29, 'greet.ask: hang_up "end.bye" is none of known'),
    ("    no_match: end.bye", "    no_match: nowhere.ask", 28, 'no_match leads to "nowhere.ask", which is no step'),
    ("go: news.say, result: well", "go: news.ask, result: well", 25, 'the answer "well" leads to "news.ask"'),
    ("unsure: again", "unsure: nowhere.ask", 25, 'unsure of "well" leads to "nowhere.ask"'),
    ("result: not_well}\n    no_input", "result: ill}\n    no_input", 26, 'result "ill" is none of'),
    (", unsure: again", "", 25, 'the spoken answer "well" needs "unsure"'),
    ("    no_match: end.bye", "    no_match: {go: end.bye, result: well}", 28, 'only a clear answer may mean "well"'),
    (
        "meaning: unwell, go: tell.ask, result: not_well",
        "meaning: unwell, go: tell.ask, result: well",
        26,
        "can't mean",
    ),
    ("    say: 通知:{notice}", "    say: 通知:{news}", 33, "says {news}, an unknown variable (known: name, committee"),
    ("    only_if: notice\n    else: end.bye\n", "", 31, "says {notice}, which may be missing"),
    ("    else: end.bye\n", "", 30, '"only_if" and "else" belong together'),
    ("    only_if: notice", "    only_if: rain", 31, 'only_if "rain" is none of'),
    ("    say: 通知:{notice}", "    say: 通知:{notice", 33, "a brace without its partner"),
    ("    again2: 好,请按1。\n", "", 20, "needs two reprompts"),
    ("    again: 好,请按1;不好,请按2。\n", "", 22, 'has "again2" without "again"'),
    ("    again2: 好,请按1。", "    again2: 好,请按8。", 20, "names key 8, which step greet.ask doesn't know"),
    ("不好,请按2。\n    again:", "不好,请说。\n    again:", 26, "doesn't say 请按2 (unwell)"),
    ('{key: "2", meaning: unwell', '{key: "1", meaning: unwell', 26, "key 1 stands for well and unwell"),
    ("  unwell: [不好, 头晕]", "  unwell: [不好, 蛮好]", 26, '"蛮好" stands for well and unwell'),
    ("  unwell: [不好, 头晕]", "  unwell: [不好, 救命]", 26, '"救命" stands for distress and unwell'),
    ("  unwell: [不好, 头晕]", "  unwell: [不好, 不好]", 49, '"不好" stands twice in phrases: unwell'),
    (
        "meaning: well, go",
        "meaning: well, hear: [wel], go",
        25,
        'hear "wel" is no list of phrases, neither here nor in',
    ),
    ("distress: [救命]", 'distress: ["{fel}"]', 52, "distress: {fel} is neither a list that stands above nor one of"),
    (
        "    dictate: {keep_as: unwell}",
        "    dictate: {keep_as: unwell, max_seconds: 9000}",
        37,
        "a number from 5 to 600",
    ),
    ("    dictate: {keep_as: unwell}", "    dictate: {keep_as: unwell}\n    any_key: end.bye", 35, "make two steps"),
    ("    no_match: end.bye", "    no_match: end.bye\n    go: end.bye", 29, '"go" belongs to the answers'),
    ("    no_match: end.bye", "    no_match: end.bye\n    at_most: 2", 20, '"at_most" and "too_often" belong together'),
    ("    no_match: end.bye", "    no_match: end.bye\n    seconds: 0.5", 29, "seconds must be a number from 3 to 60"),
    ("    no_match: end.bye", "    no_match: end.bye\n    anytime: [dance]", 29, 'anytime "dance" is none of'),
    ("    no_match: end.bye", "    no_match: greet.ask", 20, "go round for ever: greet.ask → greet.ask"),
    (
        "  help.bye:\n",
        "  lost.bye:\n    say: 谁?\n    go: done\n  help.bye:\n",
        44,
        "step lost.bye can never be reached",
    ),
    ("flow: small", "flow: [small", 2, "not readable as YAML"),
    ("flow: small", "flow: small\n\tversion: 1", 2, "not readable as YAML"),
]


@pytest.mark.parametrize(("was", "becomes", "line", "sentence"), MISTAKES, ids=[m[3][:40] for m in MISTAKES])
def test_every_mistake_is_named_with_its_line(was: str, becomes: str, line: int, sentence: str) -> None:
    assert was in SOUND
    with pytest.raises(FlowError) as error:
        loader.parse(SOUND.replace(was, becomes, 1), "small.yaml")
    message = str(error.value)
    assert message.startswith(f"small.yaml:{line}: "), message
    assert sentence in message
    assert "\n" not in message


def test_five_choices_are_too_many() -> None:
    extra = "".join(f'      - {{key: "{key}", meaning: m{key}, go: end.bye}}\n' for key in "345")
    broken = SOUND.replace("    no_input: {go: end.bye", extra + "    no_input: {go: end.bye", 1)
    with pytest.raises(FlowError, match=r"small.yaml:20: step greet.ask offers 5 choices; nobody keeps more than 4"):
        loader.parse(broken, "small.yaml")


def test_a_prompt_missing_in_a_claimed_language() -> None:
    bilingual = SOUND.replace("languages: [zh]", "languages: [zh, wuu]").replace(
        "acknowledge: 收到。", "acknowledge: {zh: 收到。}"
    )
    with pytest.raises(FlowError, match=r'small.yaml:8: the prompt acknowledge is missing in the language "wuu"'):
        loader.parse(bilingual, "small.yaml")


@pytest.mark.parametrize("text", ["", "just words", "- a\n- list\n", "a: [1\n", "\x00"])
def test_what_is_no_flow_at_all(text: str) -> None:
    with pytest.raises(FlowError, match=r"^x.yaml:\d+: "):
        loader.parse(text, "x.yaml")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match=r"missing.yaml:1: the flow file can't be read: No such file"):
        loader.load(tmp_path / "missing.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FlowError, match="not UTF-8"):
        loader.load(binary)


def test_an_unknown_shipped_flow_lists_the_known_ones() -> None:
    with pytest.raises(FlowError, match=r"poem:1: no such flow .*daily_checkin"):
        loader.shipped("poem")
