"""回访: answers are played to who complained, until they have said what they think of them. The cycle makes the calls
(checkins.other_calls); one call carries all the answers that wait for a person.

    Reply.due_at     when the next call is due; while one is out: when to ask again should nobody tell its end
    CALLING, CALLED  events of the complaint, with the call: it was ordered, and what it came to for this answer
    Reply.calls      how many reached nobody; those in which they were on the line stand in the events alone

A call that reaches nobody (not there, a machine, somebody else) is tried again three hours later, then on another day
at another hour; who was on the line and gave no clear answer has time until the next day. After three calls a person
goes there, or asks whoever was on the line once: only three that reached nobody count for closing it. A line that
failed says nothing about them. Who can't be called by machine is told by a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import people
from checkins.line_rules import Purpose
from checkins.other_calls import Barred, Ended, Later, Lines
from checkins.ports import TALKED, CallRequest, Disposition, PersonOutcome
from checkins.results import LINE
from checkins.tables import Person
from community import complaints, readable, rows, staff
from community.complaints import TOLD
from community.policy import DEFAULT, REPLY_CALLS, Deadlines
from community.tables import Complaint, ComplaintEvent, Outcome, Reply, Status

FLOW = "reply"
CALLING, CALLED = "calling", "called"
UNSPOKEN = "unspoken"  # an event: the line could not play the answer
MOST = 3  # answers in one call; the flow asks no oftener for the next one
BATCH = 50
AGAIN = timedelta(hours=3)  # at another hour
NEXT_DAY = timedelta(hours=24)
AFTER_LINE_ERROR = timedelta(minutes=15)
WAIT_AT_MOST = timedelta(days=3)  # no call could be made, for whatever reason: a person goes there
NEVER_SO_FAR = timedelta(days=3)  # ahead is a call ever due: it was written by a clock that was fast
LINE_FAILED = (Disposition.LINE_ERROR, Disposition.BAD_NUMBER, Disposition.CANCELLED, Disposition.INTERRUPTED)
_NOT_THEY = ("not_reached", "absent", "wrong_number", "hung_up", "machine")  # in the flow's words


class ReplyCalls:
    """Satisfies checkins.other_calls.Errands."""

    purpose = Purpose.REPLY

    def __init__(self, deadlines: Deadlines = DEFAULT) -> None:
        self._deadlines, self._again = deadlines, readable.Again()

    def claim(self, session: Session, now: datetime, lines: Lines) -> Sequence[CallRequest]:
        """One call for each person who waits for an answer, while lines are free. What goes wrong with one of them
        keeps nobody else waiting."""
        requests: list[CallRequest] = []
        for person_id in _waiting(session, now, self._again.left_out(now)):
            request = None
            with self._again.apart(session, person_id, now, "answers that wait for somebody can't be rung out"):
                answers = _answers(session, person_id)
                request = _ring(session, person_id, answers, now, lines) if answers else None
            requests += [request] if request is not None else []
            if lines.free <= 0:
                break
        return requests

    def ended(self, session: Session, end: Ended, now: datetime) -> None:
        """What the call came to for each answer that it carried. What was said in it is written down already, unless
        that failed: then the call's own word counts, where it can mean one answer only."""
        person = next(iter(end.people), None)
        if person is not None:
            wrong_number(session, person, end, now)  # first: the care room's rows are locked before complaints
        carried = _carried(session, end.call_id)
        told = [answer for answer in carried if _was_told(session, answer, end.call_id)]
        for answer in carried:
            word = person if [answer] == told else None
            self._ended(session, answer, end, word, now, told=answer in told, reached=_reached(end, person, told))
        if person is not None and carried:
            _barred_now(session, carried, person, end, now)

    def _ended(
        self,
        session: Session,
        answer: Reply,
        end: Ended,
        person: PersonOutcome | None,
        now: datetime,
        *,
        told: bool,
        reached: bool | None,
    ) -> None:
        complaint = session.get_one(Complaint, answer.complaint_id)
        outcome = _outcome(person) if end.disposition in TALKED else None
        called = _called(session, answer)
        known = end.call_id in called and (called[end.call_id] or not reached)
        if answer.outcome not in (None, *staff.BY_PERSON) or (known and outcome is None) or staff.is_by_hand(answer):
            return
        detail = {"round": answer.round, "disposition": end.disposition, "told": told, "reached": reached}
        rows.note(session, complaint, CALLED, LINE, now, call_id=end.call_id, detail=detail)
        if outcome is not None:
            complaints.say(session, complaint, outcome, now, self._deadlines, call_id=end.call_id, round_=answer.round)
        elif reached is None:
            _later(session, [answer], now + AFTER_LINE_ERROR, now)
        else:
            _no_word(session, answer, now, reached=reached)


def _no_word(session: Session, answer: Reply, now: datetime, *, reached: bool) -> None:
    """One more call has brought no word of theirs."""
    called = list(_called(session, answer).values())
    answer.calls, counted = called.count(False), len(called) - called.count(None)
    if answer.outcome is None and counted < REPLY_CALLS:
        answer.due_at = again_at(counted, now, reached=reached)
    elif answer.outcome is None or answer.calls < counted:
        staff.by_person(session, answer, now, reached=answer.calls < counted)


def again_at(calls: int, now: datetime, *, reached: bool) -> datetime:
    """When they are rung again after so many calls without an answer; the cycle keeps to the hours of calls. Who was on
    the line and said nothing clear has time until tomorrow."""
    return now + AGAIN if calls <= 1 and not reached else now + NEXT_DAY + AGAIN


def _reached(end: Ended, person: PersonOutcome | None, told: Sequence[Reply]) -> bool | None:
    """Whether they themselves were on the line; None: the line failed, and the call doesn't count. Who pressed a key
    before anybody knew who it is counts as they: a doubt is nothing that may close a complaint."""
    if end.disposition in LINE_FAILED:
        return None
    return bool(told) or (end.disposition in TALKED and person is not None and person.result not in _NOT_THEY)


# ── calls ─────────────────────────────────────────────────────────────────────────────────────────


def _waiting(session: Session, now: datetime, left_out: Sequence[str]) -> list[str]:
    """Who waits for an answer that is due, the longest first."""
    query = select(Complaint.person_id).join(Reply, Reply.complaint_id == Complaint.id)
    due = (Reply.due_at <= now) | (Reply.due_at > now + NEVER_SO_FAR)
    query = query.where(due, Reply.outcome.is_(None))
    query = query.where(Complaint.person_id.is_not(None), Complaint.person_id.not_in(left_out))
    return list(dict.fromkeys(session.scalars(query.order_by(Reply.due_at, Reply.id).limit(BATCH))))


def _answers(session: Session, person_id: str) -> list[Reply]:
    """All that wait for this person, their complaints locked, but for those that somebody has locked already. What is
    no answer any more waits for nobody."""
    free = select(Complaint).where(Complaint.person_id == person_id).with_for_update(skip_locked=True)
    mine = {row.id: row for row in session.scalars(free.execution_options(populate_existing=True))}
    query = select(Reply).where(Reply.complaint_id.in_(mine), Reply.due_at.is_not(None), Reply.outcome.is_(None))
    query = query.order_by(Reply.at, Reply.id).execution_options(populate_existing=True)
    found = [(answer, mine[answer.complaint_id].status == Status.ANSWERED) for answer in session.scalars(query)]
    for answer in (answer for answer, waits in found if not waits):
        answer.due_at = None
    return [answer for answer, waits in found if waits][:MOST]


def _ring(
    session: Session, person_id: str, answers: Sequence[Reply], now: datetime, lines: Lines
) -> CallRequest | None:
    person, try_no = session.get_one(Person, person_id), max(len(_called(session, each)) for each in answers) + 1
    match lines.ring(person, Purpose.REPLY, FLOW, try_no=try_no):
        case Barred():
            for each in answers:
                staff.by_hand(session, each, now)
        case Later(until):
            _later(session, answers, until, now)
        case CallRequest() as request:
            for each in answers:
                _calling(session, each, request.id, now)
            return request
    return None


def _later(session: Session, answers: Iterable[Reply], until: datetime, now: datetime) -> None:
    for each in answers:
        called = list(_called(session, each).values())
        if now - each.at >= WAIT_AT_MOST + NEXT_DAY * (len(called) - called.count(None)):
            staff.by_person(session, each, now, reached=True in called)
        elif until > now:
            each.due_at = until


def _calling(session: Session, answer: Reply, call_id: str, now: datetime) -> None:
    answer.intent_id, answer.due_at = call_id, now + AGAIN
    complaint = session.get_one(Complaint, answer.complaint_id)
    rows.note(session, complaint, CALLING, LINE, now, call_id=call_id, detail={"round": answer.round})


# ── in the call ───────────────────────────────────────────────────────────────────────────────────


def next_answer(session: Session, call_id: str, person_id: str | None, now: datetime) -> tuple[Complaint, Reply] | None:
    """What is told next in this call: the same until something was said to it."""
    for answer in _carried(session, call_id):
        complaint = session.get_one(Complaint, answer.complaint_id)
        waits = answer.outcome is None and not staff.is_by_hand(answer)
        if waits and complaint.person_id == person_id and complaint.status == Status.ANSWERED:
            if not _was_told(session, answer, call_id):
                told = {"round": answer.round}
                rows.note(session, complaint, TOLD, rows.whose(session, complaint), now, call_id=call_id, detail=told)
            return complaint, answer
    return None


def unspoken(session: Session, complaint: Complaint, round_: int, call_id: str, now: datetime) -> bool:
    """This answer can't be played to them, or not spoken: a person tells them. False: nobody waits for it any more."""
    complaint = rows.locked(session, complaint)
    answer = rows.reply_of(session, complaint, round_)
    if answer is None or complaint.status != Status.ANSWERED or answer != rows.last_reply(session, complaint):
        return False
    if answer.outcome is None and not staff.is_by_hand(answer):
        rows.note(session, complaint, UNSPOKEN, LINE, now, call_id=call_id, detail={"round": round_})
        staff.by_hand(session, answer, now)
    return True


# ── its end ───────────────────────────────────────────────────────────────────────────────────────


def _carried(session: Session, call_id: str) -> list[Reply]:
    """The answers that this call was made for, their complaints locked, whatever has become of them since."""
    query = select(ComplaintEvent).where(ComplaintEvent.call_id == call_id, ComplaintEvent.what == CALLING)
    ordered = session.scalars(query.order_by(ComplaintEvent.id)).all()
    rows.lock(session, (event.complaint_id for event in ordered))
    found: list[Reply] = []
    for event in ordered:
        which = (Reply.complaint_id == event.complaint_id) & (Reply.round == (event.detail or {}).get("round"))
        found += session.scalars(select(Reply).where(which).execution_options(populate_existing=True)).all()
    return found


def _was_told(session: Session, answer: Reply, call_id: str) -> bool:
    return any(event.call_id == call_id for event in _events(session, answer, TOLD))


def _called(session: Session, answer: Reply) -> dict[str, bool | None]:
    """The calls with this answer that are over, by id: whether they were on the line, by its last news. None:
    it doesn't count."""
    return {event.call_id or "": (event.detail or {}).get("reached") for event in _events(session, answer, CALLED)}


def _events(session: Session, answer: Reply, what: str) -> list[ComplaintEvent]:
    query = select(ComplaintEvent).where(
        ComplaintEvent.complaint_id == answer.complaint_id, ComplaintEvent.what == what
    )
    found = session.scalars(query.order_by(ComplaintEvent.id))
    return [event for event in found if (event.detail or {}).get("round") == answer.round]


def _outcome(person: PersonOutcome | None) -> Outcome | None:
    """By key, or by speech that the ear was certain of; not solved counts either way."""
    if person is None or person.result not in complaints.OUTCOMES:
        return None
    outcome = Outcome(person.result)
    return outcome if person.clear or outcome is not Outcome.SOLVED else None


def wrong_number(session: Session, person: PersonOutcome, end: Ended, now: datetime) -> None:
    """Somebody said so: the number is in doubt from now on."""
    whom = session.get(Person, person.id) if person.result == "wrong_number" else None
    if whom is not None and whom.number is not None and end.disposition in TALKED:
        people.doubt_number(session, whom.number, now)


def _barred_now(session: Session, carried: Iterable[Reply], person: PersonOutcome, end: Ended, now: datetime) -> None:
    """After "wrong number", or a refusal (the care room's), a person tells them."""
    whom = session.get(Person, person.id)
    if whom is not None and end.disposition in TALKED and people.stops_calls(whom) is not None:
        for answer in carried:
            if answer.outcome is None:
                staff.by_hand(session, answer, now)
