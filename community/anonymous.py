"""Whether a text says who somebody is, also when it is written so that a search for the very words misses it. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_FIGURES = {sign: str(n) for signs in ("零一二三四五六七八九", "〇壹贰叁肆伍陆柒捌玖") for n, sign in enumerate(signs)}
_FIGURES |= {"幺": "1", "两": "2", "○": "0"}
_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_NUMERALS = re.compile(f"[{''.join((*_FIGURES, *_TENS))}]+")
_TWO = ("欧阳", "上官", "司马", "诸葛", "司徒", "夏侯", "皇甫", "尉迟", "公孙", "东方", "慕容", "令狐", "端木", "长孙")
_TITLES = (
    "家|阿婆|阿姨|阿公|阿伯|老师|先生|女士|小姐|太太|老太|老伯|师傅|奶奶|爷爷|婆婆|公公|伯伯|大爷|大妈|大娘|叔叔|某|老"
)
_BEFORE = "老阿"  # 老王
_TELEPHONE, _ROOM = 8, 3  # digits that are told apart from others


def tells(text: str, *, names: tuple[str, ...] = (), address: str = "", number: str = "") -> str:
    """The word of `text` that says who it is, "" for none. `names`: written and spoken; `number`: E.164."""
    plain, figures = _plain(text), _figures(_plain(text))
    found = (*_named(plain, names), *_lives(figures, address), *_rung(figures, number))
    return next(iter(found), "")


def _plain(text: str) -> str:
    """Letters and digits alone: what stands between them hides nothing."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).casefold() if sign.isalnum())


def _figures(plain: str) -> str:
    """With figures for numerals: 十二号三零一室 → 12号301室."""
    return _NUMERALS.sub(lambda found: _value(found[0]), "".join(_digit(sign) for sign in plain))


def _digit(sign: str) -> str:
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign


def _value(numeral: str) -> str:
    if not any(sign in _TENS for sign in numeral):
        return "".join(_FIGURES[sign] for sign in numeral)
    total, ahead = 0, 0
    for sign in numeral:
        if sign in _TENS:
            total, ahead = total + (ahead or 1) * _TENS[sign], 0
        else:
            ahead = int(_FIGURES[sign])
    return str(total + ahead)


def _named(plain: str, names: tuple[str, ...]) -> Iterator[str]:
    for name in filter(None, map(_plain, names)):
        if name in plain:
            yield name
        surname = name[:2] if name.startswith(_TWO) else name[:1]
        given = name[len(surname) :]
        if len(given) > 1 and not re.fullmatch(_TITLES, given) and given in plain:
            yield given
        called = re.search(f"{re.escape(surname)}(?:{_TITLES})|[{_BEFORE}]{re.escape(surname)}", plain)
        if called:
            yield called[0]


def _lives(figures: str, address: str) -> Iterator[str]:
    """The whole address; the house with the door; a door's number that is no other's. A lane or a house alone is where
    many live."""
    whole = _figures(_plain(address))
    if whole and whole in figures:
        yield whole
    doors = re.search(r"(\d+\D{1,3})?(\d+)\D*$", whole)
    if doors is None:
        return
    if doors[1] and doors[1] + doors[2] in figures and len(doors[2]) > 1:
        yield doors[1] + doors[2]
    if len(doors[2]) >= _ROOM and re.search(rf"(?<!\d){doors[2]}(?!\d|弄)", figures):
        yield doors[2]


def _rung(figures: str, number: str) -> Iterator[str]:
    digits = "".join(filter(str.isdecimal, number))[-_TELEPHONE:]
    if len(digits) == _TELEPHONE and digits in "".join(filter(str.isdecimal, figures)):
        yield digits
