"""Whatever happens on the line: the session never breaks, it ends, and no "well" comes of an unclear answer."""

from __future__ import annotations

import json
import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from callflows import loader
from callflows.events import (
    Alarm,
    CallContext,
    Dictate,
    DictationEnded,
    Distress,
    HandedOver,
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
    Say,
    SpeechFailed,
    Started,
    StopPlaying,
    TimeLimit,
)
from callflows.findings import RESULTS
from callflows.session import Session

FLOW = loader.shipped("daily_checkin")
PEOPLE = (Person("a", "王阿婆"), Person("b", "李阿公", "wuu"), Person("c", "张阿婆"))
PHRASES = sorted(
    {
        (choice.meaning, phrase)
        for step in FLOW.steps.values()
        for choice in FLOW.offered(step)
        for phrase in choice.phrases
    }
)
# Where an answer may make an elder well: node → the keys and meanings that do.
WELL_KEYS = {("health", "1"), ("health.confirm", "1")}
WELL_WORDS = {("health", "well"), ("health.confirm", "well"), ("health.confirm", "yes")}
MORE_THAN_A_CALL = 400  # inputs

contexts = st.builds(
    CallContext,
    st.integers(1, 3).map(lambda many: PEOPLE[:many]),
    st.sampled_from(
        [{}, {"committee": "桃源居委会", "duty": "1"}, {"committee": "桃源居委会", "notice": "明天停水。"}]
    ),
    st.booleans(),
)
texts = st.sampled_from(["", " ", "嗯", "今天天气不错", "不好", "救命"])
heard = st.builds(
    lambda said, certain, confidence: Heard(said[1], said[0], confidence, "vosk", certain, said[1]),
    st.sampled_from([*PHRASES, ("dance", "跳舞"), ("distress", "救命")]),
    st.booleans(),
    st.floats(0, 1),
) | st.builds(Heard, texts, st.none(), st.floats(0, 1), st.just("vosk"))
dictated = st.builds(
    DictationEnded,
    st.floats(0, 180),
    st.floats(0, 180),
    texts,
    st.floats(0, 1),
    st.just("vosk"),
    st.sampled_from(["", "rec-1", "rec-2"]),
    st.sampled_from(["silence", "key", "limit", "hangup"]),
    st.sampled_from(["", "unwell", "message.record", "emergency"]),
)
ordinary = st.one_of(
    st.builds(Key, st.sampled_from("0123456789*#1122"), st.integers(0, 6000)),
    heard,
    heard,
    st.just(NoInput()),
    dictated,
)
rare = st.one_of(
    st.builds(Distress, texts, st.just("vosk"), st.floats(0, 1)),
    st.just(SpeechFailed("no weights")),
    st.just(MachineBeeped()),
    st.just(HungUp()),
    st.just(TimeLimit()),
    st.just(Started()),
    st.builds(HandedOver, st.booleans()),
)
stories = st.lists(st.one_of(ordinary, ordinary, ordinary, ordinary, ordinary, rare), max_size=40)


def timed(events: list[Input]) -> list[Input]:
    """The keys' times are read as gaps, so that time never runs backwards."""
    at_ms, told = 0, []
    for event in events:
        if isinstance(event, Key):
            at_ms += event.at_ms
            event = replace(event, at_ms=at_ms)
        told.append(event)
    return told


def check_outputs(outputs: tuple[Output, ...]) -> None:
    if not outputs:
        return
    waits = [output for output in outputs if isinstance(output, Listen | Dictate | HandOver | Hangup)]
    assert len(waits) == 1
    assert waits[0] is outputs[-1]
    stops = [at for at, output in enumerate(outputs) if isinstance(output, StopPlaying)]
    assert stops in ([], [0])
    for output in outputs:
        if isinstance(output, Say):
            assert output.parts
            assert all(part.text for part in output.parts)


@given(contexts, stories)
@settings(max_examples=300, deadline=None)
def test_any_story_keeps_the_promises(context: CallContext, story: list[Input]) -> None:
    session, twin = Session(FLOW, context), Session(FLOW, context)
    alarmed: set[str] = set()
    for event in timed([Started(), *story]):
        outputs = session.feed(event)
        check_outputs(outputs)
        alarmed |= {output.person for output in outputs if isinstance(output, Alarm)}
        # The twin is written down and read again after every event.
        assert twin.feed(event) == outputs
        twin = Session.from_json(FLOW, json.loads(json.dumps(twin.to_json())))
        assert twin.to_json() == session.to_json()
        assert twin.findings == session.findings
        assert (twin.wait, twin.over) == (session.wait, session.over)
        if outputs:
            assert session.over == isinstance(outputs[-1], Hangup)
            handed = isinstance(outputs[-1], HandOver)
            assert session.wait == (None if session.over or handed else outputs[-1])
            assert session.handing == (outputs[-1] if handed else None)
        findings = session.findings
        assert [finding.person for finding in findings] == [person.id for person in context.people]
        assert all(finding.result in RESULTS for finding in findings)
        assert all(finding.evidence in ("key", "speech", "none") for finding in findings)
        for finding in findings:
            assert (finding.person in alarmed) == (finding.result == "emergency")


@given(contexts, stories)
@settings(max_examples=300, deadline=None)
def test_never_a_well_without_a_clear_answer(context: CallContext, story: list[Input]) -> None:
    session = Session(FLOW, context)
    before = ["hung_up"] * len(context.people)
    for event in timed([Started(), *story]):
        node = session.wait.node if session.wait else None
        # After a hang-up the step that listened still counts for what is recognised late.
        node = node or session.to_json()["state"]["step"].removesuffix(".ask")
        session.feed(event)
        after = [finding.result for finding in session.findings]
        for was, now in zip(before, after, strict=True):
            if now == "well" and was != "well":
                if isinstance(event, Key):
                    assert (node, event.digit) in WELL_KEYS
                else:
                    assert isinstance(event, Heard)
                    assert event.certain
                    assert len(event.phrase or "") > 1
                    assert (node, event.meaning) in WELL_WORDS
        before = after


@given(contexts, stories)
@settings(max_examples=200, deadline=None)
def test_silence_ends_every_call(context: CallContext, story: list[Input]) -> None:
    """From wherever a story leads, nobody saying anything more brings the call to its end."""
    session = Session(FLOW, context)
    for event in timed([Started(), *story]):
        session.feed(event)
    for _ in range(MORE_THAN_A_CALL):
        if session.over:
            break
        session.feed(NoInput())
    assert session.over
    ended = [finding.result for finding in session.findings]
    if not any(isinstance(event, HungUp | TimeLimit | DictationEnded) for event in story) and "emergency" not in ended:
        assert "hung_up" not in ended or "wrong_number" in ended


@given(contexts, st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_no_call_goes_round_for_ever(context: CallContext, seed: int) -> None:
    """Every turn is one of a bounded number, whatever the elder says and presses (what changes nothing is no turn)."""
    dice, session, turns = random.Random(seed), Session(FLOW, context), 0
    session.feed(Started())
    favourite = one_event(dice, 0)  # somebody who always says the same comes round soonest
    for at_ms in range(0, 4 * MORE_THAN_A_CALL * 5000, 5000):
        again = dice.random() < 0.7
        event = replace(favourite, at_ms=at_ms) if again and isinstance(favourite, Key) else favourite
        turns += bool(session.feed(event if again else one_event(dice, at_ms)))
        assert turns < MORE_THAN_A_CALL
        if session.over or "emergency" in {finding.result for finding in session.findings}:
            return  # an emergency goes on for as long as there is a sign, up to the call's hard limit


def one_event(dice: random.Random, at_ms: int) -> Input:
    kind = dice.randrange(4)
    if kind == 0:
        return Key(dice.choice("0123456789*#"), at_ms)
    if kind == 1:
        return Heard("嗯嗯", None, 0.5, "vosk")
    if kind == 2:
        meaning, phrase = dice.choice(PHRASES)
        return Heard(phrase, meaning, 0.9, "vosk", dice.random() < 0.5, phrase)
    return DictationEnded(5, 4, "好", 0.5, "vosk", "rec", "silence")


@given(contexts, stories, st.data())
@settings(max_examples=150, deadline=None)
def test_a_cry_for_help_is_heard_at_any_moment(context: CallContext, story: list[Input], data: st.DataObject) -> None:
    session = Session(FLOW, context)
    for event in timed([Started(), *story[: data.draw(st.integers(0, len(story)))]]):
        session.feed(event)
    known = {finding.result for finding in session.findings}
    outputs = session.feed(Distress("救命", "vosk", 0.9))
    if "emergency" not in known:
        assert [output for output in outputs if isinstance(output, Alarm)]
    assert "emergency" in {finding.result for finding in session.findings}
    for event in timed(story):
        session.feed(event)
        assert "emergency" in {finding.result for finding in session.findings}


LONG_SILENCE = 15  # waits of 20 s
signs = st.lists(
    st.builds(Key, st.sampled_from("0123456789*#"), st.integers(0, 6000))
    | heard
    | st.builds(Heard, st.sampled_from(["", "嗯", "啊啊"]), st.none(), st.floats(0, 1), st.just("vosk"))
    | st.sampled_from([Distress("救命", "vosk", 0.9), SpeechFailed("crashed"), MachineBeeped(), Started()])
    | dictated.filter(lambda event: event.ended_by != "hangup"),
    max_size=60,
)


@given(contexts, stories, signs, st.data())
@settings(max_examples=150, deadline=None)
def test_no_sign_of_life_ever_ends_an_emergency(
    context: CallContext, story: list[Input], more: list[Input], data: st.DataObject
) -> None:
    """Only the call's limit, a hang-up or a long silence does."""
    session = Session(FLOW, context)
    for event in timed([Started(), *story]):
        session.feed(event)
        if session.over:
            return
    session.feed(Distress("救命", "vosk", 0.9))
    for event in timed(more):
        session.feed(event)
        if isinstance(event, Key | Heard):
            for _ in range(data.draw(st.integers(0, 2))):
                session.feed(NoInput())
        assert not session.over
    session.feed(Key("5", 10**9))  # nothing in a dictation, which ends by itself
    for _ in range(LONG_SILENCE):
        session.feed(NoInput())
        assert not session.over


@given(stories)
@settings(max_examples=100, deadline=None)
def test_without_consent_nothing_is_dictated_and_nothing_spoken_is_asked_for(story: list[Input]) -> None:
    session = Session(FLOW, CallContext(PEOPLE[:2], {}, consent_recording=False))
    for event in timed([Started(), *story]):
        for output in session.feed(event):
            assert not isinstance(output, Dictate)
            assert not (isinstance(output, Listen) and output.speech)
