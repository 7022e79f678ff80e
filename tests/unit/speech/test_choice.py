"""Which engine writes a message down, and which of two texts stands."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    return Text(engine.name, said, score, seconds)


def test_the_elders_language_comes_first() -> None:
    assert dictation_order("wuu", [VOSK, SENSE, WHISPER, WU]) == [WU, WHISPER, VOSK, SENSE]
    assert dictation_order("zh", [WU, VOSK, SENSE, WHISPER]) == [VOSK, SENSE, WHISPER, WU]


def test_the_engine_of_the_elders_language_stands_unless_another_is_far_surer() -> None:
    wu, zh = text(WU, "水管漏脱了", 0.6), text(SENSE, "水管漏了", 0.7)
    assert stands([wu, zh]) == wu
    assert stands([zh, wu]) == zh
    sure = text(SENSE, "水管漏了", 0.6 + LEAD)
    assert stands([wu, sure]) == sure


def test_an_engine_without_a_score_is_never_overruled_and_overrules_nobody() -> None:
    wu, zh = text(WU, "水管漏脱了", None), text(SENSE, "水管漏了", 0.99)
    assert stands([wu, zh]) == wu
    assert stands([text(SENSE, "水管漏了", None), text(WU, "水管漏脱了", 0.99)]) == text(SENSE, "水管漏了", None)


def test_nothing_and_the_impossible_give_way_to_what_can_have_been_said() -> None:
    empty, said, loop = text(WU, "", 0.9), text(SENSE, "水管漏了", 0.3), text(WU, "好的" * 60, 0.99)
    assert stands([empty, said]) == said
    assert stands([loop, said]) == said
    assert stands([empty]) == empty


texts = st.builds(
    Text,
    st.sampled_from(["a", "b"]),
    st.text("水管漏了好", max_size=60),
    st.none() | st.floats(0, 1),
    st.floats(0, 30),
)


@given(st.lists(texts, min_size=1, max_size=4))
def test_one_of_them_stands_and_a_credible_one_where_there_is_one(given_texts: list[Text]) -> None:
    chosen = stands(given_texts)
    assert chosen in given_texts
    assert credible(chosen) == any(credible(one) for one in given_texts)


@given(st.lists(texts, min_size=1, max_size=4))
def test_without_scores_the_first_that_can_have_been_said_stands(given_texts: list[Text]) -> None:
    silent = [replace(one, score=None) for one in given_texts]
    assert stands(silent) == next((one for one in silent if credible(one)), silent[0])


engines = st.builds(Engine, st.text(max_size=3), st.sampled_from([("zh",), ("wuu",), ("zh", "wuu"), ("ko",)]))


@given(st.sampled_from(["zh", "wuu"]), st.lists(engines, min_size=1, max_size=4))
def test_the_order_loses_nobody(language: str, given_engines: list[Engine]) -> None:
    ordered = dictation_order(language, given_engines)
    assert sorted(map(id, ordered)) == sorted(map(id, given_engines))
    able = sum(language in one.languages for one in given_engines)
    assert all(language in one.languages for one in ordered[:able])
