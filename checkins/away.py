"""An elder says on the telephone that she will be away for some days (PRODUCT.md, states of an elder).

Two questions of the flow: until when that would be, which is read back to her; and, after her key, that it holds. It is
by her number alone, which can be forged: a person hears of it and asks. A pause ends calls that are ahead and closes
nothing that a person is needed for. When it ends, a human asks first (planning.py).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from checkins import items, people
from checkins.case_rows import log_event, served_by
from checkins.items import ItemKind
from checkins.own_calls import RINGS_IN
from checkins.ports import Told
from checkins.schedule import local_date
from checkins.tables import CallIntent, Checkin, State

MOST_DAYS = 60
BY = "by phone"  # the register's source
_ASKED, _PAUSED = "away", "paused"  # on the intent, by elder: the last day
_NUMERALS = "〇一二三四五六七八九"


def until(session: Session, call_id: str, elder_id: str, value: str, now: datetime) -> Told:
    """The last of so many days, today being the first: `noted` with `until`, or `too_long`. Nothing holds yet. Who
    is no elder that the line rings is asked by a person."""
    found = _of(session, call_id, elder_id)
    if found is None or not (value.isascii() and value.isdecimal() and int(value)):
        return Told("")
    intent, row = found
    if row.elder.state not in (State.ACTIVE, State.PAUSED):
        return Told("")
    if int(value) > MOST_DAYS:
        return Told("too_long")
    last = local_date(row.elder.neighbourhood.timezone, now) + timedelta(days=int(value) - 1)
    _note(intent, _ASKED, elder_id, last)
    return Told("noted", {"until": spoken(last)})


def confirmed(session: Session, call_id: str, elder_id: str, _value: str, now: datetime) -> Told:
    """It is right, she says by key: from now on it holds. The same again changes nothing."""
    found = _of(session, call_id, elder_id)
    asked = found[0].applied.get(_ASKED, {}).get(elder_id) if found else None
    if found is None or asked is None:
        return Told("")
    intent, row = found
    if intent.applied.get(_PAUSED, {}).get(elder_id) != asked:
        last = date.fromisoformat(asked)
        _note(intent, _PAUSED, elder_id, last)
        log_event(session, row, "own:away", row.elder.name, now, intent_id=call_id, detail={"until": asked})
        people.set_state(session, elder_id, State.PAUSED, BY, now, until=last)
        _tell_staff(session, row, call_id, last, now)
    return Told("noted")


def spoken(day: date) -> str:
    """As the line says it: 十二月三号."""
    return f"{_spoken(day.month)}月{_spoken(day.day)}号"


def _spoken(number: int) -> str:
    """1 to 99."""
    tens, ones = divmod(number, 10)
    front = {0: "", 1: "十"}.get(tens, _NUMERALS[tens] + "十")
    return front + (_NUMERALS[ones] if ones or not tens else "")


def _of(session: Session, call_id: str, elder_id: str) -> tuple[CallIntent, Checkin] | None:
    """The elder's own call, and her case that it serves; both locked."""
    intent = session.get(CallIntent, call_id, with_for_update=True)
    query = served_by(call_id).where(Checkin.elder_id == elder_id)
    row = session.scalars(query.with_for_update(of=Checkin)).first()
    if intent is None or intent.flow != RINGS_IN or row is None:
        return None
    return intent, row


def _note(intent: CallIntent, what: str, elder_id: str, last: date) -> None:
    intent.applied = {**intent.applied, what: {**intent.applied.get(what, {}), elder_id: last.isoformat()}}


def _tell_staff(session: Session, row: Checkin, call_id: str, last: date, now: datetime) -> None:
    items.open_item(
        session,
        ItemKind.AWAY,
        now,
        neighbourhood_id=row.neighbourhood_id,
        person_id=row.elder_id,
        due_at=now,
        detail={"call": call_id, "until": last.isoformat(), "text": f"到{spoken(last)}"},
    )
