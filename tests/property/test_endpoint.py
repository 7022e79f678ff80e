"""The endpointer holds for every pattern of speech and silence."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from speech.endpoint import Endpointer, EndpointRules, SpeechEnded, SpeechStarted

FRAME = bytes(320)
patterns = st.lists(st.tuples(st.booleans(), st.integers(1, 80)), max_size=12).map(
    lambda runs: [voiced for voiced, count in runs for _ in range(count)]
)
rules = st.builds(
    EndpointRules,
    silence_ms=st.integers(10, 100).map(lambda n: n * 20),
    max_ms=st.integers(50, 400).map(lambda n: n * 20),
    onset_voiced_ms=st.integers(1, 8).map(lambda n: n * 20),
    onset_window_ms=st.integers(8, 16).map(lambda n: n * 20),
    preroll_ms=st.integers(5, 25).map(lambda n: n * 20),
)


def told(rule: EndpointRules, pattern: list[bool]) -> list[SpeechStarted | SpeechEnded]:
    ear = Endpointer(rule, lambda frame: False)
    events = [event for voiced in pattern if (event := ear.step(FRAME, voiced))]
    last = ear.finish()
    return [*events, last] if last else events


@given(rules, patterns)
def test_starts_and_ends_take_turns_and_time_never_runs_back(rule: EndpointRules, pattern: list[bool]) -> None:
    events = told(rule, pattern)
    assert [type(event) for event in events] == [SpeechStarted, SpeechEnded] * (len(events) // 2)
    times = [event.at_ms for event in events]
    assert times == sorted(times)
    assert all(0 <= time <= 20 * len(pattern) for time in times)


@given(rules, patterns)
def test_every_length_is_counted_in_frames(rule: EndpointRules, pattern: list[bool]) -> None:
    events = told(rule, pattern)
    for started, ended in zip(events[::2], events[1::2], strict=True):
        assert isinstance(started, SpeechStarted)
        assert isinstance(ended, SpeechEnded)
        assert ended.ms == ended.at_ms - started.at_ms
        assert ended.ms <= max(rule.max_ms, rule.preroll_ms + 20, rule.onset_window_ms + 20)
        assert rule.onset_voiced_ms <= ended.voiced_ms <= ended.ms
        assert len(started.audio) % len(FRAME) == 0


@given(rules, patterns)
def test_voiced_time_is_never_invented(rule: EndpointRules, pattern: list[bool]) -> None:
    ends = [event for event in told(rule, pattern) if isinstance(event, SpeechEnded)]
    assert sum(end.voiced_ms for end in ends) <= 20 * sum(pattern)


@given(rules, patterns, st.integers(0, 50))
def test_silence_in_front_only_shifts_time(rule: EndpointRules, pattern: list[bool], lead: int) -> None:
    """Counting begins nowhere in particular: what is said after more silence is heard alike."""
    still = [False] * 40  # longer than any pre-roll, so that both begin with a full one
    plain, later = told(rule, still + pattern), told(rule, [False] * lead + still + pattern)
    assert [event.at_ms + 20 * lead for event in plain] == [event.at_ms for event in later]
    assert [getattr(event, "voiced_ms", 0) for event in plain] == [getattr(event, "voiced_ms", 0) for event in later]


@given(rules, patterns)
def test_no_speech_no_utterance(rule: EndpointRules, pattern: list[bool]) -> None:
    if not any(pattern):
        assert told(rule, pattern) == []


settles = st.integers(1, 60).map(lambda n: n * 20)


def settled_at_every_frame(rule: EndpointRules, pattern: list[bool], ms: int) -> list[SpeechStarted | SpeechEnded]:
    ear, events = Endpointer(rule, lambda frame: False), []
    for voiced in pattern:
        events += [event] if (event := ear.step(FRAME, voiced)) else []
        ear.settle(ms)
    last = ear.finish()
    return [*events, last] if last else events


@given(rules, patterns, settles)
def test_who_is_understood_waits_for_the_shorter_silence(rule: EndpointRules, pattern: list[bool], ms: int) -> None:
    """Settled all the time is the same as a rule with that silence: never longer than the rule, never shorter
    than told, and a voiced frame in between begins the silence anew."""
    shorter = replace(rule, silence_ms=min(rule.silence_ms, ms))
    assert settled_at_every_frame(rule, pattern, ms) == told(shorter, pattern)


@given(rules, patterns, settles, st.data())
def test_one_settling_holds_until_somebody_goes_on(
    rule: EndpointRules, pattern: list[bool], ms: int, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(pattern)))
    ear = Endpointer(rule, lambda frame: False)
    understood = False
    for number, voiced in enumerate(pattern):
        if number == at:
            ear.settle(ms)
            understood = ear.speaking
        understood = understood and not voiced
        event = ear.step(FRAME, voiced)
        if isinstance(event, SpeechEnded):
            assert event.reason == "limit" or event.silent_ms >= (
                min(ms, rule.silence_ms) if understood else rule.silence_ms
            )
            understood = False
        assert not (understood and ear.speaking and ear.silent_ms >= ms)


@given(rules, patterns)
def test_the_closing_silence_is_told(rule: EndpointRules, pattern: list[bool]) -> None:
    for event in told(rule, pattern):
        if isinstance(event, SpeechEnded):
            last = event.at_ms // 20 - event.silent_ms // 20 - 1
            assert pattern[last]
            assert not any(pattern[last + 1 : event.at_ms // 20])
