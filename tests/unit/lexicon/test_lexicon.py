"""The lexicon that comes with the program: what must be in it, and that negation is safe."""

from __future__ import annotations

import pytest

from lexicon import load, romanisation
from lexicon.negation import shortened

BOOK = load()
SEEN = tuple(dict.fromkeys(phrase for meaning in BOOK.meanings for phrase in BOOK.phrases(meaning)))
POSITIVE = {
    phrase: name for name, meaning in BOOK.meanings.items() if meaning.positive for phrase in BOOK.phrases(name)
}
NEGATIVE = [phrase for phrase in SEEN if phrase not in POSITIVE]

WANTED = [
    "well",
    "good",
    "so_so",
    "nothing_wrong",
    "unwell",
    "not_good",
    "talk",
    "someone_else",
    "yes",
    "no",
    "repeat",
    "refuse",
    "distress",
    "help",
    "fell",
    "cannot_rise",
    "heart",
    "breath",
    "wait",
    "hello",
    "solved",
    "not_solved",
    "will_go",
    "cannot_go",
    "nobody_opens",
    "thanks_bye",
    "complaint",
    "time",
    "wrong_number",
    "absent",
    *(f"digit_{number}" for number in range(11)),
]


@pytest.mark.parametrize("meaning", WANTED)
def test_every_meaning_of_the_flows_is_said_in_both_languages(meaning: str) -> None:
    languages = {reading.language for phrase in BOOK.phrases(meaning) for reading in BOOK.readings(phrase)}
    assert languages == {"zh", "wuu"}


def test_a_meaning_has_its_parts_words_too() -> None:
    assert BOOK.meanings["well"].parts == ("good", "so_so", "nothing_wrong")
    assert {"好", "蛮好个", "老样子", "呒没啥"} <= set(BOOK.phrases("well"))
    assert {"救命", "掼跤了", "胸口痛", "透勿过气", "着火了"} <= set(BOOK.phrases("distress"))
    assert "老样子" not in BOOK.phrases("good")
    with pytest.raises(KeyError):
        BOOK.phrases("poetry")


def test_how_a_phrase_is_said() -> None:
    assert [(one.language, one.romanisation) for one in BOOK.readings("头痛")] == [("zh", ""), ("wuu", "deu6 thon5")]
    assert ("wuu", "gue6 kau5 leq8", "table") in [
        (one.language, one.romanisation, one.checked) for one in BOOK.readings("掼跤了")
    ]
    assert {one.romanisation for one in BOOK.readings("睡不着")} == {"shui4 bu4 zhao2"}
    assert BOOK.readings("没有人说的话") == ()


def test_every_shanghainese_phrase_has_a_reading() -> None:
    """And each is one syllable per character; the loader has looked at the syllables."""
    spoken = [(phrase, one) for phrase in SEEN for one in BOOK.readings(phrase) if one.language == "wuu"]
    assert len(spoken) > 800
    assert all(len(one.romanisation.split()) == len(phrase) for phrase, one in spoken)
    assert not [phrase for phrase, one in spoken if romanisation.fault("wuu", phrase, one.romanisation)]


# ── negation ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("好", "勿好"),
        ("要", "勿要"),
        ("适意", "勿适意"),
        ("有", "呒没"),
        ("来三", "勿来三"),
        ("是", "勿是"),
        ("去", "勿去"),
        ("身体好", "身体不好"),
        ("可以", "勿可以"),
    ],
)
def test_the_pairs_that_must_never_be_confused(good: str, bad: str) -> None:
    assert bad in BOOK.confusable[good]
    assert good in BOOK.confusable[bad]


def test_no_swallowed_negation_makes_good_news_unnoticed() -> None:
    turned = [(phrase, left) for phrase in NEGATIVE for left in shortened(phrase) & POSITIVE.keys()]
    unnoticed = [(bad, good) for bad, good in turned if len(good) > 1 and good not in BOOK.confusable.get(bad, ())]
    assert unnoticed == []


def test_there_is_something_to_notice() -> None:
    assert sum(bool(shortened(phrase) & POSITIVE.keys()) for phrase in NEGATIVE) > 50


def test_no_phrase_of_distress_means_anything_else() -> None:
    others = {
        phrase
        for name, meaning in BOOK.meanings.items()
        if name != "distress" and name not in BOOK.meanings["distress"].parts
        for phrase in BOOK.phrases(name)
    }
    assert not others & set(BOOK.phrases("distress"))


def test_who_may_be_mistaken_for_whom_in_a_menu() -> None:
    menu = ["我今天身体好", "我今天身体不好", "来三", "勿来三", "是的", "头晕", "今朝蛮好", "今朝呒没蛮好"]
    found = BOOK.mistaken(menu)
    assert found["来三"] == ("勿来三",)
    assert found["我今天身体好"] == ("我今天身体不好",)
    assert found["今朝呒没蛮好"] == ("今朝蛮好",)
    assert "头晕" not in found
    assert "是的" not in found  # 不是的 is not in this menu
