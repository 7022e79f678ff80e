"""What is wrong with the tables is told all at once, with lines. Every mistake is made in small sound tables."""

from __future__ import annotations

import pytest

from lexicon import LexiconError
from lexicon.book import parse

MEANINGS = """\
meaning	part_of	stance	against	about
well		+	unwell	she is well
good	well	+		good
unwell		-		she is not well
distress		-	*	alarm
"""
ANSWERS = """\
meaning	phrase	language	romanisation	checked	note
well	好	zh		dictionary	
good	蛮好	wuu	me6 hau5	table	
good	很好	zh	hěn hǎo	native 王	
unwell	勿好	wuu	veq8 hau5	table	
unwell	勿蛮好	wuu	veq8 me6 hau5	unchecked	
distress	救命	zh	jiu4 ming4	dictionary	
"""
CONFUSABLE = """\
phrase	other	note
好	勿好	
蛮好	勿蛮好	
"""


def test_sound_tables_are_read() -> None:
    book = parse(ANSWERS, MEANINGS, CONFUSABLE)
    assert book.phrases("well") == ("好", "蛮好", "很好")
    assert book.confusable == {"好": ("勿好",), "勿好": ("好",), "蛮好": ("勿蛮好",), "勿蛮好": ("蛮好",)}


def test_a_table_from_a_spreadsheet_is_read() -> None:
    """With a byte order mark and the line ends of Windows."""
    book = parse("\ufeff" + ANSWERS.replace("\n", "\r\n"), MEANINGS, CONFUSABLE)
    assert book == parse(ANSWERS, MEANINGS, CONFUSABLE)


# what is changed in the answers, into what, the line, a piece of the sentence
MISTAKES = [
    ("\tzh\thěn", "\tja\thěn", 4, 'the language "ja" must be one of zh, wuu'),
    ("me6 hau5\ttable", "me6\ttable", 3, '"蛮好" has 2 characters, "me6" 1 syllables'),
    ("me6 hau5\ttable", "\ttable", 3, '"蛮好" has 2 characters, "" 0 syllables'),
    ("me6 hau5\ttable", "me6 hau\ttable", 3, '"hau" is no syllable of Wugniu'),
    ("me6 hau5\ttable", "me6 hau9\ttable", 3, '"hau9" can\'t have tone 9'),
    ("me6 hau5\ttable", "me6 hau7\ttable", 3, "7 and 8 go with finals in -q"),
    ("veq8 hau5\t", "veq7 hau5\t", 5, "6 and 8 go with voiced initials"),
    ("me6 hau5\ttable", "me6 xau5\ttable", 3, '"xau5" is no syllable of Wugniu'),
    ("hěn hǎo", "hěn hoa", 4, '"hoa" is no syllable of pinyin'),
    ("jiu4 ming4", "jiu4 ming", 7, '"ming" needs one tone'),
    ("jiu4 ming4", "jiu4 ming7", 7, '"ming7" needs one tone'),
    ("native 王", "native", 4, 'checked "native" must be table, dictionary, unchecked or native NAME'),
    ("good\t蛮好", "god\t蛮好", 3, 'the meaning "god" is not in meanings.tsv'),
    ("救命\tzh", "救 命\tzh", 7, 'the phrase "救 命" must consist of Chinese characters only'),
    ("救命\tzh\tjiu4 ming4", "打120\tzh\t", 7, 'the phrase "打120" must consist of Chinese characters only'),
    ("很好\tzh", " 很好\tzh", 4, 'the phrase " 很好" has spaces too many'),
    ("hěn hǎo", "he\u030cn ha\u030co", 4, "is not in Unicode form NFC"),
    ("table\t\ngood\t很", "table\ngood\t很", 3, "5 columns instead of 6"),
    ("distress\t救命", "\ndistress\t救命", 7, "an empty line"),
    ("distress\t救命", "good\t蛮好\twuu\tme6 hau5\tunchecked\t\ndistress\t救命", 7, 'the same as line 3 ("蛮好")'),
    ("unwell\t勿好\twuu\tveq8 hau5", "unwell\t很好\tzh\t", 5, '"很好" can\'t mean both good (line 4) and unwell'),
    ("unwell\t勿好\twuu\tveq8 hau5", "unwell\t救命\tzh\t", 7, '"救命" can\'t mean both unwell (line 5) and distress'),
    (
        "unwell\t勿好\twuu\tveq8 hau5",
        "unwell\t不很好\tzh\t",
        5,
        '"不很好" without its negation is "很好", which is good',
    ),
    ("meaning\tphrase", "meaning,phrase", 1, "the first line must name the columns"),
]


@pytest.mark.parametrize(("was", "becomes", "line", "sentence"), MISTAKES, ids=[mistake[3] for mistake in MISTAKES])
def test_every_mistake_is_named_with_its_line(was: str, becomes: str, line: int, sentence: str) -> None:
    assert was in ANSWERS
    with pytest.raises(LexiconError) as error:
        parse(ANSWERS.replace(was, becomes, 1), MEANINGS, CONFUSABLE)
    told = [one for one in str(error.value).splitlines() if sentence in one]
    assert told, str(error.value)
    assert told[0].startswith(f"answers.tsv:{line}: ")


@pytest.mark.parametrize(
    ("was", "becomes", "sentence"),
    [
        ("good\twell", "Good\twell", 'meanings.tsv:3: "Good" can\'t be a meaning'),
        ("good\twell", "well\twell", 'meanings.tsv:3: "well" stands twice'),
        ("good\twell\t+", "good\twell\tyes", 'meanings.tsv:3: the stance "yes" must be'),
        ("good\twell", "good\tfine", 'meanings.tsv:3: "good" names "fine", which is no meaning'),
        ("\t+\tunwell\t", "\t+\till\t", 'meanings.tsv:2: "well" names "ill", which is no meaning'),
        ("unwell\t\t-", "unwell\tgood\t-", 'meanings.tsv:4: "good" is a part itself'),
    ],
)
def test_mistakes_in_the_meanings(was: str, becomes: str, sentence: str) -> None:
    assert was in MEANINGS
    with pytest.raises(LexiconError) as error:
        parse(ANSWERS, MEANINGS.replace(was, becomes, 1), CONFUSABLE)
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("was", "becomes", "sentence"),
    [
        ("好\t勿好", "好\t不好", 'confusable.tsv:2: "不好" is not in answers.tsv'),
        ("好\t勿好", "好\t好", 'confusable.tsv:2: "好" is paired with itself'),
        ("好\t勿好", "勿蛮好\t蛮好", "confusable.tsv:3: the same pair as in line 2"),
        ("蛮好\t勿蛮好\t\n", "", 'answers.tsv:6: "勿蛮好" without its negation is "蛮好", which is good news'),
    ],
)
def test_mistakes_in_the_pairs(was: str, becomes: str, sentence: str) -> None:
    assert was in CONFUSABLE
    with pytest.raises(LexiconError) as error:
        parse(ANSWERS, MEANINGS, CONFUSABLE.replace(was, becomes, 1))
    assert sentence in str(error.value)


def test_all_problems_are_told_at_once_in_the_order_of_lines() -> None:
    broken = ANSWERS.replace("很好\tzh", "很好\tja").replace("veq8 hau5\t", "veq7 hau5\t").replace("救命", "救120")
    with pytest.raises(LexiconError) as error:
        parse(broken, MEANINGS, CONFUSABLE)
    places = [line.split(" ")[0] for line in str(error.value).splitlines()]
    assert places[0] == "answers.tsv:4:"
    assert [place for place in dict.fromkeys(places)] == ["answers.tsv:4:", "answers.tsv:5:", "answers.tsv:7:"]


EVERYDAY = """\
phrase	level	note
好	2	as 勿好
勿好	2	not well
"""


def test_what_is_said_every_day_is_read() -> None:
    assert parse(ANSWERS, MEANINGS, CONFUSABLE, EVERYDAY).everyday == {"好": 2, "勿好": 2}


@pytest.mark.parametrize(
    ("was", "becomes", "line", "piece"),
    [
        ("勿好\t2", "勿好\t1", 2, '"好" has the level 2, "勿好" must have the same'),
        ("勿好\t2\tnot well\n", "", 2, '"勿好" must have the same'),
        ("好\t2\tas", "好\t3\tas", 2, 'the level "3" must be 1 or 2'),
        ("勿好\t2", "好\t2", 3, '"好" stands twice'),
        ("好\t2\tas", "糟\t2\tas", 2, '"糟" is not in answers.tsv'),
    ],
)
def test_faults_of_everyday_phrases_are_told(was: str, becomes: str, line: int, piece: str) -> None:
    with pytest.raises(LexiconError) as told:
        parse(ANSWERS, MEANINGS, CONFUSABLE, EVERYDAY.replace(was, becomes, 1))
    assert any(f"everyday.tsv:{line}: " in each and piece in each for each in str(told.value).splitlines())
