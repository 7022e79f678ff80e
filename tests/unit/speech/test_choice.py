"""Which engine writes a message down, and which of two texts stands."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from speech.engines.choice import LEAD, Text, credible, dictation_order, stands


@dataclass(frozen=True)
class Engine:
    name: str
    languages: tuple[str, ...]


VOSK, SENSE = Engine("vosk", ("zh",)), Engine("sherpa-sense-voice", ("zh",))
WU, WHISPER = Engine("sherpa-wu", ("wuu", "zh")), Engine("whisper", ("zh", "wuu"))


def text(engine: Engine, said: str, score: float | None, seconds: float = 3.0) -> Text:
    return Text(engine.name, engine.languages, said, score, seconds)


def test_the_elders_language_comes_first() -> None:
    assert dictation_order("wuu", [VOSK, SENSE, WHISPER, WU]) == [WU, WHISPER, VOSK, SENSE]
    assert dictation_order("zh", [WU, VOSK, SENSE, WHISPER]) == [VOSK, SENSE, WHISPER, WU]


def test_the_engine_of_the_elders_language_stands_unless_another_is_far_surer() -> None:
    wu, zh = text(WU, "水管漏脱了", 0.6), text(SENSE, "水管漏了", 0.7)
    assert stands("wuu", [zh, wu]) == wu
    assert stands("zh", [zh, wu]) == zh
    sure = text(SENSE, "水管漏了", 0.6 + LEAD)
    assert stands("wuu", [wu, sure]) == sure


def test_an_engine_without_a_score_is_never_overruled_and_overrules_nobody() -> None:
    wu, zh = text(WU, "水管漏脱了", None), text(SENSE, "水管漏了", 0.99)
    assert stands("wuu", [wu, zh]) == wu
    assert stands("zh", [text(WU, "水管漏脱了", 0.99), text(SENSE, "水管漏了", None)]) == text(SENSE, "水管漏了", None)


def test_nothing_and_the_impossible_give_way_to_what_can_have_been_said() -> None:
    empty, said, loop = text(WU, "", 0.9), text(SENSE, "水管漏了", 0.3), text(WU, "好的" * 60, 0.99)
    assert stands("wuu", [empty, said]) == said
    assert stands("wuu", [loop, said]) == said
    assert stands("wuu", [empty]) == empty
    assert stands("wuu", []) is None


texts = st.builds(
    Text,
    st.sampled_from(["a", "b"]),
    st.sampled_from([("zh",), ("wuu",), ("zh", "wuu"), ("ko",)]),
    st.text("水管漏了好", max_size=60),
    st.none() | st.floats(0, 1),
    st.floats(0, 30),
)


@given(st.sampled_from(["zh", "wuu"]), st.lists(texts, min_size=1, max_size=4))
def test_one_of_them_stands_and_a_credible_one_where_there_is_one(language: str, given_texts: list[Text]) -> None:
    chosen = stands(language, given_texts)
    assert chosen in given_texts
    assert credible(chosen) == any(credible(one) for one in given_texts)


@given(st.sampled_from(["zh", "wuu"]), st.lists(texts, min_size=1, max_size=4))
def test_the_order_loses_nobody(language: str, given_texts: list[Text]) -> None:
    engines = [Engine(one.engine, one.languages) for one in given_texts]
    ordered = dictation_order(language, engines)
    assert sorted(map(id, ordered)) == sorted(map(id, engines))
    assert all(language in one.languages for one in ordered[: sum(language in one.languages for one in engines)])
