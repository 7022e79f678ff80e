"""Meetings after a clock that was fast. What came of one that is still to be, nobody can know: whoever was asked too
soon pressed something, or was given up. It is open again, and both hear once more when it is. What was called off or
moved stays so: people decided that."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from checkins.results import LINE
from checkins.tables import Neighbourhood
from community import meeting_state, meeting_words, meetings, rows, waiting
from community.meeting_tables import Ask, MeetingParty, MeetingPlan
from community.tables import Complaint, Meeting


def too_soon(session: Session, now: datetime) -> list[int]:
    """Meetings that are still to be, of which something came ahead of time. Asked before that counts as written now."""
    given_up = select(MeetingPlan.meeting_id).where(MeetingPlan.ended_at > now)
    query = select(Meeting).where(Meeting.at > now, or_(Meeting.noted_at > now, Meeting.id.in_(given_up)))
    return [each.id for each in session.scalars(query.order_by(Meeting.id)) if not meeting_state.is_called_off(each)]


def open_again(session: Session, ids: Collection[int], now: datetime) -> int:
    """How many are."""
    found = list(session.scalars(select(Meeting).where(Meeting.id.in_(ids)).order_by(Meeting.id)))
    complaints = {each.id: each for each in rows.lock(session, (meeting.complaint_id for meeting in found))}
    for meeting in found:
        _open_again(session, complaints[meeting.complaint_id], meeting, now)
    return len(found)


def _open_again(session: Session, complaint: Complaint, meeting: Meeting, now: datetime) -> None:
    plan = session.scalars(select(MeetingPlan).where(MeetingPlan.meeting_id == meeting.id)).first()
    said = {"at": meeting.at.isoformat(), "outcome": meeting.outcome, "plan": str(plan.id) if plan else None}
    rows.note(session, complaint, meeting_state.TOO_SOON, LINE, now, detail=said)
    meeting.outcome = meeting.noted_by = meeting.noted_at = None
    session.flush()
    if plan is None or meeting_state.plan_of(session, complaint) not in (None, plan):
        meetings.tell(session, complaint, meeting_state.concerned(session, complaint), now, meeting.at)
    else:
        plan.ended_at = None
        _ask_again(session, complaint, meeting, plan, now)
    waiting.show(session, complaint, now)


def _ask_again(session: Session, complaint: Complaint, meeting: Meeting, plan: MeetingPlan, now: datetime) -> None:
    """Not of one to which somebody can't come: a person has that."""
    if meeting_state.broken_since(session, complaint, meeting) is None:
        for party in meeting_state.parties(session, plan):
            meetings.set_ask(party, Ask.TOLD, now)


def remind_again(session: Session, now: datetime) -> None:
    """Whom the line took to be past the evening before is reminded then."""
    query = select(MeetingParty, MeetingPlan).join(MeetingPlan, MeetingPlan.id == MeetingParty.plan_id)
    for party, plan in session.execute(query.where(MeetingParty.ask == Ask.AFTER, MeetingPlan.ended_at.is_(None))):
        at, complaint = meeting_state.chosen_time(plan), session.get_one(Complaint, plan.complaint_id)
        zone = session.get_one(Neighbourhood, complaint.neighbourhood_id).timezone
        evening = meeting_words.reminded_at(zone, at, now) if at is not None else None
        if evening is not None:
            meetings.set_ask(party, Ask.REMIND, evening)
