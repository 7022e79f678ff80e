"""A gap in one sentence, Chinese and English, for the console ("周六18:00起没有人值班"). Pure.

Sentences hold names (personal): they are shown, never logged. A day is named by its weekday when it lies within six
days of the asking, else with its date.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from checkins.roster.gaps import Gap, GapKind
from checkins.roster.values import Roster

_DAYS_ZH = "一二三四五六日"
_DAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NEAR = 6  # days
_NAMED = 3  # elders named before "and others"


@dataclass(frozen=True)
class Sentence:
    zh: str = field(repr=False)
    en: str = field(repr=False)


def sentence(roster: Roster, gap: Gap, begin: datetime, until: datetime) -> Sentence:
    """`gap` in words, as found by gaps(roster, begin, until)."""
    zh, en = _time(gap, roster.zone, begin, until)
    match gap.kind:
        case GapKind.NO_DUTY:
            return Sentence(f"{zh}没有人值班", f"nobody is on duty {en}")
        case GapKind.NO_BUDDY:
            zh_names, en_names = _names(roster, gap.who)
            return Sentence(f"{zh}，{zh_names}没有老伙伴，也没有替补", f"{en_names}: no buddy and no substitute {en}")
        case GapKind.NO_NUMBER:
            name = roster.people[gap.who[0]].name
            return Sentence(f"{name}没有能打通的电话号码", f"{name} has no telephone number that works")
        case GapKind.GONE:
            name = roster.gone[gap.who[0]]
            return Sentence(
                f"{name}已不在（搬走、去世或不再接电话），名单里还有", f"{name} is gone, and still in the roster"
            )
        case GapKind.ROTATION_ENDS:
            return Sentence(f"{zh}值班轮换没有排下去", f"the duty rotation has ended {en}")
        case GapKind.YEAR_UNKNOWN:
            return _year(gap.begins.astimezone(ZoneInfo(roster.zone)).year)


def _year(year: int) -> Sentence:
    return Sentence(
        f"{year}年的放假安排还没有，暂时除了法定假日，周一到周五都算工作日：请填放假表",
        f"the holidays of {year} are not known, Monday to Friday but the law's holidays are taken for working days: "
        "fill in the table",
    )


def _time(gap: Gap, zone: str, begin: datetime, until: datetime) -> tuple[str, str]:
    """ "周六18:00至周日08:30", "from Sat 18:00 to Sun 08:30"; without an end when the gap goes beyond `until`."""
    zh, en = ("现在", "now") if gap.begins <= begin else _moment(gap.begins, zone, begin)
    if gap.ends >= until:
        return f"{zh}起", f"from {en} on"
    zh_end, en_end = _moment(gap.ends, zone, begin)
    return f"{zh}至{zh_end}", f"from {en} to {en_end}"


def _moment(moment: datetime, zone: str, begin: datetime) -> tuple[str, str]:
    local, asked = (each.astimezone(ZoneInfo(zone)) for each in (moment, begin))
    zh, en = f"周{_DAYS_ZH[local.weekday()]}", _DAYS_EN[local.weekday()]
    if (local.date() - asked.date()).days > _NEAR:
        zh, en = f"{local.month}月{local.day}日{zh}", f"{en} {local:%Y-%m-%d}"
    return f"{zh}{local:%H:%M}", f"{en} {local:%H:%M}"


def _names(roster: Roster, elder_ids: tuple[str, ...]) -> tuple[str, str]:
    names = [roster.elders[each].spoken_name for each in elder_ids[:_NAMED]]
    if len(elder_ids) <= _NAMED:
        return "、".join(names), ", ".join(names)
    return f"{'、'.join(names)}等{len(elder_ids)}位老人", f"{', '.join(names)} and {len(elder_ids) - _NAMED} others"
