"""Shanghainese: the romanisation, the tables, and what a Mandarin model is told to expect."""

import pytest

from speech.pronunciation import Pronunciation, pronunciations, wu, wugniu
from speech.pronunciation.__main__ import main
from speech.pronunciation.slots import Slot
from speech.pronunciation.table import rows
from speech.pronunciation.tokens import TOKENS, parts
from speech.pronunciation.validate import fault, problems

ALL = [
    initial + final for initial in ("", *wugniu.INITIALS) for final in wugniu.FINALS if wugniu.goes_with(initial, final)
]


def shanghainese(phrase: str) -> tuple[Pronunciation, ...]:
    return pronunciations(phrase, ("wuu",))


def sounds(slot: Slot) -> set[str]:
    """Initials as they are, finals without their tone."""
    return {found[0] if (found := parts(token)) else token for token in slot}


def test_every_syllable_of_the_romanisation_has_mandarin_sounds() -> None:
    assert len(ALL) > 600
    for syllable in ALL:
        for slot in wugniu.syllable(syllable):
            assert set(slot) <= set(TOKENS) | {""}, syllable
            assert 1 <= len(slot) <= wugniu.MOST, syllable
            assert max(slot.values()) == 1.0, syllable


def test_finals_come_in_all_their_tones_alike() -> None:
    _, slot = wugniu.syllable("hau5")
    assert slot["āo"] == slot["áo"] == slot["ǎo"] == slot["ào"] == 1.0


@pytest.mark.parametrize(
    ("wugniu_syllable", "first", "second"),
    [
        ("veq8", {"f", "w"}, {"e", "o", "u"}),
        ("de6", {"d", "t"}, {"ai", "ei", "an"}),
        ("gnin6", {"n"}, {"in", "ing"}),
        ("ngu6", {"n", "", "w"}, {"u", "o"}),
        ("tsy5", {"z", "zh"}, {"i"}),
        ("koe5", {"g"}, {"uan", "an", "ui"}),
        ("thon5", {"t"}, {"ong"}),
        ("yu6", {"y"}, {"u"}),
        ("gniu6", {"n"}, {"ü"}),
        ("shiuq7", {"x"}, {"ue", "u"}),
        ("waon6", {"w", "h"}, {"ang", "uang"}),
        ("zhia6", {"x", "q"}, {"ia", "ie"}),
        ("m6", {"m"}, {"", "u"}),
        ("ng6", {""}, {"en", "eng", "n"}),
        ("viau6", {"f"}, {"iao"}),
    ],
)
def test_the_sounds_that_matter(wugniu_syllable: str, first: set[str], second: set[str]) -> None:
    heard = wugniu.syllable(wugniu_syllable)
    assert first <= sounds(heard[0])
    assert second <= sounds(heard[1])


@pytest.mark.parametrize(
    "wrong", ["", "hao3", "ki5", "kian1", "tsi", "gnon6", "veqq8", "好", "hau9", "HAU5", "fuen", "cau5"]
)
def test_slips_of_the_pen_are_told(wrong: str) -> None:
    with pytest.raises(ValueError, match="Wugniu"):
        wugniu.syllable(wrong)


def test_y_and_w_are_the_breathy_beginning() -> None:
    assert wugniu.cut("yeu6") == ("gh", "ieu", "6")
    assert wugniu.cut("yi6") == ("gh", "i", "6")
    assert wugniu.cut("yuq8") == ("gh", "iuq", "8")
    assert wugniu.cut("wu6") == ("gh", "u", "6")
    assert wugniu.cut("wo6") == ("gh", "o", "6")
    assert wugniu.cut("ng6") == ("", "ng", "6")
    assert wugniu.cut("ngu6") == ("ng", "u", "6")


def test_the_tables_are_sound() -> None:
    assert problems() == []
    assert len(rows("characters")) >= 2000


@pytest.mark.parametrize(
    ("syllable", "told"),
    [
        ("hau5", ""),
        ("ma1", ""),
        ("hau6", "can't have tone 6"),
        ("veq7", "can't have tone 7"),
        ("veq6", "needs a tone"),
        ("hau", "needs a tone"),
        ("hau2", "needs a tone"),
        ("haq8", "can't have tone 8"),
        ("hao5", "is not a Wugniu syllable"),
    ],
)
def test_a_tone_that_does_not_fit_is_told(syllable: str, told: str) -> None:
    assert told in fault(syllable)
    assert bool(told) == bool(fault(syllable))


def test_a_phrase_is_shown_to_who_asks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["勿好"]) == 0
    shown = capsys.readouterr().out
    assert "勿好 wuu (lexicon, 2 syllables)\n  f:1 w:0.8" in shown


def test_everyday_characters_are_known() -> None:
    everyday = "侬伊阿拉迭搿辣勒覅呒囡掼睏侪蛮忒邪交关人头手脚胸口肚皮眼睛耳朵吃饭水火爷娘儿女邻居一二三四五六七八九十"
    assert [char for char in everyday if not wu.knows(char)] == []


def test_words_are_read_as_words() -> None:
    """学生 is ghoq san, not the literary sen; 大人 is du gnin."""
    (student,) = shanghainese("学生个")
    assert "ang" in sounds(student.slots[3])
    (adult,) = shanghainese("大人来")
    assert "u" in sounds(adult.slots[1])
    assert "a" not in sounds(adult.slots[1])


def test_readings_that_differ_whole_are_variants_and_few() -> None:
    assert len(shanghainese("人")) == 2
    assert len(shanghainese("去")) == 1
    assert len(shanghainese("人去人来人家人")) <= 4


def test_a_character_without_a_wu_reading_is_said_in_mandarin() -> None:
    assert not wu.knows("瀍")
    (said,) = shanghainese("瀍好")
    assert said.slots[:2] == pronunciations("瀍", ("zh",))[0].slots
    assert shanghainese("瀍") == ()


def test_a_swallowed_negation_is_a_syllable_of_its_own() -> None:
    """勿适意 against 适意: never fewer places than syllables, none of 勿's may be skipped."""
    for phrase in ("勿适意", "勿好", "勿来三", "勿是"):
        for said in shanghainese(phrase):
            assert said.syllables == len(phrase)
            assert not any("" in slot for slot in said.slots[:2])
