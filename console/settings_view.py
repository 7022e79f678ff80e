"""The pages of settings: where each kind of them is, working hours and holidays, the line. What is a setting of the
machine is shown only: the environment and wenan.toml have it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.claims import Trunk
from checkins.roster.holidays import Calendar, SpecialDay, Why, is_known, special_days
from checkins.roster.loading import load_calendar
from checkins.roster.tables import CalendarDay, RosterDuty
from checkins.schedule import local_date
from checkins.tables import Neighbourhood
from console import access, view
from console.deps import Setting
from console.setting_words import ZH
from console.visiting import visitor

# address, in Chinese, in English, what for
LINKS = (
    ("/policies", "规则和预演", "policies and preview", "打几次、先打给谁、过几分钟打下一位"),
    ("/settings/hours", "上班时间和放假", "hours and holidays", "哪天几点有人上班；国务院的放假通知"),
    ("/settings/lines", "线路", "lines", "几条线、留几条给打进来的人、现在通不通"),
    ("/roster", "值班表", "roster", "谁值班、请假、顶班、结对"),
    ("/prompts", "录音词", "prompts", "电话里说的每一句话"),
    ("/accounts", "账号", "accounts", "谁能登录，能做什么"),
    ("/import", "导入名单", "import", "从表格导入老人、老伙伴、家属"),
    ("/audit", "操作记录", "log of acts", "谁在什么时候看了、听了、改了什么"),
    ("/tokens", "接口口令", "API tokens", "街道的系统怎样连上来"),
)
WHY_ZH = {
    Why.TABLE: ("居委登记", "as the table has it"),
    Why.NOTICE: ("国务院通知", "by the State Council’s notice"),
    Why.LAW: ("法定", "by law"),
    Why.PERHAPS: ("通知还没出，可能放假", "perhaps: the notice isn’t out"),
}


def links() -> list[tuple[str, str, str, str]]:
    """Those that there are, and that who looks may open."""
    who = visitor()
    listed = (link for link in LINKS if f"GET {link[0]}" in access.ROUTES)
    return [link for link in listed if who is not None and access.may(who.role, "GET", link[0])]


# ── hours and holidays ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Hours:
    """Working hours of one place. `stamp`: of what stands there now."""

    place_id: int
    place: str
    spans: tuple[tuple[str, str], ...]
    stamp: str


@dataclass(frozen=True)
class Year:
    year: int
    known: bool
    days: tuple[SpecialDay, ...]


@dataclass(frozen=True)
class HoursPage:
    hours: tuple[Hours, ...]
    years: tuple[Year, ...]
    stamp: str
    today: date


def hours(session: Session, now: datetime) -> HoursPage:
    places = session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)).all()
    duties = {row.neighbourhood_id: row for row in session.scalars(select(RosterDuty))}
    calendars = [load_calendar(session, place.timezone, duties.get(place.id)) for place in places]
    calendar = calendars[0] if calendars else load_calendar(session, view.HOME, None)
    today = local_date(calendar.zone, now)
    return HoursPage(
        tuple(_hours(place, each) for place, each in zip(places, calendars, strict=True)),
        tuple(_year(calendar, year) for year in (today.year, today.year + 1)),
        days_stamp(session),
        today,
    )


def _hours(place: Neighbourhood, calendar: Calendar) -> Hours:
    spans = tuple((_clock(begins), _clock(ends)) for begins, ends in calendar.hours)
    return Hours(place.id, place.name, spans, hours_stamp(calendar))


def hours_stamp(calendar: Calendar) -> str:
    return "、".join(f"{_clock(begins)}-{_clock(ends)}" for begins, ends in calendar.hours)


def days_stamp(session: Session) -> str:
    """Changes with every day that somebody writes down."""
    days = session.execute(select(CalendarDay.day, CalendarDay.working).order_by(CalendarDay.day))
    return hashlib.sha256(repr([tuple(day) for day in days]).encode()).hexdigest()[:16]


def _year(calendar: Calendar, year: int) -> Year:
    return Year(year, is_known(calendar, year), tuple(special_days(calendar, year)))


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


# ── the line ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class ShownSetting:
    name: str
    zh: str
    en: str
    value: str
    source: str


@dataclass(frozen=True)
class LinesPage:
    """`main`: the settings of the line itself; `rest`: all others."""

    trunk: Trunk
    state: view.House
    places: tuple[tuple[int, str, int | None], ...]
    main: tuple[ShownSetting, ...]
    rest: tuple[ShownSetting, ...]

    @property
    def free(self) -> int:
        """Lines that nobody is on."""
        return max(0, self.trunk.lines + self.trunk.reserved - self.state.talking)


_MAIN = ("LINES", "LINES_RESERVED", "CALLS_PER_SECOND", "CALLS_BURST", "CARRIER", "MEDIA", "TWILIO_FROM", "PUBLIC_URL")


def lines(session: Session, now: datetime, trunk: Trunk, setup: Sequence[Setting]) -> LinesPage:
    places = session.scalars(select(Neighbourhood).order_by(Neighbourhood.id))
    shown = [ShownSetting(one.name, ZH.get(_bare(one.name), ""), one.said, one.value, one.source) for one in setup]
    return LinesPage(
        trunk,
        view.house(session, now),
        tuple((place.id, place.name, place.lines) for place in places),
        tuple(one for one in shown if _bare(one.name) in _MAIN),
        tuple(one for one in shown if _bare(one.name) not in _MAIN),
    )


def _bare(name: str) -> str:
    return name.removeprefix("WENAN_")
