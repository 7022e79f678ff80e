"""From what was heard to what was meant: text normalised, then matched with the phrases that may be said now. Pure.

Two rules keep this safe. A positive meaning (well, yes, …) is taken only when the *whole* utterance consists of its
phrases, so "不好" or "好是好,就是头晕" never counts as "好". Distress is found anywhere in an utterance, and
what may be no denial of it is distress: a false alarm costs a call of a person, a missed one a life.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

DISTRESS = "distress"

# Traditional → simplified, for the characters that lexicon phrases and their surroundings use: engines trained on
# both scripts mix them at will.
_TRADITIONAL = (
    "還还這这個个們们來来沒没麼么樣样體体頭头暈晕腰腰難难過过點点聽听說说話话電电請请謝谢對对錯错號号開开關关門门"
    "幫帮覺觉會会給给與与無无為为時时間间現现後后從从動动衝冲氣气勁劲厲厉害害痛痛腫肿飯饭藥药醫医護护車车倒倒"
    "摔摔員员專专業业轉转區区務务兒儿媽妈爺爷奶奶親亲鄰邻裡里裏里邊边麵面東东長长滿满買买賣卖蠻蛮挺挺睏困壞坏"
    "爾尔讓让認认識识誰谁記记訴诉問问題题報报聲声響响視视樓楼燈灯燒烧熱热涼凉風风雨雨馬马騙骗趕赶緊紧救救"
    "別别閉闭鐘钟兩两幾几萬万億亿歲岁歡欢樂乐興兴舊旧華华國国愛爱傷伤勞劳煩烦條条張张費费師师網网絡络"
    "應应該该願愿選选變变貴贵質质賬账銀银鑰钥鎖锁離离遠远運运進进連连遲迟邊边隊队險险雖虽雙双雜杂靜静順顺須须"
    "復复懷怀總总戶户擔担據据撥拨斷断於于啟启喚唤單单嗎吗嚇吓團团圍围場场塊块夠够奪夺婦妇學学實实寫写將将屬属"
    "島岛幹干廣广廳厅強强當当態态慘惨憶忆戲戏戰战搶抢擇择數数書书楊杨極极構构機机權权歷历歸归殘残殺杀氫氢決决"
    "漲涨濕湿營营獨独療疗瘋疯癢痒發发監监盤盘確确禮礼種种稱称穩稳窮穷筆笔節节範范簡简糧粮級级紅红終终組组結结"
    "絕绝統统經经綠绿線线練练織织繼继續续羅罗義义習习聯联職职腦脑臉脸臨临艙舱蓋盖蘇苏處处術术補补裝装見见規规計计"
    "訂订討讨訓训訪访設设許许評评試试誤误課课調调談谈論论證证譯译議议讀读貓猫負负財财責责貨货賴赖購购"
    "贊赞跡迹躺躺輕轻輛辆輪轮輸输辦办農农遊游達达適适遲迟鄭郑醒醒錢钱錄录鎮镇鐵铁閒闲閱阅陳陈陽阳陰阴階阶隨随"
    "雞鸡霧雾預预領领顆颗顧顾飛飞飲饮養养駕驾驗验髮发魚鱼鮮鲜鳥鸟麗丽麻麻黃黄齊齐齒齿龍龙喫吃妳你甚什祇只"
)
_SIMPLIFY = str.maketrans(dict(zip(_TRADITIONAL[::2], _TRADITIONAL[1::2], strict=True)))

# How a recogniser writes a phrase that sounds the same on a telephone. Only whole words that mean nothing else here;
# measured with Whisper base on 8 kHz μ-law (the forerunner of make eval).
_SOUNDS_LIKE = {
    "满好": "蛮好",
    "慢好": "蛮好",
    "曼好": "蛮好",
    "买好的": "蛮好的",
    "秀命": "救命",
    "怕不起来": "爬不起来",
    "扒不起来": "爬不起来",
    "趴不起来": "爬不起来",
    "爬不起赖": "爬不起来",
    "爬步起来": "爬不起来",
    "就命": "救命",
    "旧命": "救命",
    "摔到了": "摔倒了",
    "水倒了": "摔倒了",
    "谁到了": "摔倒了",
    "谁倒了": "摔倒了",
    "睡到了": "摔倒了",
    "率倒": "摔倒",
    "头云": "头晕",
    "头运": "头晕",
    "不受服": "不舒服",
    "不书服": "不舒服",
    "机委会": "居委会",
    "居尾会": "居委会",
    "专人工": "转人工",
    "转人共": "转人工",
    "兄口痛": "胸口痛",
    "凶口痛": "胸口痛",
    "坏来人": "快来人",
    "我水倒": "我摔倒",
    "握水倒": "我摔倒了",
    "妖騰": "腰疼",
    "妖腾": "腰疼",
    "心不情": "听不清",
    "烙样子": "老样子",
    "挺好待": "挺好的",
    "不收服": "不舒服",
    "不受伏": "不舒服",
    "不受福": "不舒服",
    "很难热": "很难受",
    "很难肉": "很难受",
    "腰腾": "腰疼",
    "腰屯": "腰疼",
    "局委会": "居委会",
    "纪委会": "居委会",
    "摔人工": "转人工",
    "专员工": "转人工",
    "大错了": "打错了",
    "太错": "打错",
    "打触": "打错",
    "大错电话": "打错电话",
    "是北人": "是本人",
    "是北安": "是本人",
    "是本言": "是本人",
    "是本源": "是本人",
    "林局": "邻居",
    "他林俊": "他邻居",
    "她林俊": "她邻居",
    "的林俊": "的邻居",
}
# Also names of people, so only when nothing else is said.
_SOUNDS_LIKE_ALONE = {"秀民": "救命", "秀民秀民": "救命"}

_PARTICLES = "啊呀呢哦噢喔嘛吧哎诶欸哟咯啦呐嗯呃哈额唉喂"
_POLITE = ("谢谢侬", "谢谢你们", "谢谢你", "谢谢您", "谢谢", "再见", "你好", "侬好", "您好", "那个", "这个")
_NEGATIONS = (
    *("没有", "呒没", "没", "不是", "不会", "不", "勿", "别", "未"),
    *("没什么", "没有什么", "没啥", "没有啥", "呒没啥", "呒啥", "没哪里", "没有哪里", "没什么地方"),
)

# Found inside a longer utterance too, most urgent first: each ends with a person or with a question asked again, so a
# false one costs little. Everything else needs the whole utterance.
_INSIDE = ("unwell", "talk", "refuse", "wrong_number", "someone_else", "repeat")
# An acknowledgement in front of the answer ("是的,蛮好的") adds nothing to it.
_WEAK = frozenset({"yes", "me"})
# A "no" in front of who it is instead ("不是,我是邻居") is the same answer, said at more length.
_SAME_AS_NO = ("someone_else", "wrong_number")
_NO = "no"

# A pause inside an utterance: a punctuation mark, or a particle ("没有啊,摔倒了"). Spaces are none: engines put them
# between words.
_PAUSE = "|"
# Who cries so is never taken to deny it: "不,救命", "没有,着火了", but also "没着火了".
_CRIES = ("救", "来人", "快来", "快点来", "帮帮我", "着火", "起火", "失火", "煤气", "活", "寻死", "自杀")
# A fall, pain or want of breath is denied by these alone, right before it and not doubled ("没没摔倒").
_DENIALS = ("没有", "没")
_DOUBLED = ("没", "没有", "不", "不是", "不要", "勿", "别")

# Good news. What follows is about texts that consist of good words and yet say the opposite.
_GOOD = ("well", "yes")
# "没什么" answers by itself, but "没什么好" and "没啥舒服的" are complaints; with an adverb ("没什么,蛮好的") it is
# not sure.
_NOTHING = ("没什么", "没有什么", "没啥", "没有啥", "呒没啥", "呒啥")
# … and "没什么,不舒服" is one, while "没什么不舒服" is none: only the pause tells them apart. Where one is heard, what
# follows is an answer of its own; where none is written (few engines do), the good news is not sure.
_NO_PAUSE = re.compile(rf"(?:{'|'.join(_NOTHING)})[不勿弗]")
_NOTHING_THEN = re.compile(
    rf"(?:{'|'.join((*_NOTHING, '没有', '呒没', '没'))}){re.escape(_PAUSE)}+(?=[^{re.escape(_PAUSE)}])"
)
_UNWELL = "unwell"
_BARE = ("好", "舒服", "适意", "可以", "健康", "精神", "行", "来三", "硬朗")
# "好是好,…": a complaint follows, heard or not.
_CONCEDED = re.compile(r"([^是的]{1,4})是\1")
# Who speaks of somebody begins anew: the negation before it is an answer of its own ("不是,我是他儿子").
_SUBJECTS = ("我", "你", "侬", "您", "这")


@dataclass(frozen=True)
class Match:
    """`whole`: the utterance consists of this meaning's phrases and nothing else."""

    meaning: str
    phrase: str
    whole: bool


def simplify(text: str) -> str:
    """Traditional characters of the lexicon's range → simplified; full width → half width."""
    return unicodedata.normalize("NFKC", text).translate(_SIMPLIFY)


def normalise(text: str) -> str:
    """For matching: simplified, lower case, no punctuation, space or particle."""
    kept = (char for char in simplify(text).lower() if unicodedata.category(char)[0] in "LNM")
    plain = "".join(kept)
    bare = "".join(char for char in plain if char not in _PARTICLES)
    return bare or plain


def _with_pauses(text: str) -> str:
    """Normalised, but with a sign where a mark or a particle stood."""
    chars = (char for char in simplify(text).lower() if not char.isspace())
    return "".join(
        char if unicodedata.category(char)[0] in "LNM" and char not in _PARTICLES else _PAUSE for char in chars
    )


def match(text: str, phrases: Mapping[str, Sequence[str]]) -> Match | None:
    """What `text` means among `phrases` (meaning → ways to say it); None when it is none of them."""
    heard = normalise(text)
    if not heard:
        return None
    table = _table(phrases)
    cry = _cry(text, table)
    if cry:
        whole = next((found for variant in _variants(heard) if (found := _only_distress(variant, table))), None)
        return whole or cry
    complaint = _complaint(text, table)
    if complaint:
        return complaint
    for variant in _variants(heard):
        found = _tiled(variant, table)
        if found and not (found.meaning in _GOOD and _taken_back(text)):
            return found
    return next((found for variant in _variants(heard) if (found := _inside(variant, table))), None)


def _complaint(text: str, table: list[tuple[str, str, str]]) -> Match | None:
    """What follows a "nothing" and a pause, when that is a complaint ("没什么,不舒服")."""
    for variant in _variants(_with_pauses(text)):
        for nothing in _NOTHING_THEN.finditer(variant):
            found = _inside(variant[nothing.end() :].replace(_PAUSE, ""), table)
            if found and found.meaning == _UNWELL:
                return found
    return None


def _taken_back(text: str) -> bool:
    """Whether a "nothing", a pause and a "not" stand there, whatever is not ("没什么,不太好")."""
    paused = _with_pauses(text)
    return any(paused[nothing.end()] in "不勿弗" for nothing in _NOTHING_THEN.finditer(paused))


@lru_cache(maxsize=8192)
def _plain(phrase: str) -> str:
    """A menu's phrase, normalised once: menus hold hundreds and are matched with every utterance."""
    return normalise(phrase)


def _table(phrases: Mapping[str, Sequence[str]]) -> list[tuple[str, str, str]]:
    return _rows(tuple((name, tuple(ways)) for name, ways in phrases.items()))


@lru_cache(maxsize=128)
def _rows(phrases: tuple[tuple[str, tuple[str, ...]], ...]) -> list[tuple[str, str, str]]:
    """(normalised, meaning, phrase), longest first; of the same length those first that are written so, then those that
    lose a particle (可以 is the "all right" of the menu, 可以额 its "not bad"). Made once for a menu: only read."""
    known = sorted(
        ((_plain(way), name, way) for name, ways in phrases for way in ways), key=lambda row: row[0] == row[2]
    )
    rows = {(plain, meaning): phrase for plain, meaning, phrase in known}
    table = [(plain, meaning, phrase) for (plain, meaning), phrase in rows.items() if plain]
    return sorted(table, key=lambda row: (-len(row[0]), row[0] != row[2]))


def _variants(heard: str) -> Iterator[str]:
    """As heard; then with sound-alikes mended."""
    yield heard
    mended = heard
    for wrong, right in _SOUNDS_LIKE.items():
        mended = mended.replace(wrong, right)
    mended = _SOUNDS_LIKE_ALONE.get(mended, mended)
    if mended != heard:
        yield mended


def _tiled(heard: str, table: list[tuple[str, str, str]]) -> Match | None:
    """The meaning of an utterance made of phrases (and politeness) from end to end."""
    best = _tilings(heard, table).get(len(heard))
    if not best:
        return None
    meanings = {meaning for meaning, _ in best}
    if DISTRESS in meanings:
        return None  # denied, else it would have been found before
    if meanings <= {_NO, *_SAME_AS_NO} and len(meanings) == 2 and best[0][0] == _NO:
        best = [tile for tile in best if tile[0] != _NO]
        meanings.discard(_NO)
    if len(meanings) > 1:
        meanings = meanings - _WEAK or meanings
    if len(meanings) != 1 or (meanings & set(_GOOD) and _CONCEDED.search(heard)):
        return None
    return _only(meanings.pop(), best)


def _only(meaning: str, tiles: list[tuple[str, str]]) -> Match:
    phrase = max((phrase for found, phrase in tiles if found == meaning), key=len)
    alone = len({found for found, _ in tiles}) == 1
    open_ended = meaning in _GOOD and any(_plain(way).endswith(_NOTHING) for _, way in tiles[:-1])
    ambiguous = meaning in _GOOD and any(_NO_PAUSE.search(_plain(way)) for _, way in tiles)
    return Match(meaning, phrase, whole=alone and not open_ended and not ambiguous)


def _only_distress(heard: str, table: list[tuple[str, str, str]]) -> Match | None:
    """Distress from end to end, politeness apart."""
    best = _tilings(heard, table).get(len(heard))
    return _only(DISTRESS, best) if best and DISTRESS in {meaning for meaning, _ in best} else None


def _cry(text: str, table: list[tuple[str, str, str]]) -> Match | None:
    """The longest distress phrase in `text` that is not denied there."""
    paused, heard = _with_pauses(text), normalise(text)
    # As heard, pauses and all; with the sound-alikes mended, which may also lie across a pause.
    variants = dict.fromkeys([*_variants(paused), *list(_variants(heard))[1:]])
    spoken = {variant: variant.replace(_PAUSE, "") for variant in variants}
    for plain, meaning, phrase in table:
        if meaning == DISTRESS and any(plain in spoken[variant] and _cried(variant, plain) for variant in variants):
            return Match(DISTRESS, phrase, whole=False)
    return None


def _cried(paused: str, plain: str) -> bool:
    """Whether the phrase stands there, pauses inside it or not, at least once without a denial."""
    found = _across_pauses(plain).finditer(paused)
    return any(any(cry in plain for cry in _CRIES) or not _denies(paused[: each.start()]) for each in found)


@lru_cache(maxsize=1024)
def _across_pauses(plain: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(_PAUSE)}*".join(map(re.escape, plain)))


def _denies(before: str) -> bool:
    denial = next((word for word in _DENIALS if before.endswith(word)), None)
    return denial is not None and not before.removesuffix(denial).endswith(_DOUBLED)


def _tilings(heard: str, table: list[tuple[str, str, str]]) -> dict[int, list[tuple[str, str]]]:
    """For every end that phrases reach from the start: the tiles on the way, fewest tiles first."""
    reached: dict[int, list[tuple[str, str]]] = {0: []}
    there = _there(heard, table)
    for at in range(len(heard)):
        if at not in reached:
            continue
        so_far = reached[at]
        steps = [
            (len(plain), [(meaning, phrase)])
            for plain, meaning, phrase in there
            if heard.startswith(plain, at) and not _denied(heard, at, plain, meaning)
        ]
        steps += [(len(word), []) for word in _POLITE if heard.startswith(word, at)]
        for length, tile in steps:
            known = reached.get(at + length)
            if known is None or len(so_far) + len(tile) < len(known) or not known:
                reached[at + length] = so_far + tile
    return reached


def _there(heard: str, table: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """The few rows of the hundreds that an utterance holds at all."""
    return [row for row in table if row[0] in heard]


def _denied(heard: str, at: int, plain: str, meaning: str) -> bool:
    """Whether good words there are what there is nothing of ("没什么好")."""
    return meaning in _GOOD and plain.startswith(_BARE) and heard[:at].endswith(_NOTHING)


def _inside(heard: str, table: list[tuple[str, str, str]]) -> Match | None:
    """A phrase of a meaning that may be found anywhere, not negated; the most urgent, then the longest."""
    there = _there(heard, table)
    for meaning in _INSIDE:
        for plain, found, phrase in there:
            if found == meaning and len(plain) > 1 and _affirmed(heard, plain):
                return Match(meaning, phrase, whole=False)
    return None


def _affirmed(heard: str, plain: str) -> bool:
    """Whether `plain` stands in `heard` at least once without a negation right before it."""
    if plain.startswith(_SUBJECTS):
        return plain in heard
    at = heard.find(plain)
    while at >= 0:
        if not heard[:at].endswith(_NEGATIONS):
            return True
        at = heard.find(plain, at + 1)
    return False
