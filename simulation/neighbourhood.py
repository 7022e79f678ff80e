"""One neighbourhood from the first midnight until every case is closed: desk, town, and what is written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from checkins.claims import Trunk
from checkins.planning import CALL_SECONDS
from checkins.results import Status
from checkins.schedule import at_minute
from simulation.cases import Row
from simulation.chance import Chance
from simulation.desk import Desk
from simulation.life import Life, Span
from simulation.measures import Figures, Watch
from simulation.people import ZONE, Size, settle_in
from simulation.rates import Rates
from simulation.town import Town
from storage.database import Base, Database

TAIL = timedelta(days=12)  # after the last day: what isn't urgent may wait for the end of a long holiday
RESERVED = 2  # settings.py: lines_reserved, calls_per_second
STARTS_PER_S = 1.0
_WINDOW = 150 * 60  # seconds, 8:00 to 10:30
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Outage:
    """The trunk is dead from minute to minute, on each day or on one (from 1)."""

    begins: int
    ends: int
    day: int | None = None


@dataclass(frozen=True)
class Job:
    """One neighbourhood to be simulated. `lines`: of its trunk; None: as many as the planner wants, and 2."""

    number: int
    seed: str
    size: Size
    rates: Rates
    lines: int | None = None
    outages: tuple[Outage, ...] = ()

    @property
    def trunk(self) -> Trunk:
        wanted = -(-self.size.elders * CALL_SECONDS // _WINDOW) + RESERVED
        lines = max(RESERVED + 1, wanted if self.lines is None else self.lines)
        return Trunk(lines - RESERVED, STARTS_PER_S, RESERVED)


def simulate(job: Job, day_done: Callable[[int], None] = lambda _elder_days: None) -> Figures:
    """All of it. `day_done` hears how many elders had their day."""
    db = Database("sqlite://")
    try:
        Base.metadata.create_all(db.engine)
        with Session(db.engine, expire_on_commit=False) as session:
            return _simulate(session, job, day_done)
    finally:
        db.close()


def _simulate(session: Session, job: Job, day_done: Callable[[int], None]) -> Figures:
    chance, watch = Chance(f"{job.seed}:{job.number}"), Watch()
    place = settle_in(session, job.size, job.rates, chance)
    begin = _midnight(job.size.begin)
    desk = Desk(session, place, job.trunk, begin)
    life = Life(job.rates, chance, _spans(job))
    town = Town(job.rates, chance, life, desk, watch)
    for number in range(job.size.days):
        midnight = begin + number * _DAY
        watch.cases(_settled(desk, midnight))
        town.morning((row.elder.id for row in desk.plan(midnight)), midnight)
        town.run(midnight + _DAY)
        watch.day_ends()
        day_done(job.size.elders)
    end = begin + job.size.days * _DAY
    watch.still_in_trouble(life.trouble.values(), end)
    _run_out(town, desk, end)
    watch.cases(list(desk.rows.values()))
    return _figures(job, desk, watch)


def _run_out(town: Town, desk: Desk, end: datetime) -> None:
    """No new days; the open cases go on until they are closed."""
    for days in range(TAIL.days):
        if all(row.case.status is Status.CLOSED for row in desk.rows.values()):
            return
        town.run(end + (days + 1) * _DAY)


def _settled(desk: Desk, midnight: datetime) -> Sequence[Row]:
    """Cases that nothing can reopen any more: closed for more than a day, so that no call of theirs goes on."""
    old = [row for row in desk.rows.values() if row.case.closed_at and row.case.closed_at < midnight - _DAY]
    done = [row for row in old if desk.newest.get(row.elder.id) is not row]
    desk.forget(done)
    return done


def _figures(job: Job, desk: Desk, watch: Watch) -> Figures:
    figures = watch.ends(sum(1 for who in desk.roster.people if who.startswith("buddy")))
    if desk.asleep:
        figures.broken["an unreached case slept too long"] += desk.asleep
    if desk.warning:
        figures.warnings["the planner says: the lines don't suffice for the window"] += 1
    return figures


def _spans(job: Job) -> tuple[Span, ...]:
    days = [job.size.begin + timedelta(days=number) for number in range(job.size.days)]
    return tuple(
        (at_minute(ZONE, day, outage.begins), at_minute(ZONE, day, outage.ends))
        for number, day in enumerate(days, start=1)
        for outage in job.outages
        if outage.day in (None, number)
    )


def _midnight(day: date) -> datetime:
    return at_minute(ZONE, day, 0).astimezone(UTC)
