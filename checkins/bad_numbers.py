"""Numbers of which the carrier says that they don't exist.

One such answer marks an elder's number, and a person sees to them today. A responder's is marked at the second answer,
an hour or more after the first: nobody is taken off the ladder by one mistake of a switch. Staff are told at the first.
Several different numbers in a row are the line's fault (a trunk that knows no number at all), and mark nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins import items
from checkins.items import ItemKind
from checkins.pace import OUT, down_since, is_line_down, last_through
from checkins.ports import Disposition
from checkins.tables import CallIntent, NumberState, Person, Role

log = logging.getLogger(__name__)

SURE_AFTER = timedelta(hours=1)
_FLAGGED = "flagged"  # on the intent: ids of those whose number it marked


def heard(session: Session, intent: CallIntent, disposition: Disposition, now: datetime) -> Disposition:
    """What an answer of the carrier says: of the number, or of the line. In the latter case those that were marked just
    before, by the same fault, are so no longer."""
    if disposition is not Disposition.BAD_NUMBER or intent.trunk is not None:
        return disposition
    if not is_line_down(session, now, also=intent.number):
        return disposition
    _take_back(session, now)
    return Disposition.LINE_ERROR


def mark(session: Session, intent: CallIntent, now: datetime) -> None:
    """The number doesn't exist, as far as one answer of a line that works can tell."""
    rows = select(Person).where(Person.number == intent.number).order_by(Person.id)
    people = session.scalars(rows.with_for_update(key_share=True)).all()
    sure = intent.trunk is None and _said_before(session, intent, now)
    _tell(session, [person for person in people if person.role != Role.ELDER], now)
    marked = [person for person in people if sure or (person.role == Role.ELDER and intent.trunk is None)]
    marked = [person for person in marked if person.number_state == NumberState.OK]
    for person in marked:
        person.number_state = NumberState.BAD
    intent.applied = {**intent.applied, _FLAGGED: [person.id for person in marked]}


def _said_before(session: Session, intent: CallIntent, now: datetime) -> bool:
    """An hour ago or more, and no call to it has got through since."""
    query = select(func.max(CallIntent.settled_at)).where(
        OUT,
        CallIntent.number == intent.number,
        CallIntent.disposition == Disposition.BAD_NUMBER,
        CallIntent.settled_at <= now - SURE_AFTER,
    )
    said, through = session.scalar(query), last_through(session, intent.number)
    return said is not None and (through is None or through < said)


def _tell(session: Session, responders: Iterable[Person], now: datetime) -> None:
    for person in responders:
        place = person.neighbourhood_id
        items.open_item(session, ItemKind.NUMBER_BAD, now, neighbourhood_id=place, person_id=person.id, due_at=now)


def _take_back(session: Session, now: datetime) -> None:
    """What the dead line said of numbers, it said of itself."""
    said = (OUT, CallIntent.disposition == Disposition.BAD_NUMBER, CallIntent.settled_at > down_since(session, now))
    for intent in session.scalars(select(CallIntent).where(*said).with_for_update()).all():
        intent.disposition = Disposition.LINE_ERROR
        for person_id in intent.applied.get(_FLAGGED, ()):
            person = session.get_one(Person, person_id, with_for_update={"key_share": True})
            if person.number_state == NumberState.BAD and person.number == intent.number:
                person.number_state = NumberState.OK
        log.warning("call %s: no bad number, the line is down", intent.id)
