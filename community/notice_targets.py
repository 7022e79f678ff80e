"""Whom a notice is for. Pure.

Buildings are matched with the address as it stands in the register: "3号楼" is in "三号楼五零二室" and "3号楼502室",
not in "13号楼502室". Where no address is known, or none that names a building, a doubt is no reason to leave out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from checkins.tables import Person
from community.notice_tables import Notice

_FIGURES = "零一二三四五六七八九"
_CHINESE = re.compile(f"[{_FIGURES}〇两十百]+")
_NUMBER = re.compile("(?:([一二三四五六七八九])?(百))?(零)?(?:([一二三四五六七八九])?(十))?([一二三四五六七八九])?")
_STEPS = re.compile(r"([^0-9]*)([0-9]*)")
_LAST = 10**9
_BUILDING = (re.compile(r"([0-9]+)(?:号楼|幢|栋|座)"), re.compile(r"([0-9]+)号"))  # the clearer one first


def is_for(notice: Notice, person: Person) -> bool:
    """Whether it is for this elder of its neighbourhood."""
    if notice.language and notice.language != person.language:
        return False
    return lives_in(person.address, notice.buildings)


def lives_in(address: str | None, buildings: Iterable[str]) -> bool:
    """Whether somebody with this address lives in one of these; with no buildings: everybody does."""
    wanted = {building(each) for each in buildings}
    known = building(address or "")
    return not wanted or not known or known in wanted


@lru_cache(maxsize=1 << 14)  # the same addresses again and again
def building(text: str) -> str:
    """The figure of the building, as 3 for 三号楼, 3幢, 1234弄3号502室; "" when there is none. It never raises."""
    plain = in_figures(text)
    found = next(filter(None, (pattern.search(plain) for pattern in _BUILDING)), None)
    return found[1].lstrip("0") or "0" if found else ""


def in_figures(text: str) -> str:
    """With its numbers as figures: 三号楼五零二室 → 3号楼502室."""
    return _CHINESE.sub(_figure, unicodedata.normalize("NFKC", text))


def on_the_way(address: str | None) -> tuple[int, list[tuple[str, int]]]:
    """In this order somebody walks: building by building, then by the figures of the rest: 2号楼, 10号楼; who has no
    building comes last."""
    figure = building(address or "")
    plain = _CHINESE.sub(_figure, unicodedata.normalize("NFKC", address or ""))
    rest = [(words, int(figures[:9] or 0)) for words, figures in _STEPS.findall(plain)]
    return int(figure[:9]) if figure else _LAST, rest


def _figure(found: re.Match[str]) -> str:
    """二十三 → 23, 五零二 → 502. What is no number stays as it is: 第十百货."""
    word = found[0].replace("〇", "零").replace("两", "二")
    if "十" not in word and "百" not in word:
        return "".join(str(_FIGURES.index(sign)) for sign in word)
    number = _NUMBER.fullmatch(word)
    if number is None:
        return found[0]
    hundreds, hundred, zero, tens, ten, ones = number.groups()
    total = _one(hundreds, hundred) * 100 + _one(tens, ten) * 10 + (_FIGURES.index(ones) if ones else 0)
    return found[0] if hundred and ones and not (zero or ten) else str(total)  # 一百二: 102, or 120?


def _one(figure: str | None, unit: str | None) -> int:
    """How many of this unit; 十 alone is one ten."""
    return 0 if unit is None else _FIGURES.index(figure) if figure else 1
