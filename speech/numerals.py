"""Spoken numbers in Chinese text → digits, where a clerk would write digits. Pure; the value comes from cn2an.

Written as digits: numbers of twenty and more, digit strings (telephones, rooms, years), and smaller numbers only where
they name a date, an hour, a house, money or a measure. All else stays as it was said: 一点点, 第一次, 老三, 三三两两,
二三十 (an estimate), 十三点. Whoever reads 1点 for "一点都不好" is misled, so a doubtful case stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import cn2an

NUMERALS = "零〇一二两三四五六七八九十百千万亿幺廿"
_DIGIT = "一二两三四五六七八九"
_VALUE = {char: str(value) for value, char in enumerate("零一二三四五六七八九")} | {"〇": "0", "幺": "1", "两": "2"}

# Words with numerals in them that are no numbers. Looked at first, from left to right; regular expressions.
GUARDS = (
    *("一点点", "一点半点", "万一", "千万(?![块元人户])", "万万", "十分(?![钟之])", "百分百", "十全", "十足"),
    *("百姓", "百货", "百合", "百叶", "百般", "千金", "千方百计", "万分", "万事", "万岁", "万能", "万幸", "亿万"),
    *("一五一十", "三三两两", "七七八八", "三七二十一", "九九八十一", "十有八九", "五十肩", "年三十", "三十而立"),
    *("十天半个?月", "百八十", "千百", "三天两头", "一千零一夜", "三百六十行", "半斤八两", "女大十八变", "三八妇女"),
    *(
        "十字路口",
        "十字",
        "八百年",
        "一百个(?=放心|不)",
        "初[一二三四五六七八九十]",
        f"(?!百分)[{NUMERALS}]+分之[{NUMERALS}]+",
    ),
)
# Counted from twenty on anyway; from ten to nineteen only with one of these behind.
_UNITS = (
    *("个", "块", "元", "角", "岁", "年", "天", "日", "号", "月", "分钟", "刻钟", "秒", "小时", "钟头", "楼", "层"),
    *("人", "位", "户", "家", "次", "趟", "回", "遍", "斤", "公斤", "两重", "克", "毫克", "毫升", "平方", "米", "公里"),
    *("度", "栋", "幢", "弄", "室", "单元", "路", "支弄", "片", "粒", "颗", "包", "瓶", "盒", "只", "张", "把", "级"),
    *("里路", "站", "桶", "袋", "箱", "扇", "盏"),
)
_TEEN_UNIT = re.compile("|".join(sorted(_UNITS, key=len, reverse=True)))
# One figure is written as a digit only before these; 一 and 两 before fewer ("一块" is also "together", "一度" "once").
_SMALL_UNIT = re.compile("号|月|楼|层|单元|栋|幢|岁|度|元|块|斤|公斤|毫克|毫升|平方|米|小时|分钟|片(?!刻)|粒|颗药")
_UNIT_OF_ONE = re.compile("号|月|楼(?!道)|单元|栋|幢|岁|元|公斤|毫克|毫升|小时|分钟")
_UNIT_OF_TWO = re.compile("元|块钱|公斤|毫克|毫升|平方|小时|分钟|粒|岁")
_MEASURE = "度|块|元|斤|公斤|克|毫克|毫升|米|公里|平方|小时|倍|个小时|个钟头"
_MEASURED = "(?:血糖|血压|高压|低压|体温|热度|尿酸|血脂|胆固醇|体重|心跳|脉搏)(?:是|有|到|量下来|测下来)?"

_TENS = f"[{_DIGIT}]?十[{_DIGIT}]?|廿[{_DIGIT}]?"
_HUNDREDS = f"[{_DIGIT}]百(?:零[{_DIGIT}]|[{_DIGIT}]十[{_DIGIT}]?|[{_DIGIT}])?"
_THOUSANDS = (
    f"[{_DIGIT}]千(?:零(?:[{_DIGIT}]?十[{_DIGIT}]?|[{_DIGIT}])"
    f"|[{_DIGIT}]百(?:零[{_DIGIT}]|[{_DIGIT}]十[{_DIGIT}]?|[{_DIGIT}])?|[{_DIGIT}])?"
)
_SMALL = f"(?:{_THOUSANDS}|{_HUNDREDS}|{_TENS}|[{_DIGIT}])"
_COUNT = re.compile(f"{_SMALL}万(?:零?(?:{_THOUSANDS}|{_HUNDREDS}|{_TENS})|零[{_DIGIT}]|[{_DIGIT}])?|{_SMALL}")
_FIGURES = re.compile("[零〇一二三四五六七八九幺]+")
# "七八九个", "一二三": counting or an estimate, no number
_COUNTING = "一二三四五六七八九"
# A 一 behind 百, 千, 万 that begins the next word: 三万一起.
_NEXT_WORD = re.compile("[起直样定般共块下点个些会道边旦]")

_PART_OF_DAY = "(?:上午|下午|早上|早晨|早浪|清晨|中午|晚上|夜里|夜到|半夜|凌晨|傍晚|今朝|明朝|今天|明天|昨天|后天)"
_HOUR = "二十[一二三四]?|十[一二三四五六七八九]?|[一二两三四五六七八九]"
_MINUTES = f"零[{_DIGIT}]分|[二三四五]?十[{_DIGIT}]?分(?!钟)|[二三四五]?十[{_DIGIT}]?(?![{NUMERALS}])"
_SURE = f"钟|半(?!点)|整|一刻|三刻|{_MINUTES}"
_LIKELY = "多|左右|以前|之前|以后|之后|敲过"

_TOKENS = re.compile(
    "|".join(
        (
            f"(?P<percent>百分之(?P<share>[{NUMERALS}]+(?:点[零〇一二三四五六七八九]+)?))",
            f"(?P<guard>{'|'.join(GUARDS)})",
            f"(?P<decimal>(?P<what>{_MEASURED})?(?P<whole>[{NUMERALS}]+)点(?P<rest>[零〇一二三四五六七八九]+)"
            f"(?:(?={_MEASURE})|(?(what)(?![{NUMERALS}点分])|(?!))))",
            f"(?P<time>(?<![{NUMERALS}0-9点])(?P<day>{_PART_OF_DAY})?(?P<hour>{_HOUR})点"
            f"(?=(?P<sure>{_SURE})|(?P<likely>{_LIKELY})|)(?P<minute>{_MINUTES})?)",
            f"(?P<degrees>(?P<full>[{NUMERALS}]+)度(?P<tenth>[{_DIGIT}])(?![{NUMERALS}个次]))",
            f"(?P<run>[{NUMERALS}]+)",
        )
    )
)


def digits(text: str) -> str:
    """The text with its numbers as digits. Idempotent; every character that is no numeral stays as it is."""
    while (written := _TOKENS.sub(_write, text)) != text:
        text = written
    return text


def is_one_number(run: str) -> bool:
    """Whether these numerals, said with a pause somewhere, are one number or one string of figures."""
    return bool(_COUNT.fullmatch(run)) or (len(run) > 2 and bool(_FIGURES.fullmatch(run)) and run not in _COUNTING)


def _write(token: re.Match[str]) -> str:
    kind = token.lastgroup or "guard"
    kind = next(name for name in _WRITERS if token[name] is not None) if kind != "guard" else kind
    return _WRITERS[kind](token)


def _percent(token: re.Match[str]) -> str:
    share = token["share"]
    if share == "百":
        return "100%"
    whole, point, rest = share.partition("点")
    number = _number(whole)
    return f"{number}{'.' * bool(point)}{_figures(rest)}%" if number is not None else token[0]


def _time(token: re.Match[str]) -> str:
    """8点半, 8点35, 下午3点; "一点", "两点" and "十三点" only where nothing but the hour can be meant."""
    day, hour = token["day"] or "", token["hour"]
    doubtful = hour in ("一", "十三") or (hour == "两" and not day)
    if not (token["sure"] or (not doubtful and (day or token["likely"]))):
        return token[0]
    minute = token["minute"] or ""
    figure = minute.rstrip("分")
    written = _figures(figure) if figure.startswith("零") else str(_number(figure)) if figure else ""
    return f"{day}{_number(hour)}点{written}{minute[len(figure) :]}"


def _decimal(token: re.Match[str]) -> str:
    whole = 0 if token["whole"] in "零〇" else _number(token["whole"])
    return token[0] if whole is None else f"{token['what'] or ''}{whole}.{_figures(token['rest'])}"


def _degrees(token: re.Match[str]) -> str:
    full = _number(token["full"])
    return token[0] if full is None or full < 10 else f"{full}度{_figures(token['tenth'])}"


def _run(token: re.Match[str]) -> str:
    run, before, after = token[0], token.string[: token.start()], token.string[token.end() :]
    if before[-1:].isdigit() or after[:1].isdigit():
        return run
    if len(run) > 2 and run[-1] == "一" and run[-2] in "百千万" and _NEXT_WORD.match(after):
        run, after = run[:-1], "一" + after
    written = _string(run, after) or _count(run, before, after) or run
    return written + token[0][len(run) :]


def _string(run: str, after: str) -> str:
    """A string of figures, digit by digit; "" when it is none."""
    if not _FIGURES.fullmatch(run):
        return ""
    if len(run) == 2:
        return _figures(run) if run[0] in "零〇" and re.match("年|室|号", after) else ""
    plain = len(run) > 2 and (len(run) > 4 or run not in _COUNTING)
    return _figures(run) if plain else ""


def _count(run: str, before: str, after: str) -> str:
    number = _number(run)
    if number is None or before.endswith(("几", "数")) or after.startswith("几"):
        return ""
    if number < 10:
        return _small(run, number, before, after)
    if number < 20 and not _TEEN_UNIT.match(after) and not before.endswith(("第", "月")):
        return ""
    if run == "二百五" and not _TEEN_UNIT.match(after):
        return ""
    return f"{number // 10_000}万" if run.endswith("万") else str(number)


def _small(run: str, number: int, before: str, after: str) -> str:
    if before.endswith(("第", "十", "星期", "礼拜", "周", "这", "那", "老", "小")):
        return ""
    units = _UNIT_OF_ONE if run == "一" else _UNIT_OF_TWO if run == "两" else _SMALL_UNIT
    return str(number) if units.match(after) else ""


def _number(run: str) -> int | None:
    """The value; None for what is no well-formed number (estimates such as 二三十, bare 百 or 万)."""
    if not _COUNT.fullmatch(run):
        return None
    try:
        return int(cn2an.cn2an(run, "normal"))
    except (ValueError, KeyError):  # 两万十五: people say it, cn2an does not know it
        return None


def _figures(run: str) -> str:
    return "".join(_VALUE[char] for char in run)


_WRITERS: dict[str, Callable[[re.Match[str]], str]] = {
    "guard": lambda token: token[0],
    "percent": _percent,
    "time": _time,
    "decimal": _decimal,
    "degrees": _degrees,
    "run": _run,
}
