"""The calls in which an urgent notice is told. The cycle makes them, and keeps to the hours of calls and to consents
(checkins.other_calls); they leave even more room to the morning round than others do: there are so many of them.
One call carries all the urgent notices that wait for a person.

    Hearer.due_at     when the next call is due; while one is out: when to ask again should nobody tell its end
    Hearer.intent_id  the call that was ordered last

A call in which nobody said that they understood is made again a quarter of an hour later, then three quarters; after
three, somebody goes there. A line that failed says nothing about them. Whom no machine may ring is on the door sheet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.line_rules import Purpose
from checkins.other_calls import SOON, Barred, Ended, Later, Lines, due_within
from checkins.ports import TALKED, CallRequest, PersonOutcome
from checkins.tables import Person
from community import notices
from community.notice_tables import Hearer, Notice
from community.reply_calls import AFTER_LINE_ERROR, LINE_FAILED, NEVER_SO_FAR, wrong_number
from community.tickets_policy import AGAIN, CALLS, again_after

FLOW = "notices"
MOST = 3  # notices in one call; the flow asks no oftener for the next one
BATCH = 20  # people looked at in one claim: whom the line may not ring yet costs it no more than this
LASTS = timedelta(minutes=5)  # a call with them: longer than nearly all
UNDERSTOOD = "understood"  # the flow's result


class NoticeCalls:
    """Satisfies checkins.other_calls.Errands."""

    purpose = Purpose.NOTICE

    def claim(self, session: Session, now: datetime, lines: Lines) -> Sequence[CallRequest]:
        """One call for each person who waits for an urgent notice, while lines are free and will be for as long as
        a call lasts: one that is on the line when a check-in wants it would make that late."""
        requests: list[CallRequest] = []
        free = lines.free
        if free > 0:
            free -= due_within(session, now, LASTS) - due_within(session, now, SOON)
        for person_id in _waiting(session, now) if free > 0 else ():
            found = _due(session, person_id, now)
            if found and (request := _ring(session, person_id, found, now, lines)) is not None:
                requests.append(request)
            if len(requests) >= free or lines.free <= 0:
                break
        return requests

    def ended(self, session: Session, end: Ended, now: datetime) -> None:
        """What the call came to for each notice. What they pressed is written down already, unless that failed: then
        the call's own word counts, where it can mean one notice only."""
        person = next(iter(end.people), None)
        if person is not None:
            wrong_number(session, person, end, now)
        query = select(Hearer).where(Hearer.intent_id == end.call_id).order_by(Hearer.id)
        carried = list(session.scalars(query.with_for_update()))
        said = [row for row in carried if row.call_id == end.call_id]
        for row in carried:
            if [row] == said and _understood(end, person):
                notices.understood(row, session.get_one(Person, row.person_id).name, now)
            else:
                _ended(row, end, now)


def _ended(row: Hearer, end: Ended, now: datetime) -> None:
    """Not understood: rung again, or nobody rings any more."""
    row.intent_id = None  # told twice, it counts once
    if row.understood_at is not None:
        return
    if end.disposition in LINE_FAILED:
        row.due_at = now + AFTER_LINE_ERROR
        return
    row.calls += 1
    if row.calls >= CALLS:
        give_up([row], now)
    else:
        row.due_at = now + again_after(row.calls)


def _understood(end: Ended, person: PersonOutcome | None) -> bool:
    return end.disposition in TALKED and person is not None and person.result == UNDERSTOOD and person.evidence == "key"


def give_up(found: Iterable[Hearer], now: datetime) -> None:
    """The line rings them no more with it: somebody goes there."""
    for row in found:
        row.due_at, row.given_up_at = None, row.given_up_at or now


def _waiting(session: Session, now: datetime) -> list[str]:
    """Who waits, the longest first. A moment far ahead was written by a clock that was fast. Each of the two looks
    follows the index of `due_at` and stops at the first few: a hearer's row must be read before its notice."""
    found: list[str] = []
    for due in (Hearer.due_at <= now, Hearer.due_at > now + NEVER_SO_FAR):
        holds = select(Notice.id).where(Notice.id == Hearer.notice_id, Notice.withdrawn_at.is_(None))
        holds = holds.where(Notice.valid_from <= now, Notice.valid_until > now)
        query = select(Hearer.person_id).where(due, Hearer.understood_at.is_(None), holds.exists())
        found += session.scalars(query.order_by(Hearer.due_at, Hearer.id).limit(BATCH))
    return list(dict.fromkeys(found))[:BATCH]


def _due(session: Session, person_id: str, now: datetime) -> list[Hearer]:
    """All that wait for this person, but for rows that somebody has locked."""
    query = (
        select(Hearer, Notice)
        .join(Notice, Notice.id == Hearer.notice_id)
        .where(Hearer.person_id == person_id, Hearer.due_at.is_not(None), Hearer.understood_at.is_(None))
        .order_by(Hearer.id)
        .with_for_update(skip_locked=True, of=Hearer)
        .execution_options(populate_existing=True)
    )
    return [row for row, notice in session.execute(query) if notices.holds(notice, now)][:MOST]


def _ring(session: Session, person_id: str, found: Sequence[Hearer], now: datetime, lines: Lines) -> CallRequest | None:
    try_no = max(row.calls for row in found) + 1
    match lines.ring(session.get_one(Person, person_id), Purpose.NOTICE, FLOW, try_no=try_no):
        case Barred():
            give_up(found, now)
        case Later(until):
            for row in found:
                row.due_at = max(until, now) if until > now else row.due_at
        case CallRequest() as request:
            for row in found:
                row.intent_id, row.due_at = request.id, now + AGAIN[-1]
            return request
    return None


def next_notice(session: Session, call_id: str, person_id: str) -> tuple[Hearer, Notice] | None:
    """What is told next in a call that was made for it: each once."""
    query = (
        select(Hearer, Notice)
        .join(Notice, Notice.id == Hearer.notice_id)
        .where(Hearer.intent_id == call_id, Hearer.person_id == person_id, Hearer.understood_at.is_(None))
        .order_by(Hearer.id)
    )
    found = [(row, notice) for row, notice in session.execute(query) if row.call_id != call_id]
    return next(((row, notice) for row, notice in found if notice.withdrawn_at is None), None)
