"""What a flow asks about meetings while somebody is on the line: in a reply call, or when they ring in for replies.
Every answer is one short transaction; the same again changes nothing. Personal: nothing of it is logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.ports import Told
from community import meeting_state, meetings
from community.meeting_state import Came
from community.meeting_tables import Ask, MeetingParty, MeetingPlan
from community.meetings import Answer
from community.reply_calls import AGAIN
from community.tables import Complaint, Status

NOBODY = Told("")  # nobody can say
NOTED = Told("noted")
NONE = Told("none")
_WORD: Mapping[str, str] = {Ask.CHOOSE: "choose", Ask.AGREE: "agree", Ask.TOLD: "told", Ask.REMIND: "told"}
_AT_ANY_TIME = (Ask.CHOOSE, Ask.AGREE, Ask.TOLD)  # also when they are rung with something else
_PLACES = ("first", "second", "third", "fourth")
Work = Callable[[Session, str, str, int | None, datetime], Told]


def waits(session: Session, call_id: str, person_id: str | None, now: datetime) -> bool:
    """Whether there is something of a meeting for this person in this call."""
    return person_id is not None and _next(session, call_id, person_id, now) is not None


def _next(session: Session, call_id: str, person_id: str, now: datetime) -> tuple[MeetingPlan, MeetingParty] | None:
    """What they are asked or told first. Who rings in hears also what we would have rung them for later, and is not
    asked what came of a meeting."""
    came_in = meetings.rang_us(session, call_id)
    query = select(MeetingParty).where(MeetingParty.person_id == person_id, MeetingParty.ask.is_not(None))
    for party in session.scalars(query.order_by(MeetingParty.due_at, MeetingParty.id)).all():
        plan = session.get_one(MeetingPlan, party.plan_id)
        due = party.intent_id == call_id or (party.due_at is not None and party.due_at <= now)
        waits = party.ask in _WORD if came_in else due or party.ask in _AT_ANY_TIME
        if waits and _can_be_asked(session, plan, party, now):
            return plan, party
    return None


def _can_be_asked(session: Session, plan: MeetingPlan, party: MeetingParty, now: datetime) -> bool:
    open_ = session.get_one(Complaint, plan.complaint_id).status != Status.CLOSED
    at = meeting_state.chosen_time(plan)
    match party.ask:
        case Ask.CHOOSE:
            return open_ and bool(meetings.times_left(session, plan, now))
        case Ask.AGREE:
            return open_ and plan.chosen in meetings.times_left(session, plan, now)
        case Ask.AFTER:
            return open_
        case _:
            return at is not None and now < at


def _ask(session: Session, call_id: str, person_id: str, _number: int | None, now: datetime) -> Told:
    found = _next(session, call_id, person_id, now)
    if found is None:
        return NONE
    plan, party = found
    if party.intent_id != call_id and not meetings.rang_us(session, call_id):  # a call that was made for an answer
        party.intent_id, party.due_at = call_id, now + AGAIN
    return Told(_WORD.get(party.ask or "", "after"), meetings.words(session, plan, party, now))


def _choose(place: int) -> Work:
    def noted(session: Session, call_id: str, person_id: str, number: int | None, now: datetime) -> Told:
        found = _about(session, person_id, number)
        if found is None:
            return NOBODY
        answer = meetings.choose(session, *found, place, call_id, now)
        return Told(answer, meetings.words(session, *found, now) if answer is not Answer.AGAIN else {})

    return noted


def _agree(*, yes: bool) -> Work:
    def noted(session: Session, call_id: str, person_id: str, number: int | None, now: datetime) -> Told:
        found = _about(session, person_id, number)
        if found is None or not meetings.agree(session, *found, call_id, now, yes=yes):
            return NOBODY
        return Told(Answer.FIXED, meetings.words(session, *found, now)) if yes else NOTED

    return noted


def _known(session: Session, call_id: str, person_id: str, number: int | None, now: datetime) -> Told:
    found = _about(session, person_id, number)
    if found is None:
        return NOBODY
    meetings.known(session, *found, call_id, now)
    return NOTED


def _cant(session: Session, call_id: str, person_id: str, number: int | None, now: datetime) -> Told:
    found = _about(session, person_id, number)
    if found is None:
        return NOBODY
    meetings.cant(session, *found, call_id, now)
    return NOTED


def _came(what: Came) -> Work:
    def noted(session: Session, call_id: str, person_id: str, number: int | None, now: datetime) -> Told:
        found = _about(session, person_id, number)
        if found is None:
            return NOBODY
        meetings.came(session, *found, what, call_id, now)
        return NOTED

    return noted


def _about(session: Session, person_id: str, plan_id: int | None) -> tuple[MeetingPlan, MeetingParty] | None:
    """The offer that the line has spoken of, and their part in it."""
    query = select(MeetingParty).where(MeetingParty.plan_id == plan_id, MeetingParty.person_id == person_id)
    party = session.scalars(query).first()
    return None if party is None else (session.get_one(MeetingPlan, party.plan_id), party)


QUERIES: Mapping[str, Work] = {
    "meet.next": _ask,
    **{f"meet.{word}": _choose(place) for place, word in enumerate(_PLACES)},
    "meet.yes": _agree(yes=True),
    "meet.no": _agree(yes=False),
    "meet.known": _known,
    "meet.cant": _cant,
    **{f"meet.{came}": _came(came) for came in Came},
}
