"""Alarms by telephone: whoever is on duty is rung, one after the other, until somebody has pressed 1.

One call at a time. It carries every alarm that waits for whom it rings. The order is written with its intent before
anything is dialled; a line error is tried again, on the other trunk when there is one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from checkins import alarms
from checkins.alarm_rounds import is_due
from checkins.alarms import MAX_NAME, Alarm, AlarmWay, Kind
from checkins.intents import intend
from checkins.pace import LIVE, lines_sure
from checkins.ports import TALKED, Callee, CallRequest, Disposition, PersonOutcome
from checkins.responders import Rosters
from checkins.roster import loading, resolve
from checkins.roster.values import Duty, Responder
from checkins.roster.values import Kind as Role
from checkins.second_trunk import FAILED, trunk_for
from checkins.second_trunk import SECOND as SECOND
from checkins.tables import CallIntent, Neighbourhood, Person

log = logging.getLogger(__name__)

CALL = "call"  # the way
FLOW = PURPOSE = "line_alarm"
RING_S = 45
NEXT_AFTER = timedelta(minutes=5)  # nobody has acknowledged: the next one is rung
AGAIN_AFTER = timedelta(minutes=2)  # after a line error
BUSY_AFTER = timedelta(seconds=30)  # whoever is to be rung is on another call of ours, or every line is taken
MOST = 4  # alarms in one call
OVER_AFTER = timedelta(minutes=3)  # one that goes on for longer holds up nobody else
LONGEST = timedelta(minutes=10)  # that a call is ever put off
OPERATOR = "operator"

# Spoken; the flow's prompt pack holds exactly these.
SPOKEN = {
    Kind.LINE_DOWN: "电话线路断了,今天的电话打不出去。请打印名单,用别的电话联系老人",
    Kind.CLOCK_BEHIND: "机器的时钟不对,电话停打了。请联系管理机器的人",
    Kind.LATE: "有老人可能被漏掉了。请打开首页,逐个打电话",
    Kind.NOBODY_TO_RING: "有老人要找人,值班表上却没有人可以打。请看首页",
    Kind.EMERGENCY_UNWRITTEN: "有人在电话里呼救,机器没能记下来。请马上看机器的日志",
    Kind.CRIED: "有人在电话里呼救。请看首页,马上打过去",
    Kind.WEBHOOKS_SILENT: "线路公司的消息到不了,老人接起电话没有声音。请联系管理机器的人",
    Kind.TEST: "这是一次演练,电话机器人没有出问题",
    Kind.DATABASE: "数据库用不了,电话停打了。请联系管理机器的人",
}


@dataclass(frozen=True)
class Caller:
    """`second`: there is a second trunk. `operator`: who looks after the machine: name and number, or None. `lines`: of
    our own trunk, as far as known."""

    owner: str
    second: bool = False
    operator: tuple[str, str] | None = None
    lines: int | None = None


@dataclass
class _Waiting:
    """An alarm that must ring somebody, and who is left to be rung in this round."""

    alarm: Alarm
    way: AlarmWay
    people: list[tuple[Responder, str]]  # with the committee's name


def next_call(session: Session, now: datetime, caller: Caller) -> CallRequest | None:
    """Writes the next call, if one is due and none is under way. Commit before dialling."""
    live = select(CallIntent.id).where(CallIntent.purpose == PURPOSE, CallIntent.state.in_(LIVE))
    live = live.where(CallIntent.created_at.between(now - OVER_AFTER, now + OVER_AFTER)).limit(1)
    due = _due(session, now)
    if not due or session.scalar(live) is not None:
        return None
    people, rosters = _People(session, now, caller), Rosters(session, now)
    waiting = [found for alarm, way in due if (found := _left(alarm, way, people)) is not None]
    trunk = _trunk(session, now, caller)
    for item in waiting:
        if trunk is None:
            item.way.next_at = now + BUSY_AFTER
            continue
        free = [one for one in item.people if not rosters.taken(one[0].number)]
        if free:
            return _order(session, now, caller, trunk, *free[0], waiting)
        item.way.next_at = now + BUSY_AFTER
    return None


def answered(
    session: Session, intent: CallIntent, disposition: Disposition, people: Sequence[PersonOutcome], now: datetime
) -> None:
    """What the call came to: acknowledged by key, by who was rung; after a line error they are rung again."""
    talked = disposition in TALKED
    said = {person.id for person in people if person.result == "acknowledged" and person.evidence == "key" and talked}
    for alarm_id in said:
        alarms.acknowledge(session, int(alarm_id), _name(session, intent), now)
    if disposition in FAILED:
        _not_rung(session, intent.responder or "", now)


def _due(session: Session, now: datetime) -> list[tuple[Alarm, AlarmWay]]:
    query = (
        select(Alarm, AlarmWay)
        .join(AlarmWay, AlarmWay.alarm_id == Alarm.id)
        .where(AlarmWay.way == CALL, AlarmWay.next_at.is_not(None))
        .where(Alarm.over_at.is_(None), Alarm.acknowledged_at.is_(None))
        .order_by(AlarmWay.next_at, Alarm.id)
    )
    return [(alarm, way) for alarm, way in session.execute(query) if is_due(way.next_at, now, LONGEST)]


def _left(alarm: Alarm, way: AlarmWay, people: _People) -> _Waiting | None:
    """None, and the round's calls are at an end, when everybody was rung."""
    left = [one for one in people.for_alarm(alarm) if one[0].id not in way.rung]
    if not left:
        way.next_at = None
        return None
    return _Waiting(alarm, way, left)


def _order(
    session: Session,
    now: datetime,
    caller: Caller,
    trunk: str,
    person: Responder,
    committee: str,
    waiting: Iterable[_Waiting],
) -> CallRequest | None:
    assert person.number is not None
    try:
        with session.begin_nested():
            intent = intend(
                session, person.number, PURPOSE, now, caller.owner, flow=FLOW, responder=person.id, trunk=trunk or None
            )
    except IntegrityError:  # a call to this number has begun meanwhile
        return None
    with_them = [item for item in waiting if person.id in {one.id for one, _ in item.people}][:MOST]
    for item in with_them:
        item.way.rung = [*item.way.rung, person.id]
        item.way.next_at, item.way.tries = now + NEXT_AFTER, item.way.tries + 1
    callees = tuple(
        Callee(str(item.alarm.id), person.spoken_name, person.language, False, False, {"what": _spoken(item.alarm)})
        for item in with_them
    )
    variables = {"committee": committee, "responder": person.spoken_name}
    return CallRequest(intent.id, intent.number, FLOW, callees, variables, RING_S, trunk, urgent=True)


def _spoken(alarm: Alarm) -> str:
    return SPOKEN.get(Kind(alarm.kind), "电话机器人出了问题。请看首页")


def _trunk(session: Session, now: datetime, caller: Caller) -> str | None:
    """The second one while the line is down or full; the other one when the last alarm call met a line error. None:
    every line is taken, and there is no other trunk."""
    if caller.lines is not None and lines_sure(session, now) >= caller.lines:
        return SECOND if caller.second else None
    if not caller.second:
        return ""
    return trunk_for(session, now, CallIntent.purpose == PURPOSE, CallIntent.created_at > now - LONGEST)


def _not_rung(session: Session, person_id: str, now: datetime) -> None:
    """The line failed, not they: the same person again, soon."""
    query = select(AlarmWay).join(Alarm, Alarm.id == AlarmWay.alarm_id)
    query = query.where(AlarmWay.way == CALL, Alarm.over_at.is_(None), Alarm.acknowledged_at.is_(None))
    for way in session.scalars(query).all():
        if person_id in way.rung:
            way.rung = [other for other in way.rung if other != person_id]
            way.next_at = now + AGAIN_AFTER


def _name(session: Session, intent: CallIntent) -> str:
    """Who was rung: a person of the register, else whoever looks after the machine (by name)."""
    person = session.get(Person, intent.responder) if intent.responder else None
    return person.name if person else (intent.responder or OPERATOR)[:MAX_NAME]


class _People:
    """Whom an alarm rings, in order: duty of the place that it is about (of every place, when it is about the machine),
    their deputies, then who looks after the machine. Each number once."""

    def __init__(self, session: Session, now: datetime, caller: Caller) -> None:
        self._session, self._now, self._caller = session, now, caller
        self._of: dict[int, Duty] = {}

    def for_alarm(self, alarm: Alarm) -> list[tuple[Responder, str]]:
        places = self._session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)).all()
        concerned = [place for place in places if str(place.id) == alarm.subject] or list(places)
        duties = [(self._duty(place.id), place.committee) for place in concerned]
        found = [(duty.first, committee) for duty, committee in duties]
        found += [(duty.deputy, committee) for duty, committee in duties]
        found.append((self._operator(), concerned[0].committee if concerned else "居委会"))
        once: dict[str, tuple[Responder, str]] = {}
        for one, committee in found:
            if one is not None and one.number is not None:
                once.setdefault(one.number, (one, committee))
        return list(once.values())

    def _duty(self, place_id: int) -> Duty:
        if place_id not in self._of:
            roster = loading.load(self._session, place_id, self._now)
            self._of[place_id] = resolve.on_duty(roster, self._now)
        return self._of[place_id]

    def _operator(self) -> Responder | None:
        if self._caller.operator is None:
            return None
        name, number = self._caller.operator
        return Responder(name, name, name, number, Role.DUTY)
