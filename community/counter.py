"""The counter of the neighbourhood: what a flow asks about complaints while somebody is on the line.

Every answer is one short transaction. The same question again in the same call has the same answer (`status.next` goes
on to the next one, and begins anew after the last). Personal: nothing of it is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from checkins import promises
from checkins.ports import Clock, Told
from community import complaints, meeting_counter, reply_calls, rows, spoken
from community.policy import DEFAULT, REOPEN_WITHIN, Deadlines
from community.tables import Complaint, ComplaintEvent, Outcome, Reply, Status, Wish
from storage.database import Database

log = logging.getLogger(__name__)

NOBODY = Told("")  # nobody can say
NOTED = Told("noted")
ALL_TOLD = "all_told"  # an event: in this call there was no other


class Counter:
    """Answers the questions in `QUERIES`; satisfies the telephone room's Answers for them."""

    def __init__(self, db: Database, clock: Clock, deadlines: Deadlines = DEFAULT) -> None:
        self._db, self._clock, self._deadlines = db, clock, deadlines

    async def ask(self, call_id: str, query: str, person_id: str, value: str = "") -> Told:
        """`person_id` "": a stranger. `value`: the number, as it was spoken, of what they say something about."""
        asked = _Asked(call_id, person_id or None, self._clock.now(), self._deadlines, spoken.figure(value))
        if query in meeting_counter.QUERIES:
            return await self._db.run(lambda session: asked.of_meetings(session, query))
        work = OWN[query]
        return await self._db.run(lambda session: work(session, asked))


class _Asked:
    """Who asks, in which call, when, and about which number."""

    def __init__(
        self, call_id: str, person_id: str | None, now: datetime, deadlines: Deadlines, number: int | None
    ) -> None:
        self.call_id, self.person_id, self.now, self.deadlines = call_id, person_id, now, deadlines
        self.number = number

    def of_meetings(self, session: Session, query: str) -> Told:
        if self.person_id is None:
            return NOBODY
        return meeting_counter.QUERIES[query](session, self.call_id, self.person_id, self.number, self.now)

    def meets(self, session: Session) -> bool:
        """Whether there is something of a meeting for them, once all else is told."""
        return meeting_counter.waits(session, self.call_id, self.person_id, self.now)


# ── something to say ──────────────────────────────────────────────────────────────────────────────


def _open(session: Session, asked: _Asked) -> Told:
    found = complaints.another(session, asked.call_id, asked.person_id, asked.now)
    return Told("none") if found is None else Told("open", _number(found))


def _add(session: Session, asked: _Asked) -> Told:
    found = complaints.adding(session, asked.call_id, asked.person_id, asked.now)
    return NOBODY if found is None else Told("noted", _number(found))


def _send(session: Session, asked: _Asked) -> Told:
    complaint, added = complaints.send(session, asked.call_id, asked.person_id, asked.now, asked.deadlines)
    if added:
        return Told("added", _number(complaint))
    due = complaint.heard_due
    if due is None:
        return Told("filed", _number(complaint))
    calendar = rows.calendar(session, complaint)
    by = promises.spoken(calendar, asked.now, promises.full_hour(calendar, due))
    return Told("filed", {**_number(complaint), "heard_by": by})


def _wish(wish: Wish) -> Callable[[Session, _Asked], Told]:
    def noted(session: Session, asked: _Asked) -> Told:
        found = rows.last_in_call(session, asked.call_id, asked.person_id, (complaints.FILED,))
        if found is None:
            return NOBODY
        complaints.wish(session, found[1], wish, asked.call_id, asked.now)
        return NOTED

    return noted


# ── what became of it ─────────────────────────────────────────────────────────────────────────────


def _next(session: Session, asked: _Asked) -> Told:
    """Newest first; a solved one is told of for 30 days, so that it can be opened again."""
    if asked.person_id is None:
        return Told("none")
    told, last = _told_so_far(session, asked)
    for complaint in _tellable(session, asked.person_id, asked.now):
        if complaint.id not in told:
            return _tell(session, complaint, asked)
    if last is not None:
        rows.note(session, last, ALL_TOLD, rows.whose(session, last), asked.now, call_id=asked.call_id)
    return Told("meeting") if asked.meets(session) else Told("none")


def _told_so_far(session: Session, asked: _Asked) -> tuple[set[int], Complaint | None]:
    """Ids of what was told in this call since it was all told, and the last of them."""
    query = select(ComplaintEvent).where(ComplaintEvent.call_id == asked.call_id).order_by(ComplaintEvent.id)
    told: list[int] = []
    for event in session.scalars(query.where(ComplaintEvent.what.in_((complaints.TOLD, ALL_TOLD)))):
        told = [] if event.what == ALL_TOLD else [*told, event.complaint_id]
    return set(told), session.get(Complaint, told[-1]) if told else None


def _tellable(session: Session, person_id: str, now: datetime) -> list[Complaint]:
    query = select(Complaint).where(
        Complaint.person_id == person_id,
        or_(Complaint.status != Status.CLOSED, Complaint.closed_at > now - REOPEN_WITHIN),
    )
    return list(session.scalars(query.order_by(Complaint.opened_at.desc(), Complaint.id.desc())))


def _tell(session: Session, complaint: Complaint, asked: _Asked) -> Told:
    reply = rows.last_reply(session, complaint)
    who, told = rows.whose(session, complaint), {"round": reply.round} if reply is not None else None
    rows.note(session, complaint, complaints.TOLD, who, asked.now, call_id=asked.call_id, detail=told)
    return _state(session, complaint, reply, asked.now)


def _state(session: Session, complaint: Complaint, reply: Reply | None, now: datetime) -> Told:
    if complaint.status in (Status.ANSWERED, Status.CLOSED) and reply is not None:
        return Told("answered", {**_number(complaint), **answer_of(reply)})
    calendar = rows.calendar(session, complaint)
    return Told("waiting", {**_number(complaint), **spoken.by_when(calendar, now, complaint.answer_due)})


def _reply(session: Session, asked: _Asked) -> Told:
    """In a call that was made for it."""
    found = reply_calls.next_answer(session, asked.call_id, asked.person_id, asked.now)
    if found is None:
        return Told("meeting") if asked.meets(session) else Told("none")
    return Told("reply", {**_number(found[0]), **answer_of(found[1])})


def answer_of(reply: Reply) -> dict[str, str]:
    """As the value of a flow's variable: the words, or a recording's path."""
    return {"reply_audio": reply.recording} if reply.recording else {"reply": reply.text or ""}


def _say(outcome: Outcome) -> Callable[[Session, _Asked], Told]:
    def noted(session: Session, asked: _Asked) -> Told:
        found = talked_about(session, asked.call_id, asked.person_id, asked.number)
        if found is None:
            return NOBODY
        said = complaints.say(
            session, found[0], outcome, asked.now, asked.deadlines, call_id=asked.call_id, round_=found[1]
        )
        return NOTED if said else NOBODY

    return noted


def _unspoken(session: Session, asked: _Asked) -> Told:
    """The line couldn't play the answer: a person tells them."""
    found = talked_about(session, asked.call_id, asked.person_id, asked.number)
    if found is None:
        return NOBODY
    return NOTED if reply_calls.unspoken(session, *found, asked.call_id, asked.now) else NOBODY


def _still(session: Session, asked: _Asked) -> Told:
    found = complaints.still_wrong(session, asked.call_id, asked.person_id, asked.now, asked.deadlines)
    return NOBODY if found is None else NOTED


def talked_about(
    session: Session, call_id: str, person_id: str | None, number: int | None = None
) -> tuple[Complaint, int] | None:
    """Which answer they were told, as complaint and round: that about `number`, the one which the line has spoken (the
    same key may come twice, and another may have been told meanwhile); without it, what was told last."""
    told = rows.last_in_call(session, call_id, person_id, (complaints.TOLD,), number)
    round_ = (told[0].detail or {}).get("round") if told is not None else None
    return (told[1], round_) if told is not None and round_ is not None else None


def _number(complaint: Complaint) -> dict[str, str]:
    return {"number": spoken.number(complaint.number)}


OWN: Mapping[str, Callable[[Session, _Asked], Told]] = {
    "complaint.open": _open,
    "complaint.add": _add,
    "complaint.send": _send,
    "complaint.public": _wish(Wish.PUBLIC),
    "complaint.private": _wish(Wish.PRIVATE),
    "status.next": _next,
    "reply.next": _reply,
    "reply.solved": _say(Outcome.SOLVED),
    "reply.not_solved": _say(Outcome.NOT_SOLVED),
    "reply.still": _still,
    "reply.talk": _say(Outcome.TALK),
    "reply.unspoken": _unspoken,
}
QUERIES = frozenset({*OWN, *meeting_counter.QUERIES})
