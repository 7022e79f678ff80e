"""The book of calls: every row of the telephone room is read and written here, in worker threads.

A call ends once: its final report and its alarms are written together with what they follow from, then told to the
care room, and told again until it has taken them in.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as DbSession

from callflows.flow import Flow
from callflows.loader import shipped
from callflows.session import Finding, Session
from ivr import call_rows as rows
from ivr import endings, outbox, secrecy
from ivr.call_rows import CallStart, LogEntry, token_hash
from ivr.outbox import Outbox
from ivr.ports import CallListener, CallOrder, CallReport, Disposition, PersonResult
from ivr.records import Call, CallNews, CallState, WebhookInbox
from storage.database import Database

__all__ = ["CallStart", "Calls", "LogEntry", "StatusNews"]

log = logging.getLogger(__name__)

# The carrier says "completed": so long the media side may take to say what was talked about.
LAST_WORD = timedelta(seconds=40)  # recognition 8 s, the log 10 s, a database that is busy, and a margin


@dataclass(frozen=True)
class StatusNews:
    """A status callback of the carrier. `key` is the same for duplicates only."""

    key: str
    call_sid: str
    status: str
    sequence: int | None = None
    sip_code: str = ""
    error_code: str = ""
    answered_by: str = ""
    form: Mapping[str, str] = field(default_factory=dict)


class Calls:
    """`now` is aware UTC. `flow` finds a flow by name; needed when a call ended without a word from the media side."""

    def __init__(
        self,
        db: Database,
        now: Callable[[], datetime],
        *,
        listener: CallListener | None = None,
        flow: Callable[[str], Flow] = shipped,
    ) -> None:
        self.observers: list[Callable[[str, LogEntry], None]] = []
        self.live: set[str] = set()  # calls on a line, as far as this process knows
        self.outbox = Outbox(db, now)
        self.outbox.listener = listener
        self.now = now
        self.db = db
        self._flow = flow
        self._began = now()

    # ── placing ───────────────────────────────────────────────────────────────────────────────────

    async def order(self, order: CallOrder) -> bool:
        """Writes the call before the carrier is asked. False: this order was written before."""
        now = self.now()
        try:
            fresh = await self.db.run(lambda session: rows.order(session, order, now))
        except IntegrityError:  # two at once, on PostgreSQL
            return False
        if fresh:
            self.live.add(order.id)
        return fresh

    async def get(self, call_id: str) -> Call | None:
        """The row as it is now (detached)."""
        return await self.db.view(lambda session: session.get(Call, call_id))

    async def reported(self, call_id: str) -> bool:
        """Whether the final report is written."""
        return await self.db.view(lambda session: outbox.known(session, call_id, outbox.FINAL))

    async def placed(self, call_id: str, sid: str) -> None:
        """The carrier took the order. Callbacks may have overtaken us."""
        await self.db.run(lambda session: rows.claim(rows.locked(session, call_id), sid))

    async def refused(self, call_id: str, disposition: Disposition, reason: str) -> None:
        """The carrier said no: nothing rings. Whoever placed the call is told by the answer, not by a report."""
        now = self.now()
        await self.db.run(lambda session: rows.refuse(rows.locked(session, call_id), disposition, reason, now))
        self.live.discard(call_id)

    async def claimed(self, sids: Sequence[str]) -> set[str]:
        """Which of these carrier calls belong to orders already."""
        query = select(Call.carrier_sid).where(Call.carrier_sid.in_(sids))
        return {sid for sid in await self.db.view(lambda session: session.scalars(query).all()) if sid}

    # ── the carrier's news ────────────────────────────────────────────────────────────────────────

    async def picked_up(self, call_id: str, sid: str) -> Call | None:
        """The carrier asks what to say. None: no such call, it is over, or another call of the carrier has it."""
        now = self.now()
        call = await self.db.run(lambda session: rows.pick_up(rows.locked(session, call_id), sid, now))
        if call is not None:
            self.live.add(call_id)
        return call

    async def issue_token(self, call_id: str) -> str | None:
        """A fresh token for the media stream; it replaces one that was not used. None: a stream began before."""
        token = secrets.token_urlsafe(24)
        issued = await self.db.run(lambda session: rows.set_token(rows.locked(session, call_id), token_hash(token)))
        return token if issued else None

    async def accept_stream(self, token: str, call_sid: str) -> CallStart | None:
        """Opens a media stream: the token counts once, and only for its own call. None: refuse."""
        now = self.now()
        return await self.db.run(lambda session: rows.use_token(session, token_hash(token), call_sid, now))

    async def status(self, call_id: str, news: StatusNews) -> bool:
        """Takes in a status callback. False: nothing new (unknown call, duplicate, overtaken by a later one)."""
        now = self.now()
        try:
            taken, told = await self.db.run(lambda session: self._take_status(session, call_id, news, now))
        except IntegrityError:  # the same callback twice at once, on PostgreSQL
            return False
        await self._after(call_id, told, over=taken and news.status in endings.FINAL)
        if taken:
            self._show(call_id, LogEntry("status", 0, {"status": news.status}))
        return taken

    async def machine(self, call_id: str, sid: str, answered_by: str, form: Mapping[str, str]) -> bool:
        """Keeps what answering-machine detection says. False: nothing new."""
        now = self.now()
        news = StatusNews(f"amd:{sid}:{answered_by}"[:128], sid, "", answered_by=answered_by, form=form)
        try:
            taken, _ = await self.db.run(lambda session: self._take_status(session, call_id, news, now))
        except IntegrityError:
            return False
        if taken:
            self._show(call_id, LogEntry("machine", 0, {"answered_by": answered_by}))
        return taken

    async def carrier_says(self, call_id: str, status: str) -> bool:
        """The carrier, asked, says that the call ended so. True: the final report is written (now or before)."""
        now = self.now()
        told = await self.db.run(lambda session: self._over(session, call_id, status, "", "", now))
        await self._after(call_id, told, over=True)
        return await self.reported(call_id)

    async def lost(self, call_id: str) -> None:
        """The carrier does not know the call: no line is taken. What becomes of the elder, others decide; should the
        carrier call back after all, the call is taken."""
        await self.db.run(lambda session: rows.lose(rows.locked(session, call_id)))
        self.live.discard(call_id)

    # ── handing over ──────────────────────────────────────────────────────────────────────────────

    async def ring_out(self, call_id: str, leg: CallOrder, n: int, number: int) -> None:
        """Out of this call somebody else is being rung, the `n`th, for its hand-over of this number. Written before
        the carrier is told."""
        now = self.now()

        def write(db: DbSession) -> None:
            call = rows.locked(db, call_id)
            if call is not None:
                rows.ring_out(db, call, leg, n, number, now)

        await self.db.run(write)
        self.live.add(leg.id)

    async def nobody_there(self, call_id: str, number: int) -> None:
        """Nobody was to be had for the call's hand-over of this number."""

        def write(db: DbSession) -> None:
            call = rows.locked(db, call_id)
            if call is not None:
                rows.nobody_there(call, number)

        await self.db.run(write)

    # ── the conversation ──────────────────────────────────────────────────────────────────────────

    async def log(self, call_id: str, entries: Sequence[LogEntry]) -> None:
        now = self.now()
        await self.db.run(lambda session: session.add_all([rows.event(call_id, entry, now) for entry in entries]))
        for entry in entries:
            self._show(call_id, entry)

    async def save_session(self, call_id: str, session: dict[str, Any]) -> None:
        """A stream's conversation as it stands; whoever goes on with the call begins here. Once plain verbs have
        taken the call over, what a stream still has to say of it is late."""

        def save(db: DbSession) -> None:
            call = rows.locked(db, call_id)
            if call is not None and call.verbs is None:
                call.session = session
                self._forget_if_over(call)

        await self.db.run(save)

    async def save_turn(self, call_id: str, before: int, verbs: dict[str, Any], session: dict[str, Any]) -> bool:
        """A turn by TwiML verbs. False: another request has done turn `before` already; nothing is changed."""

        def save(db: DbSession) -> bool:
            call = rows.locked(db, call_id)
            if call is None or (call.verbs or {}).get("turn", 0) != before:
                return False
            call.verbs, call.session, call.interrupted_at = verbs, session, None
            self._forget_if_over(call)
            return True

        return await self.db.run(save)

    async def alarm(self, call_id: str, person: str, reason: str, detail: Mapping[str, Any]) -> None:
        """Durable, then told; once per call, person and reason. `person` "": it is about nobody whom the call asks
        after. Raises when it could not be made durable."""
        now = self.now()
        known = (PersonResult(person, "emergency", "none", dict(detail)),) if person else ()
        report = CallReport(
            call_id, now, final=False, people=known, alarm=reason, alarm_person=person or None, reason=reason
        )
        key = f"alarm:{person}:{reason}"[:100]
        try:
            news = await self.db.run(lambda session: outbox.put(session, report, key, now))
        except Exception:
            # The database can't take it: an emergency is told all the same, once, as well as it goes.
            log.error("the alarm of call %s could not be written; it is told unwritten", call_id)
            await self._tell_unwritten(report)
            raise
        if news is not None:
            await self.outbox.tell(news)

    async def talked(
        self,
        call_id: str,
        findings: Sequence[PersonResult],
        disposition: Disposition,
        session: dict[str, Any],
        *,
        verbs: bool = False,
    ) -> None:
        """The conversation is over: the final report, unless the call ended before. `verbs`: plain verbs say so; a
        stream doesn't count once they have taken the call over."""
        now = self.now()

        def write(db: DbSession) -> int | None:
            call = rows.locked(db, call_id)
            if call is None or (call.verbs is not None and not verbs):
                return None
            call.session = session
            return self._finish(db, call, disposition, tuple(findings), now)

        await self._after(call_id, await self.db.run(write), over=False)

    # ── time and crashes ──────────────────────────────────────────────────────────────────────────

    async def open(self) -> list[str]:
        """After a start: calls that were on a line when the process before ended. Their conversations are marked as
        broken off by us."""
        now = self.now()
        self.live |= set(await self.db.run(lambda session: rows.break_off(session, self._began, now)))
        return sorted(self.live)

    async def on_a_line(self) -> int:
        """How many calls the carrier has taken and not called over, as far as this process knows: ringing ones, too."""
        up = (CallState.PLACED, CallState.RINGING, CallState.TALKING)
        query = select(Call.id).where(Call.state.in_(up))
        return len(self.live.intersection(await self.db.view(lambda session: session.scalars(query).all())))

    async def finish_overdue(self) -> int:
        """Ends calls that the carrier called over and the media side said nothing more about."""
        before = self.now() - LAST_WORD
        waiting = await self.db.view(lambda session: rows.without_report(session, before))
        for call_id in waiting:
            await self._after(call_id, await self.db.run(partial(self._close, call_id=call_id)), over=True)
        return len(waiting)

    async def retell(self, older_than: timedelta = timedelta()) -> int:
        return await self.outbox.retell(older_than)

    async def still_up(self, reported_before: datetime) -> list[str]:
        """Calls whose conversation ended before that moment, and which the carrier has not called over."""
        query = (
            select(Call.id)
            .join(CallNews, CallNews.call_id == Call.id)
            .where(Call.state != CallState.OVER, CallNews.key == outbox.FINAL, CallNews.created_at <= reported_before)
        )
        return list(await self.db.view(lambda session: session.scalars(query).all()))

    # ── inside ────────────────────────────────────────────────────────────────────────────────────

    def _take_status(
        self, session: DbSession, call_id: str, news: StatusNews, now: datetime
    ) -> tuple[bool, int | None]:
        call = rows.locked(session, call_id)
        if call is None or not rows.claim(call, news.call_sid) or rows.seen(session, news.key):
            return False, None
        session.add(WebhookInbox(key=news.key, call_id=call_id, received_at=now, form=dict(news.form)))
        if news.answered_by:
            call.answered_by = news.answered_by[:32]
            session.add(rows.event(call_id, LogEntry("machine", 0, {"answered_by": call.answered_by}), now))
        if not news.status:
            return True, None
        if news.sequence is not None:
            if news.sequence <= call.last_sequence:
                return False, None
            call.last_sequence = news.sequence
        session.add(rows.event(call_id, LogEntry("status", 0, {"status": news.status, "sip": news.sip_code}), now))
        if news.status in endings.FINAL:
            return True, self._over(session, call_id, news.status, news.sip_code, news.error_code, now)
        rows.advance(call, news.status, now)
        return True, None

    def _over(
        self, session: DbSession, call_id: str, status: str, sip_code: str, error_code: str, now: datetime
    ) -> int | None:
        """The carrier's last word on a call. The final report follows at once, or soon if the media side has yet
        to say what it heard."""
        call = rows.locked(session, call_id)
        if call is None:
            return None
        if call.state != CallState.OVER:
            call.state, call.ended_at = CallState.OVER, now
        call.reason = call.reason or " ".join(filter(None, (status, sip_code, error_code)))[:100]
        disposition = rows.said_no(call) or endings.unanswered(status, sip_code, error_code)
        if disposition is not None and call.answered_at is None:
            return self._finish(session, call, disposition, (), now)
        if rows.never_asked(call):
            return self._finish(session, call, Disposition.LINE_ERROR, (), now)
        waits = rows.last_word_ahead(call) and call.ended_at is not None and now < call.ended_at + LAST_WORD
        return None if waits else self._close(session, call_id)

    def _close(self, session: DbSession, call_id: str) -> int | None:
        """The final report from what is known: the conversation as it was saved."""
        call = rows.locked(session, call_id)
        if call is None or outbox.known(session, call_id, outbox.FINAL):
            return None
        findings = self._findings(call)
        disposition, people = endings.answered(
            findings, answered_by=call.answered_by, interrupted=call.interrupted_at is not None
        )
        return self._finish(session, call, disposition, people, self.now())

    def _finish(
        self, session: DbSession, call: Call, disposition: Disposition, people: tuple[PersonResult, ...], now: datetime
    ) -> int | None:
        """The final report, once. What nobody else may know goes with it."""
        news = rows.finish(session, call, disposition, people, now)
        self._forget_if_over(call)
        return news

    def _forget_if_over(self, call: Call) -> None:
        """Also of what is saved when the final report is written already."""
        if call.disposition is None or call.session is None:
            return
        try:
            flow = self._flow(call.order["flow"])
            call.session = secrecy.forgotten(flow, call.session)
            call.verbs = secrecy.unsaid(flow, call.verbs) if call.verbs else call.verbs
        except Exception as error:
            log.error("what call %s was told can't be forgotten: %s", call.id, type(error).__name__)

    def _findings(self, call: Call) -> tuple[Finding, ...]:
        if call.session is None:
            return ()
        try:
            return Session.from_json(self._flow(call.order["flow"]), call.session).findings
        except Exception as error:
            log.error("the conversation of call %s can't be read: %s", call.id, type(error).__name__)
            return ()

    async def _after(self, call_id: str, news: int | None, *, over: bool) -> None:
        if over:
            self.live.discard(call_id)
        if news is not None:
            await self.outbox.tell(news)

    async def _tell_unwritten(self, report: CallReport) -> None:
        if self.outbox.listener is None:
            return
        try:
            await self.outbox.listener.call_reported(report)
        except Exception as error:
            log.error("the alarm of call %s could not be told: %s", report.id, type(error).__name__)

    def _show(self, call_id: str, entry: LogEntry) -> None:
        for observer in self.observers:
            try:
                observer(call_id, entry)
            except Exception as error:
                log.error("an observer of call %s failed: %s", call_id, type(error).__name__)
