"""Somebody rings in whom no list knows, or who withholds the number: listened to like everybody else. What they dictate
is the community room's; what needs a person now is here.

    cried for help            duty is rung, and an item says by which number (crying.py)
    wants a person, or broke  an item: a person rings back, if there is a number
    off, or said only who
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import crying, inbound, items, promises
from checkins.items import ItemKind
from checkins.phones import NumberError, to_e164
from checkins.ports import Callee, CallRequest, Disposition, PersonOutcome
from checkins.results import Result
from checkins.roster import loading
from checkins.roster.holidays import is_working_time
from checkins.tables import CallIntent, Neighbourhood, Person

STRANGER = "stranger"  # the flow
WHOSE = "whose"  # on the intent: who of the register has this number, if anybody
PLACE = "place"  # likewise: the neighbourhood whose committee listens
_NOTHING = "no_word"
_RECORDED = "complaint_recording"


def is_stranger(intent: CallIntent) -> bool:
    return intent.flow == STRANGER


def begin(session: Session, call_id: str, number: str, people: Sequence[Person], now: datetime) -> CallRequest | None:
    """`people`: who has this number and is no elder, such as a daughter. None: there is no committee."""
    place = _place(session, people)
    if place is None:
        return None
    intent = inbound.take(session, call_id, _known(number, place), STRANGER, now)
    intent.applied = {PLACE: place.id} | ({WHOSE: people[0].id} if people else {})
    return _request(session, intent, place, now)


def again(session: Session, intent: CallIntent, now: datetime) -> CallRequest:
    """The same call, asked for once more."""
    return _request(session, intent, session.get_one(Neighbourhood, intent.applied[PLACE]), now)


def place_of(session: Session, call_id: str) -> tuple[int, str] | None:
    """The neighbourhood that listens to this stranger, and their number ("": withheld); None: no stranger's call."""
    intent = session.get(CallIntent, call_id)
    if intent is None or not is_stranger(intent):
        return None
    return intent.applied[PLACE], intent.number


def cried(session: Session, intent: CallIntent, now: datetime) -> bool:
    """Once per call."""
    if intent.applied.get("alarm"):
        return False
    intent.applied = {**intent.applied, "alarm": [""]}
    crying.stranger(session, intent.applied[PLACE], intent.applied.get(WHOSE), _detail(intent), now)
    return True


def heard(
    session: Session, intent: CallIntent, disposition: Disposition, people: Sequence[PersonOutcome], now: datetime
) -> None:
    """The end of the call."""
    person = next(iter(people), None)
    if person is not None and person.result == Result.EMERGENCY:
        cried(session, intent, now)
    elif _needs_person(intent, disposition, person):
        said = dict(person.detail) if person else {}
        items.open_item(
            session,
            ItemKind.STRANGER_RANG,
            now,
            neighbourhood_id=intent.applied[PLACE],
            by_id=intent.applied.get(WHOSE),
            due_at=now,
            detail={**_detail(intent), **_kept(said)},
            about=intent.number or intent.id,
        )


def _needs_person(intent: CallIntent, disposition: Disposition, person: PersonOutcome | None) -> bool:
    if person is None or person.result == _NOTHING:
        return disposition is not Disposition.ANSWERED and bool(intent.number)
    return person.result != "rang_in" or _RECORDED not in person.detail


def _kept(said: Mapping[str, Any]) -> dict[str, Any]:
    """Who they are, as far as they said so."""
    text = " ".join(str(said[key]) for key in ("caller_text", "message_text", "phone") if said.get(key))
    return {key: value for key, value in said.items() if key.startswith(("caller_", "phone"))} | {"text": text}


def _detail(intent: CallIntent) -> dict[str, Any]:
    return {"call": intent.id} | ({"number": intent.number} if intent.number else {})


def _place(session: Session, people: Sequence[Person]) -> Neighbourhood | None:
    """Whose committee listens: theirs; of several that share the line, the first one."""
    if people:
        return session.get_one(Neighbourhood, people[0].neighbourhood_id)
    return session.scalars(select(Neighbourhood).order_by(Neighbourhood.id).limit(1)).first()


def _known(number: str, place: Neighbourhood) -> str:
    try:
        return to_e164(number, place.area_code)
    except NumberError:
        return ""


def _request(session: Session, intent: CallIntent, place: Neighbourhood, now: datetime) -> CallRequest:
    calendar = loading.calendar_of(session, place.id)
    promise = promises.spoken(calendar, now, promises.promised(calendar, now))
    variables = {"committee": place.committee, "promise": promise}
    variables |= {"known": "1"} if intent.number else {}
    variables |= {} if is_working_time(calendar, now) else {"closed": "1"}
    return CallRequest(intent.id, intent.number, STRANGER, (Callee("", ""),), variables)
