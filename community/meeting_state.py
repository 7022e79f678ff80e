"""How the meetings of a complaint stand: which one an act means, whom it concerns, and since when one that is ahead
can't be as it was fixed. Only reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import register_log
from checkins.tables import GONE, Person
from community import rows
from community.meeting_tables import MeetingParty, MeetingPlan
from community.tables import Complaint, ComplaintEvent, Meeting
from community.wrong import Unknown

FIXED, CANT, CAME = "meeting", "cannot_come", "came_of_it"  # events
TOO_SOON = "too_soon"  # likewise: what came of it was written while it was ahead
CALLED_OFF = "called off: "  # how the outcome of a meeting begins that was none


class Came(StrEnum):
    """What they say came of it."""

    SETTLED = "settled"
    UNSETTLED = "unsettled"
    NOBODY = "nobody"  # they have not met


CAME_ZH = {Came.SETTLED: "谈好了", Came.UNSETTLED: "没有谈好", Came.NOBODY: "没有见面"}
_WORST_FIRST = (Came.NOBODY, Came.UNSETTLED, Came.SETTLED)


# ── which one ─────────────────────────────────────────────────────────────────────────────────────


def plan_of(session: Session, complaint: Complaint) -> MeetingPlan | None:
    """The offer that is open."""
    query = select(MeetingPlan).where(MeetingPlan.complaint_id == complaint.id, MeetingPlan.ended_at.is_(None))
    return session.scalars(query.order_by(MeetingPlan.id.desc()).limit(1)).first()


def unwritten(session: Session, complaint: Complaint) -> list[Meeting]:
    """Those that nobody has written the outcome of, the first one first."""
    return [meeting for meeting in _meetings(session, complaint) if meeting.outcome is None]


def ahead(session: Session, complaint: Complaint, now: datetime) -> list[Meeting]:
    """Those that are still to be."""
    return [meeting for meeting in unwritten(session, complaint) if meeting.at > now]


def to_write(session: Session, complaint: Complaint, now: datetime, at: datetime | None = None) -> Meeting:
    """Whose outcome staff write: the one at this moment; else the last that has begun, where only the parties have said
    by key what came of it, or nobody; else the next. LookupError: there is none."""
    begun = [meeting for meeting in _meetings(session, complaint) if meeting.at <= now]
    found = [meeting for meeting in reversed(begun) if meeting.outcome is None or by_keys(session, meeting)]
    return _at([*found, *ahead(session, complaint, now)], at)


def to_call_off(session: Session, complaint: Complaint, now: datetime, at: datetime | None = None) -> Meeting:
    """The one at this moment; else the next; else the last that has begun and has no outcome. LookupError: none."""
    begun = [meeting for meeting in unwritten(session, complaint) if meeting.at <= now]
    return _at([*ahead(session, complaint, now), *reversed(begun)], at)


def _at(meetings: Sequence[Meeting], at: datetime | None) -> Meeting:
    found = next((meeting for meeting in meetings if at in (None, meeting.at)), None)
    if found is None:
        en = "no meeting is open" if at is None else "--at: no meeting is open at that moment"
        raise Unknown("没有约着的见面", en)
    return found


def is_planned(session: Session, complaint: Complaint, now: datetime) -> bool:
    """Whether times are offered, or one is fixed and still to be."""
    return is_offered(plan_of(session, complaint)) or bool(ahead(session, complaint, now))


def is_offered(plan: MeetingPlan | None) -> bool:
    return plan is not None and plan.meeting_id is None


def _meetings(session: Session, complaint: Complaint) -> list[Meeting]:
    query = select(Meeting).where(Meeting.complaint_id == complaint.id)
    return list(session.scalars(query.order_by(Meeting.at, Meeting.id)))


# ── whom it concerns ──────────────────────────────────────────────────────────────────────────────


def parties(session: Session, plan: MeetingPlan) -> list[MeetingParty]:
    query = select(MeetingParty).where(MeetingParty.plan_id == plan.id).order_by(MeetingParty.nth)
    return list(session.scalars(query))


def people(session: Session, complaint: Complaint, *, anyway: bool = False) -> list[str]:
    """Who complains, and the other party once it knows of a time, or was asked for one (`anyway`: in any case)."""
    plan, found = _last_plan(session, complaint), [complaint.person_id] if complaint.person_id else []
    if plan is not None and (anyway or knows(plan) or unwritten(session, complaint)):
        found += [each.person_id for each in parties(session, plan) if each.nth > 1]
    return found


def concerned(session: Session, complaint: Complaint, *, anyway: bool = False) -> list[str]:
    """Whom somebody has to tell when it comes otherwise: not who has moved or died since."""
    return living(session, people(session, complaint, anyway=anyway))


def knows(plan: MeetingPlan) -> bool:
    """Whether the other party has been asked for one of the times."""
    return plan.chosen is not None or bool(plan.struck)


def living(session: Session, people: Iterable[str]) -> list[str]:
    """Whom somebody can still tell something: who moved or died is nobody's to ring."""
    gone = set(session.scalars(select(Person.id).where(Person.id.in_(list(people)), Person.state.in_(GONE))))
    return [each for each in people if each not in gone]


def is_short(session: Session, plan: MeetingPlan) -> bool:
    """One of them has moved or died."""
    found = [each.person_id for each in parties(session, plan)]
    return len(living(session, found)) < len(found)


def broken_since(session: Session, complaint: Complaint, meeting: Meeting) -> datetime | None:
    """Since when it can't be as it was fixed: one of them has said that they can't come, has moved or died, and nobody
    has fixed it anew."""
    log = rows.events(session, complaint)
    fixed = max((event for event in log if event.what == FIXED), key=lambda event: event.id, default=None)
    at = fixed.at if fixed is not None else meeting.booked_at
    since = [event.at for event in log if event.what == CANT and (fixed is None or event.id > fixed.id)]
    everybody = people(session, complaint)
    gone = [_gone_since(session, each, at) for each in everybody if not living(session, [each])]
    return min([*since, *(moment for moment in gone if moment >= at)], default=None)


def _gone_since(session: Session, person_id: str, at: datetime) -> datetime:
    event = register_log.last(session, person_id, register_log.What.STATE)
    return at if event is None else event.at


def taken(session: Session, complaint: Complaint, whose: Iterable[str], times: Iterable[datetime]) -> set[datetime]:
    """At which of these times one of them is to meet about another complaint."""
    query = select(Meeting, Complaint).join(Complaint, Complaint.id == Meeting.complaint_id)
    query = query.where(Meeting.at.in_(list(times)), Meeting.outcome.is_(None), Complaint.id != complaint.id)
    query = query.where(Complaint.neighbourhood_id == complaint.neighbourhood_id)
    mine = set(whose)
    return {meeting.at for meeting, other in session.execute(query) if mine & set(people(session, other))}


def _last_plan(session: Session, complaint: Complaint) -> MeetingPlan | None:
    query = select(MeetingPlan).where(MeetingPlan.complaint_id == complaint.id)
    return session.scalars(query.order_by(MeetingPlan.id.desc()).limit(1)).first()


# ── its times ─────────────────────────────────────────────────────────────────────────────────────


def times_of(plan: MeetingPlan) -> dict[int, datetime]:
    return {n: datetime.fromisoformat(at).astimezone(UTC) for n, at in enumerate(plan.times)}


def chosen_time(plan: MeetingPlan) -> datetime | None:
    """The one that waits for the other's yes, or is fixed."""
    return None if plan.chosen is None else times_of(plan)[plan.chosen]


# ── what came of it ───────────────────────────────────────────────────────────────────────────────


def said(session: Session, plan: MeetingPlan) -> list[tuple[str, Came]]:
    """What came of it, by name of who said so; the last word of each party. What was said too soon is no word."""
    whats = (CAME, TOO_SOON)
    query = select(ComplaintEvent).where(ComplaintEvent.complaint_id == plan.complaint_id)
    found: dict[str, tuple[str, Came]] = {}
    for event in session.scalars(query.where(ComplaintEvent.what.in_(whats)).order_by(ComplaintEvent.id)):
        detail = event.detail or {}
        if detail.get("plan") == str(plan.id) and event.what == TOO_SOON:
            found.clear()
        elif detail.get("plan") == str(plan.id):
            found[detail.get("party") or event.who] = event.who, Came(detail["came"])
    return list(found.values())


def outcome_of(words: Sequence[tuple[str, Came]]) -> str:
    """Both words. Where they differ, the worse one is the outcome."""
    worst_first = sorted(words, key=lambda each: (_WORST_FIRST.index(each[1]), each[0]))
    text = ";".join(f"{who}在电话里说:{CAME_ZH[what]}" for who, what in worst_first)
    return f"{CAME_ZH[worst_first[0][1]]}({text})" if len({what for _, what in words}) > 1 else text


def by_keys(session: Session, meeting: Meeting) -> bool:
    """Whether its outcome is what the parties have said by key."""
    words = _words(session, meeting)
    return bool(words) and meeting.outcome == outcome_of(words)


def is_called_off(meeting: Meeting) -> bool:
    return (meeting.outcome or "").startswith(CALLED_OFF)


def took_place(session: Session, meeting: Meeting) -> bool:
    """It is written what came of it, it wasn't called off, and nobody says that they have not met."""
    if meeting.outcome is None or is_called_off(meeting):
        return False
    nobody = any(what is Came.NOBODY for _, what in _words(session, meeting))
    return not (nobody and by_keys(session, meeting))


def _words(session: Session, meeting: Meeting) -> list[tuple[str, Came]]:
    plan = session.scalars(select(MeetingPlan).where(MeetingPlan.meeting_id == meeting.id)).first()
    return said(session, plan) if plan is not None else []
