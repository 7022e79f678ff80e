"""What stands on the papers of a notice."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from checkins.people import stops_calls
from checkins.phones import national
from checkins.results import REASON_ZH
from checkins.tables import Neighbourhood, Person
from community.notice_papers import Door, Facts
from community.notice_tables import Hearer, Notice


def facts_of(session: Session, notice: Notice) -> Facts:
    place = session.get_one(Neighbourhood, notice.neighbourhood_id)
    return Facts(place.committee, notice.text, printed(notice.valid_until, place.timezone))


def printed(moment: datetime, zone: str) -> str:
    """As people read it: 2026年11月30日下午4点."""
    at = moment.astimezone(ZoneInfo(zone))
    half, hour = ("上午", at.hour) if at.hour < 12 else ("下午", at.hour - 12 or 12)
    minutes = f"{at.minute}分" if at.minute else ""
    return f"{at.year}年{at.month}月{at.day}日{half}{hour}点{minutes}"


def door_of(row: Hearer, person: Person) -> Door:
    return Door(person.name, person.address or "", national(person.number), why_unheard(row, person))


def why_unheard(row: Hearer, person: Person) -> str:
    """Why they have not understood it yet."""
    reason = stops_calls(person)
    if reason is not None:
        return REASON_ZH[reason]
    if row.heard_at is not None:
        return "听完了，没有按1"
    return "没有打通" if row.given_up_at is not None else "还没听到"
