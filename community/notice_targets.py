"""Whom a notice is for. Pure.

Buildings are matched with the address as it stands in the register: "3号楼" is in "三号楼五零二室" and "3号楼502室",
not in "13号楼502室". Where no address is known, or none that names a building, a doubt is no reason to leave out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from checkins.tables import Person
from community.notice_tables import Notice

_FIGURES = "零一二三四五六七八九"
_CHINESE = re.compile(f"[{_FIGURES}〇两十百]+")
_BUILDING = (re.compile(r"(\d+)(?:号楼|幢|栋|座)"), re.compile(r"(\d+)号"))  # the clearer one first


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


def building(text: str) -> str:
    """The figure of the building, as 3 for 三号楼, 3幢, 1234弄3号502室; "" when there is none."""
    plain = _CHINESE.sub(_figure, text)
    found = next(filter(None, (pattern.search(plain) for pattern in _BUILDING)), None)
    return str(int(found.group(1))) if found else ""


def _figure(found: re.Match[str]) -> str:
    """二十三 → 23, 五零二 → 502."""
    word = found.group().replace("〇", "零").replace("两", "二")
    if "十" not in word and "百" not in word:
        return "".join(str(_FIGURES.index(sign)) for sign in word)
    hundreds, _, rest = word.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    total = (_ones(hundreds) or 1) * 100 if "百" in word else 0
    return str(total + ((_ones(tens) or 1) * 10 if ten else 0) + _ones(ones))


def _ones(word: str) -> int:
    return _FIGURES.index(word[-1]) if word else 0
