"""The calls in which a meeting is arranged, told, reminded of and asked after. They are reply calls: who is rung with
an answer anyway hears of the meeting in the same call (community.meeting_counter).

    MeetingParty.due_at     when the next call is due; while one is out: when to ask again should nobody tell its end
    MeetingParty.intent_id  the call that was ordered last, until they have said something to it

After three calls without a word, and when it would be too late, a person arranges it, or tells them; that it is too
late is found also while no calls are made (`keep`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.line_rules import Purpose
from checkins.other_calls import Barred, Ended, Later, Lines, within_hours
from checkins.pace import LIVE
from checkins.policies import call_policy
from checkins.ports import TALKED, CallRequest
from checkins.results import LINE
from checkins.tables import CallIntent, Neighbourhood, Person
from community import meeting_state, meeting_words, meetings, readable, rows, waiting
from community.meeting_tables import Ask, MeetingParty, MeetingPlan
from community.policy import REPLY_CALLS
from community.reply_calls import AFTER_LINE_ERROR, AGAIN, BATCH, FLOW, LINE_FAILED, NEVER_SO_FAR, again_at
from community.tables import Complaint, ComplaintEvent, Status
from community.tickets_policy import again_after

CALLING = "meeting_calling"  # an event: a call was ordered
LATEST = timedelta(hours=1)  # before it begins they are still told by the line
ASKED_FOR = timedelta(days=3)  # after it is over, what came of it
_A_TIME = (Ask.CHOOSE, Ask.AGREE)  # asked again once a closed complaint is opened again


class MeetingCalls:
    """Satisfies checkins.other_calls.Errands, beside ReplyCalls: each leaves the other's calls alone."""

    purpose = Purpose.REPLY

    def __init__(self) -> None:
        self._again = readable.Again()

    def claim(self, session: Session, now: datetime, lines: Lines) -> Sequence[CallRequest]:
        """One call for each person who is to be asked or told, while lines are free."""
        requests: list[CallRequest] = []
        for person_id in _waiting(session, now, self._again.left_out(now)):
            request = None
            with self._again.apart(session, person_id, now, "a meeting of somebody can't be arranged"):
                found = _first(session, person_id, now)
                request = _ring(session, *found, now, lines) if found else None
            requests += [request] if request is not None else []
            if lines.free <= 0:
                break
        return requests

    def ended(self, session: Session, end: Ended, now: datetime) -> None:
        """Who has said something is no longer waited for in this call. Who asked for a person at the question for a
        time has said that none of them suits."""
        query = select(MeetingParty).where(MeetingParty.intent_id == end.call_id)
        asked = session.scalars(query).all()
        if not asked:
            _told_late(session, end, now)
        for party in asked:
            plan = session.get_one(MeetingPlan, party.plan_id)
            complaint = rows.locked(session, session.get_one(Complaint, plan.complaint_id))
            session.refresh(party)
            if party.intent_id == end.call_id:
                party.intent_id = None
                _ended(session, complaint, plan, party, end, now)


def _ended(
    session: Session, complaint: Complaint, plan: MeetingPlan, party: MeetingParty, end: Ended, now: datetime
) -> None:
    person = next((each for each in end.people if each.id == party.person_id), None)
    if end.disposition in LINE_FAILED:
        party.due_at = now + AFTER_LINE_ERROR
        return
    if complaint.status == Status.CLOSED and party.ask in _A_TIME:
        party.due_at = None
        return
    party.calls += 1
    wants_person = end.disposition in TALKED and person is not None and person.result == "wants_person"
    told = party.ask in (Ask.TOLD, Ask.REMIND)
    party.due_at = now + again_after(party.calls) if told else again_at(party.calls, now, reached=False)
    no_more = party.calls >= REPLY_CALLS or (wants_person and party.ask in _A_TIME)
    if no_more or _too_late(session, plan, party, party.due_at, now):
        give_up(session, complaint, plan, party, now)


def _told_late(session: Session, end: Ended, now: datetime) -> None:
    """The call counts already, as nobody knew how it ended: that they asked for a person stands all the same."""
    ordered = select(ComplaintEvent.complaint_id).where(ComplaintEvent.call_id == end.call_id)
    wanted = {each.id for each in end.people if end.disposition in TALKED and each.result == "wants_person"}
    ids = session.scalars(ordered.where(ComplaintEvent.what == CALLING)).all() if wanted else ()
    for complaint in rows.lock(session, ids):
        plan = meeting_state.plan_of(session, complaint)
        for party in meeting_state.parties(session, plan) if plan is not None else ():
            if plan is not None and party.person_id in wanted and party.ask in _A_TIME:
                give_up(session, complaint, plan, party, now)


def give_up(session: Session, complaint: Complaint, plan: MeetingPlan, party: MeetingParty, now: datetime) -> None:
    """The line has not got a word of theirs: a person does. What came of it, staff write anyway."""
    if party.ask in (Ask.TOLD, Ask.REMIND):
        at = meeting_state.chosen_time(plan)
        assert at is not None
        waiting.appointed(session, complaint, now, party.person_id, at)
        meetings.set_ask(party, Ask.AFTER, at + meeting_words.OVER)
    elif party.ask == Ask.AFTER:
        meetings.over_for(session, plan, party, now)
    else:
        meetings.by_hand(session, complaint, plan, now)


def _waiting(session: Session, now: datetime, left_out: Sequence[str]) -> list[str]:
    """Who is due, the longest first."""
    due = (MeetingParty.due_at <= now) | (MeetingParty.due_at > now + NEVER_SO_FAR) & MeetingParty.intent_id.is_not(
        None
    )
    query = select(MeetingParty.person_id).where(due, MeetingParty.person_id.not_in(left_out))
    return list(dict.fromkeys(session.scalars(query.order_by(MeetingParty.due_at, MeetingParty.id).limit(BATCH))))


def _first(session: Session, person_id: str, now: datetime) -> tuple[Complaint, MeetingPlan, MeetingParty] | None:
    """What this person is due for, its complaint locked; None: nothing, or somebody else has it at this moment."""
    query = select(MeetingParty).where(MeetingParty.person_id == person_id, MeetingParty.due_at.is_not(None))
    for party in session.scalars(query.order_by(MeetingParty.due_at, MeetingParty.id)).all():
        plan = session.get_one(MeetingPlan, party.plan_id)
        mine = select(Complaint).where(Complaint.id == plan.complaint_id).with_for_update(skip_locked=True)
        complaint = session.scalar(mine.execution_options(populate_existing=True))
        if complaint is None:
            return None
        session.refresh(party)
        if complaint.status == Status.CLOSED and party.ask in _A_TIME:
            party.due_at = None
        elif complaint.status == Status.CLOSED and party.ask == Ask.AFTER:
            meetings.over_for(session, plan, party, now)
        elif party.ask is not None and party.due_at is not None:
            return complaint, plan, party
    return None


def _ring(
    session: Session, complaint: Complaint, plan: MeetingPlan, party: MeetingParty, now: datetime, lines: Lines
) -> CallRequest | None:
    latest = _latest(session, plan, party, now)
    if _hopeless(session, complaint, plan, party, now):
        return None
    person = session.get_one(Person, party.person_id)
    match lines.ring(person, Purpose.REPLY, FLOW, try_no=party.calls + 1):
        case Barred():
            give_up(session, complaint, plan, party, now)
        case Later(until) if until >= latest:
            give_up(session, complaint, plan, party, now)
        case Later(until):
            party.due_at = max(until, now)
        case CallRequest() as request:
            party.intent_id, party.due_at = request.id, now + AGAIN
            rows.note(session, complaint, CALLING, LINE, now, call_id=request.id, detail={"ask": party.ask})
            return request
    return None


def _hopeless(session: Session, complaint: Complaint, plan: MeetingPlan, party: MeetingParty, now: datetime) -> bool:
    """The line has nothing to ask or tell them any more: a person does."""
    if party.ask != Ask.AFTER and meeting_state.is_short(session, plan):
        meetings.without(session, complaint, plan, now)
    elif party.ask == Ask.AGREE and meetings.is_taken(session, plan):
        meetings.another_time(session, complaint, plan, now)
    elif _too_late(session, plan, party, now, now):
        give_up(session, complaint, plan, party, now)
    else:
        return False
    return True


def _too_late(session: Session, plan: MeetingPlan, party: MeetingParty, at: datetime, now: datetime) -> bool:
    """Whether a call at that moment, or at the next one in the hours of calls, is of no use any more."""
    person = session.get_one(Person, party.person_id)
    place = session.get_one(Neighbourhood, person.neighbourhood_id)
    return within_hours(place.timezone, call_policy(place, person), at) >= _latest(session, plan, party, now)


# ── without a call ────────────────────────────────────────────────────────────────────────────────


def late(session: Session, now: datetime) -> list[int]:
    """Complaints with somebody whom the line can't ring in time any more, be it down or not running, or can't as one of
    them is gone. Only reads."""
    query = select(MeetingParty).where(MeetingParty.due_at.is_not(None), MeetingParty.ask != Ask.AFTER)
    found: list[int] = []
    for party in session.scalars(query.order_by(MeetingParty.id)).all():
        with readable.apart(session, "a meeting of somebody can't be looked at"):
            plan = session.get_one(MeetingPlan, party.plan_id)
            short = meeting_state.is_short(session, plan)
            if not _is_out(session, party) and (short or _too_late(session, plan, party, now, now)):
                found.append(plan.complaint_id)
    return list(dict.fromkeys(found))


def keep(session: Session, now: datetime) -> None:
    """A person tells them instead, before the meeting. Safe to repeat."""
    for complaint in rows.lock(session, late(session, now)):
        plan = meeting_state.plan_of(session, complaint)
        for party in meeting_state.parties(session, plan) if plan is not None else ():
            session.refresh(party)
            if plan is not None and party.due_at is not None and party.ask is not None and not _is_out(session, party):
                _hopeless(session, complaint, plan, party, now)


def _is_out(session: Session, party: MeetingParty) -> bool:
    """A call to them is on the line: its end decides."""
    intent = session.get(CallIntent, party.intent_id) if party.intent_id else None
    return intent is not None and intent.state in LIVE


def _latest(session: Session, plan: MeetingPlan, party: MeetingParty, now: datetime) -> datetime:
    """From when on it is too late for a call of ours."""
    at = meeting_state.chosen_time(plan)
    if party.ask == Ask.CHOOSE or at is None:
        left = meetings.times_left(session, plan, now).values()
        return max(left, default=now + meeting_words.LEAD) - meeting_words.LEAD
    return {Ask.AGREE: at - meeting_words.LEAD, Ask.AFTER: at + ASKED_FOR}.get(Ask(party.ask or ""), at - LATEST)
