"""Test calls (the flow `test_call`): whether a telephone works. Rung when staff want one now (`people test-call`), and
by itself to elders with whom nobody has talked by telephone for so many days. They are no check-ins: nothing in them
says how the elder is, but for what the care room must know of any call.

All of it stands in the register's log: wanted, ordered, what it came to. Who does not hear well, whom staff wanted
tried in vain, and whom the line tried twice in vain: staff go and look. A line that failed says nothing of the
telephone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session, aliased

from checkins import items, people, policies, register_log
from checkins.items import ItemKind
from checkins.line_rules import Purpose
from checkins.names import named
from checkins.other_calls import Barred, Ended, Lines, within_hours
from checkins.ports import TALKED, CallRequest, Disposition, PersonOutcome
from checkins.register_log import PersonEvent, What
from checkins.results import LINE, Result
from checkins.tables import CallIntent, Checkin, Mode, Neighbourhood, NumberState, Person, Role, State

FLOW = "test_call"
WANTED_FOR = timedelta(minutes=10)  # whoever wanted it has gone by then
FORGOTTEN = timedelta(days=7)  # nobody waits to be told that it was too late
LOOKS_EVERY = timedelta(minutes=10)
AGAIN = timedelta(hours=21)  # after one in vain: on another day, at another hour
AFTER_NOTHING = timedelta(hours=3)
BATCH = 20
ENDS = (What.TEST_HEARD, What.TEST_VAIN, What.TEST_NOTHING)
_LINE_FAILED = (Disposition.LINE_ERROR, Disposition.CANCELLED, Disposition.INTERRUPTED)
_THEY_SPOKE = (Result.WANTS_PERSON, Result.NOT_WELL, Result.REFUSED, Result.EMERGENCY)


def want(session: Session, person_id: str, by: str, now: datetime) -> int:
    """Staff want one rung now; the number of the wish. ValueError without a name, or when the line may not ring them,
    or not at this hour."""
    by, elder = named(by), session.get_one(Person, person_id)
    place, barred = session.get_one(Neighbourhood, elder.neighbourhood_id), people.stops_calls(elder)
    if barred is not None:
        raise ValueError(f"the line may not ring them ({barred}): `people show` says why")
    opens = within_hours(place.timezone, policies.call_policy(place, elder), now)
    if opens > now:
        raise ValueError(f"the line may ring them from {opens.astimezone(ZoneInfo(place.timezone)):%H:%M} on")
    event = register_log.note(session, person_id, What.TEST_WANTED, by, now)
    session.flush()
    return event.id


class TrialCalls:
    """Satisfies checkins.other_calls.Errands. `every_days` 0: only what staff want."""

    purpose = Purpose.TEST

    def __init__(self, every_days: int = 30) -> None:
        self._every = timedelta(days=every_days)
        # Neither carries a promise: after a restart it looks at once, and begins with the first elder.
        self._looked_at: datetime | None = None
        self._last = ""

    def claim(self, session: Session, now: datetime, lines: Lines) -> Sequence[CallRequest]:
        """What staff want first; then whoever is due, while lines are free."""
        found = [_ring(session, elder, lines, now, by) for elder, by in _wanted(session, now)]
        if self._every and lines.free > 0 and self._looks(now):
            found += [_ring(session, elder, lines, now) for elder in self._due(session, now, lines)]
        return [request for request in found if request is not None]

    def _looks(self, now: datetime) -> bool:
        if self._looked_at is not None and timedelta() <= now - self._looked_at < LOOKS_EVERY:
            return False
        self._looked_at = now
        return True

    def _due(self, session: Session, now: datetime, lines: Lines) -> Iterator[Person]:
        """From where the last look ended: some can't be rung for a while, and the others must come, too."""
        found = list(session.scalars(_untried(now, self._every).where(Person.id > self._last).limit(BATCH)))
        self._last = found[-1].id if len(found) == BATCH else ""
        for elder in found:
            if lines.free > 0 and _again(session, elder.id, now, self._every):
                yield elder

    def ended(self, session: Session, end: Ended, now: datetime) -> None:
        """What it came to; told again, only what is better counts."""
        order = _of_call(session, end.call_id, What.TEST_CALL)
        if order is None:
            return
        person = next((one for one in end.people if one.id == order.person_id), None)
        what = came_to(end.disposition, person)
        known = _of_call(session, end.call_id, *ENDS)
        if known is not None and (what is not What.TEST_HEARD or known.what == What.TEST_HEARD):
            return
        detail = {"disposition": end.disposition, "result": person.result if person else None}
        register_log.note(session, order.person_id, what, LINE, now, call_id=end.call_id, detail=detail)
        session.flush()
        elder = session.get_one(Person, order.person_id)
        if person is not None and person.result == Result.WRONG_NUMBER and elder.number and end.disposition in TALKED:
            people.doubt_number(session, elder.number, now)
        _tell_staff(session, elder, what, detail, now, asked=(order.detail or {}).get("asked"))


def came_to(disposition: Disposition, person: PersonOutcome | None) -> What:
    """Only a key or certain speech says that it was heard; whoever said something of themselves has heard it, too."""
    if person is not None and disposition in TALKED:
        if person.result in _THEY_SPOKE or (person.result == "heard" and person.clear):
            return What.TEST_HEARD
        if person.result in ("not_clear", Result.WRONG_NUMBER):
            return What.TEST_VAIN
    return What.TEST_NOTHING if disposition in _LINE_FAILED else What.TEST_VAIN


def _tell_staff(
    session: Session, elder: Person, what: What, detail: dict[str, str | None], now: datetime, *, asked: str | None
) -> None:
    """`asked`: who had it tried. Heard, it is done by them; what the line tried by itself is closed by whoever went."""
    if what is What.TEST_HEARD and asked:
        items.settle(session, ItemKind.PHONE_DEAD, elder, asked, now)
    elif what is What.TEST_VAIN and (asked or detail["result"] == "not_clear" or _in_vain(session, elder.id) >= 2):
        place = elder.neighbourhood_id
        items.open_item(
            session, ItemKind.PHONE_DEAD, now, neighbourhood_id=place, person_id=elder.id, due_at=now, detail=detail
        )


def _ring(session: Session, elder: Person, lines: Lines, now: datetime, by: str | None = None) -> CallRequest | None:
    match lines.ring(elder, Purpose.TEST, FLOW, asked=by is not None):
        case Barred(reason) if by:
            register_log.note(session, elder.id, What.TEST_NOTHING, LINE, now, detail={"barred": reason})
        case CallRequest() as request:
            register_log.note(session, elder.id, What.TEST_CALL, LINE, now, call_id=request.id, detail={"asked": by})
            return request
    return None


# ── wanted by staff ───────────────────────────────────────────────────────────────────────────────


def _wanted(session: Session, now: datetime) -> list[tuple[Person, str]]:
    """Whose test call staff want, and who does. A wish that could not be met in time is over: that is written down."""
    wishes = {wish.person_id: wish for wish in _wishes(session, now)}
    found = []
    for person_id, wish in wishes.items():
        if now - wish.at <= WANTED_FOR:
            found.append((session.get_one(Person, person_id), wish.by))
        else:
            register_log.note(session, person_id, What.TEST_NOTHING, LINE, now, detail={"too_late": True})
    return found


def _wishes(session: Session, now: datetime) -> list[PersonEvent]:
    """After which came neither a call nor an end."""
    later = aliased(PersonEvent)
    met = select(later.id).where(later.person_id == PersonEvent.person_id, later.id > PersonEvent.id)
    met = met.where(later.what.in_((What.TEST_CALL, *ENDS)))
    query = select(PersonEvent).where(PersonEvent.what == What.TEST_WANTED, PersonEvent.at > now - FORGOTTEN)
    return list(session.scalars(query.where(~met.exists()).order_by(PersonEvent.id)))


# ── due ───────────────────────────────────────────────────────────────────────────────────────────


def _untried(now: datetime, every: timedelta) -> Select[Person]:
    """Whom the line knows for so long, and with whom nobody has talked in that time."""
    query = select(Person).where(
        Person.role == Role.ELDER,
        Person.state == State.ACTIVE,
        Person.number.is_not(None),
        Person.number_state == NumberState.OK,
        Person.mode.in_((Mode.KEYS, Mode.VOICE)),
        Person.consents["calls"].as_boolean(),
        select(Checkin.id).where(Checkin.elder_id == Person.id, Checkin.planned_at <= now - every).exists(),
        ~_talked_since(now - every),
    )
    return query.order_by(Person.id)


def _again(session: Session, person_id: str, now: datetime, every: timedelta) -> bool:
    """Once in `every`; one in vain is tried a second time."""
    ordered = register_log.last(session, person_id, What.TEST_CALL)
    if ordered is None or ordered.at <= now - every:
        return True
    last = register_log.last(session, person_id, *ENDS)
    if last is None or last.id < ordered.id:
        return False  # it is out, or nobody told its end
    if last.what == What.TEST_VAIN:
        return _in_vain(session, person_id) == 1 and ordered.at <= now - AGAIN
    return last.what == What.TEST_NOTHING and ordered.at <= now - AFTER_NOTHING


def _in_vain(session: Session, person_id: str) -> int:
    """How many in a row; those of which a line failed don't count."""
    ends = [event.what for event in register_log.events(session, person_id, What.TEST_HEARD, What.TEST_VAIN)]
    return next((back for back, what in enumerate(reversed(ends)) if what == What.TEST_HEARD), len(ends))


def _talked_since(since: datetime) -> ColumnElement[bool]:
    """In a call of either side's; in a test call only if it was heard."""
    talked = select(CallIntent.id).where(CallIntent.number == Person.number, CallIntent.created_at > since)
    talked = talked.where(CallIntent.disposition.in_(TALKED), CallIntent.purpose != Purpose.TEST)
    heard = select(PersonEvent.id).where(PersonEvent.person_id == Person.id, PersonEvent.what == What.TEST_HEARD)
    return or_(talked.exists(), heard.where(PersonEvent.at > since).exists())


def _of_call(session: Session, call_id: str, *what: What) -> PersonEvent | None:
    query = select(PersonEvent).where(PersonEvent.call_id == call_id, PersonEvent.what.in_(what))
    return session.scalars(query.order_by(PersonEvent.id.desc()).limit(1)).first()
