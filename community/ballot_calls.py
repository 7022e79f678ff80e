"""The calls of ballots: that something may be chosen, and later what came of it, to all who took part. The cycle makes
them within the hours and limits of calls (checkins.other_calls); who can't be rung, or three times not reached, is on
the sheet for somebody to go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.orm import Session

from checkins import items
from checkins.items import ItemKind
from checkins.line_rules import Purpose
from checkins.other_calls import Barred, Ended, Later, Lines
from checkins.people import stops_calls
from checkins.ports import TALKED, CallRequest
from checkins.results import LINE
from checkins.tables import GONE, Person
from community import ballot_rows as rows
from community.ballot_tables import Ballot, BallotCall, BallotSlot, Errand, Rung
from community.reply_calls import AFTER_LINE_ERROR, LINE_FAILED, wrong_number

FLOW = "ballot"
CALLS = 3  # that reached nobody
AGAIN = timedelta(hours=2)  # after one that did not
LOST = timedelta(hours=1)  # without news of a call: asked again
BATCH = 50
REACHED = ("heard", "refused", "wants_person", "not_well")  # results of the flow: they were talked to
BROKE_OFF = ("refused", "wants_person", "not_well")
ASKED = "asked"  # an event, with the call: a topic was read to them
TELL_WITHIN = timedelta(days=3)


class BallotCalls:
    """Satisfies checkins.other_calls.Errands."""

    purpose = Purpose.BALLOT

    def claim(self, session: Session, now: datetime, lines: Lines) -> Sequence[CallRequest]:
        requests = []
        for person_id in _waiting(session, now):
            found = _due(session, person_id, now)
            if found and (request := self._ring(session, person_id, found, now, lines)) is not None:
                requests.append(request)
            if lines.free <= 0:
                break
        return requests

    def _ring(
        self, session: Session, person_id: str, found: Sequence[BallotCall], now: datetime, lines: Lines
    ) -> CallRequest | None:
        try_no, person = max(row.calls for row in found) + 1, session.get_one(Person, person_id)
        if person.state in GONE:  # nobody goes there, either
            for row in found:
                row.outcome, row.due_at = Rung.OVER, None
            return None
        match lines.ring(person, Purpose.BALLOT, FLOW, try_no=try_no):
            case Barred():
                for row in found:
                    by_hand(session, row, now)
            case Later(until):
                for row in found:
                    row.due_at = max(until, now)
            case CallRequest() as request:
                for row in found:
                    row.intent_id, row.due_at = request.id, now + LOST
                return request
        return None

    def ended(self, session: Session, end: Ended, now: datetime) -> None:
        """What was chosen or heard in it is written down already. A question is heard when it was read to them: a call
        may have told the result of another ballot. Who broke off before is not rung again: somebody asks them."""
        person = next(iter(end.people), None)
        if person is not None:
            wrong_number(session, person, end, now)
        result = person.result if end.disposition in TALKED and person is not None else None
        read = {each.ballot_id for each in rows.in_call(session, end.call_id) if each.what == ASKED}
        query = select(BallotCall).where(BallotCall.intent_id == end.call_id, BallotCall.outcome.is_(None))
        for row in session.scalars(query.with_for_update()):
            row.intent_id = None  # told once
            if end.disposition in LINE_FAILED:
                row.due_at = now + AFTER_LINE_ERROR
            elif row.errand == Errand.ASK and result in REACHED and row.ballot_id in read:
                row.outcome, row.due_at = Rung.HEARD, None
            elif row.errand == Errand.ASK and result in BROKE_OFF:
                by_hand(session, row, now)
            else:
                row.calls += 1
                row.due_at = now + AGAIN
                if row.calls >= CALLS:
                    by_hand(session, row, now)


def _waiting(session: Session, now: datetime) -> list[str]:
    query = select(BallotCall.person_id).where(BallotCall.due_at <= now, BallotCall.outcome.is_(None))
    return list(dict.fromkeys(session.scalars(query.order_by(BallotCall.due_at, BallotCall.id).limit(BATCH))))


def _due(session: Session, person_id: str, now: datetime) -> list[BallotCall]:
    query = select(BallotCall).where(BallotCall.person_id == person_id, BallotCall.outcome.is_(None))
    query = query.where(BallotCall.due_at <= now).order_by(BallotCall.id).with_for_update(skip_locked=True)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def tell(session: Session, ballot: Ballot, people: Sequence[str], now: datetime) -> None:
    """They are rung with the result; the same again is no second call."""
    query = select(BallotCall.person_id).where(BallotCall.ballot_id == ballot.id, BallotCall.errand == Errand.RESULT)
    told = set(session.scalars(query))
    row = {"ballot_id": ballot.id, "errand": Errand.RESULT, "due_at": max(now, ballot.opens_at), "calls": 0}
    new = [{"person_id": each, **row} for each in people if each not in told]
    if new:
        session.execute(insert(BallotCall), new)


def first(session: Session, ballot: Ballot, people: Sequence[str], rings: bool, now: datetime) -> None:
    """Of a ballot that is new: all of them are rung; without `rings` nobody is, and somebody goes to whom no machine
    may ring."""
    if rings:
        session.add_all(_call(ballot, each, max(now, ballot.opens_at)) for each in people)
        return
    known = {person.id: person for person in session.scalars(select(Person).where(_in_place(ballot)))}
    by_hand = [_call(ballot, each, None) for each in people if stops_calls(known[each]) is not None]
    for row in by_hand:
        row.outcome = Rung.BY_HAND
    session.add_all(by_hand)
    if by_hand:
        open_item(session, ballot, Errand.ASK, now)


def _call(ballot: Ballot, person_id: str, due: datetime | None) -> BallotCall:
    return BallotCall(ballot_id=ballot.id, person_id=person_id, errand=Errand.ASK, due_at=due, calls=0)


def _in_place(ballot: Ballot) -> ColumnElement[bool]:
    return Person.neighbourhood_id == ballot.neighbourhood_id


def pending(session: Session, person_id: str, errand: Errand) -> list[BallotCall]:
    """What they are to hear yet, by this line or by a person."""
    query = select(BallotCall).where(BallotCall.person_id == person_id, BallotCall.errand == errand)
    open_ = BallotCall.outcome.is_(None) | (BallotCall.outcome == Rung.BY_HAND)
    return list(session.scalars(query.where(open_).order_by(BallotCall.id)))


def over(session: Session, ballot: Ballot, person_id: str, errand: Errand, now: datetime, by: str = LINE) -> None:
    """They have chosen, or heard; with the last whom somebody was to see, that is done, too."""
    waited = [row for row in pending(session, person_id, errand) if row.ballot_id == ballot.id]
    for row in waited:
        row.outcome, row.due_at = Rung.DONE, None
    session.flush()
    if waited:
        settle_if_all(session, ballot, errand, by, now)


def settle_if_all(session: Session, ballot: Ballot, errand: Errand, by: str, now: datetime) -> None:
    """With the last whom somebody was to see or to tell."""
    if to_see(session, ballot, errand) or (errand == Errand.RESULT and rows.untold(session, ballot)):
        return
    settle(session, ballot, errand, by, now)


def chosen(session: Session, ballot: Ballot, slot: BallotSlot, now: datetime, by: str = LINE) -> None:
    """For this place on the roll: nobody of it is asked any more."""
    for person in rows.members(session, slot):
        over(session, ballot, person.id, Errand.ASK, now, by)


def settle(session: Session, ballot: Ballot, errand: Errand, by: str, now: datetime) -> None:
    """Nobody must be seen any more."""
    rows.end_items(session, ballot, [items.key_of(_kind(errand), about=str(ballot.number))], by, now)


def _kind(errand: str) -> ItemKind:
    return ItemKind.BALLOT_ASK if errand == Errand.ASK else ItemKind.BALLOT_TELL


def by_hand(session: Session, row: BallotCall, now: datetime) -> None:
    """One item for the ballot: who it is, is on its sheet."""
    row.outcome, row.due_at = Rung.BY_HAND, None
    open_item(session, session.get_one(Ballot, row.ballot_id), row.errand, now)


def open_item(session: Session, ballot: Ballot, errand: str, now: datetime) -> None:
    detail = {"ballot": ballot.number, "text": f"{ballot.number}号打钩:{ballot.title}"}
    due = ballot.closes_at if errand == Errand.ASK else now + TELL_WITHIN
    place, about = ballot.neighbourhood_id, str(ballot.number)
    items.open_item(session, _kind(errand), now, neighbourhood_id=place, due_at=due, about=about, detail=detail)


def stop(session: Session, ballot: Ballot, by: str, now: datetime) -> None:
    """Nobody is asked any more, neither by the line nor at the door."""
    query = select(BallotCall).where(BallotCall.ballot_id == ballot.id, BallotCall.outcome.is_(None))
    for row in session.scalars(query):
        row.outcome, row.due_at = Rung.OVER, None
    settle(session, ballot, Errand.ASK, by, now)


def to_see(session: Session, ballot: Ballot, errand: Errand) -> list[Person]:
    """Who is waited for, lives here still, and can't be rung, or wasn't reached."""
    query = select(Person, BallotCall.outcome).join(BallotCall, BallotCall.person_id == Person.id)
    query = query.where(BallotCall.ballot_id == ballot.id, BallotCall.errand == errand, Person.state.not_in(GONE))
    open_ = BallotCall.outcome.is_(None) | (BallotCall.outcome == Rung.BY_HAND)
    found = session.execute(query.where(open_).order_by(Person.address, Person.name))
    return [person for person, outcome in found if outcome == Rung.BY_HAND or stops_calls(person) is not None]
