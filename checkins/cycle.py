"""The cycle: takes what is due, has it dialled, takes in the news, asks after calls that went quiet.

Nothing is remembered here: every promise is a row with a moment. The process may die between any two lines;
whoever ticks next, here or elsewhere, goes on where the rows stand. News of an emergency wakes the cycle at once; when
it came to another process, or was written by a console, the next tick finds it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import func, or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, aliased

from checkins import fast_clock, other_calls, planning, settling
from checkins.claims import Claimed, NotNowError, Trunk, claim, claim_one
from checkins.intents import NEWS_WITHIN
from checkins.line_rules import Purpose
from checkins.other_calls import Errands
from checkins.pace import BURST, LIVE, pace_now
from checkins.planning import PlanReport
from checkins.ports import CallOutcome, CallPlacer, CallRequest, Clock, Disposition, PersonOutcome, Placed, Trace
from checkins.results import Result, Status
from checkins.schedule import local_date
from checkins.tables import CallIntent, Checkin, CheckinEvent, IntentState, Neighbourhood, Person
from storage.database import Database
from storage.faults import where
from storage.rounds import repeat

log = logging.getLogger(__name__)

PLACE_WITHIN_S = 30.0  # shorter than NEWS_WITHIN: nobody asks after a call that is still being placed
UNREACHABLE_FOR = timedelta(minutes=10)  # the carrier can't be asked: so long it is asked again
QUIET_FOR = timedelta(minutes=15)  # ringing, the 10 minutes of a call, and a margin
TALK_FOR = timedelta(minutes=30)  # more, when somebody was put through to the elder
CLOCK_TOLERANCE = timedelta(seconds=5)  # clocks of two machines differ a little
PLAN_EVERY = timedelta(seconds=30)
ASK_AT_ONCE = 16  # questions to the carrier after quiet calls
ORDERS_AT_ONCE = 16  # with so many orders that the carrier hasn't answered, what is not urgent waits


@dataclass(frozen=True)
class TickReport:
    """What one tick did. `clock_behind` and `line_down` are alarms for whoever runs the cycle."""

    placed: int = 0
    refused: int = 0
    unknown: int = 0
    planned: int = 0
    to_person: int = 0
    reminded: int = 0
    postponed: int = 0
    limited: bool = False
    line_down: bool = False
    clock_behind: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Live:
    """An intent without news for too long."""

    id: str
    number: str
    created_at: datetime
    check_at: datetime
    responder: str | None
    purpose: str
    state: str
    through: bool  # one of two calls that are put through to each other

    @property
    def unanswered(self) -> bool:
        """The carrier has not answered the order."""
        return self.state == IntentState.INTENDED and not self.through

    @property
    def urgent(self) -> bool:
        return self.responder is not None or self.purpose == Purpose.EMERGENCY


class Cycle:
    """One worker. `owner` names it in leases and logs; `lines` is the trunk's, of which `reserved` stay free for
    people ringing in; `second`: emergencies have another trunk, too; `errands`: other rooms' calls. Several cycles may
    work on one database."""

    def __init__(
        self,
        db: Database,
        placer: CallPlacer,
        clock: Clock,
        *,
        owner: str = "cycle",
        lines: int = 8,
        reserved: int = 2,
        starts_per_s: float = 1.0,
        burst: int = BURST,
        second: bool = False,
        errands: Sequence[Errands] = (),
    ) -> None:
        if not 0 <= reserved < lines:
            raise ValueError("lines kept free must be fewer than the lines there are")
        self._db, self._placer, self._clock, self._owner = db, placer, clock, owner
        self._errands = tuple(errands)
        self._trunk = Trunk(lines - reserved, starts_per_s, reserved, burst, second)
        self._planned_at: datetime | None = None
        self._ticked_at: datetime | None = None
        self._line_down = False
        self._clock_behind = False
        self.urgent_only = False  # the house is about to close: nothing is begun but what can't wait for the next start
        self._woken = asyncio.Event()
        self._ordering: set[asyncio.Task[Placed]] = set()  # by `run`: what the carrier has not answered yet

    @property
    def trunk(self) -> Trunk:
        return self._trunk

    # ── ticking ───────────────────────────────────────────────────────────────────────────────────

    async def tick(self) -> TickReport:
        """Plans what is not planned, takes what is due, dials it. Returns when the carrier has answered (or not)."""
        return await self._tick(self._dial)

    async def _tick(self, dial: Callable[[Claimed, TickReport], Awaitable[TickReport]]) -> TickReport:
        now = self._clock.now()
        if await self._db.view(lambda session: is_clock_behind(session, now)):
            self._tell_clock(behind=True)
            return TickReport(clock_behind=True)
        self._tell_clock(behind=False)
        if self._ticked_at is None or now < self._ticked_at:
            await self._db.run(lambda session: fast_clock.set_back(session, now))
        self._ticked_at = now
        plans = [] if self.urgent_only else await self._plan(now)
        report = TickReport(
            planned=sum(plan.added for plan in plans),
            warnings=tuple(plan.warning for plan in plans if plan.warning),
        )
        while True:
            claimed = await self._claim(now)
            self._tell_line(claimed.line_down)
            report = await dial(claimed, report)
            if not claimed.more:
                return report

    async def _claim(self, now: datetime) -> Claimed:
        urgent = self.urgent_only or len(self._ordering) >= ORDERS_AT_ONCE
        take = partial(claim, now=now, owner=self._owner, trunk=self._trunk, urgent_only=urgent, errands=self._errands)
        return await self._db.run(take)

    async def call_now(self, checkin_id: int) -> TickReport:
        """Places one case's next call ahead of its time, nobody else's. Raises claims.NotNowError, and has
        changed nothing, when the line rules, the pause between two tries, the lines or the clock forbid it."""
        now = self._clock.now()
        if await self._db.view(lambda session: is_clock_behind(session, now)):
            self._tell_clock(behind=True)
            raise NotNowError("the clock is behind the newest row in the database; set it right first")
        claimed = await self._db.run(lambda session: claim_one(session, now, self._owner, self._trunk, checkin_id))
        return await self._dial(claimed, TickReport())

    async def plan(self) -> list[PlanReport]:
        """Plans today for every neighbourhood, whatever the time; safe to repeat."""
        now = self._clock.now()
        return await self._db.run(lambda session: _plan_all(session, now, self._trunk.lines))

    async def plan_one(self, elder_id: str) -> None:
        """Plans today for this elder alone, if they are due and not planned yet."""
        now = self._clock.now()
        await self._db.run(lambda session: _plan_one(session, elder_id, now, self._trunk.lines))

    async def _plan(self, now: datetime) -> list[PlanReport]:
        """Elders added or changed after the plan count today; looking every few seconds is enough."""
        if self._planned_at is not None and timedelta() <= now - self._planned_at < PLAN_EVERY:
            return []
        self._planned_at = now
        if not await self._db.view(lambda session: _unplanned(session, now)):
            return []
        return await self.plan()

    async def _dial(self, claimed: Claimed, report: TickReport) -> TickReport:
        answers = await asyncio.gather(*(self._place(request) for request in claimed.requests))
        return replace(
            report,
            placed=report.placed + answers.count(Placed.PLACED),
            refused=report.refused + answers.count(Placed.REFUSED) + answers.count(Placed.BAD_NUMBER),
            unknown=report.unknown + answers.count(Placed.UNKNOWN),
            to_person=report.to_person + claimed.to_person,
            reminded=report.reminded + claimed.reminded,
            postponed=report.postponed + claimed.postponed,
            limited=claimed.limited,
            line_down=claimed.line_down,
        )

    async def _order(self, claimed: Claimed, report: TickReport) -> TickReport:
        """Has it dialled, the urgent first, and waits for no answer: a slow one must not hold up an emergency."""
        for request in sorted(claimed.requests, key=lambda request: not request.urgent):
            task = asyncio.create_task(self._place(request))
            self._ordering.add(task)
            task.add_done_callback(self._ordered)
        return report

    def _ordered(self, task: asyncio.Task[Placed]) -> None:
        if len(self._ordering) == ORDERS_AT_ONCE:
            self.wake()  # what is not urgent had to wait for this answer
        self._ordering.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an order's answer could not be written (%s); the carrier will be asked", where(error))

    async def _place(self, request: CallRequest) -> Placed:
        """Asks the carrier, once. Whatever goes wrong here means: it may ring."""
        try:
            answer = await asyncio.wait_for(self._placer.place(request), PLACE_WITHIN_S)
        except TimeoutError:
            answer = Placed.UNKNOWN
        except Exception as error:
            log.error("placing call %s failed (%s); the carrier will be asked", request.id, where(error))
            answer = Placed.UNKNOWN
        now = self._clock.now()
        if answer is Placed.PLACED:
            await self._db.run(lambda session: settling.placed(session, request.id))
        elif answer in (Placed.BAD_NUMBER, Placed.REFUSED):
            bad = answer is Placed.BAD_NUMBER
            disposition = Disposition.BAD_NUMBER if bad else Disposition.LINE_ERROR
            await self._db.run(lambda session: self._refused(session, request.id, disposition, now))
        return answer

    def _refused(self, session: Session, call_id: str, disposition: Disposition, now: datetime) -> bool:
        return self._told(session, call_id, settling.refused(session, call_id, disposition, now), now)

    def _told(
        self, session: Session, call_id: str, over: bool, now: datetime, people: Sequence[PersonOutcome] = ()
    ) -> bool:
        """Another room's call is `over`: it hears so in the transaction that says so."""
        if over:
            other_calls.tell(session, self._errands, call_id, people, now)
        return over

    def _tell_clock(self, *, behind: bool) -> None:
        if behind and not self._clock_behind:
            log.error("the clock is behind the newest row in the database: no calls are started until it is set right")
        self._clock_behind = behind

    def _tell_line(self, down: bool) -> None:
        if down and not self._line_down:
            log.error("line alarm: several numbers in a row met a line error; one probe at a time from now on")
        self._line_down = down

    # ── news ──────────────────────────────────────────────────────────────────────────────────────

    async def settle(self, outcome: CallOutcome) -> bool:
        """Takes in news of a call; durable when it returns. The same news twice changes nothing (False)."""
        now = self._clock.now()
        changed = await self._db.run(lambda session: self._settle(session, outcome, now))
        if changed and _is_emergency(outcome):
            self.wake()
        return changed

    def _settle(self, session: Session, outcome: CallOutcome, now: datetime) -> bool:
        changed = settling.settle(session, outcome, now)
        self._told(session, outcome.intent_id, changed and outcome.final, now, outcome.people)
        return changed

    def _give_up(
        self, session: Session, call_id: str, now: datetime, disposition: Disposition = Disposition.UNKNOWN
    ) -> bool:
        return self._told(session, call_id, settling.give_up(session, call_id, now, disposition), now)

    async def reconcile(self) -> int:
        """Asks the carrier after calls without news for 60 s. Returns how many were given up: a person, no redial."""
        now = self._clock.now()
        quiet = await self._db.view(lambda session: _quiet(session, now))
        asking = asyncio.Semaphore(ASK_AT_ONCE)

        async def ask(call: _Live) -> bool:
            async with asking:
                return await self._ask(call, now)

        return sum(await asyncio.gather(*(ask(call) for call in quiet)))

    async def _ask(self, call: _Live, now: datetime) -> bool:
        mine = await self._db.run(
            lambda session: settling.ask_again(session, call.id, call.check_at, now + NEWS_WITHIN)
        )
        if not mine:
            return False
        trace = await self._trace(call)
        if trace is Trace.UNREACHABLE and call.unanswered and call.urgent:
            log.warning("the carrier didn't answer for call %s, and can't be asked: it counts as a line error", call.id)
            return await self._db.run(lambda session: self._give_up(session, call.id, now, Disposition.LINE_ERROR))
        if _lost(trace, now - call.created_at, through=call.through):
            log.warning("nobody knows what became of call %s: a person looks", call.id)
            never = trace is Trace.NOT_FOUND and call.responder is not None  # they were never rung: they are, soon
            disposition = Disposition.LINE_ERROR if never else Disposition.UNKNOWN
            return await self._db.run(lambda session: self._give_up(session, call.id, now, disposition))
        if trace is Trace.OVER and call.responder is not None and not call.through:
            return await self._db.run(lambda session: settling.untold(session, call.id, now))
        if call.unanswered and trace is Trace.UNREACHABLE:
            await self._db.run(lambda session: settling.unanswered(session, call.id))
        elif call.unanswered and trace is Trace.ALIVE:
            await self._db.run(lambda session: settling.placed(session, call.id))
        return False

    async def _trace(self, call: _Live) -> Trace:
        try:
            return await asyncio.wait_for(self._placer.trace(call.id, call.number, call.created_at), PLACE_WITHIN_S)
        except Exception as error:
            log.warning("could not ask the carrier after call %s: %s", call.id, type(error).__name__)
            return Trace.UNREACHABLE

    # ── time ──────────────────────────────────────────────────────────────────────────────────────

    async def next_due(self, *, search: bool = False) -> datetime | None:
        """When the next call to an elder, or question after a call, is due (perhaps already); None: no call is ahead.
        `search`: the next step of a search for a person, too; these go on until somebody closes the case."""
        now = self._clock.now()
        return await self._db.view(lambda session: _next_due(session, now, self._trunk, search))

    def wake(self) -> None:
        """Something is due that doesn't wait for the next tick. In the event loop's thread."""
        self._woken.set()

    async def run(self, stop: asyncio.Event, every_s: float = 1.0) -> None:
        """Ticks, at once when woken, and asks after quiet calls until `stop` is set, side by side: a carrier that
        doesn't answer holds up no other call and no reminder. An error in one round is logged and the next round
        comes."""
        failed = "a round of the cycle failed (%s); the next one follows"
        rounds = repeat(lambda: self._tick(self._order), stop, every_s, log, failed, self._woken)
        try:
            await asyncio.gather(rounds, repeat(lambda: self.reconcile(), stop, every_s, log, failed))
            if self._ordering:
                await asyncio.wait(self._ordering)
        except BaseException:
            for task in self._ordering:
                task.cancel()
            raise


def newest_row(session: Session) -> datetime:
    """The newest moment at which anything was written: an event, a plan, an intent."""
    moments = (func.max(CheckinEvent.at), func.max(Checkin.planned_at), func.max(CallIntent.created_at))
    found = [moment for column in moments if (moment := session.scalar(select(column))) is not None]
    return max(found, default=datetime.min.replace(tzinfo=UTC))


def is_clock_behind(session: Session, now: datetime) -> bool:
    """Whether something was written later than `now`: then the clock is wrong, and no call may start."""
    return newest_row(session) > now + CLOCK_TOLERANCE


def _is_emergency(outcome: CallOutcome) -> bool:
    return bool(outcome.alarm) or any(person.result == Result.EMERGENCY for person in outcome.people)


def _lost(trace: Trace, age: timedelta, *, through: bool = False) -> bool:
    if trace is Trace.NOT_FOUND:
        return True
    quiet = QUIET_FOR + TALK_FOR if through else QUIET_FOR
    return age >= (UNREACHABLE_FOR if trace is Trace.UNREACHABLE else quiet)


def _plan_all(session: Session, now: datetime, lines: int) -> list[PlanReport]:
    """Each neighbourhood by itself: what is wrong with one keeps nobody of another from being called."""
    reports = []
    for place in session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)).all():
        place_id = place.id
        try:
            with session.begin_nested():
                reports.append(planning.plan_day(session, place, local_date(place.timezone, now), now, lines))
        except OperationalError:
            raise  # the database is away, for all of them
        except Exception as error:
            log.error("neighbourhood %s could not be planned (%s)", place_id, where(error))
    return reports


def _plan_one(session: Session, elder_id: str, now: datetime, lines: int) -> None:
    place = session.get_one(Neighbourhood, session.get_one(Person, elder_id).neighbourhood_id)
    planning.plan_day(session, place, local_date(place.timezone, now), now, lines, elder_id)


def _unplanned(session: Session, now: datetime) -> bool:
    return any(
        planning.due_count(session, place, local_date(place.timezone, now))
        for place in session.scalars(select(Neighbourhood))
    )


def _quiet(session: Session, now: datetime) -> Sequence[_Live]:
    leg = aliased(CallIntent)
    through = or_(CallIntent.for_call.is_not(None), select(leg.id).where(leg.for_call == CallIntent.id).exists())
    query = (
        select(
            CallIntent.id,
            CallIntent.number,
            CallIntent.created_at,
            CallIntent.check_at,
            CallIntent.responder,
            CallIntent.purpose,
            CallIntent.state,
            through,
        )
        .where(CallIntent.state.in_(LIVE), or_(CallIntent.check_at <= now, CallIntent.check_at > now + 2 * NEWS_WITHIN))
        .order_by(CallIntent.check_at)
    )
    return [_Live(*row) for row in session.execute(query)]


def _next_due(session: Session, now: datetime, trunk: Trunk, search: bool) -> datetime | None:
    ahead = (Status.PLANNED, Status.WAITING, *((Status.NEEDS_PERSON,) if search else ()))
    dial = session.scalar(select(func.min(Checkin.due_at)).where(Checkin.status.in_(ahead)))
    ask = session.scalar(select(func.min(CallIntent.check_at)).where(CallIntent.state.in_(LIVE)))
    if dial is not None and dial <= now:
        dial = max(dial, pace_now(session, now, trunk.lines, trunk.rate).next_start)
    return min((moment for moment in (dial, ask) if moment is not None), default=None)
