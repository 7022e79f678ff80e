"""Tells open pages that something has changed, so that they fetch their part anew (docs/console.md).

One watcher for all pages looks at the ends of the logs, some times a second while somebody watches. What is told are
topics ("cases", "case-12", "items"): ids, never a name, a number or what was said.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from sqlalchemy import Executable, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from checkins.alarms import Alarm
from checkins.items import Item
from checkins.register_log import PersonEvent
from checkins.roster.tables import RosterChange
from checkins.tables import CallIntent, CheckinEvent
from community.ballot_tables import BallotEvent
from community.notice_tables import NoticeEvent
from community.tables import ComplaintEvent
from community.tickets_tables import TicketEvent
from ivr.records import CallEvent
from storage.database import Database
from storage.faults import where

log = logging.getLogger(__name__)

EVERY_S = 0.3
CALM_S = 0.4  # a page hears no more often than that
ALL = "*"  # a topic: anything may have changed
LOOK_S = 3.0  # after so long whoever may not listen any more is told nothing more
PING_S = 15.0  # proxies close what is silent; whoever left is noticed
BEHIND = 100  # rows are written in order of their numbers, but don't become visible in it: so many are looked at again
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True)
class Log:
    """A table that is only added to. Told of a new row: `all`, `one`-KEY, and `all`:KIND where rows have kinds."""

    all: str
    one: str
    number: InstrumentedAttribute[int]
    key: InstrumentedAttribute[Any]
    kind: InstrumentedAttribute[str] | None = None


LOGS = (
    Log("cases", "case", CheckinEvent.id, CheckinEvent.checkin_id),
    Log("calls", "call", CallEvent.id, CallEvent.call_id, CallEvent.kind),
    Log("people", "person", PersonEvent.id, PersonEvent.person_id),
    Log("complaints", "complaint", ComplaintEvent.id, ComplaintEvent.complaint_id),
    Log("tickets", "ticket", TicketEvent.id, TicketEvent.ticket_id),
    Log("ballots", "ballot", BallotEvent.id, BallotEvent.ballot_id),
    Log("notices", "notice", NoticeEvent.id, NoticeEvent.notice_id),
    Log("roster", "roster", RosterChange.id, RosterChange.neighbourhood_id),
)
# What is changed in place: these differ after every change.
STATES: Mapping[str, Executable] = {
    "items": select(func.max(Item.id), func.max(Item.done_at), func.max(Item.due_at), func.count()),
    "alarms": select(func.max(Alarm.id), func.max(Alarm.acknowledged_at), func.max(Alarm.over_at)),
    "lines": select(func.max(CallIntent.created_at), func.max(CallIntent.settled_at)),
}


@dataclass(frozen=True)
class Seen:
    """The ends of the logs as they were last seen. Nothing seen yet: nothing is new."""

    logs: Mapping[str, frozenset[int]] = field(default_factory=dict)
    states: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def end(self) -> str:
        """Differs when anything has changed."""
        logs = [(name, sorted(numbers)) for name, numbers in sorted(self.logs.items())]
        return f"{crc32(repr((logs, sorted(self.states.items()))).encode()):08x}"


def end_of_logs(session: Session) -> str:
    """For a page that is made now: its stream begins there."""
    return look(session, Seen())[0].end


def look(session: Session, seen: Seen) -> tuple[Seen, set[str]]:
    """What is there now, and the topics of what is new in it."""
    topics: set[str] = set()
    logs: dict[str, frozenset[int]] = {}
    for one in LOGS:
        logs[one.all], found = _tail(session, one, seen.logs.get(one.all))
        topics |= found
    states = {topic: tuple(session.execute(query).one()) for topic, query in STATES.items()}
    topics |= {topic for topic, state in states.items() if seen.states.get(topic, state) != state}
    return Seen(logs, states), topics


def _tail(session: Session, one: Log, known: frozenset[int] | None) -> tuple[frozenset[int], set[str]]:
    newest = session.scalar(select(func.max(one.number))) or 0
    since = (max(known, default=0) if known is not None else newest) - BEHIND
    columns = (one.number, one.key) if one.kind is None else (one.number, one.key, one.kind)
    rows = {number: rest for number, *rest in session.execute(select(*columns).where(one.number > since))}
    new = rows.keys() - known if known is not None else set()
    topics = {one.all} if new else set()
    for key, *kinds in (rows[number] for number in new):
        topics |= {f"{one.all}:{kind}" for kind in kinds} | ({f"{one.one}-{key}"} if key is not None else set())
    return frozenset(number for number in rows if number > newest - BEHIND), topics


class Live:
    """The watcher, and who listens to it. It looks only while somebody does."""

    def __init__(self, db: Database, every_s: float = EVERY_S, calm_s: float = CALM_S) -> None:
        self._db, self._every_s, self._calm_s = db, every_s, calm_s
        self._listeners: set[_Listener] = set()
        self._watching: asyncio.Task[None] | None = None
        self._closed, self._seen = False, Seen()
        self._looked = asyncio.Event()

    def say(self, *topics: str) -> None:
        """Something that stands in no table (who has a recording open): told like the rest."""
        for listener in self._listeners:
            listener.hear(topics)

    async def events(
        self, still: Callable[[], Awaitable[bool]] | None = None, seen: str | None = None
    ) -> AsyncIterator[str]:
        """Server-sent events, until the page goes, the house closes, or `still` (asked every few seconds) says no.
        `seen`: the end of the logs that the page was made from; when they have gone on since, that is told first."""
        listener = _Listener()
        self._listeners.add(listener)
        self._watch()
        try:
            yield "retry: 2000\n\n"
            silent_s = 0.0
            if seen is not None and await self._gone_on(seen):
                listener.hear([ALL])
            while not self._closed and (still is None or await still()):
                if topics := await listener.topics(LOOK_S):
                    yield f"data: {json.dumps(sorted(topics))}\n\n"
                    silent_s = 0.0
                    await asyncio.sleep(self._calm_s)
                elif not self._closed and (silent_s := silent_s + LOOK_S) >= PING_S:
                    yield ": still here\n\n"
                    silent_s = 0.0
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """Ends all streams: a server that stops must not wait for them."""
        self._closed = True
        self.say("closed")
        if self._watching:
            self._watching.cancel()

    async def _gone_on(self, seen: str) -> bool:
        """What comes after the watcher's first look is told by it."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._looked.wait(), LOOK_S)
        return self._seen.end != seen

    def _watch(self) -> None:
        if not self._closed and (self._watching is None or self._watching.done()):
            self._looked.clear()
            self._watching = asyncio.create_task(self._look_again())

    async def _look_again(self) -> None:
        self._seen, well = Seen(), True
        while self._listeners:
            try:
                self._seen, topics = await self._db.view(lambda session: look(session, self._seen))
                well = True
                self._looked.set()
                self.say(*topics)
            except Exception as error:
                if well:
                    log.error("pages can't be told what changes (%s): they look once a minute", where(error))
                well = False
            await asyncio.sleep(self._every_s)


class _Listener:
    """One open page: what it hasn't been told yet."""

    def __init__(self) -> None:
        self._topics: set[str] = set()
        self._some = asyncio.Event()

    def hear(self, topics: Iterable[str]) -> None:
        self._topics.update(topics)
        if self._topics:
            self._some.set()

    async def topics(self, within_s: float) -> set[str]:
        """Takes them; empty when there was nothing in that time."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._some.wait(), within_s)
        self._some.clear()
        taken, self._topics = self._topics, set()
        return taken
