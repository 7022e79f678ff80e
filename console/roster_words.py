"""The roster's words in Chinese. Pure."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from checkins.roster.duty_days import DutySpan
from checkins.tables import ROLE_ZH as ROLE_ZH

DAYS_ZH = "一二三四五六日"
CHANGE_ZH = {
    "pair": "结对",
    "unpair": "不再结对",
    "substitutes": "替补",
    "shifts": "时段",
    "leave": "请假",
    "leave_ended": "请假取消",
    "override": "顶班",
    "override_ended": "顶班取消",
    "rotation": "值班轮换",
    "deputy": "副班",
    "working_hours": "上班时间",
    "family": "家属",
    "street": "街道电话",
    "working_day": "放假表",
    "taken_off": "移出名单",
    "policy": "打给老人的规则",
    "escalation": "找人的规则",
    "window": "排时间",
    "lines": "用几条线",
}


def day_zh(day: date) -> str:
    """ "3月2日 周一"."""
    return f"{day.month}月{day.day}日 周{DAYS_ZH[day.weekday()]}"


def moment_zh(moment: datetime, zone: str) -> str:
    """ "3月2日 周一 08:30"."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{day_zh(local.date())} {local:%H:%M}"


def part_zh(span: DutySpan, day: date, zone: str) -> str:
    """Which part of the day: "" for all of it, "08:30起", "08:30前", "08:30–18:00"."""
    begins, ends = (moment.astimezone(ZoneInfo(zone)) for moment in (span.begins, span.ends))
    from_start, to_end = (begins.hour, begins.minute) == (0, 0), ends.date() > day
    if from_start and to_end:
        return ""
    if to_end:
        return f"{begins:%H:%M}起"
    return f"{ends:%H:%M}前" if from_start else f"{begins:%H:%M}–{ends:%H:%M}"
