"""Somebody cried for help on the line, and it is about no elder whose case we have: a buddy, or whoever was rung. An
alarm rings who is on duty until a name has it (alarm_rounds.py); an item says who it was, and by which number.

    sentence of the alarm   names nobody: it goes into mails and logs
    item                    whom to ring back; done by a name
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from checkins import alarms, items
from checkins.alarms import Kind
from checkins.items import ItemKind
from checkins.tables import CallIntent, Person

_ZH = "有人在电话里呼救：请马上看首页，打过去问，必要时打120。"
_STRANGER_ZH = "不认识的号码打来电话呼救：请马上看首页，打过去问，必要时打120。"
STRANGER = ""  # whose alarm it is: no neighbourhood's, so that everybody's duty is rung


def responder(session: Session, intent: CallIntent, now: datetime) -> None:
    """Whoever talks with us in this call. The street office is no person of the register: no item names it."""
    person = session.get(Person, intent.responder or "")
    sound(session, now, person.neighbourhood_id if person else None)
    if person is not None:
        place = person.neighbourhood_id
        items.open_item(
            session,
            ItemKind.CRIED,
            now,
            neighbourhood_id=place,
            by_id=person.id,
            due_at=now,
            detail={"call": intent.id},
        )


def stranger(session: Session, place_id: int, whose: str | None, detail: Mapping[str, Any], now: datetime) -> None:
    """Whoever rang in from a number that is no elder's. Everybody's duty is rung: where they are, nobody knows."""
    alarms.raise_alarm(session, Kind.CRIED, _STRANGER_ZH, now, STRANGER)
    items.open_item(
        session,
        ItemKind.CRIED,
        now,
        neighbourhood_id=place_id,
        by_id=whose,
        due_at=now,
        detail=detail,
        about=str(detail.get("number") or detail["call"]),
    )


def sound(session: Session, now: datetime, place_id: int | None = None) -> None:
    """Rings duty of this place; without one, everybody's."""
    alarms.raise_alarm(session, Kind.CRIED, _ZH, now, str(place_id) if place_id is not None else "")
