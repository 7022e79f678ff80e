"""Complaints as staff look at them: all that is open, or one with everything that belongs to it. Personal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from checkins.tables import Neighbourhood, Person
from community import readable, rows, waiting
from community.meeting_tables import MeetingParty, MeetingPlan
from community.tables import Complaint, ComplaintEvent, Dictation, Meeting, Outcome, Reply, Status

STATUS_ZH: Mapping[str, str] = {
    Status.INTERRUPTED: "没讲完",
    Status.SENT: "没有人听",
    Status.HEARD: "听过了",
    Status.ANSWERED: "已答复",
    Status.REOPENED: "没解决",
    Status.CLOSED: "已结案",
}


@dataclass(frozen=True)
class Party:
    """Whom the line asks to meet, and what it has to ask or tell them next; None: nothing. `due`: when it rings them.
    `item`: a person rings them."""

    name: str = field(repr=False)
    number: str = field(repr=False)
    ask: str | None
    due: datetime | None
    item: bool


@dataclass(frozen=True)
class Shown:
    """`who` and `number` of who complains, "" for a stranger who showed none. `due`: by when somebody has to do what
    comes next; None: nobody but the line."""

    row: Complaint
    zone: str
    who: str = field(repr=False)
    number: str = field(repr=False)
    due: datetime | None
    closed_by: str = ""  # 本人, or who of the committee
    replies: Sequence[Reply] = ()
    dictations: Sequence[Dictation] = ()
    meetings: Sequence[Meeting] = ()
    parties: Sequence[Party] = ()
    events: Sequence[ComplaintEvent] = ()


def listed(session: Session, committee: str = "", *, everything: bool = False) -> list[Shown]:
    """What is open, unheard, or to be met about, or everything; of one committee, or of all (""). Without what can't be
    read."""
    query = select(Complaint.id).join(Neighbourhood, Neighbourhood.id == Complaint.neighbourhood_id)
    if committee.strip():
        query = query.where(Neighbourhood.id.in_(_places(session, committee.strip())))
    if not everything:
        meets = exists().where(Meeting.complaint_id == Complaint.id, Meeting.outcome.is_(None))
        query = query.where(or_(Complaint.status != Status.CLOSED, Complaint.heard_due.is_not(None), meets))
    found: list[Shown] = []
    for row in readable.each(session, Complaint, session.scalars(query.order_by(Complaint.number)).all()):
        with readable.apart(session, f"complaint {row.number} can't be shown"):
            found.append(_shown(session, row))
    return found


def _places(session: Session, committee: str) -> Sequence[int]:
    """By its own name or the neighbourhood's. LookupError: there is none, so that no list is empty by a slip."""
    named = or_(Neighbourhood.committee == committee, Neighbourhood.name == committee)
    found = session.scalars(select(Neighbourhood.id).where(named)).all()
    if not found:
        raise LookupError(f"there is no committee “{committee}”")
    return found


def look(session: Session, number: int) -> Shown:
    """One with all that belongs to it. LookupError when there is none."""
    row = rows.known(session, number)
    shown = _shown(session, row)
    meetings = session.scalars(select(Meeting).where(Meeting.complaint_id == row.id).order_by(Meeting.at)).all()
    said, log = _spoken(session, row), rows.events(session, row)
    return replace(shown, dictations=said, meetings=meetings, parties=_parties(session, row), events=log)


def _parties(session: Session, row: Complaint) -> list[Party]:
    """Of the last offer of times."""
    last = select(func.max(MeetingPlan.id)).where(MeetingPlan.complaint_id == row.id).scalar_subquery()
    query = select(MeetingParty, Person).join(Person, Person.id == MeetingParty.person_id)
    query = query.where(MeetingParty.plan_id == last).order_by(MeetingParty.nth)
    wanted = {item.person_id for item in waiting.open_items(session, row, (*waiting.APPOINTED, *waiting.ARRANGE))}
    return [
        Party(person.name, person.number or "", party.ask, party.due_at, person.id in wanted)
        for party, person in session.execute(query)
    ]


def _shown(session: Session, row: Complaint) -> Shown:
    person = session.get(Person, row.person_id) if row.person_id else None
    zone = session.get_one(Neighbourhood, row.neighbourhood_id).timezone
    number = (person.number if person else row.caller_number) or ""
    due = min((wait.due for wait in waiting.waits(session, row)), default=None)
    who = person.name if person else ""
    return Shown(row, zone, who, number, due, _closed_by(session, row), rows.replies(session, row))


def _closed_by(session: Session, row: Complaint) -> str:
    """ "Solved" is their own word, also when somebody of the committee has written it down: that one is named."""
    if row.close_reason != Outcome.SOLVED:
        return row.closed_by or ""
    said = [each for each in rows.events(session, row) if each.what == Outcome.SOLVED]
    return str((said[-1].detail or {}).get("told_to") or "本人") if said else "本人"


def _spoken(session: Session, row: Complaint) -> list[Dictation]:
    """What was dictated for it; with two complaints in one call, what was said in that call for either."""
    same = select(Complaint.id).where(Complaint.call_id == row.call_id, Complaint.person_id == row.person_id)
    query = select(Dictation).where(or_(Dictation.complaint_id == row.id, Dictation.complaint_id.in_(same)))
    return list(session.scalars(query.order_by(Dictation.id)))
