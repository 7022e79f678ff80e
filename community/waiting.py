"""What a complaint waits for, as an item of the staff's list: nothing that is open waits for nobody.

The item follows from the complaint's state. Whoever ticks it off without doing what it says has it back when it is
overdue (`keep`); an item overdue for an hour at work is an alarm (checkins.alarm_signs).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from checkins import items, phones, promises
from checkins.items import Item, ItemKind
from checkins.people import stops_calls
from checkins.tables import Person
from community import meeting_state, readable, rows
from community.meeting_tables import Ask, MeetingParty, MeetingPlan
from community.policy import RING_BACK
from community.tables import Complaint, Meeting, Outcome, Status

LISTEN = (ItemKind.COMPLAINT_NEW, ItemKind.COMPLAINT_INTERRUPTED)
ANSWER = (ItemKind.COMPLAINT_ANSWER, ItemKind.COMPLAINT_TALK)
TELL = (ItemKind.COMPLAINT_TELL, ItemKind.COMPLAINT_VISIT, ItemKind.COMPLAINT_ASK)
MEETING = (ItemKind.COMPLAINT_MEETING,)
SEE = (ItemKind.COMPLAINT_CLOSED,)  # nothing in the row asks for it: staff tick it off
APPOINTED = (ItemKind.COMPLAINT_APPOINTED,)  # likewise
ARRANGE = (ItemKind.COMPLAINT_ARRANGE,)
STUCK_AFTER = timedelta(days=1)  # a reply call that is due
IN_TIME = timedelta(minutes=30)  # before a meeting they are told by a person at the latest
OF_MEETINGS = (*MEETING, *APPOINTED, *ARRANGE)
OF_OTHERS = (*OF_MEETINGS, ItemKind.COMPLAINT_TALK)  # the other party of a meeting has items of these, too
WHILE_OPEN = (*ANSWER, *TELL)
OTHER_PARTY = "(对方)"
ALL = (*LISTEN, *WHILE_OPEN, *OF_MEETINGS, *SEE)


@dataclass(frozen=True)
class Wait:
    """Somebody has to do this by then. `person_id`: whom it is about, if not who complains. `since`: no act of anybody
    has opened its item, it has to be there from then on; `until`: then it is over. `meeting_at`: of which meeting they
    are told."""

    kind: ItemKind
    due: datetime
    person_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    meeting_at: datetime | None = None


def waits(session: Session, complaint: Complaint) -> Iterator[Wait]:
    """By its state alone. While the reply call works on an answer, nobody is waited for but the line, unless something
    was said since. What was said is heard also when it is closed, and what came of a meeting is written. One that is
    open and waits for nobody, whatever has become of its row, waits for the committee."""
    if complaint.heard_due is not None:
        interrupted = complaint.status == Status.INTERRUPTED
        yield Wait(ItemKind.COMPLAINT_INTERRUPTED if interrupted else ItemKind.COMPLAINT_NEW, complaint.heard_due)
    for meeting in meeting_state.unwritten(session, complaint):
        yield Wait(ItemKind.COMPLAINT_MEETING, meeting.at)
        yield from _broken(session, complaint, meeting)
    if complaint.status == Status.CLOSED:
        return
    found = [*_answered(complaint), *_told(session, complaint)]
    yield from found
    if complaint.heard_due is None and not found and not _line_has_it(session, complaint):
        yield Wait(ItemKind.COMPLAINT_ANSWER, promises.promised(rows.calendar(session, complaint), complaint.opened_at))
    for plan in _plans(session, complaint):
        if plan.by_hand_at is not None:
            due = promises.promised(rows.calendar(session, complaint), plan.by_hand_at, RING_BACK)
            asked = [party.person_id for party in meeting_state.parties(session, plan)]
            yield from (Wait(ItemKind.COMPLAINT_ARRANGE, due, who) for who in meeting_state.living(session, asked))


def _broken(session: Session, complaint: Complaint, meeting: Meeting) -> Iterator[Wait]:
    """One of them can't come, has moved or died: until it is moved, called off or over, somebody rings the others."""
    since = meeting_state.broken_since(session, complaint, meeting)
    if since is not None:
        due = _before(session, complaint, since, meeting.at)
        for each in meeting_state.concerned(session, complaint):
            yield Wait(ItemKind.COMPLAINT_ARRANGE, due, each, since=since, until=meeting.at)


def _answered(complaint: Complaint) -> Iterator[Wait]:
    added = complaint.status == Status.ANSWERED and complaint.heard_due is None
    if complaint.answer_due is not None and (added or complaint.status in (Status.HEARD, Status.REOPENED)):
        yield Wait(ItemKind.COMPLAINT_ANSWER, complaint.answer_due)


def _told(session: Session, complaint: Complaint) -> Iterator[Wait]:
    reply = rows.last_reply(session, complaint) if complaint.status == Status.ANSWERED else None
    if reply is None:
        return
    calendar = rows.calendar(session, complaint)
    if reply.outcome == Outcome.UNREACHED:
        yield Wait(ItemKind.COMPLAINT_VISIT, promises.promised(calendar, reply.outcome_at or reply.at))
    elif reply.outcome == Outcome.UNCLEAR:
        yield Wait(ItemKind.COMPLAINT_ASK, promises.promised(calendar, reply.outcome_at or reply.at))
    elif reply.outcome is None and reply.due_at is None and reply.intent_id is None:
        yield Wait(ItemKind.COMPLAINT_TELL, promises.promised(calendar, reply.at))


def _line_has_it(session: Session, complaint: Complaint) -> bool:
    """It will ring them with the answer."""
    reply = rows.last_reply(session, complaint) if complaint.status == Status.ANSWERED else None
    return reply is not None and reply.outcome is None and reply.due_at is not None


def _stuck(session: Session, complaint: Complaint) -> Iterator[Wait]:
    reply = rows.last_reply(session, complaint)
    if reply is not None and reply.due_at is not None and _line_has_it(session, complaint):
        yield Wait(ItemKind.COMPLAINT_TELL, reply.due_at + STUCK_AFTER)
    for party in (each for plan in _plans(session, complaint) for each in meeting_state.parties(session, plan)):
        if party.due_at is not None and party.ask != Ask.AFTER:  # what came of it, staff write anyway
            told = party.ask in (Ask.TOLD, Ask.REMIND)
            kind = ItemKind.COMPLAINT_APPOINTED if told else ItemKind.COMPLAINT_ARRANGE
            at = meeting_state.chosen_time(session.get_one(MeetingPlan, party.plan_id)) if told else None
            yield Wait(kind, party.due_at + STUCK_AFTER, party.person_id, meeting_at=at)


def stuck(session: Session, complaint: Complaint, now: datetime) -> bool:
    """The line was to ring them a day ago, and hasn't: it is down, or not running."""
    tell = [wait for wait in _stuck(session, complaint) if wait.kind is ItemKind.COMPLAINT_TELL]
    return any(wait.due <= now for wait in tell)


def _plans(session: Session, complaint: Complaint) -> list[MeetingPlan]:
    """Times for a meeting that are offered by telephone."""
    query = select(MeetingPlan).where(MeetingPlan.complaint_id == complaint.id, MeetingPlan.ended_at.is_(None))
    return list(session.scalars(query))


def can_ring(session: Session, complaint: Complaint) -> bool:
    """Whether the line itself may tell them the answer, as the register stands now."""
    person = session.get(Person, complaint.person_id) if complaint.person_id else None
    return person is not None and stops_calls(person) is None


def show(session: Session, complaint: Complaint, now: datetime) -> None:
    """Opens the items that it waits for now."""
    for wait in _at(waits(session, complaint), now):
        want(session, complaint, wait.kind, wait.due, now, wait.person_id)


def _at(waits: Iterable[Wait], now: datetime) -> list[Wait]:
    return [wait for wait in waits if wait.until is None or now < wait.until]


def want(
    session: Session,
    complaint: Complaint,
    kind: ItemKind,
    due: datetime,
    now: datetime,
    person_id: str | None = None,
    meeting_at: datetime | None = None,
) -> None:
    """`person_id`: whom it is about, if not who complains; `meeting_at`: of which meeting they are told."""
    other = person_id is not None and person_id != complaint.person_id
    text = _text(complaint) + (OTHER_PARTY if other else "")
    items.open_item(
        session,
        kind,
        now,
        neighbourhood_id=complaint.neighbourhood_id,
        person_id=person_id or complaint.person_id,
        due_at=due,
        about=str(complaint.number),
        detail={"complaint": complaint.number, "text": text} | (_of(meeting_at) if kind in APPOINTED else {}),
    )


def done(
    session: Session,
    complaint: Complaint,
    kinds: Iterable[ItemKind],
    by: str,
    now: datetime,
    whose: Collection[str | None] | None = None,
) -> None:
    """What these items ask for was done by `by`; `whose`: of these people alone."""
    for item in open_items(session, complaint, kinds):
        if whose is None or item.person_id in whose:
            item.done_by, item.done_at = by[:100], now


def told(
    session: Session,
    complaint: Complaint,
    meeting_at: datetime,
    by: str,
    now: datetime,
    whose: Collection[str | None] | None = None,
) -> None:
    """Of the meeting at that moment nobody, or none of these, need be told any more. News of another one stays."""
    for item in open_items(session, complaint, APPOINTED):
        if (whose is None or item.person_id in whose) and _of(meeting_at).items() <= (item.detail or {}).items():
            item.done_by, item.done_at = by[:100], now


def _of(meeting_at: datetime | None) -> dict[str, str | None]:
    return {"meeting": None if meeting_at is None else meeting_at.astimezone(UTC).isoformat()}


def open_items(session: Session, complaint: Complaint, kinds: Iterable[ItemKind] = ALL) -> list[Item]:
    return [item for item in _items(session, complaint, kinds) if item.done_at is None]


def _items(session: Session, complaint: Complaint, kinds: Iterable[ItemKind]) -> list[Item]:
    about, others, kinds = str(complaint.number), _others(session, complaint), tuple(kinds)
    keys = [items.key_of(kind, complaint.person_id, about=about) for kind in kinds]
    keys += [items.key_of(kind, who, about=about) for kind in kinds if kind in OF_OTHERS for who in others]
    query = select(Item).where(Item.neighbourhood_id == complaint.neighbourhood_id, Item.key.in_(keys))
    return list(session.scalars(query))


def _others(session: Session, complaint: Complaint) -> list[str]:
    """Whoever was ever to meet who complains."""
    query = select(MeetingParty.person_id).join(MeetingPlan, MeetingPlan.id == MeetingParty.plan_id)
    query = query.where(MeetingPlan.complaint_id == complaint.id, MeetingParty.nth > 1)
    return list(dict.fromkeys(session.scalars(query)))


def late(session: Session, now: datetime) -> list[tuple[Complaint, Wait]]:
    """What is overdue and has no item (any more), by complaint. Only reads: most of the time there is none."""
    meeting = exists().where(Meeting.complaint_id == Complaint.id, Meeting.outcome.is_(None))
    nobody = and_(Complaint.heard_due.is_(None), Complaint.answer_due.is_(None))
    due = or_(Complaint.heard_due <= now, Complaint.answer_due <= now, nobody, meeting)
    due = or_(due, Complaint.status == Status.ANSWERED, _arranging(now))
    open_ = or_(Complaint.status != Status.CLOSED, Complaint.heard_due.is_not(None), meeting)
    ids = session.scalars(select(Complaint.id).where(open_, due).order_by(Complaint.id)).all()
    found: list[tuple[Complaint, Wait]] = []
    for row in readable.each(session, Complaint, ids):
        with readable.apart(session, f"nobody can say what complaint {row.number} waits for"):
            found += [(row, wait) for wait in _missing(session, row, now)]
    return found


def _arranging(now: datetime) -> ColumnElement[bool]:
    """A meeting of theirs is staff's to arrange, or the line should have rung them a day ago."""
    plan = (MeetingPlan.complaint_id == Complaint.id) & MeetingPlan.ended_at.is_(None)
    party = (MeetingParty.plan_id == MeetingPlan.id) & (MeetingParty.due_at <= now - STUCK_AFTER)
    return exists().where(plan, or_(MeetingPlan.by_hand_at <= now, exists().where(party)))


def _missing(session: Session, complaint: Complaint, now: datetime) -> list[Wait]:
    stuck_too = () if complaint.status == Status.CLOSED else _stuck(session, complaint)
    wanted = [wait for wait in _at((*waits(session, complaint), *stuck_too), now) if wait.due <= now or wait.since]
    return [wait for wait in wanted if not _has_item(session, complaint, wait, now)]


def _has_item(session: Session, complaint: Complaint, wait: Wait, now: datetime) -> bool:
    """Or has had one, and is not overdue."""
    whose = wait.person_id or complaint.person_id
    mine = [item for item in _items(session, complaint, (wait.kind,)) if item.person_id == whose]
    ticked = [item.done_at for item in mine if item.done_at and wait.since and wait.due > now]
    return any(item.done_at is None for item in mine) or any(at >= wait.since for at in ticked if wait.since)


def keep(session: Session, now: datetime) -> None:
    """Whatever is overdue has its item. Safe to repeat."""
    for complaint in rows.lock(session, (complaint.id for complaint, _ in late(session, now))):
        for wait in _missing(session, complaint, now):
            want(session, complaint, wait.kind, wait.due, now, wait.person_id, wait.meeting_at)


def ring_back(session: Session, complaint: Complaint, now: datetime, person_id: str | None = None) -> None:
    """They want to talk about it; likewise below, `person_id`: the other party does."""
    due = promises.promised(rows.calendar(session, complaint), now, RING_BACK)
    want(session, complaint, ItemKind.COMPLAINT_TALK, due, now, person_id)


def was_it_they(session: Session, complaint: Complaint, now: datetime) -> None:
    """It was called solved by somebody who rang in."""
    due = promises.promised(rows.calendar(session, complaint), now, RING_BACK)
    want(session, complaint, ItemKind.COMPLAINT_CLOSED, due, now)


def appointed(
    session: Session,
    complaint: Complaint,
    now: datetime,
    person_id: str | None = None,
    meeting_at: datetime | None = None,
) -> None:
    """When a meeting is, or that it isn't, they hear from somebody: before it is (`meeting_at`)."""
    due = _before(session, complaint, now, meeting_at)
    want(session, complaint, ItemKind.COMPLAINT_APPOINTED, due, now, person_id, meeting_at)


def arrange(
    session: Session,
    complaint: Complaint,
    now: datetime,
    person_id: str | None = None,
    meeting_at: datetime | None = None,
) -> None:
    """The line can't arrange with them when to meet, or they can't come: a person rings."""
    want(session, complaint, ItemKind.COMPLAINT_ARRANGE, _before(session, complaint, now, meeting_at), now, person_id)


def _before(session: Session, complaint: Complaint, now: datetime, meeting_at: datetime | None) -> datetime:
    due = promises.promised(rows.calendar(session, complaint), now, RING_BACK)
    return due if meeting_at is None or meeting_at <= now else max(now, min(due, meeting_at - IN_TIME))


def _text(complaint: Complaint) -> str:
    """Personal. Which it is, what about, and whom to ring back who isn't in the register."""
    caller = "" if complaint.person_id else phones.national(complaint.caller_number) or "没有号码"
    return " ".join(filter(None, (f"{complaint.number}号诉求", complaint.category, complaint.place, caller)))
