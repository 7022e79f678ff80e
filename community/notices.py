"""公告: published and taken back by staff, heard by elders; and whom it has not reached. Every function runs inside
somebody's transaction; acts of staff need a name; what can't be done says why (ValueError, LookupError: one sentence).

A hearer's row is written for every elder whom a notice is for, once: at once, and by the rounds for whoever comes into
the register later. Nobody is counted: what there is to see is who has not been reached, so that somebody goes there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from checkins.intents import INBOUND
from checkins.names import named
from checkins.people import stops_calls
from checkins.tables import GONE, CallIntent, Person
from community import rows, staff
from community.notice_draft import Draft, checked, elders
from community.notice_tables import FIRST_NOTICE, Hearer, Notice, NoticeEvent, Topic
from community.notice_targets import building, is_for, on_the_way
from community.tables import Complaint, Status, Wish
from community.wrong import Unknown, Wrong

NOTICED = "noticed"  # of a complaint: its answer is one
MADE, AGAIN, WITHDRAWN, TOLD, PRINTED = "made", "made_again", "withdrawn", "told", "printed"


def publish(
    session: Session,
    place_id: int,
    text: str,
    by: str,
    now: datetime,
    *,
    until: datetime,
    since: datetime | None = None,
    topic: Topic = Topic.NOTICE,
    urgent: bool = False,
    buildings: Sequence[str] = (),
    language: str | None = None,
    recording: str | None = None,
    complaint_id: int | None = None,
    anyway: bool = False,
) -> Notice:
    """For the elders of these buildings and this language; LookupError for a building where nobody lives, but `anyway`.
    The same again while it holds or is still to come is the same notice, which then begins at the earlier moment, ends
    when the newer word says, and becomes urgent if that says so (never less urgent); its `at` is not now."""
    whom = tuple(buildings), language
    draft = Draft(place_id, text, until, since, topic, urgent, *whom, recording, complaint_id, anyway)
    return send(session, draft, by, now)


def send(session: Session, draft: Draft, by: str, now: datetime) -> Notice:
    """Publishes it, by `by`."""
    by, notice = named(by), checked(session, draft, by, now)
    known = same(session, notice, now)
    if known is not None:
        note(session, known, AGAIN, by, now)
        return _again(session, known, notice, by, now)
    session.add(notice)
    session.flush()
    note(session, notice, MADE, by, now)
    spread(session, notice, now)
    return notice


def same(session: Session, new: Notice, now: datetime) -> Notice | None:
    """One that stands already: the same, spoken or not, at a time that it has in common with the new one."""
    query = select(Notice).where(Notice.neighbourhood_id == new.neighbourhood_id, Notice.topic == new.topic)
    query = query.where(Notice.valid_until > max(now, new.valid_from), Notice.valid_from < new.valid_until)
    query = query.where(Notice.text == new.text, Notice.withdrawn_at.is_(None)).order_by(Notice.id.desc())
    return next((each for each in session.scalars(query) if _for_whom(each) == _for_whom(new)), None)


def _for_whom(notice: Notice) -> tuple[frozenset[str], str | None]:
    return frozenset(building(each) for each in notice.buildings), notice.language or None


def _again(session: Session, notice: Notice, new: Notice, by: str, now: datetime) -> Notice:
    """Who has not understood it is rung once it is urgent, by whichever of the two words."""
    session.refresh(notice, with_for_update=True)
    notice.valid_from, notice.valid_until = min(notice.valid_from, new.valid_from), new.valid_until
    notice.recording, notice.complaint_id = new.recording or notice.recording, notice.complaint_id or new.complaint_id
    urgent = new.urgent and not notice.urgent
    if urgent:
        notice.urgent, notice.urgent_by = True, by[:100]
    spread(session, notice, now)
    query = select(Hearer, Person).join(Person, Person.id == Hearer.person_id).where(Hearer.notice_id == notice.id)
    for row, person in session.execute(query.order_by(Hearer.id).with_for_update(of=Hearer)) if notice.urgent else ():
        if urgent:
            _ring(session, row, person, max(now, notice.valid_from), now)
        elif row.due_at is not None and row.calls == 0 and row.intent_id is None:
            row.due_at = min(row.due_at, max(now, notice.valid_from))
    session.flush()
    return notice


def _ring(session: Session, row: Hearer, person: Person, due: datetime, now: datetime) -> None:
    """It has become urgent: what they said of it in a call that came in counts no more, nor was it told to them in one.
    Whom no machine may ring, somebody goes to, also when all doors were done before."""
    unproven = not _is_proven(session, row, person)
    if unproven and (row.understood_at is not None or row.heard_at is not None):
        row.understood_at = row.by = row.heard_at = None
        row.given_up_at = now
    if row.understood_at is None and stops_calls(person) is None:
        row.due_at, row.given_up_at = due, None


def _is_proven(session: Session, row: Hearer, person: Person) -> bool:
    """Whether staff told them, or the last call that did was ours: a number that rings in proves nothing."""
    if row.by is not None and row.by != person.name[:100]:
        return True
    return is_ours(session, row.call_id or "")


def is_ours(session: Session, call_id: str) -> bool:
    """Whether the line made this call."""
    intent = session.get(CallIntent, call_id)
    return intent is not None and intent.purpose != INBOUND


def answer(
    session: Session,
    number: int,
    text: str,
    by: str,
    now: datetime,
    *,
    until: datetime,
    urgent: bool = False,
    recording: str | None = None,
) -> Notice:
    """What came of a matter of the 议事厅, for all neighbours, in the staff's own words and without who it was."""
    complaint = answerable(session, number, text)
    draft = Draft(
        complaint.neighbourhood_id, text, until, urgent=urgent, recording=recording, complaint_id=complaint.id
    )
    notice = send(session, draft, by, now)
    rows.note(session, complaint, NOTICED, by, now, detail={"notice": notice.number})
    return notice


def answerable(session: Session, number: int, text: str) -> Complaint:
    """The matter, if its answer may become a notice in these words."""
    complaint = rows.by_number(session, number)
    if complaint.wish != Wish.PUBLIC or not complaint.text:
        raise Wrong(
            f"{number}号不在议事厅：本人同意的，先公开",
            "the matter stands in no 议事厅: `cases publish` first, where they agreed",
        )
    if complaint.status not in (Status.ANSWERED, Status.CLOSED) or rows.last_reply(session, complaint) is None:
        raise Wrong(f"{number}号还没有答复：先答复", "there is no answer yet: `cases reply` first")
    if told := staff._personal(session, complaint, text):
        raise Wrong(f"这段话看得出是谁（{told}）：请改写", f"the text says who it is ({told}): write it without")
    return complaint


def withdraw(session: Session, number: int, by: str, now: datetime) -> Notice:
    """Nobody hears it from now on. The same again changes nothing."""
    notice, by = by_number(session, number), named(by)
    if notice.withdrawn_at is None:
        notice.withdrawn_by, notice.withdrawn_at = by[:100], now
        note(session, notice, WITHDRAWN, by, now)
        stop_ringing(session, notice)
    return notice


def stop_ringing(session: Session, notice: Notice) -> None:
    """Of one that holds no more: its rows are looked at no more when calls are due."""
    waits = select(Hearer).where(Hearer.notice_id == notice.id, Hearer.due_at.is_not(None))
    for row in session.scalars(waits.order_by(Hearer.id).with_for_update()):
        row.due_at = None


def told(session: Session, number: int, person_id: str, by: str, now: datetime) -> Hearer:
    """`by` has told them, at the door or by telephone."""
    notice, by = by_number(session, number), named(by)
    row = hearer(session, notice.id, person_id)
    if row is None:
        raise Unknown("这个公告不是给这位的", "this notice is not for them")
    if row.understood_at is None:
        note(session, notice, TOLD, by, now, detail={"person": person_id})
    return understood(row, by, now)


def understood(row: Hearer, by: str, now: datetime) -> Hearer:
    """The first word counts."""
    if row.understood_at is None:
        row.understood_at, row.by = now, by[:100]
    row.due_at = None
    return row


def heard(row: Hearer, now: datetime) -> None:
    """Played to the end; whether they have understood it, they have not said."""
    row.heard_at = row.heard_at or now


def note(
    session: Session, notice: Notice, what: str, by: str, now: datetime, *, detail: dict[str, Any] | None = None
) -> None:
    """Into the log of what staff do."""
    session.add(NoticeEvent(notice_id=notice.id, at=now, what=what, who=by[:100], detail=detail))


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────


def by_number(session: Session, number: int) -> Notice:
    """Locked. LookupError when there is none."""
    notice = session.get(Notice, number - FIRST_NOTICE + 1, with_for_update=True)
    if notice is None:
        raise Unknown(f"没有{number}号公告", f"there is no notice {number} (`notices list` shows all)")
    return notice


def hearer(session: Session, notice_id: int, person_id: str) -> Hearer | None:
    """Locked."""
    query = select(Hearer).where(Hearer.notice_id == notice_id, Hearer.person_id == person_id)
    return session.scalars(query.with_for_update()).one_or_none()


def holds(notice: Notice, now: datetime) -> bool:
    return notice.withdrawn_at is None and notice.valid_from <= now < notice.valid_until


def valid(session: Session, place_id: int, now: datetime, topic: Topic = Topic.NOTICE) -> list[Notice]:
    """What holds now, newest first."""
    query = select(Notice).where(Notice.neighbourhood_id == place_id, Notice.topic == topic)
    query = query.where(Notice.valid_until > now, Notice.valid_from <= now, Notice.withdrawn_at.is_(None))
    return list(session.scalars(query.order_by(Notice.id.desc())))


def not_written(session: Session, notice: Notice) -> list[Person]:
    """Elders whom it is for, and who have no row of it yet."""
    written = select(Hearer.person_id).where(Hearer.notice_id == notice.id)
    query = select(Person).where(*elders(notice.neighbourhood_id), Person.id.not_in(written))
    return [person for person in session.scalars(query.order_by(Person.id)) if is_for(notice, person)]


def spread(session: Session, notice: Notice, now: datetime) -> None:
    """Writes the rows that are missing, for whoever it is for now: safe to repeat. Nobody is rung before it holds; to
    whom no machine may ring, somebody goes."""
    if notice.topic != Topic.NOTICE:
        return
    rows = [_row(notice, person, now) for person in not_written(session, notice)]
    if rows:
        session.execute(insert(Hearer), rows)


def _row(notice: Notice, person: Person, now: datetime) -> dict[str, object]:
    rung = stops_calls(person) is None
    due = max(now, notice.valid_from) if notice.urgent and rung else None
    return {"notice_id": notice.id, "person_id": person.id, "due_at": due, "given_up_at": None if rung else now}


@dataclass(frozen=True)
class Reach:
    """Whom a notice is for: how many elders, and for how many of them somebody must go because no machine may ring."""

    elders: int
    doors: int

    @property
    def by_telephone(self) -> int:
        return self.elders - self.doors


def reach(session: Session, notice: Notice) -> Reach:
    """So that who publishes it knows what work it will be."""
    query = select(Person).join(Hearer, Hearer.person_id == Person.id).where(Hearer.notice_id == notice.id)
    found = session.scalars(query.where(Person.state.not_in(GONE))).all()
    return Reach(len(found), sum(stops_calls(person) is not None for person in found))


def unreached(session: Session, notice: Notice) -> list[tuple[Hearer, Person]]:
    """Whom it is for, who still lives here, and who has not said that they understood it: so that somebody goes."""
    query = (
        select(Hearer, Person)
        .join(Person, Person.id == Hearer.person_id)
        .where(Hearer.notice_id == notice.id, Hearer.understood_at.is_(None), Person.state.not_in(GONE))
    )
    found = [(row, person) for row, person in session.execute(query)]
    return sorted(found, key=lambda each: (on_the_way(each[1].address), each[1].name))


def to_visit(session: Session, notice: Notice, now: datetime) -> list[tuple[Hearer, Person]]:
    """Of these, whom no call will reach any more: no machine may ring them, or the calls are over; all once half of its
    time is over, since a busy line may never come to them. Before that nobody need go to the others."""
    late = now >= half_time(notice)
    return [
        (row, person)
        for row, person in unreached(session, notice)
        if late or row.given_up_at is not None or stops_calls(person) is not None
    ]


def half_time(notice: Notice) -> datetime:
    """From then on somebody goes to whom a notice has not reached."""
    return notice.valid_from + (notice.valid_until - notice.valid_from) / 2


def of_person(session: Session, person_id: str, now: datetime) -> list[tuple[Hearer, Notice]]:
    """The notices for them that hold now, newest first."""
    query = (
        select(Hearer, Notice)
        .join(Notice, Notice.id == Hearer.notice_id)
        .where(Hearer.person_id == person_id, Notice.withdrawn_at.is_(None))
        .where(Notice.valid_from <= now, Notice.valid_until > now)
        .order_by(Notice.id.desc())
    )
    return [(row, notice) for row, notice in session.execute(query)]


def last_of_call(session: Session, call_id: str, person_id: str) -> Hearer | None:
    """What was said to them last in this call."""
    query = select(Hearer).where(Hearer.call_id == call_id, Hearer.person_id == person_id)
    return session.scalars(query.order_by(Hearer.nth.desc()).limit(1).with_for_update()).first()


def say(session: Session, row: Hearer, call_id: str) -> None:
    """This call says it now, after whatever it said before."""
    before = session.scalar(
        select(func.max(Hearer.nth)).where(Hearer.call_id == call_id, Hearer.person_id == row.person_id)
    )
    row.call_id, row.nth = call_id, (before or 0) + 1
    session.flush()


def spoken(notice: Notice) -> dict[str, str]:
    """As the value of a flow's variable: a recording's path, or the words."""
    return {"notice_audio": notice.recording} if notice.recording else {"notice": notice.text}


def with_words(notice: Notice) -> dict[str, str]:
    """For flows that say the words where the recording can't be played."""
    return {"notice": notice.text, **spoken(notice)}


def texts(session: Session, now: datetime) -> list[str]:
    """What the line will have to say, so that it is rendered before anybody waits for it."""
    query = select(Notice.text).where(Notice.valid_until > now, Notice.withdrawn_at.is_(None))
    return list(session.scalars(query.order_by(Notice.id.desc())))


def listed(session: Session, now: datetime, places: Collection[int], *, everything: bool) -> list[Notice]:
    """What holds or is still to come, or everything."""
    query = select(Notice).where(Notice.neighbourhood_id.in_(places)).order_by(Notice.id)
    if not everything:
        query = query.where(Notice.valid_until > now, Notice.withdrawn_at.is_(None))
    return list(session.scalars(query))
