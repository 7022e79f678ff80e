"""Templates of phrases: what they stand for, and what is said of wrong ones."""

from __future__ import annotations

import pytest

import lexicon
from callflows import loader
from callflows.loader import FlowError
from callflows.wording import WordingError, fill, spell
from tests.unit.callflows.test_loader import SOUND

LISTS = {"her": ("她", "老太太"), "good": ("蛮好", "很好")}


def test_a_template_stands_for_every_combination() -> None:
    assert spell("{her}{good}", LISTS) == ("她蛮好", "她很好", "老太太蛮好", "老太太很好")
    assert spell("今天{good}的", LISTS) == ("今天蛮好的", "今天很好的")
    assert spell("蛮好", LISTS) == ("蛮好",)


def test_the_name_is_filled_in_on_the_call() -> None:
    assert spell("我是{name}", LISTS) == ("我是{name}",)
    assert fill(("我是{name}", "是我"), "王阿婆") == ("我是王阿婆", "是我")


@pytest.mark.parametrize("template", ["{his}蛮好", "{}", "{her蛮好", "her}蛮好", "{her}}"])
def test_a_template_that_can_not_be_spelled(template: str) -> None:
    with pytest.raises(WordingError):
        spell(template, LISTS)


def test_a_list_may_name_the_lists_above_it() -> None:
    text = SOUND.replace("  well: [蛮好, 很好]\n", '  good: [蛮好, 很好]\n  well: ["{good}", "我{good}"]\n')
    flow = loader.parse(text, "small.yaml")
    assert flow.steps["greet.ask"].choices[0].phrases == ("蛮好", "很好", "我蛮好", "我很好")


def test_lists_that_a_flow_lacks_come_from_the_lexicon() -> None:
    book = lexicon.load()
    flow = loader.parse(SOUND.replace("  well: [蛮好, 很好]\n", '  well: ["{so_so}"]\n'), "small.yaml")
    assert flow.steps["greet.ask"].choices[0].phrases == book.phrases("so_so")
    bare = SOUND.split("phrases:\n")[0]
    flow = loader.parse(bare, "small.yaml")
    assert flow.steps["greet.ask"].choices[0].phrases == book.phrases("well")
    assert flow.distress == book.phrases("distress")
    heard = loader.parse(bare.replace("meaning: well,", "meaning: well, hear: [good, agree],"), "small.yaml")
    assert heard.steps["greet.ask"].choices[0].phrases == (*book.phrases("good"), *book.phrases("agree"))


def test_a_list_that_names_itself_adds_to_the_lexicon_s() -> None:
    text = SOUND.replace("  well: [蛮好, 很好]\n", '  well: ["{well}", 我都好]\n')
    text = text.replace("distress: [救命]", 'distress: ["{fell}", 救命]')
    flow = loader.parse(text, "small.yaml")
    assert flow.steps["greet.ask"].choices[0].phrases == (*lexicon.load().phrases("well"), "我都好")
    assert flow.distress == (*lexicon.load().phrases("fell"), "救命")


def test_a_list_of_the_flow_stands_before_the_lexicon_s() -> None:
    assert loader.parse(SOUND, "small.yaml").steps["greet.ask"].choices[0].phrases == ("蛮好", "很好")


@pytest.mark.parametrize(
    ("well", "sentence"),
    [
        ('  well: ["{good}"]\n  good: [蛮好]\n', "{good} is neither a list that stands above nor one of the lexicon"),
        (
            '  well: ["{goood}"]\n',
            "phrases: well: {goood} is neither a list that stands above nor one of the lexicon (meant: good?)",
        ),
        ('  well: ["{good"]\n', '"{good" has a brace without its partner'),
        ("  name: [蛮好]\n  well: [蛮好]\n", '"name" can\'t be a list of phrases'),
        (
            f"  a: [{', '.join(map(str, range(10, 60)))}]\n"
            f"  b: [{', '.join(map(str, range(10, 60)))}]\n"
            '  well: ["{a}{b}"]\n',
            "has 2500 phrases; more than 2000 take too long",
        ),
    ],
)
def test_a_wrong_template_names_file_and_line(well: str, sentence: str) -> None:
    with pytest.raises(FlowError) as error:
        loader.parse(SOUND.replace("  well: [蛮好, 很好]\n", well), "small.yaml")
    assert str(error.value).startswith("small.yaml:")
    assert sentence in str(error.value)
