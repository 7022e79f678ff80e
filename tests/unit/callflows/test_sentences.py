"""The voice rules of PRODUCT.md, held against the sentences of the shipped flow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from callflows.events import Hangup, Say
from callflows.flow import Flow
from callflows.wording import fill
from tests.unit.callflows.conversation import Conversation, daily

CHARACTERS_PER_S = 4.5  # slow speech, punctuation included in the pace
ANSWER_S = 1.0  # from the end of a question to the key
HAN = re.compile(r"[\u4e00-\u9fff0-9]")


@pytest.fixture
def flow() -> Flow:
    return daily()


def test_the_well_path_by_keys_stays_under_thirty_seconds() -> None:
    call = Conversation()
    spoken = call.words
    for key in "112":
        spoken += call.presses(key).words
    assert isinstance(call.outputs[-1], Hangup)
    seconds = len(HAN.findall(spoken)) / CHARACTERS_PER_S + 3 * ANSWER_S
    assert seconds < 30


def test_every_part_that_is_said_is_in_the_sentences_or_a_variable(flow: Flow) -> None:
    sentences = flow.sentences("zh")
    call = Conversation(notice="停水。")
    said = [call.outputs, *(call.presses(key).outputs for key in "1112")]
    parts = [part.text for outputs in said for output in outputs if isinstance(output, Say) for part in output.parts]
    unknown = set(parts) - set(sentences)
    assert unknown == {"王阿婆", "桃源居委会", "停水。"}
    assert len(sentences) == len(set(sentences))


def test_only_the_name_is_personal() -> None:
    personal = [
        part.text
        for output in Conversation().outputs
        if isinstance(output, Say)
        for part in output.parts
        if part.personal
    ]
    assert personal == ["王阿婆"]


def test_nothing_asks_for_money_papers_or_passwords(flow: Flow) -> None:
    text = "".join(flow.sentences("zh"))
    assert not re.search(r"身份证|密码|钱|银行|验证码|转账|卡号", text)


def test_every_greeting_names_committee_and_automatic_call(flow: Flow) -> None:
    for prompt in flow.steps["greet.ask"].prompts:
        text = "".join(piece.text for piece in prompt.texts["zh"])
        assert "自动语音电话" in text
        assert "committee" in text or "居委会" in text


def test_sentences_are_short(flow: Flow) -> None:
    for sentence in flow.sentences("zh"):
        for clause in re.split(r"[。?;!]", sentence):
            assert len(HAN.findall(clause)) <= 18, clause


SUGGESTED = re.compile(r"([^,。;?!]+),请按([0-9])")


def suggestions(flow: Flow) -> list[tuple[str, str, str, str]]:
    """(step, prompt, words, key) of everything that the prompts suggest to say or press; names spoken for."""
    found = []
    for step in flow.steps.values():
        for prompt in step.prompts:
            text = "".join("王阿婆" if piece.text == "name" else piece.text for piece in prompt.texts["zh"])
            found += [(step.name, prompt.name, words, key) for words, key in SUGGESTED.findall(text)]
    return found


BY_KEY_ALONE = {"notice.ask"}  # 没听懂 sounds like 听懂 on a telephone


def test_what_a_prompt_suggests_is_understood_and_has_two_syllables(flow: Flow) -> None:
    """Who repeats the words before "请按1" means key 1. One syllable is what a telephone swallows."""
    assert len(suggestions(flow)) > 40
    for step, prompt, words, key in suggestions(flow):
        if step in BY_KEY_ALONE:
            continue
        offered = {choice.meaning: fill(choice.phrases, "王阿婆") for choice in flow.offered(flow.steps[step])}
        meant = {choice.meaning for choice in flow.steps[step].choices if choice.key == key}
        said = words.removeprefix("王阿婆")
        assert len(said) >= 2, (prompt, words)
        ways = {meaning for meaning, phrases in offered.items() if said in phrases}
        same = {choice.exit.go for choice in flow.offered(flow.steps[step]) if choice.meaning in ways | meant}
        assert ways, f"{prompt} suggests {said}, which nobody listens for"
        assert ways <= meant or len(same) == 1, f"{prompt}: {said} means {ways}, key {key} means {meant}"


def test_no_prompt_speaks_of_voice_where_only_keys_work(flow: Flow) -> None:
    assert all("应一声" not in piece.text for piece in flow.steps["silence.keys"].prompts[0].texts["zh"])


def test_well_is_never_one_step_from_an_uncertain_ear(flow: Flow) -> None:
    for step in flow.steps.values():
        for choice in flow.offered(step):
            if choice.exit.result in ("well", "other_says_well"):
                assert choice.unsure in ("again", "health.confirm")


def test_phrases_of_both_tongues_are_listened_for(flow: Flow) -> None:
    health = {phrase: choice.meaning for choice in flow.offered(flow.steps["health.ask"]) for phrase in choice.phrases}
    expected = {"蛮好个": "well", "呒没事体": "well", "挺好的": "well", "勿适意": "unwell", "一夜天呒没睏好": "unwell"}
    expected |= {
        "不舒服": "unwell",
        "寻居委会": "talk",
        "我想跟人说话": "talk",
        "覅再打了": "refuse",
        "听勿清爽": "repeat",
    }
    assert {phrase: health[phrase] for phrase in expected} == expected
    assert {"救命", "掼跤了", "胸口痛", "透勿过气", "着火了", "我起不来了"} <= set(flow.distress)


def test_the_example_in_the_documentation_is_the_real_step(flow: Flow) -> None:
    root = Path(__file__).parents[3]
    example = (root / "docs" / "flows.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    shown = yaml.safe_load(example)
    real = yaml.safe_load(Path(flow.file).read_text(encoding="utf-8"))["steps"]["health.ask"]
    assert shown["health.ask"] == {**real, "answers": real["answers"][:3]}
