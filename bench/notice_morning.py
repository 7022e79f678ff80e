"""One morning of a neighbourhood in virtual time, with notices or without: who was rung when, how long each look of the
cycle and of the rounds took, and what came of it (docs/notices.md)."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench.notice_town import DAY, ZONE, Inline, Register, Town
from checkins import cases
from checkins.cycle import Cycle
from checkins.people import set_state
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome, Placed, Trace
from checkins.results import Status
from checkins.schedule import at_minute
from checkins.tables import Checkin, State
from community import notices
from community.notice_calls import FLOW, NoticeCalls
from community.notice_counter import NoticeCounter
from community.notice_offers import NoticeOffers
from community.notice_rounds import NoticeRounds
from community.notice_tables import Hearer
from simulation.chance import Chance

BY = "陈老师"
ROUND_S = 30
RINGS, PICK_UP, TELLING_S = 45, 12, 15
LATER = timedelta(minutes=10)  # after so long somebody has seen to whoever needs a person


@dataclass(frozen=True)
class News:
    """A notice to be published at `at` (minutes of the day), until `until`."""

    text: str
    at: int
    until: int
    urgent: bool = False
    building: int | None = None
    language: str | None = None


@dataclass(frozen=True)
class Rung:
    at: datetime
    number: str
    flow: str
    people: tuple[str, ...]
    seconds: int


@dataclass
class Day:
    """What was seen. `ticks`, `rounds`, `published`: ms of processor time of this process."""

    calls: list[Rung] = field(default_factory=list)
    ticks: list[float] = field(default_factory=list)
    rounds: list[float] = field(default_factory=list)
    published: list[float] = field(default_factory=list)
    barred: dict[str, datetime] = field(default_factory=dict)  # who must not be rung any more, since when
    understood: dict[int, set[str]] = field(default_factory=dict)
    doors: dict[int, set[str]] = field(default_factory=dict)
    told: list[datetime] = field(default_factory=list)  # when they understood an urgent one, by telephone
    most_lines: int = 0
    over: datetime | None = None

    def first_calls(self) -> dict[str, datetime]:
        """Each elder's first check-in call."""
        found: dict[str, datetime] = {}
        for call in self.calls:
            if call.flow != FLOW:
                for id_ in call.people:
                    found.setdefault(id_, call.at)
        return found


class _Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class Morning:
    """`news` are published while it goes on. Elders of `refusing` refuse machine calls at that minute of the day."""

    def __init__(
        self,
        db: Inline,
        register: Register,
        town: Town,
        news: Sequence[News] = (),
        refusing: dict[str, int] | None = None,
    ) -> None:
        self.db, self.register, self.town, self.news = db, register, town, list(news)
        self.day, self.clock, self.chance = Day(), _Clock(minute(7 * 60 + 50)), Chance(town.seed)
        self._numbers, self._ahead, self._live = count(), list[tuple[datetime, int, Callable[[], Awaitable[Any]]]](), 0
        self._seen: dict[int, datetime] = {}
        self._tries: Counter[str] = Counter()
        self.counter = NoticeCounter(db, self.clock)
        self.rounds = NoticeRounds(db, self.clock)
        self.cycle = Cycle(
            db,
            NoticeOffers(self, db, self.clock),
            self.clock,
            lines=town.lines,
            reserved=town.reserved,
            starts_per_s=town.starts_per_s,
            errands=[NoticeCalls()],
        )
        for each in self.news:
            self._then(minute(each.at), partial(self._publish, each))
        for id_, at in (refusing or {}).items():
            self._then(minute(at), partial(self._refuses, id_))

    # ── time ──

    async def lives(self, until: int, told: Callable[[datetime], None] = lambda _: None) -> Day:
        """From 07:50 to this minute of the day, or until nothing is ahead any more."""
        end, looks, beat = minute(until), self.clock.at, 0
        while self.clock.at < end:
            while self._ahead and self._ahead[0][0] <= self.clock.at:
                await heapq.heappop(self._ahead)[2]()
            if self.clock.at >= looks:
                self.day.rounds.append(await _spent(self.rounds.look()))
                await self.db.run(self._people_see_to)
                looks = self.clock.at + timedelta(seconds=ROUND_S)
                told(self.clock.at)
            self.day.ticks.append(await _spent(self.cycle.tick()))
            beat += 1
            following = await self._next(looks)
            if following is None:
                break
            self.clock.at = following
        self.day.over = self.clock.at
        await self.rounds.look()
        await self.db.view(self._sum_up)
        return self.day

    async def _next(self, looks: datetime) -> datetime | None:
        """The next beat of the cycle at which something can happen."""
        due = [await self.cycle.next_due(), await self.db.view(self._notice_due)]
        if self._ahead:
            due.append(self._ahead[0][0])
        found = [moment for moment in due if moment is not None]
        if not found and not await self.db.view(self._waits_for_person):
            return None
        wait = max(0.0, (min([*found, looks]) - self.clock.at).total_seconds())
        beats = max(1, -(-int(wait * 1000) // (self.town.tick_s * 1000)))
        return self.clock.at + timedelta(seconds=beats * self.town.tick_s)

    def _then(self, at: datetime, what: Callable[[], Awaitable[Any]]) -> None:
        heapq.heappush(self._ahead, (at, next(self._numbers), what))

    def _notice_due(self, session: Session) -> datetime | None:
        return session.scalar(select(func.min(Hearer.due_at)).where(Hearer.due_at.is_not(None)))

    def _waits_for_person(self, session: Session) -> bool:
        return session.scalar(select(Checkin.id).where(Checkin.status == Status.NEEDS_PERSON).limit(1)) is not None

    # ── people ──

    async def _publish(self, news: News) -> None:
        def work(session: Session) -> int:
            return notices.publish(
                session,
                self.register.place_id,
                news.text,
                BY,
                self.clock.at,
                until=minute(news.until),
                urgent=news.urgent,
                buildings=[f"{news.building}号楼"] if news.building else [],
                language=news.language,
            ).number

        self.day.published.append(await _spent(self.db.run(work)))

    async def _refuses(self, id_: str) -> None:
        self.day.barred[id_] = self.clock.at
        await self.db.run(lambda session: set_state(session, id_, State.REFUSED, BY, self.clock.at))

    def _people_see_to(self, session: Session) -> None:
        for id_ in session.scalars(select(Checkin.id).where(Checkin.status == Status.NEEDS_PERSON)).all():
            if self.clock.at - self._seen.setdefault(id_, self.clock.at) >= LATER:
                cases.close_case(session, id_, BY, "去看过了", self.clock.at)

    # ── the carrier ──

    async def place(self, request: CallRequest) -> Placed:
        self._tries[request.flow + request.number] += 1
        if self.chance.of("no such number", request.number) < 0.005:
            return Placed.BAD_NUMBER
        disposition, seconds = self._fate(request)
        ids = tuple(callee.id for callee in request.callees)
        self.day.calls.append(Rung(self.clock.at, request.number, request.flow, ids, seconds))
        self._live += 1
        self.day.most_lines = max(self.day.most_lines, self._live)
        self._then(self.clock.at + timedelta(seconds=seconds), lambda: self._ends(request, disposition))
        return Placed.PLACED

    async def trace(self, intent_id: str, number: str, since: datetime) -> Trace:
        return Trace.ALIVE

    def _fate(self, request: CallRequest) -> tuple[Disposition, int]:
        """By number, purpose and try alone: when it is rung is no matter."""
        about = (request.flow, request.number, self._tries[request.flow + request.number])
        luck = self.chance.of("call", *about)
        for share, disposition, seconds in (
            (0.01, Disposition.LINE_ERROR, 3),
            (0.03, Disposition.BUSY, 3),
            (0.14, Disposition.NO_ANSWER, RINGS),
            (0.02, Disposition.MACHINE, 25),
        ):
            if luck < share:
                return disposition, seconds
            luck -= share
        slow = self.chance.of("slow", *about) < 0.02
        talk = self.chance.between((100, 240) if slow else (15, 30), "talk", *about) * len(request.callees)
        told = TELLING_S * len(request.callees)  # a notice, or the committee's sentence of the day
        return Disposition.ANSWERED, PICK_UP + int(talk) + told

    async def _ends(self, request: CallRequest, disposition: Disposition) -> None:
        self._live -= 1
        said: list[PersonOutcome] = []
        if disposition is Disposition.ANSWERED:
            said = [await self._says(request, callee.id, dict(callee.variables)) for callee in request.callees]
        await self.cycle.settle(
            CallOutcome(request.id, self.clock.at, final=True, disposition=disposition, people=tuple(said))
        )

    async def _says(self, request: CallRequest, id_: str, variables: dict[str, str]) -> PersonOutcome:
        about = (request.flow, id_, self._tries[request.flow + request.number])
        luck = self.chance.of("says", *about)
        if request.flow == FLOW:
            return PersonOutcome(id_, await self._told(request.id, id_, luck), "key")
        if luck < 0.03:
            return PersonOutcome(id_, ("not_well", "wants_person", "hung_up")[int(luck * 100)], "key")
        if "notice" in variables and luck < 0.9:
            await self.counter.ask(request.id, "notice.understood" if luck < 0.75 else "notice.heard", id_)
        return PersonOutcome(id_, "well", "key")

    async def _told(self, call_id: str, id_: str, luck: float) -> str:
        """What the flow asks, as long as there is something to tell."""
        if luck < 0.1:
            return "absent"
        while (await self.counter.ask(call_id, "notice.next", id_)).word == "notice":
            if luck < 0.25:
                await self.counter.ask(call_id, "notice.heard", id_)
                return "no_reply"
            await self.counter.ask(call_id, "notice.understood", id_)
        return "understood"

    # ── at the end ──

    def _sum_up(self, session: Session) -> None:
        for notice in notices.listed(session, self.clock.at, [self.register.place_id], everything=False):
            rows = session.scalars(select(Hearer).where(Hearer.notice_id == notice.id)).all()
            self.day.understood[notice.number] = {row.person_id for row in rows if row.understood_at is not None}
            visited = notices.to_visit(session, notice, self.clock.at)
            self.day.doors[notice.number] = {person.id for _, person in visited}
            self.day.told += [row.understood_at for row in rows if notice.urgent and row.understood_at is not None]


def minute(of_day: int) -> datetime:
    return at_minute(ZONE, DAY, of_day)


async def _spent(work: Awaitable[Any]) -> float:
    began = time.process_time()
    await work
    return (time.process_time() - began) * 1000
