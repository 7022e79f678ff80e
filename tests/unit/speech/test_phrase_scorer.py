"""The phrase scorer on its real weights: virtual elders of the demo, sounds of the line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from demo import clips
from lexicon.book import load
from speech import g711
from speech.engines.phrase_scorer import PhraseScorer, PhraseStream
from speech.interpret import interpret
from speech.phrases import DISTRESS
from speech.recogniser import Hypothesis, Mode, Request
from tests.unit.speech.audio import silence
from tests.unit.speech.sounds import sound
from tests.unit.speech.zipformer_weights import scorer as shared

PIECE = 1600  # 100 ms
LISTS = ("well", "unwell", "talk", "repeat", "refuse")
VOICES = ("zm_yunxi", "zf_xiaoyi", "zm_yunjian")


@pytest.fixture(scope="module")
def scorer() -> PhraseScorer:
    return shared()


@pytest.fixture(scope="module")
def voices() -> clips.Clips:
    return clips.load()


def menu(**more: Sequence[str]) -> Mapping[str, Sequence[str]]:
    lexicon = load()
    return {DISTRESS: lexicon.phrases(DISTRESS)} | {name: lexicon.phrases(name) for name in LISTS} | more


def opened(scorer: PhraseScorer, mode: Mode = "answer", **more: Sequence[str]) -> PhraseStream:
    return scorer.open(Request(mode, menu(**more) if mode == "answer" else {DISTRESS: menu()[DISTRESS]}))


def fed(stream: PhraseStream, pcm: bytes) -> list[str]:
    """As the line feeds it; the calls for help that were told on the way."""
    told = [stream.feed(pcm[at : at + PIECE]) for at in range(0, len(pcm), PIECE)]
    return [each for each in told if each]


def answered(scorer: PhraseScorer, pcm: bytes, **more: Sequence[str]) -> Hypothesis:
    stream = opened(scorer, **more)
    fed(stream, silence(200) + pcm + silence(300))
    stream.pause()
    return stream.finish()


def said(voices: clips.Clips, name: str) -> bytes:
    return g711.ulaw_decode(voices(name))


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize(
    ("clip", "meaning"),
    [("well_quite", "well"), ("unwell_body", "unwell"), ("talk_person", "talk"), ("fell", DISTRESS)],
)
def test_an_answer_is_heard(scorer: PhraseScorer, voices: clips.Clips, voice: str, clip: str, meaning: str) -> None:
    heard = answered(scorer, said(voices, f"{voice}/{clip}"))
    assert heard.meaning == meaning
    assert heard.phrase in menu()[meaning]
    assert interpret(heard, Request("answer", menu())).certain
    assert heard.begin_s is not None
    assert heard.end_s is not None
    assert 0 <= heard.begin_s < heard.end_s <= heard.seconds + 0.5


@pytest.mark.parametrize("kind", ["white", "pink", "hum", "dtmf", "busy", "clicks"])
@pytest.mark.parametrize("rms", [300, 1500])
def test_what_is_no_speech_is_never_certainly_well(scorer: PhraseScorer, kind: str, rms: int) -> None:
    told = interpret(answered(scorer, sound(kind, 1.5, rms)), Request("answer", menu()))
    assert told.meaning != "well" or not told.certain
    assert told.text == ""


def test_silence_has_no_text_and_no_meaning(scorer: PhraseScorer) -> None:
    told = interpret(answered(scorer, silence(1000)), Request("answer", menu()))
    assert (told.meaning, told.text) == (None, "")


def test_too_little_for_a_single_frame_is_nothing(scorer: PhraseScorer) -> None:
    stream = opened(scorer)
    assert stream.feed(silence(200)) is None
    assert stream.pause() is None
    assert not stream.decided
    assert stream.finish().confidence < 0.5
    assert opened(scorer).finish().text == ""


def test_a_cry_in_the_middle_is_told_before_the_end(scorer: PhraseScorer, voices: clips.Clips) -> None:
    talk = said(voices, "zm_yunxi/chat_market")
    stream = opened(scorer, "spot")
    assert fed(stream, silence(200) + talk) == []
    assert stream.pause() is None
    cries = fed(stream, said(voices, "zm_yunxi/fell") + silence(600))
    assert len(cries) == 1
    assert fed(stream, talk) == []  # it is told once
    heard = stream.finish()
    assert (heard.meaning, heard.phrase) == (DISTRESS, cries[0])


def test_decided_at_the_pause_is_what_the_end_says(scorer: PhraseScorer, voices: clips.Clips) -> None:
    decided = 0
    for clip in ("well_quite", "unwell_body", "talk_person", "talk_committee", "refuse", "repeat"):
        stream = opened(scorer)
        fed(stream, silence(200) + said(voices, f"zm_yunxi/{clip}") + silence(300))
        stream.pause()
        early, meaning = stream.decided, stream.meaning
        heard = stream.finish()
        assert not early or heard.meaning == meaning
        decided += early
    assert decided >= 2


def test_who_goes_on_after_a_pause_is_heard_as_if_nobody_had_asked(scorer: PhraseScorer, voices: clips.Clips) -> None:
    audio = silence(200) + said(voices, "zm_yunxi/unwell_body") + silence(1300)
    asked, left_alone = opened(scorer), opened(scorer)
    for at in range(0, len(audio), PIECE):
        if at % (4 * PIECE) == 0:
            asked.pause()
            asked.pause()
        for stream in (asked, left_alone):
            stream.feed(audio[at : at + PIECE])
    told, wanted = asked.finish(), left_alone.finish()
    assert told.confidence == pytest.approx(wanted.confidence, abs=0.01)  # judged at a pause: some silence less
    assert replace(told, work_s=0.0, confidence=0.0, margin=0.0) == replace(
        wanted, work_s=0.0, confidence=0.0, margin=0.0
    )


def test_what_was_judged_at_the_pause_costs_nothing_at_the_end(
    scorer: PhraseScorer, voices: clips.Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = opened(scorer)
    fed(stream, silence(200) + said(voices, "zm_yunxi/well_quite") + silence(300))
    stream.pause()
    monkeypatch.setattr(scorer.model, "encode", None)
    monkeypatch.setattr("speech.engines.phrase_scorer.whole", None)
    assert stream.finish().meaning == "well"


def test_without_its_meaning_on_the_menu_an_answer_is_not_taken_for_another(
    scorer: PhraseScorer, voices: clips.Clips
) -> None:
    request = Request("answer", {name: phrases for name, phrases in menu().items() if name != "talk"})
    stream = scorer.open(request)
    fed(stream, silence(200) + said(voices, "zm_yunxi/talk_person") + silence(300))
    assert stream.finish().confidence < 0.5


def test_phrases_of_a_call_are_heard_beside_the_lexicon(scorer: PhraseScorer, voices: clips.Clips) -> None:
    """The same whether they were made ready before or not."""
    pcm = said(voices, "zm_yunxi/well_quite")
    own = ("下趟再讲讲", "王阿婆身体老灵额")
    new = answered(scorer, pcm, later=own)
    scorer.prepare([own])
    ready = answered(scorer, pcm, later=own)
    assert (new.meaning, new.phrase) == (ready.meaning, ready.phrase)
    assert new.confidence == pytest.approx(ready.confidence, abs=0.02)
    scorer.prepare([])


def test_a_prepared_wait_leaves_only_names_to_the_call(scorer: PhraseScorer) -> None:
    common, named = ("下趟再讲讲", "勿搭界额呀"), ("我是王阿婆", "王阿婆勿辣海")
    scorer.prepare([common, ("别个闲话一句",)])
    shelves = [shelf.book.phrases for shelf, _ in scorer.menu((("later", common), ("who", named))).shelves]
    assert shelves[1:] == [common, named]
    shelves = [shelf.book.phrases for shelf, _ in scorer.menu((("who", named),)).shelves]
    assert shelves[1:] == [named]
    scorer.prepare([])


def test_a_closed_stream_takes_no_more(scorer: PhraseScorer, voices: clips.Clips) -> None:
    stream = opened(scorer)
    fed(stream, said(voices, "zm_yunxi/fell")[:8000])
    stream.close()
    stream.close()
    assert fed(stream, said(voices, "zm_yunxi/fell")) == []


def test_requests_of_other_modes_and_languages_are_left_to_others(scorer: PhraseScorer) -> None:
    assert not scorer.supports(Request("dictation"))
    assert not scorer.supports(Request("answer", menu(), "en"))
    assert scorer.supports(Request("spot", {DISTRESS: ("救命",)}, "wuu"))
