"""The shipped flow's phrases as people say them, matched as on a call: who is there, and what is never well."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lexicon
from callflows.events import Listen
from lexicon.negation import shortened
from speech import phrases
from tests.unit.callflows.conversation import LI, WANG, Conversation, daily

Menu = dict[str, tuple[str, ...]]


def menu(call: Conversation) -> Menu:
    wait = call.session.wait
    assert isinstance(wait, Listen)
    distress: Menu = {phrases.DISTRESS: call.flow.distress}
    return distress | {answer.meaning: answer.phrases for answer in wait.answers if answer.phrases}


GREET = menu(Conversation())
OTHER = menu(Conversation().presses("2"))
HEALTH = menu(Conversation().presses("1"))
CONFIRM = menu(Conversation().presses("1").speaks("好"))


def said(text: str, where: Menu) -> tuple[str, bool] | None:
    """Meaning, and whether the whole utterance has it."""
    found = phrases.match(text, where)
    return (found.meaning, found.whole) if found else None


# ── who is at the telephone ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "不是,我是她女儿",
        "不是,我是邻居",
        "我是他儿子",
        "不是的,我是她的老伴",
        "我不是,我是隔壁邻居",
        "我是王阿婆的女儿",
        "我是林局",
    ],
)
def test_somebody_else(text: str) -> None:
    assert said(text, GREET) == ("someone_else", True)


@pytest.mark.parametrize(
    "text",
    [
        "你打错电话了",
        "打错电话了",
        "你打错了",
        "侬打错了呀",
        "不是,你打错了",
        "你大错了",
        "大错电话了",
        "这里没有王阿婆",
        "我不认识",
    ],
)
def test_a_wrong_number_in_so_many_words(text: str) -> None:
    assert said(text, GREET) == ("wrong_number", True)


@pytest.mark.parametrize("text", ["没打错", "没有打错", "我是王秀英", "我是李阿公", "王阿婆,电话!", "喂,你好,什么事?"])
def test_no_wrong_number_and_nobody_s_name(text: str) -> None:
    found = said(text, GREET)
    assert found is None or found[0] == "repeat"


@pytest.mark.parametrize("text", ["我是王阿婆", "我就是王阿婆呀", "是的,我是王阿婆", "王阿婆就是我", "我是北人"])
def test_she_says_her_name(text: str) -> None:
    assert said(text, GREET) == ("me", True)


def test_each_name_counts_for_its_own_person() -> None:
    call = Conversation(WANG, LI).presses("1").presses("3").is_silent()
    assert call.said == ["next.person"]
    assert said("我是李阿公", menu(call)) == ("me", True)
    assert said("我是王阿婆", menu(call)) is None


def test_no_template_is_left_on_a_call() -> None:
    assert not [
        way for where in (GREET, OTHER, HEALTH, CONFIRM) for ways in where.values() for way in ways if "{" in way
    ]


# ── somebody else about her ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    ["她蛮好的", "他身体蛮好的", "老太太蛮好", "她没事", "她今天蛮好", "王阿婆身体很好", "我妈没什么", "蛮好的"],
)
def test_another_says_that_she_is_well(text: str) -> None:
    assert said(text, OTHER) == ("well", True)


@pytest.mark.parametrize(
    "text", ["他不舒服", "我妈不太好", "她身体不好", "老太太头晕", "王阿婆不舒服", "她住院了", "她蛮好的就是腰痛"]
)
def test_another_says_that_she_is_not_well(text: str) -> None:
    found = said(text, OTHER)
    assert found is not None
    assert found[0] == "unwell"


def test_she_is_good_is_too_little_to_be_told_from_she_is_not_good() -> None:
    assert said("她好", OTHER) is None
    assert said("她好的", OTHER) is None


def test_the_neighbour_s_words_reach_the_record() -> None:
    call = Conversation().speaks("我是邻居").speaks("她蛮好的")
    assert call.said == ["other.bye", "bye.say"]
    assert call.results == ["other_says_well"]


# ── what is never well ───────────────────────────────────────────────────────────────────────────

COMPLAINTS = (
    """
好是好,就是头晕|好是好|好是好,就是走不动|不太好|没有很好|好不了|身体好什么好|好个屁|勿好|不蛮好|没有蛮好|不是很好|不怎么好|好不到哪里去
没什么好|没什么好的|没啥好|没有什么好的|没什么舒服的|没啥精神好|身体没什么好|呒没啥好|呒啥适意个|还没好|好不起来|谈不上好|算不上好
蛮好的,就是腿没劲|身体很好才怪|身体好吗|还可以不可以|谁说我身体很好了|没好|没蛮好|不很好|不身体好|没有身体好|好什么呀|好啥好
没事才怪|不是没事|怎么没事|哪能没事|有事,不是没事|没事就好了|要是没事就好|没什么,就是睡不着|老样子,头晕|老样子,不舒服
还可以,就是脚痛|还行吧,吃不下|不错什么呀|不见得好|不会好了|不会好的|未必好|别说好了|好不好|好不好啊|不好不坏|不好也不坏|勿大好
勿蛮好|呒没蛮好|没有老好|可以是可以|可以是可以,不过头痛|舒服不了|不舒服的|没舒服的|健康不了|不健康的|一切都好不了|一切都不好
不是好|不是蛮好|不是很好的|不是的,不好|没有好|没有好的|没有很好的|不行|不太行|身体不行|我不好|我不太好|我没有很好|今天不好|今天不太好
今天没有很好|今朝勿好|人勿适意|难受|好难受|好痛|好疼|好累啊|好头晕|蛮难过|很不好|挺不好的|都不好|老勿好|邪气勿好|交关勿适意
她蛮好是假的|她没什么好|她没啥好的|她不太好|她没有很好|她好不了|她好什么好|她好是好,就是头晕|我妈不蛮好|老太太勿好|他没蛮好|她不是很好
对不起|对不起,不好|是不好|是的,不好|对,不太好|对的,就是头晕|嗯,不好|好的,就是头晕|可以什么呀|行不行|是不是|不对|不是的|不可以
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.mark.parametrize("where", [HEALTH, CONFIRM, OTHER], ids=["health", "confirm", "other"])
@pytest.mark.parametrize("text", COMPLAINTS)
def test_a_complaint_or_a_negation_is_never_well(text: str, where: Menu) -> None:
    found = said(text, where)
    assert found is None or found[0] not in ("well", "yes")


GOOD = sorted(
    {way for where in (HEALTH, CONFIRM, OTHER) for meaning in ("well", "yes") for way in where.get(meaning, ())}
)
# In front of good words these say the opposite, or leave it open.
BEFORE = (
    "不",
    "没",
    "没有",
    "勿",
    "呒没",
    "不是",
    "不太",
    "不会",
    "没什么",
    "没啥",
    "谈不上",
    "哪里",
    "要是",
    "谁说",
    "别说",
    "怎么",
)
AFTER = (
    "是假的",
    "就是头晕",
    "但是走不动",
    "不过腿没劲",
    "才怪",
    "个屁",
    "什么呀",
    "吗",
    "不了",
    "不起来",
    ",人难受",
    ",不好",
    "倒不是",
)


@given(st.sampled_from(BEFORE), st.sampled_from(GOOD), st.sampled_from([HEALTH, CONFIRM, OTHER]))
@settings(max_examples=600, deadline=None)
def test_denied_good_words_are_never_surely_well(before: str, good: str, where: Menu) -> None:
    if said(before + good, where) in (("well", True), ("yes", True)):
        # Only where the two together are a phrase of their own, like 没什么 + 嗯 (a particle).
        assert phrases.normalise(before + good) in map(phrases.normalise, GOOD)


@given(st.sampled_from(GOOD), st.sampled_from(AFTER), st.sampled_from([HEALTH, CONFIRM, OTHER]))
@settings(max_examples=600, deadline=None)
def test_good_words_with_a_complaint_behind_are_never_well(good: str, after: str, where: Menu) -> None:
    found = said(good + after, where)
    assert found is None or found[0] not in ("well", "yes")


@given(st.lists(st.sampled_from([*GOOD, "不", "没有", "不好", "头晕", "什么"]), min_size=2, max_size=4))
@settings(max_examples=400, deadline=None)
def test_no_row_of_good_words_with_a_bad_one_is_well(words: list[str]) -> None:
    if any(word in ("不好", "头晕", "什么", "不", "没有") for word in words):
        assert said("".join(words), HEALTH) != ("well", True) or "".join(words) in GOOD


# ── the confirmation ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text", ["没事的", "没事", "没什么", "没啥", "不要紧", "晓得了", "是我", "我是本人", "是的,没事的", "好", "嗯"]
)
def test_what_does_not_surely_confirm(text: str) -> None:
    found = phrases.match(text, CONFIRM)
    assert found is None or not found.whole or len(phrases.normalise(found.phrase)) == 1


@pytest.mark.parametrize(
    "text", ["是的", "对的", "好的", "身体好", "身体蛮好的", "蛮好的", "我很好", "还可以", "今天很好"]
)
def test_what_confirms(text: str) -> None:
    found = said(text, CONFIRM)
    assert found is not None
    assert found[0] in ("yes", "well")
    assert found[1]


def test_nothing_the_matter_is_asked_again_at_the_confirmation() -> None:
    call = Conversation().presses("1").speaks("好").speaks("没事的")
    assert call.said == ["health.confirm.again"]
    assert call.results == ["present_unconfirmed"]
    assert call.speaks("是的").results == ["well"]


def test_menus_stay_small_enough_to_be_compared_with_every_utterance() -> None:
    """2,000 phrases take 2 ms to match."""
    flow = daily()
    sizes = [sum(len(choice.phrases) for choice in flow.offered(step)) for step in flow.steps.values()]
    assert max(sizes) < 2000


# ── negation ─────────────────────────────────────────────────────────────────────────────────────

NEGATIVE = ("unwell", "no", "someone_else", "absent", "refuse", "wrong_number", "repeat", "talk")
POSITIVE = ("well", "yes", "me")


@pytest.mark.parametrize(
    "step", ["greet.ask", "other.ask", "other.fetch", "health.ask", "health.confirm", "message.ask"]
)
def test_no_swallowed_negation_makes_good_news_unnoticed(step: str) -> None:
    """Templates included: what a lost 不, 勿 or 呒没 turns into an answer of another kind is one syllable, which is
    confirmed anyway, or known as a pair that must be told apart."""
    offered = {choice.meaning: choice.phrases for choice in daily().offered(daily().steps[step])}
    good = {phrase for meaning in POSITIVE for phrase in offered.get(meaning, ())}
    bad = {phrase for meaning in NEGATIVE for phrase in offered.get(meaning, ())}
    pairs = lexicon.load().mistaken(good | bad)
    turned = [(phrase, left) for phrase in bad for left in shortened(phrase) & good if len(left) > 1]
    assert turned or step in ("other.fetch",)
    assert [pair for pair in turned if pair[1] not in pairs[pair[0]]] == []


def test_who_says_she_is_well_has_an_opposite_to_be_told_from() -> None:
    """今天身体好 is open together with 今天身体不好: the ear chooses between the two instead of guessing at one."""
    for where in (HEALTH, OTHER):
        pairs = lexicon.load().mistaken([*where["well"], *where["unwell"]])
        alone = [way for way in where["well"] if way.endswith("身体好") and way not in pairs]
        assert alone == []
    assert "今天身体不好" in lexicon.load().mistaken([*HEALTH["well"], *HEALTH["unwell"]])["今天身体好"]


# ── a cry for help into the middle of a no ───────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "不,救命",
        "没有,摔倒了",
        "别,救命啊",
        "不是,着火了",
        "不不不,救命",
        "没有着火啦快来人",
        "没事,我摔了",
        "不想活了",
        "我起不来床了",
        "救火啊",
        "煤气漏了",
        "我滑了一跤",
    ],
)
@pytest.mark.parametrize("where", [GREET, OTHER, HEALTH, CONFIRM])
def test_a_cry_for_help_is_no_answer_at_any_step(text: str, where: dict[str, tuple[str, ...]]) -> None:
    found = said(text, where)
    assert found is not None
    assert found[0] == "distress"


def test_the_line_itself_never_says_a_word_of_distress() -> None:
    """What comes back as an echo must not raise the alarm."""
    cries: Menu = {phrases.DISTRESS: daily().distress}
    assert [sentence for sentence in daily().sentences("zh") if said(sentence, cries)] == []


def test_no_word_of_the_lexicon_raises_the_alarm_unless_it_is_distress() -> None:
    """Distress is found inside longer words too: 起火 would be found in 一起火锅."""
    book = lexicon.load()
    cries: Menu = {phrases.DISTRESS: book.phrases("distress")}
    alarming = {"distress", *book.meanings["distress"].parts}
    others = [way for meaning in book.meanings if meaning not in alarming for way in book.phrases(meaning)]
    assert [way for way in others if said(way, cries)] == []


@pytest.mark.parametrize(
    "text",
    [
        "快点来人呀",
        "掼了一跤呀",
        "我爬勿起来了呀",
        "气透勿过来",
        "胸口闷来西",
        "阿拉屋里着火了",
        "我勿来三了",
        "动勿来了",
        "我倒辣地浪",
        "从床上摔下来了",
        "说话说不清了",
        "煤气呒没关",
    ],
)
def test_a_cry_in_either_tongue(text: str) -> None:
    assert said(text, HEALTH) in (("distress", True), ("distress", False))


@pytest.mark.parametrize(
    "text",
    ["帮帮忙", "早上起不来", "我有心脏病", "脑梗好几年了", "一起火锅", "电话说不清", "想死你了", "烧起来了", "气急"],
)
def test_what_only_sounds_alarming(text: str) -> None:
    found = said(text, HEALTH)
    assert found is None or found[0] != "distress"
