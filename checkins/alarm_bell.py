"""Tells alarms: by mail, webhook, telephone and log. What is to be said is written before it is said; a crash between
two lines says it again rather than not at all. A way that fails is tried again and stops no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from checkins import alarms, settling
from checkins.alarm_calls import CALL, Caller, next_call
from checkins.alarm_rounds import AllClear, Tell, Told, decide, is_due, retry_after, rhythm
from checkins.alarms import KIND_ZH, Alarm, AlarmWay, Kind
from checkins.cycle import PLACE_WITHIN_S
from checkins.pace import count_alone
from checkins.ports import AlarmMessage, CallPlacer, CallRequest, Clock, Disposition, Messenger, NotToldError, Placed
from checkins.tables import Neighbourhood
from storage.database import Database
from storage.faults import where
from storage.rounds import repeat

log = logging.getLogger(__name__)

EVERY_S = 5.0
WRITE_WITHIN_S = 3.0  # an alarm that the database doesn't take in this time is told unwritten
UNWRITTEN = "有人在电话里呼救，数据库没能记下来。请马上看机器的日志（EMERGENCY），并给老人打电话。"
_LONGEST_RETRY = retry_after(99)
_MILD = frozenset({Kind.NOBODY_TO_RING, Kind.ROSTER_GAP, Kind.TEST})  # a warning in the log, not an error


@dataclass
class _Unwritten:
    """An alarm that the database didn't take."""

    text: str
    since: datetime
    told: datetime | None = None
    round: int = 0


@dataclass
class _Work:
    """What one look at the database found to be said."""

    lines: list[tuple[str, str]] = field(default_factory=list)  # kind, sentence: for the log
    messages: list[tuple[str, int, AlarmMessage]] = field(default_factory=list)  # way, alarm
    call: CallRequest | None = None


class Bell:
    """`messengers`: ways that take text; `placer` rings people (None: nobody is rung)."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        messengers: Sequence[Messenger] = (),
        placer: CallPlacer | None = None,
        caller: Caller | None = None,
    ) -> None:
        self._db, self._clock = db, clock
        self._messengers = {each.name: each for each in messengers}
        self._placer, self._caller = placer, caller or Caller("bell")
        self._unwritten: dict[Kind, _Unwritten] = {}

    async def look(self) -> None:
        """One round: says what is due now. Returns when every way has answered."""
        await self._write_down()
        now = self._clock.now()
        work = await self._db.run(lambda session: self._due(session, now))
        for kind, text in work.lines:
            log.log(logging.WARNING if kind in _MILD else logging.ERROR, "alarm %s: %s", kind, text)
        tasks = [self._tell(way, alarm_id, message) for way, alarm_id, message in work.messages]
        await asyncio.gather(*tasks, *([self._ring(work.call)] if work.call else []))

    async def run(self, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
        """Looks until `stop` is set. A round that fails is logged, and the next one follows."""
        await repeat(self.look, stop, every_s, log, "alarms could not be told (%s); tried again")

    # ── what the database may not take ────────────────────────────────────────────────────────────

    async def cry(self, kind: Kind, text: str) -> None:
        """Raises an alarm though the database may be away: then it is told by message and log right now, again as often
        as its rhythm says (for as long as this is called), and written down when the database is back."""
        now = self._clock.now()
        try:
            write = self._db.run(lambda session: alarms.raise_alarm(session, kind, text, now))
            await asyncio.wait_for(write, WRITE_WITHIN_S)
            return
        except Exception as error:
            log.error("alarm %s can't be written (%s): %s", kind, where(error), text)
        known = self._unwritten.setdefault(kind, _Unwritten(text, now))
        every = rhythm(kind).every
        if known.told is not None and every is not None and known.told <= now < known.told + every:
            return
        known.told, known.round = now, known.round + 1
        key = f"unwritten-{kind}-{known.since:%Y%m%dT%H%M%S}-{known.round}"
        message = AlarmMessage(key, "raised", kind, KIND_ZH[kind], text, known.round, known.since, None, now)
        await asyncio.gather(*(self._say(way, message) for way in self._messengers))

    async def _write_down(self) -> None:
        for kind, known in list(self._unwritten.items()):
            await self._db.run(partial(_write, kind=kind, text=known.text, since=known.since))
            self._unwritten.pop(kind, None)

    # ── what is due ───────────────────────────────────────────────────────────────────────────────

    def _due(self, session: Session, now: datetime) -> _Work:
        work = _Work()
        count_alone(session)
        for alarm in session.scalars(select(Alarm).where(Alarm.next_at.is_not(None)).order_by(Alarm.id)).all():
            told = Told(alarm.kind, alarm.next_at, alarm.rounds, alarm.acknowledged_at is not None, bool(alarm.over_at))
            match decide(told, now):
                case Tell(round_, call, next_at):
                    alarm.rounds, alarm.next_at = round_, next_at
                    self._begin(session, alarm, "raised", now, call=call)
                    work.lines.append((alarm.kind, alarm.text))
                case AllClear():
                    alarm.next_at = None
                    if alarm.rounds and rhythm(alarm.kind).all_clear:
                        self._begin(session, alarm, "over", now, call=False)
        session.flush()
        work.messages = self._messages(session, now)
        if self._placer:
            if self._caller.second:
                settling.clear_the_way(session, now)
            work.call = next_call(session, now, self._caller)
        return work

    def _begin(self, session: Session, alarm: Alarm, what: str, now: datetime, *, call: bool) -> None:
        """Every way has this to say from now on; what it had not said yet is out of date."""
        for name in (*self._messengers, *((CALL,) if call else ())):
            way = session.get(AlarmWay, (alarm.id, name)) or AlarmWay(alarm_id=alarm.id, way=name, rung=[])
            way.what, way.round, way.next_at, way.tries = what, alarm.rounds, now, 0
            way.rung = []
            session.add(way)

    def _messages(self, session: Session, now: datetime) -> list[tuple[str, int, AlarmMessage]]:
        """What each way must say now; it is due again soon unless the way says that it is done."""
        zone = session.scalar(select(Neighbourhood.timezone).order_by(Neighbourhood.id).limit(1)) or "Asia/Shanghai"
        query = select(Alarm, AlarmWay).join(AlarmWay, AlarmWay.alarm_id == Alarm.id).order_by(Alarm.id)
        query = query.where(AlarmWay.next_at.is_not(None), AlarmWay.way.in_(self._messengers))
        current = or_(AlarmWay.what == "over", Alarm.over_at.is_(None) & Alarm.acknowledged_at.is_(None))
        found = []
        for alarm, way in session.execute(query.where(current)).all():
            if is_due(way.next_at, now, _LONGEST_RETRY):
                way.tries += 1
                way.next_at = now + retry_after(way.tries)
                found.append((way.way, alarm.id, _message(alarm, way, now, zone)))
        return found

    # ── saying ────────────────────────────────────────────────────────────────────────────────────

    async def _tell(self, way: str, alarm_id: int, message: AlarmMessage) -> None:
        if await self._say(way, message):
            await self._db.run(lambda session: _said(session, alarm_id, way, message))

    async def _say(self, way: str, message: AlarmMessage) -> bool:
        try:
            await self._messengers[way].tell(message)
        except NotToldError as error:
            log.warning("alarm %s could not be told by %s: %s", message.key, way, error)
        except Exception as error:
            log.error("alarm %s could not be told by %s: %s", message.key, way, where(error))
        else:
            return True
        return False

    async def _ring(self, request: CallRequest) -> None:
        """Asks the carrier, once. Of an alarm nobody waits for certainty: what may or may not ring is rung again."""
        assert self._placer is not None
        try:
            answer = await asyncio.wait_for(self._placer.place(request), PLACE_WITHIN_S)
        except Exception as error:
            log.warning("placing alarm call %s failed (%s); somebody is rung again", request.id, where(error))
            answer = Placed.UNKNOWN
        now = self._clock.now()
        await self._db.run(lambda session: _answered(session, request.id, answer, now))


def _answered(session: Session, intent_id: str, answer: Placed, now: datetime) -> None:
    match answer:
        case Placed.PLACED:
            settling.placed(session, intent_id)
        case Placed.BAD_NUMBER:
            settling.refused(session, intent_id, Disposition.BAD_NUMBER, now)
        case Placed.REFUSED:
            settling.refused(session, intent_id, Disposition.LINE_ERROR, now)
        case Placed.UNKNOWN:
            settling.give_up(session, intent_id, now)


def _write(session: Session, kind: Kind, text: str, since: datetime) -> None:
    alarms.raise_alarm(session, kind, text, since)


def _message(alarm: Alarm, way: AlarmWay, now: datetime, zone: str) -> AlarmMessage:
    return AlarmMessage(
        key=f"alarm-{alarm.id}-{way.what}-{way.round}",
        what=way.what,
        kind=alarm.kind,
        title=alarm.kind_zh,
        text=alarm.text,
        round=way.round,
        raised_at=alarm.raised_at,
        over_at=alarm.over_at if way.what == "over" else None,
        at=now,
        zone=zone,
    )


def _said(session: Session, alarm_id: int, way: str, message: AlarmMessage) -> None:
    """Unless something newer is to be said by now."""
    row = session.get(AlarmWay, (alarm_id, way), with_for_update=True)
    if row is not None and (row.what, row.round) == (message.what, message.round):
        row.next_at, row.said_at = None, message.at
