"""The scenario: whole for every seed, repeatable, and nobody in it can really be rung."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random

import phonenumbers
import pytest
import yaml

from callflows import loader
from callflows.flow import Flow
from checkins.results import Result, Status
from demo import clips, scenario
from demo.scenario import Scenario, clip_texts, clip_voices
from ivr.virtual.elder import ANSWERED, CallScript, Reaction, ScriptError
from ivr.virtual.phone import PhoneKind

SEEDS = range(50)


@pytest.fixture(scope="module")
def mornings() -> list[Scenario]:
    return [scenario.load(seed) for seed in SEEDS]


def reactions(script: CallScript) -> Iterator[Reaction]:
    for listed in script.reactions.values():
        for reaction in listed:
            step: Reaction | None = reaction
            while step:
                yield step
                step = step.then


def clips_of(morning: Scenario) -> set[str]:
    calls = [call for script in morning.scripts for call in script.calls]
    said = {reaction.say for call in calls for reaction in reactions(call) if reaction.say}
    return said | {call.greeting for call in calls if call.greeting}


def test_a_morning_has_24_elders_and_the_people_who_look_after_them(mornings: list[Scenario]) -> None:
    for morning in mornings:
        assert len(morning.elders) == len({elder.name for elder in morning.elders}) == 24
        assert Counter(helper.role for helper in morning.helpers) == {"buddy": 5, "staff": 3, "family": 1}


def test_expectations_are_whole_and_do_not_hang_on_the_seed(mornings: list[Scenario]) -> None:
    for morning in mornings:
        assert [elder.expected for elder in morning.elders] == [elder.expected for elder in mornings[0].elders]
    expected = [elder.expected for elder in mornings[0].elders]
    wanted = {"well", "not_well", "wants_person", "other_says_well", "other_says_unwell", "wrong_number", "refused"}
    wanted |= {"present_unconfirmed", "silent", "busy"}
    assert {one.result for one in expected if one.result} == {Result(word) for word in wanted}
    assert [one.status for one in expected].count(None) == 1, "the paused elder has no case"
    assert {one.status for one in expected if one.status} == {Status.CLOSED}
    assert all(bool(one.reason) == bool(one.by) for one in expected), "a person closes it by name"
    assert sum(bool(one.ladder) for one in expected) == 5
    assert {"unreached", "off_hook", "emergency"} <= {one.reason for one in expected}
    assert all("none" not in one.evidence for one in expected if one.result is Result.WELL)


def test_nobody_of_the_demo_can_be_rung(mornings: list[Scenario]) -> None:
    morning = mornings[0]
    numbers = [elder.number for elder in morning.elders] + [helper.number for helper in morning.helpers]
    assert not any(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)
    shared = [number for number, count in Counter(numbers).items() if count > 1]
    assert len(shared) == 1, "one telephone serves two elders"
    assert Counter(script.number for script in morning.scripts) == Counter(set(numbers))


def test_the_same_seed_gives_the_same_morning_and_another_one_another(mornings: list[Scenario]) -> None:
    assert [scenario.load(seed) for seed in SEEDS] == mornings
    assert len({repr(morning.scripts) for morning in mornings}) == len(mornings)
    assert len({tuple(elder.slot for elder in morning.elders) for morning in mornings}) > 40
    assert len({tuple(sorted(clips_of(morning))) for morning in mornings}) > 40


def test_long_calls_begin_first_and_lines_stay_full(mornings: list[Scenario]) -> None:
    for morning in mornings:
        waves = Counter(elder.slot for elder in morning.elders)
        assert max(waves.values()) <= 13
        first = sorted(elder.number for elder in morning.elders if elder.slot == min(waves))
        lengthy = {elder.number for elder in morning.elders if elder.expected.result == "silent"}
        assert lengthy == set(first[:2])


def test_many_elders_try_their_voice_first(mornings: list[Scenario]) -> None:
    for morning in mornings:
        calls = [script.call(9) for script in morning.scripts if script.call(9).phone is PhoneKind.ANSWERS]
        speaking = [call for call in calls if any(one.say for one in reactions(call))]
        assert len(speaking) >= 8


def test_whoever_speaks_to_a_menu_presses_a_key_at_the_last(mornings: list[Scenario]) -> None:
    """So the expected result does not hang on a recogniser."""
    for morning in mornings:
        for call in (script.call(0) for script in morning.scripts):
            for prompt, listed in call.reactions.items():
                node = prompt.removesuffix(".ask")
                if prompt in ("greet.ask", "health.ask", "message.ask") and listed[0].say:
                    last = call.reaction(f"{node}.again2", 0)
                    assert last is not None, prompt
                    assert last.press, prompt


def test_every_clip_is_written_down_and_packed(mornings: list[Scenario]) -> None:
    packed = clips.load()
    for voice in clip_voices():
        assert {name for name in packed if name.startswith(f"{voice}/")} == {f"{voice}/{key}" for key in clip_texts()}
    for morning in mornings:
        assert all(name in packed for name in clips_of(morning))


@pytest.fixture(scope="module")
def flows() -> list[Flow]:
    return [loader.shipped(name) for name in ("daily_checkin", "dispatch", "finding", "alarm")]


def test_every_prompt_that_somebody_reacts_to_exists(mornings: list[Scenario], flows: list[Flow]) -> None:
    prompts = {prompt.name for flow in flows for step in flow.steps.values() for prompt in step.prompts}
    calls = [call for script in mornings[0].scripts for call in script.calls]
    for pattern in {name for call in calls for name in call.reactions} - {ANSWERED}:
        assert any(fnmatchcase(prompt, pattern) for prompt in prompts), f"no prompt {pattern}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"expect": {}}, "scenario.yaml: 王一.expect: needs a status"),
        ({"expect": {"status": "fine"}}, "王一.expect: 'fine' is not a valid Status"),
        ({"expect": {"status": "needs_person"}}, "王一.expect: why a person is needed"),
        ({"expect": {"status": "none", "colour": 1}}, "王一.expect: unknown colour"),
        ({"number": "+86 21"}, "王一.number: "),
        ({"number": "+862110001001", "shares": "王一", "manners": ["proud"]}, "no manner 'proud'"),
        ({"shoes": 2}, "王一: unknown shoes"),
        ({"buddies": ["王二"]}, "王一.buddies: nobody is called 王二"),
        ({"expect": {"status": "none", "by": "王二"}}, "王一.expect.by: nobody is called 王二"),
        ({"reactions": {"greet.ask": {"say": "poem"}}}, r'greet\.ask\.say: no clip "z._\w+/poem"'),
    ],
)
def test_a_mistake_in_the_scenario_names_its_place(tmp_path: Path, change: dict[str, object], message: str) -> None:
    elder = {"name": "王一", "spoken": "王阿婆", "number": "+862110001001", "expect": {"status": "none"}}
    told = {"name": "甲", "committee": "甲居委会", "notice": "", "waves": {"08:00": 1}, "manners": {}}
    file = tmp_path / "scenario.yaml"
    nobody = {"staff": [], "buddies": [], "family": [], "roster": {"duty": []}}
    file.write_text(yaml.safe_dump({**told, **nobody, "elders": [elder | change]}), "utf-8")
    with pytest.raises(ScriptError, match=message):
        scenario.load(Random(0).randrange(9), file)
