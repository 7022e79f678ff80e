"""Characters → what the Mandarin acoustic model may hear."""

import unicodedata
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lexicon
from speech.pronunciation import Pronunciation, pronunciations
from speech.pronunciation.slots import Slot
from speech.pronunciation.tokens import INITIALS, TOKENS, final, parts, tones

KNOWN = set(TOKENS) | {""}


def mandarin(phrase: str) -> Pronunciation:
    (only,) = pronunciations(phrase, ("zh",))
    return only


def likeliest(slot: Slot) -> str:
    return max(slot, key=lambda token: slot[token])


def spelt(phrase: str) -> str:
    return " ".join(likeliest(slot) for slot in mandarin(phrase).slots)


def test_the_tokens_are_the_models_in_the_order_of_its_ids() -> None:
    assert len(TOKENS) == 197
    assert [TOKENS[token] for token in (0, 2, 10, 13, 87, 196)] == ["<blk>", "<unk>", "zh", "sh", "ǎo", "üě"]
    assert len(INITIALS) == 23
    assert "y" in INITIALS
    assert final("ao", 3) == "ǎo"
    assert parts("ǎo") == ("ao", 3)
    assert final("ai", 5) is None
    assert tones("ü") == (2, 3, 4)


@pytest.mark.parametrize(
    ("phrase", "tokens"),
    [
        ("你好", "n ǐ h ǎo"),
        ("我要找居委会", "w ǒ y ào zh ǎo j ū w ěi h uì"),
        ("头晕", "t óu y ūn"),
        ("绿色", "l ǜ s è"),
        ("用药", "y òng y ào"),
        ("月", "y uè"),
        ("二", "èr"),
        ("不行", "b ù x íng"),
        ("银行", "y ín h áng"),
        ("着火了", "zh áo h uǒ l e"),
        ("倒在地上", "d ǎo z ài d ì sh àng"),
        ("睡不着", "sh uì b ù zh áo"),
        ("12楼", "sh í èr l óu"),
        ("20号", "èr sh í h ào"),
        ("110", "y āo y āo l íng"),
        ("我是A座5室。", "w ǒ sh ì z uò w ǔ sh ì"),
    ],
)
def test_mandarin_is_cut_as_the_model_was_trained(phrase: str, tokens: str) -> None:
    assert spelt(phrase) == tokens


def test_bu_and_yi_change_with_what_follows_and_keep_the_dictionarys_tone() -> None:
    not_right = mandarin("不是").slots[1]
    assert not_right["ú"] == not_right["ù"] == 1.0
    not_good = mandarin("不好").slots[1]
    assert not_good["ù"] == 1.0 > not_good["ú"]
    a_bit = mandarin("一点").slots[1]
    assert a_bit["ì"] == a_bit["ī"] == 1.0
    at_once = mandarin("一下").slots[1]
    assert at_once["í"] == 1.0


def test_a_third_tone_before_another_may_be_a_second() -> None:
    chain = mandarin("老好").slots
    assert chain[1]["áo"] > 0.5
    assert chain[3]["áo"] < 0.5


def test_doubled_adjectives_and_doubled_names() -> None:
    assert mandarin("好好的").slots[3]["āo"] > mandarin("挺好的").slots[3]["āo"]
    assert mandarin("爸爸").slots[3]["a"] > mandarin("他爸").slots[3]["a"]


def test_er_as_a_suffix_may_be_missed_but_not_as_a_word() -> None:
    bit = mandarin("一点儿")
    assert "" in bit.slots[-1]
    assert "iǎ" in bit.slots[-2]
    assert bit.syllables == 3
    assert not any("" in slot for word in ("儿子", "女儿") for slot in mandarin(word).slots)


@pytest.mark.parametrize(
    ("phrase", "place", "heard"),
    [
        ("是", 0, "s"),
        ("吃", 0, "c"),
        ("人", 0, "l"),
        ("疼", 1, "éng"),
        ("人", 1, "éng"),
        ("听", 1, "īn"),
        ("黄", 0, "w"),
    ],
)
def test_elders_of_the_south_are_expected(phrase: str, place: int, heard: str) -> None:
    slot = mandarin(phrase).slots[place]
    assert 0.05 <= slot[heard] <= 0.3 or likeliest(slot) == heard


def test_accents_never_make_one_answer_out_of_another() -> None:
    """The syllables that tell answers apart stay well below 1 for one another."""
    for one, other in [("要", "好"), ("有", "要"), ("是", "不"), ("四", "十"), ("好", "老")]:
        likely = [mandarin(one).slots[at].get(likeliest(mandarin(other).slots[at]), 0.0) for at in (0, 1)]
        assert likely[0] * likely[1] <= 0.1, (one, other)


def test_nothing_to_say_gives_nothing() -> None:
    assert pronunciations("") == pronunciations("OK…") == pronunciations("，。") == ()


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(KeyError):
        pronunciations("好", ("en",))


def test_every_phrase_of_the_lexicon_is_sayable_in_both_languages() -> None:
    book = lexicon.load()
    phrases = dict.fromkeys(phrase for meaning in book.meanings for phrase in book.phrases(meaning))
    assert len(phrases) > 1000
    for phrase in phrases:
        said = pronunciations(phrase)
        assert {each.language for each in said} == {"zh", "wuu"}, phrase
        assert all(each.syllables >= len(phrase) for each in said), phrase
        for language in ("zh", "wuu"):
            assert sum(each.language == language for each in said) <= 4, phrase


def test_a_linguists_reading_of_the_phrase_decides() -> None:
    written = next(each for each in pronunciations("呒没") if each.language == "wuu")
    assert written.source == "lexicon"
    composed = next(each for each in pronunciations("呒没办法想") if each.language == "wuu")
    assert composed.source == "characters"
    assert composed.slots[:2] == written.slots[:2]


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=8) | st.text(max_size=12))
def test_any_text_gives_valid_slots_or_none(phrase: str) -> None:
    for said in pronunciations(phrase):
        assert said.slots
        assert said.syllables >= 1
        for slot in said.slots:
            assert set(slot) <= KNOWN
            assert set(slot) != {""}
            assert max(slot.values()) == 1.0
            assert all(0.0 < weight <= 1.0 for weight in slot.values())
            assert len(slot) <= (9 if said.language == "zh" else 24)


def test_tokens_of_finals_are_their_sound_with_a_mark() -> None:
    marks = {1: "\u0304", 2: "\u0301", 3: "\u030c", 4: "\u0300", 5: ""}
    for token in TOKENS:
        found = parts(token)
        if found:
            bare = reduce(lambda text, mark: text.replace(mark, ""), "\u0304\u0301\u030c\u0300", _decomposed(token))
            assert unicodedata.normalize("NFC", bare) == found[0]
            assert marks[found[1]] in _decomposed(token)


def _decomposed(token: str) -> str:
    return unicodedata.normalize("NFD", token)
