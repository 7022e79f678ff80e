"""The plan of a day: one INSERT … SELECT per neighbourhood writes a case for every elder who is due.

Who is due comes from the register at that moment, so the plan may be made again at any time: elders added or
changed later get a case, nobody gets two (unique elder and date). Slots are spread over the window in waves of as
many calls as there are lines; elders behind one number share a slot and so a call. Whoever the machine must not
or cannot call gets a case for a person at once: nobody is forgotten because no call is planned.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ColumnElement, Integer, Select, and_, case, func, literal, null, or_, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import CTE

from checkins import outgoing, policies
from checkins.case_rows import NEW_LADDER
from checkins.policy import Policy
from checkins.results import Reason, Status, Urgency
from checkins.schedule import at_minute
from checkins.tables import Checkin, Mode, Neighbourhood, NumberState, Person, Role, State
from storage.database import UtcTime, from_millis, to_millis

# Ringing, a well call under 30 s, its share of retries: what one elder costs a line in a morning.
CALL_SECONDS = 90


@dataclass(frozen=True)
class PlanReport:
    """What a planning added. `warning` is set when the lines don't suffice for the window."""

    added: int
    calls: int  # numbers to call, of those added
    people: int  # cases for a person, of those added
    warning: str | None = None


@dataclass(frozen=True)
class _Frame:
    """The constants of one plan; instants in milliseconds."""

    start: int
    end: int
    slot_zero: int  # slot of minute `plan_from`, from which people's own slots count
    plan_from: int
    person_due: int
    lines: int
    now: int


def plan_day(
    session: Session, place: Neighbourhood, day: date, now: datetime, lines: int, elder_id: str | None = None
) -> PlanReport:
    """Plans `day` for `place` (with `elder_id`: for this one elder of it) over `lines` outgoing lines. Call inside a
    writing transaction; safe to repeat."""
    lines = max(1, min(lines, place.lines or lines))
    frame = _frame(place, day, now, lines, _calls(session, place, day))
    rows = _rows(_slots(_due(place, day, elder_id), frame), place, day, frame)
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert: Any = dialect.insert(Checkin.__table__)
    insert = insert.from_select([column.name for column in rows.selected_columns], rows)
    before = _cases(session, place, day)
    session.execute(insert.on_conflict_do_nothing(index_elements=["elder_id", "date"]))
    added = _cases(session, place, day) - before  # the driver doesn't count rows of a statement that starts with WITH
    if added:
        _own_policies(session, place, day, now)
        outgoing.opened_by_plan(session, place.id, now)
    return _report(session, place, day, now, added, frame) if added else PlanReport(0, 0, 0)


@dataclass(frozen=True)
class Planned:
    """What a plan gives one elder: a slot, or (`reason`) the moment from which a person is needed instead of a call."""

    at: datetime
    reason: Reason | None


def planned_for(
    session: Session, place: Neighbourhood, day: date, elder_id: str, lines: int, policy: Policy
) -> Planned | None:
    """What `plan_day`, made at that day's midnight from the register as it is, would give this elder by the
    neighbourhood's `policy`; nothing is written. None: the elder is not due then, or has a case already."""
    lines, midnight = max(1, min(lines, place.lines or lines)), at_minute(place.timezone, day, 0)
    frame = _frame(place, day, midnight, lines, _calls(session, place, day), policy)
    slots = _slots(_due(place, day), frame)
    row = session.execute(select(slots.c.at, slots.c.reason).where(slots.c.id == elder_id)).one_or_none()
    return None if row is None else Planned(from_millis(row.at), Reason(row.reason) if row.reason else None)


def due_count(session: Session, place: Neighbourhood, day: date) -> int:
    """How many elders are due on `day` and have no case yet."""
    return session.scalar(select(func.count()).select_from(_due(place, day))) or 0


def capacity_warning(calls: int, lines: int, window: timedelta) -> str | None:
    """A sentence when `calls` don't fit into `window` on `lines` lines, else None. For the evening before, too."""
    room = int(lines * window.total_seconds() // CALL_SECONDS)
    if calls <= room:
        return None
    needed = -(-calls * CALL_SECONDS // max(1, int(window.total_seconds())))
    return f"{calls} calls need {needed} lines in this window; {lines} carry about {room}: the rest will be late"


def tomorrow_warning(session: Session, place: Neighbourhood, day: date, lines: int) -> str | None:
    """For the evening before: whether the lines suffice for all numbers due on `day`."""
    calls = _calls(session, place, day)
    window = timedelta(minutes=place.plan_until - place.plan_from)
    return capacity_warning(calls, min(lines, place.lines or lines), window)


def _cases(session: Session, place: Neighbourhood, day: date) -> int:
    query = select(func.count()).where(Checkin.neighbourhood_id == place.id, Checkin.date == day)
    return session.scalar(query) or 0


def _calls(session: Session, place: Neighbourhood, day: date) -> int:
    """How many numbers would be called on `day`, of elders without a case."""
    due = _due(place, day)
    return session.scalar(select(func.count(due.c.number.distinct())).where(due.c.reason.is_(None))) or 0


def _frame(
    place: Neighbourhood, day: date, now: datetime, lines: int, calls: int, policy: Policy | None = None
) -> _Frame:
    zone = place.timezone
    opens, end = at_minute(zone, day, place.plan_from), at_minute(zone, day, place.plan_until)
    start = max(opens, now)
    if now > opens:  # planned late, the calls still spread: all at once would swamp the lines
        end = max(end, start + timedelta(seconds=-(-calls // lines) * CALL_SECONDS))
    person_due = max(at_minute(zone, day, (policy or policies.call_policy(place)).unserved_at), now)
    return _Frame(
        start=to_millis(start),
        end=to_millis(end),
        slot_zero=to_millis(opens),
        plan_from=place.plan_from,
        person_due=to_millis(person_due),
        lines=lines,
        now=to_millis(now),
    )


def _due(place: Neighbourhood, day: date, elder_id: str | None = None) -> CTE:
    """Elders of the register (or this one) without a case on `day`, and why a person, not a call (null: a call)."""
    missing = select(Checkin.id).where(Checkin.elder_id == Person.id, Checkin.date == day).exists()
    pause_ended = and_(Person.state == State.PAUSED, Person.state_until < day)
    return (
        select(Person.id, Person.number, Person.slot, _why_a_person(pause_ended).label("reason"))
        .where(Person.neighbourhood_id == place.id, Person.role == Role.ELDER)
        .where(Person.id == elder_id if elder_id else true())
        .where(or_(Person.state.in_((State.ACTIVE, State.REFUSED)), pause_ended), ~missing)
        .cte("due")
    )


def _why_a_person(pause_ended: ColumnElement[bool]) -> ColumnElement[str | None]:
    agreed = func.coalesce(Person.consents["calls"].as_boolean(), literal(False))
    return case(
        (pause_ended, Reason.PAUSE_ENDED.value),
        (Person.state == State.REFUSED, Reason.REFUSED.value),
        (Person.mode.in_((Mode.HUMAN, Mode.VISIT)), Reason.HUMAN_CONTACT.value),
        (~agreed, Reason.NO_CONSENT.value),
        (Person.number_state == NumberState.SUSPECT, Reason.WRONG_NUMBER.value),
        (or_(Person.number.is_(None), Person.number_state == NumberState.BAD), Reason.BAD_NUMBER.value),
        else_=null(),
    )


def _slots(due: CTE, frame: _Frame) -> CTE:
    """Who is due, with a slot: of each number its elders' own earliest one, else waves of `lines` calls evenly over
    the window. Windows over the one list instead of joins: fast without statistics too (a new table has none)."""
    human = due.c.reason.is_not(None).label("human")
    whom = (human, due.c.number)  # the elders of one call
    own = func.min(due.c.slot).over(partition_by=whom)
    first = func.min(due.c.id).over(partition_by=whom)
    number = select(*due.c, human, own.label("own"), first.label("first")).cte("number")
    queue = (number.c.human, number.c.own.is_(None))
    turn = func.dense_rank().over(partition_by=queue, order_by=number.c.first) - 1
    ranked = select(*number.c, turn.label("turn")).cte("ranked")
    queue = (ranked.c.human, ranked.c.own.is_(None))
    waves = func.max(ranked.c.turn).over(partition_by=queue) // literal(frame.lines, Integer) + 1
    spread = select(*ranked.c, waves.label("waves")).cte("spread")
    return select(*spread.c, _slot(spread, frame).label("at")).cte("slots")


def _slot(spread: CTE, frame: _Frame) -> ColumnElement[int]:
    millis = UtcTime.impl()
    step = literal(frame.end - frame.start, millis) // spread.c.waves
    wave = literal(frame.start, millis) + (spread.c.turn // literal(frame.lines, Integer)) * step
    own = literal(frame.slot_zero, millis) + (spread.c.own - frame.plan_from) * 60_000
    return case(
        (spread.c.human, literal(frame.person_due, millis)),
        (spread.c.own.is_(None), wave),
        (own < frame.now, literal(frame.now, millis)),
        else_=own,
    )


def _rows(slots: CTE, place: Neighbourhood, day: date, frame: _Frame) -> Select[Any]:
    json = JSON(none_as_null=True)
    return (
        select(
            slots.c.id.label("elder_id"),
            literal(place.id).label("neighbourhood_id"),
            literal(day).label("date"),
            slots.c.at.label("slot"),
            literal(frame.now, UtcTime.impl()).label("planned_at"),
            case((slots.c.human, Status.NEEDS_PERSON.value), else_=Status.PLANNED.value).label("status"),
            slots.c.at.label("due_at"),
            slots.c.reason.label("reason"),
            case((slots.c.human, Urgency.TODAY.value), else_=null()).label("urgency"),
            literal({**NEW_LADDER, "person_since": None}, json).label("ladder"),
            literal(policies.call_policy(place).to_json(), json).label("policy"),
        )
        .select_from(slots)
        .where(true())
    )


def _own_policies(session: Session, place: Neighbourhood, day: date, now: datetime) -> None:
    """Few elders have one, so these cases are written one by one."""
    query = (
        select(Checkin, Person)
        .join(Person, Person.id == Checkin.elder_id)
        .where(Checkin.neighbourhood_id == place.id, Checkin.date == day, Checkin.planned_at == now)
        .where(Person.policy.is_not(None))
    )
    for row, elder in session.execute(query):
        row.policy = policies.call_policy(place, elder).to_json()
    session.flush()


def _report(session: Session, place: Neighbourhood, day: date, now: datetime, added: int, frame: _Frame) -> PlanReport:
    new = (Checkin.neighbourhood_id == place.id, Checkin.date == day, Checkin.planned_at == now)
    people = session.scalar(select(func.count()).where(*new, Checkin.status == Status.NEEDS_PERSON)) or 0
    numbers = (
        select(func.count(Person.number.distinct()))
        .join(Checkin, Checkin.elder_id == Person.id)
        .where(*new, Checkin.status == Status.PLANNED)
    )
    calls = session.scalar(numbers) or 0
    window = timedelta(milliseconds=frame.end - frame.start)
    return PlanReport(added, calls, people, capacity_warning(calls, frame.lines, window))
