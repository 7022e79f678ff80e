"""After a clock that was fast (checkins.fast_clock): what the community room wrote ahead of time counts as written now,
and what was to be done by then is to be done by when it would be, were it asked for now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, literal, select, update
from sqlalchemy.orm import Session

from community import ballot_calls, ballot_rows, meeting_again, reply_calls, rows, tickets_policy, tickets_rows
from community.ballot_tables import Ballot, BallotCall, BallotEvent, BallotProxy, BallotSlot
from community.meeting_tables import Ask, MeetingParty, MeetingPlan
from community.notice_tables import Hearer, Notice, NoticeEvent
from community.policy import Deadlines
from community.tables import Complaint, ComplaintEvent, Dictation, Meeting, Reply
from community.tickets_policy import BOOKED_WITHIN, ReplyClock
from community.tickets_tables import Booking, Ticket, TicketDictation, TicketEvent, TicketStatus
from storage.database import UtcTime

_WRITTEN = (
    Complaint.opened_at,
    Complaint.heard_at,
    Complaint.closed_at,
    ComplaintEvent.at,
    Dictation.at,
    Reply.at,
    Reply.outcome_at,
    Meeting.booked_at,
    Meeting.noted_at,
    MeetingPlan.at,
    MeetingPlan.by_hand_at,
    MeetingPlan.ended_at,
    Ticket.opened_at,
    Ticket.taken_at,
    Ticket.closed_at,
    TicketEvent.at,
    TicketDictation.at,
    Booking.at,
    Booking.outcome_at,
    Notice.at,
    Notice.withdrawn_at,
    NoticeEvent.at,
    Hearer.given_up_at,
    Hearer.heard_at,
    Hearer.understood_at,
    Ballot.sealed_at,
    BallotSlot.locked_at,
    BallotProxy.at,
    BallotEvent.at,
)  # not Meeting.at, Booking.known_by, nor when a notice or a ballot ends: hours that people named


def accept(session: Session, now: datetime, deadlines: Deadlines, clock: ReplyClock) -> int:
    """The clock is right at `now`; how many moments lay ahead. Safe to repeat."""
    calls = sum(_call_now(session, table, now) for table in (Reply, Booking))  # first: by the moments as they were
    begun, too_soon = _begin_now(session, now), meeting_again.too_soon(session, now)
    written = sum(_pull(session, column, now) for column in _WRITTEN)
    begun += meeting_again.open_again(session, too_soon, now) + _ring_again(session, now)
    _ring_soon(session, now)
    return calls + begun + written + _complaints(session, now, deadlines) + _tickets(session, now, clock)


def _pull(session: Session, column: Any, now: datetime) -> int:
    done = session.execute(update(column.class_).where(column > now).values({column.key: now}))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _call_now(session: Session, table: type[Reply] | type[Booking], now: datetime) -> int:
    """Answers and bookings that were given ahead of time, and for which nobody has been rung yet."""
    ahead = update(table).where(table.at > now, table.due_at > now, table.intent_id.is_(None))
    done = session.execute(ahead.values(due_at=now))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _begin_now(session: Session, now: datetime) -> int:
    """Notices and ballots that were made ahead of time, to begin at once. A ballot that was closed then stays
    closed: the key of its voters is gone."""
    notices = update(Notice).where(Notice.at > now, Notice.valid_from == Notice.at)
    made = select(BallotEvent.at).where(BallotEvent.ballot_id == Ballot.id, BallotEvent.what == ballot_rows.MADE)
    ballots = update(Ballot).where(Ballot.opens_at > now, Ballot.opens_at.in_(made))
    begun = 0
    for each in (notices.values(valid_from=now), ballots.values(opens_at=now)):
        begun += int(session.execute(each).rowcount)  # type: ignore[attr-defined]
    return begun


def _ring_again(session: Session, now: datetime) -> int:
    """Who was to be rung about an urgent notice, until the clock took it to be over."""
    holds = select(Notice.id).where(Notice.urgent, Notice.valid_until > now, Notice.withdrawn_at.is_(None))
    waits = update(Hearer).where(Hearer.notice_id.in_(holds), Hearer.due_at.is_(None), Hearer.intent_id.is_(None))
    waits = waits.where(Hearer.understood_at.is_(None), Hearer.given_up_at.is_(None))
    begins = select(Notice.valid_from).where(Notice.id == Hearer.notice_id).scalar_subquery()
    due = case((begins > now, begins), else_=literal(now, UtcTime()))
    return int(session.execute(waits.values(due_at=due)).rowcount)  # type: ignore[attr-defined]


def _ring_soon(session: Session, now: datetime) -> None:
    """Who waits to be rung is looked at now. Whom the line rules keep until later, they keep again: nothing of this is
    counted."""
    hearers = select(Hearer, Notice.valid_from).join(Notice, Notice.id == Hearer.notice_id)
    ballots = select(BallotCall, Ballot.opens_at).join(Ballot, Ballot.id == BallotCall.ballot_id)
    _nearer(session.execute(hearers.where(Hearer.due_at > now)), now, tickets_policy.AGAIN[-1])
    _nearer(session.execute(ballots.where(BallotCall.due_at > now)), now, ballot_calls.AGAIN)
    parties = select(MeetingParty, MeetingPlan.at).join(MeetingPlan, MeetingPlan.id == MeetingParty.plan_id)
    parties = parties.where(MeetingParty.due_at > now, MeetingParty.ask.in_((Ask.CHOOSE, Ask.AGREE, Ask.TOLD)))
    _nearer(session.execute(parties), now, reply_calls.NEXT_DAY + reply_calls.AGAIN)
    meeting_again.remind_again(session, now)


def _nearer(waiting: Iterable[Any], now: datetime, again: timedelta) -> None:
    """`again`: how long one waits for the next call at most, or for news of the one that is out."""
    for row, begins in waiting:
        first = max(now, begins)
        if row.due_at > first + again:
            row.due_at = first + again if row.intent_id else first


def _complaints(session: Session, now: datetime, deadlines: Deadlines) -> int:
    """No deadline lies further ahead than that of a complaint which came now."""
    due = (Complaint.heard_due > now) | (Complaint.answer_due > now)
    moved = 0
    for complaint in session.scalars(select(Complaint).where(due).order_by(Complaint.id).with_for_update()):
        calendar = rows.calendar(session, complaint)
        heard = _at_most(complaint.heard_due, deadlines.heard_by(calendar, now))
        answer = _at_most(complaint.answer_due, deadlines.answered_by(calendar, now))
        moved += (heard, answer) != (complaint.heard_due, complaint.answer_due)
        complaint.heard_due, complaint.answer_due = heard, answer
    return moved


def _tickets(session: Session, now: datetime, clock: ReplyClock) -> int:
    moved = 0
    for ticket in session.scalars(select(Ticket).where(Ticket.due_at > now).order_by(Ticket.id).with_for_update()):
        within = ReplyClock(BOOKED_WITHIN) if ticket.status == TicketStatus.TAKEN else clock
        due = _at_most(ticket.due_at, within.due(tickets_rows.calendar(session, ticket), now))
        moved += due != ticket.due_at
        ticket.due_at = due
    return moved


def _at_most(due: datetime | None, latest: datetime) -> datetime | None:
    return None if due is None else min(due, latest)
