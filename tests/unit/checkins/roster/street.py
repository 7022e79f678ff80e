"""A street to tell roster stories in: three buddies, three of staff, two elders. 2026-03-02 is a Monday."""

from __future__ import annotations

from datetime import date, datetime

from checkins.roster.values import Elder, Kind, Leave, Override, Pair, Responder, Roster, Rotation
from checkins.schedule import at_minute, read_minute

ZONE = "Asia/Shanghai"
MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 3, day) for day in (2, 3, 4, 5))
SATURDAY, SUNDAY, NEXT_MONDAY = date(2026, 3, 7), date(2026, 3, 8), date(2026, 3, 9)

NAMES = {
    "li": ("李梅", "李阿姨", Kind.BUDDY),
    "zhang": ("张兰", "张阿姨", Kind.BUDDY),
    "zhou": ("周平", "周师傅", Kind.BUDDY),
    "chen": ("陈静", "陈老师", Kind.DUTY),
    "wu": ("吴强", "吴老师", Kind.DUTY),
    "sun": ("孙丽", "孙老师", Kind.DUTY),
    "daughter": ("王芳", "王芳", Kind.FAMILY),
}
PEOPLE = {
    each: Responder(each, name, spoken, f"+8613800000{number:03d}", kind)
    for number, (each, (name, spoken, kind)) in enumerate(NAMES.items())
}

STREET = Roster(
    zone=ZONE,
    people=PEOPLE,
    elders={"wang": Elder("wang", "王阿婆"), "he": Elder("he", "何阿公")},
    pairs={"wang": (Pair("wang", "li", ("zhang",)),), "he": (Pair("he", "zhang"),)},
    substitutes=("zhou",),
    rotation=Rotation(("chen", "wu", "sun"), anchor=MONDAY),
    deputy_id="sun",
    family={"wang": ("daughter",)},
    street=Responder("street", "曹杨新村街道", "街道", "+862110000099", Kind.STREET),
)


def at(day: date, clock: str, zone: str = ZONE) -> datetime:
    return at_minute(zone, day, read_minute(clock))


def leave(begin: datetime, end: datetime, *people: str) -> dict[str, tuple[Leave, ...]]:
    return {person: (Leave(begin, end),) for person in people}


def instead(person: str, other: str, begin: datetime, end: datetime, elder: str | None = None) -> Override:
    return Override(person, begin, end, instead_of=other, elder_id=elder)


def ids(responders: tuple[Responder, ...]) -> list[str]:
    return [each.id for each in responders]
