"""Where an utterance begins and ends, counted in frames of 20 ms."""

from __future__ import annotations

from collections.abc import Iterator

from speech.endpoint import Endpointer, EndpointRules, SpeechEnded, SpeechStarted
from tests.unit.speech.audio import FRAME, frames, over_the_line, prompt, silence

Event = SpeechStarted | SpeechEnded


def fed(endpointer: Endpointer, pattern: str) -> list[Event]:
    """One letter a frame: "x" voiced, "." not."""
    events = (endpointer.step(bytes(FRAME), letter == "x") for letter in pattern)
    return [event for event in events if event]


def endpointer(**rules: int) -> Endpointer:
    return Endpointer(EndpointRules(**rules), lambda frame: any(frame))


def test_a_click_is_no_speech() -> None:
    assert fed(endpointer(), "." * 20 + "xxx" + "." * 100) == []


def test_an_answer_begins_with_its_preroll_and_ends_after_the_silence() -> None:
    line = endpointer(silence_ms=1200, preroll_ms=400)
    started, ended = fed(line, "." * 50 + "x" * 30 + "." * 60)
    assert isinstance(started, SpeechStarted)
    assert isinstance(ended, SpeechEnded)
    assert started.at_ms == 1000 + 120 - 400  # six voiced frames are the onset; 400 ms before its end are kept
    assert len(started.audio) == 20 * FRAME
    assert (ended.at_ms, ended.reason) == (1600 + 1200, "silence")
    assert ended.voiced_ms == 600
    assert ended.ms == ended.at_ms - started.at_ms


def test_a_slow_speaker_is_not_cut_off() -> None:
    events = fed(endpointer(silence_ms=1200), ("x" * 10 + "." * 59) * 3 + "." * 2)
    assert [type(event) for event in events] == [SpeechStarted, SpeechEnded]


def test_a_television_is_cut_off_at_the_limit() -> None:
    started, ended = fed(endpointer(max_ms=2000), "x" * 110)[:2]
    assert isinstance(ended, SpeechEnded)
    assert (ended.ms, ended.reason) == (2000, "limit")
    assert started.at_ms == 0


def test_the_next_answer_is_an_utterance_of_its_own() -> None:
    events = fed(endpointer(silence_ms=400), ("x" * 10 + "." * 30) * 2)
    assert [type(event) for event in events] == [SpeechStarted, SpeechEnded] * 2


def test_a_key_ends_what_is_being_said() -> None:
    line = endpointer()
    fed(line, "x" * 20)
    assert line.speaking
    ended = line.finish()
    assert ended is not None
    assert ended.voiced_ms == 400
    assert line.finish() is None


def test_who_is_understood_need_not_wait_so_long() -> None:
    line = endpointer(silence_ms=1200)
    assert len(fed(line, "x" * 20 + "." * 20)) == 1
    line.settle()
    (ended,) = fed(line, "." * 10)
    assert isinstance(ended, SpeechEnded)
    assert (ended.silent_ms, ended.begin_ms) == (600, 0)


def test_who_goes_on_speaking_was_not_done() -> None:
    line = endpointer(silence_ms=1200)
    fed(line, "x" * 20 + "." * 10)
    line.settle()
    assert fed(line, "." * 10 + "x" * 5 + "." * 59) == []
    assert len(fed(line, ".")) == 1


def test_suppressed_frames_are_silence() -> None:
    line = Endpointer(EndpointRules(), lambda frame: True)
    assert not [event for _ in range(50) if (event := line.feed(bytes(FRAME), suppressed=True))]
    assert line.silent_ms == 1000


def test_a_spoken_sentence_is_one_utterance_and_its_audio_is_whole() -> None:
    from speech.vad import Vad

    line = over_the_line(silence(800) + prompt("好的,知道您在。居委会的人今天会打电话给您。") + silence(2000))
    ear = Endpointer(EndpointRules.answer(), Vad().is_speech)
    events = list(_told(ear, line))
    assert [type(event) for event in events] == [SpeechStarted, SpeechEnded]
    started, ended = events
    assert isinstance(ended, SpeechEnded)
    assert 400 <= started.at_ms <= 1000
    assert ended.reason == "silence"
    assert ended.voiced_ms > 2000


def _told(ear: Endpointer, line: bytes) -> Iterator[Event]:
    for frame in frames(line):
        event = ear.feed(frame)
        if event:
            yield event


def test_rules_of_the_line() -> None:
    assert EndpointRules.answer().silence_ms == 1200
    assert EndpointRules.dictation().silence_ms == 4000
    assert (EndpointRules.answer().pause_ms, EndpointRules.dictation().pause_ms) == (300, 700)
    assert EndpointRules.dictation(max_s=60).max_ms == 60_000
