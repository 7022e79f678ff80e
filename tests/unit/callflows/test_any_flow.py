"""Whatever happens on the line, in every shipped flow and in one that is told much: one wait a turn, a session
survives JSON, a call ends."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from callflows import loader
from callflows.events import (
    CallContext,
    Dictate,
    DictationEnded,
    Distress,
    HandOver,
    Hangup,
    Heard,
    HungUp,
    Input,
    Key,
    Listen,
    MachineBeeped,
    NoInput,
    Output,
    Person,
    Query,
    Say,
    SpeechFailed,
    Started,
    TimeLimit,
    Verdict,
)
from callflows.findings import KEY_ONLY
from callflows.flow import Flow
from callflows.session import Session

TELLER = loader.load(Path(__file__).parents[2] / "fakes/flows/teller.yaml")
FLOWS = {name: loader.shipped(name) for name in loader.shipped_names()} | {TELLER.name: TELLER}
CALLERS = ("dispatch", "finding")  # rung to a responder who may be anybody
WHERE = "三号楼五零二室"
PEOPLE = tuple(
    Person(f"e{at}", name, variables=own)
    for at, (name, own) in enumerate(
        [
            ("王阿婆", {"why": "说身体不舒服", "where": WHERE}),
            ("李阿公", {"urgent": "yes", "shared": "yes"}),
            ("赵阿婆", {"key_holder": "陈阿姨"}),
            ("孙阿公", {}),
            ("钱阿婆", {"state": "还没联系的"}),
        ]
    )
)
STEPS = [step for flow in FLOWS.values() for step in flow.steps.values()]
MEANINGS = sorted({choice.meaning for step in STEPS for choice in step.choices})

flows = st.sampled_from(sorted(FLOWS)).map(FLOWS.__getitem__)
contexts = st.builds(
    CallContext,
    st.integers(1, 5).map(lambda many: PEOPLE[:many]),
    st.sampled_from([{}, {"pin": "yes"}, {"responder": "李阿姨", "shared": "yes"}]),
    st.booleans(),
)
heard = st.builds(
    Heard, st.just("话"), st.sampled_from([None, *MEANINGS]), st.floats(0, 1), st.just("vosk"), st.booleans()
)
WORDS = sorted({word for step in STEPS if step.query for word in step.query.verdicts})
VARIABLES = sorted({name for flow in FLOWS.values() for name in flow.variables})
values = st.dictionaries(st.sampled_from(VARIABLES), st.sampled_from(["", "一零零七"]), max_size=4)
verdicts = st.builds(Verdict, st.sampled_from([*WORDS, "", "perhaps"]), values)
dictated = st.sampled_from(
    [
        DictationEnded(5, 4, "话", 0.5, "vosk", "rec", ended_by, playable=playable)
        for ended_by in ("silence", "key", "hangup")
        for playable in (True, False)
    ]
)
rare = st.sampled_from(
    [Distress("救命", "vosk", 0.9), SpeechFailed("x"), MachineBeeped(), HungUp(), TimeLimit(), Started()]
)
events = st.one_of(
    st.builds(Key, st.sampled_from("0123456789*#111222"), st.integers(0, 6000)),
    st.builds(Key, st.sampled_from("1234"), st.integers(2000, 6000)),
    *(heard, st.just(NoInput()), verdicts, dictated, rare),
)
stories = st.lists(events, max_size=40)


def timed(story: list[Input]) -> list[Input]:
    """The keys' times are read as gaps, so that time never runs backwards."""
    at_ms, told = 0, []
    for event in story:
        if isinstance(event, Key):
            at_ms += event.at_ms
            event = replace(event, at_ms=at_ms)
        told.append(event)
    return told


def words(outputs: tuple[Output, ...]) -> str:
    return "".join(part.text for output in outputs if isinstance(output, Say) for part in output.parts)


@given(flows, contexts, stories)
@settings(max_examples=400, deadline=None)
def test_any_story_keeps_the_promises(flow: Flow, context: CallContext, story: list[Input]) -> None:
    session, twin = Session(flow, context), Session(flow, context)
    for event in timed([Started(), *story]):
        outputs = session.feed(event)
        waits = [output for output in outputs if isinstance(output, Listen | Dictate | Query | HandOver | Hangup)]
        assert not outputs or (len(waits) == 1 and waits[0] is outputs[-1])
        assert twin.feed(event) == outputs
        says = [output for output in outputs if isinstance(output, Say)]
        assert all(part.text or part.recording for say in says for part in say.parts)  # nothing unset is said
        twin = Session.from_json(flow, json.loads(json.dumps(twin.to_json())))
        assert (twin.findings, twin.wait, twin.over, twin.asking) == (
            session.findings,
            session.wait,
            session.over,
            session.asking,
        )
        if outputs:
            assert session.over == isinstance(outputs[-1], Hangup)
            assert session.asking == isinstance(outputs[-1], Query)
            assert session.wait == (outputs[-1] if isinstance(outputs[-1], Listen | Dictate) else None)
        assert [finding.person for finding in session.findings] == [person.id for person in context.people]
        assert all(finding.result in flow.results for finding in session.findings)


@given(flows, contexts, stories)
@settings(max_examples=400, deadline=None)
def test_what_only_a_key_may_mean_comes_from_a_key(flow: Flow, context: CallContext, story: list[Input]) -> None:
    """No machine, no television and no "是的" ever accepts, or says that somebody is fine."""
    session = Session(flow, context)
    before: tuple[str, ...] = ()
    for event in timed([Started(), *story]):
        session.feed(event)
        after = tuple(finding.result for finding in session.findings)
        changed = [now for was, now in zip(before, after, strict=False) if was != now]
        if any(result in KEY_ONLY for result in changed):
            assert isinstance(event, Key)
            assert all(finding.evidence == "key" for finding in session.findings if finding.result in KEY_ONLY)
        before = after


@pytest.mark.parametrize("name", CALLERS)
@given(contexts, stories)
@example(CallContext(PEOPLE[:2]), [MachineBeeped(), Key("0", 0), *[Key("0", 3001)] * 2])  # three times at the goodbye
@settings(max_examples=200, deadline=None)
def test_nobody_hears_an_elder_s_name_before_key_1(name: str, context: CallContext, story: list[Input]) -> None:
    session = Session(FLOWS[name], context)
    said = ""
    for event in timed([Started(), *story]):
        if isinstance(event, Key) and event.digit == "1":
            continue
        said += words(session.feed(event))
    assert not any(person.spoken_name in said for person in PEOPLE)
    assert WHERE not in said
    assert "身体不舒服" not in said
    harmless = {"not_reached", "wrong_person", "wants_person", "emergency"}
    assert {finding.result for finding in session.findings} <= harmless


@given(flows, contexts, stories)
@settings(max_examples=150, deadline=None)
def test_silence_ends_every_call(flow: Flow, context: CallContext, story: list[Input]) -> None:
    session = Session(flow, context)
    for event in timed([Started(), *story]):
        session.feed(event)
    for _ in range(200):
        session.feed(NoInput())
    assert session.over


@given(flows, contexts, st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_no_call_goes_round_for_ever(flow: Flow, context: CallContext, seed: int) -> None:
    dice, session, turns = random.Random(seed), Session(flow, context), 0
    session.feed(Started())
    favourite = dice.choice("0123456789*#")
    for at_ms in range(0, 10_000_000, 5000):
        key = favourite if dice.random() < 0.7 else dice.choice("01234*#")
        event = Verdict("right") if session.asking else Key(key, at_ms)
        turns += bool(session.feed(event if not isinstance(session.wait, Dictate) else NoInput()))
        assert turns < 500
        if session.over:
            return
        if any(finding.result == "emergency" for finding in session.findings):
            return  # goes on for as long as there is a sign


@given(flows, contexts, stories)
@settings(max_examples=150, deadline=None)
def test_without_consent_nothing_is_dictated(flow: Flow, context: CallContext, story: list[Input]) -> None:
    session = Session(flow, replace(context, consent_recording=False))
    for event in timed([Started(), *story]):
        for output in session.feed(event):
            assert not isinstance(output, Dictate)
            assert not (isinstance(output, Listen) and output.speech)
