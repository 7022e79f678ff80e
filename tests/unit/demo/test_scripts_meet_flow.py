"""Every virtual elder talks with the real flow, as text: what is expected comes of it whatever the ear is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from callflows import loader
from callflows.events import (
    CallContext,
    Dictate,
    DictationEnded,
    Distress,
    Heard,
    HungUp,
    Input,
    Key,
    Listen,
    NoInput,
    Output,
    Person,
    Say,
    Started,
)
from callflows.flow import Flow
from callflows.session import Finding, Session
from demo import scenario
from demo.scenario import Scenario, clip_texts
from ivr.virtual.elder import ANSWERED, CallScript, Reaction
from ivr.virtual.phone import PhoneKind
from speech import phrases

FLOW = loader.shipped("daily_checkin")
DISPATCH, FINDING = loader.shipped("dispatch"), loader.shipped("finding")
TEXTS = clip_texts()
Ear = Callable[[str, Listen | Dictate | None], Heard]


def hears_every_word(text: str, wait: Listen | Dictate | None) -> Heard:
    offered = {answer.meaning: answer.phrases for answer in wait.answers} if isinstance(wait, Listen) else {}
    found = phrases.match(text, {phrases.DISTRESS: FLOW.distress, **offered})
    if found is None:
        return Heard(text, None, 0.9, "text")
    return Heard(text, found.meaning, 0.9, "text", found.whole, found.phrase)


def is_never_sure(text: str, wait: Listen | Dictate | None) -> Heard:
    heard = hears_every_word(text, wait)
    return Heard(heard.text, heard.meaning, 0.2, "text", False, heard.phrase)


def understands_nothing(text: str, wait: Listen | Dictate | None) -> Heard:
    return Heard("嗡嗡", None, 0.1, "text")


class Talk:
    """One call as text; an elder reacts as ivr.virtual.behaviour does."""

    def __init__(self, script: CallScript, people: tuple[Person, ...], ear: Ear, flow: Flow = FLOW) -> None:
        told = {"committee": "甲居委会", "notice": "明天量血压。"} if flow is FLOW else {}
        self._session = Session(flow, CallContext(people, told))
        self._script, self._ear = script, ear
        self._times: Counter[str] = Counter()
        self._next = script.reaction(ANSWERED, 0)
        self._now_ms = 0

    def findings(self) -> tuple[Finding, ...]:
        self._listen(self._session.feed(Started()))
        for _ in range(100):
            if self._session.over:
                return self._session.findings
            for event in self._act():
                self._now_ms += 200
                self._listen(self._session.feed(event))
        raise AssertionError("the call does not end")

    def _listen(self, outputs: tuple[Output, ...]) -> None:
        says = [output.name for output in outputs if isinstance(output, Say)]
        self._now_ms += 5000 * bool(says)
        if says and self._next and self._next.into_next_s is not None:
            return  # spoken over: these prompts are not heard to their end
        for name in says:
            reaction = self._script.reaction(name, self._times[name])
            self._times[name] += 1
            self._next = reaction or self._next

    def _act(self) -> Iterator[Input]:
        reaction, self._next = self._next, self._next.then if self._next else None
        if reaction is None:
            yield _dictated("") if isinstance(self._session.wait, Dictate) else NoInput()
        elif reaction.hang_up:
            yield HungUp()
        elif reaction.say:
            yield from self._say(TEXTS[reaction.say.partition("/")[2]])
        else:
            yield from [Key(key, self._now_ms + 200 * at) for at, key in enumerate(reaction.press)]

    def _say(self, text: str) -> Iterator[Input]:
        heard = self._ear(text, self._session.wait)
        if heard.meaning == phrases.DISTRESS:
            yield Distress(text, "text", heard.confidence)
        if isinstance(self._session.wait, Dictate):
            finishes = self._next is not None and self._next.press == "#"
            self._next = None if finishes else self._next
            yield _dictated(text)
        elif heard.meaning != phrases.DISTRESS:
            yield heard


def _dictated(text: str) -> DictationEnded:
    recording = "call/dictation.ulaw" if text else ""
    return DictationEnded(3.0, 2.0 if text else 0.0, text, 0.8 if text else 0.0, "text", recording, "silence")


def talks(morning: Scenario, ear: Ear) -> Iterator[tuple[scenario.Elder, Finding]]:
    for script in morning.scripts:
        call = script.call(9)
        elders = [elder for elder in morning.elders if elder.number == script.number]
        if elders and call.phone is PhoneKind.ANSWERS and elders[0].state == "active":
            people = tuple(Person(elder.name, elder.spoken_name) for elder in elders)
            yield from zip(elders, Talk(call, people, ear).findings(), strict=True)


@pytest.mark.parametrize("ear", [hears_every_word, is_never_sure, understands_nothing])
@pytest.mark.parametrize("seed", range(25))
def test_what_is_expected_comes_of_it(seed: int, ear: Ear) -> None:
    morning = scenario.load(seed)
    wrong = []
    for elder, finding in talks(morning, ear):
        expected = elder.expected
        kept = all(finding.detail.get(name) for name in expected.keeps)
        if finding.result != expected.result or finding.evidence not in expected.evidence or not kept:
            wrong.append((elder.name, expected.result, finding))
    assert not wrong


@pytest.mark.parametrize("ear", [hears_every_word, is_never_sure])
@pytest.mark.parametrize("seed", range(25))
def test_a_cry_in_the_first_call_is_an_emergency(seed: int, ear: Ear) -> None:
    elder = next(elder for elder in scenario.load(seed).elders if elder.expected.reason == "emergency")
    script = next(script for script in scenario.load(seed).scripts if script.number == elder.number)
    (found,) = Talk(script.call(0), (Person("1", elder.spoken_name),), ear).findings()
    assert found.result == "emergency"


@pytest.mark.parametrize("flow", [DISPATCH, FINDING], ids=["dispatch", "finding"])
def test_people_who_are_rung_say_what_the_ladder_expects(flow: Flow) -> None:
    """Of two elders in one call both are answered, by key."""
    morning = scenario.load()
    said = {step for elder in morning.elders for step in elder.expected.ladder}
    for helper in morning.helpers:
        script = next(script for script in morning.scripts if script.number == helper.number)
        if script.call(0).phone is not PhoneKind.ANSWERS:
            continue
        people = (Person("1", "王阿婆"), Person("2", "何阿公"))
        results = {finding.result for finding in Talk(script.call(0), people, hears_every_word, flow).findings()}
        assert len(results) == 1, (helper.name, results)
        never_goes = flow is FINDING and f"{helper.spoken_name} declined" in said
        assert never_goes or f"{helper.spoken_name} {results.pop()}" in said


def test_with_good_ears_most_elders_need_no_key() -> None:
    by_speech = [finding for _, finding in talks(scenario.load(), hears_every_word) if finding.evidence == "speech"]
    assert len(by_speech) >= 8


def test_a_reaction_that_is_missing_would_be_noticed() -> None:
    """The driver can fail: an elder who says nothing is silent, not well."""
    silent = CallScript(reactions={})
    assert [finding.result for finding in Talk(silent, (Person("1", "王阿婆"),), hears_every_word).findings()] == [
        "silent"
    ]
    hasty = CallScript(reactions={ANSWERED: (Reaction(hang_up=True),)})
    assert Talk(hasty, (Person("1", "王阿婆"),), hears_every_word).findings()[0].result == "hung_up"
